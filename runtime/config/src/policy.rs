//! `[policy]`: who takes part, and what is too much.

use std::time::Duration;

use crate::{ConfigError, section::Section};

/// What holds for all maps of the project, where a map says nothing of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// The codes of the companies that take part, in lower case; empty means every company.
    pub companies: Vec<String>,
    /// What happens to a value that is too long or too large.
    pub overflow: Overflow,
    /// So many confirmed deletes in an hour stop a map; `None` leaves it to the runtime's default.
    pub delete_max: Option<u64>,
    /// So many overwritten fields stop a load; `None` sets no limit.
    pub change_max: Option<u64>,
    /// So many refused records within ten minutes pause a map; `None` leaves it to the runtime's default.
    pub error_max: Option<u64>,
    /// How long between two looks for schema drift; `None` leaves it to the runtime's default.
    pub drift_every: Option<Duration>,
}

/// What happens to a value that is too long or too large for its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Overflow {
    /// Its record goes to the error queue.
    #[default]
    Reject,
    /// It is cut.
    Truncate,
}

impl Policy {
    pub(crate) const KEYS: &'static [&'static str] = &[
        "companies",
        "overflow",
        "delete_max",
        "change_max",
        "error_max",
        "drift_every",
    ];

    pub(crate) fn read(section: &Section<'_>) -> Result<Self, ConfigError> {
        let mut companies = Vec::new();
        for text in section.texts("companies")? {
            let code = text.value.to_lowercase();
            if code.is_empty() || code.chars().any(char::is_whitespace) {
                return Err(Section::bad(
                    "companies",
                    text,
                    "is no company code, such as \"usmf\"",
                ));
            }
            if companies.contains(&code) {
                return Err(Section::bad(
                    "companies",
                    text,
                    "stands there twice; codes compare without case",
                ));
            }
            companies.push(code);
        }
        Ok(Self {
            companies,
            overflow: section
                .one_of(
                    "overflow",
                    &[
                        ("reject", Overflow::Reject),
                        ("truncate", Overflow::Truncate),
                    ],
                )?
                .unwrap_or_default(),
            delete_max: section.count("delete_max")?,
            change_max: section.count("change_max")?,
            error_max: section.count("error_max")?,
            drift_every: section.duration("drift_every")?,
        })
    }
}
