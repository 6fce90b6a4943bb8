//! A whole program, op by op.

use dwmap_plan::{Direction, Function, Op, Program, Reference, SlotId, Value};

use super::key::{BlankKey, blank_key};
use super::{Ask, Lookup, References, compare, fit, table, text_test};
use crate::{Failure, step};

/// What a slot holds: a value (or null), or why there is none.
pub type Slot = Result<Value, Stop>;

/// Why a slot holds no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// Something failed.
    Failed(Failure),
    /// A referenced record isn't there.
    Missing(Ask),
    /// A referenced record must be asked for first.
    Wanted(Ask),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Runs a verified program over the slots of its columns, and returns all slots.
pub fn run(
    program: &Program,
    references: &[Reference],
    inputs: &[Slot],
    known: &dyn References,
) -> Vec<Slot> {
    let mut slots = vec![Ok(Value::Null); program.slots.len()];
    slots[..inputs.len()].clone_from_slice(inputs);
    for op in &program.ops {
        slots[usize::from(op.dst())] = eval(op, program, references, &slots, known);
    }
    slots
}

fn eval(
    op: &Op,
    program: &Program,
    references: &[Reference],
    slots: &[Slot],
    known: &dyn References,
) -> Slot {
    let get = |slot: &SlotId| slots[usize::from(*slot)].clone();
    let all = |of: &[SlotId]| of.iter().map(get).collect::<Result<Vec<_>, _>>();
    Ok(match op {
        Op::Const { constant, .. } => program.constants[usize::from(*constant)].clone(),
        Op::Fit { src, fit: at, .. } => fit(&get(src)?, &program.fits[usize::from(*at)])?,
        Op::Step {
            src,
            step: at,
            direction,
            ..
        } => {
            let call = &program.steps[usize::from(*at)];
            let info = step(&call.name).ok_or(Failure::Mismatch)?;
            let function = match direction {
                Direction::Forward => info.forward,
                Direction::Backward => info.backward.ok_or(Failure::Mismatch)?,
            };
            function(&get(src)?, &call.args)?
        }
        Op::Table {
            src,
            table: at,
            direction,
            ..
        } => table(&get(src)?, &program.tables[usize::from(*at)], *direction)?,
        Op::EnumToBool { src, .. } => match get(src)? {
            Value::Null => Value::Null,
            Value::Int(0) => Value::Bool(false),
            Value::Int(1) => Value::Bool(true),
            Value::Int(_) => return Err(Failure::UnknownMember.into()),
            _ => return Err(Failure::Mismatch.into()),
        },
        Op::BoolToEnum { src, .. } => match get(src)? {
            Value::Null => Value::Null,
            Value::Bool(b) => Value::Int(i64::from(b)),
            _ => return Err(Failure::Mismatch.into()),
        },
        Op::Call {
            function: Function::Concat,
            args,
            ..
        } => concat(&all(args)?)?,
        Op::Find { reference, key, .. } => {
            let key = all(key)?;
            match blank_key(&references[usize::from(*reference)], &key) {
                Err(BlankKey::None) => Value::Null,
                Err(BlankKey::Some(part)) => return Err(Failure::BlankKeyPart { part }.into()),
                Ok(()) => {
                    let found = known.find(*reference, &key).map(Clone::clone);
                    let reference = *reference;
                    looked_up(found, Ask::Find { reference, key })?
                }
            }
        }
        Op::Follow {
            src,
            reference,
            part,
            ..
        } => match get(src)? {
            Value::Null => Value::Null,
            identity => {
                let (reference, part) = (*reference, usize::from(*part));
                let found = known
                    .follow(reference, &identity)
                    .map(|key| key.get(part).cloned());
                let ask = Ask::Follow {
                    reference,
                    identity,
                };
                looked_up(found, ask)?.ok_or(Failure::Mismatch)?
            }
        },
        Op::Compare {
            op,
            left,
            right,
            fold,
            ..
        } => Value::Bool(compare(*op, &get(left)?, &get(right)?, *fold)),
        Op::Text {
            test,
            src,
            what,
            fold,
            ..
        } => Value::Bool(text_test(*test, &get(src)?, &get(what)?, *fold)),
        Op::IsNull { src, .. } => Value::Bool(get(src)?.is_null()),
        Op::All { of, .. } => Value::Bool(bools(&all(of)?)?.into_iter().all(|b| b)),
        Op::Any { of, .. } => Value::Bool(bools(&all(of)?)?.into_iter().any(|b| b)),
        Op::Not { src, .. } => Value::Bool(!truth(&get(src)?)?),
    })
}

/// Joined texts; null counts as empty.
fn concat(args: &[Value]) -> Result<Value, Failure> {
    let mut joined = String::new();
    for arg in args {
        match arg {
            Value::Null => {}
            Value::Text(text) => joined.push_str(text),
            _ => return Err(Failure::Mismatch),
        }
    }
    Ok(Value::Text(joined))
}

/// A bool of a filter. Logic is two-valued: a bool column without a value is false.
fn truth(value: &Value) -> Result<bool, Failure> {
    match value {
        Value::Null => Ok(false),
        Value::Bool(b) => Ok(*b),
        _ => Err(Failure::Mismatch),
    }
}

fn bools(values: &[Value]) -> Result<Vec<bool>, Failure> {
    values.iter().map(truth).collect()
}

fn looked_up<T>(answer: Lookup<T>, ask: Ask) -> Result<T, Stop> {
    match answer {
        Lookup::Found(found) => Ok(found),
        Lookup::Absent => Err(Stop::Missing(ask)),
        Lookup::Unknown => Err(Stop::Wanted(ask)),
    }
}
