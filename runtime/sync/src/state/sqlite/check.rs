//! Whether a state is whole: SQLite's own check of its file, and what holds of our rows and between them.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params};

use super::{Result, SqliteStore, rows};
use crate::codec::Unreadable;
use crate::key::{PairKey, RecordId, display_key};
use crate::state::schema::{SCHEMA, StateFault};
use crate::state::{MapId, StateError};

/// Flaws that are listed at most.
const LISTED_MAX: usize = 100;

/// What a check of a state found.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Checked {
    /// The version of its schema.
    pub schema: i64,
    /// Links there are.
    pub links: u64,
    /// Marks there are.
    pub marks: u64,
    /// Writes whose outcome isn't known.
    pub intents: u64,
    /// Entries of the log.
    pub entries: u64,
    /// What is wrong.
    pub flaws: Vec<Flaw>,
    /// What is wrong beyond those that are listed.
    pub unlisted: u64,
}

/// Something that is wrong with a state.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Flaw {
    /// Where: `file`, or the kind of row and its key.
    pub place: String,
    /// What.
    pub what: String,
}

/// What holds between rows: a query for those of which it doesn't, by map and key.
struct Rule {
    of: &'static str,
    broken: &'static str,
    rows: &'static str,
}

const RULES: [Rule; 10] = [
    Rule {
        of: "link",
        broken: "its map isn't known",
        rows: "SELECT map, pair FROM links WHERE map NOT IN (SELECT id FROM maps)",
    },
    Rule {
        of: "link",
        broken: "nothing says of which lines its bases are",
        rows: "SELECT map, pair FROM links WHERE layout NOT IN (SELECT id FROM layouts)",
    },
    Rule {
        of: "link",
        broken: "another link has its left record as well",
        rows: "SELECT a.map, a.pair FROM links a JOIN links b ON b.map = a.map AND b.pair = a.left_record
               WHERE b.flags & 1",
    },
    Rule {
        of: "link",
        broken: "another link has its right record as well",
        rows: "SELECT a.map, a.pair FROM links a JOIN links b ON b.map = a.map AND b.pair = a.right_record
               WHERE b.flags & 2",
    },
    Rule {
        of: "link",
        broken: "its bases moved at a sequence number that nobody has taken yet",
        rows: "SELECT map, pair FROM links WHERE moved >= (SELECT value FROM meta WHERE name = 'sequence')",
    },
    Rule {
        of: "mark",
        broken: "its map isn't known",
        rows: "SELECT map, record FROM marks WHERE map NOT IN (SELECT id FROM maps)",
    },
    Rule {
        of: "mark",
        broken: "its generation is a sequence number that nobody has taken yet",
        rows: "SELECT map, record FROM marks WHERE generation >= (SELECT value FROM meta WHERE name = 'sequence')",
    },
    Rule {
        of: "mark",
        broken: "it is parked, and nothing says on what",
        rows: "SELECT map, record FROM marks WHERE cause = 2 AND missing_key IS NULL",
    },
    Rule {
        of: "intent",
        broken: "its map isn't known",
        rows: "SELECT map, pair FROM intents WHERE map NOT IN (SELECT id FROM maps)",
    },
    Rule {
        of: "log",
        broken: "its map isn't known",
        rows: "SELECT map, pair FROM activity WHERE map NOT IN (SELECT id FROM maps)",
    },
];

impl SqliteStore {
    /// Checks a state without changing it, beside a process that works as well. A state that can't be opened because
    /// it is damaged is one with a flaw, and any other obstacle an error.
    pub fn check(path: &Path) -> Result<Checked, StateError> {
        let checked = Self::reader(path).and_then(|store| match store {
            Some(store) => store.look(|c| Check::of(c)),
            None => Err(StateError::Absent {
                path: path.to_owned(),
            }),
        });
        match checked {
            Err(StateError::Damaged { message }) => Ok(Checked {
                flaws: vec![Flaw {
                    place: "file".to_owned(),
                    what: message,
                }],
                ..Checked::default()
            }),
            other => other,
        }
    }
}

/// A check that is under way.
struct Check<'c> {
    connection: &'c Connection,
    maps: BTreeMap<MapId, String>,
    found: Checked,
}

impl<'c> Check<'c> {
    fn of(connection: &'c Connection) -> Result<Checked> {
        let mut check = Self {
            connection,
            maps: BTreeMap::new(),
            found: Checked {
                schema: SCHEMA,
                ..Checked::default()
            },
        };
        check.part("file", Self::file)?;
        check.part("map", Self::maps)?;
        for rule in &RULES {
            check.part(rule.of, |check| check.rule(rule))?;
        }
        check.part("link", Self::links)?;
        check.part("mark", Self::marks)?;
        check.part("intent", Self::intents)?;
        check.part("log", Self::log)?;
        check.part("feed", Self::feeds)?;
        Ok(check.found)
    }

    /// Does a part of the check. A damaged page ends that part, and not the others.
    fn part(&mut self, of: &str, work: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        use rusqlite::ErrorCode::DatabaseCorrupt;
        match work(self) {
            Err(StateFault::Sql(error)) if error.sqlite_error_code() == Some(DatabaseCorrupt) => {
                self.flaw(of.to_owned(), error.to_string());
                Ok(())
            }
            other => other,
        }
    }

