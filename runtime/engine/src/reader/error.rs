//! Why a record can't be read at all.

use std::fmt;

/// A record that is no proper JSON object: nothing of it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowError {
    /// What is wrong.
    pub problem: RowProblem,
    /// Where, as the offset of a byte in the record.
    pub at: usize,
}

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowProblem {
    /// Something else should stand here.
    Expected(&'static str),
    /// A key for the second time.
    DuplicateKey,
    /// A number of more than 38 digits, or beyond a float's range.
    NumberTooLong,
    /// Half of a surrogate pair.
    LoneSurrogate,
    /// Bytes that aren't UTF-8.
    NotUtf8,
    /// More bytes than the engine reads at once.
    TooLarge,
    /// Nested too deep.
    TooDeep,
}

impl RowError {
    /// The stable code, for `dwmap explain`.
    pub const fn code(&self) -> &'static str {
        match self.problem {
            RowProblem::Expected(_) => "R0201",
            RowProblem::DuplicateKey => "R0202",
            RowProblem::NumberTooLong => "R0203",
            RowProblem::LoneSurrogate | RowProblem::NotUtf8 => "R0204",
            RowProblem::TooLarge | RowProblem::TooDeep => "R0205",
        }
    }
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at;
        match self.problem {
            RowProblem::Expected(what) => {
                write!(f, "the record is no JSON: {what} is wanted at byte {at}")
            }
            RowProblem::DuplicateKey => {
                write!(f, "the record has a key for the second time at byte {at}")
            }
            RowProblem::NumberTooLong => write!(
                f,
                "the number at byte {at} has more than 38 digits, or is too large"
            ),
            RowProblem::LoneSurrogate => {
                write!(f, "the text at byte {at} holds half of a surrogate pair")
            }
            RowProblem::NotUtf8 => write!(f, "the record isn't UTF-8 at byte {at}"),
            RowProblem::TooLarge => f.write_str("the record is larger than 64 MiB"),
            RowProblem::TooDeep => {
                write!(f, "the record is nested deeper than 128 at byte {at}")
            }
        }
    }
}

impl std::error::Error for RowError {}
