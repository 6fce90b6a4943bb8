//! Plans and their maps: everything that stands around the programs.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Dialect, Overflow, Predicate, Program, Repr, Schema, SlotId, Value};

/// One of the two sides of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Side {
    /// The side that is named first.
    Left,
    /// The side that is named second.
    Right,
}

impl Side {
    /// Both, left first.
    pub const BOTH: [Self; 2] = [Self::Left, Self::Right];

    /// The other side.
    pub const fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }

    /// 0 for left, 1 for right.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// The identity of a line across versions of its map: a hash of the map's name and both paths.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LineId(pub u64);

impl LineId {
    /// The id of the line `left <-> right` of `map`; paths are as written in the map, without steps.
    pub fn of(map: &str, left: &str, right: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in [map, left, right] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let mut first = [0; 8];
        first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        Self(u64::from_le_bytes(first))
    }
}

impl fmt::Debug for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A compiled project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The project's name.
    pub name: String,
    /// The version of the compiler that made it.
    pub compiler: String,
    /// The systems, by the names of their schemas.
    pub systems: Vec<SystemPlan>,
    /// The maps, in start order: a reference's target before its users.
    pub maps: Vec<MapPlan>,
}

/// A system as far as the maps touch it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemPlan {
    /// The schema, only with the entities, fields and enums that some map touches.
    pub schema: Schema,
    /// How a manifest names the schema (`schema = "std.fno"`): the path of the module that declares it, which *is*
    /// the schema where it declares one alone; else with `.NAME` behind it.
    pub binding: String,
    /// A hash of the projected schema, for finding drift.
    pub fingerprint: [u8; 32],
}

/// A compiled map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapPlan {
    /// Its name.
    pub name: String,
    /// What it is for: its doc comment.
    pub doc: String,
    /// The sides, left first.
    pub sides: [SidePlan; 2],
    /// The lines; key lines first, the company's (which the compiler completes) before all.
    pub lines: Vec<Line>,
    /// The references that its programs use.
    pub references: Vec<Reference>,
    /// For each part of the pair key whether texts compare without case.
    pub fold_pair_key: Vec<bool>,
    /// How records find each other besides by equal keys.
    pub meeting: Meeting,
    /// The policies.
    pub policies: Policies,
    /// Its rank in the order of loading: maps of one rank don't depend on one another.
    pub rank: u16,
    /// Where it is declared.
    pub place: SourcePlace,
}

impl MapPlan {
    /// The side.
    pub const fn side(&self, side: Side) -> &SidePlan {
        &self.sides[side.index()]
    }

    /// Whether anything flows from `side` to the other.
    pub fn flows_from(&self, side: Side) -> bool {
        self.lines.iter().any(|l| l.flows_from(side))
    }

    /// The key that the system of `side` draws for a record that is born there.
    pub fn drawn_by(&self, side: Side) -> Option<&GeneratedKey> {
        self.meeting.generated.as_ref().filter(|key| key.by == side)
    }
}

/// A place in a source file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourcePlace {
    /// The project-relative file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

impl fmt::Display for SourcePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// The law that a line's two functions keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Class {
    /// There and back is the same value.
    Exact,
    /// One trip may lose something, a second loses nothing more.
    Canonical,
    /// There is no way back.
    OneWay,
}

/// How a class is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Proof {
    /// By the rules of composition, or by going through every value.
    Proved,
    /// By a search for counterexamples that found none.
    Tested,
}

/// What is known of a line's two functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// The class.
    pub class: Class,
    /// How it is known.
    pub proof: Proof,
}

