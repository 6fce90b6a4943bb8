//! Simulation: the whole runtime under virtual time, with every fault that the manual names, against a plain model
//! of what it promises.
//!
//! A run is decided by its scenario and its seed alone. A failing run prints its story and how to see it again:
//!
//! ```text
//! DWMAP_SIM_SEED=17 cargo test -p dwmap-sync --features simulation unknown_outcome
//! tests/simulate --seeds 5000
//! ```
// Here a broken assumption is a failed test, wherever it is found.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod kinds;
#[cfg(feature = "mistakes")]
mod mistakes;
mod network;
mod operators;
mod process;
mod run;
mod scenario;
mod scenarios;
mod server;
mod service;
#[path = "../shared/mod.rs"]
mod shared;
mod store;
mod system;
mod upgrades;
mod users;
mod world;

use dwmap_sync::Rules;

use crate::run::{Outcome, run};
use crate::scenario::Scenario;
use crate::shared::{lines, oracle, plan, wire};

/// Seeds of each scenario, where `DWMAP_SIM_SEEDS` asks for no other number.
const SEEDS: u64 = 12;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {text}")),
    )
}

/// Runs a scenario under its seeds (from `DWMAP_SIM_FROM` on), or under the one that `DWMAP_SIM_SEED` names.
fn promises_hold(name: &str) {
    let scenario = Scenario::named(name);
    let one = number("DWMAP_SIM_SEED");
    let from = number("DWMAP_SIM_FROM").unwrap_or(0);
    let end = from.saturating_add(number("DWMAP_SIM_SEEDS").unwrap_or(SEEDS));
    let seeds = one.map_or(from..end, |s| s..s + 1);
    let mut shown = 0;
    for seed in seeds {
        let outcome = run(&scenario.under(seed), seed, Rules::default());
        shown += (scenario.shows)(&outcome.counts);
        if let Some(broken) = &outcome.broken {
            tell(name, seed, &outcome);
            panic!("{name}, seed {seed}: {broken}");
        }
    }
    assert!(
        shown > 0 || one.is_some(),
        "no seed of {name:?} shows what it is named for"
    );
}

/// Prints the story of a failing run, and how to see it again.
fn tell(name: &str, seed: u64, outcome: &Outcome) {
    println!("{}", outcome.story);
    println!("scenario {name:?}, seed {seed}: {:?}", outcome.counts);
    let test = name.replace([' ', '-'], "_");
    println!(
        "again: DWMAP_SIM_SEED={seed} cargo test -p dwmap-sync --features simulation --test simulation -- --exact {test}"
    );
}

/// Seeds that once broke a promise: what was wrong, the scenario, the seed.
const ONCE_BROKEN: &[(&str, &str, u64)] = &[
    (
        "the link of a delete outlived it, and took the record that was made again",
        "crash between answer and commit",
        27,
    ),
    (
        "a delete swallowed values that had never gone across",
        "deletes",
        30,
    ),
    (
        "a record without a link was forgotten since one read didn't find it",
        "absence",
        61,
    ),
    (
        "a record that had left the filter was no witness that a neighbour was deleted",
        "everything at once",
        21,
    ),
    (
        "a load passed over a pair whose write of an earlier run might still land, and nothing came back to it",
        "crash between answer and commit",
        8,
    ),
    (
        "a record that we made was deleted before its feed had named it, and its end meant nothing to us",
        "deletes",
        14,
    ),
    (
        "a load passed over a pair whose one record had gone meanwhile, and nothing came back to the other",
        "deletes",
        40,
    ),
    (
        "a record that was made while the cursor was expired and scans showed nothing was never met",
        "absence",
        138,
    ),
    (
        "a user's edit to one of the values that were to be written passed for the whole write",
        "unknown outcome",
        76,
    ),
    (
        "the same after a crash before the write was sent",
        "crash between answer and commit",
        86,
    ),
    (
        "the partner of a record that came back into the filter was looked for by its old id alone",
        "everything at once",
        29,
    ),
    (
        "a load took a pair for unlinked whose write of an earlier run it had just found landed",
        "crash between answer and commit",
        94,
    ),
    (
        "an edit passed for the target's own change of another line that was written",
        "bad record",
        26,
    ),
    (
        "the same with everything else going wrong",
        "everything at once",
        32,
    ),
    (
        "a yes that a user set of their own passed for a write that never landed",
        "no guards",
        178,
    ),
    ("so did a group", "unknown outcome", 268),
    (
        "an edit just before two records met that couldn't be told from a pair was asked for",
        "crash between answer and commit",
        159,
    ),
    (
        "what was refused, and then left the filter of a side that is swept, stayed among the errors",
        "everything at once",
        257,
    ),
    (
        "a record that was made again was forgotten when its partner couldn't be read just then",
        "absence",
        43,
    ),
];

