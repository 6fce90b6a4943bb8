//! Reads that are sent together.

use dwmap_connect::ConnectError;
use dwmap_odata::batch::{self, Part, Response};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::{parts, request};
use crate::odata::service::{Repeat, Service};
use crate::odata::transport::{Answer, Request};

/// Something to be read.
pub(crate) struct Read {
    /// What that is, for messages.
    pub(crate) what: String,
    /// How it is asked for.
    pub(crate) request: Request,
}

/// Reads several things in one request: what each would have got if it had been asked for alone, in that order.
pub(crate) async fn read(service: &Service, reads: &[Read]) -> Vec<Result<Answer, ConnectError>> {
    if reads.len() > 1 {
        let parts: Vec<Part<batch::Request>> = reads
            .iter()
            .map(|read| Part::Single(part(service, &read.request)))
            .collect();
        match service.send(&request(service, &parts), Repeat::Safe).await {
            Ok(answer) if (200..300).contains(&answer.status) => {
                return of_each(service, reads, &answer);
            }
            Ok(answer) => {
                let error = service.error("read a batch", &answer);
                // Who is refused for good may still ask for one thing at a time.
                if !matches!(error, ConnectError::Refused { .. }) {
                    return vec![Err(error); reads.len()];
                }
            }
            Err(failure) => return vec![Err(failure.into_error()); reads.len()],
        }
    }
    let mut answers = Vec::with_capacity(reads.len());
    for read in reads {
        answers.push(service.read(&read.what, &read.request).await);
    }
    answers
}

/// A request as part of a batch.
fn part(service: &Service, request: &Request) -> batch::Request {
    let mut part = batch::Request::new(request.method.as_str(), service.path_of(&request.url));
    for (name, value) in &request.headers {
        part = part.header(name.as_str(), value);
    }
    part
}

fn of_each(
    service: &Service,
    reads: &[Read],
    answer: &Answer,
) -> Vec<Result<Answer, ConnectError>> {
    let (parts, problem) = parts(answer);
    let problem = problem.map_or_else(
        || "the batch ended without an answer to this part".to_owned(),
        |problem| problem.to_string(),
    );
    let mut parts = parts.into_iter();
    let of = |read: &Read| match parts.next() {
        Some(Part::Single(response)) => {
            let answer = alone(response);
            match answer.status {
                200..=299 => Ok(answer),
                _ => Err(service.error(&read.what, &answer)),
            }
        }
        _ => Err(service.nonsense(&read.what, &problem)),
    };
    reads.iter().map(of).collect()
}

/// An answer inside a batch, as one by itself.
fn alone(response: Response) -> Answer {
    let mut headers = HeaderMap::new();
    for (name, value) in response.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(&value)) {
            headers.append(name, value);
        }
    }
    Answer {
        status: response.status,
        headers,
        body: response.body,
    }
}
