//! A project's manifest: `dwmap.toml`, its environments, and secrets by reference.
//!
//! [`Manifest::load`] reads the file, lays one environment over it and gives typed settings; from then on nothing is
//! checked again. What is wrong is one [`ConfigError`] with file, line and column.
//!
//! Invariants:
//! - Nothing outside is touched before it is asked for: a [`Setting`] or [`SecretSetting`] says *where* a value is
//!   (`env:NAME`, `file:PATH`), and is resolved by the one who needs it.
//! - A secret never stands in the manifest itself, and never in a message, a log or a `Debug` text.
//! - A key that isn't known is an error, also in an environment that isn't chosen.
//!
//! All that a manifest can say:
#![doc = concat!("```toml\n", include_str!("../example.toml"), "```")]

mod alerts;
mod error;
mod glob;
mod manifest;
mod node;
mod place;
mod policy;
mod project;
mod section;
mod setting;
mod state;
mod suggest;
mod system;

pub use alerts::Alerts;
pub use error::ConfigError;
pub use manifest::Manifest;
pub use place::Place;
pub use policy::{Overflow, Policy};
pub use project::{MapSource, Project};
pub use setting::{Secret, SecretSetting, Setting};
pub use state::{State, StateLocation};
pub use suggest::Choices;
pub use system::{Auth, Changes, ClientCredentials, Hooks, Kind, System};
