//! Kinds of systems: what a scenario doesn't fix is drawn by the seed, so that each goes wrong on each kind.

use std::fmt;
use std::time::Duration;

use dwmap_plan::Side;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::scenario::{Habits, Scenario};

/// A trait by which systems differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Whether versions are told, and honoured.
    Versions,
    /// Whether there is a change feed.
    Feed,
    /// Whether it brings rows.
    FeedRows,
    /// Whether bulk writes are answered.
    Bulk,
    /// Whether reads lag.
    Lag,
}

impl Kind {
    const ALL: [Self; 5] = [
        Self::Versions,
        Self::Feed,
        Self::FeedRows,
        Self::Bulk,
        Self::Lag,
    ];

    fn draw(self, habits: &mut Habits, rng: &mut StdRng) {
        match self {
            Self::Versions => {
                habits.tells_versions = rng.random_bool(0.75);
                habits.guards_versions = habits.tells_versions && rng.random_bool(0.75);
            }
            Self::Feed => habits.tracked = rng.random_bool(0.7),
            Self::FeedRows => habits.feed_has_rows = rng.random_bool(0.6),
            Self::Bulk => habits.bulk_is_silent = rng.random_bool(0.4),
            Self::Lag => {
                let lags = rng.random_bool(0.3);
                habits.lag_max = Duration::from_secs(if lags { 3 } else { 0 });
            }
        }
    }
}

impl Scenario {
    /// The scenario under a seed: each third runs as it is described, the others between systems of other kinds.
    pub(crate) fn under(mut self, seed: u64) -> Self {
        if seed.is_multiple_of(3) {
            return self;
        }
        let mut rng = StdRng::seed_from_u64(!seed);
        for habits in &mut self.habits {
            for kind in Kind::ALL {
                let mut drawn = *habits;
                kind.draw(&mut drawn, &mut rng);
                if !self.fixed.contains(&kind) {
                    *habits = drawn;
                }
            }
        }
        self
    }

    /// The kinds of its systems, for the story.
    pub(crate) fn kinds(&self) -> String {
        let [left, right] = Side::BOTH.map(|side| InWords(&self.habits[side.index()]));
        format!("erp: {left}; crm: {right}")
    }
}

/// A system's kind in words.
struct InWords<'a>(&'a Habits);

impl fmt::Display for InWords<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let habits = self.0;
        f.write_str(match (habits.tells_versions, habits.guards_versions) {
            (_, true) => "versions honoured",
            (true, false) => "versions told and not honoured",
            (false, false) => "no versions",
        })?;
        f.write_str(match (habits.tracked, habits.feed_has_rows) {
            (false, _) => ", swept",
            (true, true) => ", a feed with rows",
            (true, false) => ", a feed without rows",
        })?;
        if habits.bulk_is_silent {
            f.write_str(", bulk writes without answers")?;
        }
        match habits.lag_max {
            Duration::ZERO => Ok(()),
            lag => write!(f, ", reads lag up to {} s", lag.as_secs()),
        }
    }
}
