//! `$filter`: parsed, then turned into SQL.
//!
//! The sandbox has its own, independent of any client's, so that one misunderstanding can't pass its own test.

mod parse;
mod sql;

use dwmap_odata::Literal;

pub(crate) use parse::parse;
pub(crate) use sql::{Joins, condition};

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    Compare(Op, Operand, Operand),
    /// Whether a column holds one of these.
    In(Vec<String>, Vec<Literal<'static>>),
    Text(TextTest, Operand, Operand),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

/// A test of one text by another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextTest {
    Contains,
    StartsWith,
    EndsWith,
}

/// What is compared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    /// A column, behind navigations.
    Path(Vec<String>),
    Literal(Literal<'static>),
    /// `a add b`.
    Arithmetic(Box<Operand>, Arithmetic, Box<Operand>),
}

/// An operator on numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
}

/// Why a filter was refused, in the words of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused(pub String);
