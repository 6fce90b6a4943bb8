//! Runs the programs of a plan: from a record's bytes to typed cells, and from typed cells to a body for the target.
//!
//! ```
//! use dwmap_engine::{LineMask, MapEngine, Scratch, WriteKind, testing};
//! use dwmap_plan::Side;
//!
//! let map = testing::customer_groups();
//! let engine = MapEngine::new(&map)?;
//! let mut scratch = Scratch::default();
//! let json = br#"{"dataAreaId":"usmf","CustomerGroupId":"30","Description":"Major","IsSalesTaxIncludedInPrice":"Yes"}"#;
//! let known = testing::known();
//! let row = engine.eval(Side::Left, json, &known, &mut scratch)?;
//! let mut body = Vec::new();
//! engine.encode(Side::Right, &row, &LineMask::all(&map), WriteKind::Update, &mut body)?;
//! assert_eq!(body, br#"{"msdyn_description":"Major","msdyn_issalestaxincluded":true,"msdyn_paymenttermid@odata.bind":null}"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Invariants:
//! - The meaning is that of [`dwmap_steps::semantics`]; everything here is a faster way to the same result.
//! - No record allocates once the scratch has seen a few: not in eval, not in encode, not in the fused path.
//! - Bytes from outside never panic. A record that is no JSON is an error of the record; a value that doesn't suit its
//!   column is a failure of the lines that use it.

mod cell;
mod code;
mod encode;
mod engine;
mod mask;
mod names;
mod reader;
mod row;
mod rows;
mod scratch;
mod slot;
#[doc(hidden)]
pub mod testing;
mod write;

pub use cell::{Cell, CellRef, ValueRef};
pub use dwmap_steps::Failure;
pub use dwmap_steps::semantics::{Ask, Lookup, NoReferences, References, Stop};
pub use encode::{EncodeError, EncodeProblem, WriteKind};
pub use engine::{EngineError, MapEngine};
pub use mask::LineMask;
pub use reader::{RowError, RowProblem};
pub use row::{EvalRow, RowView};
pub use rows::RowReader;
pub use scratch::Scratch;
