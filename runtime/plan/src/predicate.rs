//! Predicates that are pushed down to a source.

use serde::{Deserialize, Serialize};

use crate::{Repr, Value};

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CompareOp {
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

/// A test of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TextTest {
    /// `starts_with`
    StartsWith,
    /// `ends_with`
    EndsWith,
    /// `contains`
    Contains,
}

/// The part of a filter that a source evaluates with the same meaning; connectors write it in their dialect.
/// Two-valued: a comparison with null is plain inequality.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Predicate {
    /// All of them (true if there is none).
    All(Vec<Predicate>),
    /// Any of them (false if there is none).
    Any(Vec<Predicate>),
    /// Not.
    Not(Box<Predicate>),
    /// A column compared with a constant, which is never null.
    Compare {
        /// The column's wire name.
        column: String,
        /// How its values stand on the wire.
        repr: Repr,
        /// The comparison.
        op: CompareOp,
        /// The constant.
        value: Value,
    },
    /// A column that holds one of these.
    In {
        /// The column's wire name.
        column: String,
        /// How its values stand on the wire.
        repr: Repr,
        /// The constants, at least one, none of them null.
        values: Vec<Value>,
    },
    /// A column without a value. `stands_as` is the stored value that means "none" where the system has no nulls.
    IsNull {
        /// The column's wire name.
        column: String,
        /// How its values stand on the wire.
        repr: Repr,
        /// The stored value that stands for null, if the system can't store null itself.
        stands_as: Option<Value>,
    },
    /// A test of a text column.
    Text {
        /// The column's wire name.
        column: String,
        /// The test.
        test: TextTest,
        /// What is looked for.
        value: String,
    },
}

impl Predicate {
    /// `self` and `other`, kept flat.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All(mut a), Self::All(b)) => {
                a.extend(b);
                Self::All(a)
            }
            (Self::All(mut a), b) => {
                a.push(b);
                Self::All(a)
            }
            (a, Self::All(mut b)) => {
                b.insert(0, a);
                Self::All(b)
            }
            (a, b) => Self::All(vec![a, b]),
        }
    }
}
