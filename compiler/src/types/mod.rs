//! Types: constants, operands, steps, tables, filters, and how one becomes another.

pub(crate) mod constant;
pub(crate) mod context;
pub(crate) mod convert;
pub(crate) mod filter;
pub(crate) mod line;
pub(crate) mod operand;
pub(crate) mod stage;
pub(crate) mod table;
