//! Single values on the wire: keys of referenced records, keys that a feed tells in its rows, and the constants of
//! a deactivation. Whole rows are the engine's work.

use dwmap_plan::{EnumDef, FieldConstant, Repr, Value};
use serde_json::Value as Json;

/// Reads a column of a row. None where it isn't there or isn't of its form.
pub(crate) fn read(
    row: &serde_json::Map<String, Json>,
    wire: &str,
    repr: &Repr,
    enums: &[EnumDef],
) -> Option<Value> {
    let json = row.get(wire)?;
    if json.is_null() {
        return Some(Value::Null);
    }
    let text = || json.as_str().map(str::to_owned);
    Some(match repr {
        Repr::Text => Value::Text(text()?),
        Repr::Bool => Value::Bool(json.as_bool()?),
        Repr::Int32 | Repr::Int64 => Value::Int(match json {
            Json::String(digits) => digits.parse().ok()?,
            other => other.as_i64()?,
        }),
        Repr::Decimal(..) => match json {
            Json::Number(n) => Value::Decimal(n.to_string().parse().ok()?),
            other => Value::Decimal(other.as_str()?.parse().ok()?),
        },
        Repr::Float64 => Value::Float(json.as_f64()?),
        Repr::Date | Repr::DateNoon => Value::Date(parse_day(json.as_str()?)?),
        Repr::DateTime | Repr::LocalTime => Value::DateTime(parse_instant(json.as_str()?)?),
        Repr::Guid => Value::Guid(parse_guid(json.as_str()?)?),
        Repr::EnumName(at) => {
            let member = enums.get(usize::from(*at))?.by_name(json.as_str()?)?;
            Value::Int(member.value)
        }
        Repr::EnumInt(_) => Value::Int(json.as_i64()?),
        Repr::Binary => return None,
    })
}

/// The body that sets these fields.
pub(crate) fn constants(fields: &[FieldConstant], enums: &[EnumDef]) -> Vec<u8> {
    let body: serde_json::Map<String, Json> = fields
        .iter()
        .map(|f| (f.wire.clone(), write(&f.value, &f.repr, enums)))
        .collect();
    Json::Object(body).to_string().into_bytes()
}

pub(crate) fn write(value: &Value, repr: &Repr, enums: &[EnumDef]) -> Json {
    match (value, repr) {
        (Value::Int(n), Repr::EnumName(at)) => enums
            .get(usize::from(*at))
            .and_then(|e| e.by_value(*n))
            .map_or(Json::Null, |m| Json::from(m.name.as_str())),
        (Value::Null, _) => Json::Null,
        (Value::Bool(b), _) => Json::from(*b),
        (Value::Int(n), _) => Json::from(*n),
        (Value::Float(f), _) => Json::from(*f),
        (Value::Decimal(d), _) => serde_json::from_str(&d.to_string()).unwrap_or(Json::Null),
        (Value::Date(_), Repr::DateNoon) => Json::from(crate::key::display(value) + "T12:00:00Z"),
        (other, _) => Json::from(crate::key::display(other)),
    }
}

fn parse_guid(text: &str) -> Option<[u8; 16]> {
    let mut digits = text.bytes().filter(|b| *b != b'-');
    let mut guid = [0; 16];
    for byte in &mut guid {
        let mut half = || char::from(digits.next()?).to_digit(16);
        *byte = (half()? << 4 | half()?) as u8;
    }
    digits.next().is_none().then_some(guid)
}

/// The day number of `2026-01-31` (and of whatever follows it), by Howard Hinnant's `days_from_civil`.
fn parse_day(text: &str) -> Option<i32> {
    let part = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (part(0..4)?, part(5..7)?, part(8..10)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let yoe = year.rem_euclid(400);
    let doy = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    i32::try_from(era * 146_097 + doe - 719_468).ok()
}

fn parse_instant(text: &str) -> Option<i64> {
    let day = i64::from(parse_day(text)?);
    let part = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    let seconds = part(11..13)? * 3600 + part(14..16)? * 60 + part(17..19)?;
    let fraction: String = text
        .get(19..)?
        .strip_prefix('.')
        .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect())
        .unwrap_or_default();
    let micros = format!("{fraction:0<6}").get(..6)?.parse::<i64>().ok()?;
    Some((day * 86_400 + seconds) * 1_000_000 + micros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::display;

    #[test]
    fn what_is_shown_is_what_is_read() {
        let row = serde_json::json!({
            "d": "2026-01-31", "n": "1900-01-01T12:00:00Z", "t": "2026-01-31T23:59:59.5Z",
            "g": "00112233-4455-6677-8899-aabbccddeeff", "i": "42", "m": 12.50
        });
        let row = row.as_object().unwrap();
        let shown = |wire, repr| display(&read(row, wire, &repr, &[]).unwrap());
        assert_eq!(shown("d", Repr::Date), "2026-01-31");
        assert_eq!(shown("n", Repr::DateNoon), "1900-01-01");
        assert_eq!(shown("t", Repr::DateTime), "2026-01-31T23:59:59Z");
        assert_eq!(
            shown("g", Repr::Guid),
            "00112233-4455-6677-8899-aabbccddeeff"
        );
        assert_eq!(shown("i", Repr::Int64), "42");
        assert_eq!(shown("m", Repr::Decimal(10, 2)), "12.5");
        assert_eq!(read(row, "g", &Repr::Date, &[]), None);
        assert_eq!(read(row, "absent", &Repr::Text, &[]), None);
    }

    #[test]
    fn constants_are_written_in_their_form() {
        let enums = [EnumDef {
            name: "State".into(),
            boolean: false,
            members: vec![dwmap_plan::Member {
                name: "Inactive".into(),
                value: 1,
            }],
        }];
        let field = |wire: &str, repr| FieldConstant {
            wire: wire.into(),
            repr,
            value: Value::Int(1),
        };
        let body = constants(
            &[
                field("statecode", Repr::EnumInt(0)),
                field("State", Repr::EnumName(0)),
            ],
            &enums,
        );
        let body: Json = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            body,
            serde_json::json!({ "statecode": 1, "State": "Inactive" })
        );
    }
}
