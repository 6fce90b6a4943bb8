//! GET: rows and collections.
//!
//! Source: *Open Data Protocol (OData)* of the Finance & Operations documentation.

use dwmap_odata::{Resource, url::encode};
use rusqlite::Connection;
use rusqlite::types::Value;

use super::{Finops, ROOT, errors};
use crate::http::{Call, Refusal, Reply};
use crate::model::{Service, Table};
use crate::query::{Options, Query};

/// Rows a page: "Server-driven paging": at most 10,000.
const PAGE_ROWS_MAX: u64 = 10_000;

impl Finops {
    pub(super) fn get(&self, call: &Call) -> Result<Reply, Refusal> {
        if call.path.is_empty() {
            let sets: Vec<_> = self
                .model
                .served()
                .map(|t| serde_json::json!({ "name": t.set, "kind": "EntitySet", "url": t.set }))
                .collect();
            let body = serde_json::json!({ "@odata.context": format!("{}{ROOT}$metadata", call.origin), "value": sets });
            return Ok(Reply::json(200, body.to_string()));
        }
        let resource: Resource = call
            .path
            .parse()
            .map_err(|_| errors::no_such_resource(call))?;
        let (_, table) = self.table(call, &resource.set)?;
        let options = Options::parse(Service::Finops, &call.query).map_err(errors::query)?;
        self.store
            .read(|connection| match (&resource.key, &resource.rest[..]) {
                (Some(key), []) => {
                    let key = Self::key_values(call, table, key)?;
                    if !self.visible(call, table, &key) {
                        return Err(errors::no_such_row(table));
                    }
                    self.row(connection, call, table, &key, &options)
                }
                (None, []) => self.collection(connection, call, table, &options),
                (None, [count]) if count == "$count" => {
                    let count = self
                        .query(table, &options)?
                        .count(connection, i64::MAX as u64)?;
                    Ok(Reply {
                        status: 200,
                        headers: vec![("Content-Type", "text/plain".to_owned())],
                        body: count.to_string().into_bytes(),
                    })
                }
                _ => Err(errors::no_such_resource(call)),
            })
    }

    fn query<'m>(&'m self, table: &'m Table, options: &Options) -> Result<Query<'m>, Refusal> {
        let query = Query::new(&self.model, table)
            .with(options)
            .map_err(errors::query)?;
        Ok(match table.company {
            Some(at) if !options.cross_company => query.and(
                format!("{} = ?", table.columns[at].sql("t")),
                [Value::Text(self.company.clone())],
            ),
            _ => query,
        })
    }

    /// One row, also as the answer to a write.
    pub(super) fn row(
        &self,
        connection: &Connection,
        call: &Call,
        table: &Table,
        key: &[(usize, Value)],
        options: &Options,
    ) -> Result<Reply, Refusal> {
        let mut query = Query::new(&self.model, table)
            .with(options)
            .map_err(errors::query)?;
        for (at, value) in key {
            query = query.and(
                format!("{} = ?", table.columns[*at].sql("t")),
                [value.clone()],
            );
        }
        let mut rows = Vec::new();
        let page = query.rows(connection, 1, 0, &mut rows)?;
        if page.rows == 0 {
            return Err(errors::no_such_row(table));
        }
        let mut body = format!(
            "{{\"@odata.context\":\"{}{ROOT}$metadata#{}/$entity\",",
            call.origin, table.set
        )
        .into_bytes();
        body.extend_from_slice(&rows[1..]);
        Ok(Reply::json(200, body).header("ETag", format!("W/\"{}\"", page.version)))
    }

    /// Pages go on by `$skip`: rows that come or go meanwhile shift them, as in the service.
    fn collection(
        &self,
        connection: &Connection,
        call: &Call,
        table: &Table,
        options: &Options,
    ) -> Result<Reply, Refusal> {
        let query = self.query(table, options)?;
        let mut body = format!(
            "{{\"@odata.context\":\"{}{ROOT}$metadata#{}\",",
            call.origin, table.set
        )
        .into_bytes();
        if options.count {
            body.extend_from_slice(
                format!(
                    "\"@odata.count\":{},",
                    query.count(connection, i64::MAX as u64)?
                )
                .as_bytes(),
            );
        }
        body.extend_from_slice(b"\"value\":[");
        let wished = call
            .preference("maxpagesize")
            .and_then(|n| n.parse().ok())
            .filter(|n| *n > 0);
        let size = wished.map_or(PAGE_ROWS_MAX, |n: u64| n.min(PAGE_ROWS_MAX));
        let limit = options.top.map_or(size, |top| top.min(size));
        let skip = options.skip.unwrap_or_default();
        let page = if limit == 0 {
            crate::query::Page::default()
        } else {
            query
                .ordered_by_key()
                .rows(connection, limit, skip, &mut body)?
        };
        body.push(b']');
        if page.after.is_some() && options.top.is_none_or(|top| top > limit) {
            let next = next_link(
                call,
                table,
                skip + page.rows,
                options.top.map(|top| top - page.rows),
            );
            body.extend_from_slice(b",\"@odata.nextLink\":");
            crate::value::write_text(&mut body, next.as_bytes());
        }
        body.push(b'}');
        Ok(Reply::json(200, body))
    }
}

fn next_link(call: &Call, table: &Table, skip: u64, top: Option<u64>) -> String {
    let mut url = format!("{}{ROOT}{}?", call.origin, table.set);
    for (name, value) in call
        .query
        .iter()
        .filter(|(n, _)| !matches!(n.as_str(), "$skip" | "$top"))
    {
        url.extend([&encode(name), "=", &encode(value), "&"]);
    }
    url.extend(["$skip=", &skip.to_string()]);
    if let Some(top) = top {
        url.extend(["&$top=", &top.to_string()]);
    }
    url
}
