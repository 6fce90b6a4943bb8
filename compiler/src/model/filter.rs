//! Filters, resolved and typed.

use dwmap_plan::{CompareOp, TextTest, Value};

use crate::model::Lookup;

/// A condition on a record of one side. Constants are in the storage form of what they are compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// All of them.
    All(Vec<Condition>),
    /// Any of them.
    Any(Vec<Condition>),
    /// Not.
    Not(Box<Condition>),
    /// A comparison with a constant, which is never null.
    Compare(Term, CompareOp, Value),
    /// A comparison of two fields.
    Fields(Term, CompareOp, Term),
    /// One of these, none of which is null.
    In(Term, Vec<Value>),
    /// Without a value.
    IsNull(Term),
    /// A test of a text.
    Text(Term, TextTest, String),
}

/// What a condition looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// A field, by index.
    Field(usize),
    /// A key part of a referenced record.
    Lookup(Lookup),
}
