//! The class of a line: the law that its two functions keep, by the rules of composition.

use dwmap_plan::{Agreement, Class, Direction, Overflow, Proof, Table, TableElse, Type, Value};
use dwmap_steps::semantics;

use crate::model::{Line, Operand, Stage};
use crate::types::context::Typed;

/// The class of one stage alone.
pub(crate) fn of_stage(stage: &Stage) -> Class {
    match stage {
        Stage::Step(call, _) => dwmap_steps::step(&call.name).map_or(Class::OneWay, |s| s.class),
        Stage::Table(table) => of_table(table),
        Stage::EnumToBool | Stage::BoolToEnum(_) => Class::Exact,
    }
}

/// A table is decided by going through its rows: exact where each row goes both ways and nothing else passes.
fn of_table(table: &Table) -> Class {
    let back = |from: &Value, to: &Value| {
        table
            .backward
            .iter()
            .any(|row| row.from == *to && row.to == *from)
    };
    let mirrored = table.forward.len() == table.backward.len()
        && table.forward.iter().all(|row| back(&row.from, &row.to));
    let closed = |otherwise: &TableElse| !matches!(otherwise, TableElse::Value(_));
    if mirrored && closed(&table.else_forward) && closed(&table.else_backward) {
        Class::Exact
    } else {
        Class::Canonical
    }
}

/// Steps that keep the canonical law in any combination: each is idempotent, they commute up to idempotence, and
/// nothing comes back changed.
const SETTLE_TOGETHER: [&str; 4] = ["lower", "require", "trim", "upper"];

/// What is known of a whole line.
pub(crate) fn of_line(line: &Line, from: &Typed<'_>, to: &Typed<'_>) -> Agreement {
    let agreement = |class, proof| Agreement { class, proof };
    let computed = |o: &Operand| matches!(o, Operand::Constant { .. } | Operand::Concat(_));
    if line.operands.iter().any(computed) || !(line.to_left && line.to_right) {
        return agreement(Class::OneWay, Proof::Proved);
    }
    let inexact = line
        .stages
        .iter()
        .filter(|stage| of_stage(stage) != Class::Exact)
        .count();
    let narrows = narrows(line, from, to) || narrows(line, to, from);
    match (inexact, narrows) {
        (0, false) => agreement(Class::Exact, Proof::Proved),
        (0, true) | (1, _) => agreement(Class::Canonical, Proof::Proved),
        _ if line.stages.iter().all(settles_with_others) => {
            agreement(Class::Canonical, Proof::Proved)
        }
        _ => agreement(Class::Canonical, Proof::Tested),
    }
}

fn settles_with_others(stage: &Stage) -> bool {
    match stage {
        Stage::Step(call, _) => SETTLE_TOGETHER.contains(&call.name.as_str()),
        _ => of_stage(stage) == Class::Exact,
    }
}

/// Whether storing loses part of a value without refusing it: places of a number, or the end of a text.
fn narrows(line: &Line, from: &Typed<'_>, to: &Typed<'_>) -> bool {
    match (&from.ty, &to.ty) {
        (Type::Decimal(_, a), Type::Decimal(_, b)) => a > b,
        (Type::Text(from), Type::Text(Some(to))) => {
            line.overflow == Overflow::Truncate && from.is_none_or(|from| from > *to)
        }
        _ => false,
    }
}

/// A value that breaks the canonical laws, with the trip that shows it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Counterexample {
    /// The way that it takes first.
    pub(crate) starts: Direction,
    /// The value, and what becomes of it there, back, and there again.
    pub(crate) trip: [Value; 4],
}

/// Looks for a value that the steps of a two-way line never settle, from either side. Tables are gone through whole.
pub(crate) fn search(stages: &[Stage], from: &Typed<'_>, to: &Typed<'_>) -> Option<Counterexample> {
    let ways = [
        (Direction::Forward, Direction::Backward, from),
        (Direction::Backward, Direction::Forward, to),
    ];
    ways.into_iter().find_map(|(there, back, typed)| {
        samples(stages, typed, there).into_iter().find_map(|start| {
            let once = run(stages, &start, there)?;
            let returned = run(stages, &once, back)?;
            let twice = run(stages, &returned, there)?;
            (twice != once).then_some(Counterexample {
                starts: there,
                trip: [start, once, returned, twice],
            })
        })
    })
}

/// Runs all stages one way; `None` outside their domain.
pub(crate) fn run(stages: &[Stage], value: &Value, direction: Direction) -> Option<Value> {
    let mut value = value.clone();
    let order: Vec<&Stage> = match direction {
        Direction::Forward => stages.iter().collect(),
        Direction::Backward => stages.iter().rev().collect(),
    };
    for stage in order {
        value = match stage {
            Stage::Step(call, _) => {
                let info = dwmap_steps::step(&call.name)?;
                let function = match direction {
                    Direction::Forward => info.forward,
                    Direction::Backward => info.backward?,
                };
                function(&value, &call.args).ok()?
            }
            Stage::Table(table) => semantics::table(&value, table, direction).ok()?,
            Stage::EnumToBool | Stage::BoolToEnum(_) => match value {
                Value::Int(member) => Value::Bool(member != 0),
                Value::Bool(truth) => Value::Int(i64::from(truth)),
                other => other,
            },
        };
    }
    Some(value)
}

/// Null passes a table as it is; it belongs to the table's declared domain only where a row names it.
fn null_is_in_domain(stages: &[Stage], way: Direction) -> bool {
    stages.iter().all(|stage| match stage {
        Stage::Table(table) => {
            let rows = match way {
                Direction::Forward => &table.forward,
                Direction::Backward => &table.backward,
            };
            rows.iter().any(|row| row.from.is_null())
        }
        _ => true,
    })
}

/// Boundary values, values next to the line's own literals, and what tables name.
fn samples(stages: &[Stage], typed: &Typed<'_>, way: Direction) -> Vec<Value> {
    let mut samples = vec![Value::Null];
    if let Some((members, _)) = typed.members {
        samples.extend(members.members.iter().map(|m| Value::Int(m.value)));
    }
    samples.extend(typed.one_of().iter().map(|text| Value::from(text.as_str())));
    for stage in stages {
        match stage {
            Stage::Step(call, _) => samples.extend(call.args.iter().cloned()),
            Stage::Table(table) => {
                let rows = table.forward.iter().chain(&table.backward);
                samples.extend(rows.flat_map(|row| [row.from.clone(), row.to.clone()]));
            }
            Stage::EnumToBool | Stage::BoolToEnum(_) => {}
        }
    }
    match &typed.ty {
        Type::Text(_) => {
            let texts = [
                "", " ", "Acme", "  Acme ", "ACME", "acme", "\u{df}", "\u{130}", "a b ",
            ];
            samples.extend(texts.map(Value::from));
        }
        Type::Int32 | Type::Int64 => samples.extend([0, 1, -1].map(Value::Int)),
        Type::Decimal(..) => {
            let numbers = ["0", "1", "-1", "0.005", "1000.005", "99.995"];
            samples.extend(
                numbers
                    .iter()
                    .filter_map(|n| n.parse().ok().map(Value::Decimal)),
            );
        }
        Type::Bool => samples.extend([Value::Bool(false), Value::Bool(true)]),
        _ => {}
    }
    let null = null_is_in_domain(stages, way);
    samples.retain(|value| value.fits(&typed.ty) && (null || !value.is_null()));
    samples
}
