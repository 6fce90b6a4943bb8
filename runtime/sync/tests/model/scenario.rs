//! Scenarios: what the systems are like, and how much may happen.

use dwmap_plan::{ConflictPolicy, MissingPolicy, Side};
use serde_json::Value as Json;

use crate::oracle;
use crate::plan::Knobs;
use crate::wire::Fields;

/// What a system is like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habits {
    /// It has a change feed; else only sweeps find what changed.
    pub(crate) tracked: bool,
    /// It tells versions, and honours `If-Match`.
    pub(crate) guards: bool,
    /// Its reads may show the past.
    pub(crate) lags: bool,
    /// Anything may come between a look at its feed and the answer.
    pub(crate) slow: bool,
    /// A record that is born without terms gets some.
    pub(crate) defaults_terms: bool,
    /// A plug-in ends each name with a mark, or takes it away.
    pub(crate) marks_names: bool,
    pub(crate) unmarks_names: bool,
    /// The runtime knows of the business logic, and asks for the row that a write made.
    pub(crate) tells_logic: bool,
}

impl Habits {
    pub(crate) const GOOD: Self = Self {
        tracked: true,
        guards: true,
        lags: false,
        slow: false,
        defaults_terms: false,
        marks_names: false,
        unmarks_names: false,
        tells_logic: false,
    };

    /// What business logic makes of what is written.
    pub(crate) fn behave(self, fields: &mut Fields) {
        for column in ["name", "Name"] {
            if let Some(Json::String(name)) = fields.get_mut(column) {
                if self.marks_names && !name.is_empty() && !name.ends_with('~') {
                    name.push('~');
                }
                if self.unmarks_names {
                    name.truncate(name.trim_end_matches('~').len());
                }
            }
        }
    }
}

/// How often what comes from outside may happen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Budget {
    pub(crate) edits: u8,
    pub(crate) creates: u8,
    pub(crate) deletes: u8,
    /// The record leaves the filter, or comes back.
    pub(crate) toggles: u8,
    /// The group that is referred to appears.
    pub(crate) groups: u8,
    pub(crate) crashes: u8,
    /// A write's answer is lost.
    pub(crate) losses: u8,
    /// A row of a write fails alone, and may be tried again.
    pub(crate) refusals: u8,
    /// A read fails.
    pub(crate) outages: u8,
}

/// A scenario.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) knobs: Knobs,
    pub(crate) sides: [Habits; 2],
    /// The records that things happen to.
    pub(crate) records: &'static [&'static str],
    /// They are there on both sides, and linked; else they aren't anywhere.
    pub(crate) linked: bool,
    pub(crate) may: Budget,
    /// The lines that users edit, by side and index.
    pub(crate) edits: &'static [(Side, usize)],
    pub(crate) delete_max: u64,
    /// It is explored only where `DWMAP_MODEL=all` asks for it.
    pub(crate) large: bool,
    /// More writes than this are no bounded exchange.
    pub(crate) writes_max: u8,
}

impl Scenario {
    /// The scenario of this name.
    pub(crate) fn named(name: &str) -> &'static Self {
        let mut all = ALL.iter();
        all.find(|s| s.name == name)
            .unwrap_or_else(|| panic!("there is no scenario {name:?}"))
    }

    /// What its promises depend on.
    pub(crate) fn promises(&self) -> oracle::Rules {
        oracle::Rules {
            prefer: self.knobs.initial,
            deletes: self.knobs.deletes,
            fight: self.sides.iter().any(|s| s.unmarks_names),
            delete_max: self.delete_max as usize,
        }
    }
}

/// A record of the model.
pub(crate) const RECORD: &str = "usmf/C1";
/// Its neighbour, to which nothing happens: it shows that the company can be read.
pub(crate) const NEIGHBOUR: &str = "usmf/C9";

const NAME: usize = 0;
const ALIAS: usize = 1;
const TERMS: usize = 3;
const GROUP: usize = 6;
const NAMES: &[(Side, usize)] = &[(Side::Left, NAME), (Side::Right, NAME)];

const KNOBS: Knobs = Knobs {
    lines: &["Name"],
    conflict: ConflictPolicy::Prefer(Side::Left),
    initial: Side::Left,
    deletes: [true; 2],
    missing: MissingPolicy::Park,
};

const PLAIN: Scenario = Scenario {
    name: "",
    knobs: KNOBS,
    sides: [Habits::GOOD; 2],
    records: &[RECORD],
    linked: true,
    may: NOTHING,
    edits: NAMES,
    delete_max: 100,
    large: false,
    writes_max: 10,
};

const NOTHING: Budget = Budget {
    edits: 0,
    creates: 0,
    deletes: 0,
    toggles: 0,
    groups: 0,
    crashes: 0,
    losses: 0,
    refusals: 0,
    outages: 0,
};

/// The right side's looks are slow.
const SLOW: [Habits; 2] = [
    Habits::GOOD,
    Habits {
        slow: true,
        ..Habits::GOOD
    },
];

const TERMS_TOO: Knobs = Knobs {
    lines: &["Name", "Terms"],
    ..KNOBS
};

const TERMS_EDITED: &[(Side, usize)] = &[(Side::Left, TERMS), (Side::Right, TERMS)];

/// The right side has business logic, of which the runtime knows or not.
const fn logic(tells_logic: bool) -> [Habits; 2] {
    [
        Habits::GOOD,
        Habits {
            defaults_terms: true,
            tells_logic,
            ..Habits::GOOD
        },
    ]
}