    fn flaw(&mut self, place: String, what: String) {
        if self.found.flaws.len() < LISTED_MAX {
            self.found.flaws.push(Flaw { place, what });
        } else {
            self.found.unlisted += 1;
        }
    }

    fn file(&mut self) -> Result<()> {
        let sql = format!("PRAGMA integrity_check({LISTED_MAX})");
        rows::each(self.connection, &sql, [], |row| {
            let says: String = row.get(0)?;
            if says != "ok" {
                self.flaw("file".to_owned(), says);
            }
            Ok(())
        })?;
        let sequence = "SELECT count(*) FROM meta WHERE name = 'sequence'";
        let known: u64 = self.connection.query_row(sequence, [], |row| row.get(0))?;
        if known == 0 {
            self.flaw("file".to_owned(), "the sequence number is lost".to_owned());
        }
        Ok(())
    }

    fn maps(&mut self) -> Result<()> {
        rows::each(self.connection, rows::STATUS, [], |row| {
            let (id, name) = (MapId(row.get(0)?), row.get::<_, String>(1)?);
            if !is_readable(rows::status(row))? {
                let what = "where it stands can't be read".to_owned();
                self.flaw(format!("map {name}"), what);
            }
            self.maps.insert(id, name);
            Ok(())
        })
    }

    fn rule(&mut self, rule: &Rule) -> Result<()> {
        rows::each(self.connection, rule.rows, [], |row| {
            let place = self.place(rule.of, row, [0, 1])?;
            self.flaw(place, rule.broken.to_owned());
            Ok(())
        })
    }

    fn links(&mut self) -> Result<()> {
        self.found.links = self.count("links")?;
        self.read("link", rows::LINK, [0, 1], |row| {
            let link = rows::link(row)?;
            link.pair.values()?;
            for record in link.sides.into_iter().filter_map(|side| side.record) {
                record.values()?;
            }
            Ok(())
        })
    }

    fn marks(&mut self) -> Result<()> {
        self.found.marks = self.count("marks")?;
        self.read("mark", rows::MARK, [0, 2], |row| {
            let mark = rows::mark(row)?;
            mark.id.record.values()?;
            let missing = mark.missing.map(|missing| PairKey(missing.key));
            missing.map(|key| key.values()).transpose()?;
            Ok(())
        })
    }

    fn intents(&mut self) -> Result<()> {
        self.found.intents = self.count("intents")?;
        self.read("intent", rows::INTENT, [0, 1], |row| {
            let intent = rows::intent(row)?;
            intent.pair.values()?;
            RecordId(intent.natural_key).values()?;
            intent.record.map(|record| record.values()).transpose()?;
            Ok(())
        })
    }

    fn log(&mut self) -> Result<()> {
        self.found.entries = self.count("activity")?;
        self.read("log", rows::ENTRY, [1, 2], |row| {
            rows::entry(row)?.pair.values()?;
            Ok(())
        })
    }

    fn feeds(&mut self) -> Result<()> {
        let sql = "SELECT system, entity, record FROM feed_ids LEFT JOIN sets ON sets.id = of_set";
        rows::each(self.connection, sql, [], |row| {
            let record = RecordId(row.get(2)?);
            if record.values().is_err() {
                let what = "a record that it names can't be read".to_owned();
                self.flaw(feed(row)?, what);
            }
            if row.get_ref(0)? == ValueRef::Null {
                let what = "a record is named by a set that isn't known".to_owned();
                self.flaw(feed(row)?, what);
            }
            Ok(())
        })
    }

    /// Reads all rows of a kind as production reads them; `key` says in which columns map and key are.
    fn read(
        &mut self,
        of: &str,
        sql: &str,
        key: [usize; 2],
        one: impl Fn(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        rows::each(self.connection, sql, [], |row| {
            if !is_readable(one(row))? {
                let place = self.place(of, row, key)?;
                self.flaw(place, "what is stored of it can't be read".to_owned());
            }
            Ok(())
        })
    }

    fn count(&self, table: &str) -> Result<u64> {
        let sql = format!("SELECT count(*) FROM {table}");
        Ok(self
            .connection
            .query_row(&sql, params![], |row| row.get(0))?)
    }

    /// `link customers usmf US-001`, as far as that can be read.
    fn place(&self, of: &str, row: &Row<'_>, [map, key]: [usize; 2]) -> Result<String> {
        let map = MapId(row.get(map)?);
        let map = match self.maps.get(&map) {
            Some(name) => name.clone(),
            None => format!("of map {}", map.0),
        };
        let key = row.get_ref(key)?.as_blob().unwrap_or_default();
        let key = match PairKey(key.to_vec()).values() {
            Ok(values) => display_key(&values),
            Err(Unreadable) => format!("{key:02x?}"),
        };
        Ok(format!("{of} {map} {key}"))
    }
}

/// `feed accounts of dv`.
fn feed(row: &Row<'_>) -> Result<String> {
    let (system, set): (Option<String>, Option<String>) = (row.get(0)?, row.get(1)?);
    let known = |name: Option<String>| name.unwrap_or_else(|| "?".to_owned());
    Ok(format!("feed {} of {}", known(set), known(system)))
}

/// Whether what is stored is something that we stored; any failure to read it at all is passed on.
fn is_readable<T>(read: Result<T>) -> Result<bool> {
    match read {
        Ok(_) => Ok(true),
        Err(fault) if fault.is_unreadable() => Ok(false),
        Err(fault) => Err(fault),
    }
}
