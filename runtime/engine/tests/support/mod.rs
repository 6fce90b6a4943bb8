//! Random plans, random records, and an independent reading of both.
#![allow(clippy::unwrap_used, unreachable_pub)]

pub mod choices;
pub mod json;
pub mod oracle;
pub mod program;
pub mod values;
