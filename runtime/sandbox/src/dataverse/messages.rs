//! The messages that a webhook can be registered for, and the tables that they are raised for: rows that the platform
//! itself keeps.
//!
//! Source: *sdkmessage* and *sdkmessagefilter* in the table reference of Dataverse.

use rusqlite::types::Value;

use super::Dataverse;
use crate::clock;
use crate::http::Refusal;
use crate::model::{Source, Table};
use crate::notify::Message;
use crate::store::{Row, Writing};

impl Dataverse {
    /// Adds the messages and filters that aren't there yet, such as those of a table that is new in the schema.
    pub(crate) fn provide_messages(&self) -> Result<(), Refusal> {
        let (Some(messages), Some(filters)) = (
            self.model.by_logical_name("sdkmessage"),
            self.model.by_logical_name("sdkmessagefilter"),
        ) else {
            return Ok(());
        };
        self.store.write(|writing| {
            for message in [Message::Create, Message::Update, Message::Delete] {
                let name = Value::Text(message.name().to_owned());
                let id = provide(writing, messages, &[("name", name)])?;
                for table in self.model.tables.iter().filter(|t| t.source == Source::Own) {
                    let logical = Value::Text(table.logical.clone());
                    let filter = [
                        ("primaryobjecttypecode", logical),
                        ("_sdkmessageid_value", id.clone()),
                    ];
                    provide(writing, filters, &filter)?;
                }
            }
            Ok(())
        })
    }
}

/// Finds the row with these values, or makes it; gives its id.
fn provide(
    writing: &mut Writing<'_>,
    table: &Table,
    values: &[(&str, Value)],
) -> Result<Value, Refusal> {
    // A schema that declares the table in its own way may lack a column: then nothing can be found by it.
    let columns: Vec<(usize, Value)> = values
        .iter()
        .filter_map(|(name, value)| Some((table.column(name)?, value.clone())))
        .collect();
    if let Some(found) = table.locate(&writing.tx, &columns)? {
        return Ok(table.cell(&writing.tx, found.record, table.key[0])?);
    }
    let id = Value::Blob(clock::new_id().to_vec());
    let mut row: Row = vec![Value::Null; table.columns.len()];
    row[table.key[0]] = id.clone();
    for (at, value) in columns {
        row[at] = value;
    }
    writing.insert(table, &row)?;
    Ok(id)
}