/// The same on systems of the kind that their seed draws.
const ONCE_BROKEN_ON_DRAWN_KINDS: &[(&str, &str, u64)] = &[
    (
        "a hold didn't cover the record that a pair was just meeting",
        "a person steers",
        28,
    ),
    (
        "a load wrote though neither system was to be written to",
        "a person steers",
        10,
    ),
    (
        "a feed's row stood for a base that a new line didn't have yet",
        "plan upgraded",
        84,
    ),
    (
        "what was to wait followed the clock on the wall",
        "clock jumps",
        0,
    ),
    (
        "a bulk creation without an answer, and then an absence",
        "absence",
        20,
    ),
    (
        "a sweep never saw the end of a record whose key no answer had told",
        "mass delete",
        71,
    ),
    (
        "reads that lag were trusted where no versions are told",
        "target changes what we wrote",
        37,
    ),
    (
        "a reference was blanked whose own record couldn't be read for a while",
        "absence",
        1016,
    ),
    (
        "a record that a silent bulk write had made was deleted before its key was known, and its partner wasn't looked at",
        "mass delete",
        1025,
    ),
];

#[test]
fn what_was_mended_stays_so() {
    for (what, name, seed) in ONCE_BROKEN {
        let outcome = run(&Scenario::named(name), *seed, Rules::default());
        assert_eq!(outcome.broken, None, "{what}: {name}, seed {seed}");
    }
    for (what, name, seed) in ONCE_BROKEN_ON_DRAWN_KINDS {
        let scenario = Scenario::named(name).under(*seed);
        let outcome = run(&scenario, *seed, Rules::default());
        assert_eq!(outcome.broken, None, "{what}: {name}, seed {seed}");
    }
}

#[test]
fn the_same_seed_tells_the_same_story() {
    for scenario in scenarios::all() {
        let [first, second] = [(); 2].map(|()| run(&scenario, 1, Rules::default()).story);
        assert_eq!(first, second, "{}", scenario.name);
    }
}

macro_rules! scenarios {
    ($($test:ident: $name:literal,)*) => {
        $(#[test]
        fn $test() {
            promises_hold($name);
        })*

        #[test]
        fn every_scenario_is_run() {
            let run = [$($name),*];
            let all: Vec<&str> = scenarios::all().iter().map(|s| s.name).collect();
            assert_eq!(run.as_slice(), all);
        }
    };
}

scenarios! {
    calm: "calm",
    sweeps_only: "sweeps only",
    stale_read: "stale read",
    crash_between_answer_and_commit: "crash between answer and commit",
    unknown_outcome: "unknown outcome",
    lagging_reads: "lagging reads",
    target_changes_what_we_wrote: "target changes what we wrote",
    plug_ins_fight: "plug-ins fight",
    bulk_write_answers_nothing: "bulk write answers nothing",
    absence: "absence",
    mass_delete: "mass delete",
    partial_batch: "partial batch",
    conflict_on_the_guard: "conflict on the guard",
    no_guards: "no guards",
    filter_enter_and_leave: "filter enter and leave",
    deletes: "deletes",
    key_collisions: "key collisions",
    bad_record: "bad record",
    blanked_reference: "blanked reference",
    parked_reference: "parked reference",
    second_claimant_of_a_key: "second claimant of a key",
    plan_upgraded: "plan upgraded",
    clock_jumps: "clock jumps",
    state_lost: "state lost",
    crash_in_mid_load: "crash in mid-load",
    a_person_steers: "a person steers",
    two_processes: "two processes",
    everything_at_once: "everything at once",
}
