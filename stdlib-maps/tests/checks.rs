//! The stock maps check, all together as one project, and each of their warnings is known.

use std::collections::BTreeSet;

use dwmap_compiler::{Project, SourceFile, check};
use dwmap_stdlib::Kind;

/// Values that may be too long for the other side: `explain` lists them, and each is refused or cut as its line says.
const CAN_OVERFLOW: &str = "W0101";

/// What else the compiler warns of, and why it stays.
const WARNINGS: &[(&str, &str, &str)] = &[
    // A person who loses the number leaves the map, as the published filter says.
    ("W0105", "std/contacts.dwmap", "msdyn_contactpersonid"),
    // Members of the ERP for which the CRM has no option: nothing near them would be true.
    ("W0102", "std/customer_payment_methods.dwmap", "AccountType"),
    (
        "W0102",
        "std/customer_payment_methods.dwmap",
        "PaymentStatus",
    ),
    ("W0102", "std/customers.dwmap", "OnHoldStatus"),
    (
        "W0102",
        "std/payment_schedules.dwmap",
        "PaymentFrequencyUnits",
    ),
    ("W0102", "std/vendor_payment_methods.dwmap", "PaymentStatus"),
    ("W0102", "std/vendor_payment_methods.dwmap", "AccountType"),
];

fn stock() -> Project {
    let library = |path: &str| {
        dwmap_stdlib::module(path).map(|module| SourceFile::new(module.file(), module.source))
    };
    let maps = dwmap_stdlib::modules()
        .iter()
        .filter(|module| module.kind == Kind::Maps)
        .map(|module| module.path);
    let mut project = Project::new(Vec::new())
        .with_library(library)
        .with_stock(maps);
    project.options.library_warnings = true;
    project
}

#[test]
fn the_stock_maps_check_with_known_warnings() {
    let checked = check(&stock());
    let sources = &checked.diagnostics.sources;
    let mut known: BTreeSet<_> = WARNINGS.iter().collect();
    let mut strange = Vec::new();
    let list = &checked.diagnostics.list;
    for diagnostic in list.iter().filter(|it| it.code != CAN_OVERFLOW) {
        let place = diagnostic.primary.place;
        let file = &sources.get(place.file).path;
        // The line says which it is, where the message doesn't.
        let text = format!("{} {}", diagnostic.message, sources.text(place));
        let found = WARNINGS.iter().find(|(code, path, field)| {
            *code == diagnostic.code && path == file && text.contains(field)
        });
        match found {
            Some(warning) => drop(known.remove(warning)),
            None => strange.push(format!(
                "{} {file}: {}",
                diagnostic.code, diagnostic.message
            )),
        }
    }
    assert!(strange.is_empty(), "\n{}", strange.join("\n"));
    assert!(known.is_empty(), "no longer warned of: {known:?}");
}
