//! How long to wait before trying again.

use std::time::Duration;

/// Decorrelated jitter: each wait lies between the least one and three times the last, so that callers which
/// failed together don't come back together.
/// From *Exponential Backoff And Jitter*, AWS Architecture Blog, 2015.
#[derive(Debug)]
pub(crate) struct Backoff {
    last: Duration,
}

const LEAST: Duration = Duration::from_millis(100);
const GREATEST: Duration = Duration::from_secs(10);

impl Backoff {
    pub(crate) const fn new() -> Self {
        Self { last: LEAST }
    }

    /// The next wait.
    pub(crate) fn next(&mut self) -> Duration {
        let upper = (self.last * 3).min(GREATEST);
        self.last = rand::random_range(LEAST..=upper);
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_stay_in_bounds_and_grow_no_faster_than_threefold() {
        for _ in 0..100 {
            let mut backoff = Backoff::new();
            let mut last = LEAST;
            for _ in 0..20 {
                let wait = backoff.next();
                assert!((LEAST..=GREATEST).contains(&wait));
                assert!(wait <= last * 3);
                last = wait;
            }
        }
    }
}
