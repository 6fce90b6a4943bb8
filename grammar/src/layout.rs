//! Where items end.
//!
//! An item ends at a line break. A break is free inside parentheses, behind a comma, a pipe or an arrow, and before a
//! pipe: there it is blanked out, as are comments, so that the grammar needs to know of neither. What is broken in a
//! token's spelling is made good. The text keeps its length, so that offsets hold for the source too.

use std::ops::Range;

use crate::tokens::{Token, TokenKind};

/// The text as the grammar reads it; `free` says of each token whether it is a break that ends nothing.
pub(crate) fn lay_out(source: &str, tokens: &[Token], free: &[bool]) -> String {
    let mut text = source.as_bytes().to_vec();
    if source.starts_with('\u{feff}') {
        text[..'\u{feff}'.len_utf8()].fill(b' ');
    }
    for (token, is_free) in tokens.iter().zip(free.iter().copied()) {
        let bytes = &mut text[token.span.start..token.span.end];
        match token.kind {
            TokenKind::Comment | TokenKind::Stray => bytes.fill(b' '),
            TokenKind::LineBreak if is_free => bytes.fill(b' '),
            TokenKind::UnclosedString | TokenKind::ForeignString => quote(bytes, b'"'),
            TokenKind::UnclosedName => quote(bytes, b'`'),
            TokenKind::ForeignName => bytes.fill(b'_'),
            _ => {}
        }
    }
    // Whole tokens were replaced by ASCII, so this is still UTF-8.
    String::from_utf8(text).unwrap_or_default()
}

/// Gives a token of at least two bytes both its quotes; what it says is read from the source.
fn quote(bytes: &mut [u8], mark: u8) {
    if let [first, inner @ .., last] = bytes {
        *first = mark;
        inner.fill(b'_');
        *last = mark;
    }
}

/// For each token, whether it is a line break that ends nothing.
pub(crate) fn free_breaks(source: &str, tokens: &[Token]) -> Vec<bool> {
    let mut free = in_parentheses(source, tokens);
    let mut after_joint = false;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Comment => {}
            TokenKind::LineBreak => free[at] |= after_joint,
            _ => after_joint = joins_next_line(source, token),
        }
    }
    let mut before_pipe = false;
    for (at, token) in tokens.iter().enumerate().rev() {
        match token.kind {
            TokenKind::Comment => {}
            TokenKind::LineBreak => free[at] |= before_pipe,
            _ => before_pipe = token.is(source, "|"),
        }
    }
    for gap in late_braces(source, tokens) {
        free[gap].fill(true);
    }
    free
}

/// The gaps before braces that stand on a line below what they belong to: ranges of line breaks and comments. It is a
/// mistake, and clear what is meant.
pub(crate) fn late_braces(source: &str, tokens: &[Token]) -> Vec<Range<usize>> {
    let braces = (0..tokens.len()).filter(|at| tokens[*at].is(source, "{"));
    let gaps = braces.filter_map(|brace| {
        let head = tokens[..brace].iter().rposition(Token::is_significant)?;
        let is_head = matches!(tokens[head].kind, TokenKind::Word | TokenKind::String)
            || matches!(tokens[head].text(source), ")" | "?");
        let gap = head + 1..brace;
        let breaks = tokens[gap.clone()]
            .iter()
            .any(|token| token.kind == TokenKind::LineBreak);
        (is_head && breaks).then_some(gap)
    });
    gaps.collect()
}

fn joins_next_line(source: &str, token: &Token) -> bool {
    token.is(source, ",") || token.is(source, "|") || token.is_arrow()
}

/// For each token, whether it stands in parentheses that are closed.
fn in_parentheses(source: &str, tokens: &[Token]) -> Vec<bool> {
    let closing = closing_parentheses(source, tokens);
    let mut end = 0;
    (0..tokens.len())
        .map(|at| {
            end = end.max(closing[at].unwrap_or(0));
            at < end
        })
        .collect()
}

/// For each `(` that is closed, the place of its `)`. No brace and no arrow stands between the two: where one does,
/// a `)` was forgotten, and the one that comes later belongs to another item.
fn closing_parentheses(source: &str, tokens: &[Token]) -> Vec<Option<usize>> {
    let mut closing = vec![None; tokens.len()];
    let mut open = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if token.is_arrow() {
            open.clear();
        }
        if token.kind != TokenKind::Symbol {
            continue;
        }
        match token.text(source) {
            "(" => open.push(at),
            ")" => {
                if let Some(start) = open.pop() {
                    closing[start] = Some(at);
                }
            }
            "{" | "}" => open.clear(),
            _ => {}
        }
    }
    closing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::tokenize;

    fn laid_out(source: &str) -> String {
        let tokens = tokenize(source);
        lay_out(source, &tokens, &free_breaks(source, &tokens))
    }

    #[test]
    fn free_breaks_are_blanked() {
        assert_eq!(laid_out("a <->\n b\n| c"), "a <->  b | c");
        assert_eq!(laid_out("f(a\n+ b)\nc"), "f(a + b)\nc");
        assert_eq!(laid_out("a, // x\r\nb"), "a,       b");
    }

    #[test]
    fn an_open_parenthesis_frees_nothing() {
        assert_eq!(laid_out("f(a\n}\nb)"), "f(a\n}\nb)");
    }

    #[test]
    fn broken_tokens_are_made_good() {
        assert_eq!(laid_out("\u{feff}'é' \"ab\nc"), "   \"__\" \"_\"\nc");
    }
}
