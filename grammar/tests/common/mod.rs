//! What several tests need: the fixtures, errors as people see them, trees without their spans.

// Each test crate uses a part of this.
#![allow(dead_code, clippy::unwrap_used)]

use std::fmt::Write as _;
use std::path::Path;

use dwmap_grammar::{LineIndex, Safety, Span, SyntaxError};

/// The fixtures of a folder beside this one, by name, in order.
pub(crate) fn fixtures(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(folder);
    let mut fixtures: Vec<(String, String)> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    fixtures.sort();
    assert!(!fixtures.is_empty());
    fixtures
}

/// Errors with the lines that they point at.
pub(crate) fn rendered(source: &str, errors: &[SyntaxError]) -> String {
    let lines = LineIndex::new(source);
    let mut out = String::new();
    for error in errors {
        let at = lines.position(source, error.span.start);
        writeln!(
            out,
            "{} at {}:{}: {}",
            error.code, at.line, at.column, error.message
        )
        .unwrap();
        point(&mut out, source, &lines, error.span, &error.label);
        for (span, label) in &error.related {
            point(&mut out, source, &lines, *span, label);
        }
        if let Some(fix) = &error.fix {
            let kind = match fix.safety {
                Safety::Safe => "fix",
                Safety::Suggestion => "suggestion",
            };
            writeln!(out, "  {kind}: {}", fix.title).unwrap();
        }
        if let Some(help) = &error.help {
            writeln!(out, "  help: {help}").unwrap();
        }
        out.push('\n');
    }
    out
}

fn point(out: &mut String, source: &str, lines: &LineIndex, span: Span, label: &str) {
    let at = lines.position(source, span.start);
    let line = source[lines.start_of(at.line)..]
        .lines()
        .next()
        .unwrap_or_default();
    let marked = span
        .of(source)
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        .max(1);
    writeln!(out, "  {:>3} | {line}", at.line).unwrap();
    writeln!(
        out,
        "      | {}{} {label}",
        " ".repeat(at.column - 1),
        "^".repeat(marked)
    )
    .unwrap();
}

/// A tree's debug form without spans: names as their text, what fits on one line on one line.
pub(crate) fn outline(tree: &impl std::fmt::Debug) -> String {
    let debug = without_spans(&format!("{tree:?}"));
    let debug = shorten(&debug, "Ident { text: \"", "\" }", "`");
    let mut out = String::new();
    break_up(&mut out, &debug, 0);
    out
}

/// Replaces `before X behind` by `mark X mark`.
fn shorten(text: &str, before: &str, behind: &str, mark: &str) -> String {
    let mut parts = text.split(before);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once(behind).unwrap();
        write!(out, "{mark}{name}{mark}{rest}").unwrap();
    }
    out
}

/// Writes one part of a debug form; one that is long has its own parts on lines of their own.
fn break_up(out: &mut String, part: &str, depth: usize) {
    const WIDTH: usize = 110;
    let indent = "  ".repeat(depth);
    let opening = part
        .find(['{', '[', '('])
        .filter(|_| part.chars().count() + indent.len() > WIDTH);
    let Some(opening) = opening else {
        writeln!(out, "{indent}{part}").unwrap();
        return;
    };
    let inner = part[opening + 1..].trim_end_matches(',').trim_end();
    let inner = inner[..inner.len() - 1].trim();
    // A wrapper of one part takes no line of its own.
    let parts = split(inner);
    writeln!(out, "{indent}{}", &part[..=opening]).unwrap();
    for part in parts {
        break_up(out, part, depth + 1);
    }
}

/// Splits at the commas that stand in no brackets and no quotes.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut quoted, mut escaped, mut from) =
        (Vec::new(), 0, false, false, 0);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '{' | '[' | '(' => depth += 1,
            '}' | ']' | ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[from..].trim());
    parts
}

/// A debug form without `@3..9` and what names it.
pub(crate) fn without_spans(debug: &str) -> String {
    let mut out = String::with_capacity(debug.len());
    let mut rest = debug;
    while let Some(at) = rest.find('@') {
        let (before, behind) = rest.split_at(at);
        let digits = behind[1..].trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        if digits.len() + 1 == behind.len() {
            // An `@` in a text.
            out.push_str(&rest[..=at]);
        } else {
            let name = before
                .rfind([',', '{', '('])
                .filter(|from| before[*from..].ends_with("span: "));
            out.push_str(name.map_or(before, |from| before[..from].trim_end()));
        }
        rest = digits;
    }
    out.push_str(rest);
    out
}
