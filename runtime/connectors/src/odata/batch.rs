//! Writes, framed and sent: one by itself, several as a `$batch`, each with an outcome of its own.

use bytes::Bytes;
use dwmap_connect::{Outcome, Write};
use dwmap_odata::batch::{self, BatchError, Part, Response};
use dwmap_plan::Query;

use super::outcome::{self, Words};
use super::service::{Failure, Repeat, Service};
use super::transport::{Answer, Method, Request};
use super::value::Unfit;

/// How a service wants its writes.
pub(crate) trait Framing: Words {
    /// The request for one row. Its URL is relative to the service's root.
    fn frame(&self, query: &Query, write: &Write) -> Result<batch::Request, Unfit>;

    /// Whether a write inside a batch stands in a change set of its own.
    fn in_change_sets(&self) -> bool;
}

/// A write with the place of its outcome.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Job<'w> {
    pub(crate) at: usize,
    pub(crate) write: &'w Write,
}

/// A request's body isn't made longer than this, for the services' front ends refuse long ones.
const BODY_LENGTH_MAX: usize = 8 << 20;

/// Writes rows in order and puts what became of each in its place.
pub(crate) async fn write(
    service: &Service,
    framing: &dyn Framing,
    query: &Query,
    jobs: &[Job<'_>],
    outcomes: &mut [Option<Outcome>],
) {
    let mut framed = Vec::with_capacity(jobs.len());
    for job in jobs {
        match framing.frame(query, job.write) {
            Ok(request) => framed.push((*job, request)),
            Err(unfit) => outcomes[job.at] = Some(Outcome::Rejected(unfit.refusal())),
        }
    }
    // Chunks that are still to be sent, the next one last: a chunk that is too long is put back as two halves.
    let mut chunks = chunks(framed, service.limits().write_batch);
    chunks.reverse();
    while let Some(mut chunk) = chunks.pop() {
        if let [(job, request)] = chunk.as_slice() {
            let outcome = send_alone(service, framing, query, job.write, request).await;
            outcomes[job.at] = Some(outcome);
            continue;
        }
        match send_batch(service, framing, query, &chunk).await {
            Sent::Answered(answers) => {
                for ((job, _), outcome) in chunk.iter().zip(answers) {
                    outcomes[job.at] = Some(outcome);
                }
            }
            Sent::All(outcome) => {
                for (job, _) in &chunk {
                    outcomes[job.at] = Some(outcome.clone());
                }
            }
            Sent::TooMuch => {
                let second = chunk.split_off(chunk.len() / 2);
                chunks.push(second);
                chunks.push(chunk);
            }
        }
    }
}

type Framed<'w> = (Job<'w>, batch::Request);

