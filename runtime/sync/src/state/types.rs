//! The things that are kept.

use dwmap_connect::{PageToken, Version};
use dwmap_plan::{LineId, Side, Value};
use serde::{Deserialize, Serialize};

use super::Bases;
use crate::Moment;
use crate::key::{PairKey, RecordId};

/// A map, by its number in this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MapId(pub u32);

/// An entity's set in a system.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Set {
    /// The system's name.
    pub system: String,
    /// The set's name on the wire.
    pub set: String,
}

/// An id by which a feed names a record, encoded.
pub type FeedId = Vec<u8>;

/// How two records stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkState {
    /// One record was sent to be born, and its key isn't known yet.
    AwaitingKey,
    /// In order, or marked.
    Linked,
    /// One of the two is outside its filter.
    Left,
    /// One of the two is deleted, and the other stays.
    Deleted,
}

/// One side of a link.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkSide {
    /// The record's key, if it is known.
    pub record: Option<RecordId>,
    /// The version at which every line was in order; kept only as long as that holds.
    pub version: Option<Version>,
    /// Reads sent before this moment may be older than what was last seen or written (systems with lagging reads).
    pub fresh_from: Option<Moment>,
}

/// Two records that are kept the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The map.
    pub map: MapId,
    /// The key of the pair.
    pub pair: PairKey,
    /// How it stands.
    pub state: LinkState,
    /// Both sides, left first.
    pub sides: [LinkSide; 2],
    /// What each side held when the pair was last in order.
    pub bases: Bases,
    /// The sequence number at which a base last moved.
    pub moved: u64,
}

impl Link {
    /// A link without bases.
    pub fn new(map: MapId, pair: PairKey, state: LinkState) -> Self {
        Self {
            map,
            pair,
            state,
            sides: [LinkSide::default(), LinkSide::default()],
            bases: Bases::default(),
            moved: 0,
        }
    }
}

/// What names a mark.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MarkId {
    /// The map.
    pub map: MapId,
    /// The side of the record.
    pub side: Side,
    /// The record.
    pub record: RecordId,
}

/// A record that a reference needs and that isn't there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Missing {
    /// Where it is looked for.
    pub set: Set,
    /// The map (its place in the plan) and its reference, by which it is looked for.
    pub reference: (u16, u16),
    /// The encoded values of the key.
    pub key: Vec<u8>,
}

/// Why a record is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// It changed, or may have.
    Changed,
    /// It is tried again, not before a time.
    Retry,
    /// It waits for a record that a reference needs.
    Parked,
    /// It was refused, and waits for a change or a person.
    Failed,
    /// The brake holds it.
    Held,
}

/// What a person said of a record, for the next pass over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Word {
    /// It may pass the brake.
    LetGo,
    /// That it is gone, or outside the filter, here doesn't matter there: the other record stays.
    LeaveAlone,
    /// What this side holds wins, whatever the map's policies say.
    From(Side),
    /// What differs is mended by the map's policies, though neither side changed.
    Mend,
    /// Nothing is done about it until a person says so.
    Hold,
}

impl Word {
    /// All words; the position, from 1 on, is how they are stored, so new ones go last.
    pub const ALL: [Self; 6] = [
        Self::LetGo,
        Self::LeaveAlone,
        Self::From(Side::Left),
        Self::From(Side::Right),
        Self::Mend,
        Self::Hold,
    ];

    /// Whether it still holds of a record that changed after it was said. Whose values win was said of the values that
    /// were seen.
    pub const fn outlives_change(self) -> bool {
        matches!(self, Self::LetGo | Self::LeaveAlone | Self::Hold)
    }

    /// Whether it says that an absence is a deletion.
    pub const fn says_gone(self) -> bool {
        matches!(self, Self::LetGo | Self::LeaveAlone)
    }

    /// Whether it still holds of a record that a pass came to nothing with.
    pub const fn outlives_failure(self) -> bool {
        matches!(self, Self::From(_) | Self::Mend | Self::Hold)
    }
}

