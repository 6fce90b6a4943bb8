//! Why a row can't be written.

use std::fmt;

use dwmap_steps::Failure;
use dwmap_steps::semantics::Stop;

/// A line whose value can't be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodeError {
    /// The line, by its index in the map.
    pub line: u16,
    /// Why.
    pub problem: EncodeProblem,
}

/// Why a value can't be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EncodeProblem {
    /// There is none.
    Stopped(Stop),
    /// An enum's integer without a member.
    NoMember,
    /// A year beyond 9999, or before 1.
    BeyondCalendar,
    /// A value of another type than the column's.
    Mismatch,
}

impl EncodeError {
    /// The stable code, for `dwmap explain`.
    pub const fn code(&self) -> &'static str {
        match &self.problem {
            EncodeProblem::Stopped(Stop::Failed(failure)) => failure.code(),
            EncodeProblem::Stopped(_) => "R0107",
            EncodeProblem::NoMember | EncodeProblem::BeyondCalendar => "R0301",
            EncodeProblem::Mismatch => Failure::Mismatch.code(),
        }
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            EncodeProblem::Stopped(Stop::Failed(failure)) => failure.fmt(f),
            EncodeProblem::Stopped(Stop::Missing(_)) => {
                f.write_str("the referenced record isn't there")
            }
            EncodeProblem::Stopped(Stop::Wanted(_)) => {
                f.write_str("the referenced record was not looked up yet")
            }
            EncodeProblem::NoMember => f.write_str("the value is no member of the field's enum"),
            EncodeProblem::BeyondCalendar => {
                f.write_str("the year lies beyond what the field can hold (1 to 9999)")
            }
            EncodeProblem::Mismatch => Failure::Mismatch.fmt(f),
        }
    }
}

impl std::error::Error for EncodeError {}
