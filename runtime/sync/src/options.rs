//! What a run may be told.

use std::time::Duration;

use crate::mistake::Rules;

/// Settings of a run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The companies that take part, without regard to case; all if empty.
    pub companies: Vec<String>,
    /// The maps that are worked on; all if empty.
    pub maps: Vec<String>,
    /// The brake: more deletes (or deactivations) than this within an hour stop the map. If not said, 100, or 1 % of
    /// the map's links where that is more.
    pub delete_max: Option<u64>,
    /// The brake of a load: it isn't begun if it would overwrite more fields than this; no limit if not said.
    pub change_max: Option<u64>,
    /// More refused records of a map than this within ten minutes pause it.
    pub error_max: u64,
    /// How long the log is kept; a day at least.
    pub keep_log: Duration,
    /// The bytes from which on the oldest of the log go, but never what is of the last day.
    pub keep_log_bytes: u64,
    /// Marks that one batch takes.
    pub batch: usize,
    /// How long a system's feeds are left alone between two looks.
    pub look_every: Duration,
    /// How long they are left alone at least where the system tells of its changes by hooks: what a lost one costs.
    pub look_every_told: Duration,
    /// How long a set without a change feed is left alone between two sweeps.
    pub sweep_every: Duration,
    /// How long between two looks for schema drift.
    pub drift_every: Duration,
    /// How often what people ask is looked for; never if not said.
    pub serve_every: Option<Duration>,
    /// How long writes that are on their way are waited for when a run is stopped.
    pub stop_within: Duration,
    /// The first wait after a transient failure.
    pub retry_first: Duration,
    /// The longest wait after a transient failure.
    pub retry_max: Duration,
    /// The seed of the jitter in waits.
    pub seed: u64,
    /// Which rules are kept.
    pub rules: Rules,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            companies: Vec::new(),
            maps: Vec::new(),
            delete_max: None,
            change_max: None,
            error_max: 10_000,
            keep_log: Duration::from_secs(365 * 24 * 3600),
            keep_log_bytes: 1 << 30,
            batch: 500,
            look_every: Duration::from_secs(1),
            look_every_told: Duration::from_secs(15),
            sweep_every: Duration::from_secs(60),
            drift_every: Duration::from_secs(600),
            serve_every: None,
            stop_within: Duration::from_secs(20),
            retry_first: Duration::from_millis(500),
            retry_max: Duration::from_secs(300),
            seed: 0,
            rules: Rules::default(),
        }
    }
}
