//! Whether a blank stands between two tokens of a line.

use crate::tokens::{Token, TokenKind};

/// Words behind which a parenthesis opens a group, not arguments.
const BEFORE_GROUP: [&str; 9] = [
    "and", "else", "if", "in", "key", "not", "or", "replace", "then",
];

/// Words behind which a minus belongs to a number.
const BEFORE_NUMBER: [&str; 12] = [
    "and", "else", "if", "in", "key", "max", "min", "not", "or", "replace", "then", "write",
];

/// How many blanks stand between two tokens, of which `before` stands before the first.
pub(super) fn blanks(source: &str, before: Option<&Token>, first: &Token, second: &Token) -> usize {
    usize::from(is_apart(source, before, first, second))
}

fn is_apart(source: &str, before: Option<&Token>, first: &Token, second: &Token) -> bool {
    let (left, right) = (first.text(source), second.text(source));
    match (left, right) {
        ("{", "}") | ("[", "]") => false,
        ("." | "::" | "(", _) | (_, "." | "::" | ")" | "," | ";" | ":" | "?") => false,
        (_, "(") => first.kind != TokenKind::Word || BEFORE_GROUP.contains(&left),
        ("-", _) => !is_sign(source, before),
        _ => true,
    }
}

/// Whether a minus behind this token is a sign, not a subtraction.
fn is_sign(source: &str, before: Option<&Token>) -> bool {
    before.is_none_or(|token| match token.kind {
        TokenKind::Symbol => !matches!(token.text(source), ")" | "]" | "}"),
        TokenKind::Arrow => true,
        TokenKind::Word => BEFORE_NUMBER.contains(&token.text(source)),
        _ => false,
    })
}
