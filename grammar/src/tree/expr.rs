//! Literals, paths and expressions.

use super::{Ident, Member, Name, Step};
use crate::Span;

/// A literal and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Literal {
    /// What it says.
    pub kind: LiteralKind,
    /// Where it stands.
    pub span: Span,
}

/// A literal. Numbers, dates and instants are kept as written; dates and instants exist on the calendar.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LiteralKind {
    /// A text in quotes, its escapes resolved.
    String(String),
    /// A decimal, such as `-12.50`.
    Number(String),
    /// `2026-01-31`
    Date(String),
    /// `2026-01-31T00:00:00Z`
    DateTime(String),
    /// `true` or `false`
    Bool(bool),
    /// `null`
    Null,
}

/// A path to a field: `OrganizationName`, `msdyn_customergroupid.msdyn_groupid`,
/// `customerid.(accounts.accountnumber | contacts.msdyn_contactpersonid)`.
///
/// A path of one segment may as well be a member of an enum: the place decides.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Path {
    /// The names between the dots; at least one.
    pub segments: Vec<Ident>,
    /// What stands in parentheses behind the last dot.
    pub parts: Option<Parts>,
    /// All of it.
    pub span: Span,
}

impl Path {
    /// The name, where the path is one segment and nothing more.
    pub fn as_ident(&self) -> Option<&Ident> {
        match (self.segments.as_slice(), &self.parts) {
            ([only], None) => Some(only),
            _ => None,
        }
    }

    /// The path as text, in the formatter's spelling.
    pub fn text(&self) -> String {
        let names: Vec<&str> = self
            .segments
            .iter()
            .map(|segment| segment.text.as_str())
            .collect();
        let mut text = names.join(".");
        if let Some(parts) = &self.parts {
            let (paths, between) = match parts {
                Parts::All(paths) => (paths, ", "),
                Parts::OneOf(paths) => (paths, " | "),
            };
            let inner: Vec<String> = paths.iter().map(Self::text).collect();
            text = format!("{text}.({})", inner.join(between));
        }
        text
    }
}

/// The end of a path that has several.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Parts {
    /// `nav.(a, b)`: together they find the record.
    All(Vec<Path>),
    /// `nav.(accounts.a | contacts.b)`: exactly one of the targets holds it.
    OneOf(Vec<Path>),
}

/// An expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// All of it; parentheses round it are not part of it.
    pub span: Span,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExprKind {
    /// `"en-us"`, `100`, `null`
    Literal(Literal),
    /// A field, or a bare member of an enum.
    Path(Path),
    /// `OnHold::All`: a member for certain.
    Member(Member),
    /// `(CategoryName, HierarchyName)`: the parts of one reference.
    Tuple(Vec<Path>),
    /// `concat(a, ", ", b)`
    Call(Call),
    /// `if … then … else …`
    If(Box<If>),
    /// `value | step | step`
    Pipe(Box<Pipe>),
    /// `not x`, `-x`
    Unary(Box<Unary>),
    /// `a == b`, `a + b`, `a and b`, `a ?? b` …
    Binary(Box<Binary>),
    /// `a in (…)`, `a not in (…)`
    In(Box<In>),
    /// `a is null`, `a is not null`
    IsNull(Box<IsNull>),
}

/// `name(arguments)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The function.
    pub function: Name,
    /// Its arguments, in order.
    pub args: Vec<Expr>,
}

/// `if condition then a else b`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct If {
    /// What decides.
    pub condition: Expr,
    /// What it is where the condition holds.
    pub then: Expr,
    /// What it is otherwise.
    pub otherwise: Expr,
}

/// `input | step | step`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipe {
    /// What goes in.
    pub input: Expr,
    /// The steps, in order; at least one.
    pub steps: Vec<Step>,
}

/// An operator before its operand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unary {
    /// Which.
    pub op: UnaryOp,
    /// Where the operator stands.
    pub op_span: Span,
    /// What it works on.
    pub operand: Expr,
}

/// An operator with one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// `not`
    Not,
    /// `-`
    Negate,
}

/// An operator between its operands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binary {
    /// Which.
    pub op: BinaryOp,
    /// Where the operator stands.
    pub op_span: Span,
    /// What stands before it.
    pub left: Expr,
    /// What stands behind it.
    pub right: Expr,
}

/// An operator with two operands, from the loosest to the tightest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `or`
    Or,
    /// `and`
    And,
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
    /// `starts_with`
    StartsWith,
    /// `ends_with`
    EndsWith,
    /// `contains`
    Contains,
    /// `??`: the first that isn't null
    Coalesce,
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
}

impl BinaryOp {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Or,
        Self::And,
        Self::Eq,
        Self::Ne,
        Self::Lt,
        Self::Le,
        Self::Gt,
        Self::Ge,
        Self::StartsWith,
        Self::EndsWith,
        Self::Contains,
        Self::Coalesce,
        Self::Add,
        Self::Sub,
        Self::Mul,
        Self::Div,
    ];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::StartsWith => "starts_with",
            Self::EndsWith => "ends_with",
            Self::Contains => "contains",
            Self::Coalesce => "??",
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
        }
    }

    /// How tightly it binds; more is tighter.
    pub const fn precedence(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            // `not` binds at 3
            Self::Eq | Self::Ne | Self::Lt | Self::Le | Self::Gt | Self::Ge => 4,
            Self::StartsWith | Self::EndsWith | Self::Contains => 4,
            Self::Coalesce => 5,
            Self::Add | Self::Sub => 6,
            Self::Mul | Self::Div => 7,
        }
    }
}

/// `value in (a, b)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct In {
    /// What is looked for.
    pub value: Expr,
    /// Whether it is `not in`.
    pub negated: bool,
    /// What it is looked for in, in order.
    pub options: Vec<Expr>,
}

/// `value is null`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IsNull {
    /// What is asked about.
    pub value: Expr,
    /// Whether it is `is not null`.
    pub negated: bool,
}
