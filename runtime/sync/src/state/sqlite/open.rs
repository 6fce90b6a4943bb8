//! How a state is opened: by the one process that works on it, or beside that one for questions.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rusqlite::{Connection, OpenFlags};

use super::files::remove;
use super::{Access, Result, SqliteStore, explain, write};
use crate::state::StateError;
use crate::state::schema::{self, StateFault};

/// A private database in a temporary file, to SQLite.
const NOWHERE: &str = "";

impl SqliteStore {
    /// Opens a state to work on it, making it if it isn't there, and locks it against others that would.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        let lock = lock(path)?;
        let prepare = |connection| {
            let connection = prepared(connection)?;
            shelves(&connection, &beside(path, ".scratch"))?;
            Ok(connection)
        };
        let connection = Connection::open(path).map_err(StateFault::from);
        let store = Self::around(connection.and_then(prepare), path, Access::Work)?;
        Ok(Self {
            _lock: Some(lock),
            ..store
        })
    }

    /// Whether a process works on a state.
    pub fn is_worked_on(path: &Path) -> bool {
        let lock = File::open(beside(path, ".lock"));
        lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
    }

    /// Opens a state for questions alone: also while another process works on it, and without a trace. A write-ahead
    /// log lets others read what was committed last while one writes, so this takes no lock. It never brings an older
    /// schema to the present one, makes no state, and sets no sequence numbers aside. What a question puts aside goes to
    /// SQLite's temporary place. Where there is no state yet, it answers as a new one would.
    pub fn ask(path: &Path) -> Result<Self, StateError> {
        match Self::reader(path)? {
            Some(store) => Ok(store),
            None => Self::private(NOWHERE),
        }
    }

    /// As [`ask`](Self::ask); none where there is no state yet.
    pub(super) fn reader(path: &Path) -> Result<Option<Self>, StateError> {
        let fail = |error| explain_io(&error, path);
        if !path.try_exists().map_err(fail)? {
            return Ok(None);
        }
        if path.is_dir() {
            return Err(fail(ErrorKind::IsADirectory.into()));
        }
        let Some(connection) = begun(path).map_err(|fault| explain(fault, path))? else {
            return Ok(None);
        };
        let prepare = |connection| {
            schema::demand_present(&connection)?;
            schema::passing_shelves(&connection)?;
            Ok(connection)
        };
        Self::around(prepare(connection), path, Access::Ask).map(Some)
    }

    /// A state that ends with the process.
    pub fn in_memory() -> Result<Self, StateError> {
        Self::private(":memory:")
    }

    fn private(name: &str) -> Result<Self, StateError> {
        let prepare = |connection| {
            let connection = prepared(connection)?;
            schema::passing_shelves(&connection)?;
            Ok(connection)
        };
        let connection = Connection::open(name).map_err(StateFault::from);
        Self::around(connection.and_then(prepare), Path::new(name), Access::Work)
    }

    fn around(
        connection: Result<Connection>,
        path: &Path,
        access: Access,
    ) -> Result<Self, StateError> {
        let connection = connection.map_err(|fault| explain(fault, path))?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(Self {
            connection: Mutex::new(connection),
            path: path.to_owned(),
            access,
            _lock: None,
        })
    }
}

/// A connection that only reads, and its schema's version; none where nothing is in the file yet.
fn begun(path: &Path) -> Result<Option<Connection>> {
    use rusqlite::ErrorCode::{CannotOpen, ReadOnly};
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = |name: &Path, flags| -> Result<Option<Connection>> {
        let connection = Connection::open_with_flags(name, flags)?;
        Ok((schema::version(&connection)? > 0).then_some(connection))
    };
    match open(path, flags) {
        // Readers tell each other of themselves in a file, which can't be made on a disk that is read-only: then nobody
        // writes either. What a killed process left in its write-ahead log would be passed over, though.
        Err(StateFault::Sql(error))
            if matches!(error.sqlite_error_code(), Some(CannotOpen | ReadOnly))
                && is_empty(&beside(path, "-wal")) =>
        {
            let name = path.to_string_lossy();
            let name = name
                .replace('%', "%25")
                .replace('?', "%3f")
                .replace('#', "%23");
            let unchanging = format!("file:{name}?immutable=1");
            open(unchanging.as_ref(), flags | OpenFlags::SQLITE_OPEN_URI)
        }
        other => other,
    }
}

/// Whether nothing is in a file, or no file there.
fn is_empty(path: &Path) -> bool {
    std::fs::metadata(path).map_or_else(
        |error| error.kind() == ErrorKind::NotFound,
        |metadata| metadata.len() == 0,
    )
}

/// A connection that works: what it committed is on disk, in the present schema.
fn prepared(mut connection: Connection) -> Result<Connection> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", -16_384)?;
    // Keys come in no order, so that a commit touches many pages: those of many commits are written home together.
    connection.pragma_update(None, "wal_autocheckpoint", 10_000)?;
    schema::migrate(&mut connection)?;
    Ok(connection)
}

/// Locks a state for the one process that works on it, as long as what this gives lives.
pub(super) fn lock(path: &Path) -> Result<File, StateError> {
    let fail = |error| explain_io(&error, path);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(fail)?;
    }
    let lock = File::create(beside(path, ".lock")).map_err(fail)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StateError::Locked {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(fail(error)),
    }
}

/// Opens the file in which rows are put aside. One that is damaged is made anew, since nothing is lost with it; and
/// where it is new, so is whatever load had rows in it.
fn shelves(connection: &Connection, file: &Path) -> Result<()> {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    let is_new = match schema::shelves_in(connection, file) {
        Err(StateFault::Sql(error))
            if matches!(
                error.sqlite_error_code(),
                Some(DatabaseCorrupt | NotADatabase)
            ) =>
        {
            tracing::warn!("{} is damaged, and made anew", file.display());
            // It may not have been attached. And what can't be removed can't be made anew, which is told then.
            let _ = connection.execute("DETACH scratch", []);
            let _ = remove(file);
            schema::shelves_in(connection, file)?
        }
        other => other?,
    };
    if is_new {
        write::restart_loads(connection)?;
    }
    Ok(())
}

/// The name of a file beside another: the same with this at its end.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

pub(super) fn explain_io(error: &std::io::Error, path: &Path) -> StateError {
    let path = path.to_owned();
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            StateError::ReadOnly { path }
        }
        ErrorKind::StorageFull => StateError::Full { path },
        _ => StateError::Other {
            message: error.to_string(),
            path,
        },
    }
}
