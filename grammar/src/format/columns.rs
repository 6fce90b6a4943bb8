//! Columns: what stands under each other in rows that adjoin.

use super::spacing;
use crate::Span;
use crate::tokens::Tokens;
use crate::tree::{Arrow, Direction};

/// A cell of a line that is wider stands for itself: the others don't move out for it.
const LINE_CELL_WIDTH_MAX: usize = 40;

/// Blanks before what follows a line's right side.
const LINE_END_GAP: usize = 2;

/// The places of one row's cells, by the offsets of their tokens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// Where the first cell begins.
    start: usize,
    /// The arrow between the first cell and the second, where there is one.
    arrow: Option<Arrow>,
    /// The second cell.
    second: Span,
    /// Where the third cell begins, where there is one.
    third: Option<usize>,
}

impl Row {
    /// `name second` or `name second third`
    pub(super) fn of_words(row: Span, second: Span, third: Option<Span>) -> Self {
        Self {
            start: row.start,
            arrow: None,
            second,
            third: third.map(|third| third.start),
        }
    }

    /// `left <-> right` or `left <-> right end`
    pub(super) fn of_line(row: Span, arrow: Arrow, right: Span, end: Option<Span>) -> Self {
        Self {
            start: row.start,
            arrow: Some(arrow),
            second: right,
            third: end.map(|end| end.start),
        }
    }

    /// Where the first cell ends: at the arrow, or at the second cell.
    fn first_end(&self) -> usize {
        self.arrow
            .map_or(self.second.start, |arrow| arrow.span.start)
    }
}

/// How many blanks stand before the cells of rows that adjoin, by the offset of a cell's first token.
pub(super) fn pads(tokens: Tokens<'_>, rows: &[Row]) -> Vec<(usize, usize)> {
    let flat = |from, to| flat_width(tokens, Span::new(from, to));
    let mut pads = first_pads(rows, &flat);
    pads.extend(third_pads(rows, &flat));
    pads
}

/// The blanks round the arrows, or before the second cells.
fn first_pads(rows: &[Row], flat: &dyn Fn(usize, usize) -> Option<usize>) -> Vec<(usize, usize)> {
    let widths: Vec<Option<usize>> = rows
        .iter()
        .map(|row| flat(row.start, row.first_end()))
        .collect();
    let widest = widths.iter().flatten().copied().max().unwrap_or(0);
    let column = if has_arrows(rows) {
        widest.min(LINE_CELL_WIDTH_MAX)
    } else {
        widest
    };
    let mixed = has_mixed_arrows(rows);
    let mut pads = Vec::new();
    for (row, width) in rows.iter().zip(widths) {
        let Some(width) = width.filter(|width| *width <= column) else {
            continue;
        };
        let points = |direction| {
            usize::from(mixed && row.arrow.is_some_and(|arrow| arrow.direction == direction))
        };
        pads.push((
            row.first_end(),
            column - width + 1 + points(Direction::Right),
        ));
        if row.arrow.is_some() {
            pads.push((row.second.start, 1 + points(Direction::Left)));
        }
    }
    pads
}

/// The blanks before the third cells. A field's type counts also where no attribute follows it.
fn third_pads(rows: &[Row], flat: &dyn Fn(usize, usize) -> Option<usize>) -> Vec<(usize, usize)> {
    let is_line = has_arrows(rows);
    let width_max = if is_line {
        LINE_CELL_WIDTH_MAX
    } else {
        usize::MAX
    };
    let gap = if is_line { LINE_END_GAP } else { 1 };
    let cells: Vec<(Option<usize>, usize)> = rows
        .iter()
        .filter(|row| row.third.is_some() || !is_line)
        .filter_map(|row| Some((row.third, flat(row.second.start, row.second.end)?)))
        .filter(|(_, width)| *width <= width_max)
        .collect();
    let column = cells.iter().map(|(_, width)| *width).max().unwrap_or(0);
    cells
        .into_iter()
        .filter_map(|(third, width)| Some((third?, column - width + gap)))
        .collect()
}

fn has_arrows(rows: &[Row]) -> bool {
    rows.iter().any(|row| row.arrow.is_some())
}

/// Whether arrows of more than one shape stand under each other, so that one-way arrows leave room for the other end.
fn has_mixed_arrows(rows: &[Row]) -> bool {
    let has = |direction| {
        rows.iter()
            .any(|row| row.arrow.is_some_and(|arrow| arrow.direction == direction))
    };
    has(Direction::Both) || (has(Direction::Right) && has(Direction::Left))
}

/// How wide the tokens of a span are on one line; `None` where they stand on several.
fn flat_width(tokens: Tokens<'_>, span: Span) -> Option<usize> {
    let source = tokens.source;
    let cell = tokens.within(span);
    if cell.iter().any(|token| !token.is_significant()) {
        return None;
    }
    let mut width = 0;
    for (at, token) in cell.iter().enumerate() {
        if let Some(previous) = at.checked_sub(1).map(|at| &cell[at]) {
            let before = at.checked_sub(2).map(|at| &cell[at]);
            width += spacing::blanks(source, before, previous, token);
        }
        width += token.text(source).chars().count();
    }
    Some(width)
}
