//! Bulk operations (*bulk-operations*): fast, all or nothing, and silent about which row was wrong.
//!
//! So a request that is refused is sent again in halves, and the last few rows one by one in a `$batch`, where each
//! has its own answer. Rows with a version to guard go that way from the start.

use std::sync::PoisonError;

use bytes::Bytes;
use dwmap_connect::{Guard, Outcome, RecordKey, Write, WriteKind};
use dwmap_odata::literal::parse_guid;
use dwmap_odata::{Literal, Url};
use dwmap_plan::{Query, Value};
use serde::Deserialize;

use super::Dataverse;
use super::write::Rows;
use crate::odata::batch::{self, Job, odata_headers};
use crate::odata::outcome;
use crate::odata::service::{Failure, refuses};
use crate::odata::transport::{Answer, Method};
use crate::odata::{Repeat, Request, Unfit};

/// Fewer rows than this aren't halved further: a `$batch` of them costs less than the halves would.
const HALVES_MIN: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    CreateMultiple,
    UpdateMultiple,
    /// One by one, in a `$batch`.
    Batch,
}

impl Way {
    fn of(write: &Write) -> Self {
        match (&write.kind, &write.guard) {
            // A key that is taken fails the request, and then its row.
            (WriteKind::Create { .. }, _) => Self::CreateMultiple,
            // A row that isn't there fails as well: neither operation does the other's work.
            (WriteKind::Update { .. }, Guard::Exists) => Self::UpdateMultiple,
            _ => Self::Batch,
        }
    }

    const fn action(self) -> &'static str {
        match self {
            Self::CreateMultiple => "Microsoft.Dynamics.CRM.CreateMultiple",
            Self::UpdateMultiple | Self::Batch => "Microsoft.Dynamics.CRM.UpdateMultiple",
        }
    }
}

