//! Types and values.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Decimal;

/// The type of a field, of a cell or of a slot. Nullability stands beside it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Type {
    /// `string(n)` with its greatest length in the schema's unit, or `text` without one.
    Text(Option<u32>),
    /// `bool`.
    Bool,
    /// `int32`.
    Int32,
    /// `int64`.
    Int64,
    /// `decimal(precision, scale)`; precision at most 38.
    Decimal(u8, u8),
    /// `float64`.
    Float64,
    /// `date`: a day, without a zone.
    Date,
    /// `datetime`: an instant.
    DateTime,
    /// `localtime`: a date and time of day without a zone.
    LocalTime,
    /// `guid`.
    Guid,
    /// `enum E`, by the enum's name in its schema. Values are its wire integers.
    Enum(String),
    /// `binary`.
    Binary,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(Some(n)) => write!(f, "string({n})"),
            Self::Text(None) => f.write_str("text"),
            Self::Bool => f.write_str("bool"),
            Self::Int32 => f.write_str("int32"),
            Self::Int64 => f.write_str("int64"),
            Self::Decimal(p, s) => write!(f, "decimal({p}, {s})"),
            Self::Float64 => f.write_str("float64"),
            Self::Date => f.write_str("date"),
            Self::DateTime => f.write_str("datetime"),
            Self::LocalTime => f.write_str("localtime"),
            Self::Guid => f.write_str("guid"),
            Self::Enum(name) => write!(f, "enum {name}"),
            Self::Binary => f.write_str("binary"),
        }
    }
}

/// A typed value. The type is known beside it: an enum's value is its wire integer in [`Value::Int`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// No value.
    Null,
    /// `bool`.
    Bool(bool),
    /// `int32`, `int64`, and the wire integer of an enum's member.
    Int(i64),
    /// `decimal(p, s)`.
    Decimal(Decimal),
    /// `float64`; never NaN or infinite.
    Float(f64),
    /// `string(n)` and `text`.
    Text(String),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00:00Z; for `localtime` the same of the local clock.
    DateTime(i64),
    /// 16 bytes in the order in which they are written.
    Guid([u8; 16]),
    /// Bytes.
    Binary(Vec<u8>),
}

// A float in a value is never NaN (every reader refuses it), so equality is total.
impl Eq for Value {}

impl Value {
    /// Whether it is [`Value::Null`].
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether the value may stand in a place of this type (null may stand in any).
    pub fn fits(&self, ty: &Type) -> bool {
        matches!(
            (self, ty),
            (Self::Null, _)
                | (Self::Bool(_), Type::Bool)
                | (Self::Int(_), Type::Int32 | Type::Int64 | Type::Enum(_))
                | (Self::Decimal(_), Type::Decimal(..))
                | (Self::Float(_), Type::Float64)
                | (Self::Text(_), Type::Text(_))
                | (Self::Date(_), Type::Date)
                | (Self::DateTime(_), Type::DateTime | Type::LocalTime)
                | (Self::Guid(_), Type::Guid)
                | (Self::Binary(_), Type::Binary)
        )
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// How a column's value stands in the JSON of its system.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Repr {
    /// A JSON string.
    Text,
    /// `true` or `false`.
    Bool,
    /// A JSON number without a fraction, within 32 bits.
    Int32,
    /// A JSON number without a fraction, within 64 bits (a string of digits is accepted when read).
    Int64,
    /// A JSON number with at most this precision and scale.
    Decimal(u8, u8),
    /// A JSON number.
    Float64,
    /// `"2026-01-31"`.
    Date,
    /// A day as an instant at noon, `"2026-01-31T12:00:00Z"` (Finance & Operations).
    DateNoon,
    /// `"2026-01-31T00:00:00Z"`, with up to six places of a second.
    DateTime,
    /// As [`Repr::DateTime`] without a zone.
    LocalTime,
    /// `"00000000-0000-0000-0000-000000000000"`.
    Guid,
    /// The member's name as a string, of the program's enum with this index.
    EnumName(u16),
    /// The member's wire integer, of the program's enum with this index.
    EnumInt(u16),
    /// Base64 in a string.
    Binary,
}
