//! Comparisons and tests, two-valued.

use std::cmp::Ordering;

use dwmap_plan::{CompareOp, TextTest, Value};

/// A text without regard to case: every character as its small letter, whatever its neighbours.
///
/// ```
/// assert_eq!(dwmap_steps::semantics::fold("USMF"), "usmf");
/// ```
pub fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Equality of two values; texts without regard to case where `fold_case`.
pub fn values_equal(a: &Value, b: &Value, fold_case: bool) -> bool {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) if fold_case => fold(a) == fold(b),
        _ => a == b,
    }
}

/// The order of two values of one kind; none where one of them is null, or they are of two kinds.
pub(crate) fn order(a: &Value, b: &Value, fold_case: bool) -> Option<Ordering> {
    Some(match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Decimal(a), Value::Decimal(b)) => a.cmp(b),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b)?,
        (Value::Text(a), Value::Text(b)) if fold_case => fold(a).cmp(&fold(b)),
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::DateTime(a), Value::DateTime(b)) => a.cmp(b),
        (Value::Guid(a), Value::Guid(b)) => a.cmp(b),
        (Value::Binary(a), Value::Binary(b)) => a.cmp(b),
        _ => return None,
    })
}

/// A comparison: null equals null alone, and is neither below nor above anything.
pub fn compare(op: CompareOp, a: &Value, b: &Value, fold_case: bool) -> bool {
    let equal = values_equal(a, b, fold_case);
    let order = order(a, b, fold_case);
    match op {
        CompareOp::Eq => equal,
        CompareOp::Ne => !equal,
        CompareOp::Lt => order == Some(Ordering::Less),
        CompareOp::Le => equal || order == Some(Ordering::Less),
        CompareOp::Gt => order == Some(Ordering::Greater),
        CompareOp::Ge => equal || order == Some(Ordering::Greater),
    }
}

/// A test of a text; false where either is null.
pub fn text_test(test: TextTest, text: &Value, what: &Value, fold_case: bool) -> bool {
    let (Value::Text(text), Value::Text(what)) = (text, what) else {
        return false;
    };
    let run = |text: &str, what: &str| match test {
        TextTest::StartsWith => text.starts_with(what),
        TextTest::EndsWith => text.ends_with(what),
        TextTest::Contains => text.contains(what),
    };
    if fold_case {
        run(&fold(text), &fold(what))
    } else {
        run(text, what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_equals_null_alone_and_has_no_order() {
        let (null, five) = (Value::Null, Value::Int(5));
        let cases = [
            (CompareOp::Eq, &null, &null, true),
            (CompareOp::Le, &null, &null, true),
            (CompareOp::Lt, &null, &null, false),
            (CompareOp::Ne, &null, &five, true),
            (CompareOp::Lt, &null, &five, false),
            (CompareOp::Ge, &null, &five, false),
        ];
        for (op, a, b, wanted) in cases {
            assert_eq!(compare(op, a, b, false), wanted, "{a:?} {op:?} {b:?}");
        }
    }

    #[test]
    fn case_is_folded_where_asked() {
        let (a, b) = (Value::from("ÄRGER"), Value::from("ärger"));
        assert!(!compare(CompareOp::Eq, &a, &b, false));
        assert!(compare(CompareOp::Eq, &a, &b, true));
        assert!(text_test(TextTest::EndsWith, &a, &Value::from("ger"), true));
        assert!(!text_test(TextTest::Contains, &Value::Null, &b, true));
    }
}