/// A line of a map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Its identity.
    pub id: LineId,
    /// Its own text.
    pub text: String,
    /// Where it is written; the map's head for a completed company line.
    pub place: SourcePlace,
    /// The path at the left, or the text of the expression that stands there.
    pub left: String,
    /// The path at the right, or the text of the expression that stands there.
    pub right: String,
    /// It flows from left to right.
    pub to_right: bool,
    /// It flows from right to left.
    pub to_left: bool,
    /// A key line: it pairs records, and is written only when a record is born.
    pub key: bool,
    /// Written when the record is born, never again.
    pub on_create: bool,
    /// The line asks for the canonical form to be written back (`| normalise`): its sides agree only if *both*
    /// halves of the relation hold.
    pub normalise: bool,
    /// The class and how it is known.
    pub agreement: Agreement,
    /// The reference that the line writes at the left or right, as an index into the map's references.
    pub references: [Option<u16>; 2],
    /// What to do when a reference's target isn't there.
    pub missing: MissingPolicy,
    /// The line's own conflict policy, where it differs from the map's.
    pub conflict: Option<ConflictPolicy>,
    /// Masked in messages.
    pub sensitive: bool,
}

impl Line {
    /// Whether it flows from `side` to the other.
    pub const fn flows_from(&self, side: Side) -> bool {
        match side {
            Side::Left => self.to_right,
            Side::Right => self.to_left,
        }
    }

    /// Both ways.
    pub const fn two_way(&self) -> bool {
        self.to_right && self.to_left
    }
}

/// What to do when a reference's target isn't there (yet).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MissingPolicy {
    /// Wait for it.
    Park,
    /// Write null now, and fill it in when it appears.
    Blank,
    /// Refuse the record.
    Reject,
}

/// Whose value wins where both sides changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ConflictPolicy {
    /// This side's.
    Prefer(Side),
    /// The later commit's.
    Latest,
    /// A person decides.
    Manual,
    /// Both changes to a number are summed.
    Add,
}

/// Where two records meet for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum InitialPolicy {
    /// This side's values win where a line doesn't agree.
    Prefer(Side),
    /// Only this side's records are loaded to the other.
    OnlyFrom(Side),
}

/// A field set by a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldConstant {
    /// The field's wire name.
    pub wire: String,
    /// Its form on the wire.
    pub repr: Repr,
    /// The value.
    pub value: Value,
}

/// What `deactivate(…)` sets.
pub type Deactivation = Vec<FieldConstant>;

/// What happens on one side when a record of the other is deleted, or leaves the filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeletePolicy {
    /// Nothing.
    Ignore,
    /// It is deleted too.
    Delete,
    /// These fields are set. Enums decode by the written side's program.
    Deactivate(Deactivation),
}

/// A map's policies. Arrays by side are indexed by the side where it *happened* (deleted, left), left first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policies {
    /// Conflicts, where a line has no policy of its own.
    pub conflict: ConflictPolicy,
    /// First meeting.
    pub initial: InitialPolicy,
    /// A record of this side was deleted.
    pub delete: [DeletePolicy; 2],
    /// A record of this side stopped matching its filter.
    pub leave: [DeletePolicy; 2],
    /// Whether a record born on this side is created on the other.
    pub creates: [bool; 2],
}

/// A side of a map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SidePlan {
    /// The index of its system in the plan.
    pub system: u16,
    /// The entity's name in the schema.
    pub entity: String,
    /// What is computed of its rows, and what is read of them.
    pub program: Program,
    /// All rows, for loads, sweeps and `verify`.
    pub scan: Query,
    /// Changed rows: a projection only.
    pub changes: Query,
    /// Rows by record key.
    pub fetch: Query,
    /// How the company stands on this side, where it is striped.
    pub company: Option<Company>,
    /// The identity's column in the program, where the entity has an immutable id.
    pub identity: Option<SlotId>,
    /// How rows are written.
    pub write: WritePlan,
}

/// How a striped side carries the company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Company {
    /// A column with the code.
    Column {
        /// Its wire name.
        wire: String,
    },
    /// A look-up to the company's record.
    Reference {
        /// The wire name of the column with the identity.
        wire: String,
        /// The reference that finds the record by code, as an index into the map's references.
        reference: u16,
    },
}

