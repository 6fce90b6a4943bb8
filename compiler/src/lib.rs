//! From `.dwmap` texts to a checked model, and from that to a plan.
//!
//! ```
//! use dwmap_compiler::{Project, SourceFile, check};
//!
//! let project = Project::new(vec![SourceFile::new("a.dwmap", "map m: crm.c -> erp.c { key a -> b }")]);
//! let checked = check(&project);
//! assert!(checked.diagnostics.has_errors()); // no schema of that name is known
//! ```
//!
//! Invariants:
//! - Pure: no I/O, no clock, no threads. All that is read comes in with the [`Project`].
//! - Deterministic: the same texts give the same diagnostics and the same plan, whatever the order of files.
//! - Whatever checks without an error lowers to a plan that [`dwmap_plan::verify`] accepts.
//! - One mistake is one diagnostic: what fails to resolve isn't reported again by those who use it.

mod agreement;
mod check;
pub mod diagnostics;
mod explain;
mod lower;
pub mod model;
mod project;
mod resolve;
mod sources;
mod suggest;
mod types;

pub use check::{Checked, check};
pub use explain::explain_map;
pub use lower::{BuildError, build};
pub use project::{Library, Options, Project, SourceFile};
pub use sources::{FileId, Place, Source, Sources};
