//! The gate before a system: it lets no more requests through than the published budget allows, fewer while the
//! system throttles, and none while it has asked to be left alone.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::Limits;

pub(crate) struct Gate {
    state: Mutex<State>,
    freed: Notify,
    requests_max: u32,
    window: Duration,
    patience: Duration,
}

struct State {
    in_flight: usize,
    /// Requests at once by now: halved at a throttle, one more after as many answers as it counts.
    limit: usize,
    /// The most that `limit` grows to: the setting, or the system's own advice if that is less.
    ceiling: usize,
    answers: usize,
    paused_until: Option<Instant>,
    /// Requests sent, oldest first, counted by slices of the window.
    sent: VecDeque<Slice>,
    sent_in_window: u32,
}

struct Slice {
    first: Instant,
    last: Instant,
    count: u32,
}

/// The window is counted in this many slices.
const SLICES: u32 = 60;

/// The right to have one request under way.
pub(crate) struct Permit<'g>(&'g Gate);

/// The gate stays shut for longer than the caller may wait.
#[derive(Debug)]
pub(crate) struct Shut {
    pub(crate) after: Duration,
}

enum Admission {
    Now,
    /// Not before.
    At(Instant),
    /// When a request ends.
    WhenFree,
}

impl Gate {
    pub(crate) fn new(limits: &Limits) -> Self {
        let ceiling = limits.concurrency.max(1);
        Self {
            state: Mutex::new(State {
                in_flight: 0,
                limit: ceiling,
                ceiling,
                answers: 0,
                paused_until: None,
                sent: VecDeque::new(),
                sent_in_window: 0,
            }),
            freed: Notify::new(),
            requests_max: limits.requests_max.max(1),
            window: limits.window,
            patience: limits.patience,
        }
    }

    // A panic while the lock was held can't leave the counts in a state worse than a stale one.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn, no longer than the system's `patience`.
    pub(crate) async fn enter(&self) -> Result<Permit<'_>, Shut> {
        let deadline = Instant::now() + self.patience;
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            let now = Instant::now();
            let admission = self.state().admit(now, self.requests_max, self.window);
            match admission {
                Admission::Now => return Ok(Permit(self)),
                Admission::At(at) if at > deadline => return Err(Shut { after: at - now }),
                Admission::At(at) => sleep_until(at).await,
                Admission::WhenFree => {
                    if timeout_at(deadline, freed).await.is_err() {
                        return Err(Shut {
                            after: Duration::ZERO,
                        });
                    }
                }
            }
        }
    }

    /// The system answered, and had nothing to complain of.
    pub(crate) fn answered(&self, advised: Option<usize>, most: usize) {
        let mut state = self.state();
        if let Some(advised) = advised {
            state.ceiling = advised.clamp(1, most.max(1));
            state.limit = state.limit.min(state.ceiling);
        }
        state.answers += 1;
        if state.answers >= state.limit && state.limit < state.ceiling {
            state.limit += 1;
            state.answers = 0;
            drop(state);
            self.freed.notify_one();
        }
    }

    /// The system throttles: half as much at once, and nothing for as long as it says.
    pub(crate) fn throttled(&self, after: Duration) {
        let mut state = self.state();
        state.limit = (state.limit / 2).max(1);
        state.answers = 0;
        let until = Instant::now() + after;
        state.paused_until = Some(state.paused_until.map_or(until, |at| at.max(until)));
    }
}

impl State {
    fn admit(&mut self, now: Instant, requests_max: u32, window: Duration) -> Admission {
        if let Some(until) = self.paused_until {
            if until > now {
                return Admission::At(until);
            }
            self.paused_until = None;
        }
        // A slice is dated by its last request, so that it never leaves the window too early.
        while let Some(slice) = self.sent.front()
            && slice.last + window <= now
        {
            self.sent_in_window -= slice.count;
            self.sent.pop_front();
        }
        if self.sent_in_window >= requests_max
            && let Some(oldest) = self.sent.front()
        {
            return Admission::At(oldest.last + window);
        }
        if self.in_flight >= self.limit {
            return Admission::WhenFree;
        }
        self.in_flight += 1;
        self.sent_in_window += 1;
        match self.sent.back_mut() {
            Some(slice) if now < slice.first + window / SLICES => {
                slice.last = now;
                slice.count += 1;
            }
            _ => self.sent.push_back(Slice {
                first: now,
                last: now,
                count: 1,
            }),
        }
        Admission::Now
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.state().in_flight -= 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(concurrency: usize, requests_max: u32) -> Gate {
        Gate::new(&Limits {
            concurrency,
            requests_max,
            window: Duration::from_secs(300),
            patience: Duration::from_secs(60),
            ..Limits::dataverse()
        })
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_the_limit_at_once() {
        let gate = gate(2, 100);
        let first = gate.enter().await.unwrap();
        let _second = gate.enter().await.unwrap();
        assert!(gate.enter().await.is_err(), "a third waits in vain");
        drop(first);
        assert!(gate.enter().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn the_window_slides() {
        let gate = gate(10, 3);
        for _ in 0..3 {
            drop(gate.enter().await.unwrap());
        }
        let shut = gate.enter().await.err().unwrap();
        assert!(shut.after > Duration::from_secs(290), "{shut:?}");
        tokio::time::advance(Duration::from_secs(301)).await;
        assert!(gate.enter().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttle_halves_and_answers_open_again() {
        let gate = gate(4, 1000);
        let began = Instant::now();
        gate.throttled(Duration::from_secs(7));
        let first = gate.enter().await.unwrap();
        assert!(began.elapsed() >= Duration::from_secs(7));
        let second = gate.enter().await.unwrap();
        assert!(gate.enter().await.is_err(), "two at once after a throttle");
        drop((first, second));
        for _ in 0..2 {
            gate.answered(None, 4);
        }
        let _held = (gate.enter().await.unwrap(), gate.enter().await.unwrap());
        assert!(
            gate.enter().await.is_ok(),
            "three at once after two answers"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn advice_lowers_the_ceiling() {
        let gate = gate(10, 1000);
        gate.answered(Some(1), 10);
        let _held = gate.enter().await.unwrap();
        assert!(gate.enter().await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn who_would_wait_too_long_is_told_how_long() {
        let gate = gate(10, 1000);
        gate.throttled(Duration::from_secs(600));
        let shut = gate.enter().await.err().unwrap();
        assert!(shut.after > Duration::from_secs(590));
    }
}
