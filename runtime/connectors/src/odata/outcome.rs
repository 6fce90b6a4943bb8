//! What an answer says about the row that was written.

use dwmap_connect::{ConnectError, Outcome, RecordKey, Refusal, Version, Write, WriteKind};
use dwmap_odata::batch::Response;
use dwmap_odata::{ErrorBody, Nonsense};
use dwmap_plan::Query;

use super::row;
use super::service::refusal;
use super::transport::Answer;

/// What the services say differently.
pub(crate) trait Words: Sync {
    /// Whether a refusal means that the guard didn't hold.
    fn is_conflict(&self, write: &Write, status: u16, error: &ErrorBody) -> bool;

    /// The record key of a record that was born.
    fn born(&self, query: &Query, write: &Write, response: &Response) -> Option<RecordKey>;
}

/// What became of a row, by the answer to its own request.
pub(crate) fn of(words: &dyn Words, query: &Query, write: &Write, response: &Response) -> Outcome {
    match response.status {
        200..=299 => applied(words, query, write, response),
        // Both guards: If-Match, If-None-Match, and a key that is taken.
        412 => Outcome::Conflict,
        status => match ErrorBody::parse(&response.body) {
            Ok(error) => refused(words, write, response, status, &error),
            Err(problem) => unclear(response, status, &problem),
        },
    }
}

fn applied(words: &dyn Words, query: &Query, write: &Write, response: &Response) -> Outcome {
    let row = row::single(&response.body);
    if row.is_none() && !response.body.is_empty() && !matches!(write.kind, WriteKind::Delete { .. })
    {
        let problem = Nonsense::of(&response.body, "it is no row");
        return Outcome::Unknown {
            message: problem.to_string(),
        };
    }
    let etag = response.header_value("ETag");
    let version = etag
        .map(|v| Version(v.to_owned()))
        .or_else(|| row.as_ref().and_then(|r| r.version.clone()));
    let born = matches!(write.kind, WriteKind::Create { .. });
    Outcome::Applied {
        version,
        key: born.then(|| words.born(query, write, response)).flatten(),
        row,
    }
}

/// The service said no, in its own words.
fn refused(
    words: &dyn Words,
    write: &Write,
    response: &Response,
    status: u16,
    error: &ErrorBody,
) -> Outcome {
    if words.is_conflict(write, status, error) {
        return Outcome::Conflict;
    }
    let message = error.reason().to_owned();
    match status {
        // A token can be renewed and a role be given: the row is not to blame.
        401 | 429 | 503 => Outcome::Transient {
            after: retry_after(response),
            message,
        },
        // Finance & Operations answers what its business logic refuses with 500 as well: then there is a reason.
        500 if error.inner.is_none() => Outcome::Unknown { message },
        408 | 501..=599 => Outcome::Unknown { message },
        _ => Outcome::Rejected(Refusal {
            field: field_named(&message, body(write)),
            ..refusal(status, error)
        }),
    }
}

/// Something other than the service answered, or the service not in its own words.
fn unclear(response: &Response, status: u16, problem: &Nonsense) -> Outcome {
    let message = match problem {
        Nonsense::Empty => format!("status {status}"),
        _ => format!("status {status}: {problem}"),
    };
    match status {
        503 if retry_after(response).is_none() => Outcome::Unknown { message },
        408 | 500 | 501 | 502 | 504..=599 => Outcome::Unknown { message },
        // Whoever it was didn't let the request through.
        _ => Outcome::Transient {
            after: retry_after(response),
            message,
        },
    }
}

fn retry_after(response: &Response) -> Option<std::time::Duration> {
    let value = response.header_value("Retry-After")?;
    dwmap_odata::retry::after(value, std::time::SystemTime::now())
}

/// What a failure before any answer means for the rows of a request.
pub(crate) fn of_error(error: &ConnectError) -> Outcome {
    Outcome::Transient {
        after: error.retry_after(),
        message: error.to_string(),
    }
}

/// An answer to a request of its own, in the form of one inside a batch.
pub(crate) fn response(answer: Answer) -> Response {
    let headers = answer.headers.iter().filter_map(|(name, value)| {
        let value = value.to_str().ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    });
    Response {
        status: answer.status,
        headers: headers.collect(),
        content_id: None,
        body: answer.body,
    }
}

/// The outcomes of all rows. A row that was never reached may be tried again.
pub(crate) fn all(outcomes: Vec<Option<Outcome>>) -> Vec<Outcome> {
    let unsent = || Outcome::Transient {
        after: None,
        message: "the row wasn't sent".to_owned(),
    };
    outcomes
        .into_iter()
        .map(|o| o.unwrap_or_else(unsent))
        .collect()
}

fn body(write: &Write) -> &[u8] {
    match &write.kind {
        WriteKind::Create { body } | WriteKind::Update { body, .. } => body,
        WriteKind::Delete { .. } => &[],
    }
}

/// The written column that a message names, if it is only one. Messages name columns in quotes or bare, in any case.
fn field_named(message: &str, body: &[u8]) -> Option<String> {
    let words: Vec<String> = message
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .map(str::to_lowercase)
        .collect();
    let quoted = |name: &str| {
        let name = name.to_lowercase();
        ['\'', '"', '`']
            .iter()
            .any(|q| message.to_lowercase().contains(&format!("{q}{name}{q}")))
    };
    let names: Vec<String> = row::names(body)
        .into_iter()
        .map(|name| name.split('@').next().unwrap_or_default().to_owned())
        .filter(|name| words.contains(&name.to_lowercase()))
        .collect();
    // A column in quotes is meant; a bare word may be just a word (`name`).
    let sure: Vec<&String> = names.iter().filter(|n| quoted(n)).collect();
    match (sure.as_slice(), names.as_slice()) {
        ([one], _) => Some((*one).clone()),
        ([], [one]) => Some(one.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_is_the_written_column_that_is_named() {
        let body = br#"{"name":"x","creditlimit":1,"msdyn_vendor@odata.bind":"/v(1)"}"#;
        let cases = [
            (
                "The length of the 'name' attribute of the 'account' entity exceeded the maximum",
                Some("name"),
            ),
            (
                "The value of CreditLimit is outside the range",
                Some("creditlimit"),
            ),
            (
                "msdyn_vendor With Id = 1 Does Not Exist",
                Some("msdyn_vendor"),
            ),
            ("the name of 'creditlimit' is wrong", Some("creditlimit")),
            ("name and creditlimit disagree", None),
            ("something else is wrong", None),
        ];
        for (message, wanted) in cases {
            assert_eq!(field_named(message, body).as_deref(), wanted, "{message}");
        }
    }
}
