//! What end-to-end tests and benches share: the real binary, real sandbox servers, plain HTTP.
//!
//! Everything here is started on free ports of 127.0.0.1 with folders of its own, and stopped when it is dropped.
//! It belongs to tests, so what can't go on panics with what went wrong.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod archive;
mod binary;
mod http;
mod kill;
mod process;
mod project;

pub use archive::{Archive, difference};
pub use binary::dwmap;
pub use http::{Dataverse, Finops, eventually};
pub use kill::{Kills, Survived};
pub use process::{Running, Sandbox};
pub use project::Project;
