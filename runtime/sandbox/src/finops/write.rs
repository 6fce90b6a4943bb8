//! POST, PATCH, PUT, DELETE: one entity each; PATCH doesn't create, POST doesn't update.
//!
//! Source: *Open Data Protocol (OData)* and *Consume business data by OData*; (~) where the errors module says so.

use dwmap_odata::{Key, Literal};
use dwmap_plan::{Access, Requirement};
use rusqlite::types::Value;
use serde_json::{Map, Value as Json};

use super::{Finops, ROOT, errors, rules};
use crate::http::{Call, Refusal, Reply};
use crate::model::{Column, Kind, Service, Table};
use crate::notify::{Event, Message};
use crate::query::Options;
use crate::store::{Located, Row, Writing};
use crate::value;

/// One request within a transaction.
pub(super) struct Scope<'a, 't> {
    pub service: &'a Finops,
    pub writing: &'a mut Writing<'t>,
    pub events: &'a mut Vec<Event>,
    pub call: &'a Call,
    /// The table's index.
    pub at: usize,
    pub table: &'a Table,
}

/// What becomes of fields that an update doesn't name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// `PATCH`.
    Kept,
    /// `PUT`.
    Blanked,
}

impl Scope<'_, '_> {
    /// `POST set`.
    pub(super) fn create(&mut self) -> Result<Reply, Refusal> {
        let table = self.table;
        let mut row: Row = table.columns.iter().map(blank).collect();
        for (at, value) in self.changes(Access::CreateOnly)? {
            row[at] = value;
        }
        if let Some(at) = table.company
            && is_blank(&row[at])
        {
            row[at] = Value::Text(self.service.company.clone());
        }
        rules::apply(&self.service.model, self.writing, table, &mut row)?;
        for (column, value) in table.columns.iter().zip(&row) {
            if column.requirement == Requirement::Required && is_blank(value) {
                return Err(errors::required(table, &column.name));
            }
        }
        rules::check_relations(&self.service.model, self.writing, table, &row, None)?;
        let located = self
            .writing
            .insert(table, &row)
            .map_err(|e| self.refused(e))?;
        self.notify(Message::Create, located.record, None)?;
        let key: Vec<(usize, Value)> = table.key.iter().map(|at| (*at, row[*at].clone())).collect();
        let mut reply = self.service.row(
            &self.writing.tx,
            self.call,
            table,
            &key,
            &Options::default(),
        )?;
        reply.status = 201;
        Ok(reply.header("Location", self.url(&key)))
    }

    /// `PATCH set(key)` and `PUT set(key)`.
    pub(super) fn update(&mut self, key: &Key, rest: Rest) -> Result<Reply, Refusal> {
        let table = self.table;
        let (key, located) = self.find(key)?;
        let mut changes = self.changes(Access::ReadWrite)?;
        // The key of a row stands in the URL; what the body says of it is passed over.
        changes.retain(|(at, _)| !table.key.contains(at));
        if rest == Rest::Blanked {
            let unnamed = (0..table.columns.len()).filter(|at| {
                !table.key.contains(at)
                    && table.columns[*at].access == Access::ReadWrite
                    && !changes.iter().any(|(c, _)| c == at)
            });
            let blanks: Vec<_> = unnamed.map(|at| (at, blank(&table.columns[at]))).collect();
            changes.extend(blanks);
        }
        for (at, value) in &changes {
            if table.columns[*at].requirement == Requirement::Required && is_blank(value) {
                return Err(errors::required(table, &table.columns[*at].name));
            }
        }
        let mut row = table.row(&self.writing.tx, located.record)?;
        let changed: Vec<usize> = changes.iter().map(|(at, _)| *at).collect();
        for (at, value) in &changes {
            row[*at] = value.clone();
        }
        rules::check_relations(
            &self.service.model,
            self.writing,
            table,
            &row,
            Some(&changed),
        )?;
        let before = self.image(Message::Update, located.record)?;
        self.writing.update(table, located.record, &changes)?;
        self.notify(Message::Update, located.record, before)?;
        if self.call.preference("return").as_deref() == Some("representation") {
            return self.service.row(
                &self.writing.tx,
                self.call,
                table,
                &key,
                &Options::default(),
            );
        }
        Ok(Reply::empty(204))
    }

    /// `DELETE set(key)`.
    pub(super) fn delete(&mut self, key: &Key) -> Result<Reply, Refusal> {
        let (_, located) = self.find(key)?;
        let row = self.table.row(&self.writing.tx, located.record)?;
        let before = self.image(Message::Delete, located.record)?;
        self.writing.delete(self.table, located.record, &row)?;
        self.notify(Message::Delete, located.record, before)?;
        Ok(Reply::empty(204))
    }

