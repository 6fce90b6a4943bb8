//! Holds the arrows of the house: which crate may use which, as ARCHITECTURE.md draws them.

#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Each crate with the crates of ours that it may use. Nothing else is allowed.
const ARROWS: &[(&str, &[&str])] = &[
    ("dwmap-plan", &[]),
    ("dwmap-odata", &[]),
    ("dwmap-config", &[]),
    ("dwmap-grammar", &[]),
    ("dwmap-stdlib", &[]),
    ("dwmap-steps", &["dwmap-plan"]),
    ("dwmap-connect", &["dwmap-plan"]),
    ("dwmap-engine", &["dwmap-plan", "dwmap-steps"]),
    (
        "dwmap-connectors",
        &["dwmap-plan", "dwmap-connect", "dwmap-odata"],
    ),
    (
        "dwmap-sync",
        &["dwmap-plan", "dwmap-steps", "dwmap-engine", "dwmap-connect"],
    ),
    ("dwmap-sandbox", &["dwmap-plan", "dwmap-odata"]),
    (
        "dwmap-compiler",
        &["dwmap-grammar", "dwmap-plan", "dwmap-steps", "dwmap-odata"],
    ),
    (
        "dwmap",
        &[
            "dwmap-grammar",
            "dwmap-compiler",
            "dwmap-plan",
            "dwmap-steps",
            "dwmap-engine",
            "dwmap-connect",
            "dwmap-connectors",
            "dwmap-sync",
            "dwmap-config",
            "dwmap-sandbox",
            "dwmap-stdlib",
        ],
    ),
    ("dwmap-tests", &[]),
];

fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new()
        .no_deps()
        .exec()
        .expect("cargo metadata reads the workspace");
    let ours: BTreeSet<String> = metadata
        .packages
        .iter()
        .map(|p| p.name.to_string())
        .collect();
    metadata
        .packages
        .iter()
        .map(|package| {
            let uses = package
                .dependencies
                .iter()
                .filter(|d| d.kind != DependencyKind::Development && ours.contains(&d.name));
            (
                package.name.to_string(),
                uses.map(|d| d.name.clone()).collect(),
            )
        })
        .collect()
}

#[test]
fn every_arrow_is_allowed() {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    for (package, uses) in arrows() {
        let may = allowed.get(package.as_str()).unwrap_or_else(|| {
            panic!("{package} has no place in the house yet: add it to ARROWS and ARCHITECTURE.md")
        });
        for used in uses {
            assert!(
                may.contains(&used.as_str()),
                "{package} must not use {used}"
            );
        }
    }
}

#[test]
fn every_room_is_there() {
    let found = arrows();
    for (package, _) in ARROWS {
        assert!(
            found.contains_key(*package),
            "{package} stands in ARROWS and not in the workspace"
        );
    }
}

#[test]
fn the_compiler_and_the_runtime_meet_in_the_plan_alone() {
    let found = arrows();
    let reach = |from: &str| {
        let mut reached = BTreeSet::new();
        let mut next = vec![from.to_owned()];
        while let Some(package) = next.pop() {
            if reached.insert(package.clone()) {
                next.extend(found.get(&package).into_iter().flatten().cloned());
            }
        }
        reached
    };
    for runtime in [
        "dwmap-engine",
        "dwmap-sync",
        "dwmap-connectors",
        "dwmap-sandbox",
    ] {
        let reached = reach(runtime);
        for compiler in ["dwmap-grammar", "dwmap-compiler"] {
            assert!(!reached.contains(compiler), "{runtime} reaches {compiler}");
        }
    }
    assert!(
        !reach("dwmap-connectors").contains("dwmap-sandbox"),
        "a connector is written against the public protocol, not against the sandbox"
    );
}
