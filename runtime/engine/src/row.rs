//! An evaluated row.

use dwmap_plan::{SlotId, Value};
use dwmap_steps::semantics::{Ask, Stop};

use crate::cell::{Cell, CellRef};
use crate::code::Code;
use crate::slot::{Frame, State, Texts, value_of};

/// A row as its program left it: borrows the record's JSON and the scratch.
#[derive(Clone, Copy)]
pub struct RowView<'a> {
    pub(crate) code: &'a Code,
    pub(crate) frame: &'a Frame,
    pub(crate) record: &'a str,
}

/// A row by itself: what the merge works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvalRow {
    /// Whether the row is in the map.
    pub filter: Result<bool, Stop>,
    /// The key by which records are paired, in the left side's storage form.
    pub pair_key: Result<Vec<Value>, Stop>,
    /// The key by which this side addresses the record.
    pub record_key: Result<Vec<Value>, Stop>,
    /// The company's code; none where the side isn't striped, null where the record has none.
    pub company: Result<Option<Value>, Stop>,
    /// The immutable id, where the entity has one.
    pub identity: Option<Value>,
    /// The time of the last commit, where the side tells it.
    pub modified: Option<Value>,
    /// For each line its cell on this side: what bases hold.
    pub own: Vec<Cell>,
    /// For each line that flows from this side, the value for the other side.
    pub out: Vec<Cell>,
}

impl<'a> RowView<'a> {
    pub(crate) fn texts(&self) -> Texts<'a> {
        Texts {
            record: self.record,
            arena: &self.frame.arena,
            pool: &self.code.pool,
        }
    }

    pub(crate) fn cell(&self, at: SlotId) -> CellRef<'a> {
        let slot = self.frame.slot(at);
        let ask = || &self.frame.asks[slot.as_int() as usize];
        match self.frame.state(at) {
            State::Null | State::Value => CellRef::Value(value_of(
                self.frame,
                self.texts(),
                &self.code.types[usize::from(at)],
                at,
            )),
            State::Failed => CellRef::Failed(self.frame.failures[slot.as_int() as usize]),
            State::Missing => CellRef::Missing(ask()),
            State::Wanted => CellRef::Wanted(ask()),
        }
    }

    fn maybe(&self, at: Option<SlotId>) -> CellRef<'a> {
        at.map_or(CellRef::None, |at| self.cell(at))
    }

    fn values(&self, of: &[SlotId]) -> Result<Vec<Value>, Stop> {
        of.iter().map(|at| self.cell(*at).to_result()).collect()
    }

    /// Whether the row is in the map.
    pub fn filter(&self) -> Result<bool, Stop> {
        match self.code.outputs.filter {
            None => Ok(true),
            Some(at) => Ok(self.cell(at).to_result()? == Value::Bool(true)),
        }
    }

    /// The parts of the key by which records are paired.
    pub fn pair_key(&self) -> impl ExactSizeIterator<Item = CellRef<'a>> + use<'a> {
        let view = *self;
        let slots = &self.code.outputs.pair_key;
        slots.iter().map(move |at| view.cell(*at))
    }

    /// The parts of the key by which this side addresses the record.
    pub fn record_key(&self) -> impl ExactSizeIterator<Item = CellRef<'a>> + use<'a> {
        let view = *self;
        let slots = &self.code.outputs.record_key;
        slots.iter().map(move |at| view.cell(*at))
    }

    /// The company's code.
    pub fn company(&self) -> CellRef<'a> {
        self.maybe(self.code.outputs.company)
    }

    /// The time of the last commit.
    pub fn modified(&self) -> CellRef<'a> {
        self.maybe(self.code.outputs.modified)
    }

    /// The immutable id.
    pub fn identity(&self) -> CellRef<'a> {
        self.maybe(self.code.identity)
    }

    /// A line's cell on this side.
    pub fn own(&self, line: u16) -> CellRef<'a> {
        self.maybe(
            self.code
                .outputs
                .own
                .get(usize::from(line))
                .copied()
                .flatten(),
        )
    }

    /// A line's value for the other side.
    pub fn out(&self, line: u16) -> CellRef<'a> {
        self.maybe(
            self.code
                .outputs
                .out
                .get(usize::from(line))
                .copied()
                .flatten(),
        )
    }

    /// What must be asked for before the row can be evaluated whole; a question may come more than once.
    pub fn wants(&self) -> impl Iterator<Item = &'a Ask> + use<'a> {
        self.frame.wants()
    }

    /// The row by itself.
    pub fn to_row(&self) -> EvalRow {
        let cells = |of: &[Option<SlotId>]| of.iter().map(|at| self.maybe(*at).to_cell()).collect();
        let present = |cell: CellRef<'_>| match cell.to_result() {
            Ok(Value::Null) | Err(_) => None,
            Ok(value) => Some(value),
        };
        let outputs = &self.code.outputs;
        EvalRow {
            filter: self.filter(),
            pair_key: self.values(&outputs.pair_key),
            record_key: self.values(&outputs.record_key),
            company: outputs
                .company
                .map(|at| self.cell(at).to_result())
                .transpose(),
            identity: present(self.identity()),
            modified: present(self.modified()),
            own: cells(&outputs.own),
            out: cells(&outputs.out),
        }
    }
}

impl Frame {
    pub(crate) fn wants(&self) -> impl Iterator<Item = &Ask> {
        self.wants.iter().map(|at| &self.asks[*at as usize])
    }
}
