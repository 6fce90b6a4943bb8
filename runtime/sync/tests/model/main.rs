//! The protocol, explored: every order in which users, systems, network, clock and process may take their steps.
//!
//! What is explored is the production code itself, no description of it. The runtime is driven one await point at a
//! time: at each, anything else may come first, or the process may be killed. Its state between two passes (store,
//! memory, both systems) can be copied, and a state within a pass is come back to by taking the same steps from the
//! last such copy. States that behave alike are recognised by fingerprints, so the graph is finite, and all of it is
//! visited: in each state the [oracle] that the simulation has as well looks for a broken promise, and from each
//! state the way to rest must be open without users and faults.
//!
//! An abstract model would reach larger bounds. This one can't drift from the code, and it needs no extraction of
//! decisions out of the code that makes them; what it finds is a bug, with a shortest way to it.
//!
//! ```text
//! cargo test -p dwmap-sync --features simulation,mistakes --test model -- --nocapture
//! DWMAP_MODEL=all cargo test --release -p dwmap-sync --features simulation,mistakes --test model -- --nocapture
//! ```
// Here a broken assumption is a failed test, wherever it is found.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod explore;
mod generated;
#[cfg(feature = "mistakes")]
mod mistakes;
mod process;
mod scenario;
#[path = "../shared/mod.rs"]
mod shared;
mod steps;
mod system;
mod table;
mod trace;
mod world;

use dwmap_sync::Rules;

use crate::explore::explore;
use crate::scenario::Scenario;
use crate::shared::{lines, oracle, plan, wire, words};
use crate::steps::Protocol;

/// States within which an exploration must be complete.
const STATES_MAX: usize = 2_000_000;

/// Explores a scenario and prints its figures; a broken promise with the shortest way to it.
fn holds(name: &str) {
    let scenario = Scenario::named(name);
    if scenario.large && std::env::var("DWMAP_MODEL").as_deref() != Ok("all") {
        return;
    }
    let report = explore(&Protocol::new(scenario, Rules::default()), STATES_MAX);
    println!("{name}: {report}");
    if let Some((what, way)) = &report.broken {
        panic!("{name}: {what}\n{}", way.join("\n"));
    }
    assert!(report.complete, "{name} has more states than are allowed");
}

/// The row that a write made must be asked for where business logic may change it: else what the write's answer says
/// is taken for a version at which all is in order.
#[test]
fn without_its_row_a_default_is_never_seen() {
    let model = Protocol::new(&scenario::ROW_NOT_ASKED_FOR, Rules::default());
    let report = explore(&model, STATES_MAX);
    let (what, _) = report.broken.expect("the default stays unseen");
    assert!(what.starts_with("Convergence"), "{what}");
}

macro_rules! scenarios {
    ($($test:ident: $name:literal,)*) => {
        $(#[test]
        fn $test() {
            holds($name);
        })*

        #[test]
        fn every_scenario_is_explored() {
            let explored = [$($name),*];
            let all: Vec<&str> = scenario::ALL.iter().map(|s| s.name).collect();
            assert_eq!(explored.as_slice(), all);
        }
    };
}

scenarios! {
    edits_on_both_sides: "edits on both sides",
    stale_read: "stale read",
    crash_between_answer_and_commit: "crash between answer and commit",
    unknown_outcome: "unknown outcome",
    unknown_outcome_without_guards: "unknown outcome without guards",
    two_lines_crash: "two lines, crash",
    lagging_reads: "lagging reads",
    feeds_that_lag: "feeds that lag",
    a_delete: "a delete",
    no_guards: "no guards",
    sweeps_only: "sweeps only",
    deletes: "deletes",
    births_on_both_sides: "births on both sides",
    birth_crash: "birth, crash",
    birth_unknown_outcome: "birth, unknown outcome",
    filter_enter_and_leave: "filter enter and leave",
    partial_batch: "partial batch",
    mass_delete: "mass delete",
    reads_fail: "reads fail",
    parked_reference: "parked reference",
    blanked_reference: "blanked reference",
    a_default_at_birth_its_row_asked_for: "a default at birth, its row asked for",
}
