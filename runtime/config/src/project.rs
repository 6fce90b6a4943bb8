//! `[project]`: its name and its maps.

use crate::{ConfigError, Place, section::Section};

/// The project itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its name, which also names the built plan: letters, digits, `-` and `_`.
    pub name: String,
    /// Where its maps come from, in the order written; at least one.
    pub maps: Vec<MapSource>,
}

/// One entry of `maps`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MapSource {
    /// A stock module by its path (`std.customers`), or all of them (`std.*`).
    Stock {
        /// The path.
        module: String,
        /// Where it stands.
        place: Place,
    },
    /// Files of the project: `maps/*.dwmap`. `*` and `?` stay in a folder, `**` is any number of folders.
    Files {
        /// The pattern, relative to the manifest's folder.
        pattern: String,
        /// Where it stands.
        place: Place,
    },
}

impl Project {
    pub(crate) const KEYS: &'static [&'static str] = &["name", "maps"];

    pub(crate) fn read(section: &Section<'_>) -> Result<Self, ConfigError> {
        let name = section.required_text("name", "\"contoso\"")?;
        if !name
            .value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        {
            return Err(Section::bad(
                "name",
                name,
                "can't name a file everywhere; write letters, digits, `-` and `_`",
            ));
        }
        let mut maps = Vec::new();
        for text in section.texts("maps")? {
            let is_stock = text.value.starts_with("std.") && !text.value.contains('/');
            if is_stock {
                maps.push(MapSource::Stock {
                    module: text.value,
                    place: text.place,
                });
                continue;
            }
            if text.value.starts_with('/')
                || text.value.split('/').any(|part| matches!(part, "" | ".."))
            {
                return Err(Section::bad(
                    "maps",
                    text,
                    "doesn't stay in the project; write a path below the manifest's folder, such as \"maps/*.dwmap\"",
                ));
            }
            maps.push(MapSource::Files {
                pattern: text.value,
                place: text.place,
            });
        }
        if maps.is_empty() {
            return Err(section.missing("maps", "[\"maps/*.dwmap\", \"std.customers\"]"));
        }
        Ok(Self {
            name: name.value,
            maps,
        })
    }
}
