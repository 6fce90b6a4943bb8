//! A map's engine: both sides' programs, and how both sides are written.

use std::sync::atomic::{AtomicU64, Ordering};

use dwmap_plan::{MapPlan, Repr, Side, Type, Value};
use dwmap_steps::semantics::References;

use crate::code::{self, Code, Demand, prepare};
use crate::encode::{Body, EncodeError, WriteKind, encode_values};
use crate::mask::LineMask;
use crate::reader::{RowError, RowProblem, Shape, read};
use crate::row::RowView;
use crate::scratch::{Room, Scratch};

/// The largest record that is read: spans count in 32 bits, and no service sends more than a fraction of it.
const RECORD_BYTES_MAX: usize = 64 << 20;

/// A map that can be run: its plan with everything looked up beforehand. Share it; it doesn't change.
#[derive(Debug)]
pub struct MapEngine {
    pub(crate) id: u64,
    map: MapPlan,
    /// For each side its program whole, then only what a load needs.
    codes: [[Code; 2]; 2],
    /// For each side how it is written, with the values of the other's program.
    bodies: [[Body; 2]; 2],
}

/// How much of a program is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// All of it.
    Whole = 0,
    /// What a load needs.
    Load = 1,
}

/// A plan that this engine can't run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// A step that this version doesn't have.
    #[error(
        "this version knows no step `{step}`; upgrade dwmap, or build the plan again with this version"
    )]
    UnknownStep {
        /// The step.
        step: String,
    },
    /// A one-way step on the way back.
    #[error("the step `{step}` has no way back; build the plan again with this version")]
    NoWayBack {
        /// The step.
        step: String,
    },
    /// A column whose form and type don't suit each other.
    #[error(
        "the column {column} is a {ty} and stands as {repr:?}; build the plan again with this version"
    )]
    Column {
        /// The column.
        column: String,
        /// Its form.
        repr: Repr,
        /// Its type.
        ty: Type,
    },
    /// A table with binary values.
    #[error("the table {table} holds binary values, which tables can't; mend the table")]
    BinaryTable {
        /// The table.
        table: String,
    },
    /// A value for a column that can't hold its type.
    #[error(
        "the line {line} writes a {ty} to {wire}, which can't hold it; build the plan again with this version"
    )]
    Write {
        /// The line's text.
        line: String,
        /// The column.
        wire: String,
        /// The value's type.
        ty: Type,
    },
}

impl MapEngine {
    /// Prepares a map of a verified plan.
    pub fn new(map: &MapPlan) -> Result<Self, EngineError> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let codes = |side| {
            let prepared = |demand| prepare(map.side(side), &map.references, demand);
            Ok::<_, EngineError>([prepared(Demand::Everything)?, prepared(Demand::Load)?])
        };
        let codes = [codes(Side::Left)?, codes(Side::Right)?];
        let bodies = |target: Side| {
            let [whole, load] = &codes[target.other().index()];
            Ok::<_, EngineError>([
                Body::new(map, target, whole)?,
                Body::new(map, target, load)?,
            ])
        };
        Ok(Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            map: map.clone(),
            bodies: [bodies(Side::Left)?, bodies(Side::Right)?],
            codes,
        })
    }

    /// The map that it runs.
    pub const fn map(&self) -> &MapPlan {
        &self.map
    }

    pub(crate) const fn code(&self, side: Side, way: Way) -> &Code {
        &self.codes[side.index()][way as usize]
    }

    pub(crate) fn shape(&self, side: Side) -> Shape {
        let columns = &self.map.side(side).program.columns;
        Shape::new(columns.iter().map(|c| c.wire.as_str()))
    }

    /// Reads a record of `side` and runs its program. Look-ups that `known` can't answer are in [`RowView::wants`]:
    /// ask, and evaluate again.
    pub fn eval<'a>(
        &'a self,
        side: Side,
        json: &'a [u8],
        known: &dyn References,
        scratch: &'a mut Scratch,
    ) -> Result<RowView<'a>, RowError> {
        self.run(side, Way::Whole, json, known, scratch)
    }

    fn run<'a>(
        &'a self,
        side: Side,
        way: Way,
        json: &'a [u8],
        known: &dyn References,
        scratch: &'a mut Scratch,
    ) -> Result<RowView<'a>, RowError> {
        let record = text_of(json)?;
        let code = self.code(side, way);
        let Room { frame, shape } = scratch.room(self, side, way);
        frame.clear();
        read(record, &code.columns, shape, frame)?;
        code::run(code, record, frame, known);
        Ok(RowView {
            code,
            frame,
            record,
        })
    }

    /// Writes a JSON object for `target` from a row of the other side: the columns of the lines in `mask`, and on an
    /// update none that belong to a record's birth. What stands in `out` stays; after an error it is as before.
    pub fn encode(
        &self,
        target: Side,
        row: &RowView<'_>,
        mask: &LineMask,
        kind: WriteKind,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let body = &self.bodies[target.index()][Way::Whole as usize];
        body.write(row, |line| mask.contains(line), kind, out)
    }

    /// The same from typed values by line, the slow and obvious way: for values that a merge made.
    pub fn encode_values(
        &self,
        target: Side,
        values: &[(u16, Value)],
        kind: WriteKind,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        encode_values(&self.map, target, values, kind, out)
    }

    /// From a source's record to the target's body in one pass, for loads: equal to [`Self::eval`], then
    /// [`Self::encode`] with every line. The row has its filter and keys, and no cells of its own side. Nothing is
    /// written for a row that isn't in the map, or that wants a look-up first.
    pub fn fused<'a>(
        &'a self,
        source: Side,
        json: &'a [u8],
        known: &dyn References,
        kind: WriteKind,
        scratch: &'a mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<(RowView<'a>, Result<(), EncodeError>), RowError> {
        let row = self.run(source, Way::Load, json, known, scratch)?;
        let wanted = row.wants().next().is_some();
        if wanted || row.filter() == Ok(false) {
            return Ok((row, Ok(())));
        }
        let body = &self.bodies[source.other().index()][Way::Load as usize];
        let written = body.write(&row, |_| true, kind, out);
        Ok((row, written))
    }
}

/// A record as text.
pub(crate) fn text_of(json: &[u8]) -> Result<&str, RowError> {
    if json.len() > RECORD_BYTES_MAX {
        return Err(RowError {
            problem: RowProblem::TooLarge,
            at: RECORD_BYTES_MAX,
        });
    }
    simdutf8::basic::from_utf8(json).map_err(|_| RowError {
        problem: RowProblem::NotUtf8,
        at: simdutf8::compat::from_utf8(json)
            .err()
            .map_or(0, |e| e.valid_up_to()),
    })
}
