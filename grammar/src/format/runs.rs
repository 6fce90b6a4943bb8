//! Which rows adjoin, so that their columns stand under each other.

use super::columns::{self, Row};
use crate::Span;
use crate::tokens::Tokens;

/// The kinds of rows that stand in columns together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Columns {
    Lines,
    Replacements,
    Filters,
    Nulls,
    Fields,
    Rows,
}

/// An item of a block: where it stands, and its row if it has one.
pub(super) struct Item {
    pub(super) span: Span,
    pub(super) row: Option<(Columns, Row)>,
}

/// How many blanks stand before the cells of a block's items, by the offset of a cell's first token. An empty line and
/// a row of another kind part rows; an item without a row doesn't.
pub(super) fn pads(tokens: Tokens<'_>, items: &[Item]) -> Vec<(usize, usize)> {
    let mut pads = Vec::new();
    let mut run: Vec<Row> = Vec::new();
    let mut run_kind: Option<Columns> = None;
    for (at, item) in items.iter().enumerate() {
        let kind = item.row.map(|(kind, _)| kind);
        let before = at
            .checked_sub(1)
            .map(|at| Span::new(items[at].span.end, item.span.start));
        let is_parted = before.is_some_and(|gap| tokens.has_empty_line(gap));
        if is_parted || kind.is_some_and(|kind| Some(kind) != run_kind) {
            pads.extend(columns::pads(tokens, &run));
            run.clear();
            run_kind = kind;
        }
        let behind = items
            .get(at + 1)
            .map(|next| Span::new(item.span.end, next.span.start));
        let shares_line = behind.is_some_and(|gap| !tokens.has_line_break(gap));
        let row = item
            .row
            .filter(|_| !shares_line && tokens.begins_line(item.span.start));
        run.extend(row.map(|(_, row)| row));
    }
    pads.extend(columns::pads(tokens, &run));
    pads
}
