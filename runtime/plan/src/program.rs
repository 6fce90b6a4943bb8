//! Programs: what is computed of a row, as straight-line code over typed slots.
//!
//! A program belongs to one side of a map. Its first slots are the side's columns, filled by the scan of a
//! source row; its ops compute the rest, each writing a slot of its own once; [`Outputs`] names the slots
//! that the runtime reads. There are no loops and no jumps, so every program ends in time bounded by its length.
//!
//! A slot holds a value, null, or *failure*: an op that is given a failed slot fails with the same cause, and an
//! op that can't do its work (a value outside a table's domain, a text too long) fails with its own. Failure
//! stays in the slots that depend on it; it never stops the row.

use serde::{Deserialize, Serialize};

use crate::{CompareOp, EnumDef, LengthUnit, NullForm, Repr, TextTest, Type, Value};

/// The index of a slot.
pub type SlotId = u16;

/// A column that is read or written: its name on the wire, its form there, and its storage form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name in the schema, for people.
    pub name: String,
    /// Its name on the wire.
    pub wire: String,
    /// Its type.
    pub ty: Type,
    /// Its form on the wire.
    pub repr: Repr,
    /// Its storage form.
    pub storage: Storage,
    /// Masked in messages.
    pub sensitive: bool,
}

/// How a column stores what it is sent; applying it twice changes nothing more.
///
/// Null: a value equal to `null.read` is null. Null becomes `null.write` where there is no `null.read`
/// (a number that the system can't leave blank is zero); otherwise it stays null, and `null.write` is only how it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// How "no value" stands.
    pub null: NullForm,
    /// Whether null may be stored.
    pub nullable: bool,
    /// A row without a value is refused.
    pub required: bool,
    /// Trailing blanks are dropped.
    pub trim_end: bool,
    /// The greatest length of a text.
    pub max_len: Option<u32>,
    /// The unit of `max_len`.
    pub unit: LengthUnit,
    /// The least value.
    pub min: Option<Value>,
    /// The greatest value.
    pub max: Option<Value>,
    /// The texts that it can hold; any if empty.
    pub one_of: Vec<String>,
}

/// What happens to a value that the column can't hold by size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Overflow {
    /// The line fails (`R0101`).
    Reject,
    /// A text is cut, at a character's border.
    Truncate,
}

/// On which way a storage form is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FitMode {
    /// To a value that the column holds: only its form is made canonical; nothing is refused.
    Read,
    /// To a value that is to be written: what the column can't hold fails.
    Write,
}

/// A storage form to be applied: the type to convert to, the form, and the overflow policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fit {
    /// The column's type. Widening conversions (int to decimal, shorter to longer text, decimal to another scale) are implied.
    pub ty: Type,
    /// The column's storage form.
    pub storage: Storage,
    /// What happens on overflow.
    pub overflow: Overflow,
    /// Whether the value was read from the column, or is about to be written to it.
    pub mode: FitMode,
}

/// Which way a step or table is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Direction {
    /// Left to right.
    Forward,
    /// Right to left.
    Backward,
}

/// A built-in step with its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepCall {
    /// Its name in the vocabulary.
    pub name: String,
    /// Its arguments.
    pub args: Vec<Value>,
}

/// A function of several values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Function {
    /// Joins texts; null counts as empty.
    Concat,
}

/// What a value without a row becomes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TableElse {
    /// The line fails (`R0102`).
    Reject,
    /// The value itself, where types allow.
    Keep,
    /// This value.
    Value(Value),
}

/// A row of a table in one direction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableRow {
    /// The value that is looked up; null only where a row names it.
    pub from: Value,
    /// What it becomes.
    pub to: Value,
}

/// A finite table, one list of rows for each direction. Null passes as null unless a row names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Its name, or the line's own text for an inline one.
    pub name: String,
    /// Type of the values at the left.
    pub left: Type,
    /// Type of the values at the right.
    pub right: Type,
    /// Rows that are read left to right; `from` is unique (after case folding where the left is `fold_left`).
    pub forward: Vec<TableRow>,
    /// Rows that are read right to left.
    pub backward: Vec<TableRow>,
    /// What a left value without a row becomes.
    pub else_forward: TableElse,
    /// What a right value without a row becomes.
    pub else_backward: TableElse,
    /// Left texts compare without case.
    pub fold_left: bool,
    /// Right texts compare without case.
    pub fold_right: bool,
}

