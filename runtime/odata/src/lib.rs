//! The OData v4 protocol as both Dynamics services speak it: literals, URLs, `$batch`, pages and errors.
//!
//! Connectors and sandbox share this crate, so that what one writes the other reads. What a service *means* by a
//! request isn't here: validation and the evaluation of `$filter` are the service's own.
//!
//! Invariants:
//! - It depends on nothing else of this project and does no I/O.
//! - Nothing in it panics on any bytes that come from outside.
//! - What it renders, it reads back as the same.

pub mod batch;
pub mod error;
pub mod literal;
mod multipart;
pub mod page;
pub mod retry;
pub mod time;
pub mod url;
pub mod virtual_table;

pub use error::{ErrorBody, Nonsense};
pub use literal::Literal;
pub use page::Page;
pub use url::{Key, Resource, Url};
