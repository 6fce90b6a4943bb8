//! Brackets without a partner.

use super::Region;
use crate::{SyntaxError, mistakes};

/// A bracket in the region that has no partner in it.
pub(super) fn without_partner(region: &Region<'_>) -> Option<SyntaxError> {
    let mut open = Vec::new();
    for token in &region.tokens {
        let text = region.text(token);
        let partner = match text {
            "(" | "[" | "{" => {
                open.push((text, token.span));
                continue;
            }
            ")" => "(",
            "]" => "[",
            "}" => "{",
            _ => continue,
        };
        match open.pop() {
            Some((opening, _)) if opening == partner => {}
            // A bracket of another kind stands open: that is the one without a partner.
            Some((opening, span)) => return Some(mistakes::unmatched(span, opening)),
            None => return Some(mistakes::unmatched(token.span, text)),
        }
    }
    open.pop()
        .map(|(bracket, span)| mistakes::unmatched(span, bracket))
}
