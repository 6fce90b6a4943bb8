//! An independent reading of records: serde_json, and plain decoding of what it gives.

use dwmap_plan::{Decimal, DecimalError, EnumDef, Program, Repr, Value};
use dwmap_steps::semantics::Slot;
use dwmap_steps::{Bound, Failure, JsonKind};
use serde_json::Value as Json;

/// A number that makes the whole record an error.
#[derive(Debug, PartialEq)]
pub struct TooLong;

/// The columns of a record; `Err` where the record as a whole is refused.
pub fn columns(json: &str, program: &Program) -> Result<Vec<Slot>, TooLong> {
    let Json::Object(object) = serde_json::from_str(json).unwrap() else {
        panic!("{json} is no object")
    };
    program
        .columns
        .iter()
        .map(|c| match object.get(&c.wire) {
            None | Some(Json::Null) => Ok(Ok(Value::Null)),
            Some(value) => Ok(decode(value, &c.repr, &program.enums)?.map_err(Into::into)),
        })
        .collect()
}

fn decode(json: &Json, repr: &Repr, enums: &[EnumDef]) -> Result<Result<Value, Failure>, TooLong> {
    let kind = match json {
        Json::Null => return Ok(Ok(Value::Null)),
        Json::Bool(_) => JsonKind::Bool,
        Json::Number(_) => JsonKind::Number,
        Json::String(_) => JsonKind::String,
        Json::Array(_) => JsonKind::Array,
        Json::Object(_) => JsonKind::Object,
    };
    Ok(match (json, repr) {
        (Json::Bool(b), Repr::Bool) => Ok(Value::Bool(*b)),
        (Json::String(text), repr) => string(text, repr, enums),
        (Json::Number(n), repr) => number(&n.to_string(), repr, enums)?,
        _ => Err(Failure::WrongKind(kind)),
    })
}

fn string(text: &str, repr: &Repr, enums: &[EnumDef]) -> Result<Value, Failure> {
    let unreadable = Failure::Unreadable;
    match repr {
        Repr::Text => Ok(Value::from(text)),
        Repr::Date => Ok(Value::Date(day(text).ok_or(unreadable)?)),
        Repr::DateNoon => {
            let noon = instant(text, true).map(|t| t.div_euclid(86_400_000_000) as i32);
            day(text).or(noon).map(Value::Date).ok_or(unreadable)
        }
        Repr::DateTime => instant(text, true).map(Value::DateTime).ok_or(unreadable),
        Repr::LocalTime => instant(text, false).map(Value::DateTime).ok_or(unreadable),
        Repr::Guid => guid(text).map(Value::Guid).ok_or(unreadable),
        Repr::Int64 if text.starts_with('+') => Err(unreadable),
        Repr::Int64 => text.parse().map(Value::Int).map_err(|_| unreadable),
        Repr::EnumName(at) => enums[usize::from(*at)]
            .by_name(text)
            .map(|m| Value::Int(m.value))
            .ok_or(Failure::UnknownMember),
        Repr::Binary => match text {
            "" => Ok(Value::Binary(vec![])),
            "Zg==" => Ok(Value::Binary(b"f".to_vec())),
            "/wBx" => Ok(Value::Binary(b"\xff\x00q".to_vec())),
            _ => Err(unreadable),
        },
        _ => Err(Failure::WrongKind(JsonKind::String)),
    }
}

fn number(text: &str, repr: &Repr, enums: &[EnumDef]) -> Result<Result<Value, Failure>, TooLong> {
    let exact: Result<Decimal, _> = text.parse();
    let whole = !text.contains(['.', 'e', 'E']);
    let kind = Err(Failure::WrongKind(JsonKind::Number));
    Ok(match repr {
        Repr::Decimal(..) => Ok(Value::Decimal(exact.map_err(|_| TooLong)?)),
        Repr::Float64 => {
            let f: f64 = text.parse().unwrap();
            if !f.is_finite() {
                return Err(TooLong);
            }
            Ok(Value::Float(f))
        }
        Repr::Int32 | Repr::Int64 | Repr::EnumInt(_) if exact == Err(DecimalError::TooLong) => {
            return Err(TooLong);
        }
        Repr::Int32 | Repr::Int64 | Repr::EnumInt(_) if !whole => kind,
        Repr::Int32 => match text.parse::<i32>() {
            Ok(n) => Ok(Value::Int(i64::from(n))),
            Err(_) => Err(Failure::OutOfRange(Bound::Int32)),
        },
        Repr::Int64 => match text.parse() {
            Ok(n) => Ok(Value::Int(n)),
            Err(_) => Err(Failure::OutOfRange(Bound::Int64)),
        },
        Repr::EnumInt(at) => match text.parse() {
            Ok(n) if enums[usize::from(*at)].by_value(n).is_some() => Ok(Value::Int(n)),
            _ => Err(Failure::UnknownMember),
        },
        _ => kind,
    })
}

/// Days since 1970-01-01, counted year by year and month by month.
fn day(text: &str) -> Option<i32> {
    let parts: Vec<&str> = text.split('-').collect();
    let [y, m, d] = parts[..] else { return None };
    if (y.len(), m.len(), d.len()) != (4, 2, 2) {
        return None;
    }
    let (y, m, d): (i32, i32, i32) = (y.parse().ok()?, m.parse().ok()?, d.parse().ok()?);
    let leap = |y: i32| y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    let length = |m: i32| match m {
        2 => 28 + i32::from(leap(y)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if !(1..=12).contains(&m) || !(1..=length(m)).contains(&d) {
        return None;
    }
    let year = |y: i32| 365 + i32::from(leap(y));
    let years: i32 = (1970..y).map(year).sum::<i32>() - (y..1970).map(year).sum::<i32>();
    Some(years + (1..m).map(length).sum::<i32>() + d - 1)
}

fn instant(text: &str, zone: bool) -> Option<i64> {
    let (date, rest) = text.split_once('T')?;
    let (time, offset) = match rest.find(['Z', '+', '-']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let offset = match (offset, zone) {
        ("Z", _) | ("", false) => 0,
        ("+02:00", true) => 7200,
        ("-02:00", true) => -7200,
        _ => return None,
    };
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let parts: Vec<i64> = clock.split(':').map(|p| p.parse().unwrap()).collect();
    if parts[0] > 23 {
        return None;
    }
    let micros: i64 = format!("{fraction:0<6}").parse().unwrap();
    let seconds = parts[0] * 3600 + parts[1] * 60 + parts[2] - offset;
    Some((i64::from(day(date)?) * 86_400 + seconds) * 1_000_000 + micros)
}

fn guid(text: &str) -> Option<[u8; 16]> {
    let digits = text.replace('-', "");
    if digits.len() != 32 {
        return None;
    }
    let number = u128::from_str_radix(&digits, 16).ok()?;
    Some(number.to_be_bytes())
}
