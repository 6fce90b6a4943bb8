//! `[state]`: where the runtime keeps links, bases, marks and cursors.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{
    ConfigError, Place, Secret, Setting,
    section::{Section, Text},
};

/// Where state is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// `sqlite:PATH`, or by reference.
    pub url: Setting,
    /// How long the log is kept; `None` leaves it to the runtime's default.
    pub keep_log: Option<Duration>,
    /// The bytes from which on the oldest of the log go; `None` leaves it to the runtime's default.
    pub keep_log_size: Option<u64>,
}

/// A state's address, resolved.
#[derive(Debug, Clone)]
pub enum StateLocation {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database, by its URL, which may hold a password.
    Postgres(Secret),
}

impl State {
    pub(crate) const KEYS: &'static [&'static str] = &["url", "keep_log", "keep_log_size"];
    const DEFAULT: &'static str = "sqlite:.dwmap/state.db";

    /// The state of a manifest that says nothing of it; `place` is the manifest's beginning.
    pub(crate) fn unsaid(place: Place) -> Self {
        Self {
            url: Setting::new(
                "url",
                Text {
                    value: Self::DEFAULT.to_owned(),
                    place,
                },
            ),
            keep_log: None,
            keep_log_size: None,
        }
    }

    pub(crate) fn read(section: &Section<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            keep_log: section.duration("keep_log")?,
            keep_log_size: section.size("keep_log_size")?,
            url: section.required_setting("url", &format!("{:?}", Self::DEFAULT))?,
        })
    }

    /// Where it is kept. `root` is the manifest's folder, to which a SQLite path is relative.
    pub fn location(&self, root: &Path) -> Result<StateLocation, ConfigError> {
        let url = self.url.resolve(root)?;
        if let Some(path) = url.strip_prefix("sqlite:").filter(|path| !path.is_empty()) {
            return Ok(StateLocation::Sqlite(root.join(path)));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(StateLocation::Postgres(Secret::from(url)));
        }
        Err(ConfigError::BadValue {
            place: self.url.place().clone(),
            key: "url".to_owned(),
            // Only the scheme is shown: the rest may hold a password.
            value: url
                .split_once(':')
                .map_or("…", |(scheme, _)| scheme)
                .to_owned(),
            problem: "names no store of state; write \"sqlite:PATH\" or \"postgres://…\""
                .to_owned(),
        })
    }
}