fn chunks(framed: Vec<Framed<'_>>, rows_max: usize) -> Vec<Vec<Framed<'_>>> {
    let mut chunks: Vec<Vec<Framed<'_>>> = Vec::new();
    let mut length = 0;
    for item in framed {
        let own = item.1.body.len();
        match chunks.last_mut() {
            Some(chunk) if chunk.len() < rows_max.max(1) && length + own <= BODY_LENGTH_MAX => {
                length += own;
                chunk.push(item);
            }
            _ => {
                length = own;
                chunks.push(vec![item]);
            }
        }
    }
    chunks
}

async fn send_alone(
    service: &Service,
    framing: &dyn Framing,
    query: &Query,
    write: &Write,
    framed: &batch::Request,
) -> Outcome {
    let mut request = Request {
        method: method(&framed.method),
        url: service.url(&framed.url),
        headers: odata_headers(),
        body: framed.body.clone(),
    };
    for (name, value) in &framed.headers {
        if let Ok(name) = name.parse() {
            request.headers.push((name, value.clone()));
        }
    }
    if !request.body.is_empty() {
        request = request.header("content-type", "application/json");
    }
    match service.send(&request, Repeat::Unsafe).await {
        Ok(answer) => outcome::of(framing, query, write, &outcome::response(answer)),
        Err(Failure::NotSent(error)) => outcome::of_error(&error),
        Err(Failure::Lost { error, .. }) => lost(&error),
    }
}

fn lost(error: &dwmap_connect::ConnectError) -> Outcome {
    Outcome::Unknown {
        message: error.to_string(),
    }
}

fn method(name: &str) -> Method {
    match name {
        "POST" => Method::POST,
        "PATCH" => Method::PATCH,
        "DELETE" => Method::DELETE,
        _ => Method::GET,
    }
}

/// What became of a batch.
enum Sent {
    /// Each row has its outcome.
    Answered(Vec<Outcome>),
    /// All rows have this one.
    All(Outcome),
    /// The service refused the batch as such: fewer rows may pass.
    TooMuch,
}

async fn send_batch(
    service: &Service,
    framing: &dyn Framing,
    query: &Query,
    chunk: &[Framed<'_>],
) -> Sent {
    let (answer, whole) = match post(service, framing.in_change_sets(), chunk).await {
        Ok(answer) => (answer, Ok(())),
        Err(Failure::NotSent(error)) => return Sent::All(outcome::of_error(&error)),
        Err(Failure::Lost {
            error,
            partial: Some(answer),
        }) => (answer, Err(error)),
        Err(Failure::Lost { error, .. }) => return Sent::All(lost(&error)),
    };
    if !(200..300).contains(&answer.status) {
        return refused_whole(service, &answer);
    }
    let (responses, problem) = responses(&answer);
    let message = match (whole, problem) {
        (Err(error), _) => error.to_string(),
        (_, Some(problem)) => service.nonsense("a batch of writes", problem).to_string(),
        _ => "the batch ended without an answer to this row".to_owned(),
    };
    let mut responses = responses.into_iter();
    Sent::Answered(
        chunk
            .iter()
            .map(|(job, _)| match responses.next() {
                Some(response) => outcome::of(framing, query, job.write, &response),
                None => Outcome::Unknown {
                    message: message.clone(),
                },
            })
            .collect(),
    )
}

async fn post(
    service: &Service,
    in_change_sets: bool,
    chunk: &[Framed<'_>],
) -> Result<Answer, Failure> {
    let parts: Vec<Part<batch::Request>> = chunk
        .iter()
        .enumerate()
        .map(|(at, (_, framed))| {
            let mut request = framed.clone();
            request.url = service.path(&request.url);
            if in_change_sets {
                Part::ChangeSet(vec![request.content_id((at + 1).to_string())])
            } else {
                Part::Single(request)
            }
        })
        .collect();
    service
        .send(&request(service, &parts), Repeat::Unsafe)
        .await
}

/// A batch as a request; it goes on after a part that fails.
pub(crate) fn request(service: &Service, parts: &[Part<batch::Request>]) -> Request {
    let rendered = batch::render_requests(parts);
    let url = service.url("$batch");
    let mut request = Request::with_body(Method::POST, url, &rendered.content_type, rendered.body);
    request.headers.extend(odata_headers());
    request.header("prefer", "odata.continue-on-error")
}

/// The headers that every request has.
pub(crate) fn odata_headers() -> Vec<(reqwest::header::HeaderName, String)> {
    let header = |name: &'static str, value: &str| {
        (
            reqwest::header::HeaderName::from_static(name),
            value.to_owned(),
        )
    };
    vec![
        header("accept", "application/json"),
        header("odata-version", "4.0"),
        header("odata-maxversion", "4.0"),
    ]
}

/// The service refused a batch before looking at its parts.
fn refused_whole(service: &Service, answer: &Answer) -> Sent {
    let error = service.error("write a batch", answer);
    match answer.status {
        401 | 403 | 429 => Sent::All(outcome::of_error(&error)),
        503 if super::service::refuses(answer) => Sent::All(outcome::of_error(&error)),
        408 | 500.. => Sent::All(lost(&error)),
        300..=399 => Sent::All(outcome::of_error(&error)),
        _ => Sent::TooMuch,
    }
}

/// The answers inside a batch's answer, as far as they are whole.
pub(crate) fn responses(answer: &Answer) -> (Vec<Response>, Option<BatchError>) {
    let kind = answer.header("content-type").unwrap_or_default();
    match batch::parse_responses(kind, &answer.body) {
        Ok(parts) => (flat(parts), None),
        Err(BatchError::Truncated(boundary)) => {
            let parts = closed(&answer.body, &boundary)
                .and_then(|body| batch::parse_responses(kind, &body).ok())
                .unwrap_or_default();
            (flat(parts), Some(BatchError::Truncated(boundary)))
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

/// One answer for each part: a change set here has one member.
fn flat(parts: Vec<Part<Response>>) -> Vec<Response> {
    parts
        .into_iter()
        .flat_map(|part| match part {
            Part::Single(response) => vec![response],
            Part::ChangeSet(responses) => responses,
        })
        .collect()
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
        let (all, problem) = responses(&whole);
        assert_eq!((all.len(), problem), (3, None));

        for length in 0..rendered.body.len() {
            let cut = answer(&rendered.body[..length], &rendered.content_type);
            let (some, _) = responses(&cut);
            let told: Vec<u16> = some.iter().map(|r| r.status).collect();
            assert!([204, 412, 204].starts_with(&told), "{length}: {told:?}");
        }
    }

    #[test]
    fn a_page_is_no_batch() {
        let (none, problem) = responses(&answer(b"<html>", "text/html"));
        assert!(none.is_empty() && problem.is_some());
    }
}
