//! Time, as a trait: the simulation has its own.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct Moment(pub i64);

impl Moment {
    /// This much later.
    pub fn plus(self, by: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// This much earlier.
    pub fn minus(self, by: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// How long it is from now until then; zero if it has passed.
    pub fn until(self, then: Self) -> Duration {
        Duration::from_millis(u64::try_from(then.0.saturating_sub(self.0)).unwrap_or(0))
    }
}

/// Where time comes from. Nothing decides by it but back-off, waits for late writes and lagging reads, and the brake's
/// hour.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The present moment, for people. It jumps when the machine's clock is set.
    fn now(&self) -> Moment;

    /// The present moment, for waits: it begins anywhere and never jumps while the process lives. A clock that nobody
    /// sets needs no other.
    fn steady(&self) -> Moment {
        self.now()
    }

    /// Waits.
    async fn sleep(&self, duration: Duration);
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Moment {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Moment::default().plus(since)
    }

    fn steady(&self) -> Moment {
        static BEGIN: OnceLock<(Moment, Instant)> = OnceLock::new();
        let (begin, instant) = BEGIN.get_or_init(|| (Self.now(), Instant::now()));
        begin.plus(instant.elapsed())
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
