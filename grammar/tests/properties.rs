//! What holds for every text, and for every right program.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/programs.rs"]
mod programs;

use common::{fixtures, rendered, without_spans};
use dwmap_grammar::{Parsed, Span, format, parse};
use programs::program;
use proptest::prelude::*;
use proptest::sample::Index;

/// Every span of an error lies in the text, on whole characters.
fn check_places(source: &str, parsed: &Parsed) {
    let holds = |span: &Span| source.get(span.start..span.end).is_some();
    for error in &parsed.errors {
        assert!(holds(&error.span), "{error:?}");
        assert!(
            error.related.iter().all(|(span, _)| holds(span)),
            "{error:?}"
        );
        assert!(
            error
                .fix
                .iter()
                .flat_map(|fix| &fix.edits)
                .all(|(span, _)| holds(span)),
            "{error:?}"
        );
    }
}

/// How often each of the generator's comments stands in a text.
fn comments(source: &str) -> Vec<usize> {
    let comments = [
        "// it's \"so\"",
        "// alone { ( \"",
        "// why",
        "// open",
        "// says nothing",
        "/// Says what it is.",
    ];
    comments
        .iter()
        .map(|comment| source.matches(comment).count())
        .collect()
}

/// Failures are kept by turning them into cases of their own, not by seeds in a file.
fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_text_is_read(source in "\\PC*|[a-z \n{}()\\[\\]<>|:,;.=\"'`/-]{0,200}") {
        check_places(&source, &parse(&source));
    }

    #[test]
    fn any_words_are_read(words in proptest::collection::vec(
        prop::sample::select(vec![
            "map", "schema", "entity", "test", "a", "b.c", "<->", "->", "<-", "{", "}", "(", ")", "\n", ":", "|", ",", "key",
            "where", "if", "then", "else", "not", "and", "==", "=", "\"x\"", "\"", "1", "-", "on", "create", "//", "`", "extend",
            "valuemap", "fn", "iso", "enum", "nav", "via", "[", "]", "'", "null", "in", ".(", "::", "use", "lines", "of", "by",
        ]), 0..120))
    {
        let source = words.join(" ");
        check_places(&source, &parse(&source));
    }

    #[test]
    fn a_right_program_is_read_whole(source in program()) {
        let parsed = parse(&source);
        prop_assert!(parsed.errors.is_empty(), "{}\n{}", source, rendered(&source, &parsed.errors));
    }

    #[test]
    fn formatting_changes_no_meaning(source in program()) {
        let Ok(formatted) = format(&source) else {
            return Err(TestCaseError::fail(source));
        };
        let again = parse(&formatted);
        prop_assert!(again.errors.is_empty(), "{}\n---\n{}\n{}", source, formatted, rendered(&formatted, &again.errors));
        let before = without_spans(&format!("{:?}", parse(&source).file));
        let after = without_spans(&format!("{:?}", again.file));
        prop_assert_eq!(before, after, "{}\n---\n{}", source, formatted);
        prop_assert_eq!(comments(&source), comments(&formatted));
    }

    #[test]
    fn formatting_twice_is_formatting_once(source in program()) {
        let once = format(&source);
        let twice = once.as_deref().map(format);
        prop_assert!(twice.as_ref().is_ok_and(|twice| *twice == once), "{}\n---\n{:?}\n---\n{:?}", source, once, twice);
    }

    #[test]
    fn a_program_with_a_piece_cut_out_is_read(source in program(), from in any::<Index>(), len in 1_usize..12) {
        let chars: Vec<char> = source.chars().collect();
        let from = from.index(chars.len());
        let wrong: String = chars.iter().take(from).chain(chars.iter().skip(from + len)).collect();
        check_places(&wrong, &parse(&wrong));
    }

    #[test]
    fn a_program_with_a_piece_put_in_is_read(
        source in program(),
        at in any::<Index>(),
        piece in "[{}()\\[\\]<>|:,;.=\"'`/ \n-]{1,6}|map|é",
    ) {
        let chars: Vec<char> = source.chars().collect();
        let at = at.index(chars.len());
        let wrong: String = chars[..at].iter().copied().chain(piece.chars()).chain(chars[at..].iter().copied()).collect();
        check_places(&wrong, &parse(&wrong));
    }
}

/// Whatever is cut from a program's end, the declarations before the cut are still read.
#[test]
fn what_comes_before_a_cut_is_read() {
    for (name, source) in fixtures("programs") {
        let whole = parse(&source);
        for (cut, _) in source.char_indices().step_by(5) {
            let part = parse(&source[..cut]);
            check_places(&source[..cut], &part);
            let complete = whole
                .file
                .decls
                .iter()
                .filter(|decl| decl.span().end <= cut)
                .count();
            let same = part
                .file
                .decls
                .iter()
                .zip(&whole.file.decls)
                .take(complete)
                .all(|(a, b)| a == b);
            assert!(
                same && part.file.decls.len() >= complete,
                "{name} cut at {cut}"
            );
        }
    }
}

/// Deep nesting is refused, whatever it is made of, and costs no more than its length.
#[test]
fn depth_is_bounded() {
    let head = "map m: a.x <-> b.y {\n  ";
    for piece in [
        "(",
        "f(",
        "a.(",
        "if ",
        "if (",
        "if a then ",
        "{",
        "x | {",
        "[",
        "not (",
        "a in (",
        "not ",
        "- ",
        "if a then b else ",
        "fno { a: [ ",
    ] {
        for (before, after) in [
            ("", ""),
            (head, "\n}\n"),
            ("fn f(x: text) -> text = ", "\n"),
            ("test m \"x\" { ", "}"),
        ] {
            let source = format!("{before}{}{after}", piece.repeat(1_000));
            check_places(&source, &parse(&source));
            let shallow = format!("{before}{}{after}", piece.repeat(60));
            check_places(&shallow, &parse(&shallow));
        }
    }
}

/// Long texts of each kind are read; a reader that goes over them more than a few times would not come to an end.
#[test]
fn long_texts_are_read() {
    for piece in [
        "  a <-> b | trim\n",
        "  a b\n",
        "  a <-> \n",
        "  concat(a, b -> c\n",
        "  key a,\n",
        "  \"open\n",
        "  }\n",
        "  a <-> b | { \"x\" <-> y }\n",
        "// comment\n",
        "\n",
        "map m: a.x <-> b.y {\n",
        "schema s { entity e {\n",
        "test m \"x\" { a { b: 1,\n",
        "  a <-> b c d e f g\n",
        "{",
        "(",
        "a ",
        "- ",
    ] {
        let source = format!("map m: a.x <-> b.y {{\n{}}}\n", piece.repeat(1_000));
        check_places(&source, &parse(&source));
    }
}
