//! What a scenario says: how the systems, the network, the users and those who run the process behave.

use std::time::Duration;

use dwmap_plan::{ConflictPolicy, MissingPolicy, Side};

use crate::kinds::Kind;
use crate::oracle::Rules;
use crate::plan::{ALL_LINES, Knobs};
use crate::server::Logic;
use crate::world::Counts;

/// How a system, and the way to it, behaves. Probabilities are by request, or by row where it says so.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habits {
    /// It has a change feed; else only sweeps find what changed.
    pub(crate) tracked: bool,
    /// It honours `If-Match`.
    pub(crate) guards_versions: bool,
    /// Its rows come with versions.
    pub(crate) tells_versions: bool,
    pub(crate) feed_has_rows: bool,
    pub(crate) feed_repeats: f64,
    pub(crate) cursor_expires: f64,
    /// A row is missing from a scan (by row).
    pub(crate) scan_misses: f64,
    /// The rows can't be read for a while.
    pub(crate) goes_dark: f64,
    /// A write's answer doesn't come.
    pub(crate) unanswered: f64,
    /// Busy: nothing was done.
    pub(crate) turned_away: f64,
    /// A row of a write fails alone, and may be tried again (by row).
    pub(crate) row_fails: f64,
    /// Bulk writes answer without version, key and row.
    pub(crate) bulk_is_silent: bool,
    /// Hooks say that something changed, whether it has or not.
    pub(crate) hooks: bool,
    pub(crate) logic: Logic,
    pub(crate) page: usize,
    /// When the connector gives up waiting.
    pub(crate) timeout: Duration,
    /// When a write can't land any more.
    pub(crate) execution_max: Duration,
    /// How far reads lag.
    pub(crate) lag_max: Duration,
}

impl Habits {
    pub(crate) const GOOD: Self = Self {
        tracked: true,
        guards_versions: true,
        tells_versions: true,
        feed_has_rows: true,
        feed_repeats: 0.1,
        cursor_expires: 0.0,
        scan_misses: 0.0,
        goes_dark: 0.0,
        unanswered: 0.0,
        turned_away: 0.0,
        row_fails: 0.0,
        bulk_is_silent: false,
        hooks: false,
        logic: Logic {
            defaults_terms: false,
            marks_names: false,
            unmarks_names: false,
            rounds: false,
            trims: false,
        },
        page: 4,
        timeout: Duration::from_secs(5),
        execution_max: Duration::from_secs(20),
        lag_max: Duration::ZERO,
    };

    /// An ERP: trims, has no feed of its own rows.
    pub(crate) const ERP: Self = Self {
        logic: Logic {
            trims: true,
            ..Self::GOOD.logic
        },
        ..Self::GOOD
    };

    /// A CRM: rounds to its columns' places.
    pub(crate) const CRM: Self = Self {
        logic: Logic {
            rounds: true,
            ..Self::GOOD.logic
        },
        ..Self::GOOD
    };
}

/// What users do, as weights.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Users {
    pub(crate) actions: usize,
    pub(crate) records: usize,
    pub(crate) edit: u32,
    pub(crate) create: u32,
    pub(crate) delete: u32,
    pub(crate) toggle: u32,
    /// The same record is made on both sides.
    pub(crate) collide: u32,
    /// A value that the right side refuses.
    pub(crate) unfit: u32,
    /// A group that was referred to before it was there appears.
    pub(crate) appear: u32,
    /// A second record is made on the right under the key of one that is linked.
    pub(crate) claim: u32,
    /// A group that isn't there yet is referred to as well.
    pub(crate) dangling: bool,
    /// Users of these sides edit.
    pub(crate) sides: [bool; 2],
}

impl Users {
    pub(crate) const BUSY: Self = Self {
        actions: 24,
        records: 5,
        edit: 12,
        create: 2,
        delete: 0,
        toggle: 0,
        collide: 1,
        unfit: 0,
        appear: 0,
        claim: 0,
        dangling: false,
        sides: [true; 2],
    };
}

/// What those who run the process do, as counts over the whole run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operators {
    /// The process is killed.
    pub(crate) crashes: usize,
    /// It is killed, and its state is lost.
    pub(crate) losses: usize,
    /// It goes on with another plan.
    pub(crate) upgrades: usize,
    /// Its clock jumps.
    pub(crate) jumps: usize,
    /// They ask something of it.
    pub(crate) words: usize,
    /// A second process is started on its state.
    pub(crate) seconds: usize,
}

impl Operators {
    pub(crate) const IDLE: Self = Self {
        crashes: 0,
        losses: 0,
        upgrades: 0,
        jumps: 0,
        words: 0,
        seconds: 0,
    };
}

/// A scenario.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) habits: [Habits; 2],
    pub(crate) users: Users,
    pub(crate) operators: Operators,
    /// Traits of the systems that are as `habits` says; the others are drawn by the seed.
    pub(crate) fixed: &'static [Kind],
    /// The process is killed at this share of its commits, before or after.
    pub(crate) crash_at_commit: f64,
    pub(crate) prefer: Side,
    /// Whether deletes are carried over, by the side where they happened.
    pub(crate) deletes: [bool; 2],
    /// What is done with a reference to a group that isn't there.
    pub(crate) missing: MissingPolicy,
    pub(crate) delete_max: usize,
    /// How often what the scenario is named for happened.
    pub(crate) shows: fn(&Counts) -> usize,
}

impl Scenario {
    /// What its promises depend on.
    pub(crate) fn rules(&self) -> Rules {
        Rules {
            prefer: self.prefer,
            deletes: self.deletes,
            fight: self.habits[0].logic.unmarks_names,
            delete_max: self.delete_max,
        }
    }

    /// Its map.
    pub(crate) fn knobs(&self) -> Knobs {
        Knobs {
            lines: ALL_LINES,
            conflict: ConflictPolicy::Prefer(self.prefer),
            initial: self.prefer,
            deletes: self.deletes,
            missing: self.missing,
        }
    }

    /// The scenario of this name.
    pub(crate) fn named(name: &str) -> Self {
        let mut all = crate::scenarios::all().into_iter();
        all.find(|s| s.name == name)
            .unwrap_or_else(|| panic!("there is no scenario {name:?}"))
    }
}
