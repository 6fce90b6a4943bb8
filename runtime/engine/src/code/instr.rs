//! Instructions.

use dwmap_plan::{CompareOp, Rounding, SlotId, TextTest};

/// A range of operands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operands {
    pub(super) from: u32,
    pub(super) count: u16,
}

/// How two slots compare, by their type.
#[derive(Debug, Clone, Copy)]
pub(super) enum Comparing {
    Scalar,
    Decimal,
    Float,
    Guid,
    Binary,
    Text,
    TextFolded,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Instr {
    /// A binary constant.
    Load {
        dst: SlotId,
        value: u16,
    },
    Copy {
        dst: SlotId,
        src: SlotId,
    },
    FitText {
        dst: SlotId,
        src: SlotId,
        fit: u16,
    },
    FitScalar {
        dst: SlotId,
        src: SlotId,
        fit: u16,
    },
    FitDecimal {
        dst: SlotId,
        src: SlotId,
        fit: u16,
    },
    FitAny {
        dst: SlotId,
        src: SlotId,
        fit: u16,
    },
    Trim {
        dst: SlotId,
        src: SlotId,
    },
    Upper {
        dst: SlotId,
        src: SlotId,
    },
    Lower {
        dst: SlotId,
        src: SlotId,
    },
    Default {
        dst: SlotId,
        src: SlotId,
        value: u16,
    },
    Scale {
        dst: SlotId,
        src: SlotId,
        places: u8,
        rounding: Rounding,
    },
    Require {
        dst: SlotId,
        src: SlotId,
    },
    /// Any other step, by its reference meaning.
    Call {
        dst: SlotId,
        src: SlotId,
        call: u16,
    },
    Table {
        dst: SlotId,
        src: SlotId,
        table: u16,
    },
    EnumToBool {
        dst: SlotId,
        src: SlotId,
    },
    Concat {
        dst: SlotId,
        of: Operands,
    },
    Find {
        dst: SlotId,
        reference: u16,
        key: u16,
        of: Operands,
    },
    Follow {
        dst: SlotId,
        src: SlotId,
        reference: u16,
        part: u16,
    },
    Compare {
        dst: SlotId,
        left: SlotId,
        right: SlotId,
        op: CompareOp,
        by: Comparing,
    },
    Text {
        dst: SlotId,
        src: SlotId,
        what: SlotId,
        test: TextTest,
        fold: bool,
    },
    IsNull {
        dst: SlotId,
        src: SlotId,
    },
    All {
        dst: SlotId,
        of: Operands,
    },
    Any {
        dst: SlotId,
        of: Operands,
    },
    Not {
        dst: SlotId,
        src: SlotId,
    },
}
