//! The one relation of page "two-way lines agree or don't": while two values agree, nothing is written.

use crate::code::{Cell, EvalRow};
use dwmap_plan::{Line, Side, Value};

use super::{Input, Seen};

/// What a side's cell of a line holds, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held<'a> {
    /// The side's own value. None where the row holds something that isn't of the field's type.
    pub(crate) own: Option<&'a Value>,
    /// What it becomes on the other side.
    pub(crate) out: &'a Cell,
}

impl<'a> Held<'a> {
    /// What a row holds of a line.
    pub(crate) fn of(row: &'a EvalRow, line: usize) -> Self {
        let out = row.out.get(line).unwrap_or(&Cell::None);
        let cell = match row.own.get(line) {
            // A constant or an expression has no cell of its own: what it gives stands for it.
            None | Some(Cell::None) => out,
            Some(cell) => cell,
        };
        Self {
            own: own(cell),
            out,
        }
    }
}

/// The value of a cell, if it has one.
pub(crate) const fn own(cell: &Cell) -> Option<&Value> {
    match cell {
        Cell::Value(value) => Some(value),
        _ => None,
    }
}

impl<'a> Input<'a> {
    /// What a side holds of a line.
    pub(super) fn held(&self, side: Side, line: u16) -> Held<'a> {
        let index = usize::from(line);
        match self.seen[side.index()] {
            Seen::Absent => Held {
                own: None,
                out: &Cell::None,
            },
            Seen::Row(row) => Held::of(row, index),
            Seen::Base => Held {
                own: self.base(side, line),
                out: &Cell::None,
            },
        }
    }

    /// What a side held of a line when the pair was last in order.
    pub(super) fn base(&self, side: Side, line: u16) -> Option<&'a Value> {
        let id = self.map.lines[usize::from(line)].id;
        let base = self.link?.bases.at(usize::from(line), id)?;
        base.sides[side.index()].as_ref()
    }
}

/// Whether the two values of a line agree: `cR(f(cL(l))) = cR(r)` or `cL(g(cR(r))) = cL(l)`, of which a line in one
/// direction has one half, and a line that asks for its canonical form needs both.
pub(crate) fn line_agrees(line: &Line, held: [Held<'_>; 2]) -> bool {
    let half = |from: Side| {
        let out = own(held[from.index()].out);
        out.is_some() && out == held[from.other().index()].own
    };
    match (line.to_right, line.to_left) {
        (true, true) if line.normalise => half(Side::Left) && half(Side::Right),
        (true, true) => half(Side::Left) || half(Side::Right),
        (true, false) => half(Side::Left),
        (false, true) => half(Side::Right),
        (false, false) => true,
    }
}
