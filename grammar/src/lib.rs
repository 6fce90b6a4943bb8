//! The dwmap language: text to syntax tree and back.
//!
//! [`parse`] reads a text into a [`tree`] and always gives one, of what could be read, with the mistakes beside it.
//! [`format()`] puts a text into its usual form.
//!
//! The way of a text: `tokens` splits it, `layout` finds where items end, `dwmap.pest` reads it, `build` makes the tree
//! of that, and `recover` says what is wrong with what couldn't be read. All mistakes have their constructors in
//! `mistakes` and their codes in [`CODES`].
//!
//! What holds always: no text makes it panic, overflow the stack or take more than time in proportion to its length; a
//! mistake is one error; spans are byte ranges on whole characters; what is formatted means the same as before.

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
