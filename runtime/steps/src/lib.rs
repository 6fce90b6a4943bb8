//! The vocabulary: every built-in step in a file of its own, and the reference meaning of all that a program does.
//!
//! The compiler takes types, classes, documentation and constant folding from here; the engine's fast code must
//! equal what stands here. A new step works everywhere once its file is in [`steps`] and its name in [`all`].
//!
//! ```
//! use dwmap_plan::Value;
//! let upper = dwmap_steps::step("upper").unwrap();
//! assert_eq!((upper.forward)(&Value::from("Acme"), &[]), Ok(Value::from("ACME")));
//! ```
//!
//! Invariants:
//! - Everything is a pure, total function of its arguments: no clock, no I/O, no panic.
//! - [`semantics`] is slow and obvious; where the engine differs from it, the engine is wrong.

mod codes;
mod failure;
mod info;
#[cfg(test)]
mod laws;
pub mod semantics;
pub mod steps;

pub use codes::{CODES, Code, code};
pub use failure::{Bound, Failure, JsonKind};
pub use info::{
    Checked, Example, Literal, NullRule, Param, ParamKind, StepError, StepFn, StepInfo, coerce,
};

/// All steps, in the order of the language reference.
pub fn all() -> &'static [&'static StepInfo] {
    steps::ALL
}

/// The step of this name.
pub fn step(name: &str) -> Option<&'static StepInfo> {
    all().iter().copied().find(|s| s.name == name)
}
