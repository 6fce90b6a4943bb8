//! Change tracking (*use-change-tracking-synchronize-data-external-systems*).
//!
//! A cursor is what remains of a next or delta link below the service's root; both are followed the same way.

use dwmap_connect::{Change, ChangePage, ConnectError, Cursor, Since};
use dwmap_odata::literal::parse_guid;
use dwmap_plan::{Query, Value};
use futures_util::future;

use super::read::{paged, select};
use crate::odata::Service;
use crate::odata::batch::{self, Read};
use crate::odata::row::{self, Entry, Rows};
use crate::odata::transport::Answer;

/// `ExpiredVersionStamp`.
const EXPIRED: &str = "0x80044352";

/// Parts of a batch are worked on one after the other: more of them than this would be late.
const FEEDS_IN_BATCH: usize = 10;

pub(super) async fn changes(
    service: &Service,
    since: Since<'_>,
) -> Result<ChangePage, ConnectError> {
    change_page(service, since.query, page(service, since).await?)
}

pub(super) async fn changes_of_each(
    service: &Service,
    since: &[Since<'_>],
) -> Vec<Result<ChangePage, ConnectError>> {
    let pages = pages(service, since).await.into_iter().zip(since);
    pages
        .map(|(page, since)| change_page(service, since.query, page?))
        .collect()
}

fn change_page(
    service: &Service,
    query: &Query,
    page: TrackedPage,
) -> Result<ChangePage, ConnectError> {
    let what = what(query);
    let changes = page
        .entries
        .into_iter()
        .map(|entry| change(service, &what, query, entry))
        .collect::<Result<_, _>>()?;
    Ok(ChangePage {
        changes,
        next: page.next,
        more: page.more,
    })
}

fn what(query: &Query) -> String {
    format!("read the changes of {}", query.address.set)
}

fn change(
    service: &Service,
    what: &str,
    query: &Query,
    entry: Entry,
) -> Result<Change, ConnectError> {
    match entry {
        Entry::Row(row) => {
            let key = row::key(&row.json, &query.address.key, &query.enums)
                .ok_or_else(|| service.nonsense(what, "a changed row without its key"))?;
            Ok(Change::Changed {
                key,
                feed_id: None,
                row: Some(row),
            })
        }
        Entry::Deleted(id) => Ok(Change::Deleted {
            key: Some(vec![deleted_id(service, what, &id)?]),
            feed_id: None,
        }),
    }
}

/// The id that a tombstone names.
pub(crate) fn deleted_id(service: &Service, what: &str, id: &str) -> Result<Value, ConnectError> {
    parse_guid(id)
        .map(Value::Guid)
        .ok_or_else(|| service.nonsense(what, format!("a deleted row with the id `{id}`")))
}

/// A page of a tracked read, not yet looked into.
pub(crate) struct TrackedPage {
    pub(crate) entries: Vec<Entry>,
    pub(crate) next: Cursor,
    pub(crate) more: bool,
}

/// Reads a page of a table's changes: its key and the columns of the query, no more, since filters are refused here.
pub(crate) async fn page(service: &Service, since: Since<'_>) -> Result<TrackedPage, ConnectError> {
    let Read { what, request } = read(service, since);
    tracked_page(service, since, service.read(&what, &request).await)
}

/// Reads a page of each table's changes, several tables in one request.
pub(crate) async fn pages(
    service: &Service,
    since: &[Since<'_>],
) -> Vec<Result<TrackedPage, ConnectError>> {
    let reads: Vec<Read> = since.iter().map(|since| read(service, *since)).collect();
    let batches = reads
        .chunks(FEEDS_IN_BATCH)
        .map(|reads| batch::read(service, reads));
    let answers = future::join_all(batches).await.into_iter().flatten();
    let pairs = answers.zip(since);
    pairs
        .map(|(answer, since)| tracked_page(service, *since, answer))
        .collect()
}

/// What a cursor leads to; without one, all rows.
fn link(since: Since<'_>) -> String {
    match since.cursor {
        Some(Cursor(link)) => link.clone(),
        None => select(since.query).into(),
    }
}

fn read(service: &Service, since: Since<'_>) -> Read {
    Read {
        what: what(since.query),
        request: paged(service, &link(since), "odata.track-changes,"),
    }
}

fn tracked_page(
    service: &Service,
    since: Since<'_>,
    answer: Result<Answer, ConnectError>,
) -> Result<TrackedPage, ConnectError> {
    let what = what(since.query);
    let answer = match answer {
        Err(error) if since.cursor.is_some() && is_expired(&error) => {
            return Err(ConnectError::CursorExpired {
                system: service.system().to_owned(),
                set: since.query.address.set.clone(),
            });
        }
        other => other?,
    };
    let rows = Rows::read(service, &what, &answer)?;
    let more = rows.next.is_some();
    // A delta link may lead to itself, when nothing has happened; a next link may not.
    let from = if more { link(since) } else { String::new() };
    let link = service.follow(&what, &from, rows.next.or(rows.delta))?;
    let next = link.ok_or_else(|| {
        service.nonsense(
            &what,
            "a last page without a delta link; switch change tracking on for the table",
        )
    })?;
    Ok(TrackedPage {
        entries: rows.entries,
        next: Cursor(next),
        more,
    })
}

/// Too old, or not understood, as after an environment was restored: the way back is the same.
fn is_expired(error: &ConnectError) -> bool {
    let ConnectError::Refused { refusal, .. } = error else {
        return false;
    };
    let message = refusal.message.to_lowercase();
    refusal.code == EXPIRED
        || refusal.code == "410"
        || message.contains("expired")
        || message.contains("delta token")
}
