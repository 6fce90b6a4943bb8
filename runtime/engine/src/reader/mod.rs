//! The projected reader: one pass over an object's bytes, straight into slots.

mod columns;
mod error;
mod number;
mod object;
mod shape;
mod skip;
mod string;
mod time;

pub(crate) use columns::{Columns, suits};
pub use error::{RowError, RowProblem};
pub(crate) use object::read;
pub(crate) use shape::Shape;

/// Bytes of a record, and how far they have been read.
pub(crate) struct Cursor<'a> {
    /// The record.
    text: &'a str,
    /// The same as bytes.
    bytes: &'a [u8],
    /// What is read next.
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
        }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Skips white space.
    #[inline]
    fn blanks(&mut self) {
        // One comparison where there is none, as between the tokens of compact JSON.
        while let Some(b) = self.peek()
            && b <= b' '
            && matches!(b, b' ' | b'\n' | b'\r' | b'\t')
        {
            self.at += 1;
        }
    }

    /// The text from `from` to `to`, which are borders of characters.
    fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    fn error(&self, problem: RowProblem) -> RowError {
        RowError {
            problem,
            at: self.at,
        }
    }

    fn expected(&self, what: &'static str) -> RowError {
        self.error(RowProblem::Expected(what))
    }

    /// Takes one byte that must stand here.
    #[inline]
    fn take(&mut self, byte: u8, what: &'static str) -> Result<(), RowError> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.expected(what))
        }
    }
}
