//! Values: from JSON and literals to storage, and from storage to JSON.

use std::io::Write as _;

use dwmap_odata::{Literal, literal, time};
use dwmap_plan::{Decimal, Rounding, Value as PlanValue};
use rusqlite::types::{Value, ValueRef};
use serde_json::Value as Json;

use crate::base64;
use crate::model::{Column, Kind, OPTION_BASE, Service};

/// 1900-01-01, which stands for no date in Finance & Operations, in days since 1970.
pub(crate) const NO_DATE: i32 = -25_567;
const DAY_MICROS: i64 = 86_400_000_000;

/// Why a value can't stand in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// It is of another type.
    Type,
    /// It is longer than this many UTF-16 units.
    Length(u32),
    /// It lies outside of what the column takes.
    Range(String),
    /// It is none of the members, whose values or names are given.
    Member(String),
}

/// Reads a JSON value for a column; null is given as null.
pub(crate) fn from_json(service: Service, column: &Column, json: &Json) -> Result<Value, Problem> {
    if json.is_null() {
        return Ok(Value::Null);
    }
    let value = match &column.kind {
        Kind::Text(max) => text(service, *max, json)?,
        Kind::Bool => Value::Integer(json.as_bool().ok_or(Problem::Type)?.into()),
        Kind::Int32 => Value::Integer(
            i32::try_from(whole(json)?)
                .map_err(|_| Problem::Range("-2147483648 to 2147483647".to_owned()))?
                .into(),
        ),
        Kind::Int64 => Value::Integer(whole(json)?),
        Kind::Decimal { precision, scale } => decimal(json, *precision, *scale)?,
        Kind::Float => Value::Real(json.as_f64().ok_or(Problem::Type)?),
        Kind::Date => Value::Integer(
            date(json.as_str().ok_or(Problem::Type)?)
                .ok_or(Problem::Type)?
                .into(),
        ),
        Kind::DateTime | Kind::LocalTime => {
            Value::Integer(instant(json.as_str().ok_or(Problem::Type)?).ok_or(Problem::Type)?)
        }
        Kind::Guid | Kind::Lookup(_) | Kind::VirtualId(_) => Value::Blob(
            json.as_str()
                .and_then(literal::parse_guid)
                .ok_or(Problem::Type)?
                .to_vec(),
        ),
        Kind::Enum(_) | Kind::Option(_) => member(service, column, json)?,
        Kind::Binary => Value::Blob(
            json.as_str()
                .and_then(base64::decode)
                .ok_or(Problem::Type)?,
        ),
    };
    check_one_of(column, &value)?;
    check_range(column, &value)?;
    Ok(value)
}

fn text(service: Service, max: Option<u32>, json: &Json) -> Result<Value, Problem> {
    let mut text = json.as_str().ok_or(Problem::Type)?;
    if service == Service::Finops {
        // The database of Finance & Operations keeps no trailing blanks.
        text = text.trim_end_matches(' ');
    }
    if let Some(max) = max
        && text.encode_utf16().count() > max as usize
    {
        return Err(Problem::Length(max));
    }
    if text.is_empty() && service == Service::Dataverse {
        return Ok(Value::Null);
    }
    Ok(Value::Text(text.to_owned()))
}

fn whole(json: &Json) -> Result<i64, Problem> {
    let Json::Number(number) = json else {
        return Err(Problem::Type);
    };
    let number: Decimal = number.to_string().parse().map_err(|_| Problem::Type)?;
    number.to_int().ok_or(Problem::Type)
}

fn decimal(json: &Json, precision: u8, scale: u8) -> Result<Value, Problem> {
    let text = match json {
        Json::Number(number) => number.to_string(),
        // IEEE754Compatible clients send decimals as strings.
        Json::String(text) => text.clone(),
        _ => return Err(Problem::Type),
    };
    units(&text, precision, scale)
}

fn units(text: &str, precision: u8, scale: u8) -> Result<Value, Problem> {
    let number: Decimal = text.parse().map_err(|_| Problem::Type)?;
    let wide = || {
        Problem::Range(format!(
            "{} digits before the point",
            precision.saturating_sub(scale)
        ))
    };
    let rounded = number
        .rescale(scale, Rounding::HalfEven)
        .map_err(|_| wide())?;
    if rounded.integer_digits() > precision.saturating_sub(scale) {
        return Err(wide());
    }
    i64::try_from(rounded.units())
        .map(Value::Integer)
        .map_err(|_| wide())
}

