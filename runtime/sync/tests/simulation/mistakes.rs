//! The simulation notices: with any one rule broken on purpose, a promise breaks within a few seeds, and it is the
//! promise that the rule is there for.

use dwmap_sync::{Mistake, Rules};

use crate::oracle::Promise::{self, *};
use crate::run::run;
use crate::scenario::Scenario;

/// Seeds within which a mistake is to be found.
const WITHIN: u64 = 200;

/// For each mistake the scenario that finds it, and the promises that may break.
const FOUND_BY: &[(Mistake, &str, &[Promise])] = &[
    (
        Mistake::StaleObservation,
        "stale read",
        &[Order, NothingLost],
    ),
    (
        Mistake::IntentNotSettled,
        "unknown outcome",
        &[Order, NothingLost, Convergence],
    ),
    (
        Mistake::CursorBeforeMarks,
        "crash between answer and commit",
        &[NothingLost, Convergence],
    ),
    (Mistake::CreateWithoutGuard, "key collisions", &[Once]),
    (Mistake::AbsenceIsDelete, "absence", &[NoMassDamage]),
    (
        Mistake::FilterNotChecked,
        "filter enter and leave",
        &[NoMassDamage],
    ),
    (
        Mistake::BaseOfOneSide,
        "calm",
        &[Order, NothingLost, Convergence],
    ),
    (
        Mistake::ConflictIgnored,
        "conflict on the guard",
        &[NothingLost, Convergence, Order],
    ),
    (
        Mistake::GenerationIgnored,
        "stale read",
        &[NothingLost, Convergence],
    ),
    (
        Mistake::AgreementIgnored,
        "no guards",
        &[Stillness, Convergence],
    ),
];

#[test]
fn every_mistake_is_noticed() {
    let mut blind = vec![];
    for (mistake, scenario, promises) in FOUND_BY {
        let scenario = Scenario::named(scenario);
        let found = (0..WITHIN).find_map(|seed| {
            let outcome = run(&scenario, seed, Rules::without(*mistake));
            outcome.broken.map(|broken| (seed, broken))
        });
        match found {
            Some((seed, broken)) => {
                println!("{mistake:?}: seed {seed} of {:?}: {broken}", scenario.name);
                if !promises.contains(&broken.promise) {
                    blind.push(format!("{mistake:?} broke another promise: {broken}"));
                }
            }
            None => blind.push(format!(
                "{mistake:?} was not noticed by {:?}",
                scenario.name
            )),
        }
    }
    assert!(blind.is_empty(), "{}", blind.join("\n"));
}

#[test]
fn every_mistake_is_tried() {
    let tried: Vec<Mistake> = FOUND_BY.iter().map(|(m, ..)| *m).collect();
    assert_eq!(tried, Mistake::ALL);
}
