//! Create, update, upsert and delete.
//!
//! Source: *Create a table row*, *Update and delete table rows*, *Upsert a table row*, *Perform conditional operations
//! using the Web API*.

use dwmap_odata::{Key, Literal};
use dwmap_plan::Requirement;
use rusqlite::types::Value;
use serde_json::{Map, Value as Json};

use super::body::{self, Moment};
use super::{Dataverse, ROOT, bind, errors};
use crate::clock;
use crate::http::batch::References;
use crate::http::{Call, Refusal, Reply};
use crate::model::{Kind, Service, Table};
use crate::notify::{Event, Message};
use crate::query::Options;
use crate::store::{Located, Row, Writing};
use crate::value;

/// One request within a transaction.
pub(super) struct Scope<'a, 't> {
    pub service: &'a Dataverse,
    pub writing: &'a mut Writing<'t>,
    pub references: &'a References,
    pub events: &'a mut Vec<Event>,
    pub call: &'a Call,
}

/// What a write did to a row.
pub(super) struct Done {
    pub id: Value,
    pub created: bool,
}

impl Scope<'_, '_> {
    /// `POST set`.
    pub(super) fn create(&mut self, table: &Table) -> Result<Reply, Refusal> {
        let object = body::object(&self.call.body)?;
        let done = self.insert(table, &object, &[])?;
        self.answer(table, &done)
    }

    /// `PATCH set(key)`.
    pub(super) fn upsert(&mut self, table: &Table, key: &Key) -> Result<Reply, Refusal> {
        let key = bind::key_values(table, key)?;
        let object = body::object(&self.call.body)?;
        let found = table.locate(&self.writing.tx, &key)?;
        self.check_conditions(table, &key, found)?;
        let done = self.put(table, &object, &key, found)?;
        self.answer(table, &done)
    }

    /// `DELETE set(key)`.
    pub(super) fn delete(&mut self, table: &Table, key: &Key) -> Result<Reply, Refusal> {
        let key = bind::key_values(table, key)?;
        let found = table.locate(&self.writing.tx, &key)?;
        let Some(located) = found else {
            return Err(bind::missing(table, &key));
        };
        self.check_conditions(table, &key, found)?;
        let row = table.row(&self.writing.tx, located.record)?;
        self.writing.delete(table, located.record, &row)?;
        self.unlink(table, &row[table.key[0]])?;
        self.notify(table, Message::Delete, &row[table.key[0]], &[]);
        Ok(Reply::empty(204))
    }

    /// Look-ups that led to a deleted row lead nowhere ("Remove link", the usual cascade).
    fn unlink(&mut self, table: &Table, id: &Value) -> Result<(), Refusal> {
        for other in self
            .service
            .model
            .tables
            .iter()
            .filter(|t| t.source == table.source)
        {
            for (at, column) in other.columns.iter().enumerate() {
                let Kind::Lookup(nav) = column.kind else {
                    continue;
                };
                if !other.navs[nav]
                    .targets
                    .iter()
                    .any(|t| self.service.model.tables[*t].logical == table.logical)
                {
                    continue;
                }
                let sql = format!(
                    "SELECT t.rowid FROM {} t WHERE {} = ?1",
                    other.sql_name,
                    column.sql("t")
                );
                let records: Vec<i64> = self
                    .writing
                    .tx
                    .prepare_cached(&sql)?
                    .query_map([id], |row| row.get(0))?
                    .collect::<Result<_, _>>()?;
                for record in records {
                    self.writing.update(other, record, &[(at, Value::Null)])?;
                }
            }
        }
        Ok(())
    }

    /// Creates or updates, by whether the row is there.
    pub(super) fn put(
        &mut self,
        table: &Table,
        object: &Map<String, Json>,
        key: &[(usize, Value)],
        found: Option<Located>,
    ) -> Result<Done, Refusal> {
        match found {
            None => self.insert(table, object, key),
            Some(located) => self.update(table, object, located),
        }
    }

    fn check_conditions(
        &self,
        table: &Table,
        key: &[(usize, Value)],
        found: Option<Located>,
    ) -> Result<(), Refusal> {
        match (self.call.header("if-match"), found) {
            (Some(_), None) => return Err(bind::missing(table, key)),
            (Some(etag), Some(located))
                if etag != "*" && etag != format!("W/\"{}\"", located.version) =>
            {
                return Err(errors::version_mismatch());
            }
            _ => {}
        }
        match (self.call.header("if-none-match"), found) {
            (Some("*"), Some(_)) => Err(errors::exists()),
            _ => Ok(()),
        }
    }