/// The address of an entity on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// The set's (table's) name, as in URLs.
    pub set: String,
    /// The internal name: of the logical table (Dataverse's `@odata.type`), of the data entity (F&O).
    pub physical: String,
    /// The dialect of the system.
    pub dialect: Dialect,
    /// The wire names of the record key's columns, with their forms.
    pub key: Vec<(String, Repr)>,
}

/// What is asked of a source. Connectors write it in their dialect; they never see a map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// The entity.
    pub address: Address,
    /// The wire names of the columns wanted.
    pub columns: Vec<String>,
    /// The pushed-down part of the filter.
    pub filter: Option<Predicate>,
    /// The wire names of the columns to order by, ascending; empty for the source's own order.
    pub order: Vec<String>,
    /// Enums by which the filter's constants are written (indices in [`Repr`]).
    pub enums: Vec<crate::EnumDef>,
}

/// A part of the key by which a reference's target is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceKeyPart {
    /// The column's wire name on the target.
    pub wire: String,
    /// Its form there.
    pub repr: Repr,
    /// It is the company: completed, and never blank by itself.
    pub company: bool,
    /// Texts compare without case.
    pub fold: bool,
}

/// A look-up to another entity of a side's system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// On which side.
    pub side: Side,
    /// The navigation's name.
    pub nav: String,
    /// The target entity's name in the schema.
    pub entity: String,
    /// The target's rows: identity and key parts, and nothing else. Asked by identity, or by the key.
    pub fetch: Query,
    /// The wire name of the target's identity.
    pub identity: String,
    /// The key by which it is found, all parts.
    pub key: Vec<ReferenceKeyPart>,
    /// The map that brings the target's records, as an index into the plan, where one does.
    pub brought_by: Option<u16>,
}

/// How a line's value is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum WriteRepr {
    /// As the column's value.
    Column(Repr),
    /// As a binding of a look-up: `"nav@odata.bind": "/set(identity)"`.
    Bind {
        /// The target's set.
        set: String,
    },
    /// As the identity in a column of its own (other systems).
    Identity(Repr),
}

/// A column that a line writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriteColumn {
    /// The index of the line.
    pub line: u16,
    /// The name on the wire (of the navigation, for a binding).
    pub wire: String,
    /// The form on the wire.
    pub repr: WriteRepr,
    /// The value that is sent for null.
    pub null: Option<Value>,
    /// The column can only be written when the record is born.
    pub create_only: bool,
}

/// How the records of a map find each other besides by equal keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meeting {
    /// The key that one of the systems draws.
    pub generated: Option<GeneratedKey>,
    /// The ways in which records without an equal key are paired, in order: columns of the left and of the right side,
    /// all of which must hold the same.
    pub match_by: Vec<[Columns; 2]>,
    /// The side whose key a pair takes that met in another way than by its key. Key lines flow from it until both
    /// sides hold the same.
    pub key_from: Option<Side>,
}

/// A key that one of the systems draws when a record is born there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeneratedKey {
    /// The side that draws it. The other is the home of records that have none yet.
    pub by: Side,
    /// The index of its line.
    pub line: u16,
    /// The columns of the drawing side by which a creation without an answer is looked for; none where a person has to.
    pub probe: Columns,
}

/// Columns of a side, by each of which a line is read or written there. A natural key is one of these: a record can be
/// asked for by it where nobody knows its id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    /// For each its wire name in a URL, its form, and the index of the line whose value it holds.
    pub parts: Vec<(String, Repr, u16)>,
}

/// How rows of a side are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WritePlan {
    /// The columns, in the order in which a body holds them.
    pub columns: Vec<WriteColumn>,
    /// The key that the key lines make.
    pub natural_key: Columns,
    /// Whether the natural key is the record key (F&O), or an alternate key beside an id (Dataverse).
    pub natural_is_record_key: bool,
    /// What overflows do on this side, for messages.
    pub overflow: Overflow,
    /// The write should ask for the row back, since the system changes what it is sent.
    pub wants_row: bool,
    /// Enums by which columns are written (indices in [`Repr`]).
    pub enums: Vec<crate::EnumDef>,
}
