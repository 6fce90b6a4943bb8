//! Writes, framed and sent: one by itself, several as a `$batch`, each with an outcome of its own.

use dwmap_connect::{Outcome, Write};
use dwmap_odata::batch::{self, Part, Response};
use dwmap_plan::Query;

use super::{odata_headers, parts, request};
use crate::odata::outcome::{self, Words};
use crate::odata::service::{self, Failure, Repeat, Service};
use crate::odata::transport::{Answer, Method, Request};
use crate::odata::value::Unfit;

/// How a service wants its writes.
pub(crate) trait Framing: Words {
    /// The request for one row. Its URL is relative to the service's root.
    fn frame(&self, query: &Query, write: &Write) -> Result<batch::Request, Unfit>;

    /// Whether writes inside a batch must stand in change sets, and how many rows to put into one.
    fn change_set_rows(&self) -> Option<usize>;
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
    let set_rows = framing.change_set_rows();
    // What is still to be sent, the next one last: what must be sent again, in smaller pieces, is put back.
    let mut chunks: Vec<(Vec<Framed<'_>>, Option<usize>)> =
        chunks(framed, service.limits().write_batch)
            .into_iter()
            .map(|chunk| (chunk, set_rows))
            .rev()
            .collect();
    while let Some((mut chunk, set_rows)) = chunks.pop() {
        if let [(job, request)] = chunk.as_slice() {
            let outcome = send_alone(service, framing, query, job.write, request).await;
            outcomes[job.at] = Some(outcome);
            continue;
        }
        match send_batch(service, framing, query, &chunk, set_rows).await {
            Sent::Answered(answers) => {
                let mut again = Vec::new();
                for (framed, outcome) in chunk.into_iter().zip(answers) {
                    match outcome {
                        Some(outcome) => outcomes[framed.0.at] = Some(outcome),
                        None => again.push(framed),
                    }
                }
                if !again.is_empty() {
                    chunks.push((again, Some(1)));
                }
            }
            Sent::All(outcome) => {
                for (job, _) in &chunk {
                    outcomes[job.at] = Some(outcome.clone());
                }
            }
            Sent::TooMuch => {
                let second = chunk.split_off(chunk.len() / 2);
                chunks.push((second, set_rows));
                chunks.push((chunk, set_rows));
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
    /// What became of each row; none where it must be sent again, in a change set of its own: another row of its
    /// change set was refused, and nothing of the set was written.
    Answered(Vec<Option<Outcome>>),
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
    set_rows: Option<usize>,
) -> Sent {
    let (answer, whole) = match post(service, set_rows, chunk).await {
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
    let (parts, problem) = parts(&answer);
    let message = match (whole, problem) {
        (Err(error), _) => error.to_string(),
        (_, Some(problem)) => service.nonsense("a batch of writes", problem).to_string(),
        _ => "the batch ended without an answer to this row".to_owned(),
    };
    let mut parts = parts.into_iter();
    let mut outcomes = Vec::with_capacity(chunk.len());
    for group in chunk.chunks(set_rows.unwrap_or(1).max(1)) {
        let part = parts.next();
        outcomes.extend(of_group(framing, query, group, part, &message));
    }
    Sent::Answered(outcomes)
}

/// What became of the rows of one part of a batch.
fn of_group(
    framing: &dyn Framing,
    query: &Query,
    group: &[Framed<'_>],
    part: Option<Part<Response>>,
    missing: &str,
) -> Vec<Option<Outcome>> {
    let of = |(job, _): &Framed<'_>, response| outcome::of(framing, query, job.write, response);
    match part {
        Some(Part::Single(response)) if group.len() > 1 => {
            let refused =
                |outcome: &Outcome| matches!(outcome, Outcome::Rejected(_) | Outcome::Conflict);
            let each = group.iter().map(|framed| of(framed, &response));
            each.map(|outcome| Some(outcome).filter(|o| !refused(o)))
                .collect()
        }
        Some(Part::Single(response)) => group.iter().map(|f| Some(of(f, &response))).collect(),
        Some(Part::ChangeSet(responses)) if responses.len() == group.len() => {
            let pairs = group.iter().zip(&responses);
            pairs
                .map(|(framed, response)| Some(of(framed, response)))
                .collect()
        }
        _ => {
            let unknown = Outcome::Unknown {
                message: missing.to_owned(),
            };
            vec![Some(unknown); group.len()]
        }
    }
}

async fn post(
    service: &Service,
    set_rows: Option<usize>,
    chunk: &[Framed<'_>],
) -> Result<Answer, Failure> {
    let requests = chunk.iter().enumerate().map(|(at, (_, framed))| {
        let mut request = framed.clone();
        request.url = service.path(&request.url);
        (at, request)
    });
    let parts: Vec<Part<batch::Request>> = match set_rows {
        None => requests.map(|(_, request)| Part::Single(request)).collect(),
        Some(rows) => {
            // Members of a change set are told apart by their ids.
            let named: Vec<batch::Request> = requests
                .map(|(at, request)| request.content_id((at + 1).to_string()))
                .collect();
            let sets = named.chunks(rows.max(1));
            sets.map(|set| Part::ChangeSet(set.to_vec())).collect()
        }
    };
    service
        .send(&request(service, &parts), Repeat::Unsafe)
        .await
}

/// The service refused a batch before looking at its parts.
fn refused_whole(service: &Service, answer: &Answer) -> Sent {
    let error = service.error("write a batch", answer);
    match answer.status {
        401 | 403 | 429 => Sent::All(outcome::of_error(&error)),
        503 if service::refuses(answer) => Sent::All(outcome::of_error(&error)),
        408 | 500.. => Sent::All(lost(&error)),
        300..=399 => Sent::All(outcome::of_error(&error)),
        _ => Sent::TooMuch,
    }
}
