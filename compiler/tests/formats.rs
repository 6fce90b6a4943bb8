//! Diagnostics for programs: their shapes hold still.

#![allow(
    clippy::unwrap_used,
    reason = "a test's helpers may fail like the test itself"
)]

mod common;

use common::project;
use dwmap_compiler::check;
use dwmap_compiler::diagnostics::Diagnostics;

const WRONG: &str = "use erp\nuse crm\n\nmap customers: erp.Customers <-> crm.accounts {\n  key Account <-> number\n\n  Nmae <-> name\n  Name -> short\n\n  initial prefer erp\n}\n";

fn found() -> Diagnostics {
    check(&project(WRONG)).diagnostics
}

fn pretty(json: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(json).unwrap();
    serde_json::to_string_pretty(&value).unwrap()
}

#[test]
fn json() {
    insta::assert_snapshot!(pretty(&found().json()));
}

#[test]
fn sarif() {
    insta::assert_snapshot!(pretty(&found().sarif()));
}

#[test]
fn github() {
    insta::assert_snapshot!(found().github());
}

/// Names that no module declares, maps of one name in two modules, and the library's warnings.
#[test]
fn what_is_the_projects_and_what_the_librarys() {
    let mut stock = common::stock();
    assert!(check(&stock).diagnostics.is_empty());
    stock.options.library_warnings = true;
    let found = check(&stock).diagnostics;
    assert!(!found.has_errors() && !found.is_empty());

    let alone = dwmap_compiler::Project::new(Vec::new())
        .with_library(common::stock_library)
        .with_stock(["std.customer_groups"]);
    let found = check(&alone).diagnostics;
    let codes: Vec<&str> = found.list.iter().map(|d| d.code).collect();
    assert_eq!(codes, ["W0104"]);
}

#[test]
fn two_modules_may_not_name_a_map_alike() {
    let text = WRONG.replace("  Nmae <-> name\n  Name -> short\n", "  Name <-> name\n");
    let both = format!("// file: a.dwmap\n{text}\n// file: b.dwmap\n{text}");
    let found = check(&project(&both)).diagnostics;
    assert!(found.list.iter().any(|d| d.code == "N0108"));
}
