//! Opaque tokens: where a page ended.

use rusqlite::types::Value;
use serde::{Deserialize, Serialize};

/// What a next link must remember.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Token {
    /// The values of the order's terms in the last row.
    pub after: Vec<Cell>,
    /// The version at the start, if the read is tracked.
    pub tracked: Option<i64>,
    /// How many rows went before (only to tell tombstones from rows in a delta).
    pub stage: u8,
}

/// A stored value in a token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Cell {
    Null,
    Int(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

impl From<Value> for Cell {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Integer(n) => Self::Int(n),
            Value::Real(n) => Self::Real(n),
            Value::Text(text) => Self::Text(text),
            Value::Blob(bytes) => Self::Blob(bytes),
        }
    }
}

impl From<Cell> for Value {
    fn from(cell: Cell) -> Self {
        match cell {
            Cell::Null => Self::Null,
            Cell::Int(n) => Self::Integer(n),
            Cell::Real(n) => Self::Real(n),
            Cell::Text(text) => Self::Text(text),
            Cell::Blob(bytes) => Self::Blob(bytes),
        }
    }
}

impl Token {
    /// As text for a URL.
    pub(crate) fn render(&self) -> String {
        let json = serde_json::to_vec(self).unwrap_or_default();
        json.iter()
            .fold(String::with_capacity(json.len() * 2), |mut out, byte| {
                let digit = |n: u8| char::from_digit(n.into(), 16).unwrap_or('0');
                out.push(digit(byte >> 4));
                out.push(digit(byte & 15));
                out
            })
    }

    /// From a URL's text; `None` if it isn't one of ours.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text
            .chars()
            .map(|c| c.to_digit(16))
            .collect::<Option<Vec<_>>>()?;
        let json: Vec<u8> = digits
            .chunks_exact(2)
            .map(|pair| (pair[0] * 16 + pair[1]) as u8)
            .collect();
        serde_json::from_slice(&json).ok()
    }
}