/// A record that may be out of order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Which record.
    pub id: MarkId,
    /// The sequence number at which it was marked: only reads sent later clear it.
    pub generation: u64,
    /// Why.
    pub cause: Cause,
    /// Not to be worked on before this moment.
    pub not_before: Moment,
    /// How often it was tried without success since it was marked.
    pub tries: u32,
    /// What it waits for.
    pub missing: Option<Missing>,
    /// What a person said of it.
    pub word: Option<Word>,
    /// What is wrong.
    pub error: Option<Box<ErrorReport>>,
}

impl Mark {
    /// A record that changed.
    pub const fn changed(id: MarkId, generation: u64) -> Self {
        Self {
            id,
            generation,
            cause: Cause::Changed,
            not_before: Moment(0),
            tries: 0,
            missing: None,
            word: None,
            error: None,
        }
    }
}

/// What is wrong with a record: what people read in the error queue. Sensitive values are masked already.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorReport {
    /// A stable code (`R0101`).
    pub code: String,
    /// When it was first seen.
    pub since: Moment,
    /// The record as people know it.
    pub record: String,
    /// What is wrong, in a sentence.
    pub message: String,
    /// The field at fault, as its side names it.
    pub field: Option<String>,
    /// The line of the map.
    pub line: Option<String>,
    /// Where the line is written (`file:line:column`).
    pub place: Option<String>,
    /// The values of both sides, left first, where they matter.
    pub values: [Option<String>; 2],
    /// The target's own code and message.
    pub target: Option<(String, String)>,
    /// What to do.
    pub next: String,
}

/// What a write was about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IntentKind {
    /// A record is born.
    Create,
    /// Lines of a record change.
    Update,
    /// A record goes.
    Delete,
    /// A record is set inactive.
    Deactivate,
}

/// A line that was about to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntentLine {
    /// The line.
    pub line: LineId,
    /// The value written, in the target's storage form.
    pub written: Value,
    /// The value that it comes from, in the source's storage form.
    pub source: Value,
    /// What the target held before, in its storage form, where that was known.
    pub before: Option<Value>,
    /// It is null only until the reference's target is there.
    pub pending: bool,
    /// The bounces of its base once it has landed.
    pub bounces: u8,
}

/// A write that was sent, or was about to be, and whose outcome isn't committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// The map.
    pub map: MapId,
    /// The pair.
    pub pair: PairKey,
    /// The side that is written.
    pub side: Side,
    /// What is done.
    pub kind: IntentKind,
    /// The record, where its key is known.
    pub record: Option<RecordId>,
    /// The natural key of a record that is born, encoded: wire names are the plan's.
    pub natural_key: Vec<u8>,
    /// The lines.
    pub lines: Vec<IntentLine>,
    /// The version that guards the write.
    pub guard: Option<Version>,
    /// When it was sent, at the latest by then it is over: after this moment it can no longer land. At
    /// [`UNANSWERED`](Self::UNANSWERED) a person has to say what became of it.
    pub settle_at: Moment,
}

/// What happened to a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivityKind {
    /// A record was created by us.
    Created,
    /// Fields were written by us.
    Updated,
    /// A record was deleted by us.
    Deleted,
    /// A record was set inactive by us.
    Deactivated,
    /// Two records met.
    Linked,
    /// Both sides changed, and one value won.
    Conflict,
    /// A record left its filter.
    Left,
    /// A record came back.
    Returned,
    /// A record was refused.
    Refused,
    /// A record waits for another.
    Parked,
    /// A record was deleted, and by the map's policy the other stays.
    LeftAlone,
    /// A field that is written only at birth changed at its source.
    NotSent,
    /// Two systems keep changing one another's value.
    Unsettled,
    /// What became of an unanswered write was found out.
    Settled,
    /// The brake stopped it.
    Held,
    /// An error was given up by a person.
    Discarded,
    /// A person parted a pair.
    Unlinked,
}

