//! Maps with every name resolved and every line typed.

use dwmap_plan::{
    Agreement, MissingPolicy, Overflow, Side, StepCall, Table, TableElse, TableRow, Type, Value,
};

use crate::model::Condition;
use crate::sources::Place;

/// A map.
#[derive(Debug, Clone)]
pub struct MapModel {
    /// Its name.
    pub name: String,
    /// Its doc comment.
    pub doc: String,
    /// Its name's place.
    pub place: Place,
    /// Its sides, left first.
    pub sides: [MapSide; 2],
    /// Its lines: the completed company line first, then the key lines, then the others as written.
    pub lines: Vec<Line>,
    /// Its filters, by side, with the place of the first `where`.
    pub filters: [Vec<(Condition, Place)>; 2],
    /// Its policies.
    pub policies: PolicyModel,
    /// The key that the key lines make on each side, where they make one.
    pub keys: [Option<Key>; 2],
    /// Whether a record born on this side is created on the other.
    pub creates: [bool; 2],
    /// How records find each other besides by equal keys.
    pub meeting: MeetingModel,
}

/// How the records of a map find each other besides by equal keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MeetingModel {
    /// The key that a side draws.
    pub generated: Option<Generated>,
    /// Ways to pair records, in order: lines, by index, that must all agree.
    pub match_by: Vec<Vec<usize>>,
    /// The side whose key a pair takes that met in another way than by its key.
    pub key_from: Option<Side>,
}

/// A key that a side draws when a record is born there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// The side that draws it.
    pub by: Side,
    /// Its line, by index.
    pub line: usize,
    /// The lines by which a creation without an answer is looked for.
    pub probe: Vec<usize>,
}

/// A side of a map.
#[derive(Debug, Clone)]
pub struct MapSide {
    /// Its name in the map.
    pub name: String,
    /// The index of its schema in the model.
    pub schema: usize,
    /// The index of its entity in the schema.
    pub entity: usize,
    /// Where the map names it.
    pub place: Place,
}

/// A declared key that a map's key lines make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its name; `key` for the primary one.
    pub name: String,
    /// Whether it is the primary one.
    pub primary: bool,
    /// For each part the index of the line that holds it.
    pub lines: Vec<usize>,
}

/// A line.
#[derive(Debug, Clone)]
pub struct Line {
    /// Where it stands; the map's name for a completed one.
    pub place: Place,
    /// Its own text.
    pub text: String,
    /// Where its steps stand, all of them; none without steps.
    pub steps_place: Option<Place>,
    /// Both paths as text.
    pub paths: [String; 2],
    /// Where both paths stand.
    pub path_places: [Place; 2],
    /// What stands at either side.
    pub operands: [Operand; 2],
    /// From left to right.
    pub to_right: bool,
    /// From right to left.
    pub to_left: bool,
    /// A key line.
    pub key: bool,
    /// It was completed, and isn't written anywhere.
    pub completed: bool,
    /// The side that draws the value of this key line, and where that is said.
    pub generated: Option<(Side, Place)>,
    /// Written when the record is born, never again.
    pub on_create: bool,
    /// What happens to a value on its way, from [`Line::from`] to the other side.
    pub stages: Vec<Stage>,
    /// It asks for the canonical form.
    pub normalise: bool,
    /// What is done when a reference's target isn't there.
    pub missing: MissingPolicy,
    /// What is done with values that are too long.
    pub overflow: Overflow,
    /// Its own conflict policy.
    pub conflict: Option<dwmap_plan::ConflictPolicy>,
    /// What is known of its functions.
    pub agreement: Agreement,
}

impl Line {
    /// The side that its steps begin at.
    pub const fn from(&self) -> Side {
        if self.to_right {
            Side::Left
        } else {
            Side::Right
        }
    }

    /// Whether it flows from `side` to the other.
    pub const fn flows_from(&self, side: Side) -> bool {
        match side {
            Side::Left => self.to_right,
            Side::Right => self.to_left,
        }
    }

    /// The operand of a side.
    pub const fn operand(&self, side: Side) -> &Operand {
        &self.operands[side.index()]
    }
}

/// What stands at one side of a line.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// A field, by index.
    Field(usize),
    /// A record of another entity, by a part of its key.
    Lookup(Lookup),
    /// A constant.
    Constant {
        /// The value.
        value: Value,
        /// Its type: the target's.
        ty: Type,
    },
    /// Texts joined.
    Concat(Vec<Operand>),
}

/// A path across a navigation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// The navigation, by index.
    pub nav: usize,
    /// Its target entity, by index in the schema.
    pub target: usize,
    /// The named field of the target, by index.
    pub field: usize,
    /// The name of the key by which it is found.
    pub key: String,
    /// All parts of that key.
    pub parts: Vec<LookupPart>,
}

/// A part of the key by which a reference's target is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookupPart {
    /// The field that the path names.
    Named,
    /// The company's code, in a field of the target.
    CompanyField(usize),
    /// The company's record, by a navigation of the target.
    CompanyNav(usize),
}

/// What happens to a value on its way.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// A step of the vocabulary, and the type of what it gives.
    Step(StepCall, Type),
    /// A table.
    Table(Box<Table>),
    /// An enum that is a truth value, to a bool.
    EnumToBool,
    /// The way back, to the enum of this name.
    BoolToEnum(String),
}

/// A value map's rows before they are bound to sides; see [`Table`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableModel {
    /// Read left to right.
    pub forward: Vec<TableRow>,
    /// Read right to left.
    pub backward: Vec<TableRow>,
    /// What a left value without a row becomes.
    pub else_forward: TableElse,
    /// What a right value without a row becomes.
    pub else_backward: TableElse,
}

/// What is done on the other side when a record is deleted, or leaves its filter.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Leave {
    /// Nothing.
    #[default]
    Ignore,
    /// It is deleted too.
    Delete,
    /// These fields are set.
    Deactivate(Vec<Deactivate>),
}

/// A field that `deactivate(…)` sets.
#[derive(Debug, Clone, PartialEq)]
pub struct Deactivate {
    /// The field, by index.
    pub field: usize,
    /// The value.
    pub value: Value,
}

/// A map's policies. Arrays are indexed by the side where it happened.
#[derive(Debug, Clone)]
pub struct PolicyModel {
    /// Conflicts.
    pub conflict: dwmap_plan::ConflictPolicy,
    /// First meeting.
    pub initial: dwmap_plan::InitialPolicy,
    /// Deletes.
    pub delete: [Leave; 2],
    /// Records that leave the filter.
    pub leave: [Leave; 2],
    /// Overflow, where a line says nothing.
    pub overflow: Overflow,
}
