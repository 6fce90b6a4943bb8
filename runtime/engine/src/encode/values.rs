//! The slow, obvious way: from typed values to bytes.

use dwmap_plan::{EnumDef, MapPlan, Repr, Side, Value, WriteColumn, WriteRepr};

use super::{EncodeError, EncodeProblem, WriteKind};
use crate::write;

/// Appends an object for `target` with the values given, by line; after an error `out` is as before.
pub(crate) fn encode_values(
    map: &MapPlan,
    target: Side,
    values: &[(u16, Value)],
    kind: WriteKind,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let plan = &map.side(target).write;
    let mut members = Vec::new();
    for column in &plan.columns {
        let line = &map.lines[usize::from(column.line)];
        let value = values.iter().find(|(line, _)| *line == column.line);
        let Some((_, value)) = value else { continue };
        // A key is written to a record that is there only where its value is asked for: it has come just now.
        let fixed = column.create_only || line.on_create;
        if kind == WriteKind::Update && fixed {
            continue;
        }
        let value = match (value, &column.null) {
            (Value::Null, Some(null)) => null,
            (value, _) => value,
        };
        let json = json(&column.repr, value, &plan.enums).map_err(|problem| EncodeError {
            line: column.line,
            problem,
        })?;
        members.push(key(column) + &json);
    }
    out.extend_from_slice(format!("{{{}}}", members.join(",")).as_bytes());
    Ok(())
}

/// A column's key with its colon.
pub(super) fn key(column: &WriteColumn) -> String {
    let name = match column.repr {
        WriteRepr::Bind { .. } => format!("{}@odata.bind", column.wire),
        WriteRepr::Column(_) | WriteRepr::Identity(_) => column.wire.clone(),
    };
    quoted(&name) + ":"
}

/// A value as JSON.
pub(super) fn json(
    repr: &WriteRepr,
    value: &Value,
    enums: &[EnumDef],
) -> Result<String, EncodeProblem> {
    if value.is_null() {
        return Ok("null".to_owned());
    }
    match repr {
        WriteRepr::Column(repr) | WriteRepr::Identity(repr) => scalar(repr, value, enums),
        WriteRepr::Bind { set } => {
            let identity = match value {
                Value::Guid(bytes) => guid(*bytes),
                Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
                Value::Int(n) => n.to_string(),
                _ => return Err(EncodeProblem::Mismatch),
            };
            Ok(quoted(&format!("/{set}({identity})")))
        }
    }
}

fn scalar(repr: &Repr, value: &Value, enums: &[EnumDef]) -> Result<String, EncodeProblem> {
    Ok(match (repr, value) {
        (Repr::Text, Value::Text(text)) => quoted(text),
        (Repr::Bool, Value::Bool(b)) => b.to_string(),
        (Repr::Int32 | Repr::Int64 | Repr::EnumInt(_), Value::Int(n)) => n.to_string(),
        (Repr::EnumName(at), Value::Int(n)) => {
            let member = enums.get(usize::from(*at)).and_then(|e| e.by_value(*n));
            quoted(&member.ok_or(EncodeProblem::NoMember)?.name)
        }
        (Repr::Decimal(..), Value::Decimal(n)) => n.to_string(),
        (Repr::Float64, Value::Float(f)) => f.to_string(),
        (Repr::Date, Value::Date(day)) => time(|out| write::time::day(out, i64::from(*day)), "")?,
        (Repr::DateNoon, Value::Date(day)) => {
            time(|out| write::time::day(out, i64::from(*day)), "T12:00:00Z")?
        }
        (Repr::DateTime, Value::DateTime(t)) => time(|out| write::time::moment(out, *t), "Z")?,
        (Repr::LocalTime, Value::DateTime(t)) => time(|out| write::time::moment(out, *t), "")?,
        (Repr::Guid, Value::Guid(bytes)) => quoted(&guid(*bytes)),
        (Repr::Binary, Value::Binary(bytes)) => text_of(|out| write::base64(out, bytes)),
        _ => return Err(EncodeProblem::Mismatch),
    })
}

fn quoted(text: &str) -> String {
    text_of(|out| write::text::string(out, text.as_bytes(), false))
}

fn guid(bytes: [u8; 16]) -> String {
    text_of(|out| write::time::guid(out, bytes))
}

fn time(
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), write::time::BeyondCalendar>,
    zone: &str,
) -> Result<String, EncodeProblem> {
    let mut result = Ok(());
    let text = text_of(|out| result = write(out));
    result.map_err(|_| EncodeProblem::BeyondCalendar)?;
    Ok(format!("\"{text}{zone}\""))
}

/// What is written, which is text always.
fn text_of(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}
