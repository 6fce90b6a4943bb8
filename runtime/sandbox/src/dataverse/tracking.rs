//! Change tracking.
//!
//! Source: *Use change tracking to synchronize data with external systems*. A token is the version up to which a
//! client has seen everything, and when it was given out: `919042!08/22/2017 08:10:44`.

use std::time::Duration;

use dwmap_odata::time;
use rusqlite::Connection;
use rusqlite::types::Value;

use super::read::{annotated, applied, envelope, link, page_size, push_link, push_option};
use super::{Dataverse, ROOT, errors};
use crate::clock;
use crate::http::{Call, Refusal, Reply};
use crate::model::{Source, Table};
use crate::query::{Cell, Options, Query, Token};
use crate::store;
use crate::value;

/// Where the version is kept below which tokens no longer hold.
const EXPIRED_BELOW: &str = "delta_tokens_expired_below";

/// Which part of a delta a page is of.
const ROWS: u8 = 0;
const TOMBSTONES: u8 = 1;

/// The versions that a page of a delta looks at, and how many rows it may still hold.
struct Window {
    since: i64,
    until: i64,
    limit: u64,
}

impl Dataverse {
    /// A tracked read: all rows and then a delta link, or what has changed since one.
    pub(super) fn changes_since(
        &self,
        connection: &Connection,
        call: &Call,
        table: &Table,
        options: &Options,
    ) -> Result<Reply, Refusal> {
        if !table.tracked {
            return Err(errors::not_tracked(table));
        }
        let refused = [
            ("$filter", options.filter.is_some()),
            ("$orderby", !options.order.is_empty()),
            ("$expand", !options.expand.is_empty()),
            ("$top", options.top.is_some()),
        ];
        if let Some((option, _)) = refused.iter().find(|(_, given)| *given) {
            return Err(errors::not_when_tracking(option));
        }
        let page = match &options.skip_token {
            Some(token) => Token::parse(token).ok_or_else(errors::malformed_token)?,
            None => Token {
                tracked: Some(store::version(connection)?),
                ..Token::default()
            },
        };
        match &options.delta_token {
            Some(token) => {
                let since = self.since(connection, table, token)?;
                self.delta(connection, call, table, options, since, page)
            }
            None => self.all(connection, call, table, options, page),
        }
    }

    fn all(
        &self,
        connection: &Connection,
        call: &Call,
        table: &Table,
        options: &Options,
        page: Token,
    ) -> Result<Reply, Refusal> {
        let query = self
            .tracked_query(call, table, options)?
            .ordered_by_key()
            .after(page.after);
        let mut body = envelope(call, table);
        body.extend_from_slice(b"\"value\":[");
        let read = query.rows(connection, page_size(call), 0, &mut body)?;
        body.push(b']');
        match read.after {
            Some(after) => {
                let next = Token {
                    after,
                    tracked: page.tracked,
                    stage: ROWS,
                };
                push_link(
                    &mut body,
                    "nextLink",
                    &link(call, table, "$skiptoken", &next.render()),
                );
            }
            None => push_link(
                &mut body,
                "deltaLink",
                &delta_link(call, table, page.tracked.unwrap_or_default()),
            ),
        }
        body.push(b'}');
        Ok(tracked(call, body))
    }

    /// New and changed rows by version, then deleted ones.
    fn delta(
        &self,
        connection: &Connection,
        call: &Call,
        table: &Table,
        options: &Options,
        since: i64,
        page: Token,
    ) -> Result<Reply, Refusal> {
        let until = page.tracked.unwrap_or_default();
        let mut left = page_size(call);
        let mut body = envelope(call, table);
        body.truncate(body.len() - 2);
        body.extend_from_slice(b"/$delta\",\"value\":[");
        let mut after = Vec::new();
        let mut more = None;
        if page.stage == ROWS {
            let query = self
                .tracked_query(call, table, options)?
                .ordered_by_version()
                .and(
                    "t.\"@version\" > ? AND t.\"@version\" <= ?",
                    [Value::Integer(since), Value::Integer(until)],
                )
                .after(page.after.clone());
            let read = query.rows(connection, left, 0, &mut body)?;
            left -= read.rows;
            more = read.after.map(|after| Token {
                after,
                tracked: Some(until),
                stage: ROWS,
            });
        } else {
            after = page.after;
        }
        if more.is_none() {
            let window = Window {
                since,
                until,
                limit: left,
            };
            more = self.tombstones(connection, call, table, &window, &after, &mut body)?;
        }
        body.push(b']');
        match more {
            Some(next) => {
                let mut url = link(call, table, "$skiptoken", &next.render());
                if let Some(delta) = &options.delta_token {
                    url.push('&');
                    push_option(&mut url, "$deltatoken", delta);
                }
                push_link(&mut body, "nextLink", &url);
            }
            None => push_link(&mut body, "deltaLink", &delta_link(call, table, until)),
        }
        body.push(b'}');
        Ok(tracked(call, body))
    }

