//! GET: rows, collections, counts.
//!
//! Source: *Query data using the Web API* and *Retrieve a table row*.

use dwmap_odata::url::encode;
use rusqlite::Connection;

use super::{COUNT_MAX, Dataverse, PAGE_ROWS_MAX, ROOT, bind, errors, metadata};
use crate::http::{Call, Refusal, Reply};
use crate::model::{Service, Table};
use crate::query::{Options, Query, Token};

impl Dataverse {
    pub(super) fn get(&self, call: &Call) -> Result<Reply, Refusal> {
        if call.path.is_empty() {
            return Ok(self.service_document(call));
        }
        if call.path.trim_end_matches("()") == "WhoAmI" {
            let id = "00000000-0000-0000-0000-000000000001";
            let body = format!(
                "{{\"@odata.context\":\"{}{ROOT}$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse\",\"BusinessUnitId\":\"{id}\",\"UserId\":\"{id}\",\"OrganizationId\":\"{id}\"}}",
                call.origin
            );
            return Ok(Reply::json(200, body));
        }
        let resource = Self::resource(call)?;
        if resource.set == metadata::DEFINITIONS {
            return self.definitions(call, &resource);
        }
        let table = self.table(&resource.set)?;
        let options = Options::parse(Service::Dataverse, &call.query).map_err(errors::query)?;
        if options.skip.is_some() {
            return Err(errors::no_skip());
        }
        self.store_of(table)
            .read(|connection| match (&resource.key, &resource.rest[..]) {
                (Some(key), []) => {
                    let key = bind::key_values(table, key)?;
                    self.row(connection, call, table, &key, &options)
                }
                (None, []) if tracking_wanted(call, &options) => {
                    self.changes_since(connection, call, table, &options)
                }
                (None, []) => self.collection(connection, call, table, &options),
                (None, [count]) if count == "$count" => {
                    let query = Query::new(&self.model, table)
                        .with(&options)
                        .map_err(errors::query)?;
                    let count = query.count(connection, COUNT_MAX)?;
                    Ok(Reply {
                        status: 200,
                        headers: vec![("Content-Type", "text/plain".to_owned())],
                        body: count.to_string().into_bytes(),
                    })
                }
                (_, [segment, ..]) => Err(errors::no_such_set(segment)),
            })
    }

    fn service_document(&self, call: &Call) -> Reply {
        let sets: Vec<_> = self
            .model
            .served()
            .map(|t| serde_json::json!({ "name": t.set, "kind": "EntitySet", "url": t.set }))
            .collect();
        let body = serde_json::json!({ "@odata.context": format!("{}{ROOT}$metadata", call.origin), "value": sets });
        Reply::json(200, body.to_string())
    }

    /// One row, also for the representation after a write.
    pub(super) fn row(
        &self,
        connection: &Connection,
        call: &Call,
        table: &Table,
        key: &[(usize, rusqlite::types::Value)],
        options: &Options,
    ) -> Result<Reply, Refusal> {
        let mut query = Query::new(&self.model, table)
            .with(options)
            .map_err(errors::query)?
            .with_key()
            .annotated(annotated(call));
        for (at, value) in key {
            query = query.and(
                format!("{} = ?", table.columns[*at].sql("t")),
                [value.clone()],
            );
        }
        let mut rows = Vec::new();
        let page = query.rows(connection, 1, 0, &mut rows)?;
        if page.rows == 0 {
            return Err(bind::missing(table, key));
        }
        let etag = format!("W/\"{}\"", page.version);
        if call.method == "GET" && call.header("if-none-match") == Some(&etag) {
            // Source: *Perform conditional operations*, "Conditional retrievals".
            return Ok(Reply::empty(304).header("ETag", etag));
        }
        let mut body = format!(
            "{{\"@odata.context\":\"{}{ROOT}$metadata#{}/$entity\",",
            call.origin, table.set
        )
        .into_bytes();
        body.extend_from_slice(&rows[1..]);
        Ok(Reply::json(200, body).header("ETag", etag))
    }

