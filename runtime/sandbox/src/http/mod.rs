//! HTTP around the two services: connections, tokens, limits, faults, batches.

mod auth;
pub(crate) mod batch;
mod faults;
mod limits;
mod server;

use bytes::Bytes;
use dwmap_odata::ErrorBody;

pub(crate) use auth::Tokens;
pub(crate) use faults::{Fault, Faults};
pub(crate) use limits::Limiter;
pub use limits::Limits;
pub(crate) use server::{Running, Served, Serving, serve};

/// A request as a service sees it, of its own or inside a batch.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub method: String,
    /// The path below the service's root, still encoded.
    pub path: String,
    /// The decoded options.
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    /// Where the client reached the server: `http://127.0.0.1:8080`.
    pub origin: String,
}

impl Call {
    /// A header's value, by name without case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }

    /// The value of a preference: `Prefer: odata.maxpagesize=10`; an empty text for one without value.
    pub(crate) fn preference(&self, name: &str) -> Option<String> {
        let all = self
            .headers
            .iter()
            .filter(|(n, _)| n.eq_ignore_ascii_case("prefer"));
        all.flat_map(|(_, value)| value.split(','))
            .find_map(|preference| {
                let (key, value) = preference.split_once('=').unwrap_or((preference, ""));
                let key = key.trim();
                let key = key.strip_prefix("odata.").unwrap_or(key);
                key.eq_ignore_ascii_case(name)
                    .then(|| value.trim().trim_matches('"').to_owned())
            })
    }
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    /// An answer without body.
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    /// An answer with a JSON body.
    pub(crate) fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let kind = "application/json; odata.metadata=minimal".to_owned();
        Self {
            status,
            headers: vec![("Content-Type", kind)],
            body: body.into(),
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A request that is refused.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub status: u16,
    pub body: ErrorBody,
    pub headers: Vec<(&'static str, String)>,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status,
            body: ErrorBody::new(code, message),
            headers: Vec::new(),
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl From<rusqlite::Error> for Refusal {
    /// A fault of the sandbox's own: a full disk, a bug.
    fn from(error: rusqlite::Error) -> Self {
        Self::new(
            500,
            "0x80040216",
            format!("An unexpected error occurred. The sandbox's database says: {error}"),
        )
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let mut reply = Reply::json(refusal.status, refusal.body.render());
        reply.headers.extend(refusal.headers);
        reply
    }
}
