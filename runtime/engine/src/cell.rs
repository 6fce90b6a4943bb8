//! What is read of an evaluated row: borrowed from it, or owned.

use dwmap_plan::{Decimal, Value};
use dwmap_steps::Failure;
use dwmap_steps::semantics::{Ask, Stop};

/// A borrowed [`Value`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ValueRef<'a> {
    /// No value.
    Null,
    /// `bool`.
    Bool(bool),
    /// `int32`, `int64`, and the wire integer of an enum's member.
    Int(i64),
    /// `decimal(p, s)`.
    Decimal(Decimal),
    /// `float64`.
    Float(f64),
    /// `string(n)` and `text`.
    Text(&'a str),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00:00Z.
    DateTime(i64),
    /// 16 bytes.
    Guid([u8; 16]),
    /// Bytes.
    Binary(&'a [u8]),
}

impl ValueRef<'_> {
    /// Whether it is null.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The value by itself.
    pub fn to_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(b) => Value::Bool(b),
            Self::Int(n) => Value::Int(n),
            Self::Decimal(n) => Value::Decimal(n),
            Self::Float(f) => Value::Float(f),
            Self::Text(t) => Value::Text(t.to_owned()),
            Self::Date(d) => Value::Date(d),
            Self::DateTime(t) => Value::DateTime(t),
            Self::Guid(g) => Value::Guid(g),
            Self::Binary(b) => Value::Binary(b.to_owned()),
        }
    }

    /// Puts the value into `into`, reusing the room of a text that stands there.
    pub(crate) fn store(self, into: &mut Value) {
        match (self, into) {
            (Self::Text(text), Value::Text(room)) => {
                room.clear();
                room.push_str(text);
            }
            (value, into) => *into = value.to_value(),
        }
    }
}

impl<'a> From<&'a Value> for ValueRef<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(b) => Self::Bool(*b),
            Value::Int(n) => Self::Int(*n),
            Value::Decimal(n) => Self::Decimal(*n),
            Value::Float(f) => Self::Float(*f),
            Value::Text(t) => Self::Text(t),
            Value::Date(d) => Self::Date(*d),
            Value::DateTime(t) => Self::DateTime(*t),
            Value::Guid(g) => Self::Guid(*g),
            Value::Binary(b) => Self::Binary(b),
        }
    }
}

/// A cell of an evaluated row, borrowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CellRef<'a> {
    /// A value, or null.
    Value(ValueRef<'a>),
    /// There is none, for this reason.
    Failed(Failure),
    /// It depends on a record that isn't there.
    Missing(&'a Ask),
    /// It depends on a record that must be asked for first.
    Wanted(&'a Ask),
    /// The line has no such cell: nothing flows this way, or the program doesn't hold it.
    None,
}

/// A cell of an evaluated row, by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// A value, or null.
    Value(Value),
    /// There is none, for this reason.
    Failed(Failure),
    /// It depends on a record that isn't there.
    Missing(Ask),
    /// It depends on a record that must be asked for first.
    Wanted(Ask),
    /// The line has no such cell.
    None,
}

impl CellRef<'_> {
    /// The cell by itself.
    pub fn to_cell(self) -> Cell {
        match self {
            Self::Value(v) => Cell::Value(v.to_value()),
            Self::Failed(f) => Cell::Failed(f),
            Self::Missing(ask) => Cell::Missing(ask.clone()),
            Self::Wanted(ask) => Cell::Wanted(ask.clone()),
            Self::None => Cell::None,
        }
    }

    /// The value, or why there is none; a cell that isn't there is null.
    pub fn to_result(self) -> Result<Value, Stop> {
        match self {
            Self::Value(v) => Ok(v.to_value()),
            Self::Failed(f) => Err(Stop::Failed(f)),
            Self::Missing(ask) => Err(Stop::Missing(ask.clone())),
            Self::Wanted(ask) => Err(Stop::Wanted(ask.clone())),
            Self::None => Ok(Value::Null),
        }
    }
}
