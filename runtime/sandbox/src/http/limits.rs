//! The service protection limits.
//!
//! Source: *Service protection API limits* (Dataverse) and *Service protection API limits* (Finance & Operations):
//! per user and web server, in a sliding window.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::Refusal;
use crate::store::lock;

/// How much a user may ask of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests in a window.
    pub requests: usize,
    /// Execution time in a window.
    pub execution: Duration,
    /// Requests at once.
    pub concurrent: usize,
    /// The window.
    pub window: Duration,
}

impl Limits {
    /// The published ones: 6,000 requests, 1,200 s of execution and 52 at once, in 300 s.
    pub const PUBLISHED: Self = Self {
        requests: 6_000,
        execution: Duration::from_secs(1_200),
        concurrent: 52,
        window: Duration::from_secs(300),
    };
}

#[derive(Debug, Default)]
struct Usage {
    /// When requests ended, and how long they took.
    past: VecDeque<(Instant, Duration)>,
    running: usize,
}

impl Usage {
    fn forget(&mut self, window: Duration) {
        while self
            .past
            .front()
            .is_some_and(|(at, _)| at.elapsed() > window)
        {
            self.past.pop_front();
        }
    }
}

/// Counts what each user asks.
#[derive(Debug)]
pub(crate) struct Limiter {
    limits: Option<Limits>,
    users: Mutex<HashMap<String, Usage>>,
}

impl Limiter {
    /// Without limits nothing is counted.
    pub(crate) fn new(limits: Option<Limits>) -> Self {
        Self {
            limits,
            users: Mutex::default(),
        }
    }

    /// Lets a request in, or refuses it.
    pub(crate) fn enter(&self, user: &str) -> Result<(), Refusal> {
        let Some(limits) = self.limits else {
            return Ok(());
        };
        let mut users = lock(&self.users);
        let usage = users.entry(user.to_owned()).or_default();
        usage.forget(limits.window);
        let seconds = limits.window.as_secs();
        let spent: Duration = usage.past.iter().map(|(_, took)| *took).sum();
        let (code, message) = if usage.past.len() + usage.running >= limits.requests {
            (
                "0x80072322",
                format!(
                    "Number of requests exceeded the limit of {} over time window of {seconds} seconds.",
                    limits.requests
                ),
            )
        } else if spent >= limits.execution {
            (
                "0x80072321",
                format!(
                    "Combined execution time of incoming requests exceeded limit of {} milliseconds over time window of {seconds} seconds. Decrease number of concurrent requests or reduce the duration of requests and try again later.",
                    limits.execution.as_millis()
                ),
            )
        } else if usage.running >= limits.concurrent {
            (
                "0x80072326",
                format!(
                    "Number of concurrent requests exceeded the limit of {}.",
                    limits.concurrent
                ),
            )
        } else {
            usage.running += 1;
            return Ok(());
        };
        let wait = usage.past.front().map_or(1, |(at, _)| {
            limits.window.saturating_sub(at.elapsed()).as_secs().max(1)
        });
        Err(Refusal::new(429, code, message).header("Retry-After", wait.to_string()))
    }

    /// A request that was let in has ended.
    pub(crate) fn leave(&self, user: &str, took: Duration) {
        if self.limits.is_some()
            && let Some(usage) = lock(&self.users).get_mut(user)
        {
            usage.running = usage.running.saturating_sub(1);
            usage.past.push_back((Instant::now(), took));
        }
    }
}
