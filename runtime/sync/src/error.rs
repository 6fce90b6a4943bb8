//! What ends a run. Errors of single records never do: they are in the error queue.

use dwmap_connect::ConnectError;

use crate::state::StateError;

/// Why work can't go on.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The state can't be read or written.
    #[error(transparent)]
    State(#[from] StateError),
    /// A system can't be used.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A map's system isn't there.
    #[error(
        "the plan's maps use the system {system}, and none of that name was given; add [systems.{system}] to dwmap.toml"
    )]
    NoSystem {
        /// The schema's name.
        system: String,
    },
    /// No map of that name is in the plan.
    #[error("the plan has no map {map}; it has {known}")]
    NoMap {
        /// The name asked for.
        map: String,
        /// The names there are.
        known: String,
    },
    /// A row that a system sent is no JSON object.
    #[error(
        "{system} sent a row of {set} that can't be read: {message}. Check the `url` of [systems.{system}]"
    )]
    Row {
        /// The system.
        system: String,
        /// The set.
        set: String,
        /// What is wrong with it.
        message: String,
    },
    /// What a person asked for can't be done.
    #[error("{0}")]
    Impossible(String),
    /// A map's program can't be prepared.
    #[error("the map {map} can't be run: {message}; build the plan anew with this version")]
    Program {
        /// The map.
        map: String,
        /// What the engine says.
        message: String,
    },
}

impl From<crate::codec::Unreadable> for SyncError {
    fn from(error: crate::codec::Unreadable) -> Self {
        Self::State(error.into())
    }
}

impl SyncError {
    /// Whether the same may succeed later with nobody doing anything.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Connect(error) if error.is_transient())
    }
}
