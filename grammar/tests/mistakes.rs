//! Every mistake of `mistakes/`, as its reader sees it.

mod common;

use common::{fixtures, rendered};
use dwmap_grammar::{CODES, Fix, Safety, format, parse};

#[test]
fn each_mistake_is_told() {
    for (name, source) in fixtures("mistakes") {
        let errors = parse(&source).errors;
        let shown = format!("{source}\n----\n{}", rendered(&source, &errors));
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name, shown);
        });
    }
}

#[test]
fn a_fix_takes_its_mistake_away() {
    for (name, source) in fixtures("mistakes") {
        let errors = parse(&source).errors;
        for error in &errors {
            let Some(fix) = error.fix.as_ref().filter(|fix| fix.safety == Safety::Safe) else {
                continue;
            };
            let mended = fix.apply(&source);
            let left = parse(&mended).errors;
            assert!(
                left.len() < errors.len(),
                "{name}: {error}\n{mended}\n{left:#?}"
            );
        }
    }
}

/// All safe fixes of a text can be applied in one go: no two change the same place.
#[test]
fn safe_fixes_go_together() {
    for (name, source) in fixtures("mistakes") {
        let errors = parse(&source).errors;
        let fixes = errors.iter().filter_map(|error| error.fix.as_ref());
        let safe = fixes.filter(|fix| fix.safety == Safety::Safe);
        let mut edits: Vec<_> = safe.flat_map(|fix| fix.edits.clone()).collect();
        edits.sort_by_key(|(span, _)| *span);
        for pair in edits.windows(2) {
            assert!(pair[0].0.end <= pair[1].0.start, "{name}: {pair:?}");
        }
        let count = edits.len();
        let all = Fix {
            safety: Safety::Safe,
            title: String::new(),
            edits,
        };
        let left = parse(&all.apply(&source)).errors.len();
        assert!(
            left <= errors.len() - count,
            "{name}: {left} are left of {}",
            errors.len()
        );
    }
}

#[test]
fn a_wrong_text_is_not_formatted() {
    for (name, source) in fixtures("mistakes") {
        assert_eq!(format(&source), Err(parse(&source).errors), "{name}");
    }
}

#[test]
fn each_code_is_listed_once_and_shown_by_a_mistake() {
    let mut shown: Vec<&str> = fixtures("mistakes")
        .iter()
        .flat_map(|(_, source)| parse(source).errors)
        .map(|error| error.code)
        .collect();
    shown.extend(
        parse(&"(".repeat(100))
            .errors
            .iter()
            .map(|error| error.code),
    );
    shown.sort_unstable();
    shown.dedup();
    let listed: Vec<&str> = CODES.iter().map(|(code, _)| *code).collect();
    assert_eq!(shown, listed);
}

/// What is left open in one item is no nesting of the next.
#[test]
fn many_open_parentheses_are_as_many_mistakes() {
    let items = "  concat(first, last -> name\n".repeat(200);
    let source = format!("map m: a.x <-> b.y {{\n{items}}}\n");
    let errors = parse(&source).errors;
    assert_eq!(errors.len(), 200);
    assert!(errors.iter().all(|error| error.code == "P0015"));
}
