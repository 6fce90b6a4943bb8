//! `$batch` as `multipart/mixed`: rendering and reading of both its directions.
//!
//! Source: *OData Version 4.01, Part 1: Protocol*, 11.7.7 "Multipart Batch Format", and *Execute batch operations using
//! the Web API* of the Dataverse documentation.

use bytes::Bytes;

use crate::multipart::{self, Headers};

// Boundaries begin with these; a number makes them differ from all that the bodies hold.
const CHANGE_SET_PREFIX: &str = "changeset_";
const BATCH_PREFIX: &str = "batch_";
// The version that messages inside a part claim.
const HTTP: &str = "HTTP/1.1";

/// One request inside a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// The URL: absolute, relative to the root (`/api/…`) or to the service (`accounts(…)`), or `$1` for what the
    /// request with that `Content-ID` made.
    pub url: String,
    /// The request's own headers (`If-Match`, `Prefer`, …). `Content-Type: application/json` is added to a body that
    /// has none.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Bytes,
    /// `Content-ID`: within a change set, others may refer to it by `$ID`.
    pub content_id: Option<String>,
}

impl Request {
    /// A request without headers, body or id.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            body: Bytes::new(),
            content_id: None,
        }
    }

    /// Adds a header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the JSON body.
    pub fn json(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets the `Content-ID`.
    pub fn content_id(mut self, id: impl Into<String>) -> Self {
        self.content_id = Some(id.into());
        self
    }

    /// A header's value, by name without case.
    pub fn header_value(&self, name: &str) -> Option<&str> {
        multipart::header(&self.headers, name)
    }
}

/// One answer inside a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The answer's own headers (`OData-EntityId`, `ETag`, …).
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Bytes,
    /// The `Content-ID` of the request that it answers, where that had one.
    pub content_id: Option<String>,
}

impl Response {
    /// An answer without headers or body.
    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
            content_id: None,
        }
    }

    /// A header's value, by name without case.
    pub fn header_value(&self, name: &str) -> Option<&str> {
        multipart::header(&self.headers, name)
    }
}

/// What stands in a batch, one after the other: single messages and atomic change sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part<T> {
    /// A message by itself.
    Single(T),
    /// Requests that succeed or fail as one, or their answers. A change set that failed is answered by one
    /// [`Part::Single`] with the error.
    ChangeSet(Vec<T>),
}

/// A body with its `Content-Type`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// `multipart/mixed; boundary=…`.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

/// A body that is no batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The content type isn't multipart or has no boundary.
    #[error(
        "`{0}` is not `multipart/mixed` with a boundary; check that the address ends in $batch"
    )]
    ContentType(String),
    /// The closing boundary is missing.
    #[error("the batch has no closing boundary `--{0}--`: it was cut short; send it again")]
    Truncated(String),
    /// A part isn't an HTTP message.
    #[error("part {index} of the batch is malformed: {problem}")]
    Part {
        /// Which, counted from 1.
        index: usize,
        /// What is wrong.
        problem: &'static str,
    },
}

/// Renders a batch of requests; the boundaries are chosen so that no body contains them.
pub fn render_requests(parts: &[Part<Request>]) -> Rendered {
    render(parts, |out, request, in_change_set| {
        push_part_head(out, request.content_id.as_deref().filter(|_| in_change_set));
        push_line(out, &[&request.method, " ", &request.url, " ", HTTP]);
        multipart::push_headers(out, &request.headers);
        push_body(out, &request.headers, &request.body);
    })
}

/// Renders the answers to a batch.
pub fn render_responses(parts: &[Part<Response>]) -> Rendered {
    render(parts, |out, response, _| {
        push_part_head(out, response.content_id.as_deref());
        push_line(
            out,
            &[
                HTTP,
                " ",
                &response.status.to_string(),
                " ",
                phrase(response.status),
            ],
        );
        multipart::push_headers(out, &response.headers);
        push_body(out, &response.headers, &response.body);
    })
}

/// Reads a batch of requests, given its `Content-Type`.
pub fn parse_requests(content_type: &str, body: &Bytes) -> Result<Vec<Part<Request>>, BatchError> {
    parse(content_type, body, &|head, outer, headers, body| {
        let mut words = head.split_ascii_whitespace();
        let (method, url, version) = (words.next()?, words.next()?, words.next());
        if words.next().is_some() || version.is_some_and(|v| !v.starts_with("HTTP/")) {
            return None;
        }
        Some(Request {
            method: method.to_owned(),
            url: url.to_owned(),
            content_id: content_id(outer, &headers),
            headers,
            body,
        })
    })
}

/// Reads the answers to a batch, given their `Content-Type`.
///
/// ```
/// use dwmap_odata::batch::{self, Part, Response};
/// let rendered = batch::render_responses(&[Part::Single(Response::new(204))]);
/// let back = batch::parse_responses(&rendered.content_type, &rendered.body.into()).unwrap();
/// assert_eq!(back, [Part::Single(Response::new(204))]);
/// ```
pub fn parse_responses(
    content_type: &str,
    body: &Bytes,
) -> Result<Vec<Part<Response>>, BatchError> {
    parse(content_type, body, &|head, outer, headers, body| {
        let mut words = head.split_ascii_whitespace();
        if !words.next()?.starts_with("HTTP/") {
            return None;
        }
        let status = words.next()?.parse().ok()?;
        Some(Response {
            status,
            content_id: content_id(outer, &headers),
            headers,
            body,
        })
    })
}

