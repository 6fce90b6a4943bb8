//! Holds `docs/promises.md`: what it names is there, and no scenario is left out of it.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs::read_to_string;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The rows of the page's tables, as their cells.
fn rows() -> Vec<Vec<String>> {
    let page = read_to_string(root().join("docs/promises.md")).expect("the page is there");
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| ---"));
    rows.map(|row| {
        row.trim_matches('|')
            .split('|')
            .map(str::to_owned)
            .collect()
    })
    .collect()
}

/// What stands in backquotes.
fn names(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The scenarios of a harness: the entries of its `scenarios!`.
fn scenarios(harness: &str) -> BTreeSet<String> {
    let path = format!("runtime/sync/tests/{harness}/main.rs");
    let text = read_to_string(root().join(path)).expect("the harness is there");
    let list = text
        .split("\nscenarios! {\n")
        .nth(1)
        .expect("it has scenarios");
    let entries = list.lines().take_while(|line| *line != "}");
    let names: BTreeSet<String> = entries
        .filter_map(|line| Some(line.trim().split_once(':')?.0.to_owned()))
        .collect();
    assert!(names.len() > 10, "{harness}: {names:?}");
    names
}

#[test]
fn every_scenario_stands_beside_what_it_tries_to_break() {
    for (column, harness) in [(1, "simulation"), (2, "model")] {
        let there = scenarios(harness);
        let rules = rows().into_iter().filter(|row| row.len() == 4);
        let named: BTreeSet<String> = rules
            .flat_map(|row| {
                names(&row[column])
                    .into_iter()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .collect();
        let text =
            read_to_string(root().join(format!("runtime/sync/tests/{harness}/main.rs"))).unwrap();
        for name in named.difference(&there) {
            assert!(
                text.contains(&format!("fn {name}()")),
                "{harness} has no {name}"
            );
        }
        let left: Vec<&String> = there.difference(&named).collect();
        assert!(left.is_empty(), "{harness}: {left:?} is in no row");
    }
}

#[test]
fn every_test_that_is_named_is_there() {
    let mut found = 0;
    for row in rows() {
        for name in names(row.last().unwrap()) {
            let Some((file, test)) = name.split_once("::") else {
                continue;
            };
            let text = read_to_string(root().join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
            assert!(
                text.contains(&format!("fn {test}(")),
                "{file} has no {test}"
            );
            found += 1;
        }
    }
    assert!(found > 20, "{found}");
}

#[test]
fn every_promise_is_one_that_the_oracle_knows() {
    let oracle = read_to_string(root().join("runtime/sync/tests/shared/oracle.rs")).unwrap();
    let list = oracle
        .split("enum Promise {")
        .nth(1)
        .unwrap()
        .split('}')
        .next()
        .unwrap();
    let known: BTreeSet<&str> = list
        .split(',')
        .map(str::trim)
        .filter(|n| !n.is_empty())
        .collect();
    let rows = rows();
    let named = rows
        .iter()
        .filter(|row| row.len() == 3)
        .flat_map(|row| names(&row[1]));
    let named: BTreeSet<&str> = named.filter(|name| !name.contains(' ')).collect();
    assert_eq!(named, known);
}
