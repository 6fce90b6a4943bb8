//! `test` blocks as data: the command line runs them with the engine.

use dwmap_plan::{EnumDef, Repr, Side, SourcePlace, Type, Value};

/// A test.
#[derive(Debug, Clone, PartialEq)]
pub struct TestModel {
    /// The map that is tested.
    pub map: String,
    /// What the example shows.
    pub what: String,
    /// Where it stands.
    pub place: SourcePlace,
    /// Its steps, in order; the first starts from empty systems.
    pub steps: Vec<TestStep>,
}

/// Edits, and what must come of them.
#[derive(Debug, Clone, PartialEq)]
pub struct TestStep {
    /// The edit, or two that are made at the same time.
    pub edits: Vec<TestRecord>,
    /// What must come of it.
    pub outcome: Option<TestOutcome>,
    /// Whether all must stay as it is when nothing else happens.
    pub roundtrip: Option<TestRoundtrip>,
    /// Where it stands.
    pub place: SourcePlace,
}

/// A record, as far as a test names it. What it doesn't name is null.
#[derive(Debug, Clone, PartialEq)]
pub struct TestRecord {
    /// Its side.
    pub side: Side,
    /// The named fields, in order.
    pub cells: Vec<TestCell>,
    /// The paths whose record doesn't exist (`missing PATH`).
    pub missing: Vec<TestTarget>,
}

/// A named field and what it holds.
#[derive(Debug, Clone, PartialEq)]
pub struct TestCell {
    /// The path as written.
    pub path: String,
    /// What it leads to.
    pub target: TestTarget,
    /// What it holds, as the type of [`TestCell::target`].
    pub value: Value,
    /// Where it stands.
    pub place: SourcePlace,
}

/// What a path of a test leads to.
#[derive(Debug, Clone, PartialEq)]
pub enum TestTarget {
    /// A column of the side's entity.
    Column {
        /// Its wire name.
        wire: String,
        /// Its type.
        ty: Type,
        /// Its form on the wire; an enum's index is 0, and means [`TestTarget::Column::enum_def`].
        repr: Repr,
        /// The enum, where the type is one.
        enum_def: Option<EnumDef>,
    },
    /// A field of a referenced record: the side's column holds the identity of the record with this value.
    Lookup {
        /// The navigation.
        nav: String,
        /// The wire name of the side's column that holds the identity.
        via: String,
        /// The target entity.
        entity: String,
        /// The wire name of the named field on the target.
        wire: String,
        /// Its type.
        ty: Type,
    },
}

/// What must come of an edit.
#[derive(Debug, Clone, PartialEq)]
pub enum TestOutcome {
    /// The other side holds a record, of which the named fields are compared.
    Record(TestRecord),
    /// All that the map writes is compared; what isn't named is null.
    Exactly(TestRecord),
    /// The record is not in the map.
    Filtered,
    /// The record is refused with this code.
    Rejects(String),
}

/// The outcome, read back, changes nothing at the place where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct TestRoundtrip {
    /// An edit that is made first.
    pub after_edit: Option<TestRecord>,
}
