//! How the state changes, and what is asked of whoever changes it.

use dwmap_connect::Cursor;
use dwmap_plan::{LineId, Side};

use super::{
    Activity, Cause, FeedId, Intent, Link, MapId, MapStatus, Mark, MarkId, Missing, Set, Word,
};
use crate::Moment;
use crate::key::{PairKey, RecordId};

/// A request, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub i64);

/// What was asked of the process that works on the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// Its number.
    pub id: RequestId,
    /// The request, as JSON.
    pub request: String,
}

/// A change of the state.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A link as it is now.
    PutLink(Box<Link>),
    /// A link is gone.
    DropLink(MapId, PairKey),
    /// A record may be out of order: its mark moves to this generation, and is due unless a person holds it. An error
    /// that it had stays to be seen until a pass succeeds.
    Mark {
        /// Which.
        id: MarkId,
        /// The new generation.
        generation: u64,
        /// Not before.
        not_before: Moment,
    },
    /// A pass is over: unless it was marked anew meanwhile (a generation above `seen`), the mark goes.
    Clear {
        /// Which.
        id: MarkId,
        /// The sequence number of the read that the pass was decided by.
        seen: u64,
    },
    /// A pass left the mark in another condition: unless it was marked anew meanwhile, it becomes this.
    Settle {
        /// The mark as it is to be, made if it isn't there.
        mark: Box<Mark>,
        /// The sequence number of the read that the pass was decided by.
        seen: u64,
    },
    /// From now on a map works by these lines. A pair that was linked by others is marked: what is new or changed of
    /// them meets for the first time.
    Adopt {
        /// Which map.
        map: MapId,
        /// What its lines say.
        lines: Vec<LineId>,
        /// The generation of the marks.
        generation: u64,
    },
    /// Marks of a map that wait for a time wait until one within these bounds.
    Wait {
        /// The map.
        map: MapId,
        /// Not before.
        earliest: Moment,
        /// Not after.
        latest: Moment,
    },
    /// What was missing is there: all that wait for it are marked anew.
    Wake {
        /// What was missing.
        missing: Missing,
        /// The new generation.
        generation: u64,
    },
    /// Failed, parked or held marks are worked on again, but for those that a person holds.
    Release {
        /// The map.
        map: MapId,
        /// The one record; all of this cause where there is none.
        id: Option<MarkId>,
        /// The cause.
        cause: Cause,
        /// The new generation.
        generation: u64,
        /// What a person said of them.
        word: Option<Word>,
    },
    /// A person spoke: the mark stands as it is here, whatever it was.
    Say(Box<Mark>),
    /// A mark is given up.
    Discard(MarkId),
    /// A write is about to be sent.
    PutIntent(Box<Intent>),
    /// What became of a write is known.
    DropIntent(MapId, PairKey, Side),
    /// A feed was read up to here.
    SetCursor(Set, Cursor),
    /// A feed has to be begun anew.
    DropCursor(Set),
    /// A feed names this record so.
    Know(Set, FeedId, RecordId),
    /// A feed no longer names a record so.
    Forget(Set, FeedId),
    /// Where a map stands.
    SetStatus(MapId, MapStatus),
    /// Whether neither system is written to.
    SetReadonly(bool),
    /// What was asked before this moment, and answered or begun, is forgotten.
    ForgetRequests(Moment),
    /// A request is being done.
    TakeUp(RequestId),
    /// What came of a request, as JSON.
    Answer(RequestId, String),
    /// An entry of the log.
    Log(Box<Activity>),
}
