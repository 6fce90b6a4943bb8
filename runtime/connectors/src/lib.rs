//! Connectors to real systems: Dataverse by its Web API, Finance & Operations by its OData service.
//!
//! Both are written against the services' public protocol, over one core (`odata/`) that keeps the budget, the token,
//! the retries and the reading of answers. A connector gets queries, keys and encoded rows, and frames them: URL, batch
//! part, bulk request.
//!
//! Invariants:
//! - A connector never sees a map.
//! - What may have been applied is told as unknown and never sent again.
//! - Nothing waits for ever: every request has its time-out, every wait its bound.
//! - A token is sent to the system's own address only, and secrets are never printed.
//! - Bytes of rows go on as they came: pages are sliced, not copied.

mod auth;
mod dataverse;
mod finops;
mod limits;
mod odata;
mod wake;

pub use auth::{Auth, Secret};
pub use dataverse::{Dataverse, DataverseConfig};
pub use finops::{Finops, FinopsConfig};
pub use limits::Limits;
pub use wake::{HookError, HookServer, HookTarget, Hooks};

/// A system's settings can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The address is none.
    #[error("`{url}` is no address: {problem}; mend the `url` of [systems.{system}]")]
    Url {
        /// The system's name.
        system: String,
        /// The address as given.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The HTTP client can't be built.
    #[error(
        "the client for {system} can't be set up: {problem}; check this machine's TLS and proxy settings"
    )]
    Client {
        /// The system's name.
        system: String,
        /// What is wrong.
        problem: String,
    },
}
