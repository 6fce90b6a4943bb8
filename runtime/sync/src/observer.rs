//! What happens, told while it happens.

use dwmap_plan::Side;

use crate::clock::Moment;
use crate::state::{ActivityKind, ErrorReport, LoadPhase, MapMode};

/// What a load has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LoadCounts {
    /// Rows read from the left and the right.
    pub read: [u64; 2],
    /// Rows of companies that don't take part, or of none.
    pub out_of_scope: u64,
    /// Rows outside their side's filter.
    pub filtered: u64,
    /// Pairs that met.
    pub met: u64,
    /// Of these, how many were written to.
    pub updated: u64,
    /// Records created at the left and at the right.
    pub created: [u64; 2],
    /// Records that were refused.
    pub refused: u64,
    /// Records that wait for another.
    pub parked: u64,
}

/// Something happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A load has come further.
    Load {
        /// The map.
        map: String,
        /// Where it is.
        phase: LoadPhase,
        /// What it has done since it was begun or taken up again.
        counts: LoadCounts,
    },
    /// Changes were seen on a side.
    Captured {
        /// The system.
        system: String,
        /// The set.
        set: String,
        /// How many.
        changes: u64,
    },
    /// Something was done about a record, or decided.
    Activity {
        /// The map.
        map: String,
        /// The record as people know it.
        record: String,
        /// What.
        kind: ActivityKind,
        /// The side that was written, or where it happened.
        side: Option<Side>,
        /// More, in words.
        detail: String,
        /// When.
        at: Moment,
    },
    /// A record was refused, or waits.
    Error {
        /// The map.
        map: String,
        /// What is wrong.
        report: Box<ErrorReport>,
    },
    /// A map is worked on otherwise than before: it stands still, in part or as a whole, or goes on.
    Mode {
        /// The map.
        map: String,
        /// Whether it is worked on.
        mode: MapMode,
        /// Why it isn't, or not whole; empty where it is.
        reason: String,
    },
    /// A call to a system failed; it is tried again.
    Trouble {
        /// The system.
        system: String,
        /// What it said.
        message: String,
        /// When it is tried again.
        again_at: Moment,
    },
}

/// Somebody who wants to know. Called in between; must not wait.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn event(&self, event: &Event);
}

/// Nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn event(&self, _: &Event) {}
}
