//! `scale`: rounds a decimal to a number of places.

use dwmap_plan::{Class, MAX_PRECISION, Rounding, Type, Value};

use crate::{Example, Failure, Literal, NullRule, Param, ParamKind, StepInfo};

/// The step.
pub static STEP: StepInfo = StepInfo {
    name: "scale",
    terms: &["round", "rounding", "places", "decimals", "precision"],
    summary: "Rounds a decimal to a number of places.",
    doc: "A column rounds to its own scale without any step; `scale` is for rounding to another, or in another way. A tie goes to the even neighbour (`\"half_even\"`, as money wants it) unless the second argument says `\"half_up\"` (away from zero), `\"down\"` (towards zero) or `\"up\"` (away from zero).

Both ways the rounded number is what is written; a number agrees with what it rounds to, and isn't rewritten for it.",
    params: &[
        Param {
            name: "places",
            kind: ParamKind::Whole(0, MAX_PRECISION as i64),
            required: true,
        },
        Param {
            name: "rounding",
            kind: ParamKind::Word(&["half_even", "half_up", "down", "up"]),
            required: false,
        },
    ],
    takes: "a decimal",
    output,
    null: NullRule::Passes,
    class: Class::Canonical,
    forward: scale,
    backward: Some(scale),
    examples: &[
        Example {
            shows: "a tie goes to the even neighbour",
            input: Literal::Decimal("1000.005"),
            args: &[Literal::Int(2)],
            output: Ok(Literal::Decimal("1000.00")),
        },
        Example {
            shows: "unless it is said otherwise",
            input: Literal::Decimal("1000.005"),
            args: &[Literal::Int(2), Literal::Text("half_up")],
            output: Ok(Literal::Decimal("1000.01")),
        },
        Example {
            shows: "null stays null",
            input: Literal::Null,
            args: &[Literal::Int(2)],
            output: Ok(Literal::Null),
        },
    ],
};

/// All places before the point are kept, and one more where rounding may carry (`9.99` to `10.0`).
fn output(input: &Type, args: &[Value]) -> Option<Type> {
    let (Type::Decimal(precision, scale), Some(Value::Int(places))) = (input, args.first()) else {
        return None;
    };
    let places = u8::try_from(*places).ok()?;
    let carry = u8::from(places < *scale);
    let precision = precision.saturating_sub(*scale) + places + carry;
    Some(Type::Decimal(
        precision.clamp(places.max(1), MAX_PRECISION),
        places,
    ))
}

/// What a call's arguments say: places and rounding.
pub fn arguments(args: &[Value]) -> Option<(u8, Rounding)> {
    let (places, rounding) = match args {
        [Value::Int(places)] => (places, Rounding::HalfEven),
        [Value::Int(places), Value::Text(word)] => (places, rounding(word)?),
        _ => return None,
    };
    Some((u8::try_from(*places).ok()?, rounding))
}

fn rounding(word: &str) -> Option<Rounding> {
    Some(match word {
        "half_even" => Rounding::HalfEven,
        "half_up" => Rounding::HalfUp,
        "down" => Rounding::Down,
        "up" => Rounding::Up,
        _ => return None,
    })
}

fn scale(value: &Value, args: &[Value]) -> Result<Value, Failure> {
    let (places, rounding) = arguments(args).ok_or(Failure::Mismatch)?;
    match value {
        Value::Null => Ok(Value::Null),
        Value::Decimal(n) => n
            .rescale(places, rounding)
            .map(Value::Decimal)
            .map_err(|_| Failure::Overflow),
        _ => Err(Failure::Mismatch),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keeps_its_law(n in laws::decimal(), places in 0_i64..38, word in 0_usize..4) {
            let word = Value::from(["half_even", "half_up", "down", "up"][word]);
            laws::canonical(&STEP, &[Value::Int(places), word], &Value::Decimal(n))?;
        }

        #[test]
        fn the_result_has_the_type_of_the_rule(n in laws::decimal(), places in 0_u8..10) {
            let ty = Type::Decimal(38, n.scale());
            let out = output(&ty, &[Value::Int(i64::from(places))]);
            let Some(Type::Decimal(precision, at)) = out else { panic!("{out:?}") };
            prop_assert_eq!(at, places);
            if let Ok(Value::Decimal(n)) = scale(&Value::Decimal(n), &[Value::Int(i64::from(places))]) {
                prop_assert!(n.integer_digits() <= precision - at || precision == MAX_PRECISION);
            }
        }
    }
}
