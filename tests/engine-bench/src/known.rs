//! Referenced records: the same small index for all who are measured.

use std::collections::HashMap;
use std::fmt;

use dwmap_engine::{Lookup, References};
use dwmap_plan::Value;

/// For each reference the ids of its records by the text part of their key.
pub struct Known {
    by_text: Vec<HashMap<String, Value>>,
}

impl Known {
    /// Records with the texts that [`crate::records`] uses.
    pub fn new(texts: &[&[&str]]) -> Self {
        let ids = |(reference, texts): (usize, &&[&str])| {
            let id = |i: usize| {
                let mut id = [0x5a; 16];
                (id[0], id[15]) = (reference as u8, i as u8);
                Value::Guid(id)
            };
            texts
                .iter()
                .enumerate()
                .map(|(i, t)| ((*t).to_owned(), id(i)))
                .collect()
        };
        Self {
            by_text: texts.iter().enumerate().map(ids).collect(),
        }
    }

    /// The id of a record.
    pub fn id(&self, reference: usize, text: &str) -> Option<[u8; 16]> {
        match self.by_text[reference].get(text) {
            Some(Value::Guid(id)) => Some(*id),
            _ => None,
        }
    }
}

impl References for Known {
    fn find(&self, reference: u16, key: &[Value]) -> Lookup<&Value> {
        let Some(Value::Text(text)) = key.first() else {
            return Lookup::Absent;
        };
        match self.by_text[usize::from(reference)].get(text) {
            Some(id) => Lookup::Found(id),
            None => Lookup::Absent,
        }
    }

    fn follow(&self, _: u16, _: &Value) -> Lookup<&[Value]> {
        Lookup::Absent
    }
}

/// An id as text.
pub struct Guid(pub [u8; 16]);

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = u128::from_be_bytes(self.0);
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            id >> 96,
            id >> 80 & 0xffff,
            id >> 64 & 0xffff,
            id >> 48 & 0xffff,
            id & 0xffff_ffff_ffff
        )
    }
}
