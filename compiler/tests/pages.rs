//! The page of every code: its wrong example gives that code and nothing else, and its mended one nothing at all.
//! What the wrong ones look like to a person is held by snapshots.

mod common;

use common::{example, project};
use dwmap_compiler::diagnostics::all_codes;
use dwmap_compiler::{build, check};

/// Pages of constructs that are read and not compiled yet: their mended examples say so, and nothing else.
const NOT_YET: &[&str] = &["P0029", "P0030"];

/// What stands at the primary place of the wrong examples where that is the point of the message.
const PLACES: &[(&str, &str)] = &[
    ("N0102", "use b"),
    ("N0105", "Nmae"),
    ("N0106", "Custmer"),
    ("N0107", "uppr"),
    ("N0109", "All"),
    ("T0101", "Limit -> days"),
    ("T0102", "\"Customer\""),
    ("T0104", "\"none\""),
    ("L0101", "concat(Name, \", \", Alias) <-> name"),
    ("L0102", "upper"),
    ("L0103", "Invoice <-> Active"),
    ("L0104", "\"Y\" -> false"),
    ("L0106", "upper"),
    ("M0101", "\"Organization\""),
    ("M0102", "alias"),
    ("M0104", "group.label"),
    ("M0105", "segment.code"),
    ("M0106", "erp.Sites <-> crm.groups"),
    ("M0107", "latest"),
    ("M0108", "Balance"),
    ("M0109", "segments"),
    ("M0110", "Vendor"),
    ("W0101", "Name"),
];

#[test]
fn the_place_is_what_is_wrong() {
    for (code, wanted) in PLACES {
        let page = all_codes().iter().find(|page| page.code == *code).unwrap();
        let found = check(&project(example(page, 0))).diagnostics;
        let text = found.sources.text(found.list[0].primary.place);
        assert_eq!(text, *wanted, "{code}");
    }
}

#[test]
fn a_wrong_example_has_its_mistake_and_no_other() {
    let mut strange = Vec::new();
    for page in all_codes() {
        let found = check(&project(example(page, 0))).diagnostics;
        let codes: Vec<&str> = found.list.iter().map(|d| d.code).collect();
        if codes != [page.code] {
            strange.push(format!("{}: {codes:?}\n{}", page.code, found.human(false)));
        }
    }
    assert!(strange.is_empty(), "{}", strange.join("\n"));
}

#[test]
fn a_mended_example_has_none_and_builds() {
    let mut strange = Vec::new();
    for page in all_codes() {
        let project = project(example(page, 1));
        if NOT_YET.contains(&page.code) {
            let found = check(&project).diagnostics.list;
            assert!(found.iter().all(|d| d.code == "M0901"), "{}", page.code);
            continue;
        }
        match build(&project) {
            Ok((_, found)) if found.is_empty() => {}
            Ok((_, found)) => strange.push(format!("{}:\n{}", page.code, found.human(false))),
            Err(error) => {
                let found = check(&project).diagnostics.human(false);
                strange.push(format!("{}: {error}\n{found}", page.code));
            }
        }
    }
    assert!(strange.is_empty(), "{}", strange.join("\n"));
}

#[test]
fn safe_fixes_mend() {
    for page in all_codes() {
        let wrong = project(example(page, 0));
        let found = check(&wrong).diagnostics;
        let fixed = found.apply_fixes();
        if fixed.is_empty() {
            continue;
        }
        let mut mended = wrong.clone();
        for file in fixed {
            let place = mended.files.iter_mut().find(|f| f.path == file.path);
            place.unwrap().text = file.text;
        }
        let left = check(&mended).diagnostics;
        assert!(!left.has_errors(), "{}\n{}", page.code, left.human(false));
    }
}

#[test]
fn a_person_sees() {
    for page in all_codes() {
        let source = example(page, 0);
        let found = check(&project(source)).diagnostics;
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false, snapshot_path => "snapshots/pages" }, {
            insta::assert_snapshot!(page.code, format!("{source}\n----\n\n{}", found.human(false)));
        });
    }
}

/// One-way rows can make a table that never comes to rest; going through all rows finds it.
#[test]
fn a_table_is_gone_through_whole() {
    let map = |rows: &str| {
        let text = format!(
            "use erp\nuse crm\n\nmap customers: erp.Customers <-> crm.accounts {{\n  key Account <-> number\n\n  OnHold <-> hold | {{ {rows} }}\n\n  initial prefer erp\n}}\n"
        );
        let found = check(&project(&text)).diagnostics;
        found.list.iter().map(|d| d.code).collect::<Vec<_>>()
    };
    assert!(map("No <-> No, Invoice <-> Invoice, All -> Invoice, Invoice <- All").is_empty());
    // Invoice comes back as All, which goes out as All.
    assert_eq!(
        map("No <-> No, Invoice -> Invoice, All <- Invoice, All <-> All"),
        ["L0105"]
    );
}
