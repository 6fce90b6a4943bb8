//! The simulation notices: with any one rule broken on purpose, a promise breaks within a few seeds, and it is the
//! promise that the rule is there for.

use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use dwmap_sync::{Mistake, Rules};

use crate::oracle::Broken;
use crate::oracle::Promise::{self, *};
use crate::run::run;
use crate::scenario::Scenario;

/// For each mistake the scenario that finds it, the seeds within which it does, and the promises that may break.
const FOUND_BY: &[(Mistake, &str, u64, &[Promise])] = &[
    (
        Mistake::StaleObservation,
        "stale read",
        30,
        &[Order, NothingLost],
    ),
    (
        Mistake::IntentNotSettled,
        "unknown outcome",
        50,
        &[Order, NothingLost, Convergence],
    ),
    (
        Mistake::CursorBeforeMarks,
        "crash between answer and commit",
        100,
        &[NothingLost, Convergence],
    ),
    (Mistake::CreateWithoutGuard, "key collisions", 30, &[Once]),
    (Mistake::AbsenceIsDelete, "absence", 10, &[NoMassDamage]),
    (
        Mistake::FilterNotChecked,
        "filter enter and leave",
        10,
        &[NoMassDamage],
    ),
    (
        Mistake::BaseOfOneSide,
        "calm",
        10,
        &[Order, NothingLost, Convergence],
    ),
    (
        Mistake::ConflictIgnored,
        "conflict on the guard",
        10,
        &[NothingLost, Convergence, Order],
    ),
    (
        Mistake::GenerationIgnored,
        "stale read",
        30,
        &[NothingLost, Convergence],
    ),
    (
        Mistake::AgreementIgnored,
        "no guards",
        10,
        &[Stillness, Convergence, Order],
    ),
    (
        Mistake::SettledTooEarly,
        "unknown outcome",
        50,
        &[Order, NothingLost, Convergence],
    ),
    (
        Mistake::OpenWriteNotWaitedFor,
        "unknown outcome",
        100,
        &[Order, NothingLost, Convergence],
    ),
    (
        Mistake::IntentNotOnDisk,
        "crash between answer and commit",
        100,
        &[Order, NothingLost, Convergence],
    ),
    (
        Mistake::WaitsNotInherited,
        "clock jumps",
        100,
        &[Order, NothingLost, Convergence],
    ),
    (
        Mistake::LagIgnored,
        "lagging reads",
        100,
        &[Order, NothingLost, Convergence],
    ),
    (Mistake::BrakeNotAsked, "mass delete", 10, &[NoMassDamage]),
    (
        Mistake::RewriteUnseen,
        "target changes what we wrote",
        300,
        &[Order, NothingLost, Convergence],
    ),
    (
        Mistake::BouncesUnbounded,
        "plug-ins fight",
        10,
        &[Convergence, Stillness],
    ),
    (
        Mistake::DisorderedVersionKept,
        "partial batch",
        50,
        &[Order, NothingLost, Convergence],
    ),
    (
        Mistake::ParkedNotWoken,
        "parked reference",
        50,
        &[Convergence],
    ),
    (
        Mistake::BlankFlowsBack,
        "blanked reference",
        30,
        &[Order, NothingLost, Convergence],
    ),
    (
        Mistake::ClaimantMerged,
        "second claimant of a key",
        10,
        &[Once, NothingLost],
    ),
    (Mistake::DeleteBeforeChange, "deletes", 50, &[NothingLost]),
    (
        Mistake::UpgradeNotMarked,
        "plan upgraded",
        30,
        &[Convergence, NothingLost],
    ),
    (
        Mistake::HoldIgnored,
        "a person steers",
        100,
        &[Stillness, Convergence],
    ),
    (
        Mistake::ReadonlyIgnored,
        "a person steers",
        30,
        &[Stillness],
    ),
    (
        Mistake::ExpiredCursorSkipped,
        "absence",
        30,
        &[NothingLost, Convergence],
    ),
    (
        Mistake::RefusalForgotten,
        "bad record",
        10,
        &[NothingLost, Convergence],
    ),
    (
        Mistake::PartialBatchIgnored,
        "partial batch",
        10,
        &[NothingLost, Convergence, Order],
    ),
    (
        Mistake::UnnamedEndForgotten,
        "deletes",
        400,
        &[NothingLost, Convergence],
    ),
];

/// The first seed under which a mistake breaks a promise in the scenario that finds it, and what it breaks.
fn first_found(mistake: Mistake, name: &str, within: u64) -> Option<(u64, Broken)> {
    let scenario = Scenario::named(name);
    (0..within).find_map(|seed| {
        let outcome = run(&scenario.under(seed), seed, Rules::without(mistake));
        Some((seed, outcome.broken?))
    })
}

#[test]
fn every_mistake_is_noticed() {
    let blind = Mutex::new(vec![]);
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some((mistake, name, within, promises)) =
            FOUND_BY.get(next.fetch_add(1, Ordering::Relaxed))
        {
            let fault = match first_found(*mistake, name, *within) {
                Some((seed, broken)) => {
                    println!("{mistake:?}: seed {seed} of {name:?}: {broken}");
                    (!promises.contains(&broken.promise))
                        .then(|| format!("{mistake:?} broke another promise: {broken}"))
                }
                None => Some(format!(
                    "{mistake:?} isn't noticed by {name:?} within {within} seeds"
                )),
            };
            blind.lock().unwrap().extend(fault);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        work();
    });
    let blind = blind.into_inner().unwrap();
    assert!(blind.is_empty(), "{}", blind.join("\n"));
}

/// The page that shows all this.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/mistakes.md");
/// Where mistakes are told.
const SOURCE: &str = include_str!("../../src/mistake.rs");

/// What the source says of a mistake.
fn rule(mistake: Mistake) -> &'static str {
    let variant = format!("    {mistake:?},\n");
    let above = SOURCE.split(&variant).next().unwrap_or_default();
    let line = above.lines().last().unwrap_or_default();
    line.trim().trim_start_matches("/// ").trim_end_matches('.')
}

#[test]
fn the_page_of_mistakes_is_true() {
    let mut page = include_str!("mistakes.head.md").to_owned();
    for (mistake, scenario, within, promises) in FOUND_BY {
        let promises: Vec<String> = promises.iter().map(|p| format!("`{p:?}`")).collect();
        let promises = promises.join(" ");
        let rule = rule(*mistake);
        // Writing to a string can't fail.
        let _ = writeln!(
            page,
            "| {rule} | `{mistake:?}` | *{scenario}* | {within} | {promises} |"
        );
    }
    if std::env::var_os("REWRITE").is_some() {
        std::fs::write(PAGE, &page).unwrap();
    }
    let there = std::fs::read_to_string(PAGE).unwrap();
    assert_eq!(there, page, "docs/mistakes.md is old: REWRITE=1 writes it");
}

#[test]
fn every_mistake_is_tried() {
    let tried: Vec<Mistake> = FOUND_BY.iter().map(|(m, ..)| *m).collect();
    assert_eq!(tried, Mistake::ALL);
}
