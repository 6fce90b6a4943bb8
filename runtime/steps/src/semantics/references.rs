//! How a program asks for records of other entities.

use dwmap_plan::Value;

/// The answer to a look-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup<T> {
    /// The record is there.
    Found(T),
    /// It was asked for, and isn't there.
    Absent,
    /// It was not asked for yet: ask, and evaluate again.
    Unknown,
}

impl<T> Lookup<T> {
    /// The same answer about something else.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Lookup<U> {
        match self {
            Self::Found(t) => Lookup::Found(f(t)),
            Self::Absent => Lookup::Absent,
            Self::Unknown => Lookup::Unknown,
        }
    }
}

/// A question about a referenced record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Which record has this key?
    Find {
        /// The reference, by its index in the map.
        reference: u16,
        /// The key's parts, in the reference's order, none of them null.
        key: Vec<Value>,
    },
    /// Which key has the record with this identity?
    Follow {
        /// The reference, by its index in the map.
        reference: u16,
        /// The identity.
        identity: Value,
    },
}

impl Ask {
    /// The reference, by its index in the map.
    pub const fn reference(&self) -> u16 {
        match self {
            Self::Find { reference, .. } | Self::Follow { reference, .. } => *reference,
        }
    }
}

/// What is known of referenced records. `reference` is an index into the map's references.
pub trait References {
    /// The identity of the record with this key: all parts, in the reference's order, none of them null. Texts of parts
    /// that fold compare without case.
    fn find(&self, reference: u16, key: &[Value]) -> Lookup<&Value>;

    /// The key's parts, in the reference's order, of the record with this identity.
    fn follow(&self, reference: u16, identity: &Value) -> Lookup<&[Value]>;
}

/// For maps without references: knows of nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoReferences;

impl References for NoReferences {
    fn find(&self, _: u16, _: &[Value]) -> Lookup<&Value> {
        Lookup::Unknown
    }

    fn follow(&self, _: u16, _: &Value) -> Lookup<&[Value]> {
        Lookup::Unknown
    }
}
