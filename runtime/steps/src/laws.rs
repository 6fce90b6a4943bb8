//! The laws of page one of the language's design, as properties to be held by the steps' tests.

use dwmap_plan::{Class, Decimal, Value};
use proptest::prelude::*;

use crate::StepInfo;

type Check = Result<(), TestCaseError>;

/// `g(f(l)) = l` and `f(g(r)) = r`, wherever the functions are defined.
pub(crate) fn exact(step: &StepInfo, args: &[Value], value: &Value) -> Check {
    prop_assert_eq!(step.class, Class::Exact);
    let (f, g) = (step.forward, step.backward.unwrap());
    if let Ok(there) = f(value, args) {
        prop_assert_eq!(&g(&there, args), &Ok(value.clone()));
    }
    if let Ok(here) = g(value, args) {
        prop_assert_eq!(&f(&here, args), &Ok(value.clone()));
    }
    Ok(())
}

/// `f(g(f(l))) = f(l)` and `g(f(g(r))) = g(r)`, wherever the functions are defined.
pub(crate) fn canonical(step: &StepInfo, args: &[Value], value: &Value) -> Check {
    prop_assert_eq!(step.class, Class::Canonical);
    let (f, g) = (step.forward, step.backward.unwrap());
    for (there, back) in [(f, g), (g, f)] {
        let Ok(once) = there(value, args) else {
            continue;
        };
        let again = back(&once, args).and_then(|v| there(&v, args));
        prop_assert_eq!(again, Ok(once));
    }
    Ok(())
}

/// Texts with blanks, letters of several scripts, and those that change length by case.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[ aAbZ\u{a0}ßŉİıΣσςǅﬁéÉ\t]{0,12}"]
}

/// Decimals up to the largest.
pub(crate) fn decimal() -> impl Strategy<Value = Decimal> {
    (any::<i128>(), 0_u32..38, 0_u8..=38).prop_map(|(units, digits, scale)| {
        Decimal::new(units % 10_i128.pow(digits + 1), scale).unwrap_or(Decimal::ZERO)
    })
}

/// Any value.
pub(crate) fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        decimal().prop_map(Value::Decimal),
        text().prop_map(Value::Text),
        any::<i32>().prop_map(Value::Date),
        any::<i64>().prop_map(Value::DateTime),
        any::<[u8; 16]>().prop_map(Value::Guid),
    ]
}