    fn tracked_query<'m>(
        &'m self,
        call: &Call,
        table: &'m Table,
        options: &Options,
    ) -> Result<Query<'m>, Refusal> {
        Ok(Query::new(&self.model, table)
            .with(options)
            .map_err(errors::query)?
            .with_key()
            .annotated(annotated(call)))
    }

    /// Writes deleted rows; gives the token of the next page if there are more.
    fn tombstones(
        &self,
        connection: &Connection,
        call: &Call,
        table: &Table,
        window: &Window,
        after: &[Cell],
        body: &mut Vec<u8>,
    ) -> Result<Option<Token>, Refusal> {
        let Window {
            since,
            until,
            limit,
        } = *window;
        let from = match after.first() {
            Some(Cell::Int(version)) => (*version).max(since),
            _ => since,
        };
        let mut statement = connection.prepare_cached(
            "SELECT id, version FROM tombstones WHERE entity = ?1 AND version > ?2 AND version <= ?3 ORDER BY version LIMIT ?4",
        )?;
        let mut rows = statement.query((self.tracked_name(table), from, until, limit + 1))?;
        let mut written = 0;
        let mut last = from;
        while let Some(row) = rows.next()? {
            if written == limit {
                return Ok(Some(Token {
                    after: vec![Cell::Int(last)],
                    tracked: Some(until),
                    stage: TOMBSTONES,
                }));
            }
            written += 1;
            last = row.get(1)?;
            let id: [u8; 16] = row.get(0)?;
            if !body.ends_with(b"[") {
                body.push(b',');
            }
            let entry = format!(
                "{{\"@odata.context\":\"{}{ROOT}$metadata#{}/$deletedEntity\",\"id\":\"{}\",\"reason\":\"deleted\"}}",
                call.origin,
                table.set,
                value::guid_text(&id),
            );
            body.extend_from_slice(entry.as_bytes());
        }
        Ok(None)
    }

    /// The name under which the tombstones of a table stand: those of a virtual table under the ERP's.
    fn tracked_name<'m>(&'m self, table: &'m Table) -> &'m str {
        match table.source {
            Source::Own => &table.logical,
            Source::Virtual(at) => &self.erp.model.tables[at].logical,
        }
    }

    /// The version of a token that still holds.
    fn since(&self, connection: &Connection, table: &Table, token: &str) -> Result<i64, Refusal> {
        let (version, given) = token.split_once('!').ok_or_else(errors::malformed_token)?;
        let version: i64 = version.parse().map_err(|_| errors::malformed_token())?;
        let given = parse_stamp(given).ok_or_else(errors::malformed_token)?;
        let life = match table.source {
            Source::Own => self.token_life.0,
            Source::Virtual(_) => self.token_life.1,
        };
        let age = Duration::from_micros(u64::try_from(clock::now_micros() - given).unwrap_or(0));
        let expired_below =
            store::setting(connection, EXPIRED_BELOW)?.and_then(|v| v.parse::<i64>().ok());
        if age > life || expired_below.is_some_and(|below| version < below) {
            return Err(errors::expired_token());
        }
        Ok(version)
    }

    /// Lets all delta tokens that are out expire.
    pub(super) fn expire_delta_tokens(&self) -> Result<(), Refusal> {
        for store in [&self.store, &*self.erp.store] {
            store.write(|writing| {
                let version = writing.next_version();
                store::set_setting(&writing.tx, EXPIRED_BELOW, &version.to_string())?;
                Ok::<_, Refusal>(())
            })?;
        }
        Ok(())
    }
}

fn tracked(call: &Call, body: Vec<u8>) -> Reply {
    applied(call, Reply::json(200, body)).header("Preference-Applied", "odata.track-changes")
}

fn delta_link(call: &Call, table: &Table, version: i64) -> String {
    link(
        call,
        table,
        "$deltatoken",
        &format!("{version}!{}", stamp(clock::now_micros())),
    )
}

/// `08/22/2017 08:10:44`.
fn stamp(micros: i64) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = time::write_datetime(&mut text, micros - micros.rem_euclid(1_000_000));
    format!(
        "{}/{}/{} {}",
        &text[5..7],
        &text[8..10],
        &text[..4],
        &text[11..19]
    )
}

fn parse_stamp(text: &str) -> Option<i64> {
    let (date, clock) = text.split_once(' ')?;
    let mut parts = date.split('/');
    let (month, day, year) = (parts.next()?, parts.next()?, parts.next()?);
    time::parse_datetime(&format!("{year}-{month}-{day}T{clock}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_round_trip() {
        assert_eq!(stamp(1_503_389_444_000_000), "08/22/2017 08:10:44");
        assert_eq!(
            parse_stamp("08/22/2017 08:10:44"),
            Some(1_503_389_444_000_000)
        );
        assert_eq!(parse_stamp("nonsense"), None);
    }
}
