//! Tables, prepared by the kind of value that is looked up.

use dwmap_plan::{Direction, SlotId, Table, TableElse, Type, Value};
use dwmap_steps::Failure;
use dwmap_steps::semantics::{fold, table};

use super::texts::push_folded;
use super::{Code, Const, Kind, Known};
use crate::names::NameTable;
use crate::slot::{Frame, State, Texts, value_of};

/// A table in one direction.
#[derive(Debug)]
pub(super) struct PreparedTable {
    null: Known,
    rows: Rows,
    otherwise: Otherwise,
}

#[derive(Debug)]
enum Rows {
    /// By text, folded or not.
    Texts {
        names: NameTable,
        to: Vec<Const>,
        fold: bool,
    },
    /// By whole numbers close to one another: an array from the first on.
    Dense { first: i64, to: Vec<Option<Const>> },
    /// By whole numbers far apart: sorted.
    Sorted(Vec<(i64, Const)>),
    /// By reference meaning.
    Any {
        table: Box<Table>,
        direction: Direction,
        src: Type,
    },
}

#[derive(Debug, Clone, Copy)]
enum Otherwise {
    Reject,
    Keep,
    Value(Const),
}

/// The longest array for rows by whole number.
const DENSE_MAX: i64 = 4096;

impl PreparedTable {
    /// None where a constant has no place in a slot (binary).
    pub(super) fn new(
        t: &Table,
        direction: Direction,
        src: &Type,
        pool: &mut String,
    ) -> Option<Self> {
        let (rows, otherwise, folded) = match direction {
            Direction::Forward => (&t.forward, &t.else_forward, t.fold_left),
            Direction::Backward => (&t.backward, &t.else_backward, t.fold_right),
        };
        let null = match table(&Value::Null, t, direction) {
            Ok(value) => Ok(Const::new(&value, pool)?),
            Err(failure) => Err(failure),
        };
        let to = rows
            .iter()
            .map(|r| Const::new(&r.to, pool))
            .collect::<Option<Vec<_>>>()?;
        let prepared = match Kind::of(src) {
            Kind::Text => {
                let texts: Vec<(String, i64)> = rows
                    .iter()
                    .zip(0..)
                    .filter_map(|(r, i)| match &r.from {
                        Value::Text(text) if folded => Some((fold(text), i)),
                        Value::Text(text) => Some((text.clone(), i)),
                        _ => None,
                    })
                    .collect();
                Rows::Texts {
                    names: NameTable::new(texts.iter().map(|(t, i)| (t.as_str(), *i))),
                    to,
                    fold: folded,
                }
            }
            Kind::Scalar if matches!(src, Type::Int32 | Type::Int64 | Type::Enum(_)) => {
                by_number(rows.iter().map(|r| &r.from).zip(to))
            }
            _ => Rows::Any {
                table: Box::new(t.clone()),
                direction,
                src: src.clone(),
            },
        };
        let otherwise = match otherwise {
            TableElse::Reject => Otherwise::Reject,
            TableElse::Keep => Otherwise::Keep,
            TableElse::Value(value) => Otherwise::Value(Const::new(value, pool)?),
        };
        Some(Self {
            null,
            rows: prepared,
            otherwise,
        })
    }
}

fn by_number<'a>(rows: impl Iterator<Item = (&'a Value, Const)>) -> Rows {
    let mut sorted: Vec<(i64, Const)> = rows
        .filter_map(|(from, to)| match from {
            Value::Int(n) => Some((*n, to)),
            _ => None,
        })
        .collect();
    sorted.sort_by_key(|(n, _)| *n);
    sorted.dedup_by_key(|(n, _)| *n);
    let (Some((first, _)), Some((last, _))) = (sorted.first().copied(), sorted.last()) else {
        return Rows::Sorted(sorted);
    };
    match last.checked_sub(first) {
        Some(width) if width < DENSE_MAX => {
            let mut to = vec![None; width as usize + 1];
            for (n, constant) in sorted {
                to[(n - first) as usize] = Some(constant);
            }
            Rows::Dense { first, to }
        }
        _ => Rows::Sorted(sorted),
    }
}

impl Code {
    pub(super) fn table(&self, record: &str, frame: &mut Frame, dst: SlotId, src: SlotId, at: u16) {
        let prepared = &self.tables[usize::from(at)];
        match frame.state(src) {
            State::Null => return frame.put_known(dst, prepared.null),
            State::Value => {}
            _ => return frame.copy(dst, src),
        }
        let found = match &prepared.rows {
            Rows::Dense { first, to } => {
                let place = frame.slot(src).as_int().checked_sub(*first);
                let place = place.and_then(|p| usize::try_from(p).ok());
                place.and_then(|p| to.get(p).copied().flatten())
            }
            Rows::Sorted(rows) => {
                let n = frame.slot(src).as_int();
                let place = rows.binary_search_by_key(&n, |(n, _)| *n);
                place.ok().map(|p| rows[p].1)
            }
            Rows::Texts { names, to, fold } => {
                let span = frame.slot(src).as_span();
                let row = if *fold {
                    let start = frame.arena.len();
                    push_folded(record, &self.pool, &mut frame.arena, span);
                    let row = names.get(&frame.arena[start..]);
                    frame.arena.truncate(start);
                    row
                } else {
                    let texts = Texts {
                        record,
                        arena: &frame.arena,
                        pool: &self.pool,
                    };
                    names.get(texts.get(span))
                };
                row.map(|i| to[i as usize])
            }
            Rows::Any {
                table: t,
                direction,
                src: ty,
            } => {
                let texts = Texts {
                    record,
                    arena: &frame.arena,
                    pool: &self.pool,
                };
                return match table(&value_of(frame, texts, ty, src).to_value(), t, *direction) {
                    Ok(value) => frame.set_value(dst, &value),
                    Err(failure) => frame.fail(dst, failure),
                };
            }
        };
        match (found, prepared.otherwise) {
            (Some(constant), _) | (None, Otherwise::Value(constant)) => frame.put(dst, constant),
            (None, Otherwise::Keep) => frame.copy(dst, src),
            (None, Otherwise::Reject) => frame.fail(dst, Failure::NoRow),
        }
    }
}
