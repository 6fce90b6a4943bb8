//! Jitter from a seed: waits differ, runs don't.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Sebastiano Vigna's SplitMix64.
#[derive(Debug)]
pub(crate) struct Chance(AtomicU64);

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    fn next(&self) -> u64 {
        let step = 0x9e37_79b9_7f4a_7c15_u64;
        let mut z = self.0.fetch_add(step, Ordering::Relaxed).wrapping_add(step);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A wait before the next try: between `first` and three times as long for every try before it, at most `max`
    /// (decorrelated jitter, from Marc Brooker's "Exponential Backoff and Jitter").
    pub(crate) fn wait(&self, tries: u32, first: Duration, max: Duration) -> Duration {
        let least = first.as_millis().max(1) as u64;
        let most = least.saturating_mul(3_u64.saturating_pow(tries.min(20)));
        let span = (most - least).saturating_add(1);
        Duration::from_millis(least + self.next() % span).min(max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_within_their_bounds_and_repeat_with_the_seed() {
        let (first, max) = (Duration::from_millis(100), Duration::from_secs(5));
        let waits = |seed| {
            let chance = Chance::new(seed);
            (0..30)
                .map(|t| chance.wait(t, first, max))
                .collect::<Vec<_>>()
        };
        assert_eq!(waits(7), waits(7));
        assert_ne!(waits(7), waits(8));
        assert_eq!(waits(7)[0], first);
        assert!(waits(7).iter().all(|w| *w >= first && *w <= max));
    }
}
