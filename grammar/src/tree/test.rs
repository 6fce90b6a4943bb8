//! Tests: examples of what a map does.

use super::{Doc, Ident, Name, Path, Text, Value};
use crate::Span;

/// `test m "what" { … }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// What the lines above it say.
    pub doc: Option<Doc>,
    /// The map that is tested.
    pub map: Name,
    /// What the example shows.
    pub what: Text,
    /// Its steps, in order.
    pub steps: Vec<TestStep>,
    /// What in it couldn't be read.
    pub bad: Vec<Span>,
    /// From its first word to its last brace.
    pub span: Span,
}

/// `SIDE { … } [SIDE { … }] [-> outcome] [roundtrip …]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestStep {
    /// The edit, or two that are made at the same time.
    pub edits: Vec<Record>,
    /// What must come of it.
    pub outcome: Option<Outcome>,
    /// Whether all must stay as it is when nothing else happens.
    pub roundtrip: Option<Roundtrip>,
    /// The whole step.
    pub span: Span,
}

/// `SIDE { field: value, … }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The side.
    pub side: Ident,
    /// The fields, in order.
    pub fields: Vec<TestField>,
    /// All of it.
    pub span: Span,
}

/// One entry of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestField {
    /// `path: value`
    Value {
        /// The field.
        path: Path,
        /// What it holds.
        value: TestValue,
        /// Both.
        span: Span,
    },
    /// `missing path`: the record that this path leads to doesn't exist.
    Missing {
        /// The path.
        path: Path,
        /// All of it.
        span: Span,
    },
    /// Something that couldn't be read.
    Bad(Span),
}

/// What a field of a test holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestValue {
    /// One value.
    Value(Value),
    /// The line items of a unit, each a list of its fields.
    List(Vec<Vec<TestField>>),
}

/// What must come of an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Which.
    pub kind: OutcomeKind,
    /// Where it stands, without the arrow.
    pub span: Span,
}

/// What must come of an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutcomeKind {
    /// A record on the other side, of which the named fields are compared.
    Record(Record),
    /// `exactly`: all that the map writes is compared.
    Exactly(Record),
    /// `filtered`: the record stays where it is.
    Filtered,
    /// `rejects with CODE`
    Rejects(Ident),
}

/// `roundtrip [after edit SIDE { … }]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roundtrip {
    /// An edit that is made first.
    pub after_edit: Option<Record>,
    /// All of it.
    pub span: Span,
}
