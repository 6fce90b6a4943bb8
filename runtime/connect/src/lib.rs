//! What the runtime asks of a system: one [`Connector`] with its [`Abilities`], and an outcome for every row.
//!
//! Invariants:
//! - A connector never sees a map. It gets projections, filters and encoded fragments, and frames them for its system.
//! - Every row of a write gets an [`Outcome`] of its own, also where the system answers for a whole request only.
//! - A connector never retries what might have been applied: it says [`Outcome::Unknown`] and leaves the rest to the runtime.
//! - Nothing here waits forever: every call ends by the connector's time-outs.

#[cfg(feature = "conformance")]
pub mod conformance;
mod live;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use dwmap_plan::{Predicate, Query, Repr, Value};

pub use live::{LiveEntity, LiveField, LiveKind, LiveOption};

/// The values of a key, in the order of the query's [`dwmap_plan::Address::key`].
pub type RecordKey = Vec<Value>;

/// A row's version (an ETag): opaque, only equality means something.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Version(pub String);

/// Where a change feed was read up to: opaque, kept by the runtime, understood by the connector alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cursor(pub String);

/// Where a scan goes on: opaque, as [`Cursor`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageToken(pub String);

/// A row as its system sent it: a JSON object's bytes, with its version beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The JSON object, in a buffer that is shared by a page.
    pub json: Bytes,
    /// The version, where the system has such.
    pub version: Option<Version>,
}

/// A page of a scan.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The rows.
    pub rows: Vec<Row>,
    /// How to go on; none at the end.
    pub next: Option<PageToken>,
}

/// A change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A record was made or changed. `row` has the columns of the query where the feed carries them.
    Changed {
        /// The record key, if the feed tells it in full; else the row's columns hold it.
        key: RecordKey,
        /// The id by which this feed names the record when it is deleted, if that isn't the key.
        feed_id: Option<Value>,
        /// The row, where the feed carries rows of the same system and form as `fetch`.
        row: Option<Row>,
    },
    /// A record was deleted.
    Deleted {
        /// The record key, if the feed tells it; else only `feed_id` is known.
        key: Option<RecordKey>,
        /// The id by which this feed names the record.
        feed_id: Option<Value>,
    },
}

/// A page of changes. `next` is to be committed together with the marks that follow from the page.
#[derive(Debug, Clone)]
pub struct ChangePage {
    /// The changes; a record may come more than once.
    pub changes: Vec<Change>,
    /// The cursor after this page.
    pub next: Cursor,
    /// Whether more is there at once.
    pub more: bool,
}

/// A question for the changes of one entity: the arguments of [`Connector::changes`].
#[derive(Debug, Clone, Copy)]
pub struct Since<'a> {
    /// Of which entity, and which of its columns.
    pub query: &'a Query,
    /// Since when.
    pub cursor: Option<&'a Cursor>,
}

/// How a fetch addresses rows.
#[derive(Debug, Clone)]
pub enum Keys {
    /// By the record key.
    Record(Vec<RecordKey>),
    /// By other columns: wire names with their forms, and for each row wanted the values.
    Columns {
        /// The columns.
        columns: Vec<(String, Repr)>,
        /// The values, each as long as `columns`; none of them null.
        values: Vec<Vec<Value>>,
    },
}

/// What must hold of the record for a write to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    /// It doesn't exist yet (`If-None-Match: *`, POST).
    Absent,
    /// It exists (`If-Match: *`): an update must never create.
    Exists,
    /// It has this version (`If-Match`).
    Version(Version),
}

/// What is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteKind {
    /// A record is born: `body` has all its columns, the key's among them.
    Create {
        /// A JSON object.
        body: Bytes,
    },
    /// Columns of a record change.
    Update {
        /// Which record.
        key: RecordKey,
        /// A JSON object with the changed columns.
        body: Bytes,
    },
    /// A record goes.
    Delete {
        /// Which record.
        key: RecordKey,
    },
}

/// A write of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// What is written.
    pub kind: WriteKind,
    /// What must hold.
    pub guard: Guard,
    /// For a record that is born: its natural key, as wire names, forms and values, by which a system that
    /// addresses by key may be asked, and an unknown outcome settled.
    pub natural_key: Vec<(String, Repr, Value)>,
    /// The row should come back with the answer.
    pub wants_row: bool,
}

/// How writes are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteMode {
    /// Few rows, low latency, every guard honoured.
    Live,
    /// Many rows: the system's bulk operations where every row's guard allows it.
    Bulk,
}

/// What became of one row of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was applied.
    Applied {
        /// The version that it made, where the system tells.
        version: Option<Version>,
        /// The record key of a record that was born, where the system tells.
        key: Option<RecordKey>,
        /// The row as it is stored, where the system tells. It is an observation like any other.
        row: Option<Row>,
    },
    /// The guard didn't hold: the record changed, appeared, or is gone. Nothing was applied.
    Conflict,
    /// The system refused the row for good. Nothing was applied.
    Rejected(Refusal),
    /// Nothing was applied, and it may be tried again.
    Transient {
        /// Not before this time has passed, if the system says so.
        after: Option<Duration>,
        /// What the system said.
        message: String,
    },
    /// It may have been applied, or may yet be.
    Unknown {
        /// What went wrong.
        message: String,
    },
}

/// A system's refusal, in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Its code (`0x80040237`), or an HTTP status where it gave none.
    pub code: String,
    /// Its message.
    pub message: String,
    /// The wire name of the field that it names, where one can be told.
    pub field: Option<String>,
}

