//! The two emulated systems: a Dataverse Web API server and a Finance & Operations OData server on loopback, for any
//! entities of a schema, each over its own SQLite file.
//!
//! They are for trying, teaching and tests, and strict: what the real services refuse, they refuse, with the same
//! status, code and JSON. Each refusal names its source, a page of the vendor's public documentation, in a comment;
//! `(~)` marks what integrators commonly know and no page says.
//!
//! Invariants:
//! - It knows no map and no plan, only schemas.
//! - It evaluates filters and checks values by itself: no client's understanding is shared.
//! - A write that was answered with success survives a restart.
//!
//! Beside the services, each server has `/sandbox/faults`, `/sandbox/stats`, `/sandbox/expire-tokens` and
//! `/sandbox/schema` (fields that go, shrink or come while it runs); Dataverse has `/sandbox/expire-delta-tokens`, and
//! Finance & Operations `/sandbox/data-events`.

mod alter;
mod base64;
mod clock;
mod collation;
mod dataverse;
mod filter;
mod finops;
mod http;
mod landscape;
mod model;
mod notify;
mod query;
mod seed;
mod store;
mod value;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use dwmap_plan::Schema;
use tokio::sync::watch;

pub use http::Limits;
use http::{Limiter, Running, Tokens};

/// What to serve, and how.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the two files are; made if it isn't there.
    pub data_dir: PathBuf,
    /// The tables of Dataverse.
    pub dataverse: Schema,
    /// The entities of Finance & Operations, which Dataverse shows as virtual tables too.
    pub finops: Schema,
    /// The port of Dataverse; 0 for a free one.
    pub dataverse_port: u16,
    /// The port of Finance & Operations; 0 for a free one.
    pub finops_port: u16,
    /// Decides the seeded data: the same seed, the same data.
    pub seed: u64,
    /// How many customers to seed, with the reference data that they need; `None` leaves the systems empty. A data
    /// directory that holds data already is left as it is.
    pub customers: Option<usize>,
    /// Wants no token.
    pub open: bool,
    /// The client secret that the token endpoint takes, with any client id.
    pub secret: String,
    /// The company of an F&O user who names none.
    pub company: String,
    /// The service protection limits; `None` for none.
    pub limits: Option<Limits>,
    /// How long delta tokens of Dataverse's own tables are good for.
    pub token_life: Duration,
    /// How long those of virtual tables are.
    pub virtual_token_life: Duration,
}

impl Config {
    /// Both systems of these schemas in a directory, on free ports, empty, with the services' own numbers.
    pub fn new(data_dir: impl Into<PathBuf>, dataverse: Schema, finops: Schema) -> Self {
        const DAY: Duration = Duration::from_secs(86_400);
        Self {
            data_dir: data_dir.into(),
            dataverse,
            finops,
            dataverse_port: 0,
            finops_port: 0,
            seed: 1,
            customers: None,
            open: false,
            secret: "sandbox-secret".to_owned(),
            company: "usmf".to_owned(),
            limits: None,
            token_life: 7 * DAY,
            virtual_token_life: 10 * DAY,
        }
    }
}

/// Why the sandbox couldn't start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The data directory can't be made.
    #[error("the data directory {path} could not be made: {source}; choose another with --data")]
    DataDir {
        /// The directory.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// A file can't be opened or prepared.
    #[error(
        "the database {path} could not be opened: {source}; if the file is damaged or of another program, choose another directory with --data"
    )]
    Database {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: rusqlite::Error,
    },
    /// A port can't be listened on.
    #[error(
        "{address} could not be listened on: {source}; choose another port, or 0 for a free one"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The reason.
        source: std::io::Error,
    },
    /// A schema can't be served.
    #[error("{0}")]
    Schema(String),
    /// Seeding failed.
    #[error("the data could not be seeded: {0}; is the disk full?")]
    Seed(String),
}

/// What a server has done since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Requests that were let in.
    pub requests: u64,
    /// The time spent in serving them, summed over threads.
    pub busy: Duration,
}

/// The two servers, running.
pub struct Sandbox {
    dataverse: Running,
    finops: Running,
    stop: watch::Sender<bool>,
    /// What both servers can be changed by, as long as they run.
    _landscape: Arc<landscape::Landscape>,
}

/// Opens the files, seeds them if they are new, and serves. Ends when [`Sandbox::stop`] is called.
pub async fn start(config: Config) -> Result<Sandbox, SandboxError> {
    std::fs::create_dir_all(&config.data_dir).map_err(|source| SandboxError::DataDir {
        path: config.data_dir.clone(),
        source,
    })?;
    let tokens = Arc::new(Tokens::new(config.secret.clone(), config.open));
    let (stop, stopped) = watch::channel(false);
    let (ports, limits) = ((config.dataverse_port, config.finops_port), config.limits);
    let landscape = tokio::task::spawn_blocking(move || landscape::open(config))
        .await
        .map_err(|e| SandboxError::Seed(e.to_string()))??;
    let dataverse = http::serve(
        ports.0,
        Arc::clone(&landscape.dataverse),
        Arc::clone(&tokens),
        Limiter::new(limits),
        stopped.clone(),
    )
    .await?;
    let finops = http::serve(
        ports.1,
        Arc::clone(&landscape.finops),
        tokens,
        Limiter::new(limits),
        stopped,
    )
    .await?;
    Ok(Sandbox {
        dataverse,
        finops,
        stop,
        _landscape: landscape,
    })
}

impl Sandbox {
    /// Where Dataverse is: its API is at `http://ADDRESS/api/data/v9.2/`.
    pub fn dataverse(&self) -> SocketAddr {
        self.dataverse.address
    }

    /// Where Finance & Operations is: its API is at `http://ADDRESS/data/`.
    pub fn finops(&self) -> SocketAddr {
        self.finops.address
    }

    /// What Dataverse has done.
    pub fn dataverse_stats(&self) -> Stats {
        self.dataverse.stats()
    }

    /// What Finance & Operations has done.
    pub fn finops_stats(&self) -> Stats {
        self.finops.stats()
    }

    /// Lets the requests under way end, then stops.
    pub async fn stop(self) {
        // A receiver that is gone has ended already.
        let _ = self.stop.send(true);
        self.dataverse.ended().await;
        self.finops.ended().await;
    }
}