fn content_id(outer: &Headers, inner: &Headers) -> Option<String> {
    multipart::header(outer, "Content-ID")
        .or_else(|| multipart::header(inner, "Content-ID"))
        .map(str::to_owned)
}

/// What all messages have in common.
trait Message {
    fn body(&self) -> &[u8];
}

impl Message for Request {
    fn body(&self) -> &[u8] {
        &self.body
    }
}

impl Message for Response {
    fn body(&self) -> &[u8] {
        &self.body
    }
}

fn render<T: Message>(parts: &[Part<T>], push: impl Fn(&mut Vec<u8>, &T, bool)) -> Rendered {
    let messages = parts.iter().flat_map(|part| match part {
        Part::Single(message) => std::slice::from_ref(message),
        Part::ChangeSet(messages) => messages,
    });
    let bodies = messages.map(Message::body);
    let batch = multipart::free_boundary(BATCH_PREFIX, bodies.clone());
    let set = multipart::free_boundary(CHANGE_SET_PREFIX, bodies.clone());
    let mut body = Vec::with_capacity(bodies.map(|b| b.len() + 256).sum());
    for part in parts {
        push_line(&mut body, &["--", &batch]);
        match part {
            Part::Single(message) => push(&mut body, message, false),
            Part::ChangeSet(messages) => {
                push_line(
                    &mut body,
                    &["Content-Type: multipart/mixed; boundary=", &set],
                );
                push_line(&mut body, &[]);
                for message in messages {
                    push_line(&mut body, &["--", &set]);
                    push(&mut body, message, true);
                }
                push_line(&mut body, &["--", &set, "--"]);
            }
        }
    }
    push_line(&mut body, &["--", &batch, "--"]);
    Rendered {
        content_type: format!("multipart/mixed; boundary={batch}"),
        body,
    }
}

fn push_line(out: &mut Vec<u8>, pieces: &[&str]) {
    for piece in pieces {
        out.extend_from_slice(piece.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

fn push_part_head(out: &mut Vec<u8>, content_id: Option<&str>) {
    push_line(out, &["Content-Type: application/http"]);
    push_line(out, &["Content-Transfer-Encoding: binary"]);
    if let Some(id) = content_id {
        multipart::push_headers(out, &[("Content-ID".to_owned(), id.to_owned())]);
    }
    push_line(out, &[]);
}

fn push_body(out: &mut Vec<u8>, headers: &Headers, body: &[u8]) {
    if !body.is_empty() && multipart::header(headers, "Content-Type").is_none() {
        push_line(out, &["Content-Type: application/json"]);
    }
    push_line(out, &[]);
    out.extend_from_slice(body);
    push_line(out, &[]);
}

type ReadMessage<'a, T> = &'a dyn Fn(&str, &Headers, Headers, Bytes) -> Option<T>;

fn parse<T>(
    content_type: &str,
    body: &Bytes,
    read: ReadMessage<'_, T>,
) -> Result<Vec<Part<T>>, BatchError> {
    let parts = split(content_type, body)?;
    let mut out = Vec::with_capacity(parts.len());
    for (at, part) in parts.iter().enumerate() {
        let malformed = |problem| BatchError::Part {
            index: at + 1,
            problem,
        };
        let (outer, inner) =
            multipart::headers(part).ok_or_else(|| malformed("a line of its head is no header"))?;
        let kind = multipart::header(&outer, "Content-Type").unwrap_or_default();
        if multipart::boundary_of(kind).is_none() {
            let message = message(&outer, &inner, read).map_err(malformed)?;
            out.push(Part::Single(message));
            continue;
        }
        let mut messages = Vec::new();
        for member in split(kind, &inner)? {
            let (outer, inner) = multipart::headers(&member)
                .ok_or_else(|| malformed("a line of its head is no header"))?;
            messages.push(message(&outer, &inner, read).map_err(malformed)?);
        }
        out.push(Part::ChangeSet(messages));
    }
    Ok(out)
}

fn split(content_type: &str, body: &Bytes) -> Result<Vec<Bytes>, BatchError> {
    let boundary = multipart::boundary_of(content_type)
        .ok_or_else(|| BatchError::ContentType(content_type.to_owned()))?;
    multipart::split(body, boundary).ok_or_else(|| BatchError::Truncated(boundary.to_owned()))
}

fn message<T>(outer: &Headers, text: &Bytes, read: ReadMessage<'_, T>) -> Result<T, &'static str> {
    let (head, rest) = multipart::line(text);
    let (headers, body) =
        multipart::headers(&rest).ok_or("a header line of its message has no colon")?;
    let head = std::str::from_utf8(&head).map_err(|_| "its first line is not text")?;
    // The line break that ends a body belongs to the multipart frame, and some writers add one more.
    let body = match body.as_ref() {
        b"\r\n" | b"\n" => Bytes::new(),
        all => body.slice(..all.strip_suffix(b"\r\n").unwrap_or(all).len()),
    };
    read(head, outer, headers, body).ok_or("its first line is no request or status line")
}

/// The reason phrase of the status codes that the services use.
fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        412 => "Precondition Failed",
        413 => "Payload Too Large",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "",
    }
}

#[cfg(test)]
mod tests;
