//! `require`: refuses a record without the value.

use dwmap_plan::{Class, Value};

use super::same_type;
use crate::{Example, Failure, Literal, NullRule, StepInfo};

/// The step.
pub static STEP: StepInfo = StepInfo {
    name: "require",
    terms: &["mandatory", "not null", "must have", "obligatory"],
    summary: "Refuses a record that has no value here.",
    doc: "Null is a refusal (`R0104`) of the record; every value passes as it is. It is for fields that the target would take empty, and shouldn't.",
    params: &[],
    takes: "any value",
    output: same_type,
    null: NullRule::Removes,
    class: Class::Exact,
    forward: require,
    backward: Some(require),
    examples: &[
        Example {
            shows: "a value passes",
            input: Literal::Text("US-001"),
            args: &[],
            output: Ok(Literal::Text("US-001")),
        },
        Example {
            shows: "null is refused",
            input: Literal::Null,
            args: &[],
            output: Err("R0104"),
        },
    ],
};

fn require(value: &Value, _: &[Value]) -> Result<Value, Failure> {
    match value {
        Value::Null => Err(Failure::Required),
        value => Ok(value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keeps_its_law(value in laws::value()) {
            laws::exact(&STEP, &[], &value)?;
        }
    }
}
