//! Reading: query options, the SELECT that they make, rows written as JSON, and paging.

mod options;
mod select;
mod token;

pub(crate) use options::{Expand, Options};
pub(crate) use select::{Page, Query};
pub(crate) use token::{Cell, Token};