    fn find(&self, key: &Key) -> Result<(Vec<(usize, Value)>, Located), Refusal> {
        let table = self.table;
        let key = Finops::key_values(self.call, table, key)?;
        let found = if self.service.visible(self.call, table, &key) {
            table.locate(&self.writing.tx, &key)?
        } else {
            None
        };
        let located = found.ok_or_else(|| errors::no_such_row(table))?;
        match self.call.header("if-match") {
            Some(etag) if etag != "*" && etag != format!("W/\"{}\"", located.version) => {
                Err(errors::version_mismatch())
            }
            _ => Ok((key, located)),
        }
    }

    /// The columns that the body sets, with their values; null as the column's blank.
    fn changes(&self, moment: Access) -> Result<Vec<(usize, Value)>, Refusal> {
        let object: Map<String, Json> = serde_json::from_slice(&self.call.body)
            .map_err(|e| errors::malformed_body(&e.to_string()))?;
        let table = self.table;
        let mut changes = Vec::with_capacity(object.len());
        for (name, json) in object.iter().filter(|(name, _)| !name.contains('@')) {
            let at = table
                .column(name)
                .ok_or_else(|| errors::unknown_property(table, name))?;
            let column = &table.columns[at];
            if column.access == Access::ReadOnly
                || (column.access == Access::CreateOnly && moment != Access::CreateOnly)
            {
                return Err(errors::read_only(table, name));
            }
            let mut value = value::from_json(Service::Finops, column, json)
                .map_err(|problem| errors::value(table, name, json, problem))?;
            if value == Value::Null {
                value = blank(column);
            }
            if let (Value::Text(text), true) = (&value, table.company == Some(at)) {
                value = Value::Text(text.to_lowercase());
            }
            changes.push((at, value));
        }
        Ok(changes)
    }

    fn refused(&self, error: rusqlite::Error) -> Refusal {
        match &error {
            rusqlite::Error::SqliteFailure(code, _)
                if code.code == rusqlite::ErrorCode::ConstraintViolation =>
            {
                errors::duplicate(self.table)
            }
            _ => error.into(),
        }
    }

    fn url(&self, key: &[(usize, Value)]) -> String {
        let mut json = Vec::new();
        let parts: Vec<(&str, Literal<'_>)> = key
            .iter()
            .map(|(at, value)| {
                let column = &self.table.columns[*at];
                json.clear();
                value::write_json(&mut json, Service::Finops, &column.kind, value.into());
                let text = String::from_utf8_lossy(&json).trim_matches('"').to_owned();
                let literal = match (&column.kind, value) {
                    (Kind::Text(_), Value::Text(text)) => Literal::text(text.clone()),
                    (Kind::Enum(def), _) => Literal::member(
                        format!("Microsoft.Dynamics.DataEntities.{}", def.name),
                        text,
                    ),
                    _ => Literal::Number(text.into()),
                };
                (column.name.as_str(), literal)
            })
            .collect();
        format!(
            "{}{ROOT}{}",
            self.call.origin,
            dwmap_odata::Url::set(&self.table.set).key(parts)
        )
    }

    /// The row as an event shows it, if anyone wants to hear of this.
    fn image(&self, message: Message, record: i64) -> Result<Option<Vec<(usize, Value)>>, Refusal> {
        let shown = &self.service.shown.tables[self.at];
        if !self.service.notifier.wanted(&shown.logical, message, &[]) {
            return Ok(None);
        }
        let row = shown.row(&self.writing.tx, record)?;
        // Source: *Data events*: date-times without a value are left out, and so is what has none.
        Ok(Some(
            row.into_iter()
                .enumerate()
                .filter(|(_, v)| *v != Value::Null)
                .collect(),
        ))
    }

    fn notify(
        &mut self,
        message: Message,
        record: i64,
        before: Option<Vec<(usize, Value)>>,
    ) -> Result<(), Refusal> {
        let shown = &self.service.shown.tables[self.at];
        let after = if message == Message::Delete {
            None
        } else {
            self.image(message, record)?
        };
        if before.is_none() && after.is_none() {
            return Ok(());
        }
        let id = Value::Integer(record);
        let mut event = Event::of_row(
            &self.service.shown,
            shown,
            message,
            &id,
            &after.unwrap_or_default(),
        );
        if let Some(before) = before {
            event = event.with_image(&self.service.shown, shown, &before);
        }
        self.events.push(event);
        Ok(())
    }
}

fn blank(column: &Column) -> Value {
    column.blank.clone().unwrap_or(Value::Null)
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => text.is_empty(),
        _ => false,
    }
}
