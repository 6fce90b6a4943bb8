//! Keys and references: which row a URL means.
//!
//! Source: *Use an alternate key to reference a record* and *Associate and disassociate table rows*.

use dwmap_odata::{Key, Literal, Resource};
use rusqlite::Connection;
use rusqlite::types::Value;

use super::{Dataverse, ROOT, errors};
use crate::http::Refusal;
use crate::http::batch::References;
use crate::model::{Kind, Nav, Table};
use crate::value;

/// The columns of a key with their values, by primary or alternate key.
pub(super) fn key_values(table: &Table, key: &Key) -> Result<Vec<(usize, Value)>, Refusal> {
    let single = |literal: &Literal<'_>| {
        let value = value::from_literal(&table.columns[table.key[0]].kind, literal);
        value
            .filter(|v| *v != Value::Null)
            .map(|v| vec![(table.key[0], v)])
            .ok_or_else(|| errors::not_a_key(table))
    };
    let parts = match key {
        Key::Single(literal) => return single(literal),
        Key::Named(parts) => parts,
    };
    if let [(name, literal)] = &parts[..]
        && *name == table.columns[table.key[0]].name
    {
        return single(literal);
    }
    let named = |at: &usize| parts.iter().any(|(n, _)| *n == table.columns[*at].name);
    let declared = table
        .alternate_keys
        .iter()
        .find(|k| k.columns.len() == parts.len() && k.columns.iter().all(named));
    let declared = declared.ok_or_else(|| errors::not_a_key(table))?;
    declared
        .columns
        .iter()
        .map(|at| {
            let column = &table.columns[*at];
            let literal = parts
                .iter()
                .find(|(n, _)| *n == column.name)
                .map(|(_, l)| l);
            let value = literal.and_then(|l| value::from_literal(&column.kind, l));
            value
                .map(|v| (*at, v))
                .ok_or_else(|| errors::not_a_key(table))
        })
        .collect()
}

/// That a key leads to no row, in the words for its kind.
pub(super) fn missing(table: &Table, key: &[(usize, Value)]) -> Refusal {
    match key {
        [(at, value)] if *at == table.key[0] => {
            errors::no_such_row(table, &id_text(&table.columns[*at].kind, value))
        }
        _ => errors::no_such_key(table),
    }
}

fn id_text(kind: &Kind, value: &Value) -> String {
    let mut out = Vec::new();
    value::write_json(
        &mut out,
        crate::model::Service::Dataverse,
        kind,
        value.into(),
    );
    String::from_utf8_lossy(&out).trim_matches('"').to_owned()
}

impl Dataverse {
    /// The GUID of the row that a reference in a body means, and the table that it is of.
    pub(super) fn referenced<'m>(
        &'m self,
        connection: &Connection,
        nav: &Nav,
        url: &str,
        references: &References,
    ) -> Result<(&'m Table, Value), Refusal> {
        let url = references.url(url).unwrap_or(url);
        let malformed = || errors::malformed_path(url);
        let path = url.rfind(ROOT).map_or(url, |at| &url[at + ROOT.len()..]);
        let resource: Resource = path.parse().map_err(|_| malformed())?;
        let (at, table) = self
            .model
            .table(&resource.set)
            .ok_or_else(|| errors::no_such_set(&resource.set))?;
        if !nav.targets.contains(&at) {
            // Source (~): the platform's message for a row of another table.
            return Err(Refusal::new(
                400,
                "0x80048d19",
                format!(
                    "An entity of type '{}' can not be bound to '{}'.",
                    table.logical, nav.name
                ),
            ));
        }
        let key = key_values(table, resource.key.as_ref().ok_or_else(malformed)?)?;
        let located = table
            .locate(connection, &key)?
            .ok_or_else(|| missing(table, &key))?;
        Ok((table, table.cell(connection, located.record, table.key[0])?))
    }
}