/// A call that failed as a whole. Writes never fail so: their rows have outcomes.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ConnectError {
    /// No answer: the address, the network or the server is down. May be tried again.
    #[error(
        "{system} can't be reached at {url}: {message}. Check the `url` of [systems.{system}], and that it runs"
    )]
    Unreachable {
        /// The system's name.
        system: String,
        /// The address tried.
        url: String,
        /// What the network said.
        message: String,
    },
    /// The credentials were refused, or lack a right.
    #[error("{system} refused the credentials: {}. Check the `auth` of [systems.{system}]", message.trim_end_matches('.'))]
    Unauthorised {
        /// The system's name.
        system: String,
        /// The system's own message.
        message: String,
    },
    /// Busy or throttled. May be tried again.
    #[error("{system} is busy: {message}")]
    Transient {
        /// The system's name.
        system: String,
        /// Not before this time has passed, if the system says so.
        after: Option<Duration>,
        /// The system's own message.
        message: String,
    },
    /// The cursor is too old: a full read compared with the bases is the way back.
    #[error("{system} no longer knows the cursor of {set}")]
    CursorExpired {
        /// The system's name.
        system: String,
        /// The entity's set.
        set: String,
    },
    /// The request was refused for good: an entity or column that isn't there, a filter not understood.
    #[error("{system} refused a request to {what}: {} ({})", .refusal.message, .refusal.code)]
    Refused {
        /// The system's name.
        system: String,
        /// What was asked.
        what: String,
        /// The system's words.
        refusal: Refusal,
    },
    /// The answer makes no sense: HTML, truncated JSON, another protocol.
    #[error(
        "{system} answered {what} with something that isn't its protocol: {message}. Check the `url` of [systems.{system}]"
    )]
    Nonsense {
        /// The system's name.
        system: String,
        /// What was asked.
        what: String,
        /// The first line of the answer, or the parser's message.
        message: String,
    },
}

impl ConnectError {
    /// Whether the same call may succeed later with nobody doing anything.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Transient { .. })
    }

    /// How long to wait at least, if the system said.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Transient { after, .. } => *after,
            _ => None,
        }
    }
}

/// What a system can do with an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// How changes are found.
    pub changes: ChangeFeed,
    /// Writes can be guarded by a version.
    pub guards_versions: bool,
    /// Business logic changes what it is sent, so that writes should ask for the row.
    pub business_logic: bool,
    /// Texts compare without case in keys.
    pub folds_keys: bool,
}

/// How changes of an entity are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeFeed {
    /// A feed with deletes.
    Tracked,
    /// None: only a sweep finds what changed.
    Sweep,
}

/// What a system allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Requests at once.
    pub concurrency: usize,
    /// Rows in one write request.
    pub write_batch: usize,
    /// Keys in one fetch.
    pub fetch_batch: usize,
    /// Rows in one page of a scan.
    pub page: usize,
    /// The longest that the service works on a request: after it, a write whose answer was lost can no longer land.
    pub execution_max: Duration,
    /// How far reads may lag behind writes.
    pub lag_max: Duration,
}

/// A system.
#[async_trait]
pub trait Connector: Send + Sync {
    /// The system's name, for messages.
    fn name(&self) -> &str;

    /// What can be done with an entity.
    fn abilities(&self, query: &Query) -> Abilities;

    /// What the system allows.
    fn budget(&self) -> Budget;

    /// A page of all rows. `extra` narrows the query further (companies, key ranges).
    async fn scan(
        &self,
        query: &Query,
        extra: Option<&Predicate>,
        from: Option<&PageToken>,
    ) -> Result<Page, ConnectError>;

    /// A page of changes since `cursor`; without one, of all rows there are (keys at least), ending in a first cursor.
    async fn changes(
        &self,
        query: &Query,
        cursor: Option<&Cursor>,
    ) -> Result<ChangePage, ConnectError>;

    /// A page of changes of each of several entities, in the order asked, in as few requests as the system allows.
    async fn changes_of_each(&self, since: &[Since<'_>]) -> Vec<Result<ChangePage, ConnectError>> {
        let mut pages = Vec::with_capacity(since.len());
        for since in since {
            pages.push(self.changes(since.query, since.cursor).await);
        }
        pages
    }

    /// The rows with these keys, in any order; those that don't exist are left out.
    async fn fetch(&self, query: &Query, keys: &Keys) -> Result<Vec<Row>, ConnectError>;

    /// Writes rows, in order, and says what became of each: as many outcomes as writes.
    async fn write(&self, query: &Query, writes: &[Write], mode: WriteMode) -> Vec<Outcome>;

    /// The entities of these queries as they live in the system now, in the order asked: `None` for one that isn't
    /// there. `None` altogether where the system can't tell.
    ///
    /// Of fields with options, those that the query names come with their members; of others it may be left out.
    async fn describe(
        &self,
        _queries: &[Query],
    ) -> Result<Option<Vec<Option<LiveEntity>>>, ConnectError> {
        Ok(None)
    }

    /// Waits until a hook says that something changed (of the sets named), or for ever where there are none.
    async fn wake(&self) -> Vec<String> {
        std::future::pending().await
    }

    /// Whether the system has been told to post hooks of its changes. As long as it hasn't, they are found by looking.
    fn tells(&self) -> bool {
        false
    }
}
