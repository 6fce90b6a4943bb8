//! The conformance suite: what every connector must do, tried against a real system.
//!
//! A connector's tests make a [`TestBed`] (a running system, the connector to it, and a second way in) and call
//! [`conformance_tests!`](crate::conformance_tests); each test of the suite then runs with a bed of its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "the suite is test code: a panic is a failed test"
)]

mod changes;
mod describe;
mod faults;
mod fetch;
mod scan;
mod write;

use async_trait::async_trait;
use bytes::Bytes;
use dwmap_plan::{Predicate, Query, Repr, Value};

use crate::{
    Connector, Guard, Keys, Outcome, RecordKey, Row, Version, Write, WriteKind, WriteMode,
};

pub use changes::{
    a_new_cursor_sees_what_comes_after_it, an_expired_cursor_is_told, changes_can_be_read_again,
    changes_of_several_are_told_apart, deletes_are_told, every_row_is_in_the_first_read,
};
pub use describe::{
    a_changed_field_is_seen, a_living_entity_is_described, a_missing_entity_is_told,
};
pub use faults::{
    a_lost_answer_is_unknown, a_lost_request_is_unknown, a_throttled_write_is_applied,
};
pub use fetch::{fetch_finds_by_columns, fetch_finds_what_exists, many_keys_are_fetched};
pub use scan::{a_scan_can_be_narrowed, a_scan_is_whole_and_without_doubles};
pub use write::{
    a_bulk_write_has_an_outcome_for_each_row, a_create_never_overwrites, a_create_tells_its_key,
    a_delete_is_guarded, a_row_comes_back_where_it_is_wanted, a_stale_version_is_a_conflict,
    an_update_never_creates, each_row_of_a_batch_has_its_outcome,
};

/// What goes wrong with the next write request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection is cut before the write is committed.
    LostRequest,
    /// The connection is cut after the write is committed.
    LostAnswer,
    /// The system says once that it is busy, for no time at all.
    Busy,
}

/// A system under test with one entity, empty of records but for those of the suite, and a second way in, by which
/// the suite changes things behind the connector's back.
///
/// The entity has a key that record `n` can be given, and a column of texts up to 100 characters.
/// The connector must read at most [`PAGE`] rows a page.
#[async_trait]
pub trait TestBed: Send + Sync {
    /// The connector.
    fn connector(&self) -> &dyn Connector;

    /// The entity's key and text column.
    fn query(&self) -> &Query;

    /// The text column's wire name.
    fn text_column(&self) -> &str;

    /// A JSON object that makes record `n`, with this text.
    fn body(&self, n: u32, text: &str) -> Bytes;

    /// The natural key of record `n`.
    fn natural_key(&self, n: u32) -> Vec<(String, Repr, Value)>;

    /// A record key that no record has.
    fn missing_key(&self) -> RecordKey;

    /// Makes record `n` with this text.
    async fn insert(&self, n: u32, text: &str) -> RecordKey;

    /// Changes a record's text.
    async fn edit(&self, key: &RecordKey, text: &str);

    /// Deletes a record.
    async fn remove(&self, key: &RecordKey);

    /// Lets the next write request go wrong.
    async fn fault(&self, fault: Fault);

    /// Makes the system forget all cursors.
    async fn expire_cursors(&self);

    /// Changes the greatest length of the text column.
    async fn narrow_text(&self, length: u32);

    /// Takes the text column away.
    async fn drop_text(&self);
}

/// The greatest number of rows in a page under test.
pub const PAGE: usize = 10;

/// Makes a test of each rule of the suite. The argument is an expression that makes a future of a [`TestBed`].
#[macro_export]
macro_rules! conformance_tests {
    ($bed:expr) => {
        $crate::conformance_tests! { @each $bed;
            a_scan_is_whole_and_without_doubles a_scan_can_be_narrowed
            fetch_finds_what_exists fetch_finds_by_columns many_keys_are_fetched
            a_create_tells_its_key a_create_never_overwrites an_update_never_creates
            a_stale_version_is_a_conflict a_delete_is_guarded a_row_comes_back_where_it_is_wanted
            each_row_of_a_batch_has_its_outcome a_bulk_write_has_an_outcome_for_each_row
            every_row_is_in_the_first_read a_new_cursor_sees_what_comes_after_it
            changes_can_be_read_again changes_of_several_are_told_apart deletes_are_told an_expired_cursor_is_told
            a_living_entity_is_described a_missing_entity_is_told a_changed_field_is_seen
            a_lost_request_is_unknown a_lost_answer_is_unknown a_throttled_write_is_applied
        }
    };
    (@each $bed:expr; $($name:ident)*) => {
        $(#[tokio::test]
        async fn $name() {
            let bed = $bed.await;
            $crate::conformance::$name(&bed).await;
        })*
    };
}

// What the tests share.

fn text_of(bed: &dyn TestBed, row: &Row) -> String {
    let row: serde_json::Value = serde_json::from_slice(&row.json).unwrap();
    row[bed.text_column()]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// Makes records `range`, each with its number as text.
async fn fill(bed: &dyn TestBed, range: std::ops::Range<u32>) -> Vec<RecordKey> {
    let mut keys = Vec::new();
    for n in range {
        keys.push(bed.insert(n, &n.to_string()).await);
    }
    keys
}

/// A record's row as it is now.
async fn observe(bed: &dyn TestBed, key: &RecordKey) -> Option<Row> {
    let keys = Keys::Record(vec![key.clone()]);
    let rows = bed.connector().fetch(bed.query(), &keys).await.unwrap();
    assert!(rows.len() <= 1, "one key, one row: {rows:?}");
    rows.into_iter().next()
}

async fn text_now(bed: &dyn TestBed, key: &RecordKey) -> Option<String> {
    observe(bed, key).await.map(|row| text_of(bed, &row))
}

async fn version_now(bed: &dyn TestBed, key: &RecordKey) -> Version {
    let row = observe(bed, key).await.expect("the record is there");
    row.version.expect("its system has versions")
}

fn create(bed: &dyn TestBed, n: u32, text: &str) -> Write {
    Write {
        kind: WriteKind::Create {
            body: bed.body(n, text),
        },
        guard: Guard::Absent,
        natural_key: bed.natural_key(n),
        wants_row: false,
    }
}

fn update(bed: &dyn TestBed, key: &RecordKey, text: &str, guard: Guard) -> Write {
    let body = serde_json::json!({ bed.text_column(): text }).to_string();
    Write {
        kind: WriteKind::Update {
            key: key.clone(),
            body: body.into(),
        },
        guard,
        natural_key: Vec::new(),
        wants_row: false,
    }
}

fn delete(key: &RecordKey, guard: Guard) -> Write {
    Write {
        kind: WriteKind::Delete { key: key.clone() },
        guard,
        natural_key: Vec::new(),
        wants_row: false,
    }
}

async fn write(bed: &dyn TestBed, writes: &[Write], mode: WriteMode) -> Vec<Outcome> {
    let outcomes = bed.connector().write(bed.query(), writes, mode).await;
    assert_eq!(outcomes.len(), writes.len(), "an outcome for each row");
    outcomes
}

async fn write_one(bed: &dyn TestBed, write_: Write) -> Outcome {
    write(bed, &[write_], WriteMode::Live).await.remove(0)
}

/// Only the records with these texts.
fn with_texts(bed: &dyn TestBed, texts: &[&str]) -> Predicate {
    Predicate::In {
        column: bed.text_column().to_owned(),
        repr: Repr::Text,
        values: texts.iter().map(|t| Value::from(*t)).collect(),
    }
}

const fn is_applied(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Applied { .. })
}
