//! The model notices: with any one rule broken on purpose, a promise breaks within a scenario, by a shortest way.

use dwmap_sync::{Mistake, Rules};

use crate::explore::explore;
use crate::scenario::Scenario;
use crate::steps::Protocol;

/// States within which a mistake is to be found.
const WITHIN: usize = 20_000;

/// For each mistake a scenario that finds it.
const FOUND_BY: &[(Mistake, &str)] = &[
    (Mistake::StaleObservation, "stale read"),
    (Mistake::IntentNotSettled, "unknown outcome"),
    (
        Mistake::CursorBeforeMarks,
        "crash between answer and commit",
    ),
    (Mistake::CreateWithoutGuard, "births on both sides"),
    (Mistake::AbsenceIsDelete, "filter enter and leave"),
    (Mistake::FilterNotChecked, "filter enter and leave"),
    (Mistake::BaseOfOneSide, "no guards"),
    (Mistake::ConflictIgnored, "edits on both sides"),
    (Mistake::GenerationIgnored, "stale read"),
    (Mistake::AgreementIgnored, "no guards"),
];

#[test]
fn every_mistake_is_noticed() {
    let mut blind = vec![];
    for (mistake, name) in FOUND_BY {
        let model = Protocol::new(Scenario::named(name), Rules::without(*mistake));
        let report = explore(&model, WITHIN);
        match report.broken {
            Some((what, way)) => {
                let steps = way
                    .iter()
                    .filter(|line| !line.starts_with("      "))
                    .count();
                println!("{mistake:?}: {steps} steps of {name:?}: {what}");
            }
            None => blind.push(format!(
                "{mistake:?} is not noticed by {name:?}: {report:?}"
            )),
        }
    }
    assert!(blind.is_empty(), "{}", blind.join("\n"));
}