impl ActivityKind {
    /// All kinds; the position is how they are stored, so new ones go last.
    pub const ALL: [Self; 17] = [
        Self::Created,
        Self::Updated,
        Self::Deleted,
        Self::Deactivated,
        Self::Linked,
        Self::Conflict,
        Self::Left,
        Self::Returned,
        Self::Refused,
        Self::Parked,
        Self::LeftAlone,
        Self::NotSent,
        Self::Unsettled,
        Self::Settled,
        Self::Held,
        Self::Discarded,
        Self::Unlinked,
    ];
}

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// When.
    pub at: Moment,
    /// The map.
    pub map: MapId,
    /// The pair.
    pub pair: PairKey,
    /// The record as people know it.
    pub record: String,
    /// What happened.
    pub kind: ActivityKind,
    /// The side that was written, or where it happened.
    pub side: Option<Side>,
    /// More, in words: lines, winners and losers. Sensitive values are masked.
    pub detail: String,
}

/// How much of the log is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// What happened before this moment goes.
    pub before: Moment,
    /// As long as the log takes more bytes than this (about), its oldest entries go.
    pub bytes: u64,
    /// But from this moment on nothing goes for its size.
    pub keep_from: Moment,
}

/// What the log no longer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LogCut {
    /// When the newest of the entries that were dropped happened: it is whole from then on.
    pub until: Moment,
    /// How many entries were dropped.
    pub entries: u64,
}

impl LogCut {
    /// The bytes that an entry takes on disk beside its texts and its key.
    pub const ENTRY_BYTES: u64 = 48;
}

/// How far a load has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LoadPhase {
    /// The first side is put aside.
    Gather,
    /// The second side is read and joined with it.
    Join,
    /// What is left of the first side has no partner.
    Rest,
    /// All is done.
    Done,
}

impl LoadPhase {
    /// All phases, in their order.
    pub const ALL: [Self; 4] = [Self::Gather, Self::Join, Self::Rest, Self::Done];
}

/// Where a load goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadProgress {
    /// The phase.
    pub phase: LoadPhase,
    /// The page to go on with.
    pub page: Option<PageToken>,
    /// The pair key to go on after.
    pub after: Option<PairKey>,
    /// Rows read so far.
    pub read: u64,
    /// Pairs and single records dealt with so far.
    pub done: u64,
}

impl LoadProgress {
    /// The start.
    pub const START: Self = Self {
        phase: LoadPhase::Gather,
        page: None,
        after: None,
        read: 0,
        done: 0,
    };
}

/// Whether a map is worked on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MapMode {
    /// It hasn't been loaded yet.
    #[default]
    Stopped,
    /// It is being loaded.
    Loading,
    /// It is kept in step.
    Running,
    /// A person stopped it; changes are kept.
    Paused,
    /// The brake stopped it.
    Held,
    /// It can't be worked on as its systems are now: a person is needed, and the reason says what for.
    Failed,
}

impl MapMode {
    /// All modes; the position is how they are stored, so new ones go last.
    pub const ALL: [Self; 6] = [
        Self::Stopped,
        Self::Loading,
        Self::Running,
        Self::Paused,
        Self::Held,
        Self::Failed,
    ];
}

/// Where a map stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MapStatus {
    /// Whether it is worked on.
    pub mode: MapMode,
    /// Why it isn't.
    pub reason: String,
    /// The load, while it isn't done.
    pub load: Option<LoadProgress>,
}

/// Links and marks, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapCounts {
    /// Pairs that are kept the same.
    pub linked: u64,
    /// Pairs that are kept but not worked on (left, deleted, awaiting a key).
    pub resting: u64,
    /// Records that changed.
    pub changed: u64,
    /// Records that are tried again later.
    pub retry: u64,
    /// Records that wait for another.
    pub parked: u64,
    /// Records that were refused.
    pub failed: u64,
    /// Records that the brake holds.
    pub held: u64,
    /// Writes whose outcome isn't known.
    pub intents: u64,
}

/// A row that was put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScratchRow {
    /// The key of its pair.
    pub pair: PairKey,
    /// Its own key.
    pub record: RecordId,
    /// Its version.
    pub version: Option<Version>,
    /// The sequence number of its read.
    pub read: u64,
    /// The row, as it was read.
    pub json: Vec<u8>,
}
