//! Work on texts: without an allocation, and byte by byte where they are ASCII.

use std::cmp::Ordering;

use dwmap_plan::TextTest;

use crate::slot::{Buffer, Frame, Span, Texts};

/// Appends a text to the arena, wherever it is now.
pub(super) fn append(record: &str, pool: &str, arena: &mut String, span: Span) {
    let (from, to) = (span.start as usize, (span.start + span.len) as usize);
    match span.buffer {
        Buffer::Record => arena.push_str(record.get(from..to).unwrap_or_default()),
        Buffer::Pool => arena.push_str(pool.get(from..to).unwrap_or_default()),
        Buffer::Arena => arena.extend_from_within(from..to),
    }
}

/// Appends a text to the arena, each character mapped.
fn append_mapped<M: Iterator<Item = char>>(
    record: &str,
    pool: &str,
    arena: &mut String,
    span: Span,
    map: impl Fn(char) -> M,
) {
    let (mut at, to) = (span.start as usize, (span.start + span.len) as usize);
    if span.buffer != Buffer::Arena {
        let texts = Texts {
            record,
            arena: "",
            pool,
        };
        return arena.extend(texts.get(span).chars().flat_map(map));
    }
    while at < to
        && let Some(c) = arena.get(at..to).and_then(|rest| rest.chars().next())
    {
        at += c.len_utf8();
        arena.extend(map(c));
    }
}

/// Appends a text without regard to case, as comparisons see it.
pub(super) fn push_folded(record: &str, pool: &str, arena: &mut String, span: Span) {
    append_mapped(record, pool, arena, span, char::to_lowercase);
}

fn texts<'a>(record: &'a str, pool: &'a str, frame: &'a Frame) -> Texts<'a> {
    Texts {
        record,
        arena: &frame.arena,
        pool,
    }
}

/// Without white space at both ends.
pub(super) fn trim(record: &str, pool: &str, frame: &Frame, span: Span) -> Span {
    let text = texts(record, pool, frame).get(span);
    let rest = text.trim_start();
    Span {
        start: span.start + (text.len() - rest.len()) as u32,
        len: rest.trim_end().len() as u32,
        ..span
    }
}

/// In capitals.
pub(super) fn upper(record: &str, pool: &str, frame: &mut Frame, span: Span) -> Span {
    let text = texts(record, pool, frame).get(span);
    let start = frame.arena.len();
    if text.is_ascii() {
        if !text.bytes().any(|b| b.is_ascii_lowercase()) {
            return span;
        }
        append(record, pool, &mut frame.arena, span);
        frame.arena[start..].make_ascii_uppercase();
    } else {
        append_mapped(record, pool, &mut frame.arena, span, char::to_uppercase);
    }
    frame.arena_span(start)
}

/// In small letters.
pub(super) fn lower(record: &str, pool: &str, frame: &mut Frame, span: Span) -> Span {
    let text = texts(record, pool, frame).get(span);
    let start = frame.arena.len();
    if text.is_ascii() {
        if !text.bytes().any(|b| b.is_ascii_uppercase()) {
            return span;
        }
        append(record, pool, &mut frame.arena, span);
        frame.arena[start..].make_ascii_lowercase();
    } else if text.contains('Σ') {
        // The one letter whose small form depends on where it stands.
        let lower = text.to_lowercase();
        return frame.push_text(&lower);
    } else {
        append_mapped(record, pool, &mut frame.arena, span, char::to_lowercase);
    }
    frame.arena_span(start)
}

/// The order of two texts without regard to case.
pub(super) fn order_folded(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() {
        let folded = |b: u8| b.to_ascii_lowercase();
        return a.bytes().map(folded).cmp(b.bytes().map(folded));
    }
    let folded = |c: char| c.to_lowercase();
    a.chars().flat_map(folded).cmp(b.chars().flat_map(folded))
}

/// A test, without regard to case where `fold`.
pub(super) fn test(
    record: &str,
    pool: &str,
    frame: &mut Frame,
    (test, fold): (TextTest, bool),
    (text, what): (Span, Span),
) -> bool {
    let run = |text: &str, what: &str| match test {
        TextTest::StartsWith => text.starts_with(what),
        TextTest::EndsWith => text.ends_with(what),
        TextTest::Contains => text.contains(what),
    };
    if !fold {
        let texts = texts(record, pool, frame);
        return run(texts.get(text), texts.get(what));
    }
    let start = frame.arena.len();
    push_folded(record, pool, &mut frame.arena, text);
    let middle = frame.arena.len();
    push_folded(record, pool, &mut frame.arena, what);
    let (text, what) = frame.arena[start..].split_at(middle - start);
    let result = run(text, what);
    frame.arena.truncate(start);
    result
}
