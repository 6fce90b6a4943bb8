//! Rows in and out of a write transaction.

use std::fmt::Write as _;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::Writing;
use crate::model::{Source, Table, quoted};
use crate::value;

/// A row that was found: its record id and version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Located {
    pub record: i64,
    pub version: i64,
}

/// A whole row, one value a column.
pub(crate) type Row = Vec<Value>;

impl Table {
    /// Finds the row whose columns hold these values.
    pub(crate) fn locate(
        &self,
        connection: &Connection,
        key: &[(usize, Value)],
    ) -> rusqlite::Result<Option<Located>> {
        let mut sql = format!(
            "SELECT t.rowid, t.\"@version\" FROM {} t WHERE ",
            self.sql_name
        );
        for (n, (at, _)) in key.iter().enumerate() {
            let and = if n == 0 { "" } else { " AND " };
            let _ = write!(sql, "{and}{} = ?{}", self.columns[*at].sql("t"), n + 1);
        }
        connection
            .prepare_cached(&sql)?
            .query_row(params_from_iter(key.iter().map(|(_, v)| v)), |row| {
                Ok(Located {
                    record: row.get(0)?,
                    version: row.get(1)?,
                })
            })
            .optional()
    }

    /// The whole row of this record.
    pub(crate) fn row(&self, connection: &Connection, record: i64) -> rusqlite::Result<Row> {
        let columns: Vec<String> = self.columns.iter().map(|c| c.sql("t")).collect();
        let sql = format!(
            "SELECT {} FROM {} t WHERE t.rowid = ?1",
            columns.join(", "),
            self.sql_name
        );
        connection.prepare_cached(&sql)?.query_row([record], |row| {
            (0..columns.len()).map(|at| row.get(at)).collect()
        })
    }

    /// One column of a record.
    pub(crate) fn cell(
        &self,
        connection: &Connection,
        record: i64,
        column: usize,
    ) -> rusqlite::Result<Value> {
        let sql = format!(
            "SELECT {} FROM {} t WHERE t.rowid = ?1",
            self.columns[column].sql("t"),
            self.sql_name
        );
        connection
            .prepare_cached(&sql)?
            .query_row([record], |row| row.get(0))
    }
}

impl Writing<'_> {
    /// Adds a row; its values stand for all columns.
    pub(crate) fn insert(&mut self, table: &Table, row: &Row) -> rusqlite::Result<Located> {
        let version = self.next_version();
        let version_value = Value::Integer(version);
        let record = self
            .tx
            .prepare_cached(&table.insert)?
            .insert(params_from_iter(std::iter::once(&version_value).chain(row)))?;
        // A row that is there again is no longer a deleted one.
        self.tx
            .prepare_cached("DELETE FROM tombstones WHERE entity = ?1 AND id = ?2")?
            .execute((&table.logical, id_of(table, record, row)))?;
        Ok(Located { record, version })
    }

    /// Sets columns of a record; gives its new version.
    pub(crate) fn update(
        &mut self,
        table: &Table,
        record: i64,
        changes: &[(usize, Value)],
    ) -> rusqlite::Result<i64> {
        let version = self.next_version();
        let mut sql = format!("UPDATE {} SET \"@version\" = ?1", table.sql_name);
        for (n, (at, _)) in changes.iter().enumerate() {
            let _ = write!(sql, ", {} = ?{}", quoted(&table.columns[*at].name), n + 2);
        }
        let _ = write!(sql, " WHERE rowid = ?{}", changes.len() + 2);
        let (first, last) = (Value::Integer(version), Value::Integer(record));
        let values = std::iter::once(&first)
            .chain(changes.iter().map(|(_, v)| v))
            .chain(std::iter::once(&last));
        self.tx
            .prepare_cached(&sql)?
            .execute(params_from_iter(values))?;
        Ok(version)
    }

    /// Deletes a record and leaves a tombstone.
    pub(crate) fn delete(&mut self, table: &Table, record: i64, row: &Row) -> rusqlite::Result<()> {
        self.tx
            .prepare_cached(&format!("DELETE FROM {} WHERE rowid = ?1", table.sql_name))?
            .execute([record])?;
        let version = self.next_version();
        self.tx
            .prepare_cached("INSERT INTO tombstones(entity, id, version) VALUES (?1, ?2, ?3)")?
            .execute((&table.logical, id_of(table, record, row), version))?;
        Ok(())
    }
}

/// The id by which change tracking knows the row: the key's GUID, or that of the virtual table.
fn id_of(table: &Table, record: i64, row: &Row) -> Vec<u8> {
    debug_assert_eq!(
        table.source,
        Source::Own,
        "virtual tables are written in the ERP"
    );
    match (&table.key[..], &row[table.key[0]]) {
        // Only Dataverse stores nulls as such; its tables are known by their one GUID.
        ([at], Value::Blob(id)) if table.columns[*at].blank.is_none() => id.clone(),
        _ => value::virtual_id(table.number, record).to_vec(),
    }
}
