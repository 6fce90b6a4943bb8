//! `conflict add`: both sides changed a number, and both changes count.
//!
//! Each side is written what it holds plus what the other side's number changed by since the two agreed. So a write that
//! lands moves both bases by what it added, and by nothing else: whichever of the two writes lands alone, what is left to
//! do is the other one, and nothing is ever added twice. A sum that isn't exact on a side, or doesn't fit there, is left
//! to a person.

use dwmap_plan::{ConflictPolicy, Decimal, Line, MapPlan, Rounding, Side, Type, Value};

use super::Input;

/// Whether changes to a line are summed.
pub(crate) fn adds(map: &MapPlan, line: &Line) -> bool {
    line.conflict.unwrap_or(map.policies.conflict) == ConflictPolicy::Add
}

/// What both sides are to hold of a line that both changed; none where that can't be had exactly.
pub(super) fn sums(input: &Input<'_>, i: u16) -> Option<[Value; 2]> {
    let held = Side::BOTH.map(|side| input.held(side, i).own);
    let base = Side::BOTH.map(|side| input.base(side, i));
    let changed_by = |side: Side| minus(held[side.index()]?, base[side.index()]?);
    let on = |side: Side| {
        let sum = plus(held[side.index()]?, &changed_by(side.other())?)?;
        exactly(sum, type_of(input.map, side, i)?)
    };
    Some([on(Side::Left)?, on(Side::Right)?])
}

/// The bases of both sides after a write of a sum has landed that took its side from `before` to `written`.
pub(crate) fn moved(
    bases: &[Option<Value>; 2],
    before: &Value,
    written: &Value,
) -> Option<[Value; 2]> {
    let by = minus(written, before)?;
    let [left, right] = bases;
    Some([plus(left.as_ref()?, &by)?, plus(right.as_ref()?, &by)?])
}

fn type_of(map: &MapPlan, side: Side, line: u16) -> Option<&Type> {
    let program = &map.side(side).program;
    let slot = program.outputs.own.get(usize::from(line)).copied()??;
    program.slots.get(usize::from(slot))
}

/// A number as a type holds it, if that loses nothing.
fn exactly(value: Value, ty: &Type) -> Option<Value> {
    match (&value, ty) {
        (Value::Int(n), Type::Int32) => i32::try_from(*n).ok().map(|_| value),
        (Value::Int(_), Type::Int64) => Some(value),
        (Value::Decimal(n), Type::Decimal(precision, scale)) => {
            let there = n.rescale(*scale, Rounding::HalfEven).ok()?;
            let fits = there == *n && there.integer_digits() <= precision - scale;
            fits.then_some(Value::Decimal(there))
        }
        _ => None,
    }
}

fn plus(a: &Value, b: &Value) -> Option<Value> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => a.checked_add(*b).map(Value::Int),
        (Value::Decimal(a), Value::Decimal(b)) => {
            let scale = a.scale().max(b.scale());
            let units = |n: &Decimal| Some(n.rescale(scale, Rounding::HalfEven).ok()?.units());
            let sum = units(a)?.checked_add(units(b)?)?;
            Decimal::new(sum, scale).ok().map(Value::Decimal)
        }
        _ => None,
    }
}

fn minus(a: &Value, b: &Value) -> Option<Value> {
    let negative = match b {
        Value::Int(n) => Value::Int(n.checked_neg()?),
        Value::Decimal(n) => {
            Value::Decimal(Decimal::new(n.units().checked_neg()?, n.scale()).ok()?)
        }
        _ => return None,
    };
    plus(a, &negative)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(units: i128, scale: u8) -> Value {
        Value::Decimal(Decimal::new(units, scale).unwrap())
    }

    #[test]
    fn numbers_of_any_scale_are_summed_exactly() {
        assert_eq!(
            plus(&decimal(105, 1), &decimal(25, 2)),
            Some(decimal(1075, 2))
        );
        assert_eq!(minus(&decimal(1, 0), &decimal(1, 2)), Some(decimal(99, 2)));
        assert_eq!(plus(&Value::Int(2), &decimal(1, 0)), None);
        assert_eq!(plus(&Value::Int(i64::MAX), &Value::Int(1)), None);
    }

    #[test]
    fn a_sum_that_a_side_cannot_hold_is_none() {
        let ty = Type::Decimal(4, 2);
        assert_eq!(exactly(decimal(12_34, 2), &ty), Some(decimal(12_34, 2)));
        assert_eq!(exactly(decimal(100, 0), &ty), None);
        assert_eq!(exactly(decimal(1_001, 3), &ty), None);
        assert_eq!(exactly(Value::Int(1 << 40), &Type::Int32), None);
    }

    #[test]
    fn whichever_write_lands_alone_the_other_is_what_is_left() {
        // 10 on both sides became 12 and 15: both are to hold 17.
        let bases = [10, 10].map(|n| Some(Value::Int(n)));
        let one = moved(&bases, &Value::Int(12), &Value::Int(17)).unwrap();
        assert_eq!(one, [15, 15].map(Value::Int), "the right still lacks 2");
        let both = moved(&one.map(Some), &Value::Int(15), &Value::Int(17));
        assert_eq!(both, Some([17, 17].map(Value::Int)));
    }
}
