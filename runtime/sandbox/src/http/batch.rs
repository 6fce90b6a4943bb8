//! `$batch`: the same for both services, but for how many operations one may hold.
//!
//! Source: *Execute batch operations using the Web API* (Dataverse) and "Batch requests" of *Open Data Protocol*
//! (Finance & Operations).

use std::collections::HashMap;

use dwmap_odata::batch::{self, Part, Request, Response};
use dwmap_odata::url;

use super::{Call, Refusal, Reply};

/// What a batch needs of a service.
pub(crate) trait Execute {
    /// How many operations a batch may hold.
    const OPERATIONS_MAX: usize;
    /// The path of the service's root: `/api/data/v9.2/`.
    const ROOT: &'static str;

    /// One request by itself.
    fn execute(&self, call: &Call) -> Reply;
    /// All of them or none: the answers, or which failed (counted from 0) and how.
    fn execute_all(
        &self,
        calls: &[Call],
        ids: &[Option<String>],
    ) -> Result<Vec<Reply>, (usize, Reply)>;
}

/// Runs a batch. `fail` makes the operation with this number (counted from 1) fail.
pub(crate) fn run<S: Execute>(
    service: &S,
    call: &Call,
    fail: Option<usize>,
) -> Result<Reply, Refusal> {
    let malformed = |message: String| Refusal::new(400, "0x80048d19", message);
    let content_type = call.header("content-type").unwrap_or_default();
    let parts =
        batch::parse_requests(content_type, &call.body).map_err(|e| malformed(e.to_string()))?;
    let operations: usize = parts
        .iter()
        .map(|p| {
            if let Part::ChangeSet(set) = p {
                set.len()
            } else {
                1
            }
        })
        .sum();
    if operations > S::OPERATIONS_MAX {
        // Source: "Execute batch operations": a batch holds up to 1,000 requests and no other batch.
        return Err(malformed(format!(
            "The current batch message contains too many parts. Only batch messages with a maximum number of '{}' query operations and change sets are allowed.",
            S::OPERATIONS_MAX
        )));
    }
    let go_on = call
        .preference("continue-on-error")
        .is_some_and(|v| v != "false");
    let mut run = Run {
        service,
        outer: call,
        fail,
        done: 0,
    };
    let mut answers = Vec::with_capacity(parts.len());
    for part in &parts {
        let answer = run.part(part)?;
        let failed = matches!(&answer, Part::Single(response) if response.status >= 400);
        answers.push(answer);
        if failed && !go_on {
            break;
        }
    }
    let rendered = batch::render_responses(&answers);
    Ok(Reply {
        status: 200,
        headers: vec![("Content-Type", rendered.content_type)],
        body: rendered.body,
    })
}

struct Run<'a, S> {
    service: &'a S,
    outer: &'a Call,
    fail: Option<usize>,
    done: usize,
}

impl<S: Execute> Run<'_, S> {
    fn part(&mut self, part: &Part<Request>) -> Result<Part<Response>, Refusal> {
        match part {
            Part::Single(request) => {
                let reply = match self.planned_failure() {
                    Some(reply) => reply,
                    None => self.service.execute(&self.call(request)?),
                };
                Ok(Part::Single(response(reply, request.content_id.clone())))
            }
            Part::ChangeSet(requests) => self.change_set(requests),
        }
    }

    fn change_set(&mut self, requests: &[Request]) -> Result<Part<Response>, Refusal> {
        // Source: "Change sets": only operations that change data are allowed.
        if requests
            .iter()
            .any(|r| r.method.eq_ignore_ascii_case("get"))
        {
            return Err(Refusal::new(
                400,
                "0x80048d19",
                "An invalid HTTP method 'GET' was detected for a request in a change set. Requests in change sets only support the HTTP methods 'POST', 'PUT', 'DELETE', and 'PATCH'.",
            ));
        }
        let ids: Vec<_> = requests.iter().map(|r| r.content_id.clone()).collect();
        let planned = requests
            .iter()
            .map(|_| self.planned_failure())
            .collect::<Vec<_>>();
        if let Some(at) = planned.iter().position(Option::is_some)
            && let Some(reply) = planned.into_iter().flatten().next()
        {
            return Ok(Part::Single(response(reply, ids[at].clone())));
        }
        let calls = requests
            .iter()
            .map(|r| self.call(r))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(match self.service.execute_all(&calls, &ids) {
            Ok(replies) => Part::ChangeSet(
                replies
                    .into_iter()
                    .zip(ids)
                    .map(|(reply, id)| response(reply, id))
                    .collect(),
            ),
            Err((at, reply)) => Part::Single(response(reply, ids[at].clone())),
        })
    }

    fn planned_failure(&mut self) -> Option<Reply> {
        self.done += 1;
        (self.fail == Some(self.done))
            .then(|| Refusal::new(500, "0x80040216", "An unexpected error occurred.").into())
    }

    fn call(&self, request: &Request) -> Result<Call, Refusal> {
        let malformed = || {
            Refusal::new(
                400,
                "0x80048d19",
                format!("The URI '{}' is not valid.", request.url),
            )
        };
        let target = below_root(&request.url, S::ROOT).ok_or_else(malformed)?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Ok(Call {
            method: request.method.to_ascii_uppercase(),
            path: path.to_owned(),
            query: url::parse_query(query).ok_or_else(malformed)?,
            headers: request.headers.clone(),
            body: request.body.clone(),
            origin: self.outer.origin.clone(),
        })
    }
}

/// What a URL addresses below the root, be it absolute, from the host's root, or relative.
fn below_root<'a>(url: &'a str, root: &str) -> Option<&'a str> {
    let path = match url.split_once("://") {
        Some((_, rest)) => &rest[rest.find('/')?..],
        None => url,
    };
    if !path.starts_with('/') {
        return Some(path);
    }
    if path.starts_with("/$") {
        return path.strip_prefix('/');
    }
    path.strip_prefix(root)
}

fn response(reply: Reply, content_id: Option<String>) -> Response {
    let headers = reply
        .headers
        .into_iter()
        .map(|(n, v)| (n.to_owned(), v))
        .collect();
    Response {
        status: reply.status,
        headers,
        body: reply.body.into(),
        content_id,
    }
}

/// The rows that requests of a change set have made, by `Content-ID`, as URLs.
#[derive(Debug, Default)]
pub(crate) struct References(HashMap<String, String>);

impl References {
    /// Remembers what a request made.
    pub(crate) fn note(&mut self, id: Option<&str>, reply: &Reply) {
        let made = reply
            .headers
            .iter()
            .find(|(n, _)| matches!(*n, "OData-EntityId" | "Location"));
        if let (Some(id), Some((_, url))) = (id, made) {
            self.0.insert(id.to_owned(), url.clone());
        }
    }

    /// The call with `$1` at the start of its path replaced by what that request made.
    pub(crate) fn resolve(&self, call: &Call, root: &str) -> Call {
        let mut call = call.clone();
        if let Some((id, rest)) = call
            .path
            .strip_prefix('$')
            .map(|p| p.split_once('/').unwrap_or((p, "")))
            && let Some(url) = self.0.get(id).and_then(|url| below_root(url, root))
        {
            call.path = if rest.is_empty() {
                url.to_owned()
            } else {
                format!("{url}/{rest}")
            };
        }
        call
    }

    /// What `$1` in a body stands for.
    pub(crate) fn url(&self, reference: &str) -> Option<&str> {
        self.0.get(reference.strip_prefix('$')?).map(String::as_str)
    }
}