/// Both sides have this habit.
const fn both(habits: Habits) -> [Habits; 2] {
    [habits, habits]
}

const fn edits(edits: u8) -> Budget {
    Budget { edits, ..NOTHING }
}

/// All scenarios.
pub(crate) static ALL: &[Scenario] = &[
    Scenario {
        name: "edits on both sides",
        may: edits(2),
        ..PLAIN
    },
    Scenario {
        name: "stale read",
        sides: SLOW,
        may: edits(2),
        ..PLAIN
    },
    Scenario {
        name: "crash between answer and commit",
        may: Budget {
            crashes: 1,
            ..edits(2)
        },
        ..PLAIN
    },
    Scenario {
        name: "unknown outcome",
        may: Budget {
            losses: 1,
            ..edits(2)
        },
        ..PLAIN
    },
    Scenario {
        name: "unknown outcome without guards",
        large: true,
        sides: both(Habits {
            guards: false,
            ..Habits::GOOD
        }),
        may: Budget {
            losses: 1,
            ..edits(2)
        },
        ..PLAIN
    },
    Scenario {
        name: "two lines, crash",
        large: true,
        knobs: Knobs {
            lines: &["Name", "Alias"],
            ..KNOBS
        },
        may: Budget {
            crashes: 1,
            ..edits(2)
        },
        edits: &[(Side::Left, NAME), (Side::Right, ALIAS)],
        ..PLAIN
    },
    Scenario {
        name: "lagging reads",
        large: true,
        sides: both(Habits {
            lags: true,
            ..Habits::GOOD
        }),
        may: edits(2),
        ..PLAIN
    },
    Scenario {
        name: "feeds that lag",
        sides: both(Habits {
            lags: true,
            ..Habits::GOOD
        }),
        may: edits(2),
        edits: &[(Side::Left, NAME)],
        ..PLAIN
    },
    Scenario {
        name: "a delete",
        may: Budget {
            deletes: 1,
            ..edits(1)
        },
        ..PLAIN
    },
    Scenario {
        name: "no guards",
        sides: both(Habits {
            guards: false,
            ..Habits::GOOD
        }),
        may: edits(2),
        writes_max: 5,
        ..PLAIN
    },
    Scenario {
        name: "sweeps only",
        sides: both(Habits {
            tracked: false,
            ..Habits::GOOD
        }),
        may: edits(1),
        ..PLAIN
    },
    Scenario {
        name: "deletes",
        large: true,
        may: Budget {
            deletes: 1,
            creates: 1,
            ..edits(1)
        },
        ..PLAIN
    },
    Scenario {
        name: "births on both sides",
        linked: false,
        may: Budget {
            creates: 2,
            ..NOTHING
        },
        ..PLAIN
    },
    Scenario {
        name: "birth, crash",
        linked: false,
        may: Budget {
            creates: 1,
            crashes: 1,
            ..NOTHING
        },
        ..PLAIN
    },
    Scenario {
        name: "birth, unknown outcome",
        large: true,
        linked: false,
        may: Budget {
            creates: 1,
            losses: 1,
            ..edits(1)
        },
        ..PLAIN
    },
    Scenario {
        name: "filter enter and leave",
        knobs: Knobs {
            lines: &["Name", "PartyType"],
            ..KNOBS
        },
        may: Budget {
            toggles: 2,
            ..edits(1)
        },
        ..PLAIN
    },
    Scenario {
        name: "partial batch",
        records: &[RECORD, "usmf/C2"],
        may: Budget {
            refusals: 1,
            ..edits(2)
        },
        edits: &[(Side::Left, NAME)],
        ..PLAIN
    },
    Scenario {
        name: "mass delete",
        records: &[RECORD, "usmf/C2"],
        may: Budget {
            deletes: 2,
            ..NOTHING
        },
        delete_max: 1,
        ..PLAIN
    },
    Scenario {
        name: "reads fail",
        may: Budget {
            outages: 1,
            ..edits(2)
        },
        ..PLAIN
    },
    Scenario {
        name: "parked reference",
        knobs: Knobs {
            lines: &["Name", "Group"],
            ..KNOBS
        },
        may: Budget {
            groups: 1,
            ..edits(2)
        },
        edits: &[(Side::Left, GROUP), (Side::Left, NAME)],
        ..PLAIN
    },
    Scenario {
        name: "blanked reference",
        knobs: Knobs {
            lines: &["Name", "Group"],
            missing: MissingPolicy::Blank,
            ..KNOBS
        },
        may: Budget {
            groups: 1,
            ..edits(2)
        },
        edits: &[(Side::Left, GROUP), (Side::Left, NAME)],
        ..PLAIN
    },
    Scenario {
        name: "a default at birth, its row asked for",
        large: true,
        knobs: TERMS_TOO,
        sides: logic(true),
        linked: false,
        may: Budget {
            creates: 1,
            losses: 1,
            ..edits(1)
        },
        edits: TERMS_EDITED,
        ..PLAIN
    },
];

/// The same with business logic that the runtime isn't told of: the row that a write made must be asked for.
pub(crate) static ROW_NOT_ASKED_FOR: Scenario = Scenario {
    name: "a default at birth, its row not asked for",
    knobs: TERMS_TOO,
    sides: logic(false),
    linked: false,
    may: Budget {
        creates: 1,
        ..NOTHING
    },
    edits: TERMS_EDITED,
    ..PLAIN
};
