//! One request over the wire, once. What it tells of a failure decides whether trying again is safe.

use std::fmt::Write;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};

use super::token::Bearer;
use crate::Limits;

pub(crate) use reqwest::Method;

/// No answer of a service is nearly as long: a page of the greatest size with wide rows takes a tenth of it.
const ANSWER_LENGTH_MAX: usize = 256 << 20;

/// A pooled client.
pub(crate) struct Transport {
    client: reqwest::Client,
}

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// An absolute URL.
    pub(crate) url: String,
    pub(crate) headers: Vec<(HeaderName, String)>,
    pub(crate) body: Bytes,
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A request without an answer.
#[derive(Debug)]
pub(crate) enum TransportError {
    /// Nothing was sent: trying again is safe.
    NotSent(String),
    /// It was sent, or part of it: the system may have acted on it.
    Lost {
        /// What went wrong.
        message: String,
        /// The answer as far as it came.
        partial: Option<Answer>,
    },
}

impl TransportError {
    pub(crate) fn message(&self) -> &str {
        match self {
            Self::NotSent(message) | Self::Lost { message, .. } => message,
        }
    }
}

impl Request {
    pub(crate) fn get(url: String) -> Self {
        Self {
            method: Method::GET,
            url,
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    pub(crate) fn with_body(
        method: Method,
        url: String,
        content_type: &str,
        body: impl Into<Bytes>,
    ) -> Self {
        Self {
            method,
            url,
            headers: vec![(reqwest::header::CONTENT_TYPE, content_type.to_owned())],
            body: body.into(),
        }
    }

    /// A form, as the token endpoint takes it.
    pub(crate) fn form(url: String, fields: &[(&str, &str)]) -> Self {
        let mut body = String::new();
        for (name, value) in fields {
            let separator = if body.is_empty() { "" } else { "&" };
            let _ = write!(body, "{separator}{name}=");
            for byte in value.bytes() {
                if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                    body.push(char::from(byte));
                } else {
                    let _ = write!(body, "%{byte:02X}");
                }
            }
        }
        let kind = "application/x-www-form-urlencoded";
        Self::with_body(Method::POST, url, kind, body)
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers
            .push((HeaderName::from_static(name), value.into()));
        self
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let value = self.header(RETRY_AFTER.as_str())?;
        dwmap_odata::retry::after(value, SystemTime::now())
    }
}

impl Transport {
    pub(crate) fn new(limits: &Limits, base: &reqwest::Url) -> Result<Self, reqwest::Error> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("dwmap/", env!("CARGO_PKG_VERSION")))
            .gzip(true)
            // A redirect leads to a login page; following it would end in HTML and might carry a body elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(limits.connect_timeout)
            .timeout(limits.request_timeout)
            .pool_max_idle_per_host(limits.concurrency);
        if base.host_str().is_some_and(is_loopback) {
            builder = builder.no_proxy();
        }
        Ok(Self {
            client: builder.build()?,
        })
    }

    pub(crate) async fn send(
        &self,
        request: &Request,
        bearer: Option<&Bearer>,
    ) -> Result<Answer, TransportError> {
        let mut builder = self
            .client
            .request(request.method.clone(), &request.url)
            .body(request.body.clone());
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if let Some(bearer) = bearer {
            let mut value = HeaderValue::from_str(bearer)
                .map_err(|_| TransportError::NotSent("the token isn't a header".to_owned()))?;
            value.set_sensitive(true);
            builder = builder.header(AUTHORIZATION, value);
        }
        let mut response = builder.send().await.map_err(|e| {
            let message = describe(&e);
            if e.is_connect() || e.is_builder() {
                TransportError::NotSent(message)
            } else {
                TransportError::Lost {
                    message,
                    partial: None,
                }
            }
        })?;
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let mut body = BytesMut::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= ANSWER_LENGTH_MAX => {
                    body.extend_from_slice(&chunk);
                }
                Ok(Some(_)) => {
                    return Err(TransportError::Lost {
                        message: format!("the answer is longer than {ANSWER_LENGTH_MAX} bytes"),
                        partial: None,
                    });
                }
                Ok(None) => {
                    return Ok(Answer {
                        status,
                        headers,
                        body: body.freeze(),
                    });
                }
                Err(e) => {
                    return Err(TransportError::Lost {
                        message: describe(&e),
                        partial: Some(Answer {
                            status,
                            headers,
                            body: body.freeze(),
                        }),
                    });
                }
            }
        }
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

/// The innermost reason: outer ones only say that a request failed, and repeat the URL.
fn describe(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut reason: &dyn std::error::Error = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    reason.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_encoded() {
        let form = Request::form("http://h".to_owned(), &[("a", "b c&d"), ("e", "~é")]);
        assert_eq!(form.body, "a=b%20c%26d&e=~%C3%A9");
    }

    #[test]
    fn loopback_addresses_are_known() {
        for host in ["localhost", "127.0.0.1", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        assert!(!is_loopback("contoso.crm4.dynamics.com"));
    }
}
