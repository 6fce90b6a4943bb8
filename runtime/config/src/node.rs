//! The manifest as a tree that knows where everything stands, so that an environment can be laid over it and a mistake
//! in either is shown where it was written.

use std::{collections::BTreeMap, ops::Range};

use toml::de::{DeTable, DeValue};

/// A value and its place.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) span: Range<usize>,
}

/// A value.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Text(String),
    Integer(i64),
    /// An integer that no setting can hold.
    HugeInteger,
    /// True or false: no setting is one.
    Bool,
    List(Vec<Node>),
    Table(Table),
    /// A float or a date: no setting is one.
    Other(&'static str),
}

/// The entries of a table by key.
pub(crate) type Table = BTreeMap<String, Entry>;

/// A value with the place of its key.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key_span: Range<usize>,
    pub(crate) node: Node,
}

impl Value {
    /// What it is, for messages.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Integer(_) => "a number",
            Self::HugeInteger => "a number that is far too large",
            Self::Bool => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(what) => what,
        }
    }
}

/// The tree of a parsed table.
pub(crate) fn table(parsed: &DeTable<'_>) -> Table {
    parsed
        .iter()
        .map(|(key, value)| {
            let entry = Entry {
                key_span: key.span(),
                node: node(value.get_ref(), value.span()),
            };
            (key.get_ref().to_string(), entry)
        })
        .collect()
}

fn node(value: &DeValue<'_>, span: Range<usize>) -> Node {
    let value = match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .map_or(Value::HugeInteger, Value::Integer),
        DeValue::Boolean(_) => Value::Bool,
        DeValue::Array(items) => Value::List(
            items
                .iter()
                .map(|item| node(item.get_ref(), item.span()))
                .collect(),
        ),
        DeValue::Table(inner) => Value::Table(table(inner)),
        DeValue::Float(_) => Value::Other("a number with a fraction"),
        DeValue::Datetime(_) => Value::Other("a date"),
    };
    Node { value, span }
}

/// Lays `over` over `base`: tables key by key, all else as a whole. A table that names another `kind` than the one below
/// it takes its place as a whole, since nothing of the other kind would fit.
pub(crate) fn lay_over(base: &mut Table, over: &Table) {
    for (key, entry) in over {
        match (
            base.get_mut(key).map(|below| &mut below.node.value),
            &entry.node.value,
        ) {
            (Some(Value::Table(below)), Value::Table(above)) if !differs_in_kind(below, above) => {
                lay_over(below, above);
            }
            _ => {
                base.insert(key.clone(), entry.clone());
            }
        }
    }
}

fn differs_in_kind(below: &Table, above: &Table) -> bool {
    let kind = |table: &Table| match table.get("kind").map(|entry| &entry.node.value) {
        Some(Value::Text(kind)) => Some(kind.clone()),
        _ => None,
    };
    kind(above).is_some_and(|above| kind(below).as_ref() != Some(&above))
}
