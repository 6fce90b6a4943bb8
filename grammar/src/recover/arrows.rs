//! Arrows and operators that are wrong, too many, or lead nowhere.

use super::{Place, Region};
use crate::tokens::{Token, TokenKind};
use crate::{Span, SyntaxError, mistakes};

/// `A = b` and `A <= b` in a map.
pub(super) fn in_other_words(region: &Region<'_>) -> Option<SyntaxError> {
    if region.place != Place::Map || region.tokens.iter().any(Token::is_arrow) {
        return None;
    }
    if super::ITEM_WORDS.contains(&region.first_word()?.0) {
        return None;
    }
    let sign = region
        .tokens
        .iter()
        .find(|token| matches!(region.text(token), "=" | "==" | ":" | "<="))?;
    if region.text(sign) == "<=" {
        return Some(mistakes::less_or_equal_for_arrow(sign.span));
    }
    let left = Span::new(region.tokens.first()?.span.start, sign.span.start)
        .of(region.source)
        .trim();
    let right = region
        .tokens
        .iter()
        .find(|token| token.span.start >= sign.span.end)?;
    let right = path_from(region, right);
    (region.text(sign) != ":")
        .then(|| mistakes::equals_for_arrow(sign.span, left, right.of(region.source)))
}

/// `"P" "paid"` and `"P" = "paid"` in a table.
pub(super) fn missing_in_row(region: &Region<'_>) -> Option<SyntaxError> {
    if region.place != Place::Table {
        return None;
    }
    match region.tokens.as_slice() {
        [left, sign, right] if region.text(sign) == "=" => Some(mistakes::equals_for_arrow(
            sign.span,
            region.text(left),
            region.text(right),
        )),
        [left, right] if !left.is_arrow() && !right.is_arrow() => {
            let gap = Span::new(left.span.end, right.span.start);
            Some(mistakes::missing_arrow(
                right.span,
                gap,
                region.text(left),
                region.text(right),
            ))
        }
        _ => None,
    }
}

/// The words and dots that follow each other without a blank.
fn path_from(region: &Region<'_>, first: &Token) -> Span {
    let mut span = first.span;
    for token in region
        .tokens
        .iter()
        .filter(|token| token.span.start >= first.span.end)
    {
        if token.span.start != span.end
            || !(token.kind == TokenKind::Word || region.text(token) == ".")
        {
            break;
        }
        span = span.to(token.span);
    }
    span
}

/// Two arrows outside of braces. Where a line break stands behind the first, it leads nowhere.
pub(super) fn two(region: &Region<'_>) -> Option<SyntaxError> {
    if !matches!(region.place, Place::Map | Place::Table | Place::Iso) {
        return None;
    }
    let mut depth = 0_usize;
    let mut arrows = region.tokens.iter().enumerate().filter(|(_, token)| {
        match region.text(token) {
            "{" | "(" => depth += 1,
            "}" | ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && token.is_arrow()
    });
    let (at, first) = arrows.next()?;
    let (_, second) = arrows.next()?;
    let follower = region.tokens.get(at + 1)?;
    if region.lines.line(follower.span.start) > region.lines.line(first.span.start) {
        return Some(mistakes::nothing_behind(first.span, region.text(first)));
    }
    Some(mistakes::two_arrows(second.span, first.span))
}

/// An arrow that begins or ends its item.
pub(super) fn at_an_end(region: &Region<'_>) -> Option<SyntaxError> {
    let (first, last) = (region.tokens.first()?, region.tokens.last()?);
    if last.is_arrow() {
        return Some(mistakes::nothing_behind(last.span, region.text(last)));
    }
    let begins_with_arrow = first.is_arrow() && region.place != Place::Iso;
    begins_with_arrow.then(|| mistakes::nothing_before(first.span, region.text(first)))
}

/// An operator or a pipe without what follows it.
pub(super) fn dangling_operator(region: &Region<'_>) -> Option<SyntaxError> {
    const OPERATORS: [&str; 17] = [
        "|", "+", "-", "*", "/", "==", "!=", "<", "<=", ">", ">=", "??", "=", ":", "and", "or",
        "not",
    ];
    const BINARY: [&str; 13] = [
        "|", "+", "*", "/", "==", "!=", "<=", ">=", "??", "=", "and", "or", ",",
    ];
    let ends = |token: &Token| matches!(region.text(token), ")" | "]" | "}");
    let mut pairs = region.tokens.windows(2);
    let between = pairs.find(|pair| {
        let [first, second] = pair else { return false };
        OPERATORS.contains(&region.text(first))
            && (BINARY.contains(&region.text(second)) || ends(second) || second.is_arrow())
    });
    if let Some([first, _]) = between {
        return Some(mistakes::nothing_behind(first.span, region.text(first)));
    }
    let last = region
        .tokens
        .last()
        .filter(|token| OPERATORS.contains(&region.text(token)))?;
    let error = mistakes::nothing_behind(last.span, region.text(last));
    Some(error.help(
        "An item ends at the end of its line; what goes on on the next stands in parentheses.",
    ))
}
