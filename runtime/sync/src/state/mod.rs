//! What is kept between runs: links, marks, intents, cursors, and how far a load has come.
//!
//! The state is a cache of agreement: with it gone, everything meets for the first time again and nothing is
//! written but what doesn't agree. Every [`StateStore::commit`] is one transaction; what belongs together is
//! committed together.

mod bases;
mod change;
#[cfg(test)]
mod conformance;
mod error;
#[cfg(any(test, feature = "simulation"))]
pub mod memory;
mod schema;
mod sqlite;
mod types;

use async_trait::async_trait;
use dwmap_connect::Cursor;
use dwmap_plan::Side;

pub(crate) use bases::GIVEN_UP;
pub use bases::{Base, Bases};
pub use change::{Change, Posted, RequestId};
pub use error::StateError;
pub use schema::SCHEMA;
pub use sqlite::{Checked, Compacted, Desk, Flaw, SqliteStore};
pub use types::{
    Activity, ActivityKind, Cause, ErrorReport, FeedId, Intent, IntentKind, IntentLine, Link,
    LinkSide, LinkState, LoadPhase, LoadProgress, LogCut, MapCounts, MapId, MapMode, MapStatus,
    Mark, MarkId, Missing, Retention, ScratchRow, Set, Word,
};

use crate::Moment;
use crate::key::{PairKey, RecordId};

/// Where the state lives.
#[async_trait]
pub trait StateStore: Send + Sync {
    /// The number by which a map is known here; made when it is first asked for.
    async fn map_id(&self, name: &str) -> Result<MapId, StateError>;

    /// Sets `n` sequence numbers aside and gives the first. Numbers only grow, also over restarts.
    async fn reserve_sequence(&self, n: u64) -> Result<u64, StateError>;

    /// Makes all these changes, or none.
    async fn commit(&self, changes: Vec<Change>) -> Result<(), StateError>;

    /// The links with these pair keys, in their order.
    async fn links_by_pair(
        &self,
        map: MapId,
        pairs: &[PairKey],
    ) -> Result<Vec<Option<Link>>, StateError>;

    /// The links whose record of this side has these keys, in their order.
    async fn links_by_record(
        &self,
        map: MapId,
        side: Side,
        records: &[RecordId],
    ) -> Result<Vec<Option<Link>>, StateError>;

    /// Links whose pair key begins with `prefix`, at most `limit`: first those in order, then those that rest, each from
    /// `after` on, round to the start.
    async fn neighbours(
        &self,
        map: MapId,
        prefix: &[u8],
        after: &PairKey,
        limit: usize,
    ) -> Result<Vec<Link>, StateError>;

    /// The links in the order of their pair keys, after one of them.
    async fn links_page(
        &self,
        map: MapId,
        after: Option<&PairKey>,
        limit: usize,
    ) -> Result<Vec<Link>, StateError>;

    /// Marks that may be worked on now, the oldest first.
    async fn due_marks(
        &self,
        map: MapId,
        now: Moment,
        limit: usize,
    ) -> Result<Vec<Mark>, StateError>;

    /// When the next mark that waits for a time may be worked on.
    async fn next_due(&self, map: MapId) -> Result<Option<Moment>, StateError>;

    /// The marks of these records, in their order.
    async fn marks_of(
        &self,
        map: MapId,
        side: Side,
        records: &[RecordId],
    ) -> Result<Vec<Option<Mark>>, StateError>;

    /// The marks with an error, parked or held ones among them, in their own order after one of them.
    async fn errors(
        &self,
        map: Option<MapId>,
        after: Option<&MarkId>,
        limit: usize,
    ) -> Result<Vec<Mark>, StateError>;

    /// What marks are parked on, each once, with how many wait for it: those of a set, after one of them.
    async fn missing(
        &self,
        set: &Set,
        after: Option<&Missing>,
        limit: usize,
    ) -> Result<Vec<Missing>, StateError>;

    /// The sets that something is parked on.
    async fn missing_sets(&self) -> Result<Vec<Set>, StateError>;

    /// All intents, in the order of their pair keys.
    async fn intents(&self, map: MapId) -> Result<Vec<Intent>, StateError>;

    /// How far a set's feed was read.
    async fn cursor(&self, set: &Set) -> Result<Option<Cursor>, StateError>;

    /// The record keys of the ids by which a feed names records, in their order.
    async fn known_ids(
        &self,
        set: &Set,
        ids: &[FeedId],
    ) -> Result<Vec<Option<RecordId>>, StateError>;

    /// The linked records of a map's side that the set's feed hasn't named by an id yet.
    async fn unnamed_records(
        &self,
        map: MapId,
        side: Side,
        set: &Set,
    ) -> Result<Vec<RecordId>, StateError>;

    /// The partners of records that we made on a side and whose keys nobody has told us yet.
    async fn partners_of_nameless(
        &self,
        map: MapId,
        side: Side,
    ) -> Result<Vec<RecordId>, StateError>;

    /// Where a map stands.
    async fn map_status(&self, map: MapId) -> Result<MapStatus, StateError>;

    /// What was asked of the process that works on the state, and that it hasn't taken up, in order.
    async fn requests(&self) -> Result<Vec<Posted>, StateError>;

    /// Whether neither system is written to.
    async fn readonly(&self) -> Result<bool, StateError>;

    /// How many links and marks of each kind there are.
    async fn counts(&self, map: MapId) -> Result<MapCounts, StateError>;

    /// The newest entries of the activity log, of one pair or of all.
    async fn activity(
        &self,
        map: MapId,
        pair: Option<&PairKey>,
        limit: usize,
    ) -> Result<Vec<Activity>, StateError>;

    /// How many records the log says were deleted or deactivated by us since then.
    async fn deletes_since(&self, map: MapId, since: Moment) -> Result<u64, StateError>;

    /// Drops the oldest entries of the log, at most `limit`, as far as they are to go; gives how many went.
    async fn trim_log(&self, retention: &Retention, limit: usize) -> Result<u64, StateError>;

    /// What the log no longer has; none if nothing was dropped yet.
    async fn log_cut(&self) -> Result<Option<LogCut>, StateError>;

    /// Puts rows aside, replacing those with the same pair key; where there were two of one key, says which.
    async fn scratch_put(
        &self,
        shelf: &str,
        rows: Vec<ScratchRow>,
    ) -> Result<Vec<PairKey>, StateError>;

    /// Reads rows that were put aside, in the order asked.
    async fn scratch_get(
        &self,
        shelf: &str,
        pairs: &[PairKey],
    ) -> Result<Vec<Option<ScratchRow>>, StateError>;

    /// Drops rows that were put aside.
    async fn scratch_drop(&self, shelf: &str, pairs: &[PairKey]) -> Result<(), StateError>;

    /// The rows that are still there, in the order of their pair keys after one of them.
    async fn scratch_page(
        &self,
        shelf: &str,
        after: Option<&PairKey>,
        limit: usize,
    ) -> Result<Vec<ScratchRow>, StateError>;

    /// Empties a shelf.
    async fn scratch_clear(&self, shelf: &str) -> Result<(), StateError>;
}
