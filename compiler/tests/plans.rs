//! Plans as text: what a small map comes to, and which part of a filter its source evaluates.

mod common;

use std::fmt::Write;

use common::project;
use dwmap_compiler::{build, explain_map};

const SITES: &str = r#"use erp
use crm

map sites: erp.Sites <-> crm.sites {
  key Id <-> id

  where erp: Label != "closed"

  Label <-> label | trim

  delete erp -> crm: propagate
  initial prefer erp
}

map companies: erp.LegalEntities -> crm.companies {
  key Code -> code
}
"#;

#[test]
fn a_striped_map_in_full() {
    let (plan, _) = build(&project(SITES)).unwrap();
    let text = dwmap_plan::text::print(&plan).unwrap();
    insta::with_settings!({ omit_expression => true }, {
        insta::assert_snapshot!(format!("{SITES}\n----\n\n{text}"));
    });
}

/// Each filter, and what of it the source is asked.
#[test]
fn filters_are_pushed_down_as_far_as_they_mean_the_same() {
    let cases = [
        // A text is compared for equality anywhere.
        "erp: Kind == \"Person\"",
        // Nothing is nothing, whatever it stands as.
        "erp: Name != \"\"",
        // What is blank has a place in the system's order, and none in ours.
        "erp: Since < 2020-01-31",
        // Systems order texts each in its own way.
        "erp: Name < \"M\"",
        // Of a conjunction each part goes by itself.
        "erp: Name < \"M\" and Days > 3 and OnHold in (Invoice, All)",
        // Of a disjunction all or nothing.
        "erp: Name < \"M\" or Days > 3",
        // A referenced record's field is looked up here.
        "crm: group.id == \"30\" and type == Customer",
        "crm: not (onetime) and name is not null",
        // Two columns compared.
        "erp: Name == Alias",
        "erp: Alias starts_with \"A\"",
    ];
    let mut text = String::new();
    for case in cases {
        let map = format!(
            "use erp\nuse crm\n\nmap m: erp.Customers <-> crm.accounts {{\n  key Account <-> number\n  where {case}\n  initial prefer erp\n}}\n"
        );
        let (plan, _) = build(&project(&map)).unwrap();
        let explained = explain_map(&plan, "m").unwrap();
        let side = case.split(':').next().unwrap();
        let mut lines = explained.lines();
        lines.find(|line| line.starts_with(&format!("  {side}: ")) && line.contains("columns of"));
        let asked = lines.next().unwrap().trim();
        writeln!(text, "{case}\n  {asked}").unwrap();
    }
    insta::assert_snapshot!(text);
}

/// What a line says doesn't change with its place or its neighbours, and changes with all that its values depend on.
#[test]
fn a_line_is_known_by_what_it_says() {
    let meaning = |lines: &str| {
        let map = format!(
            "use erp\nuse crm\n\nmap m: erp.Customers <-> crm.accounts {{\n  key Account <-> number\n{lines}\n  initial prefer erp\n}}\n"
        );
        let (plan, _) = build(&project(&map)).unwrap();
        let map = &plan.maps[0];
        let named = map.lines.iter().zip(map.meanings());
        let found = named.filter(|(line, _)| line.left == "Kind");
        found.map(|(_, meaning)| meaning).next().unwrap()
    };
    let table = |person: &str| {
        format!("  Kind -> kind | {{ \"Person\" -> {person}, \"Organization\" -> Organization }}")
    };
    let alone = meaning(&table("Person"));
    let moved = format!("  // why\n\n  Name <-> name\n{}", table("Person"));
    assert_eq!(meaning(&moved), alone);
    let another = table("Organization");
    let elsewhere = "  Kind -> name".to_owned();
    let both_ways = "  Kind <-> name".to_owned();
    assert_ne!(meaning(&elsewhere), meaning(&both_ways));
    for other in [another, elsewhere, both_ways] {
        assert_ne!(meaning(&other), alone, "{other}");
    }
}
