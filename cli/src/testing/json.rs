//! Typed values as they stand in a system's JSON, and back.

use dwmap_plan::{Decimal, EnumDef, Repr, Value};
use serde_json::Value as Json;

/// A value in the form of its column.
pub(crate) fn to_json(value: &Value, repr: &Repr, enums: &[EnumDef]) -> Json {
    let member = |at: &u16, n: i64| enums.get(usize::from(*at)).and_then(|e| e.by_value(n));
    match (value, repr) {
        (Value::Null, _) => Json::Null,
        (Value::Bool(b), _) => Json::Bool(*b),
        (Value::Int(n), Repr::EnumName(at)) => {
            member(at, *n).map_or_else(|| Json::from(*n), |m| Json::from(m.name.as_str()))
        }
        (Value::Int(n), _) => Json::from(*n),
        (Value::Decimal(d), _) => number(*d),
        (Value::Float(f), _) => Json::from(*f),
        (Value::Text(text), _) => Json::from(text.as_str()),
        (Value::Date(days), Repr::DateNoon) => Json::from(format!("{}T12:00:00Z", date(*days))),
        (Value::Date(days), _) => Json::from(date(*days)),
        (Value::DateTime(micros), Repr::LocalTime) => Json::from(instant(*micros)),
        (Value::DateTime(micros), _) => Json::from(format!("{}Z", instant(*micros))),
        (Value::Guid(bytes), _) => Json::from(guid(bytes)),
        (Value::Binary(bytes), _) => Json::from(format!("{bytes:?}")),
    }
}

/// Exact, whatever the number of digits.
fn number(decimal: Decimal) -> Json {
    decimal
        .to_string()
        .parse::<serde_json::Number>()
        .map_or(Json::Null, Json::Number)
}

/// `2026-01-31` of the days since 1970-01-01, by Hinnant's algorithm for the proleptic Gregorian calendar
/// (<https://howardhinnant.github.io/date_algorithms.html>).
fn date(days: i32) -> String {
    let shifted = i64::from(days) + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `2026-01-31T00:00:00` of microseconds, with a fraction only where there is one.
fn instant(micros: i64) -> String {
    const DAY: i64 = 86_400_000_000;
    let (days, rest) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
    let (seconds, fraction) = (rest / 1_000_000, rest % 1_000_000);
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let day = date(i32::try_from(days).unwrap_or(0));
    let fraction = if fraction == 0 {
        String::new()
    } else {
        format!(".{fraction:06}")
    };
    format!("{day}T{hours:02}:{minutes:02}:{seconds:02}{fraction}")
}

/// `00000000-0000-0000-0000-000000000000`.
pub(crate) fn guid(bytes: &[u8; 16]) -> String {
    let hex = format!("{:032x}", u128::from_be_bytes(*bytes));
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    parts.join("-")
}

/// Whether two JSON values are the same: numbers by value, null as no value at all, texts without regard to case
/// where `fold` says so.
pub(crate) fn same(a: &Json, b: &Json, fold: bool) -> bool {
    let decimal = |n: &serde_json::Number| n.to_string().parse::<Decimal>().ok();
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => decimal(a) == decimal(b),
        (Json::String(a), Json::String(b)) if fold => a.to_lowercase() == b.to_lowercase(),
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_instants_are_written_as_the_services_do() {
        let json = |value: Value, repr: Repr| to_json(&value, &repr, &[]);
        assert_eq!(json(Value::Date(0), Repr::Date), "1970-01-01");
        assert_eq!(json(Value::Date(-25_567), Repr::Date), "1900-01-01");
        assert_eq!(
            json(Value::Date(20_484), Repr::DateNoon),
            "2026-01-31T12:00:00Z"
        );
        assert_eq!(
            json(Value::DateTime(-1), Repr::DateTime),
            "1969-12-31T23:59:59.999999Z"
        );
    }

    #[test]
    fn numbers_are_the_same_by_value() {
        let json = |text: &str| serde_json::from_str::<Json>(text).unwrap();
        assert!(same(&json("1.0"), &json("1.00"), false));
        assert!(!same(&json("1.0"), &json("1.01"), false));
        assert!(!same(&json("\"a\""), &json("\"A\""), false));
    }
}
