//! One thing that stands in one system or in both, and how it becomes a row of each.

use dwmap_plan::Requirement;
use rusqlite::types::Value;
use serde_json::Value as Json;

use super::dice;
use crate::clock;
use crate::model::{Kind, Model, Service, Table};
use crate::store::Row;
use crate::value;

/// A system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Erp,
    Crm,
}

/// A field of a record.
pub(super) enum Part {
    /// The same value on both sides, by the field's name on each.
    Same(&'static str, &'static str, Json),
    /// A reference: the ERP's field, the CRM's look-up, its set, and the name of what it leads to.
    Ref(&'static str, &'static str, &'static str, String),
    /// In the ERP only.
    Erp(&'static str, Json),
    /// In the CRM only.
    Crm(&'static str, Json),
}

/// A record.
pub(super) struct Record {
    /// Its set in the ERP and in the CRM.
    pub sets: (&'static str, &'static str),
    /// Its company, if it has one.
    pub company: Option<&'static str>,
    /// What it is known by within its company.
    pub name: String,
    /// Whether it stands in the ERP and in the CRM.
    pub stands: (bool, bool),
    pub parts: Vec<Part>,
}

impl Record {
    /// A record of both sides.
    pub(super) fn new(
        sets: (&'static str, &'static str),
        company: Option<&'static str>,
        name: impl Into<String>,
        parts: Vec<Part>,
    ) -> Self {
        Self {
            sets,
            company,
            name: name.into(),
            stands: (true, true),
            parts,
        }
    }

    pub(super) fn stands_in(&self, side: Side) -> bool {
        if side == Side::Erp {
            self.stands.0
        } else {
            self.stands.1
        }
    }

    /// The row of this side; `None` if the schema has no such entity.
    pub(super) fn row<'m>(&self, model: &'m Model, side: Side) -> Option<(&'m Table, Row)> {
        let set = if side == Side::Erp {
            self.sets.0
        } else {
            self.sets.1
        };
        let (_, table) = model.table(set)?;
        let mut row: Row = table
            .columns
            .iter()
            .map(|c| c.blank.clone().unwrap_or(Value::Null))
            .collect();
        match side {
            Side::Erp => {
                if let (Some(company), Some(at)) = (self.company, table.company) {
                    row[at] = Value::Text(company.to_owned());
                }
            }
            Side::Crm => self.fill_crm(table, &mut row),
        }
        for part in &self.parts {
            let (name, json) = match (part, side) {
                (Part::Same(erp, crm, json), _) => {
                    (if side == Side::Erp { erp } else { crm }, json.clone())
                }
                (Part::Ref(erp, _, _, name), Side::Erp) => (erp, name.as_str().into()),
                (Part::Ref(_, crm, set, name), Side::Crm) => (crm, self.reference(set, name)),
                (Part::Erp(name, json), Side::Erp) | (Part::Crm(name, json), Side::Crm) => {
                    (name, json.clone())
                }
                _ => continue,
            };
            if let Some(at) = table.column(name)
                && let Some(value) = stored(model.service, table, at, &json)
            {
                row[at] = value;
            }
        }
        Some((table, row))
    }

    /// The id of what a reference of this record leads to: in its company, where that has companies.
    fn reference(&self, set: &str, name: &str) -> Json {
        if name.is_empty() {
            return Json::Null;
        }
        let company = if matches!(set, "cdm_companies" | "transactioncurrencies") {
            ""
        } else {
            self.company.unwrap_or("")
        };
        value::guid_text(&dice::id(set, company, name)).into()
    }

    fn fill_crm(&self, table: &Table, row: &mut Row) {
        row[table.key[0]] =
            Value::Blob(dice::id(self.sets.1, self.company.unwrap_or(""), &self.name).to_vec());
        if let (Some(company), Some(at)) = (self.company, table.column("_msdyn_company_value")) {
            row[at] = Value::Blob(dice::id("cdm_companies", "", company).to_vec());
        }
        for (at, column) in table.columns.iter().enumerate() {
            let status = column.name == "statuscode";
            if row[at] != Value::Null || (column.requirement != Requirement::Filled && !status) {
                continue;
            }
            row[at] = match &column.kind {
                Kind::DateTime | Kind::LocalTime => Value::Integer(clock::now_seconds_micros()),
                Kind::Enum(def) => def
                    .members
                    .first()
                    .map_or(Value::Null, |m| Value::Integer(m.value)),
                Kind::Int32 | Kind::Int64 | Kind::Bool | Kind::Decimal { .. } => Value::Integer(0),
                _ => Value::Null,
            };
        }
    }
}

/// The value as this column stores it. Enums are given by their member on both sides, two-options as booleans; what
/// doesn't fit into the schema's column is left out.
fn stored(service: Service, table: &Table, at: usize, json: &Json) -> Option<Value> {
    let column = &table.columns[at];
    match (&column.kind, json) {
        (_, Json::Null) => None,
        (Kind::Enum(def), Json::String(name)) => def.by_name(name).map(|m| Value::Integer(m.value)),
        (Kind::Enum(def), Json::Bool(yes)) => {
            def.by_value((*yes).into()).map(|m| Value::Integer(m.value))
        }
        _ => value::from_json(service, column, json)
            .ok()
            .filter(|v| *v != Value::Null),
    }
}
