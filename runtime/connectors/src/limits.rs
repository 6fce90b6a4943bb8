//! What a system allows, with the services' published figures as defaults.

use std::time::Duration;

use dwmap_connect::Budget;

/// The limits that a connector keeps. Defaults are the published ones; all can be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Requests at once. The connector goes below it by itself while the system is throttling.
    pub concurrency: usize,
    /// Requests in one [`Self::window`]. The services count for each web server, so this is the careful figure.
    pub requests_max: u32,
    /// The sliding window of [`Self::requests_max`].
    pub window: Duration,
    /// Rows in one write request.
    pub write_batch: usize,
    /// Keys in one fetch.
    pub fetch_batch: usize,
    /// Rows in one page of a scan.
    pub page: usize,
    /// The longest URL that is sent, in bytes.
    pub url_length_max: usize,
    /// The longest that the service works on a request.
    pub execution_max: Duration,
    /// How far reads may lag behind writes.
    pub lag_max: Duration,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long a request may take, its answer read to the end.
    pub request_timeout: Duration,
    /// How often a call is tried before its failure is told, where trying again is safe.
    pub attempts: u32,
    /// How long a call waits in all for its turn, and for a throttling system, before it says so.
    pub patience: Duration,
}

impl Limits {
    /// Dataverse: 6,000 requests in 300 s and 52 at once for a user and web server (*api-limits*), 1,000
    /// operations a `$batch`, two minutes for a request. A page could have 5,000 rows; 1,000 cost hardly more time, and
    /// a fifth of the memory.
    pub const fn dataverse() -> Self {
        Self {
            concurrency: 52,
            requests_max: 6_000,
            window: Duration::from_secs(300),
            write_batch: 500,
            fetch_batch: 500,
            page: 1_000,
            url_length_max: 16 * 1024,
            execution_max: Duration::from_secs(120),
            lag_max: Duration::ZERO,
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(150),
            attempts: 4,
            patience: Duration::from_secs(60),
        }
    }

    /// Finance & Operations: the same counts as Dataverse. Write requests are smaller, since business logic runs for
    /// each row, and URLs shorter.
    pub const fn finops() -> Self {
        Self {
            write_batch: 200,
            fetch_batch: 200,
            url_length_max: 8 * 1024,
            ..Self::dataverse()
        }
    }

    pub(crate) const fn budget(&self) -> Budget {
        Budget {
            concurrency: self.concurrency,
            write_batch: self.write_batch,
            fetch_batch: self.fetch_batch,
            page: self.page,
            execution_max: self.execution_max,
            lag_max: self.lag_max,
        }
    }
}
