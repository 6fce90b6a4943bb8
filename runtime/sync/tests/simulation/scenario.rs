//! Scenarios: how the systems, the network and the users behave, by the names under which the manual lists what
//! goes wrong.

use std::time::Duration;

use dwmap_plan::{ConflictPolicy, MissingPolicy, Side};

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
    const GOOD: Self = Self {
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
    const ERP: Self = Self {
        logic: Logic {
            trims: true,
            ..Self::GOOD.logic
        },
        ..Self::GOOD
    };

    /// A CRM: rounds to its columns' places.
    const CRM: Self = Self {
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
    /// A group that isn't there yet is referred to as well.
    pub(crate) dangling: bool,
    /// Users of these sides edit.
    pub(crate) sides: [bool; 2],
}

impl Users {
    const BUSY: Self = Self {
        actions: 24,
        records: 5,
        edit: 12,
        create: 2,
        delete: 0,
        toggle: 0,
        collide: 1,
        unfit: 0,
        appear: 0,
        dangling: false,
        sides: [true; 2],
    };
}

/// A scenario.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) habits: [Habits; 2],
    pub(crate) users: Users,
    /// The process is killed about that often, over the whole run.
    pub(crate) crashes: usize,
    /// It is killed at this share of its commits, before or after.
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
        let mut all = all().into_iter();
        all.find(|s| s.name == name)
            .unwrap_or_else(|| panic!("there is no scenario {name:?}"))
    }
}

const CALM: Scenario = Scenario {
    name: "calm",
    habits: [Habits::ERP, Habits::CRM],
    users: Users::BUSY,
    crashes: 0,
    crash_at_commit: 0.0,
    prefer: Side::Left,
    deletes: [true; 2],
    missing: MissingPolicy::Blank,
    delete_max: 100,
    shows: |c| c.edits,
};

/// Sets a habit on both sides.
const fn both(habits: Habits) -> [Habits; 2] {
    [
        Habits {
            logic: Habits::ERP.logic,
            ..habits
        },
        Habits {
            logic: Habits::CRM.logic,
            ..habits
        },
    ]
}

