//! `$batch`: several reads or writes in one request, each with an answer of its own.

mod read;
mod write;

use bytes::Bytes;
use dwmap_odata::batch::{self, BatchError, Part, Response};
use reqwest::header::HeaderName;

use super::service::Service;
use super::transport::{Answer, Method, Request};

pub(crate) use read::{Read, read};
pub(crate) use write::{Framing, Job, write};

/// A batch as a request; it goes on after a part that fails.
fn request(service: &Service, parts: &[Part<batch::Request>]) -> Request {
    let rendered = batch::render_requests(parts);
    let url = service.url("$batch");
    let mut request = Request::with_body(Method::POST, url, &rendered.content_type, rendered.body);
    request.headers.extend(odata_headers());
    request.header("prefer", "odata.continue-on-error")
}

/// The headers that every request has.
pub(crate) fn odata_headers() -> Vec<(HeaderName, String)> {
    let header =
        |name: &'static str, value: &str| (HeaderName::from_static(name), value.to_owned());
    vec![
        header("accept", "application/json"),
        header("odata-version", "4.0"),
        header("odata-maxversion", "4.0"),
    ]
}

/// The parts of a batch's answer, as far as they are whole.
fn parts(answer: &Answer) -> (Vec<Part<Response>>, Option<BatchError>) {
    let kind = answer.header("content-type").unwrap_or_default();
    match batch::parse_responses(kind, &answer.body) {
        Ok(parts) => (parts, None),
        Err(BatchError::Truncated(boundary)) => {
            let parts = closed(&answer.body, &boundary)
                .and_then(|body| batch::parse_responses(kind, &body).ok())
                .unwrap_or_default();
            (parts, Some(BatchError::Truncated(boundary)))
        }
        Err(problem) => (Vec::new(), Some(problem)),
    }
}

/// A body that was cut short, closed after its last whole part.
fn closed(body: &Bytes, boundary: &str) -> Option<Bytes> {
    let delimiter = format!("--{boundary}");
    let at = body
        .windows(delimiter.len())
        .rposition(|window| window == delimiter.as_bytes())?;
    let mut whole = body[..at + delimiter.len()].to_vec();
    whole.extend_from_slice(b"--\r\n");
    Some(whole.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &[u8], content_type: &str) -> Answer {
        let mut headers = reqwest::header::HeaderMap::new();
        headers.insert("content-type", content_type.parse().unwrap());
        Answer {
            status: 200,
            headers,
            body: Bytes::copy_from_slice(body),
        }
    }

    #[test]
    fn of_a_batch_cut_short_the_whole_answers_count() {
        let statuses = [204, 412, 204].map(|s| Part::Single(Response::new(s)));
        let rendered = batch::render_responses(&statuses);
        let whole = answer(&rendered.body, &rendered.content_type);
        let (all, problem) = parts(&whole);
        assert_eq!((all.len(), problem), (3, None));

        for length in 0..rendered.body.len() {
            let cut = answer(&rendered.body[..length], &rendered.content_type);
            let (some, _) = parts(&cut);
            let told: Vec<u16> = some
                .iter()
                .map(|part| match part {
                    Part::Single(response) => response.status,
                    Part::ChangeSet(_) => 0,
                })
                .collect();
            assert!([204, 412, 204].starts_with(&told), "{length}: {told:?}");
        }
    }

    #[test]
    fn a_page_is_no_batch() {
        let (none, problem) = parts(&answer(b"<html>", "text/html"));
        assert!(none.is_empty() && problem.is_some());
    }
}
