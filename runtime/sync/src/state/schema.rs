//! The tables, and how older ones become these.

use std::path::Path;

use rusqlite::Connection;

use super::StateError;
use crate::codec::Unreadable;

/// The steps from an empty file to the present schema. A step that was released is never changed: a new one is added.
const STEPS: &[&str] = &[FIRST, NUMBERED_SETS, STEERED, BOUNCES_BY_LINE];

const FIRST: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('sequence', 1);

CREATE TABLE maps (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
  mode INTEGER NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '', lines BLOB,
  load_phase INTEGER, load_page TEXT, load_after BLOB, load_read INTEGER, load_done INTEGER
);

-- Line ids, shared by the links that have bases of the same lines.
CREATE TABLE layouts (id INTEGER PRIMARY KEY, lines BLOB NOT NULL UNIQUE);

-- A record key that equals the pair key is left null, with a bit of `flags` to say so (1 left, 2 right);
-- 4 and 8 say that a side was written by us and not seen since.
CREATE TABLE links (
  map INTEGER NOT NULL, pair BLOB NOT NULL, state INTEGER NOT NULL, flags INTEGER NOT NULL,
  left_record BLOB, right_record BLOB, left_version TEXT, right_version TEXT,
  left_fresh INTEGER, right_fresh INTEGER,
  moved INTEGER NOT NULL, bounces INTEGER NOT NULL, layout INTEGER NOT NULL, bases BLOB NOT NULL
);
CREATE UNIQUE INDEX links_by_pair ON links (map, pair);
CREATE UNIQUE INDEX links_by_left ON links (map, left_record) WHERE left_record IS NOT NULL;
CREATE UNIQUE INDEX links_by_right ON links (map, right_record) WHERE right_record IS NOT NULL;

CREATE TABLE marks (
  map INTEGER NOT NULL, side INTEGER NOT NULL, record BLOB NOT NULL,
  generation INTEGER NOT NULL, cause INTEGER NOT NULL, not_before INTEGER NOT NULL, tries INTEGER NOT NULL,
  missing_system TEXT, missing_set TEXT, missing_map INTEGER, missing_reference INTEGER, missing_key BLOB,
  approved INTEGER NOT NULL, error TEXT,
  PRIMARY KEY (map, side, record)
) WITHOUT ROWID;
CREATE INDEX marks_due ON marks (map, generation) WHERE cause < 2;
CREATE INDEX marks_waiting ON marks (map, not_before) WHERE cause < 2 AND not_before > 0;
CREATE INDEX marks_missing ON marks (missing_system, missing_set, missing_map, missing_reference, missing_key)
  WHERE missing_key IS NOT NULL;

CREATE TABLE intents (
  map INTEGER NOT NULL, pair BLOB NOT NULL, side INTEGER NOT NULL, kind INTEGER NOT NULL,
  record BLOB, natural_key BLOB NOT NULL, lines BLOB NOT NULL, guard TEXT, settle_at INTEGER NOT NULL,
  PRIMARY KEY (map, pair, side)
) WITHOUT ROWID;

CREATE TABLE cursors (system TEXT NOT NULL, entity TEXT NOT NULL, cursor TEXT NOT NULL,
  PRIMARY KEY (system, entity)) WITHOUT ROWID;
CREATE TABLE feed_ids (system TEXT NOT NULL, entity TEXT NOT NULL, id BLOB NOT NULL, record BLOB NOT NULL,
  PRIMARY KEY (system, entity, id)) WITHOUT ROWID;

CREATE TABLE activity (
  id INTEGER PRIMARY KEY, at INTEGER NOT NULL, map INTEGER NOT NULL, pair BLOB NOT NULL, record TEXT NOT NULL,
  kind INTEGER NOT NULL, side INTEGER, detail TEXT NOT NULL
);
CREATE INDEX activity_by_pair ON activity (map, pair);
CREATE INDEX activity_by_kind ON activity (map, kind, at);
";

/// Each of a million feed ids spelled its system and its set out.
const NUMBERED_SETS: &str = "
CREATE TABLE sets (id INTEGER PRIMARY KEY, system TEXT NOT NULL, entity TEXT NOT NULL, UNIQUE (system, entity));
INSERT INTO sets (system, entity) SELECT DISTINCT system, entity FROM feed_ids ORDER BY system, entity;
CREATE TABLE named (of_set INTEGER NOT NULL, id BLOB NOT NULL, record BLOB NOT NULL,
  PRIMARY KEY (of_set, id)) WITHOUT ROWID;
