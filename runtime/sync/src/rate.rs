//! Too many refused records in a short time pause their map: something is wrong with more than the records.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Moment;
use crate::error::SyncError;
use crate::observer::Event;
use crate::runtime::{MapRun, Runtime};
use crate::state::{Change, MapMode, MapStatus};

/// The time in which they are counted.
const WINDOW: Duration = Duration::from_secs(600);

/// When how many records of a map were refused, within the window.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<VecDeque<(Moment, u64)>>);

impl Refusals {
    /// Counts some more; gives how many there are within the window.
    fn count(&self, now: Moment, refused: u64) -> u64 {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = now.minus(WINDOW);
        counts.retain(|(at, _)| *at >= since);
        counts.push_back((now, refused));
        counts.iter().map(|(_, n)| n).sum()
    }

    fn forget(&self) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.clear();
    }
}

impl Runtime {
    /// Pauses a map whose records are refused too often. What it has marked is kept.
    pub(crate) async fn watch_refusals(&self, map: &MapRun, refused: u64) -> Result<(), SyncError> {
        if refused == 0 {
            return Ok(());
        }
        let most = self.options.error_max;
        let count = map.refusals.count(self.now(), refused);
        if count <= most {
            return Ok(());
        }
        map.refusals.forget();
        let before = self.store.map_status(map.id).await?;
        if before.mode != MapMode::Running {
            return Ok(());
        }
        let name = self.name(map);
        let reason = format!(
            "{count} records were refused within ten minutes, and no more than {most} may be; \
             `dwmap errors list` shows them, `dwmap resume {name}` goes on"
        );
        self.set_status(
            map,
            MapStatus {
                mode: MapMode::Paused,
                reason,
                ..before
            },
        )
        .await
    }

    /// Commits where a map stands, and tells whoever watches.
    pub(crate) async fn set_status(
        &self,
        map: &MapRun,
        status: MapStatus,
    ) -> Result<(), SyncError> {
        let event = Event::Mode {
            map: self.name(map).to_owned(),
            mode: status.mode,
            reason: status.reason.clone(),
        };
        let change = Change::SetStatus(map.id, status);
        self.store.commit(vec![change]).await?;
        self.tell(&event);
        Ok(())
    }
}
