//! Keys as the state holds them.

use dwmap_plan::Value;
use serde::{Deserialize, Serialize};

use crate::codec::{Unreadable, decode_values, encode_values};

/// The key by which the two records of a pair find each other: the values of the key lines in the left side's
/// storage form, texts folded where they compare without case. Equal keys are equal bytes; the company comes first.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PairKey(pub Vec<u8>);

/// The key by which one system addresses a record, folded where the system compares keys without case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordId(pub Vec<u8>);

/// A text without its case.
pub(crate) fn fold(value: &Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(text.to_lowercase()),
        other => other.clone(),
    }
}

impl PairKey {
    /// The key with these values; `folds` says for each whether its case counts.
    pub fn new(values: &[Value], folds: &[bool]) -> Self {
        let folded: Vec<Value> = values
            .iter()
            .enumerate()
            .map(|(i, v)| {
                if folds.get(i).copied().unwrap_or(false) {
                    fold(v)
                } else {
                    v.clone()
                }
            })
            .collect();
        Self(encode_values(&folded))
    }

    /// The key of a pair of which only one record is there, and that one has no key yet: its company, where there is
    /// one, a null, which no other key holds, and the record's own key.
    pub(crate) fn awaited(company: Option<&Value>, record: &RecordId) -> Option<Self> {
        let company = company.map(fold);
        let head = company.into_iter().chain([Value::Null]);
        let values: Vec<Value> = head.chain(record.values().ok()?).collect();
        Some(Self(encode_values(&values)))
    }

    /// Whether its record has no key yet.
    pub fn is_awaited(&self) -> bool {
        self.values()
            .is_ok_and(|values| values.iter().any(Value::is_null))
    }

    /// The record that has no key yet.
    pub(crate) fn awaiting_record(&self) -> Option<RecordId> {
        let values = self.values().ok()?;
        let null = values.iter().position(Value::is_null)?;
        Some(RecordId(encode_values(&values[null + 1..])))
    }

    /// Its values, folded.
    pub fn values(&self) -> Result<Vec<Value>, Unreadable> {
        decode_values(&self.0)
    }
}

impl RecordId {
    /// The key with these values.
    pub fn new(values: &[Value], folds: bool) -> Self {
        if folds {
            let folded: Vec<Value> = values.iter().map(fold).collect();
            Self(encode_values(&folded))
        } else {
            Self(encode_values(values))
        }
    }

    /// The values to address the record by.
    pub fn values(&self) -> Result<Vec<Value>, Unreadable> {
        decode_values(&self.0)
    }
}

/// A value as people read it.
pub fn display(value: &Value) -> String {
    match value {
        Value::Null => "(none)".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Decimal(d) => d.to_string(),
        Value::Float(f) => f.to_string(),
        Value::Text(text) => text.clone(),
        Value::Date(days) => day(i64::from(*days)),
        Value::DateTime(micros) => {
            let (days, rest) = (
                micros.div_euclid(86_400_000_000),
                micros.rem_euclid(86_400_000_000),
            );
            let seconds = rest / 1_000_000;
            format!(
                "{}T{:02}:{:02}:{:02}Z",
                day(days),
                seconds / 3600,
                seconds / 60 % 60,
                seconds % 60
            )
        }
        Value::Guid(bytes) => {
            let hex = format!("{:032x}", u128::from_be_bytes(*bytes));
            format!(
                "{}-{}-{}-{}-{}",
                &hex[..8],
                &hex[8..12],
                &hex[12..16],
                &hex[16..20],
                &hex[20..]
            )
        }
        Value::Binary(bytes) => format!("{} bytes", bytes.len()),
    }
}

/// The values of a key as people read them.
pub fn display_key<'v>(values: impl IntoIterator<Item = &'v Value>) -> String {
    values
        .into_iter()
        .map(display)
        .collect::<Vec<_>>()
        .join(" ")
}

/// The civil date of a day number, by Howard Hinnant's `civil_from_days`.
fn day(days: i64) -> String {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{:02}", doy - (153 * mp + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_counts_only_where_it_is_said_to() {
        let key = |a: &str, b: &str| PairKey::new(&[a.into(), b.into()], &[true, false]);
        assert_eq!(key("USMF", "a"), key("usmf", "a"));
        assert_ne!(key("usmf", "A"), key("usmf", "a"));
    }

    #[test]
    fn values_are_shown_as_people_write_them() {
        assert_eq!(display(&Value::Date(20_484)), "2026-01-31");
        assert_eq!(display(&Value::DateTime(0)), "1970-01-01T00:00:00Z");
        assert_eq!(display(&Value::DateTime(-1)), "1969-12-31T23:59:59Z");
        assert_eq!(
            display(&Value::Guid([0x12; 16])),
            "12121212-1212-1212-1212-121212121212"
        );
    }
}
