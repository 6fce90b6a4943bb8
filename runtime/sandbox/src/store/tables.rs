//! The tables in SQLite.

use std::collections::HashSet;
use std::fmt::Write;

use rusqlite::Connection;

use super::FIRST_VERSION;
use crate::collation::NAME as COLLATION;
use crate::model::{Column, Kind, Model, Source, Table, quoted};

/// Makes the tables of the model, or adds the columns that a schema has gained since the file was made.
pub(super) fn prepare(connection: &Connection, model: &Model) -> rusqlite::Result<()> {
    connection.execute_batch(
        "BEGIN IMMEDIATE;
         CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS tombstones(entity TEXT NOT NULL, id BLOB NOT NULL, version INTEGER NOT NULL);
         CREATE INDEX IF NOT EXISTS tombstones_by_version ON tombstones(entity, version);
         CREATE INDEX IF NOT EXISTS tombstones_by_id ON tombstones(entity, id);",
    )?;
    connection.execute(
        "INSERT OR IGNORE INTO meta(name, value) VALUES ('version', ?1)",
        [FIRST_VERSION],
    )?;
    for table in model.tables.iter().filter(|t| t.source == Source::Own) {
        prepare_table(connection, table)?;
    }
    connection.execute_batch("COMMIT")
}

fn prepare_table(connection: &Connection, table: &Table) -> rusqlite::Result<()> {
    let mut sql = format!(
        "CREATE TABLE IF NOT EXISTS {}(rowid INTEGER PRIMARY KEY AUTOINCREMENT, \"@version\" INTEGER NOT NULL",
        table.sql_name
    );
    for column in &table.columns {
        let _ = write!(sql, ", {}", definition(column));
    }
    sql.push(')');
    connection.execute_batch(&sql)?;
    let present: HashSet<String> = connection
        .prepare("SELECT name FROM pragma_table_info(?1)")?
        .query_map([table.sql_name.trim_matches('"')], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for column in table.columns.iter().filter(|c| !present.contains(&c.name)) {
        connection.execute_batch(&format!(
            "ALTER TABLE {} ADD COLUMN {}",
            table.sql_name,
            definition(column)
        ))?;
    }
    let index = |name: &str, unique: &str, columns: &str| {
        let name = quoted(&format!("{}@{name}", table.sql_name.trim_matches('"')));
        connection.execute_batch(&format!(
            "CREATE {unique} INDEX IF NOT EXISTS {name} ON {}({columns})",
            table.sql_name
        ))
    };
    index("version", "", "\"@version\"")?;
    index("key", "UNIQUE", &names(table, &table.key))?;
    for key in &table.alternate_keys {
        index(&key.name, "UNIQUE", &names(table, &key.columns))?;
    }
    Ok(())
}

fn names(table: &Table, columns: &[usize]) -> String {
    columns
        .iter()
        .map(|at| quoted(&table.columns[*at].name))
        .collect::<Vec<_>>()
        .join(", ")
}

fn definition(column: &Column) -> String {
    let kind = match column.kind {
        Kind::Text(_) => format!("TEXT COLLATE {COLLATION}"),
        Kind::Float => "REAL".to_owned(),
        Kind::Guid | Kind::Lookup(_) | Kind::Binary => "BLOB".to_owned(),
        _ => "INTEGER".to_owned(),
    };
    format!("{} {kind}{}", quoted(&column.name), default(column))
}

/// The blank as SQL, for rows that were there before the column.
fn default(column: &Column) -> String {
    use rusqlite::types::Value;
    match &column.blank {
        Some(Value::Integer(n)) => format!(" DEFAULT {n}"),
        Some(Value::Real(n)) => format!(" DEFAULT {n}"),
        Some(Value::Text(text)) => format!(" DEFAULT '{}'", text.replace('\'', "''")),
        Some(Value::Blob(bytes)) if bytes.iter().all(|b| *b == 0) => {
            format!(" DEFAULT x'{}'", "00".repeat(bytes.len()))
        }
        _ => String::new(),
    }
}