/// A day; an instant gives its day, since Finance & Operations writes days as instants.
fn date(text: &str) -> Option<i32> {
    time::parse_date(text)
        .or_else(|| time::parse_datetime(text).map(|micros| micros.div_euclid(DAY_MICROS) as i32))
}

fn instant(text: &str) -> Option<i64> {
    time::parse_datetime(text)
        .or_else(|| time::parse_datetime(&format!("{text}Z")))
        .or_else(|| time::parse_date(text).map(|days| i64::from(days) * DAY_MICROS))
}

fn member(service: Service, column: &Column, json: &Json) -> Result<Value, Problem> {
    let (Kind::Enum(def) | Kind::Option(def)) = &column.kind else {
        return Err(Problem::Type);
    };
    let found = match (service, json) {
        (Service::Finops, Json::String(name)) => def
            .members
            .iter()
            .find(|m| m.name.eq_ignore_ascii_case(name)),
        (Service::Dataverse, Json::Number(_)) => def.by_value(whole(json)?),
        _ => return Err(Problem::Type),
    };
    let accepted = || match service {
        Service::Finops => def
            .members
            .iter()
            .map(|m| m.name.clone())
            .collect::<Vec<_>>()
            .join(","),
        Service::Dataverse => def
            .members
            .iter()
            .map(|m| m.value.to_string())
            .collect::<Vec<_>>()
            .join(","),
    };
    found
        .map(|m| Value::Integer(m.value))
        .ok_or_else(|| Problem::Member(accepted()))
}

fn check_one_of(column: &Column, value: &Value) -> Result<(), Problem> {
    match value {
        Value::Text(text)
            if !column.one_of.is_empty()
                && !text.is_empty()
                && !column.one_of.iter().any(|o| o.eq_ignore_ascii_case(text)) =>
        {
            Err(Problem::Member(column.one_of.join(",")))
        }
        _ => Ok(()),
    }
}

fn check_range(column: &Column, value: &Value) -> Result<(), Problem> {
    let number = match value {
        Value::Integer(n) => *n as f64,
        Value::Real(n) => *n,
        _ => return Ok(()),
    };
    let bound = |limit: &Option<PlanValue>| {
        let limit = limit.as_ref().and_then(|v| from_plan(&column.kind, v))?;
        match limit {
            Value::Integer(n) => Some(n as f64),
            Value::Real(n) => Some(n),
            _ => None,
        }
    };
    let (min, max) = (bound(&column.min), bound(&column.max));
    if min.is_some_and(|m| number < m) || max.is_some_and(|m| number > m) {
        let show = |v: &Option<PlanValue>| v.as_ref().map_or_else(String::new, show_plan);
        return Err(Problem::Range(format!(
            "{} to {}",
            show(&column.min),
            show(&column.max)
        )));
    }
    Ok(())
}

pub(crate) fn show_plan(value: &PlanValue) -> String {
    match value {
        PlanValue::Int(n) => n.to_string(),
        PlanValue::Decimal(n) => n.to_string(),
        PlanValue::Float(n) => n.to_string(),
        _ => String::new(),
    }
}

/// A value of a schema (a bound, a null form) as it is stored in a column of this kind.
pub(crate) fn from_plan(kind: &Kind, value: &PlanValue) -> Option<Value> {
    Some(match (kind, value) {
        (Kind::Decimal { precision, scale }, PlanValue::Decimal(n)) => {
            units(&n.to_string(), *precision, *scale).ok()?
        }
        (Kind::Decimal { precision, scale }, PlanValue::Int(n)) => {
            units(&n.to_string(), *precision, *scale).ok()?
        }
        (Kind::Float, PlanValue::Int(n)) => Value::Real(*n as f64),
        (Kind::Float, PlanValue::Float(n)) => Value::Real(*n),
        (Kind::Float, PlanValue::Decimal(n)) => Value::Real(n.to_string().parse().ok()?),
        (Kind::Bool, PlanValue::Bool(b)) => Value::Integer((*b).into()),
        (Kind::Int32 | Kind::Int64 | Kind::Enum(_), PlanValue::Int(n)) => Value::Integer(*n),
        (Kind::Int32 | Kind::Int64, PlanValue::Decimal(n)) => Value::Integer(n.to_int()?),
        (Kind::Text(_), PlanValue::Text(text)) => Value::Text(text.clone()),
        (Kind::Date, PlanValue::Date(days)) => Value::Integer((*days).into()),
        (Kind::DateTime | Kind::LocalTime, PlanValue::DateTime(micros)) => Value::Integer(*micros),
        (Kind::Guid, PlanValue::Guid(guid)) => Value::Blob(guid.to_vec()),
        (Kind::Binary, PlanValue::Binary(bytes)) => Value::Blob(bytes.clone()),
        _ => return None,
    })
}

