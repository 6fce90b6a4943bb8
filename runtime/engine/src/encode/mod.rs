//! From typed cells to a body for the target.

mod body;
mod error;
mod values;

pub(crate) use body::Body;
pub use error::{EncodeError, EncodeProblem};
pub(crate) use values::encode_values;

use dwmap_plan::{Line, WriteColumn};

/// Whether a record is born or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WriteKind {
    /// It is born: all columns, the key's and those that can only be written now among them.
    Create,
    /// It changes: only columns that can.
    Update,
}

/// Whether a column is written only when a record is born.
const fn only_at_birth(column: &WriteColumn, line: &Line) -> bool {
    column.create_only || line.key || line.on_create
}
