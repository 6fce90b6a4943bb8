//! What is wrong with single tokens, and with how deep they nest.

use crate::layout::late_braces;
use crate::tokens::{Token, TokenKind};
use crate::{Span, SyntaxError, mistakes};

/// How deep brackets and `if`s may stand in each other. Far beyond what anybody writes; it bounds the parser's stack.
const DEPTH_MAX: usize = 64;

/// The mistakes in single tokens and in where braces stand.
pub(crate) fn lexical_errors(source: &str, tokens: &[Token]) -> Vec<SyntaxError> {
    let broken = tokens.iter().filter_map(|token| token_error(source, token));
    let braces = late_braces(source, tokens).into_iter().map(|gap| {
        let between = Span::new(tokens[gap.start].span.start, tokens[gap.end].span.start);
        let has_comment = tokens[gap.clone()]
            .iter()
            .any(|token| token.kind == TokenKind::Comment);
        mistakes::late_brace(tokens[gap.end].span, between, has_comment)
    });
    broken.chain(braces).collect()
}

fn token_error(source: &str, token: &Token) -> Option<SyntaxError> {
    let text = token.text(source);
    match token.kind {
        TokenKind::UnclosedString => Some(mistakes::unclosed_text(token.span)),
        TokenKind::UnclosedName => Some(mistakes::unclosed_name(token.span)),
        TokenKind::ForeignString => {
            let mut inner = text.chars();
            inner.next();
            inner.next_back();
            Some(mistakes::foreign_quotes(token.span, inner.as_str()))
        }
        TokenKind::ForeignName => Some(mistakes::foreign_name(token.span, text)),
        TokenKind::Stray => Some(mistakes::stray_character(token.span, text)),
        _ => None,
    }
}

/// The first place where nesting is deeper than can be read. `free` says of each token whether it is a line break
/// that ends nothing; one that ends an item also ends what was left open in it.
pub(crate) fn too_deep(source: &str, tokens: &[Token], free: &[bool]) -> Option<SyntaxError> {
    let mut open: Vec<&str> = Vec::new();
    let mut ifs = 0;
    for (token, is_free) in tokens.iter().zip(free.iter().copied()) {
        match (token.kind, token.text(source)) {
            (TokenKind::LineBreak, _) if is_free => {}
            (TokenKind::LineBreak, _) | (TokenKind::Symbol, ";") => {
                while open.pop_if(|bracket| *bracket == "(").is_some() {}
                ifs = 0;
            }
            (TokenKind::Word, "if") => ifs += 1,
            (TokenKind::Symbol, bracket @ ("(" | "[" | "{")) => open.push(bracket),
            (TokenKind::Symbol, ")" | "]" | "}") => {
                open.pop();
            }
            _ => {}
        }
        if open.len() + ifs > DEPTH_MAX {
            return Some(mistakes::too_deep(token.span, DEPTH_MAX));
        }
    }
    None
}
