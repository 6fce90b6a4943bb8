//! Value maps and named functions.

use super::{Arrow, Doc, Expr, Ident, Literal, Name, TypeExpr};
use crate::Span;

/// `valuemap V: T <-> U { … }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueMap {
    /// What the lines above it say.
    pub doc: Option<Doc>,
    /// Its name.
    pub name: Ident,
    /// The type of the values on the left.
    pub left: TypeExpr,
    /// The type of the values on the right.
    pub right: TypeExpr,
    /// Its rows.
    pub table: Table,
    /// From its first word to its last brace.
    pub span: Span,
}

/// `extend valuemap V { … }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtendValueMap {
    /// What the lines above it say.
    pub doc: Option<Doc>,
    /// The value map that gets more rows.
    pub base: Name,
    /// The rows.
    pub table: Table,
    /// From its first word to its last brace.
    pub span: Span,
}

/// `{ "M" <-> Male, "F" <-> Female }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its rows, in order.
    pub rows: Vec<Row>,
    /// What in it couldn't be read as a row.
    pub bad: Vec<Span>,
    /// Brace to brace.
    pub span: Span,
}

/// `left <-> right` in a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its left value.
    pub left: RowValue,
    /// The direction or directions that it is read in.
    pub arrow: Arrow,
    /// Its right value.
    pub right: RowValue,
    /// The whole row.
    pub span: Span,
}

/// What stands on one side of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowValue {
    /// A value of that side.
    Value(Value),
    /// `else`: all that no other row names.
    Else(Span),
    /// `keep`, opposite `else`: as it is.
    Keep(Span),
    /// `reject`, opposite `else`: the record is refused.
    Reject(Span),
}

impl RowValue {
    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            Self::Value(value) => value.span(),
            Self::Else(span) | Self::Keep(span) | Self::Reject(span) => *span,
        }
    }
}

/// A constant: a literal or a member of an enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `"usmf"`, `12.5`, `null`
    Literal(Literal),
    /// `Customer`, `OnHold::All`
    Member(Member),
}

impl Value {
    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            Self::Literal(literal) => literal.span,
            Self::Member(member) => member.span,
        }
    }
}

/// The name of an enum's member, with or without its enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The enum, where it is named: `OnHold` of `OnHold::All`.
    pub of: Option<Ident>,
    /// The member.
    pub name: Ident,
    /// Both.
    pub span: Span,
}

/// `fn f(x: T) -> U = expression`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// What the lines above it say.
    pub doc: Option<Doc>,
    /// Its name.
    pub name: Ident,
    /// Its parameters, in order.
    pub params: Vec<Param>,
    /// The type of what it gives.
    pub result: TypeExpr,
    /// What it gives.
    pub body: Expr,
    /// All of it.
    pub span: Span,
}

/// One parameter of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub ty: TypeExpr,
    /// Both.
    pub span: Span,
}

/// `iso i: T <-> U { -> expression  <- expression }`; `it` is the value in both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Iso {
    /// What the lines above it say.
    pub doc: Option<Doc>,
    /// Its name.
    pub name: Ident,
    /// The type on the left.
    pub left: TypeExpr,
    /// The type on the right.
    pub right: TypeExpr,
    /// From left to right; `None` only where it couldn't be read.
    pub forward: Option<Expr>,
    /// From right to left; `None` only where it couldn't be read.
    pub backward: Option<Expr>,
    /// From its first word to its last brace.
    pub span: Span,
}