/// An operation. Sources are slots written before; `dst` is a slot that nothing else writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op {
    /// A constant.
    Const {
        /// Where it goes.
        dst: SlotId,
        /// The index of the constant.
        constant: u16,
    },
    /// The storage form of a column (`fits[fit]`): the canonical stored value.
    Fit {
        /// Where it goes.
        dst: SlotId,
        /// What is stored.
        src: SlotId,
        /// The index of the form.
        fit: u16,
    },
    /// A built-in step (`steps[step]`).
    Step {
        /// Where it goes.
        dst: SlotId,
        /// Its input.
        src: SlotId,
        /// The index of the call.
        step: u16,
        /// Which way.
        direction: Direction,
    },
    /// A table look-up (`tables[table]`).
    Table {
        /// Where it goes.
        dst: SlotId,
        /// What is looked up.
        src: SlotId,
        /// The index of the table.
        table: u16,
        /// Which way.
        direction: Direction,
    },
    /// A two-member enum to the bool that it stands for.
    EnumToBool {
        /// Where it goes.
        dst: SlotId,
        /// The enum.
        src: SlotId,
    },
    /// A bool to the two-member enum that stands for it.
    BoolToEnum {
        /// Where it goes.
        dst: SlotId,
        /// The bool.
        src: SlotId,
    },
    /// A function of several values.
    Call {
        /// Where it goes.
        dst: SlotId,
        /// The function.
        function: Function,
        /// Its arguments.
        args: Vec<SlotId>,
    },
    /// The identity of the record of `references[reference]` that has this key; null where all parts but the company are null.
    Find {
        /// Where the identity goes.
        dst: SlotId,
        /// The map's reference.
        reference: u16,
        /// The key's parts, in the reference's order.
        key: Vec<SlotId>,
    },
    /// A part of the key of the record of `references[reference]` that has this identity; null for null.
    Follow {
        /// Where the part goes.
        dst: SlotId,
        /// The identity.
        src: SlotId,
        /// The map's reference.
        reference: u16,
        /// The index of the part.
        part: u16,
    },
    /// A comparison, two-valued: null equals null alone, and is neither below nor above anything.
    Compare {
        /// Where the bool goes.
        dst: SlotId,
        /// The comparison.
        op: CompareOp,
        /// The left operand.
        left: SlotId,
        /// The right operand, of the same kind.
        right: SlotId,
        /// Texts compare without case.
        fold: bool,
    },
    /// A test of a text; false for null.
    Text {
        /// Where the bool goes.
        dst: SlotId,
        /// The test.
        test: TextTest,
        /// The text.
        src: SlotId,
        /// What is looked for.
        what: SlotId,
        /// Compare without case.
        fold: bool,
    },
    /// Whether a slot is null.
    IsNull {
        /// Where the bool goes.
        dst: SlotId,
        /// What is tested.
        src: SlotId,
    },
    /// All of the bools (true if there is none).
    All {
        /// Where the bool goes.
        dst: SlotId,
        /// The operands.
        of: Vec<SlotId>,
    },
    /// Any of the bools (false if there is none).
    Any {
        /// Where the bool goes.
        dst: SlotId,
        /// The operands.
        of: Vec<SlotId>,
    },
    /// Not.
    Not {
        /// Where the bool goes.
        dst: SlotId,
        /// The operand.
        src: SlotId,
    },
}

impl Op {
    /// The slot that it writes.
    pub const fn dst(&self) -> SlotId {
        match self {
            Self::Const { dst, .. }
            | Self::Fit { dst, .. }
            | Self::Step { dst, .. }
            | Self::Table { dst, .. }
            | Self::EnumToBool { dst, .. }
            | Self::BoolToEnum { dst, .. }
            | Self::Call { dst, .. }
            | Self::Find { dst, .. }
            | Self::Follow { dst, .. }
            | Self::Compare { dst, .. }
            | Self::Text { dst, .. }
            | Self::IsNull { dst, .. }
            | Self::All { dst, .. }
            | Self::Any { dst, .. }
            | Self::Not { dst, .. } => *dst,
        }
    }

    /// The slots that it reads.
    pub fn sources(&self) -> Vec<SlotId> {
        match self {
            Self::Const { .. } => vec![],
            Self::Fit { src, .. }
            | Self::Step { src, .. }
            | Self::Table { src, .. }
            | Self::EnumToBool { src, .. }
            | Self::BoolToEnum { src, .. }
            | Self::Follow { src, .. }
            | Self::IsNull { src, .. }
            | Self::Not { src, .. } => vec![*src],
            Self::Compare { left, right, .. } => vec![*left, *right],
            Self::Text { src, what, .. } => vec![*src, *what],
            Self::Call { args: of, .. }
            | Self::Find { key: of, .. }
            | Self::All { of, .. }
            | Self::Any { of, .. } => of.clone(),
        }
    }
}

/// The slots that the runtime reads. Line vectors have one entry for each line of the map, by index.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outputs {
    /// Whether the row is in the map (bool); none if every row is.
    pub filter: Option<SlotId>,
    /// The key by which records are paired, in the *left* side's storage form, on both sides. Texts compare by `fold_pair_key`.
    pub pair_key: Vec<SlotId>,
    /// The key by which this side fetches and addresses a record.
    pub record_key: Vec<SlotId>,
    /// The company's code, where the side is striped.
    pub company: Option<SlotId>,
    /// The time of the last commit, where the side tells it.
    pub modified: Option<SlotId>,
    /// For each line its cell on this side, in this side's storage form: what bases hold.
    pub own: Vec<Option<SlotId>>,
    /// For each line that flows from this side, the value for the other side in *its* storage form.
    pub out: Vec<Option<SlotId>>,
}

/// A program: see the [module](self).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// What is scanned: slot `i` is column `i`, as it stands on the wire (null conventions not yet applied).
    pub columns: Vec<Column>,
    /// The type of every slot, the columns' first.
    pub slots: Vec<Type>,
    /// Enums that columns decode by (see [`Repr`]).
    pub enums: Vec<EnumDef>,
    /// Constants.
    pub constants: Vec<Value>,
    /// Storage forms.
    pub fits: Vec<Fit>,
    /// Steps with their arguments.
    pub steps: Vec<StepCall>,
    /// Tables.
    pub tables: Vec<Table>,
    /// The code, in order.
    pub ops: Vec<Op>,
    /// What is read afterwards.
    pub outputs: Outputs,
}
