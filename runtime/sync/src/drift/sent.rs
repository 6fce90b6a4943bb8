//! What a line may send: of a field that takes less than it did, only lines that may send more are hurt.

use std::collections::BTreeSet;

use dwmap_plan::{MapPlan, Op, Program, Side, SlotId, TableElse, Type, Value};

use super::needs::{MadeBy, made_by};

/// Bounds of what a line may send; `None` where any value of the field's type may come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sent {
    /// The greatest length of a text.
    pub(super) length: Option<u32>,
    /// The integers of the members of an enum.
    pub(super) members: Option<BTreeSet<i64>>,
}

/// What a line may send to a side.
pub(super) fn of_line(map: &MapPlan, line: u16, to: Side) -> Sent {
    let program = &map.side(to.other()).program;
    let slot = program.outputs.out.get(usize::from(line));
    let Some(slot) = slot.copied().flatten() else {
        return Sent::default();
    };
    let made_by = made_by(program);
    Sent {
        length: length(program, &made_by, slot),
        members: members(program, &made_by, slot),
    }
}

/// Storage forms make texts no longer, so the shortest bound on the way holds.
fn length(program: &Program, made_by: &MadeBy<'_>, slot: SlotId) -> Option<u32> {
    let own = match program.slots.get(usize::from(slot)) {
        Some(Type::Text(length)) => *length,
        _ => None,
    };
    let before = match made_by.get(&slot) {
        Some(Op::Fit { src, .. }) => length(program, made_by, *src),
        Some(Op::Const { constant, .. }) => match program.constants.get(usize::from(*constant)) {
            Some(Value::Text(text)) => Some(text.encode_utf16().count() as u32),
            _ => None,
        },
        _ => None,
    };
    [own, before].into_iter().flatten().min()
}

fn members(program: &Program, made_by: &MadeBy<'_>, slot: SlotId) -> Option<BTreeSet<i64>> {
    let one = |value: &Value| match value {
        Value::Int(n) => Some(*n),
        _ => None,
    };
    match made_by.get(&slot)? {
        Op::Fit { src, .. } => members(program, made_by, *src),
        Op::Const { constant, .. } => {
            let value = program.constants.get(usize::from(*constant))?;
            Some(one(value).into_iter().collect())
        }
        Op::Table {
            table, direction, ..
        } => {
            let table = program.tables.get(usize::from(*table))?;
            let (rows, other) = match direction {
                dwmap_plan::Direction::Forward => (&table.forward, &table.else_forward),
                dwmap_plan::Direction::Backward => (&table.backward, &table.else_backward),
            };
            let other = match other {
                TableElse::Reject => None,
                TableElse::Value(value) => one(value),
                TableElse::Keep => return None,
            };
            let rows = rows.iter().filter_map(|row| one(&row.to));
            Some(rows.chain(other).collect())
        }
        _ => None,
    }
}
