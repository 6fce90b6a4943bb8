//! The files of a state, and what is done with them whole: backup, restore, compact.
//!
//! Beside `state.db` stand SQLite's `-wal` and `-shm`, a `.lock`, and the `.scratch`, with a `-wal` and `-shm` of its own.

#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};

use super::open::{beside, explain_io, lock};
use super::{SqliteStore, explain, write};
use crate::state::StateError;
use crate::state::schema::StateFault;

/// What SQLite keeps beside a database in write-ahead mode.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];

/// What was won by compacting a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Compacted {
    /// Bytes of all its files before.
    pub before: u64,
    /// Bytes of all its files after.
    pub after: u64,
    /// The rows that were put aside were kept, since a load that was stopped goes on with them.
    pub kept_scratch: bool,
}

impl SqliteStore {
    /// Copies a state as it stands at this moment into one new file, beside a process that works as well. The copy is
    /// checked before it gets its name, and nothing is overwritten. Gives its bytes.
    ///
    /// Rows that a load has put aside are not in the copy: loads that are under way begin anew in it.
    pub fn backup(path: &Path, to: &Path) -> Result<u64, StateError> {
        let fail = |error| explain_io(&error, to);
        free(to)?;
        let store = Self::reader(path)?.ok_or_else(|| absent(path))?;
        // It has a name of its own until it is whole.
        let part = beside(to, ".part");
        free(&part)?;
        File::create_new(&part).map_err(fail)?;
        let copied = copy(&store, &part).and_then(|()| {
            free(to)?;
            std::fs::rename(&part, to).map_err(fail)
        });
        if let Err(error) = copied {
            remove(&part).map_err(fail)?;
            return Err(error);
        }
        Ok(std::fs::metadata(to).map_err(fail)?.len())
    }

    /// Puts a backup in the place of a state on which nobody works. Gives where the one before it is kept, if there was
    /// one.
    pub fn restore(path: &Path, from: &Path) -> Result<Option<PathBuf>, StateError> {
        std::fs::metadata(from).map_err(|error| explain_io(&error, from))?;
        let _lock = lock(path)?;
        match Self::check(from) {
            Ok(checked) => whole(checked)?,
            // The next process that works brings it to the present schema.
            Err(StateError::Older { .. }) => {}
            Err(error) => return Err(error),
        }
        let fail = |error| explain_io(&error, path);
        let new = beside(path, ".restored");
        std::fs::copy(from, &new).map_err(fail)?;
        sync(&new)?;
        let kept = beside(path, ".replaced");
        let is_there = path.try_exists().map_err(fail)?;
        if is_there {
            free(&kept)?;
            for ending in [""].iter().chain(&COMPANIONS) {
                let old = beside(path, ending);
                if old.try_exists().map_err(fail)? {
                    std::fs::rename(&old, beside(&kept, ending)).map_err(fail)?;
                }
            }
        }
        remove(&beside(path, ".scratch")).map_err(fail)?;
        std::fs::rename(&new, path).map_err(fail)?;
        Ok(is_there.then_some(kept))
    }

    /// Gives back what a state on which nobody works no longer uses: free pages, the log of writes, and what was put
    /// aside.
    pub fn compact(path: &Path) -> Result<Compacted, StateError> {
        let size = || size(path).map_err(|error| explain_io(&error, path));
        Self::reader(path)?.ok_or_else(|| absent(path))?;
        let before = size()?;
        let store = Self::open(path)?;
        let kept_scratch = store.with(|c| {
            let loads = "SELECT count(*) FROM maps WHERE load_phase > 0 OR load_page IS NOT NULL";
            let loads: u64 = c.query_row(loads, [], |row| row.get(0))?;
            if loads > 0 {
                c.execute_batch("VACUUM scratch")?;
            }
            c.execute_batch(
                "DELETE FROM layouts WHERE id NOT IN (SELECT DISTINCT layout FROM links); VACUUM main",
            )?;
            // It gives a row, of what couldn't be done while others read.
            c.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            Ok(loads > 0)
        })?;
        if !kept_scratch {
            store.with(|c| Ok(c.execute_batch("DETACH scratch")?))?;
            remove(&beside(path, ".scratch")).map_err(|error| explain_io(&error, path))?;
        }
        drop(store);
        let after = size()?;
        Ok(Compacted {
            before,
            after,
            kept_scratch,
        })
    }
}

/// Writes what a store holds into a file, in which no load is under way.
fn copy(store: &SqliteStore, part: &Path) -> Result<(), StateError> {
    store.with(|c| {
        c.execute("VACUUM INTO ?1", params![part.to_string_lossy()])?;
        Ok(())
    })?;
    let restarted = Connection::open(part)
        .map_err(StateFault::from)
        .and_then(|c| write::restart_loads(&c));
    restarted.map_err(|fault| explain(fault, part))?;
    whole(SqliteStore::check(part)?)?;
    sync(part)
}

/// Refuses what isn't whole.
fn whole(checked: super::Checked) -> Result<(), StateError> {
    match checked.flaws.into_iter().next() {
        None => Ok(()),
        Some(flaw) => Err(StateError::Damaged {
            message: format!("{}: {}", flaw.place, flaw.what),
        }),
    }
}

/// Refuses a name that is taken.
fn free(path: &Path) -> Result<(), StateError> {
    match path.try_exists() {
        Ok(false) => Ok(()),
        Ok(true) => Err(StateError::Taken {
            path: path.to_owned(),
        }),
        Err(error) => Err(explain_io(&error, path)),
    }
}

fn absent(path: &Path) -> StateError {
    StateError::Absent {
        path: path.to_owned(),
    }
}

/// Waits until a file is on disk.
fn sync(path: &Path) -> Result<(), StateError> {
    let synced = File::options()
        .write(true)
        .open(path)
        .and_then(|file| file.sync_all());
    synced.map_err(|error| explain_io(&error, path))
}

/// Removes a database, if it is there.
pub(super) fn remove(path: &Path) -> std::io::Result<()> {
    for ending in [""].iter().chain(&COMPANIONS) {
        match std::fs::remove_file(beside(path, ending)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// The bytes of all files of a state.
fn size(path: &Path) -> std::io::Result<u64> {
    let mut all = 0;
    for database in [path.to_owned(), beside(path, ".scratch")] {
        for ending in ["", "-wal"] {
            match std::fs::metadata(beside(&database, ending)) {
                Ok(metadata) => all += metadata.len(),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(all)
}