/// A literal of a URL as it is stored in a column of this kind; `None` if the types don't go together.
pub(crate) fn from_literal(kind: &Kind, value: &Literal<'_>) -> Option<Value> {
    Some(match (kind, value) {
        (_, Literal::Null) => Value::Null,
        (Kind::Text(_), Literal::Text(text)) => Value::Text(text.clone().into_owned()),
        (Kind::Bool, Literal::Bool(b)) => Value::Integer((*b).into()),
        (Kind::Int32 | Kind::Int64 | Kind::Option(_), Literal::Int(n)) => Value::Integer(*n),
        (Kind::Int32 | Kind::Int64, Literal::Number(n)) => {
            match n.parse::<Decimal>().ok()?.to_int() {
                Some(n) => Value::Integer(n),
                None => Value::Real(n.parse().ok()?),
            }
        }
        (Kind::Decimal { scale, .. }, Literal::Int(n)) => scaled(&n.to_string(), *scale)?,
        (Kind::Decimal { scale, .. }, Literal::Number(n)) => scaled(n, *scale)?,
        (Kind::Float, Literal::Int(n)) => Value::Real(*n as f64),
        (Kind::Float, Literal::Number(n)) => Value::Real(n.parse().ok()?),
        (Kind::Date, Literal::Date(days)) => Value::Integer((*days).into()),
        (Kind::Date, Literal::DateTime(micros)) => Value::Integer(micros.div_euclid(DAY_MICROS)),
        (Kind::DateTime | Kind::LocalTime, Literal::DateTime(micros)) => Value::Integer(*micros),
        (Kind::DateTime | Kind::LocalTime, Literal::Date(days)) => {
            Value::Integer(i64::from(*days) * DAY_MICROS)
        }
        (Kind::Guid | Kind::Lookup(_), Literal::Guid(guid)) => Value::Blob(guid.to_vec()),
        // Real clients quote GUIDs in keys now and then, and the service takes them.
        (Kind::Guid | Kind::Lookup(_), Literal::Text(text)) => {
            Value::Blob(literal::parse_guid(text)?.to_vec())
        }
        (Kind::VirtualId(number), Literal::Guid(guid)) => Value::Integer(record_id(*number, guid)),
        (Kind::Enum(_), Literal::Int(n)) => Value::Integer(*n),
        (Kind::Enum(def), Literal::Member { member, .. }) => {
            let found = def
                .members
                .iter()
                .find(|m| m.name.eq_ignore_ascii_case(member));
            Value::Integer(found.map(|m| m.value).or_else(|| member.parse().ok())?)
        }
        (Kind::Binary, _) => return None,
        _ => return None,
    })
}

/// A literal in units of a scale, finer places kept as a fraction of a unit so that comparisons stay exact enough.
fn scaled(text: &str, scale: u8) -> Option<Value> {
    let number: Decimal = text.parse().ok()?;
    let rounded = number.rescale(scale, Rounding::HalfEven).ok()?;
    if rounded == number {
        return i64::try_from(rounded.units())
            .ok()
            .map(Value::Integer)
            .or_else(|| float_units(text, scale));
    }
    float_units(text, scale)
}

fn float_units(text: &str, scale: u8) -> Option<Value> {
    Some(Value::Real(
        text.parse::<f64>().ok()? * 10_f64.powi(scale.into()),
    ))
}

/// The id of a virtual row: the entity in the first 4 bytes, the record in the last 8.
pub(crate) fn virtual_id(number: u32, record: i64) -> [u8; 16] {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    id[8..].copy_from_slice(&record.to_be_bytes());
    id
}

/// The record of a virtual row; -1, which no record has, for the id of another entity.
fn record_id(number: u32, id: &[u8; 16]) -> i64 {
    let mut record = [0; 8];
    record.copy_from_slice(&id[8..]);
    if id[..4] == number.to_be_bytes() {
        i64::from_be_bytes(record)
    } else {
        -1
    }
}

