//! The scenarios, by the names under which the manual lists what goes wrong.

use std::time::Duration;

use dwmap_plan::{MissingPolicy, Side};

use crate::kinds::Kind;
use crate::scenario::{Habits, Operators, Scenario, Users};
use crate::server::Logic;

const CALM: Scenario = Scenario {
    name: "calm",
    habits: [Habits::ERP, Habits::CRM],
    users: Users::BUSY,
    operators: Operators::IDLE,
    fixed: &[],
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
            fixed: &[Kind::Feed],
            habits: [sweeping(Habits::ERP), Habits::CRM],
            prefer: Side::Right,
            ..CALM
        },
        Scenario {
            name: "stale read",
            fixed: &[Kind::Feed, Kind::FeedRows],
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
            operators: Operators {
                crashes: 4,
                ..Operators::IDLE
            },
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
            fixed: &[Kind::Lag],
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
            fixed: &[Kind::Bulk],
            habits: both(Habits {
                bulk_is_silent: true,
                ..Habits::GOOD
            }),
            shows: |c| c.silent,
            ..CALM
        },
        Scenario {
            name: "absence",
            fixed: &[Kind::Feed, Kind::Lag],
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
            fixed: &[Kind::Versions],
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
            fixed: &[Kind::Versions],
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
            fixed: &[Kind::Lag],
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
            name: "second claimant of a key",
            users: Users {
                claim: 4,
                ..Users::BUSY
            },
            shows: |c| c.claims,
            ..CALM
        },
        Scenario {
            name: "plan upgraded",
            operators: Operators {
                upgrades: 4,
                ..Operators::IDLE
            },
            shows: |c| c.upgrades,
            ..CALM
        },
        Scenario {
            name: "clock jumps",
            fixed: &[Kind::Lag],
            habits: both(Habits {
                unanswered: 0.2,
                row_fails: 0.2,
                lag_max: Duration::from_secs(3),
                ..Habits::GOOD
            }),
            operators: Operators {
                crashes: 2,
                jumps: 6,
                ..Operators::IDLE
            },
            shows: |c| c.jumps,
            ..CALM
        },
        Scenario {
            name: "state lost",
            users: Users {
                delete: 1,
                ..Users::BUSY
            },
            operators: Operators {
                losses: 2,
                ..Operators::IDLE
            },
            shows: |c| c.losses,
            ..CALM
        },
        Scenario {
            name: "crash in mid-load",
            users: Users {
                records: 24,
                actions: 8,
                ..Users::BUSY
            },
            crash_at_commit: 0.15,
            shows: |c| c.crashes,
            ..CALM
        },
        Scenario {
            name: "a person steers",
            operators: Operators {
                words: 14,
                crashes: 1,
                ..Operators::IDLE
            },
            shows: |c| c.words,
            ..CALM
        },
        Scenario {
            name: "two processes",
            operators: Operators {
                seconds: 3,
                crashes: 1,
                ..Operators::IDLE
            },
            shows: |c| c.seconds,
            ..CALM
        },
        Scenario {
            name: "everything at once",
            fixed: &[Kind::Feed, Kind::FeedRows, Kind::Lag],
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
            operators: Operators {
                crashes: 3,
                ..Operators::IDLE
            },
            crash_at_commit: 0.02,
            shows: |c| c.crashes.min(c.unknown),
            ..CALM
        },
    ]
}
