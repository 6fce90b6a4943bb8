//! Keeps two systems the same: capture, apply, merge, load, verify.
//!
//! Sync is level-triggered: what is kept is *which records may disagree*, and work on a record always begins from
//! what both sides hold now. Everything runs on traits ([`Clock`], [`Connector`](dwmap_connect::Connector),
//! [`StateStore`]), in futures that may be dropped at any await point without breaking a promise.
//!
//! Invariants:
//! - State commits only after the target has acknowledged; an intent is on disk before its write leaves.
//! - A cursor is committed together with the marks that follow from its page.
//! - The same traits give the same run: no order of a hash map, no ambient time and no ambient chance decides anything.

mod apply;
mod ask;
mod capture;
mod chance;
mod clock;
mod code;
mod codec;
pub mod codes;
mod cursor;
pub mod drift;
mod drive;
mod dry_run;
mod error;
mod history;
mod join;
mod key;
mod load;
mod merge;
mod mistake;
mod observe;
mod observer;
mod options;
mod rate;
mod references;
mod report;
mod retention;
mod runtime;
mod settle;
pub mod state;
mod steer;
#[cfg(feature = "simulation")]
mod steps;
mod sweep;
mod verify;
mod wake;
mod wire;

pub use ask::{MapState, Why, WhyLine, WhySide};
pub use clock::{Clock, Moment, SystemClock};
pub use dry_run::{Planned, Sample, SampleKind};
pub use error::SyncError;
pub use history::LogEntry;
pub use key::{PairKey, RecordId, display, display_key};
pub use mistake::{Mistake, Rules};
pub use observer::{Event, LoadCounts, Observer, Silent};
pub use options::Options;
pub use runtime::{Ended, Runtime};
pub use state::{SqliteStore, StateError, StateStore};
pub use steer::{Answer, ErrorEntry, ErrorFilter, ErrorGroup, RecordName, Request};
#[cfg(feature = "simulation")]
pub use steps::Memory;
pub use verify::{Difference, DifferentField, Verified};
