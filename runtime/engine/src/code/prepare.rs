//! From a plan's program to compact code.

use std::collections::{HashMap, HashSet};

use dwmap_plan::{
    Direction, Fit, Function, Op, Outputs, Program, Reference, SidePlan, SlotId, StepCall, Type,
    Value,
};
use dwmap_steps::steps::scale;

use super::fits::{AnyFit, DecimalFit, ScalarFit, TextFit};
use super::instr::{Comparing, Instr, Operands};
use super::tables::PreparedTable;
use super::{Call, Code, Const};
use crate::engine::EngineError;
use crate::reader::{Columns, suits};

/// How values of a type stand in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// One whole number of at most 64 bits.
    Scalar,
    Decimal,
    Float,
    Guid,
    Binary,
}

impl Kind {
    pub(crate) const fn of(ty: &Type) -> Self {
        match ty {
            Type::Text(_) => Self::Text,
            Type::Bool
            | Type::Int32
            | Type::Int64
            | Type::Enum(_)
            | Type::Date
            | Type::DateTime
            | Type::LocalTime => Self::Scalar,
            Type::Decimal(..) => Self::Decimal,
            Type::Float64 => Self::Float,
            Type::Guid => Self::Guid,
            Type::Binary => Self::Binary,
        }
    }
}

/// Which outputs are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Demand {
    /// All of them.
    Everything,
    /// Those that a load needs: whether the row is in the map, the keys, and what goes to the other side.
    Load,
}

/// Prepares a side's program.
pub(crate) fn prepare(
    side: &SidePlan,
    references: &[Reference],
    demand: Demand,
) -> Result<Code, EngineError> {
    let program = &side.program;
    for column in &program.columns {
        if !suits(&column.repr, &column.ty) {
            return Err(EngineError::Column {
                column: column.name.clone(),
                repr: column.repr.clone(),
                ty: column.ty.clone(),
            });
        }
    }
    let mut outputs = program.outputs.clone();
    if demand == Demand::Load {
        outputs.own.iter_mut().for_each(|own| *own = None);
    }
    let live = live(program, &outputs);
    let mut preparing = Preparing {
        program,
        text_forms: HashMap::new(),
        alias: (0..program.slots.len() as SlotId).collect(),
        code: Code {
            columns: Columns::new(&program.columns, &program.enums),
            types: program.slots.clone(),
            pool: String::new(),
            outputs,
            identity: side.identity,
            instrs: vec![],
            operands: vec![],
            text_fits: vec![],
            scalar_fits: vec![],
            decimal_fits: vec![],
            any_fits: vec![],
            tables: vec![],
            calls: vec![],
            constants: vec![],
            defaults: vec![],
            loads: vec![],
            references: references.to_vec(),
            keys: vec![],
        },
    };
    for op in program.ops.iter().filter(|op| live.contains(&op.dst())) {
        preparing.op(op)?;
    }
    Ok(preparing.finish())
}

/// The slots that the outputs depend on.
fn live(program: &Program, outputs: &Outputs) -> HashSet<SlotId> {
    let mut live: HashSet<SlotId> = slots_of(&mut outputs.clone()).map(|s| *s).collect();
    for op in program.ops.iter().rev() {
        if live.contains(&op.dst()) {
            live.extend(op.sources());
        }
    }
    live
}

fn slots_of(outputs: &mut Outputs) -> impl Iterator<Item = &mut SlotId> {
    let single = outputs
        .filter
        .iter_mut()
        .chain(&mut outputs.company)
        .chain(&mut outputs.modified);
    let keys = outputs.pair_key.iter_mut().chain(&mut outputs.record_key);
    let lines = outputs.own.iter_mut().chain(&mut outputs.out).flatten();
    single.chain(keys).chain(lines)
}

struct Preparing<'a> {
    program: &'a Program,
    /// Where a slot's value is in truth: an op that changes nothing makes its result another name of its input.
    alias: Vec<SlotId>,
    /// The storage forms of texts by their results: what they are applied to, and which they are.
    text_forms: HashMap<SlotId, (SlotId, u16)>,
    code: Code,
}

/// Adds to a list; the index of what was added.
fn push<T>(list: &mut Vec<T>, item: T) -> u16 {
    list.push(item);
    (list.len() - 1) as u16
}

