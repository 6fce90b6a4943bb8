//! What can go wrong with the state.

use std::path::PathBuf;

/// The state can't be read or written. Nothing that was committed is lost; what wasn't is done again.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another process works on it.
    #[error(
        "another process works on the state in {path}; stop it first, or give this project a state of its own \
         ([state] url in dwmap.toml). `status`, `errors list`, `errors show`, `why`, `plan`, \
         `verify`, `state check` and `state backup` work beside it"
    )]
    Locked {
        /// The state's file.
        path: PathBuf,
    },
    /// No space is left.
    #[error("the disk that holds {path} is full; free some space and start again: nothing is lost")]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The disk doesn't do what it is told.
    #[error(
        "the disk doesn't take or give what {path} holds ({message}); look at its free space, its limits and its \
         health, and start again: nothing that was committed is lost"
    )]
    Disk {
        /// The store's message.
        message: String,
        /// The file.
        path: PathBuf,
    },
    /// It can't be written to.
    #[error(
        "the state in {path} can't be written to; give this user the right to write there, or mount the disk writable"
    )]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// There is none.
    #[error(
        "there is no state at {path} yet; the first `dwmap sync --once` or `dwmap run` makes one"
    )]
    Absent {
        /// Where it would be.
        path: PathBuf,
    },
    /// A file that is to be made is there.
    #[error(
        "{path} is there already, and nothing is overwritten; move it away, or name another file"
    )]
    Taken {
        /// The file.
        path: PathBuf,
    },
    /// It was made by a newer version.
    #[error(
        "the state has schema {found}, and this version knows up to {known}; run the newer version, which made it"
    )]
    Newer {
        /// Its schema's version.
        found: i64,
        /// The newest that is known.
        known: i64,
    },
    /// It was made by an older version, and whoever only asks changes nothing.
    #[error(
        "the state has schema {found}, and this version works with {known}; \
         the next `dwmap sync --once` or `dwmap run` of this version brings it there"
    )]
    Older {
        /// Its schema's version.
        found: i64,
        /// The present one.
        known: i64,
    },
    /// It is damaged.
    #[error(
        "the state is damaged ({message}); put a backup in its place with `dwmap state restore FILE`, or move the file \
         away and start again: all records meet anew, and only what doesn't agree is written"
    )]
    Damaged {
        /// What was found.
        message: String,
    },
    /// The key of a record is already that of another link.
    #[error(
        "two links of one map claim the record {record}; look at both with `dwmap why`, and mend the key on one side"
    )]
    Claimed {
        /// The record.
        record: String,
    },
    /// Anything else that the store says.
    #[error(
        "the state can't be used: {message}; look whether {path} is a file, and whether this user may read and write it \
         and make others beside it"
    )]
    Other {
        /// The store's message.
        message: String,
        /// The file.
        path: PathBuf,
    },
}

impl From<crate::codec::Unreadable> for StateError {
    fn from(error: crate::codec::Unreadable) -> Self {
        Self::Damaged {
            message: error.to_string(),
        }
    }
}
