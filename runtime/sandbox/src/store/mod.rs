//! One server's SQLite file: a pool of readers, one writer with short transactions, versions and tombstones.

mod tables;
mod write;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior};

use crate::SandboxError;
use crate::collation;
use crate::model::Model;

pub(crate) use write::{Located, Row};

/// How many idle readers are kept; more are opened under load and closed after it.
const IDLE_READERS_MAX: usize = 8;
/// Statements kept ready per connection: reads and updates differ by their columns.
const STATEMENTS_MAX: usize = 256;

/// The version before the first row's.
pub(crate) const FIRST_VERSION: i64 = 1000;

/// A server's file.
pub(crate) struct Store {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
}

/// A write transaction.
pub(crate) struct Writing<'a> {
    pub tx: Transaction<'a>,
    version: i64,
}

impl Store {
    /// Opens the file, making or widening the tables of the model.
    pub(crate) fn open(path: &Path, model: &Model) -> Result<Self, SandboxError> {
        let failed = |source| SandboxError::Database {
            path: path.to_owned(),
            source,
        };
        let writer = connect(path, OpenFlags::default()).map_err(failed)?;
        tables::prepare(&writer, model).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            writer: Mutex::new(writer),
            readers: Mutex::new(Vec::new()),
        })
    }

    /// Makes the tables and columns that a changed model has beyond the one before.
    pub(crate) fn widen(&self, model: &Model) -> rusqlite::Result<()> {
        tables::prepare(&lock(&self.writer), model)
    }

    /// Runs `f` on one snapshot.
    pub(crate) fn read<T, E: From<rusqlite::Error>>(
        &self,
        f: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let idle = lock(&self.readers).pop();
        let reader = match idle {
            Some(reader) => reader,
            None => connect(
                &self.path,
                OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
            )?,
        };
        reader.execute_batch("BEGIN")?;
        let result = f(&reader);
        reader.execute_batch("COMMIT")?;
        let mut readers = lock(&self.readers);
        if readers.len() < IDLE_READERS_MAX {
            readers.push(reader);
        }
        result
    }

    /// Runs `f` in a transaction of its own: committed if it gives `Ok`, undone otherwise.
    pub(crate) fn write<T, E: From<rusqlite::Error>>(
        &self,
        f: impl FnOnce(&mut Writing<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut writer = lock(&self.writer);
        let tx = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version = version(&tx)?;
        let mut writing = Writing { tx, version };
        let result = f(&mut writing)?;
        writing
            .tx
            .prepare_cached("UPDATE meta SET value = ?1 WHERE name = 'version'")?
            .execute([writing.version])?;
        writing.tx.commit()?;
        Ok(result)
    }
}

impl Writing<'_> {
    /// The next row version, greater than all before.
    pub(crate) fn next_version(&mut self) -> i64 {
        self.version += 1;
        self.version
    }
}

/// The greatest version that this snapshot holds.
pub(crate) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE name = 'version'")?
        .query_row([], |row| row.get(0))
}

/// A text that the server keeps for itself.
pub(crate) fn setting(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

/// Keeps a text.
pub(crate) fn set_setting(
    connection: &Connection,
    name: &str,
    value: &str,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO meta(name, value) VALUES (?1, ?2)")?
        .execute([name, value])?;
    Ok(())
}

fn connect(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    if !flags.contains(OpenFlags::SQLITE_OPEN_READ_ONLY) {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
    }
    // 16 MiB of pages a connection, in SQLite's own unit of KiB.
    connection.pragma_update(None, "cache_size", -16_384)?;
    collation::register(&connection)?;
    Ok(connection)
}

/// A lock whose holder panicked is taken over: each transaction undoes itself.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
