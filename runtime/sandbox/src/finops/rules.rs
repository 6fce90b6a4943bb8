//! The little business logic that the sandbox has, in two tables: what a new row gets by default, and which values must
//! be found elsewhere. Rules for entities or fields that a schema lacks are passed over.
//!
//! Source (~): what the forms and data entities of the standard application do.

use rusqlite::OptionalExtension;
use rusqlite::types::Value;

use super::errors;
use crate::http::Refusal;
use crate::model::{Model, Table};
use crate::store::{self, Row, Writing};

/// Where a default comes from.
enum From {
    /// Another field of the row.
    Field(&'static str),
    /// A fixed text.
    Text(&'static str),
    /// A field of the row that this field of ours names in another entity of the company.
    Related {
        by: &'static str,
        set: &'static str,
        key: &'static str,
        take: &'static str,
    },
    /// The next number of a sequence: its prefix.
    Sequence(&'static str),
}

/// Set, field that is blank, and what it gets. In order: later rules see what earlier ones set.
const DEFAULTS: &[(&str, &str, From)] = &[
    ("CustomersV3", "CustomerAccount", From::Sequence("C-")),
    (
        "CustomersV3",
        "InvoiceAccount",
        From::Field("CustomerAccount"),
    ),
    ("CustomersV3", "LanguageId", From::Text("en-us")),
    (
        "CustomersV3",
        "PaymentTerms",
        From::Related {
            by: "CustomerGroupId",
            set: "CustomerGroups",
            key: "CustomerGroupId",
            take: "PaymentTermId",
        },
    ),
    ("VendorsV2", "VendorAccountNumber", From::Sequence("V-")),
    (
        "VendorsV2",
        "DefaultPaymentTermsName",
        From::Related {
            by: "VendorGroupId",
            set: "VendorGroups",
            key: "VendorGroupId",
            take: "DefaultPaymentTermName",
        },
    ),
];

/// Set, field, the set where its value must be found, and the field there.
const RELATIONS: &[(&str, &str, &str, &str)] = &[
    ("CustomerGroups", "PaymentTermId", "PaymentTerms", "Name"),
    (
        "CustomersV3",
        "CustomerGroupId",
        "CustomerGroups",
        "CustomerGroupId",
    ),
    (
        "CustomersV3",
        "InvoiceAccount",
        "CustomersV3",
        "CustomerAccount",
    ),
    ("CustomersV3", "PaymentDay", "PaymentDaysCds", "Name"),
    (
        "CustomersV3",
        "PaymentMethod",
        "CustomerPaymentMethods",
        "Name",
    ),
    ("CustomersV3", "PaymentSchedule", "PaymentSchedules", "Name"),
    ("CustomersV3", "PaymentTerms", "PaymentTerms", "Name"),
    (
        "CustomersV3",
        "SalesCurrencyCode",
        "Currencies",
        "CurrencyCode",
    ),
    ("VendorsV2", "CurrencyCode", "Currencies", "CurrencyCode"),
    (
        "VendorsV2",
        "VendorGroupId",
        "VendorGroups",
        "VendorGroupId",
    ),
];

/// Fills blank fields of a new row.
pub(super) fn apply(
    model: &Model,
    writing: &mut Writing<'_>,
    table: &Table,
    row: &mut Row,
) -> Result<(), Refusal> {
    for (_, field, from) in DEFAULTS.iter().filter(|(set, _, _)| *set == table.set) {
        let Some(at) = table.column(field).filter(|at| blank(&row[*at])) else {
            continue;
        };
        let value = match from {
            From::Field(other) => table.column(other).map(|at| row[at].clone()),
            From::Text(text) => Some(Value::Text((*text).to_owned())),
            From::Related { by, set, key, take } => {
                related(model, writing, table, row, (by, set, key, take))?
            }
            From::Sequence(prefix) => Some(Value::Text(next_number(writing, table, prefix)?)),
        };
        if let Some(value) = value {
            row[at] = value;
        }
    }
    Ok(())
}

/// Refuses values that must be found elsewhere and aren't; only those of the changed columns, where there is a row.
pub(super) fn check_relations(
    model: &Model,
    writing: &Writing<'_>,
    table: &Table,
    row: &Row,
    changed: Option<&[usize]>,
) -> Result<(), Refusal> {
    for (_, field, set, key) in RELATIONS.iter().filter(|(own, ..)| *own == table.set) {
        let Some(at) = table
            .column(field)
            .filter(|at| changed.is_none_or(|c| c.contains(at)))
        else {
            continue;
        };
        let Value::Text(value) = &row[at] else {
            continue;
        };
        let Some((_, target)) = model.table(set).filter(|(_, t)| t.column(key).is_some()) else {
            continue;
        };
        let own_key =
            target.set == table.set && table.column(key).is_some_and(|k| row[k] == row[at]);
        if value.is_empty()
            || own_key
            || find(writing, table, row, target, key, value, "1")?.is_some()
        {
            continue;
        }
        return Err(errors::not_related(table, field, value, set));
    }
    Ok(())
}

fn related(
    model: &Model,
    writing: &Writing<'_>,
    table: &Table,
    row: &Row,
    (by, set, key, take): (&str, &str, &str, &str),
) -> Result<Option<Value>, Refusal> {
    let (Some(by), Some((_, target))) = (table.column(by), model.table(set)) else {
        return Ok(None);
    };
    let (Value::Text(value), Some(take)) = (&row[by], target.column(take)) else {
        return Ok(None);
    };
    if target.column(key).is_none() {
        return Ok(None);
    }
    find(
        writing,
        table,
        row,
        target,
        key,
        value,
        &target.columns[take].sql("t"),
    )
}

/// Looks a value up in another entity, within the row's company.
fn find(
    writing: &Writing<'_>,
    table: &Table,
    row: &Row,
    target: &Table,
    key: &str,
    value: &str,
    take: &str,
) -> Result<Option<Value>, Refusal> {
    let Some(key) = target.column(key) else {
        return Ok(None);
    };
    let key = target.columns[key].sql("t");
    let sql = format!("SELECT {take} FROM {} t WHERE {key} = ?1", target.sql_name);
    let found = if let (Some(own), Some(company)) = (table.company, target.company) {
        let sql = format!("{sql} AND {} = ?2", target.columns[company].sql("t"));
        let mut statement = writing.tx.prepare_cached(&sql)?;
        statement
            .query_row((value, &row[own]), |row| row.get(0))
            .optional()?
    } else {
        let mut statement = writing.tx.prepare_cached(&sql)?;
        statement.query_row([value], |row| row.get(0)).optional()?
    };
    Ok(found)
}

/// The next number of a sequence, kept in the file.
fn next_number(writing: &Writing<'_>, table: &Table, prefix: &str) -> Result<String, Refusal> {
    let name = format!("sequence/{}", table.set);
    let last: u64 = store::setting(&writing.tx, &name)?
        .and_then(|n| n.parse().ok())
        .unwrap_or_default();
    store::set_setting(&writing.tx, &name, &(last + 1).to_string())?;
    Ok(format!("{prefix}{:06}", last + 1))
}

fn blank(value: &Value) -> bool {
    matches!(value, Value::Text(text) if text.is_empty())
}