impl Preparing<'_> {
    fn real(&self, slot: SlotId) -> SlotId {
        self.alias[usize::from(slot)]
    }

    fn same(&mut self, dst: SlotId, src: SlotId) {
        self.alias[usize::from(dst)] = src;
    }

    fn operands(&mut self, of: &[SlotId]) -> Operands {
        let from = self.code.operands.len() as u32;
        let real: Vec<SlotId> = of.iter().map(|s| self.real(*s)).collect();
        self.code.operands.extend(real);
        Operands {
            from,
            count: of.len() as u16,
        }
    }

    fn op(&mut self, op: &Op) -> Result<(), EngineError> {
        let instr = match op {
            Op::Const { dst, constant } => {
                let value = &self.program.constants[usize::from(*constant)];
                match Const::new(value, &mut self.code.pool) {
                    Some(constant) => {
                        self.code.constants.push((*dst, constant));
                        return Ok(());
                    }
                    None => Instr::Load {
                        dst: *dst,
                        value: push(&mut self.code.loads, value.clone()),
                    },
                }
            }
            Op::Fit { dst, src, fit } => {
                let fit = &self.program.fits[usize::from(*fit)];
                let Some(instr) = self.fit(*dst, *src, fit) else {
                    self.same(*dst, self.real(*src));
                    return Ok(());
                };
                instr
            }
            Op::Step {
                dst,
                src,
                step,
                direction,
            } => {
                let call = &self.program.steps[usize::from(*step)];
                let Some(instr) = self.step(*dst, *src, call, *direction)? else {
                    self.same(*dst, self.real(*src));
                    return Ok(());
                };
                instr
            }
            // False and true stand in a slot as 0 and 1.
            Op::BoolToEnum { dst, src } => Instr::Copy {
                dst: *dst,
                src: self.real(*src),
            },
            Op::Table {
                dst,
                src,
                table,
                direction,
            } => {
                let src = self.real(*src);
                let ty = &self.program.slots[usize::from(src)];
                let table = &self.program.tables[usize::from(*table)];
                let prepared = PreparedTable::new(table, *direction, ty, &mut self.code.pool)
                    .ok_or_else(|| EngineError::BinaryTable {
                        table: table.name.clone(),
                    })?;
                Instr::Table {
                    dst: *dst,
                    src,
                    table: push(&mut self.code.tables, prepared),
                }
            }
            Op::EnumToBool { dst, src } => Instr::EnumToBool {
                dst: *dst,
                src: self.real(*src),
            },
            Op::Call {
                dst,
                function: Function::Concat,
                args,
            } => Instr::Concat {
                dst: *dst,
                of: self.operands(args),
            },
            Op::Find {
                dst,
                reference,
                key,
            } => Instr::Find {
                dst: *dst,
                reference: *reference,
                of: self.operands(key),
                key: push(&mut self.code.keys, key.len()),
            },
            Op::Follow {
                dst,
                src,
                reference,
                part,
            } => Instr::Follow {
                dst: *dst,
                src: self.real(*src),
                reference: *reference,
                part: *part,
            },
            Op::Compare {
                dst,
                op,
                left,
                right,
                fold,
            } => Instr::Compare {
                dst: *dst,
                left: self.real(*left),
                right: self.real(*right),
                op: *op,
                by: match Kind::of(&self.program.slots[usize::from(*left)]) {
                    Kind::Scalar => Comparing::Scalar,
                    Kind::Decimal => Comparing::Decimal,
                    Kind::Float => Comparing::Float,
                    Kind::Guid => Comparing::Guid,
                    Kind::Binary => Comparing::Binary,
                    Kind::Text if *fold => Comparing::TextFolded,
                    Kind::Text => Comparing::Text,
                },
            },
            Op::Text {
                dst,
                test,
                src,
                what,
                fold,
            } => Instr::Text {
                dst: *dst,
                src: self.real(*src),
                what: self.real(*what),
                test: *test,
                fold: *fold,
            },
            Op::IsNull { dst, src } => Instr::IsNull {
                dst: *dst,
                src: self.real(*src),
            },
            Op::All { dst, of } => Instr::All {
                dst: *dst,
                of: self.operands(of),
            },
            Op::Any { dst, of } => Instr::Any {
                dst: *dst,
                of: self.operands(of),
            },
            Op::Not { dst, src } => Instr::Not {
                dst: *dst,
                src: self.real(*src),
            },
        };
        self.code.instrs.push(instr);
        Ok(())
    }

    /// None where the form changes nothing.
    fn fit(&mut self, dst: SlotId, src: SlotId, fit: &Fit) -> Option<Instr> {
        let ty = self.program.slots[usize::from(src)].clone();
        let (src, code) = (self.real(src), &mut self.code);
        let widened = ty == Type::Date && fit.ty == Type::DateTime;
        match (Kind::of(&ty), Kind::of(&fit.ty)) {
            (Kind::Text, Kind::Text) => {
                if let Some(mut form) = TextFit::new(fit, &mut code.pool) {
                    // A form right behind another is one look at the text instead of two. The first stays: a cell may
                    // hold its result; `finish` takes it out if none does.
                    let mut src = src;
                    if let Some((first, at)) = self.text_forms.get(&src)
                        && let Some(both) = form.after(&code.text_fits[usize::from(*at)])
                    {
                        (form, src) = (both, *first);
                    }
                    if form.is_nothing() {
                        return None;
                    }
                    let fit = push(&mut code.text_fits, form);
                    self.text_forms.insert(dst, (src, fit));
                    return Some(Instr::FitText { dst, src, fit });
                }
            }
            (Kind::Scalar, Kind::Scalar) if !widened => {
                if let Some(form) = ScalarFit::new(fit, &mut code.pool) {
                    if form.is_nothing() {
                        return None;
                    }
                    let fit = push(&mut code.scalar_fits, form);
                    return Some(Instr::FitScalar { dst, src, fit });
                }
            }
            (Kind::Decimal | Kind::Scalar, Kind::Decimal) => {
                if let Some(form) = DecimalFit::new(fit, &ty, &mut code.pool) {
                    let fit = push(&mut code.decimal_fits, form);
                    return Some(Instr::FitDecimal { dst, src, fit });
                }
            }
            _ => {}
        }
        let fit = push(&mut code.any_fits, AnyFit::new(fit, &ty));
        Some(Instr::FitAny { dst, src, fit })
    }

    /// None where the step changes nothing.
    fn step(
        &mut self,
        dst: SlotId,
        src: SlotId,
        call: &StepCall,
        direction: Direction,
    ) -> Result<Option<Instr>, EngineError> {
        let info = dwmap_steps::step(&call.name).ok_or_else(|| EngineError::UnknownStep {
            step: call.name.clone(),
        })?;
        let function = match direction {
            Direction::Forward => Some(info.forward),
            Direction::Backward => info.backward,
        };
        let function = function.ok_or_else(|| EngineError::NoWayBack {
            step: call.name.clone(),
        })?;
        let kind = Kind::of(&self.program.slots[usize::from(src)]);
        let src = self.real(src);
        // Both ways of these are one function.
        let own = match (info.name, kind, call.args.as_slice()) {
            ("normalise", ..) => return Ok(None),
            ("require", ..) => Some(Instr::Require { dst, src }),
            ("trim", Kind::Text, []) => Some(Instr::Trim { dst, src }),
            ("upper", Kind::Text, []) => Some(Instr::Upper { dst, src }),
            ("lower", Kind::Text, []) => Some(Instr::Lower { dst, src }),
            ("default", _, [value]) => Const::new(value, &mut self.code.pool).map(|value| {
                let value = push(&mut self.code.defaults, value);
                Instr::Default { dst, src, value }
            }),
            ("scale", Kind::Decimal, args) => {
                scale::arguments(args).map(|(places, rounding)| Instr::Scale {
                    dst,
                    src,
                    places,
                    rounding,
                })
            }
            _ => None,
        };
        Ok(Some(own.unwrap_or_else(|| {
            let args: Vec<Value> = call.args.clone();
            let call = push(&mut self.code.calls, Call { function, args });
            Instr::Call { dst, src, call }
        })))
    }

    fn finish(mut self) -> Code {
        for slot in slots_of(&mut self.code.outputs) {
            *slot = self.alias[usize::from(*slot)];
        }
        self.code.drop_unread();
        self.code
    }
}

impl Code {
    /// Takes out the instructions whose results nobody reads any more.
    fn drop_unread(&mut self) {
        let mut read: HashSet<SlotId> = slots_of(&mut self.outputs).map(|s| *s).collect();
        let mut kept = Vec::with_capacity(self.instrs.len());
        for instr in self.instrs.drain(..).rev() {
            if read.contains(&instr.dst()) {
                let (single, operands) = instr.sources();
                read.extend(single.into_iter().flatten());
                if let Some(of) = operands {
                    let list = &self.operands[of.from as usize..][..usize::from(of.count)];
                    read.extend(list);
                }
                kept.push(instr);
            }
        }
        kept.reverse();
        self.instrs = kept;
    }
}
