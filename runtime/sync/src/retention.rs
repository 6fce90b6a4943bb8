//! The log is kept for a time and up to a size; what is older goes, in small steps, and that it went is told.

use std::time::Duration;

use crate::error::SyncError;
use crate::runtime::Runtime;
use crate::state::{LogCut, Retention};

/// Entries that one commit drops: work on records waits for no longer than that takes.
const STEP: usize = 500;
/// How long work has the state for itself after each of them.
const PAUSE: Duration = Duration::from_millis(10);
/// The last of the log is kept whatever its size: the brake counts in it.
const KEPT: Duration = Duration::from_secs(24 * 3600);

impl Runtime {
    /// Drops what is too old or too much of the log.
    pub(crate) async fn trim_log(&self) -> Result<(), SyncError> {
        let now = self.date();
        let retention = Retention {
            before: now.minus(self.options.keep_log.max(KEPT)),
            bytes: self.options.keep_log_bytes,
            keep_from: now.minus(KEPT),
        };
        while self.store.trim_log(&retention, STEP).await? == STEP as u64 {
            // Whoever waits for the state comes first.
            self.clock.sleep(PAUSE).await;
        }
        Ok(())
    }

    /// What the log no longer has, if it ever lost anything.
    pub async fn log_cut(&self) -> Result<Option<LogCut>, SyncError> {
        Ok(self.store.log_cut().await?)
    }
}
