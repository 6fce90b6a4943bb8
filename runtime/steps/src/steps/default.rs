//! `default`: stands in for a value that isn't there.

use dwmap_plan::{Class, Value};

use super::same_type;
use crate::{Example, Failure, Literal, NullRule, Param, ParamKind, StepInfo};

/// The step.
pub static STEP: StepInfo = StepInfo {
    name: "default",
    terms: &["fallback", "if null", "coalesce", "blank", "otherwise"],
    summary: "Stands in for a value that isn't there.",
    doc: "Null becomes the value given; everything else stays. What counts as null is the schema's matter: in Finance & Operations an empty text is null.

Both ways null becomes the value, so that a required field on either side is filled. A null and the value agree, and neither is rewritten for the other.",
    params: &[Param {
        name: "value",
        kind: ParamKind::SameAsInput,
        required: true,
    }],
    takes: "any value",
    output: same_type,
    null: NullRule::Removes,
    class: Class::Canonical,
    forward: default,
    backward: Some(default),
    examples: &[
        Example {
            shows: "null becomes the value",
            input: Literal::Null,
            args: &[Literal::Text("unknown")],
            output: Ok(Literal::Text("unknown")),
        },
        Example {
            shows: "a value stays",
            input: Literal::Text("Lyon"),
            args: &[Literal::Text("unknown")],
            output: Ok(Literal::Text("Lyon")),
        },
    ],
};

fn default(value: &Value, args: &[Value]) -> Result<Value, Failure> {
    match (value, args) {
        (Value::Null, [value]) => Ok(value.clone()),
        (value, [_]) => Ok(value.clone()),
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
        fn keeps_its_law(value in laws::value(), default in laws::value()) {
            laws::canonical(&STEP, &[default], &value)?;
        }
    }
}