    pub(super) fn insert(
        &mut self,
        table: &Table,
        object: &Map<String, Json>,
        key: &[(usize, Value)],
    ) -> Result<Done, Refusal> {
        let changes = self.service.changes(
            &self.writing.tx,
            table,
            object,
            self.references,
            Moment::Create,
        )?;
        let mut row: Row = vec![Value::Null; table.columns.len()];
        for (at, value) in changes.into_iter().chain(key.iter().cloned()) {
            row[at] = value;
        }
        Self::fill(table, &mut row);
        for (column, value) in table.columns.iter().zip(&row) {
            if column.requirement == Requirement::Required && *value == Value::Null {
                return Err(errors::required(table, &column.name));
            }
        }
        self.writing
            .insert(table, &row)
            .map_err(|e| refused(table, e))?;
        let id = row[table.key[0]].clone();
        let set: Vec<(usize, Value)> = row
            .into_iter()
            .enumerate()
            .filter(|(_, v)| *v != Value::Null)
            .collect();
        self.notify(table, Message::Create, &id, &set);
        Ok(Done { id, created: true })
    }

    /// What the platform fills in a new row.
    fn fill(table: &Table, row: &mut Row) {
        for (at, column) in table.columns.iter().enumerate() {
            let status = column.name == "statuscode";
            if row[at] != Value::Null || (column.requirement != Requirement::Filled && !status) {
                continue;
            }
            row[at] = match &column.kind {
                Kind::Guid => Value::Blob(clock::new_id().to_vec()),
                Kind::DateTime | Kind::LocalTime => Value::Integer(clock::now_seconds_micros()),
                Kind::Enum(def) => def
                    .members
                    .first()
                    .map_or(Value::Null, |m| Value::Integer(m.value)),
                Kind::Text(_) => Value::Null,
                _ => Value::Integer(0),
            };
        }
    }

    fn update(
        &mut self,
        table: &Table,
        object: &Map<String, Json>,
        located: Located,
    ) -> Result<Done, Refusal> {
        let mut changes = self.service.changes(
            &self.writing.tx,
            table,
            object,
            self.references,
            Moment::Update,
        )?;
        for (at, value) in &changes {
            if table.columns[*at].requirement == Requirement::Required && *value == Value::Null {
                return Err(errors::required(table, &table.columns[*at].name));
            }
        }
        if let Some(at) = table.modified {
            changes.push((at, Value::Integer(clock::now_seconds_micros())));
        }
        self.writing
            .update(table, located.record, &changes)
            .map_err(|e| refused(table, e))?;
        let id = table.cell(&self.writing.tx, located.record, table.key[0])?;
        self.notify(table, Message::Update, &id, &changes);
        Ok(Done { id, created: false })
    }

    fn notify(&mut self, table: &Table, message: Message, id: &Value, changes: &[(usize, Value)]) {
        let changed: Vec<&str> = changes
            .iter()
            .map(|(at, _)| table.columns[*at].name.as_str())
            .collect();
        if !super::hooks::is_registration(&table.logical)
            && !self
                .service
                .notifier
                .wanted(&table.logical, message, &changed)
        {
            return;
        }
        self.events.push(Event::of_row(
            &self.service.model,
            table,
            message,
            id,
            changes,
        ));
    }

    /// 204 with the row's URL, or the row itself where the client prefers it.
    fn answer(&mut self, table: &Table, done: &Done) -> Result<Reply, Refusal> {
        let Value::Blob(id) = &done.id else {
            return Ok(Reply::empty(204));
        };
        let id: [u8; 16] = id[..].try_into().unwrap_or([0; 16]);
        let url = format!(
            "{}{ROOT}{}({})",
            self.call.origin,
            table.set,
            Literal::Guid(id)
        );
        if self.call.preference("return").as_deref() != Some("representation") {
            return Ok(Reply::empty(204).header("OData-EntityId", url));
        }
        let options =
            Options::parse(Service::Dataverse, &self.call.query).map_err(errors::query)?;
        let mut reply = self.service.row(
            &self.writing.tx,
            self.call,
            table,
            &[(table.key[0], done.id.clone())],
            &options,
        )?;
        reply.status = if done.created { 201 } else { 200 };
        reply = reply.header("Preference-Applied", "return=representation");
        Ok(if done.created {
            reply
                .header("OData-EntityId", url.clone())
                .header("Location", url)
        } else {
            reply.header("OData-EntityId", url)
        })
    }
}

/// A row that the database refuses: by its unique keys.
fn refused(table: &Table, error: rusqlite::Error) -> Refusal {
    let rusqlite::Error::SqliteFailure(code, Some(message)) = &error else {
        return error.into();
    };
    if code.code != rusqlite::ErrorCode::ConstraintViolation {
        return error.into();
    }
    // "UNIQUE constraint failed: accounts.accountnumber, accounts._msdyn_company_value"
    let names: Vec<&str> = message
        .rsplit(": ")
        .next()
        .unwrap_or_default()
        .split(", ")
        .filter_map(|c| c.rsplit('.').next())
        .collect();
    if names == [table.columns[table.key[0]].name.as_str()] {
        return errors::exists();
    }
    errors::duplicate_key(&names.join(", "))
}

/// The GUID of a value, in text.
pub(super) fn id_text(id: &Value) -> String {
    match id {
        Value::Blob(bytes) => value::guid_text(&bytes[..].try_into().unwrap_or([0; 16])),
        _ => String::new(),
    }
}
