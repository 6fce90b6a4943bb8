//! Compact code: a plan's program with everything looked up beforehand.

mod exec;
mod fits;
mod instr;
mod prepare;
mod tables;
mod texts;

use dwmap_plan::{Outputs, Reference, SlotId, Type, Value};
use dwmap_steps::{Failure, StepFn};

pub(crate) use exec::run;
pub(crate) use prepare::{Demand, Kind, prepare};

use crate::reader::Columns;
use crate::slot::{Buffer, Frame, Slot, Span, State, is_plain};
use fits::{AnyFit, DecimalFit, ScalarFit, TextFit};
use instr::Instr;
use tables::PreparedTable;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) columns: Columns,
    /// The type of every slot.
    pub(crate) types: Vec<Type>,
    /// The texts of all constants.
    pub(crate) pool: String,
    pub(crate) outputs: Outputs,
    pub(crate) identity: Option<SlotId>,
    instrs: Vec<Instr>,
    /// Operands of instructions with a number of them.
    operands: Vec<SlotId>,
    text_fits: Vec<TextFit>,
    scalar_fits: Vec<ScalarFit>,
    decimal_fits: Vec<DecimalFit>,
    any_fits: Vec<AnyFit>,
    tables: Vec<PreparedTable>,
    calls: Vec<Call>,
    /// Slots that hold the same in every record.
    constants: Vec<(SlotId, Const)>,
    /// What the `default` step puts in place of null.
    defaults: Vec<Const>,
    /// Constants that have no place in a slot between records (binary).
    loads: Vec<Value>,
    references: Vec<Reference>,
    /// The lengths of the keys that `Find` instructions build.
    keys: Vec<usize>,
}

/// A step that has no instruction of its own.
#[derive(Debug)]
struct Call {
    function: StepFn,
    args: Vec<Value>,
}

/// A constant as a slot holds it; its text is in the pool.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Const {
    slot: Slot,
    state: State,
    scale: u8,
}

impl Const {
    /// Binary constants have no such form.
    fn new(value: &Value, pool: &mut String) -> Option<Self> {
        let mut scale = 0;
        let slot = match value {
            Value::Null => Slot::default(),
            Value::Bool(b) => Slot::bool(*b),
            Value::Int(n) | Value::DateTime(n) => Slot::int(*n),
            Value::Date(day) => Slot::int(i64::from(*day)),
            Value::Float(f) => Slot::float(*f),
            Value::Guid(g) => Slot::guid(*g),
            Value::Decimal(n) => {
                scale = n.scale();
                Slot::units(n.units())
            }
            Value::Text(text) => {
                let start = pool.len() as u32;
                pool.push_str(text);
                Slot::span(Span {
                    start,
                    len: text.len() as u32,
                    buffer: Buffer::Pool,
                    plain: is_plain(text.as_bytes()),
                })
            }
            Value::Binary(_) => return None,
        };
        let state = if value.is_null() {
            State::Null
        } else {
            State::Value
        };
        Some(Self { slot, state, scale })
    }
}

/// What an operation makes of null, or of everything else: known beforehand.
type Known = Result<Const, Failure>;

impl Frame {
    pub(crate) fn put(&mut self, at: SlotId, constant: Const) {
        let at = usize::from(at);
        self.slots[at] = constant.slot;
        self.states[at] = constant.state;
        self.scales[at] = constant.scale;
    }

    #[inline]
    fn put_known(&mut self, at: SlotId, known: Known) {
        match known {
            Ok(constant) => self.put(at, constant),
            Err(failure) => self.fail(at, failure),
        }
    }
}

impl Code {
    /// A frame for records of this program.
    pub(crate) fn frame(&self) -> Frame {
        let mut frame = Frame {
            slots: vec![Slot::default(); self.types.len()],
            states: vec![State::Null; self.types.len()],
            scales: vec![0; self.types.len()],
            keys: self.keys.iter().map(|n| vec![Value::Null; *n]).collect(),
            ..Frame::default()
        };
        for (at, constant) in &self.constants {
            frame.put(*at, *constant);
        }
        frame
    }
}
