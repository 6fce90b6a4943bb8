//! Random projects: whatever checks without an error builds, and its plan is one that the verifier accepts.

mod common;

use std::collections::BTreeSet;

use common::library;
use dwmap_compiler::diagnostics::Severity;
use dwmap_compiler::{BuildError, Project, SourceFile, build, check};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

const LEFT: &[&str] = &[
    "Name",
    "Alias",
    "Kind",
    "Group",
    "OnHold",
    "OneTime",
    "Limit",
    "Balance",
    "Days",
    "Since",
    "All",
    "\"a text\"",
    "7",
    "true",
    "Customer",
    "concat(Name, \"-\", Alias)",
    "Nmae",
];

const RIGHT: &[&str] = &[
    "name",
    "alias",
    "short",
    "kind",
    "type",
    "hold",
    "state",
    "onetime",
    "limit",
    "days",
    "since",
    "group.id",
    "parent.number",
    "group",
    "group.label",
    "\"x\"",
    "Yes",
];

const STEPS: &[&str] = &[
    "",
    "",
    "",
    " | trim",
    " | upper",
    " | trim | lower",
    " | same_name",
    " | default(\"x\")",
    " | default(0)",
    " | scale(1)",
    " | require",
    " | trim | normalise",
    " | { No <-> No, All -> All, else -> No }",
    " | { \"a\" <-> \"b\", else -> keep, keep <- else }",
];

const SUFFIXES: &[&str] = &[
    "",
    "",
    "",
    " on create",
    " on missing park",
    " on missing blank",
    " overflow truncate",
];

const ITEMS: &[&str] = &[
    "where erp: Kind == \"Person\" and Limit > 10",
    "where erp: not (OnHold in (Invoice, All)) or Since < 2020-01-31",
    "where erp: Name != \"\" and Alias starts_with \"A\"",
    "where crm: type == Customer or group.id == \"30\"",
    "where crm: onetime and name is not null",
    "conflict prefer crm",
    "conflict Name prefer erp",
    "delete erp -> crm: deactivate(state = Inactive)",
    "delete crm -> erp: propagate",
    "on leave erp -> crm: delete",
    "overflow truncate",
];

fn line() -> impl Strategy<Value = String> {
    let arrow = select(vec!["<->", "->", "<-"]);
    (
        select(LEFT),
        arrow,
        select(RIGHT),
        select(STEPS),
        select(SUFFIXES),
    )
        .prop_map(|(left, arrow, right, step, suffix)| {
            format!("{left} {arrow} {right}{step}{suffix}")
        })
}

/// A map of which most lines make no sense; those that do are often few enough to make a sound one.
fn map(name: &'static str) -> impl Strategy<Value = String> {
    let lines = prop::collection::vec(line(), 0..5);
    let items = subsequence(ITEMS, 0..4);
    (lines, items).prop_map(move |(lines, items)| {
        let body: Vec<String> = lines
            .into_iter()
            .chain(items.into_iter().map(str::to_owned))
            .map(|item| format!("  {item}\n"))
            .collect();
        format!(
            "use erp\nuse crm\n\nmap {name}: erp.Customers <-> crm.accounts {{\n  key Account <-> number\n{}  initial prefer erp\n}}\n",
            body.concat()
        )
    })
}

/// Drops the lines that have an error, until none is left: what remains checks.
fn sound(mut text: String) -> String {
    loop {
        let files = vec![SourceFile::new("a.dwmap", text.as_str())];
        let found = check(&Project::new(files).with_library(library)).diagnostics;
        let errors = found.list.iter().filter(|d| d.severity == Severity::Error);
        let lines: BTreeSet<usize> = errors
            .map(|d| found.sources.position(d.primary.place).line)
            .collect();
        if lines.is_empty() {
            return text;
        }
        let kept = text.split_inclusive('\n').enumerate();
        let kept = kept.filter(|(line, _)| !lines.contains(&(line + 1)));
        text = kept.map(|(_, line)| line).collect();
    }
}

proptest! {
    // Each case checks two schemas and a map several times over.
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_checks_builds(text in map("m").prop_map(sound), groups in any::<bool>()) {
        let mut files = vec![SourceFile::new("m.dwmap", text.as_str())];
        if groups {
            let groups = "use erp\nuse crm\nmap groups: erp.Groups <-> crm.groups {\n  key Id <-> id\n  Label <-> label\n  initial prefer erp\n}\n";
            files.push(SourceFile::new("g.dwmap", groups));
        }
        let project = Project::new(files.clone()).with_library(library);
        let (plan, _) = match build(&project) {
            Ok(built) => built,
            Err(BuildError::Refused(error)) => return Err(TestCaseError::fail(format!("{error}\n{text}"))),
            Err(BuildError::Mistakes(found)) => return Err(TestCaseError::fail(found.human(false))),
        };
        // The same from files in another order, through the encoding and through the text form.
        files.reverse();
        let again = build(&Project::new(files).with_library(library)).map_err(|e| TestCaseError::fail(e.to_string()))?;
        let bytes = dwmap_plan::encode(&plan).unwrap();
        prop_assert_eq!(&bytes, &dwmap_plan::encode(&again.0).unwrap());
        prop_assert_eq!(&dwmap_plan::decode(&bytes).unwrap().1, &plan);
        let printed = dwmap_plan::text::print(&plan).unwrap();
        prop_assert_eq!(&dwmap_plan::text::parse(&printed).unwrap(), &plan);
    }

    #[test]
    fn nothing_panics(text in map("m")) {
        let found = check(&Project::new(vec![SourceFile::new("m.dwmap", text)]).with_library(library)).diagnostics;
        let _ = (found.human(false), found.json(), found.sarif(), found.github(), found.apply_fixes());
    }
}
