//! What can be wrong with a manifest.

use std::{io, path::PathBuf};

use crate::{Choices, Place};

/// A mistake in the manifest, or something that it refers to and that isn't there. Each message begins with the place
/// and ends with what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file can't be read.
    #[error("{}: can't be read ({source}); a project has a `dwmap.toml`, and `dwmap new` makes one", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },

    /// The text isn't TOML.
    #[error("{place}: this isn't TOML: {message}")]
    Syntax {
        /// Where.
        place: Place,
        /// What the parser says.
        message: String,
    },

    /// A key that nothing reads.
    #[error("{place}: unknown key `{key}` in {section}; {choices}")]
    UnknownKey {
        /// Where the key stands.
        place: Place,
        /// The key.
        key: String,
        /// The table that it stands in.
        section: String,
        /// The keys that the table may have.
        choices: Box<Choices>,
    },

    /// A key that must be there.
    #[error("{place}: {section} has no `{key}`; add {example}")]
    Missing {
        /// Where the table begins.
        place: Place,
        /// The key.
        key: String,
        /// The table.
        section: String,
        /// How it may read.
        example: String,
    },

    /// A value of another type.
    #[error("{place}: `{key}` is {found}, and must be {expected}")]
    WrongType {
        /// Where the value stands.
        place: Place,
        /// The key.
        key: String,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },

    /// A word that isn't one of those allowed.
    #[error("{place}: `{key}` can't be {value:?}; {choices}")]
    NotOneOf {
        /// Where the value stands.
        place: Place,
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// The values allowed.
        choices: Box<Choices>,
    },

    /// A kind of system that this version has no connector for.
    #[error("{place}: systems of kind {kind:?} aren't supported yet; this version joins {}", known.join(" and "))]
    KindNotYet {
        /// Where the value stands.
        place: Place,
        /// The kind.
        kind: String,
        /// The kinds that are there.
        known: Vec<String>,
    },

    /// A value that can't be read as what it must be.
    #[error("{place}: `{key}` is {value:?}, which {problem}")]
    BadValue {
        /// Where the value stands.
        place: Place,
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// What is wrong, and how it should read.
        problem: String,
    },

    /// A secret in plain text. The message doesn't repeat it.
    #[error(
        "{place}: `{key}` holds a secret in plain text; say where it is found instead: \"env:NAME\" or \"file:PATH\""
    )]
    PlainSecret {
        /// Where the value stands.
        place: Place,
        /// The key.
        key: String,
    },

    /// An environment that the manifest doesn't have.
    #[error("{}: no environment is called {name:?}; {choices}", file.display())]
    UnknownEnvironment {
        /// The file.
        file: PathBuf,
        /// The name.
        name: String,
        /// Those that there are.
        choices: Box<Choices>,
    },

    /// A system is referred to by a kind of key that wants a Dataverse environment, and is none.
    #[error(
        "{place}: changes can't be read through `{system}`, which isn't of kind \"dataverse\"; name the linked Dataverse environment"
    )]
    NotDataverse {
        /// Where the reference stands.
        place: Place,
        /// The system's name.
        system: String,
    },

    /// An environment variable that isn't set, or isn't text.
    #[error(
        "{place}: `{key}` refers to the environment variable {variable}, which {problem}; set it where dwmap runs"
    )]
    Variable {
        /// Where the reference stands.
        place: Place,
        /// The key.
        key: String,
        /// The variable.
        variable: String,
        /// What is wrong with it.
        problem: &'static str,
    },

    /// A file that a value refers to can't be read.
    #[error("{place}: `{key}` refers to the file {}, which can't be read: {source}", path.display())]
    ReferredFile {
        /// Where the reference stands.
        place: Place,
        /// The key.
        key: String,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },

    /// A pattern that no file matches.
    #[error(
        "{place}: no file matches {pattern:?}; patterns are relative to the folder of the manifest"
    )]
    NoMatch {
        /// Where the pattern stands.
        place: Place,
        /// The pattern.
        pattern: String,
    },

    /// A folder that a pattern leads to can't be listed.
    #[error("{place}: {} can't be listed: {source}", path.display())]
    Folder {
        /// Where the pattern stands.
        place: Place,
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl ConfigError {
    /// Where it is, but for a file that can't be read and an environment that isn't there.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Read { .. } | Self::UnknownEnvironment { .. } => None,
            Self::Syntax { place, .. }
            | Self::UnknownKey { place, .. }
            | Self::Missing { place, .. }
            | Self::WrongType { place, .. }
            | Self::NotOneOf { place, .. }
            | Self::KindNotYet { place, .. }
            | Self::BadValue { place, .. }
            | Self::PlainSecret { place, .. }
            | Self::NotDataverse { place, .. }
            | Self::Variable { place, .. }
            | Self::ReferredFile { place, .. }
            | Self::NoMatch { place, .. }
            | Self::Folder { place, .. } => Some(place),
        }
    }
}
