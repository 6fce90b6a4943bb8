//! The embedded home of the state.
//!
//! One connection, write-ahead log, `synchronous=FULL`: what [`commit`](StateStore::commit) returned from is on
//! disk. Calls are short (a batch of marks at a time), so they are done where they are called.

mod check;
mod desk;
mod files;
mod log;
mod open;
mod rows;
#[cfg(test)]
mod tests;
mod write;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
pub use check::{Checked, Flaw};
use dwmap_connect::{Cursor, Version};
use dwmap_plan::Side;
pub use files::Compacted;
use rusqlite::{Connection, OptionalExtension, params};

use super::schema::StateFault;
use super::{
    Activity, Change, FeedId, Intent, Link, LogCut, MapCounts, MapId, MapStatus, Mark, MarkId,
    Missing, Posted, RequestId, Retention, ScratchRow, Set, StateError, StateStore,
};
use crate::Moment;
use crate::key::{PairKey, RecordId};

use open::beside;

pub use desk::Desk;

type Result<T, E = StateFault> = std::result::Result<T, E>;

/// What a process may do with a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    /// Read and write: it is the only one that writes.
    Work,
    /// Read alone, beside a process that works.
    Ask,
}

/// The number of a map that the state doesn't know, to one that only asks: the numbers of known ones begin at 1.
const UNKNOWN_MAP: MapId = MapId(0);

/// The state in a SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Mutex<Connection>,
    path: PathBuf,
    access: Access,
    /// Held as long as the store lives; the system lets go of it when the process dies.
    _lock: Option<File>,
}

impl SqliteStore {
    fn with<T>(&self, work: impl FnOnce(&mut Connection) -> Result<T>) -> Result<T, StateError> {
        self.on(&self.path, work)
    }

    /// Work on rows that are put aside: they are in a file of their own.
    fn with_shelves<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T>,
    ) -> Result<T, StateError> {
        self.on(&beside(&self.path, ".scratch"), work)
    }

    /// Work that is about this file, should it fail.
    fn on<T>(
        &self,
        file: &Path,
        work: impl FnOnce(&mut Connection) -> Result<T>,
    ) -> Result<T, StateError> {
        // A panic in another call can't have left a transaction open: they roll back when dropped.
        let mut connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        work(&mut connection).map_err(|fault| explain(fault, file))
    }

    /// Many small reads as one: they see one state, and the file is locked for reading once and not for each.
    fn look<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T, StateError> {
        self.with(|c| {
            let transaction = c.transaction()?;
            let found = work(&transaction)?;
            transaction.commit()?;
            Ok(found)
        })
    }
}

/// Turns what SQLite said into what a person can act on.
fn explain(fault: StateFault, path: &Path) -> StateError {
    use rusqlite::ErrorCode::*;
    let is_unreadable = fault.is_unreadable();
    let damaged = |message: String| StateError::Damaged {
        message: format!("{}: {message}", path.display()),
    };
    let error = match fault {
        StateFault::State(error) => return error,
        StateFault::Unreadable(error) => return damaged(error.to_string()),
        StateFault::Sql(error) => error,
    };
    let message = error.to_string();
    let path = path.to_path_buf();
    match error.sqlite_error_code() {
        Some(DiskFull) => StateError::Full { path },
        Some(SystemIoFailure) => StateError::Disk { message, path },
        Some(ReadOnly | PermissionDenied) => StateError::ReadOnly { path },
        Some(DatabaseCorrupt | NotADatabase) => damaged(message),
        None if is_unreadable => damaged(message),
        Some(DatabaseBusy | DatabaseLocked) => StateError::Locked { path },
        _ => StateError::Other { message, path },
    }
}

