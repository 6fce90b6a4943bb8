//! What a filter says of a field: the values that it lets through.

use dwmap_plan::Value;
use dwmap_steps::semantics;

use crate::model::{Condition, Term};

/// Whether the condition holds where this field has this value and nothing is known of the others:
/// `None` where that can't be said.
pub(crate) fn holds(
    condition: &Condition,
    field: usize,
    value: &Value,
    fold: bool,
) -> Option<bool> {
    let is = |term: &Term| *term == Term::Field(field);
    match condition {
        Condition::All(of) => {
            let of: Vec<Option<bool>> = of.iter().map(|c| holds(c, field, value, fold)).collect();
            if of.contains(&Some(false)) {
                Some(false)
            } else {
                of.iter().all(|c| *c == Some(true)).then_some(true)
            }
        }
        Condition::Any(of) => {
            let of: Vec<Option<bool>> = of.iter().map(|c| holds(c, field, value, fold)).collect();
            if of.contains(&Some(true)) {
                Some(true)
            } else {
                of.iter().all(|c| *c == Some(false)).then_some(false)
            }
        }
        Condition::Not(of) => holds(of, field, value, fold).map(|b| !b),
        Condition::Compare(term, op, constant) if is(term) => {
            Some(semantics::compare(*op, value, constant, fold))
        }
        Condition::In(term, constants) if is(term) => Some(
            constants
                .iter()
                .any(|constant| semantics::values_equal(value, constant, fold)),
        ),
        Condition::IsNull(term) if is(term) => Some(value.is_null()),
        Condition::Text(term, test, what) if is(term) => Some(semantics::text_test(
            *test,
            value,
            &Value::from(what.as_str()),
            fold,
        )),
        _ => None,
    }
}

/// Whether the condition looks at the field.
pub(crate) fn mentions(condition: &Condition, field: usize) -> bool {
    let is = |term: &Term| *term == Term::Field(field);
    match condition {
        Condition::All(of) | Condition::Any(of) => of.iter().any(|c| mentions(c, field)),
        Condition::Not(of) => mentions(of, field),
        Condition::Compare(term, ..)
        | Condition::In(term, _)
        | Condition::IsNull(term)
        | Condition::Text(term, ..) => is(term),
        Condition::Fields(a, _, b) => is(a) || is(b),
    }
}

/// The constants that a condition compares a field with.
fn constants(condition: &Condition, out: &mut Vec<(usize, Value)>) {
    match condition {
        Condition::All(of) | Condition::Any(of) => of.iter().for_each(|c| constants(c, out)),
        Condition::Not(of) => constants(of, out),
        Condition::Compare(Term::Field(at), _, value) => out.push((*at, value.clone())),
        Condition::In(Term::Field(at), values) => {
            out.extend(values.iter().map(|value| (*at, value.clone())));
        }
        Condition::IsNull(Term::Field(at)) => out.push((*at, Value::Null)),
        _ => {}
    }
}

/// The finite set of values that a condition lets a field have, where it is finite.
fn allowed(condition: &Condition, field: usize, fold: bool) -> Option<Vec<Value>> {
    match condition {
        Condition::Compare(Term::Field(at), dwmap_plan::CompareOp::Eq, value) if *at == field => {
            Some(vec![value.clone()])
        }
        Condition::In(Term::Field(at), values) if *at == field => Some(values.clone()),
        Condition::IsNull(Term::Field(at)) if *at == field => Some(vec![Value::Null]),
        Condition::All(of) => {
            let mut sets = of.iter().filter_map(|c| allowed(c, field, fold));
            let first = sets.next()?;
            Some(sets.fold(first, |a, b| common(&a, &b, fold)))
        }
        Condition::Any(of) => {
            let sets: Option<Vec<Vec<Value>>> =
                of.iter().map(|c| allowed(c, field, fold)).collect();
            sets.map(|sets| sets.into_iter().flatten().collect())
        }
        _ => None,
    }
}

fn common(a: &[Value], b: &[Value], fold: bool) -> Vec<Value> {
    let in_b = |v: &Value| b.iter().any(|w| semantics::values_equal(v, w, fold));
    a.iter().filter(|v| in_b(v)).cloned().collect()
}

/// Whether no record can satisfy both: some field can have no value that both let through.
pub(crate) fn disjoint(a: &Condition, b: &Condition, fold: bool) -> bool {
    let mut named = Vec::new();
    constants(a, &mut named);
    constants(b, &mut named);
    named.iter().any(|(field, _)| {
        let excluded = |set: &[Value], other: &Condition| {
            set.iter()
                .all(|value| holds(other, *field, value, fold) == Some(false))
        };
        match (allowed(a, *field, fold), allowed(b, *field, fold)) {
            (Some(set), _) if excluded(&set, b) => true,
            (_, Some(set)) if excluded(&set, a) => true,
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use dwmap_plan::CompareOp;

    use super::*;

    fn is(field: usize, op: CompareOp, text: &str) -> Condition {
        Condition::Compare(Term::Field(field), op, Value::from(text))
    }

    #[test]
    fn what_excludes_itself_is_disjoint() {
        let a = is(0, CompareOp::Eq, "Person");
        let b = is(0, CompareOp::Eq, "Organization");
        let not_a = is(0, CompareOp::Ne, "person");
        assert!(disjoint(&a, &b, true));
        assert!(disjoint(&a, &not_a, true));
        assert!(!disjoint(&a, &not_a, false));
        assert!(!disjoint(&a, &is(1, CompareOp::Eq, "x"), true));
    }

    #[test]
    fn what_isnt_known_decides_nothing() {
        let both = Condition::All(vec![is(0, CompareOp::Eq, "a"), is(1, CompareOp::Eq, "b")]);
        assert_eq!(holds(&both, 0, &Value::from("a"), false), None);
        assert_eq!(holds(&both, 0, &Value::from("c"), false), Some(false));
    }
}