pub(super) async fn write(
    dataverse: &Dataverse,
    query: &Query,
    jobs: &[Job<'_>],
    outcomes: &mut [Option<Outcome>],
) {
    for run in jobs.chunk_by(|a, b| Way::of(a.write) == Way::of(b.write)) {
        let way = Way::of(run[0].write);
        for chunk in run.chunks(dataverse.service.limits().write_batch.max(1)) {
            write_chunk(dataverse, query, way, chunk, outcomes).await;
        }
    }
}

async fn write_chunk(
    dataverse: &Dataverse,
    query: &Query,
    way: Way,
    chunk: &[Job<'_>],
    outcomes: &mut [Option<Outcome>],
) {
    // Parts that are still to be written, the next one last.
    let mut parts = vec![chunk];
    while let Some(part) = parts.pop() {
        let single = way == Way::Batch || part.len() == 1 || !dataverse.knows_bulk(query);
        let sent = if single {
            Sent::Refused
        } else {
            send(dataverse, query, way, part).await
        };
        match sent {
            Sent::Outcomes(told) => {
                for (job, outcome) in part.iter().zip(told) {
                    outcomes[job.at] = Some(outcome);
                }
            }
            Sent::Refused if !single && part.len() >= HALVES_MIN => {
                let (first, second) = part.split_at(part.len() / 2);
                parts.extend([second, first]);
            }
            Sent::Refused => {
                batch::write(&dataverse.service, &Rows, query, part, outcomes).await;
            }
        }
    }
}

enum Sent {
    /// One for each row.
    Outcomes(Vec<Outcome>),
    /// Nothing was written, because of some row.
    Refused,
}

async fn send(dataverse: &Dataverse, query: &Query, way: Way, part: &[Job<'_>]) -> Sent {
    let service = &dataverse.service;
    let Ok(body) = targets(query, part) else {
        // A row that can't be framed gets its own outcome in the batch.
        return Sent::Refused;
    };
    let url: String = Url::set(&query.address.set).segment(way.action()).into();
    let url = service.url(&url);
    let mut request = Request::with_body(Method::POST, url, "application/json", body);
    request.headers.extend(odata_headers());
    let all = |outcome: Outcome| Sent::Outcomes(vec![outcome; part.len()]);
    let unknown = |message: String| Outcome::Unknown { message };
    let answer = match service.send(&request, Repeat::Unsafe).await {
        Ok(answer) => answer,
        Err(Failure::NotSent(error)) => return all(outcome::of_error(&error)),
        Err(Failure::Lost { error, .. }) => return all(unknown(error.to_string())),
    };
    let error = || service.error("write rows in bulk", &answer);
    match answer.status {
        200..=299 => applied(way, part, &answer).unwrap_or_else(|| {
            all(unknown(
                service.nonsense("a bulk write", "no ids").to_string(),
            ))
        }),
        300..=399 | 401 | 403 | 429 => all(outcome::of_error(&error())),
        503 if refuses(&answer) => all(outcome::of_error(&error())),
        404 | 405 | 501 => {
            dataverse.learn_no_bulk(query, &answer);
            Sent::Refused
        }
        408 | 500.. => all(unknown(error().to_string())),
        _ => Sent::Refused,
    }
}

#[derive(Deserialize)]
struct Created {
    #[serde(rename = "Ids")]
    ids: Vec<String>,
}

fn applied(way: Way, part: &[Job<'_>], answer: &Answer) -> Option<Sent> {
    let done = |key: Option<RecordKey>| Outcome::Applied {
        version: None,
        key,
        row: None,
    };
    if way == Way::UpdateMultiple {
        return Some(Sent::Outcomes(vec![done(None); part.len()]));
    }
    let created: Created = serde_json::from_slice(&answer.body).ok()?;
    let keys = created
        .ids
        .iter()
        .map(|id| Some(vec![Value::Guid(parse_guid(id)?)]));
    let keys = keys.collect::<Option<Vec<_>>>()?;
    let outcomes = keys.into_iter().map(|key| done(Some(key)));
    (created.ids.len() == part.len()).then(|| Sent::Outcomes(outcomes.collect()))
}

/// `{"Targets":[{"@odata.type":"Microsoft.Dynamics.CRM.account",…},…]}`
fn targets(query: &Query, part: &[Job<'_>]) -> Result<Bytes, Unfit> {
    let mut out = Vec::with_capacity(part.len() * 512);
    out.extend_from_slice(b"{\"Targets\":[");
    for (at, job) in part.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"@odata.type\":\"Microsoft.Dynamics.CRM.");
        out.extend_from_slice(query.address.physical.as_bytes());
        out.push(b'"');
        let (key, body) = match &job.write.kind {
            WriteKind::Create { body } => (None, body),
            WriteKind::Update { key, body } => (Some(key), body),
            WriteKind::Delete { .. } => return Err(Unfit("a delete is no target".to_owned())),
        };
        if let Some(key) = key {
            push_key(&mut out, query, key)?;
        }
        push_members(&mut out, body)?;
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    Ok(out.into())
}

fn push_key(out: &mut Vec<u8>, query: &Query, key: &RecordKey) -> Result<(), Unfit> {
    let ([(column, _)], [Value::Guid(id)]) = (query.address.key.as_slice(), key.as_slice()) else {
        return Err(Unfit(format!("{key:?} is no id of {}", query.address.set)));
    };
    let id = Literal::Guid(*id);
    out.extend_from_slice(format!(",\"{column}\":\"{id}\"").as_bytes());
    Ok(())
}

/// The members of a JSON object, each after a comma.
fn push_members(out: &mut Vec<u8>, body: &[u8]) -> Result<(), Unfit> {
    let inner = body
        .trim_ascii()
        .strip_prefix(b"{")
        .and_then(|rest| rest.strip_suffix(b"}"))
        .ok_or_else(|| Unfit("a row's body is no JSON object".to_owned()))?
        .trim_ascii();
    if !inner.is_empty() {
        out.push(b',');
        out.extend_from_slice(inner);
    }
    Ok(())
}

impl Dataverse {
    fn knows_bulk(&self, query: &Query) -> bool {
        let unable = self.no_bulk.lock().unwrap_or_else(PoisonError::into_inner);
        !unable.contains(&query.address.set)
    }

    /// A 404 may also mean a look-up's target: then the row is to blame, and the table isn't.
    fn learn_no_bulk(&self, query: &Query, answer: &Answer) {
        let about_a_row = String::from_utf8_lossy(&answer.body).contains("Does Not Exist");
        if about_a_row {
            return;
        }
        tracing::debug!(
            set = query.address.set,
            "the table knows no bulk operations; writing row by row"
        );
        let mut unable = self.no_bulk.lock().unwrap_or_else(PoisonError::into_inner);
        unable.insert(query.address.set.clone());
    }
}
