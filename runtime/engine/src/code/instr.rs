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

impl Instr {
    /// The slot that it writes.
    pub(super) const fn dst(self) -> SlotId {
        match self {
            Self::Load { dst, .. }
            | Self::Copy { dst, .. }
            | Self::FitText { dst, .. }
            | Self::FitScalar { dst, .. }
            | Self::FitDecimal { dst, .. }
            | Self::FitAny { dst, .. }
            | Self::Trim { dst, .. }
            | Self::Upper { dst, .. }
            | Self::Lower { dst, .. }
            | Self::Default { dst, .. }
            | Self::Scale { dst, .. }
            | Self::Require { dst, .. }
            | Self::Call { dst, .. }
            | Self::Table { dst, .. }
            | Self::EnumToBool { dst, .. }
            | Self::Concat { dst, .. }
            | Self::Find { dst, .. }
            | Self::Follow { dst, .. }
            | Self::Compare { dst, .. }
            | Self::Text { dst, .. }
            | Self::IsNull { dst, .. }
            | Self::All { dst, .. }
            | Self::Any { dst, .. }
            | Self::Not { dst, .. } => dst,
        }
    }

    /// The slots that it reads, and the operands.
    pub(super) const fn sources(self) -> ([Option<SlotId>; 2], Option<Operands>) {
        match self {
            Self::Load { .. } => ([None; 2], None),
            Self::Copy { src, .. }
            | Self::FitText { src, .. }
            | Self::FitScalar { src, .. }
            | Self::FitDecimal { src, .. }
            | Self::FitAny { src, .. }
            | Self::Trim { src, .. }
            | Self::Upper { src, .. }
            | Self::Lower { src, .. }
            | Self::Default { src, .. }
            | Self::Scale { src, .. }
            | Self::Require { src, .. }
            | Self::Call { src, .. }
            | Self::Table { src, .. }
            | Self::EnumToBool { src, .. }
            | Self::Follow { src, .. }
            | Self::IsNull { src, .. }
            | Self::Not { src, .. } => ([Some(src), None], None),
            Self::Compare { left, right, .. } => ([Some(left), Some(right)], None),
            Self::Text { src, what, .. } => ([Some(src), Some(what)], None),
            Self::Concat { of, .. }
            | Self::Find { of, .. }
            | Self::All { of, .. }
            | Self::Any { of, .. } => ([None; 2], Some(of)),
        }
    }
}
