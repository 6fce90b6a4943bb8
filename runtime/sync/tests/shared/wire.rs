//! Rows, values, keys and predicates as they stand in a model system's JSON.

use std::fmt::Write as _;

use dwmap_plan::{CompareOp, Predicate, TextTest, Value};
use serde_json::{Map, Value as Json};

/// A row as JSON.
pub(crate) type Fields = Map<String, Json>;

/// A value as a key's part is written.
pub(crate) fn value_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(b) => b.to_string(),
        Value::Int(i) => i.to_string(),
        Value::Decimal(d) => d.to_string(),
        Value::Text(t) => t.clone(),
        Value::Guid(bytes) => guid_text(bytes),
        other => format!("{other:?}"),
    }
}

fn guid_text(bytes: &[u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (i, byte) in bytes.iter().enumerate() {
        if [4, 6, 8, 10].contains(&i) {
            text.push('-');
        }
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// JSON as a key's part is written.
pub(crate) fn json_text(value: Option<&Json>) -> String {
    match value {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(s)) => s.clone(),
        Some(other) => other.to_string(),
    }
}

/// A key's parts in one text.
pub(crate) fn key_text(key: &[Value]) -> String {
    key.iter().map(value_text).collect::<Vec<_>>().join("/")
}

/// The same of a row's columns.
pub(crate) fn row_key(fields: &Fields, columns: &[&str]) -> String {
    let parts = columns.iter().map(|c| json_text(fields.get(*c)));
    parts.collect::<Vec<_>>().join("/")
}

/// What a predicate says of a row.
pub(crate) fn holds(predicate: &Predicate, fields: &Fields) -> bool {
    match predicate {
        Predicate::All(of) => of.iter().all(|p| holds(p, fields)),
        Predicate::Any(of) => of.iter().any(|p| holds(p, fields)),
        Predicate::Not(p) => !holds(p, fields),
        Predicate::Compare {
            column, op, value, ..
        } => {
            let order = json_text(fields.get(column)).cmp(&value_text(value));
            match op {
                CompareOp::Eq => order.is_eq(),
                CompareOp::Ne => order.is_ne(),
                CompareOp::Lt => order.is_lt(),
                CompareOp::Le => order.is_le(),
                CompareOp::Gt => order.is_gt(),
                CompareOp::Ge => order.is_ge(),
            }
        }
        Predicate::In { column, values, .. } => {
            let held = json_text(fields.get(column));
            values.iter().any(|v| value_text(v) == held)
        }
        Predicate::IsNull { column, .. } => json_text(fields.get(column)).is_empty(),
        Predicate::Text {
            column,
            test,
            value,
        } => {
            let held = json_text(fields.get(column));
            match test {
                TextTest::StartsWith => held.starts_with(value),
                TextTest::EndsWith => held.ends_with(value),
                TextTest::Contains => held.contains(value),
            }
        }
    }
}

/// A write's body as columns: bindings become the columns that hold the identity.
pub(crate) fn body(bytes: &[u8]) -> Fields {
    let parsed: Fields =
        serde_json::from_slice(bytes).unwrap_or_else(|e| panic!("a body isn't an object: {e}"));
    parsed
        .into_iter()
        .map(|(name, value)| match name.strip_suffix("@odata.bind") {
            Some(nav) => (format!("_{nav}_value"), bound(&value)),
            None => (name, value),
        })
        .collect()
}

/// The identity in `/set(identity)`.
fn bound(value: &Json) -> Json {
    let Some(text) = value.as_str() else {
        return Json::Null;
    };
    let inner = text
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.map_or(Json::Null, Json::from)
}

/// The bytes of a GUID's text.
pub(crate) fn parse_guid(text: &str) -> Option<[u8; 16]> {
    if text.len() != 36 {
        return None;
    }
    let digits: Vec<u32> = text
        .chars()
        .filter(|c| *c != '-')
        .map(|c| c.to_digit(16))
        .collect::<Option<_>>()?;
    let mut bytes = [0; 16];
    for (i, pair) in digits.chunks(2).enumerate() {
        bytes[i] = (pair[0] * 16 + pair[1]) as u8;
    }
    Some(bytes)
}
