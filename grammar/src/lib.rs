//! The dwmap language: text to syntax tree and back.
//!
//! [`parse`] reads a text into a [`tree`] and always gives one, of what could be read, with the mistakes beside it.
//! [`format`] puts a text into its usual form.

mod build;
mod codes;
mod error;
mod format;
mod layout;
mod mistakes;
mod parse;
mod recover;
mod span;
mod syntax;
mod tokens;
pub mod tree;

pub use codes::CODES;
pub use error::{Fix, Safety, SyntaxError};
pub use format::format;
pub use parse::{Parsed, parse};
pub use span::{LineIndex, Position, Span};
