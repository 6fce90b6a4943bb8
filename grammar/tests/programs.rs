//! Small right programs: their trees, and their form.

mod common;

use common::{fixtures, outline, without_spans};
use dwmap_grammar::{format, parse};

#[test]
fn each_program_is_read() {
    for (name, source) in fixtures("programs") {
        let parsed = parse(&source);
        assert_eq!(parsed.errors, [], "{name}");
        let mut shown = String::new();
        for line in &parsed.file.uses {
            shown += &outline(line);
        }
        for decl in &parsed.file.decls {
            shown += &outline(decl);
        }
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("tree-{name}"), shown);
        });
    }
}

#[test]
fn each_program_is_in_its_usual_form() {
    for (name, source) in fixtures("programs") {
        let formatted = format(&source).unwrap();
        assert!(formatted == source, "{name}:\n{formatted}");
    }
}

#[test]
fn line_ends_and_a_byte_order_mark_change_nothing() {
    for (name, source) in fixtures("programs") {
        let windows = format!("\u{feff}{}", source.replace('\n', "\r\n"));
        let parsed = parse(&windows);
        assert_eq!(parsed.errors, [], "{name}");
        assert_eq!(
            without_spans(&format!("{:?}", parsed.file)),
            without_spans(&format!("{:?}", parse(&source).file)),
            "{name}"
        );
        assert_eq!(
            format(&windows).unwrap(),
            source.replace('\n', "\r\n"),
            "{name}"
        );
    }
}

/// What each file of `unformatted` becomes is a snapshot.
#[test]
fn crooked_texts_are_put_straight() {
    for (name, source) in fixtures("unformatted") {
        let formatted = format(&source).unwrap();
        assert_eq!(format(&formatted).unwrap(), formatted, "{name}");
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("formatted-{name}"), formatted);
        });
    }
}
