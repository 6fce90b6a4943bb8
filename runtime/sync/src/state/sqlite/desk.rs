//! Asking something of the process that works on a state, from beside it.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::{Result, explain};
use crate::Moment;
use crate::state::schema::{self, StateFault};
use crate::state::{RequestId, StateError};

/// Where requests are left, and answers are fetched. It writes nothing else, so the process that works stays the only
/// one that decides anything.
#[derive(Debug)]
pub struct Desk {
    connection: Connection,
    path: PathBuf,
}

impl Desk {
    /// The desk of a state that is there, in the present schema.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(StateFault::from);
        let connection = connection.and_then(|connection| {
            schema::demand_present(&connection)?;
            Ok(connection)
        });
        Ok(Self {
            connection: connection.map_err(|fault| explain(fault, path))?,
            path: path.to_owned(),
        })
    }

    fn ask<T>(&self, ask: impl FnOnce(&Connection) -> Result<T>) -> Result<T, StateError> {
        ask(&self.connection).map_err(|fault| explain(fault, &self.path))
    }

    /// Leaves a request, as JSON.
    pub fn post(&self, request: &str, at: Moment) -> Result<RequestId, StateError> {
        self.ask(|c| {
            let sql = "INSERT INTO requests (at, request) VALUES (?1, ?2)";
            c.execute(sql, params![at.0, request])?;
            Ok(RequestId(c.last_insert_rowid()))
        })
    }

    /// Fetches the answer, as JSON, once it is there.
    pub fn fetch(&self, id: RequestId) -> Result<Option<String>, StateError> {
        self.ask(|c| {
            let sql = "DELETE FROM requests WHERE id = ?1 AND answer <> '' RETURNING answer";
            Ok(c.query_row(sql, [id.0], |row| row.get(0)).optional()?)
        })
    }

    /// Takes a request back. False if it was taken up already.
    pub fn withdraw(&self, id: RequestId) -> Result<bool, StateError> {
        self.ask(|c| {
            let sql = "DELETE FROM requests WHERE id = ?1 AND answer IS NULL";
            Ok(c.execute(sql, [id.0])? > 0)
        })
    }
}
