//! The dwmap language: text to syntax tree and back.
//!
//! [`parse`] reads a text into a [`tree`] and always gives one, of what could be read, with the mistakes beside it.

mod error;
mod span;
pub mod tree;

pub use error::{Fix, Safety, SyntaxError};
pub use span::{LineIndex, Position, Span};

/// What came of a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parsed {
    /// The tree of what could be read.
    pub file: tree::File,
    /// The mistakes, in the order of the text; empty where all could be read.
    pub errors: Vec<SyntaxError>,
}