/// All scenarios.
pub(crate) fn all() -> Vec<Scenario> {
    let sweeping = |h: Habits| Habits {
        tracked: false,
        ..h
    };
    vec![
        CALM,
        Scenario {
            name: "sweeps only",
            habits: [sweeping(Habits::ERP), Habits::CRM],
            prefer: Side::Right,
            ..CALM
        },
        Scenario {
            name: "stale read",
            habits: both(Habits {
                feed_repeats: 0.5,
                hooks: true,
                page: 2,
                ..Habits::GOOD
            }),
            users: Users {
                records: 2,
                actions: 40,
                ..Users::BUSY
            },
            ..CALM
        },
        Scenario {
            name: "crash between answer and commit",
            crashes: 4,
            crash_at_commit: 0.05,
            users: Users {
                delete: 1,
                ..Users::BUSY
            },
            shows: |c| c.crashes,
            ..CALM
        },
        Scenario {
            name: "unknown outcome",
            habits: both(Habits {
                unanswered: 0.3,
                ..Habits::GOOD
            }),
            users: Users {
                delete: 1,
                ..Users::BUSY
            },
            shows: |c| c.late.min(c.unknown),
            ..CALM
        },
        Scenario {
            name: "lagging reads",
            habits: both(Habits {
                lag_max: Duration::from_secs(4),
                ..Habits::GOOD
            }),
            shows: |c| c.lagged,
            ..CALM
        },
        Scenario {
            name: "target changes what we wrote",
            habits: [
                Habits::ERP,
                Habits {
                    logic: Logic {
                        defaults_terms: true,
                        marks_names: true,
                        ..Habits::CRM.logic
                    },
                    ..Habits::CRM
                },
            ],
            shows: |c| c.rewritten,
            ..CALM
        },
        Scenario {
            name: "plug-ins fight",
            habits: [
                Habits {
                    logic: Logic {
                        unmarks_names: true,
                        ..Habits::ERP.logic
                    },
                    ..Habits::ERP
                },
                Habits {
                    logic: Logic {
                        marks_names: true,
                        ..Habits::CRM.logic
                    },
                    ..Habits::CRM
                },
            ],
            shows: |c| c.rewritten,
            ..CALM
        },
        Scenario {
            name: "bulk write answers nothing",
            habits: both(Habits {
                bulk_is_silent: true,
                ..Habits::GOOD
            }),
            shows: |c| c.silent,
            ..CALM
        },
        Scenario {
            name: "absence",
            habits: [
                Habits {
                    tracked: false,
                    scan_misses: 0.2,
                    goes_dark: 0.02,
                    ..Habits::ERP
                },
                Habits {
                    cursor_expires: 0.1,
                    scan_misses: 0.2,
                    goes_dark: 0.02,
                    ..Habits::CRM
                },
            ],
            users: Users {
                delete: 1,
                ..Users::BUSY
            },
            shows: |c| c.hidden,
            ..CALM
        },
        Scenario {
            name: "mass delete",
            users: Users {
                delete: 12,
                create: 0,
                records: 8,
                ..Users::BUSY
            },
            delete_max: 3,
            shows: |c| c.deletes,
            ..CALM
        },
        Scenario {
            name: "partial batch",
            habits: both(Habits {
                row_fails: 0.3,
                turned_away: 0.1,
                ..Habits::GOOD
            }),
            shows: |c| c.transient,
            ..CALM
        },
        Scenario {
            name: "conflict on the guard",
            users: Users {
                records: 2,
                actions: 50,
                ..Users::BUSY
            },
            prefer: Side::Right,
            shows: |c| c.conflicts,
            ..CALM
        },
        Scenario {
            name: "no guards",
            habits: both(Habits {
                guards_versions: false,
                tells_versions: false,
                unanswered: 0.1,
                ..Habits::GOOD
            }),
            shows: |c| c.edits,
            ..CALM
        },
        Scenario {
            name: "filter enter and leave",
            users: Users {
                toggle: 5,
                ..Users::BUSY
            },
            shows: |c| c.leaves,
            ..CALM
        },
        Scenario {
            name: "deletes",
            users: Users {
                delete: 4,
                create: 4,
                ..Users::BUSY
            },
            shows: |c| c.deletes,
            ..CALM
        },
        Scenario {
            name: "key collisions",
            users: Users {
                records: 12,
                collide: 30,
                ..Users::BUSY
            },
            shows: |c| c.conflicts,
            ..CALM
        },
        Scenario {
            name: "bad record",
            users: Users {
                unfit: 2,
                ..Users::BUSY
            },
            shows: |c| c.refused,
            ..CALM
        },
        Scenario {
            name: "blanked reference",
            users: Users {
                dangling: true,
                appear: 1,
                ..Users::BUSY
            },
            shows: |c| c.appeared,
            ..CALM
        },
        Scenario {
            name: "parked reference",
            users: Users {
                dangling: true,
                appear: 1,
                ..Users::BUSY
            },
            missing: MissingPolicy::Park,
            shows: |c| c.appeared,
            ..CALM
        },
        Scenario {
            name: "everything at once",
            habits: [
                Habits {
                    unanswered: 0.1,
                    turned_away: 0.1,
                    row_fails: 0.1,
                    lag_max: Duration::from_secs(2),
                    tracked: false,
                    ..Habits::ERP
                },
                Habits {
                    unanswered: 0.1,
                    turned_away: 0.1,
                    row_fails: 0.1,
                    feed_repeats: 0.3,
                    cursor_expires: 0.02,
                    feed_has_rows: false,
                    ..Habits::CRM
                },
            ],
            users: Users {
                delete: 1,
                unfit: 1,
                toggle: 1,
                ..Users::BUSY
            },
            crashes: 3,
            crash_at_commit: 0.02,
            shows: |c| c.crashes.min(c.unknown),
            ..CALM
        },
    ]
}

#[test]
fn the_simulated_plan_is_sound() {
    let plan = crate::plan::plan(&CALM.knobs());
    let bytes = dwmap_plan::encode(&plan).unwrap();
    assert_eq!(dwmap_plan::decode(&bytes).unwrap().1, plan);
}
