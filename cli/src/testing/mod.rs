//! Runs `test` blocks: the production runtime between two systems in memory.

mod compare;
mod json;
mod run;
mod system;

pub(crate) use run::{TestResult, run};