#[async_trait]
impl StateStore for SqliteStore {
    async fn map_id(&self, name: &str) -> Result<MapId, StateError> {
        self.with(|c| {
            if self.access == Access::Work {
                c.execute("INSERT OR IGNORE INTO maps (name) VALUES (?1)", [name])?;
            }
            let find = "SELECT id FROM maps WHERE name = ?1";
            let found = c.query_row(find, [name], |row| row.get(0).map(MapId));
            Ok(found.optional()?.unwrap_or(UNKNOWN_MAP))
        })
    }

    async fn reserve_sequence(&self, n: u64) -> Result<u64, StateError> {
        self.with(|c| {
            let sql = match self.access {
                Access::Work => {
                    "UPDATE meta SET value = value + ?1 WHERE name = 'sequence' RETURNING value - ?1"
                }
                // Numbers behind those that anybody set aside so far, so that what is read now counts as the newest.
                // None of them is ever stored, so the next process that works may have them as well.
                Access::Ask => "SELECT value FROM meta WHERE name = 'sequence' AND ?1 > 0",
            };
            Ok(c.query_row(sql, [n], |row| row.get(0))?)
        })
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<(), StateError> {
        if changes.is_empty() {
            return Ok(());
        }
        self.with(|c| {
            let transaction = c.transaction()?;
            for change in changes {
                write::apply(&transaction, change)?;
            }
            Ok(transaction.commit()?)
        })
    }

    async fn links_by_pair(
        &self,
        map: MapId,
        pairs: &[PairKey],
    ) -> Result<Vec<Option<Link>>, StateError> {
        self.look(|c| {
            pairs
                .iter()
                .map(|pair| rows::link_by_pair(c, map, pair))
                .collect()
        })
    }

    async fn links_by_record(
        &self,
        map: MapId,
        side: Side,
        records: &[RecordId],
    ) -> Result<Vec<Option<Link>>, StateError> {
        self.look(|c| {
            records
                .iter()
                .map(|record| rows::link_by_record(c, map, side, record))
                .collect()
        })
    }

    async fn neighbours(
        &self,
        map: MapId,
        prefix: &[u8],
        after: &PairKey,
        limit: usize,
    ) -> Result<Vec<Link>, StateError> {
        self.with(|c| rows::neighbours(c, map, prefix, after, limit))
    }

    async fn links_page(
        &self,
        map: MapId,
        after: Option<&PairKey>,
        limit: usize,
    ) -> Result<Vec<Link>, StateError> {
        self.with(|c| rows::links_page(c, map, after, limit))
    }

    async fn due_marks(
        &self,
        map: MapId,
        now: Moment,
        limit: usize,
    ) -> Result<Vec<Mark>, StateError> {
        self.with(|c| {
            rows::marks(
                c,
                "WHERE map = ?1 AND cause < 2 AND not_before <= ?2 ORDER BY generation, side, record LIMIT ?3",
                params![map.0, now.0, limit as i64],
            )
        })
    }

    async fn next_due(&self, map: MapId) -> Result<Option<Moment>, StateError> {
        self.with(|c| {
            let sql = "SELECT min(not_before) FROM marks WHERE map = ?1 AND cause < 2";
            Ok(c.prepare_cached(sql)?
                .query_row([map.0], |row| row.get::<_, Option<i64>>(0))?
                .map(Moment))
        })
    }

    async fn marks_of(
        &self,
        map: MapId,
        side: Side,
        records: &[RecordId],
    ) -> Result<Vec<Option<Mark>>, StateError> {
        self.look(|c| {
            let one = |record: &RecordId| -> Result<Option<Mark>> {
                let found = rows::marks(
                    c,
                    "WHERE map = ?1 AND side = ?2 AND record = ?3",
                    params![map.0, side.index() as i64, record.0],
                )?;
                Ok(found.into_iter().next())
            };
            records.iter().map(one).collect()
        })
    }

    async fn errors(
        &self,
        map: Option<MapId>,
        after: Option<&MarkId>,
        limit: usize,
    ) -> Result<Vec<Mark>, StateError> {
        self.with(|c| {
            let (after_map, after_side, after_record) = match after {
                Some(id) => (id.map.0 as i64, id.side.index() as i64, id.record.0.clone()),
                None => (-1, -1, Vec::new()),
            };
            rows::marks(
                c,
                "WHERE (cause >= 2 OR error IS NOT NULL) AND (?1 IS NULL OR map = ?1)
                   AND (map, side, record) > (?2, ?3, ?4) ORDER BY map, side, record LIMIT ?5",
                params![
                    map.map(|m| m.0),
                    after_map,
                    after_side,
                    after_record,
                    limit as i64
                ],
            )
        })
    }

    async fn missing(
        &self,
        set: &Set,
        after: Option<&Missing>,
        limit: usize,
    ) -> Result<Vec<Missing>, StateError> {
        self.with(|c| rows::missing(c, set, after, limit))
    }

    async fn missing_sets(&self) -> Result<Vec<Set>, StateError> {
        self.with(|c| {
            let sql = "SELECT DISTINCT missing_system, missing_set FROM marks
                       WHERE missing_key IS NOT NULL ORDER BY 1, 2";
            let mut statement = c.prepare_cached(sql)?;
            let sets = statement.query_map([], |row| {
                Ok(Set {
                    system: row.get(0)?,
                    set: row.get(1)?,
                })
            })?;
            Ok(sets.collect::<rusqlite::Result<_>>()?)
        })
    }

    async fn intents(&self, map: MapId) -> Result<Vec<Intent>, StateError> {
        self.with(|c| rows::intents(c, map))
    }

    async fn cursor(&self, set: &Set) -> Result<Option<Cursor>, StateError> {
        self.with(|c| {
            let sql = "SELECT cursor FROM cursors WHERE system = ?1 AND entity = ?2";
            Ok(c.prepare_cached(sql)?
                .query_row([&set.system, &set.set], |row| row.get(0).map(Cursor))
                .optional()?)
        })
    }

    async fn known_ids(
        &self,
        set: &Set,
        ids: &[FeedId],
    ) -> Result<Vec<Option<RecordId>>, StateError> {
        self.look(|c| {
            let sql = "SELECT record FROM feed_ids JOIN sets ON sets.id = of_set
                       WHERE system = ?1 AND entity = ?2 AND feed_ids.id = ?3";
            let mut statement = c.prepare_cached(sql)?;
            let mut one = |id: &FeedId| -> Result<Option<RecordId>> {
                Ok(statement
                    .query_row(params![set.system, set.set, id], |row| {
                        row.get(0).map(RecordId)
                    })
                    .optional()?)
            };
            ids.iter().map(&mut one).collect()
        })
    }

    async fn unnamed_records(
        &self,
        map: MapId,
        side: Side,
        set: &Set,
    ) -> Result<Vec<RecordId>, StateError> {
        self.with(|c| rows::unnamed_records(c, map, side, set))
    }

    async fn partners_of_nameless(
        &self,
        map: MapId,
        side: Side,
    ) -> Result<Vec<RecordId>, StateError> {
        self.with(|c| rows::partners_of_nameless(c, map, side))
    }

    async fn map_status(&self, map: MapId) -> Result<MapStatus, StateError> {
        self.with(|c| rows::map_status(c, map))
    }

    async fn counts(&self, map: MapId) -> Result<MapCounts, StateError> {
        self.with(|c| rows::counts(c, map))
    }

    async fn activity(
        &self,
        map: MapId,
        pair: Option<&PairKey>,
        limit: usize,
    ) -> Result<Vec<Activity>, StateError> {
        self.with(|c| rows::activity(c, map, pair, limit))
    }

    async fn requests(&self) -> Result<Vec<Posted>, StateError> {
        self.with(|c| {
            let sql = "SELECT id, request FROM requests WHERE answer IS NULL ORDER BY id";
            let mut statement = c.prepare_cached(sql)?;
            let posted = statement.query_map([], |row| {
                Ok(Posted {
                    id: RequestId(row.get(0)?),
                    request: row.get(1)?,
                })
            })?;
            Ok(posted.collect::<rusqlite::Result<_>>()?)
        })
    }

    async fn readonly(&self) -> Result<bool, StateError> {
        self.with(|c| {
            let sql = "SELECT value FROM meta WHERE name = 'readonly'";
            let found = c.query_row(sql, [], |row| row.get(0)).optional()?;
            Ok(found.unwrap_or(false))
        })
    }

    async fn deletes_since(&self, map: MapId, since: Moment) -> Result<u64, StateError> {
        self.with(|c| {
            let sql = "SELECT count(*) FROM activity WHERE map = ?1 AND kind IN (2, 3) AND at > ?2";
            Ok(c.prepare_cached(sql)?
                .query_row(params![map.0, since.0], |row| row.get(0))?)
        })
    }

    async fn trim_log(&self, retention: &Retention, limit: usize) -> Result<u64, StateError> {
        self.with(|c| {
            let transaction = c.transaction()?;
            let dropped = log::trim(&transaction, retention, limit)?;
            transaction.commit()?;
            Ok(dropped)
        })
    }

    async fn log_cut(&self) -> Result<Option<LogCut>, StateError> {
        self.look(log::cut)
    }

    async fn scratch_put(
        &self,
        shelf: &str,
        rows: Vec<ScratchRow>,
    ) -> Result<Vec<PairKey>, StateError> {
        self.with_shelves(|c| {
            let transaction = c.transaction()?;
            let doubled = write::scratch_put(&transaction, shelf, rows)?;
            transaction.commit()?;
            Ok(doubled)
        })
    }

    async fn scratch_get(
        &self,
        shelf: &str,
        pairs: &[PairKey],
    ) -> Result<Vec<Option<ScratchRow>>, StateError> {
        self.with_shelves(|c| {
            let transaction = c.transaction()?;
            let sql =
                "SELECT pair, record, version, read, json FROM shelf_rows WHERE shelf = ?1 AND pair = ?2";
            let mut statement = transaction.prepare_cached(sql)?;
            let mut one = |pair: &PairKey| -> Result<Option<ScratchRow>> {
                Ok(statement
                    .query_row(params![shelf, pair.0], scratch_row)
                    .optional()?)
            };
            pairs.iter().map(&mut one).collect()
        })
    }

    async fn scratch_drop(&self, shelf: &str, pairs: &[PairKey]) -> Result<(), StateError> {
        self.with_shelves(|c| {
            let transaction = c.transaction()?;
            {
                let sql = "DELETE FROM shelf_rows WHERE shelf = ?1 AND pair = ?2";
                let mut statement = transaction.prepare_cached(sql)?;
                for pair in pairs {
                    statement.execute(params![shelf, pair.0])?;
                }
            }
            Ok(transaction.commit()?)
        })
    }

    async fn scratch_page(
        &self,
        shelf: &str,
        after: Option<&PairKey>,
        limit: usize,
    ) -> Result<Vec<ScratchRow>, StateError> {
        self.with_shelves(|c| {
            let sql = "SELECT pair, record, version, read, json FROM shelf_rows
                       WHERE shelf = ?1 AND pair > ?2 ORDER BY pair LIMIT ?3";
            let after = after.map_or(&[][..], |p| &p.0);
            let mut statement = c.prepare_cached(sql)?;
            let rows = statement.query_map(params![shelf, after, limit as i64], scratch_row)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    async fn scratch_clear(&self, shelf: &str) -> Result<(), StateError> {
        self.with_shelves(|c| {
            c.execute("DELETE FROM shelf_rows WHERE shelf = ?1", [shelf])?;
            Ok(())
        })
    }
}

fn scratch_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<ScratchRow> {
    Ok(ScratchRow {
        pair: PairKey(row.get(0)?),
        record: RecordId(row.get(1)?),
        version: row.get::<_, Option<String>>(2)?.map(Version),
        read: row.get(3)?,
        json: row.get(4)?,
    })
}
