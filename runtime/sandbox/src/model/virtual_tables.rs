//! The ERP's entities as Dataverse shows them.
//!
//! Source: *Virtual entities overview* and *Modeling and naming* of the Finance & Operations documentation.

use std::fmt::Write;
use std::sync::Arc;

use dwmap_odata::virtual_table;
use dwmap_plan::{Access, EnumDef, Requirement};

use super::{Column, Kind, Source, Table};
use crate::value;

/// The options of a virtual table count from here, in the order of the enum's members.
pub(crate) const OPTION_BASE: i64 = 200_000_000;

/// The virtual table that shows this one.
pub(crate) fn show(at: usize, table: &Table) -> Table {
    let mut columns = vec![
        column(
            virtual_table::id_column(&table.logical),
            "@.rowid".to_owned(),
            Kind::VirtualId(table.number),
        ),
        column(
            virtual_table::PRIMARY_FIELD.to_owned(),
            primary_field(table),
            Kind::Text(None),
        ),
    ];
    columns.extend(table.columns.iter().map(|c| {
        let (sql, kind) = shown(c);
        column(virtual_table::column(&c.name), sql, kind)
    }));
    Table {
        set: virtual_table::set_name(&table.logical),
        logical: virtual_table::logical_name(&table.logical),
        sql_name: table.sql_name.clone(),
        // Rows of the ERP are made by the ERP.
        insert: String::new(),
        source: Source::Virtual(at),
        number: table.number,
        by_name: Table::index(&columns),
        columns,
        key: vec![0],
        alternate_keys: Vec::new(),
        navs: Vec::new(),
        company: None,
        modified: None,
        tracked: table.tracked,
    }
}

fn column(name: String, sql: String, kind: Kind) -> Column {
    Column {
        name,
        sql,
        kind,
        access: Access::ReadOnly,
        requirement: Requirement::Optional,
        one_of: Vec::new(),
        min: None,
        max: None,
        blank: None,
    }
}

/// How a column of the ERP is read here: blanks and 1900-01-01 as null, enums by their option.
fn shown(column: &Column) -> (String, Kind) {
    let sql = &column.sql;
    match &column.kind {
        Kind::Text(max) => (format!("NULLIF({sql}, '')"), Kind::Text(*max)),
        Kind::Date => (format!("NULLIF({sql}, {})", value::NO_DATE), Kind::Date),
        kind @ (Kind::DateTime | Kind::LocalTime) => (
            format!(
                "NULLIF({sql}, {})",
                i64::from(value::NO_DATE) * 86_400_000_000
            ),
            kind.clone(),
        ),
        Kind::Enum(def) => (option(sql, def), Kind::Option(Arc::clone(def))),
        kind => (sql.clone(), kind.clone()),
    }
}

fn option(sql: &str, def: &EnumDef) -> String {
    let mut out = format!("CASE {sql}");
    for (ordinal, member) in def.members.iter().enumerate() {
        let _ = write!(
            out,
            " WHEN {} THEN {}",
            member.value,
            OPTION_BASE + ordinal as i64
        );
    }
    out.push_str(" END");
    out
}

/// The key's values as the primary field joins them.
fn primary_field(table: &Table) -> String {
    let parts = table.key.iter().map(|at| {
        let column = &table.columns[*at];
        match &column.kind {
            Kind::Enum(def) => {
                let mut out = format!("CASE {}", column.sql);
                for member in &def.members {
                    let _ = write!(
                        out,
                        " WHEN {} THEN '{}'",
                        member.value,
                        member.name.replace('\'', "''")
                    );
                }
                out.push_str(" END");
                out
            }
            _ => column.sql.clone(),
        }
    });
    format!("({})", parts.collect::<Vec<_>>().join(" || '|' || "))
}