INSERT INTO named SELECT sets.id, feed_ids.id, record FROM feed_ids JOIN sets USING (system, entity);
DROP TABLE feed_ids;
ALTER TABLE named RENAME TO feed_ids;
";

/// People steer a process that runs: what they said of a record stands at its mark, what they ask for in a table.
const STEERED: &str = "
ALTER TABLE marks RENAME COLUMN approved TO word;

-- What was asked for, and what came of it, as JSON; an answer that nobody fetches goes with the next start.
CREATE TABLE requests (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, request TEXT NOT NULL, answer TEXT);
";

/// What was written and not seen since, and how often it came back changed, is told of each line, with its bases.
const BOUNCES_BY_LINE: &str = "
ALTER TABLE links DROP COLUMN bounces;
UPDATE links SET flags = flags & 3 WHERE flags > 3;
";

/// Rows that are put aside while two sides are joined.
const SHELVES: &str = "
CREATE TABLE IF NOT EXISTS SCHEMA.shelf_rows (
  shelf TEXT NOT NULL, pair BLOB NOT NULL, record BLOB NOT NULL, version TEXT, read INTEGER NOT NULL,
  json BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS SCHEMA.rows_by_pair ON shelf_rows (shelf, pair);
";

/// The version of the present schema.
pub const SCHEMA: i64 = STEPS.len() as i64;

/// The version of a state's schema; 0 for a file in which nothing is yet.
pub(super) fn version(connection: &Connection) -> Result<i64, StateFault> {
    let found = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > SCHEMA {
        let known = SCHEMA;
        return Err(StateFault::State(StateError::Newer { found, known }));
    }
    Ok(found)
}

/// Refuses a state whose schema isn't the present one.
pub(super) fn demand_present(connection: &Connection) -> Result<(), StateFault> {
    match version(connection)? {
        SCHEMA => Ok(()),
        found => {
            let known = SCHEMA;
            Err(StateFault::State(StateError::Older { found, known }))
        }
    }
}

/// Brings a state to the present schema, in one transaction.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StateFault> {
    let found = version(connection)?;
    let transaction = connection.transaction()?;
    for step in STEPS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", SCHEMA)?;
    Ok(transaction.commit()?)
}

/// Makes the place where rows are put aside: a file of its own, since nothing is lost with it. Says whether it is new.
pub(super) fn shelves_in(connection: &Connection, file: &Path) -> Result<bool, StateFault> {
    connection.execute("ATTACH ?1 AS scratch", [file.to_string_lossy()])?;
    connection.pragma_update(Some("scratch"), "journal_mode", "WAL")?;
    connection.pragma_update(Some("scratch"), "synchronous", "FULL")?;
    let tables = "SELECT count(*) FROM scratch.sqlite_schema";
    let tables: u64 = connection.query_row(tables, [], |row| row.get(0))?;
    connection.execute_batch(&SHELVES.replace("SCHEMA", "scratch"))?;
    Ok(tables == 0)
}

/// Makes the place where rows are put aside: SQLite's temporary one, which goes with the connection.
pub(super) fn passing_shelves(connection: &Connection) -> Result<(), StateFault> {
    Ok(connection.execute_batch(&SHELVES.replace("SCHEMA", "temp"))?)
}

/// What SQLite said, or what we say of it.
pub(super) enum StateFault {
    Sql(rusqlite::Error),
    State(StateError),
    Unreadable(Unreadable),
}

impl StateFault {
    /// Whether what is stored is nothing that was ever stored by us.
    pub(super) const fn is_unreadable(&self) -> bool {
        use rusqlite::Error::*;
        matches!(
            self,
            Self::Unreadable(_)
                | Self::Sql(
                    InvalidColumnType(..)
                        | FromSqlConversionFailure(..)
                        | IntegralValueOutOfRange(..)
                )
        )
    }
}

impl From<rusqlite::Error> for StateFault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StateError> for StateFault {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

impl From<Unreadable> for StateFault {
    fn from(error: Unreadable) -> Self {
        Self::Unreadable(error)
    }
}
