//! The text form of a plan: what `dwmap explain --plan` prints, what a review reads, and what file tests are written in.
//!
//! It is RON, a notation close to Rust's own; [`parse`] reads back exactly what [`print`](fn@print) writes.

use crate::{Plan, verify};

/// Why a text is not a plan.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// The notation is wrong, with line and column.
    #[error("the plan's text can't be read at {line}:{column}: {message}")]
    Syntax {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What was wrong.
        message: String,
    },
    /// It reads, and makes no sense.
    #[error("the plan was refused: {0}")]
    Refused(#[from] verify::VerifyError),
    /// A value that the notation can't hold.
    #[error("the plan can't be printed: {0}")]
    Print(String),
}

/// Prints a plan.
pub fn print(plan: &Plan) -> Result<String, TextError> {
    let config = ron::ser::PrettyConfig::new()
        .depth_limit(7)
        .indentor("  ")
        .struct_names(false);
    ron::ser::to_string_pretty(plan, config).map_err(|e| TextError::Print(e.to_string()))
}

/// Reads a plan that [`print`](fn@print) wrote, or a person; it is verified like any other.
pub fn parse(text: &str) -> Result<Plan, TextError> {
    let plan: Plan = ron::from_str(text).map_err(|e| TextError::Syntax {
        line: e.span.start.line,
        column: e.span.start.col,
        message: e.code.to_string(),
    })?;
    verify::plan(&plan)?;
    Ok(plan)
}
