//! What a body asks to be set, checked against the table.
//!
//! Source: *Create a table row* and *Update and delete table rows*.

use dwmap_plan::Access;
use rusqlite::Connection;
use rusqlite::types::Value;
use serde_json::{Map, Value as Json};

use super::{Dataverse, errors};
use crate::http::Refusal;
use crate::http::batch::References;
use crate::model::{Kind, Link, Nav, Service, Table};
use crate::value;

/// Whether the row is being born.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    Create,
    Update,
}

/// The object of a body.
pub(super) fn object(body: &[u8]) -> Result<Map<String, Json>, Refusal> {
    match serde_json::from_slice(body) {
        Ok(Json::Object(object)) => Ok(object),
        Ok(_) => Err(errors::malformed_body("The payload must be a JSON object.")),
        Err(error) => Err(errors::malformed_body(&error.to_string())),
    }
}

impl Dataverse {
    /// The columns that an object sets, with their values.
    pub(super) fn changes(
        &self,
        connection: &Connection,
        table: &Table,
        object: &Map<String, Json>,
        references: &References,
        moment: Moment,
    ) -> Result<Vec<(usize, Value)>, Refusal> {
        let mut changes: Vec<(usize, Value)> = Vec::with_capacity(object.len());
        for (name, json) in object {
            let change = match name.split_once('@') {
                Some((nav, "odata.bind")) => {
                    Some(self.bound(connection, table, nav, json, references)?)
                }
                // Other annotations are for the client: types, ids, formatted values.
                Some(_) => None,
                None => Self::set(table, name, json, moment)?,
            };
            if let Some((at, value)) = change {
                changes.retain(|(other, _)| *other != at);
                changes.push((at, value));
            }
        }
        Ok(changes)
    }

    fn bound(
        &self,
        connection: &Connection,
        table: &Table,
        name: &str,
        json: &Json,
        references: &References,
    ) -> Result<(usize, Value), Refusal> {
        let nav = self
            .nav_to_bind(table, name)
            .ok_or_else(|| errors::unknown_property(table, name))?;
        let Link::Id(column) = nav.link else {
            return Err(errors::unknown_property(table, name));
        };
        let value = match json {
            Json::Null => Value::Null,
            Json::String(url) => self.referenced(connection, nav, url, references)?.1,
            _ => return Err(errors::malformed_body("A reference must be a text.")),
        };
        Ok((column, value))
    }

    /// By the navigation's name, or by that and the target's, as where there are several: `customerid_account`.
    fn nav_to_bind<'m>(&self, table: &'m Table, name: &str) -> Option<&'m Nav> {
        let with_target = |nav: &Nav| {
            let target = name
                .strip_prefix(nav.name.as_str())
                .and_then(|rest| rest.strip_prefix('_'));
            let mut targets = nav
                .targets
                .iter()
                .map(|t| self.model.tables[*t].logical.as_str());
            target.is_some_and(|target| targets.any(|t| t == target))
        };
        table
            .nav(name)
            .or_else(|| table.navs.iter().find(|nav| with_target(nav)))
    }

    fn set(
        table: &Table,
        name: &str,
        json: &Json,
        moment: Moment,
    ) -> Result<Option<(usize, Value)>, Refusal> {
        let Some(at) = table.column(name) else {
            return match table.nav(name).map(|nav| &nav.link) {
                Some(Link::Id(column)) if json.is_null() => Ok(Some((*column, Value::Null))),
                Some(_) => Err(errors::no_deep_insert(name)),
                None => Err(errors::unknown_property(table, name)),
            };
        };
        let column = &table.columns[at];
        if matches!(column.kind, Kind::Lookup(_)) {
            return Err(errors::direct_lookup());
        }
        if Some(at) == table.modified {
            // The platform keeps this one and takes no notice of what a client says.
            return Ok(None);
        }
        let is_key = table.key.contains(&at);
        match column.access {
            Access::ReadOnly => return Err(errors::read_only(table, name)),
            Access::CreateOnly if moment == Moment::Update => {
                return Err(errors::read_only(table, name));
            }
            _ if is_key && moment == Moment::Update => return Ok(None),
            _ => {}
        }
        let value = value::from_json(Service::Dataverse, column, json)
            .map_err(|problem| errors::value(table, name, json, problem))?;
        Ok(Some((at, value)))
    }
}