/// Writes a stored value as JSON.
pub(crate) fn write_json(out: &mut Vec<u8>, service: Service, kind: &Kind, value: ValueRef<'_>) {
    match (kind, value) {
        (_, ValueRef::Null) => out.extend_from_slice(b"null"),
        (Kind::Text(_), ValueRef::Text(text)) => write_text(out, text),
        (Kind::Bool, ValueRef::Integer(n)) => {
            out.extend_from_slice(if n == 0 { b"false" } else { b"true" });
        }
        (Kind::Decimal { scale, .. }, ValueRef::Integer(n)) => {
            write_decimal(out, service, n, *scale);
        }
        (Kind::Date, ValueRef::Integer(days)) => write_date(out, service, days as i32),
        (Kind::DateTime, ValueRef::Integer(micros)) => write_instant(out, micros, true),
        (Kind::LocalTime, ValueRef::Integer(micros)) => {
            write_instant(out, micros, service == Service::Finops);
        }
        (Kind::Guid | Kind::Lookup(_), ValueRef::Blob(bytes)) => {
            write_id(out, bytes.try_into().unwrap_or([0; 16]));
        }
        (Kind::VirtualId(number), ValueRef::Integer(record)) => {
            write_id(out, virtual_id(*number, record));
        }
        (Kind::Enum(def), ValueRef::Integer(n)) if service == Service::Finops => {
            match def.by_value(n) {
                Some(member) => write_text(out, member.name.as_bytes()),
                None => write_text(out, n.to_string().as_bytes()),
            }
        }
        (Kind::Binary, ValueRef::Blob(bytes)) => write_text(out, base64::encode(bytes).as_bytes()),
        (_, ValueRef::Integer(n)) => {
            let _ = write!(out, "{n}");
        }
        (_, ValueRef::Real(n)) => {
            let _ = write!(out, "{n}");
        }
        (_, ValueRef::Text(text)) => write_text(out, text),
        (_, ValueRef::Blob(bytes)) => write_text(out, base64::encode(bytes).as_bytes()),
    }
}

/// What a user would see for a value: the label of an option, the digits of an amount.
pub(crate) fn formatted(kind: &Kind, value: ValueRef<'_>) -> Option<String> {
    match (kind, value) {
        (Kind::Enum(def), ValueRef::Integer(n)) => def.by_value(n).map(|m| m.name.clone()),
        (Kind::Option(def), ValueRef::Integer(n)) => usize::try_from(n - OPTION_BASE)
            .ok()
            .and_then(|at| def.members.get(at))
            .map(|m| m.name.clone()),
        (Kind::Bool, ValueRef::Integer(n)) => Some(if n == 0 { "No" } else { "Yes" }.to_owned()),
        _ => None,
    }
}

/// Writes a JSON string. SQLite holds only what came in as UTF-8; anything else is replaced.
pub(crate) fn write_text(out: &mut Vec<u8>, text: &[u8]) {
    // Writing to a vector cannot fail.
    let _ = serde_json::to_writer(out, &String::from_utf8_lossy(text));
}

fn write_decimal(out: &mut Vec<u8>, service: Service, units: i64, scale: u8) {
    let Ok(mut number) = Decimal::new(units.into(), scale) else {
        return out.extend_from_slice(b"null");
    };
    if service == Service::Finops {
        number = number.normalised();
    }
    let _ = write!(out, "{number}");
}

fn write_date(out: &mut Vec<u8>, service: Service, days: i32) {
    let mut text = String::with_capacity(24);
    let _ = time::write_date(&mut text, days);
    if service == Service::Finops {
        // Days come as instants at noon, 1900-01-01 as one at midnight (~).
        text.push_str(if days == NO_DATE {
            "T00:00:00Z"
        } else {
            "T12:00:00Z"
        });
    }
    let _ = write!(out, "\"{text}\"");
}

fn write_instant(out: &mut Vec<u8>, micros: i64, zone: bool) {
    let mut text = String::with_capacity(32);
    let _ = time::write_datetime(&mut text, micros);
    let _ = write!(
        out,
        "\"{}\"",
        if zone {
            &text
        } else {
            text.trim_end_matches('Z')
        }
    );
}

fn write_id(out: &mut Vec<u8>, id: [u8; 16]) {
    let _ = write!(out, "\"{}\"", guid_text(&id));
}

/// A GUID in text.
pub(crate) fn guid_text(id: &[u8; 16]) -> String {
    Literal::Guid(*id).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn virtual_ids_give_their_record(number in any::<u32>(), record in 0_i64..) {
            prop_assert_eq!(record_id(number, &virtual_id(number, record)), record);
            prop_assert_eq!(record_id(number.wrapping_add(1), &virtual_id(number, record)), -1);
        }
    }
}