    fn collection(
        &self,
        connection: &Connection,
        call: &Call,
        table: &Table,
        options: &Options,
    ) -> Result<Reply, Refusal> {
        let query = Query::new(&self.model, table)
            .with(options)
            .map_err(errors::query)?
            .with_key()
            .annotated(annotated(call));
        let count = if options.count {
            Some(query.count(connection, COUNT_MAX)?)
        } else {
            None
        };
        let mut query = query.ordered_by_key();
        if let Some(token) = &options.skip_token {
            let token = Token::parse(token).ok_or_else(errors::malformed_token)?;
            query = query.after(token.after);
        }
        let size = page_size(call);
        let limit = options.top.map_or(size, |top| top.min(size));
        let mut body = envelope(call, table);
        if let Some(count) = count {
            body.extend_from_slice(format!("\"@odata.count\":{count},").as_bytes());
        }
        body.extend_from_slice(b"\"value\":[");
        let page = if limit == 0 {
            crate::query::Page::default()
        } else {
            query.rows(connection, limit, 0, &mut body)?
        };
        body.push(b']');
        // A read that `$top` ends has no further page.
        if let Some(after) = page.after
            && options.top.is_none_or(|top| top > limit)
        {
            let token = Token {
                after,
                ..Token::default()
            };
            push_link(
                &mut body,
                "nextLink",
                &link(call, table, "$skiptoken", &token.render()),
            );
        }
        body.push(b'}');
        Ok(applied(call, Reply::json(200, body)))
    }
}

fn tracking_wanted(call: &Call, options: &Options) -> bool {
    let tracked = |token: &String| Token::parse(token).is_some_and(|t| t.tracked.is_some());
    call.preference("track-changes").is_some()
        || options.delta_token.is_some()
        || options.skip_token.as_ref().is_some_and(tracked)
}

pub(super) fn annotated(call: &Call) -> bool {
    call.preference("include-annotations").is_some()
}

/// The rows of a page: the client's wish, within the service's limit.
pub(super) fn page_size(call: &Call) -> u64 {
    call.preference("maxpagesize")
        .and_then(|n| n.parse().ok())
        .filter(|n| *n > 0)
        .map_or(PAGE_ROWS_MAX, |n: u64| n.min(PAGE_ROWS_MAX))
}

pub(super) fn envelope(call: &Call, table: &Table) -> Vec<u8> {
    format!(
        "{{\"@odata.context\":\"{}{ROOT}$metadata#{}\",",
        call.origin, table.set
    )
    .into_bytes()
}

pub(super) fn push_link(body: &mut Vec<u8>, name: &str, link: &str) {
    body.extend_from_slice(format!(",\"@odata.{name}\":").as_bytes());
    crate::value::write_text(body, link.as_bytes());
}

/// The request's own URL with another token.
pub(super) fn link(call: &Call, table: &Table, token: &str, value: &str) -> String {
    let mut url = format!("{}{ROOT}{}?", call.origin, table.set);
    for (name, value) in call
        .query
        .iter()
        .filter(|(n, _)| !matches!(n.as_str(), "$skiptoken" | "$deltatoken"))
    {
        push_option(&mut url, name, value);
        url.push('&');
    }
    push_option(&mut url, token, value);
    url
}

/// Adds `name=value`, encoded.
pub(super) fn push_option(url: &mut String, name: &str, value: &str) {
    url.push_str(&encode(name));
    url.push('=');
    url.push_str(&encode(value));
}

/// Says which preferences were honoured.
pub(super) fn applied(call: &Call, reply: Reply) -> Reply {
    match call.preference("maxpagesize") {
        Some(size) => reply.header("Preference-Applied", format!("odata.maxpagesize={size}")),
        None => reply,
    }
}
