//! The steps, one file each.

use dwmap_plan::{Type, Value};

use crate::{Failure, StepInfo};

pub mod default;
pub mod lower;
pub mod normalise;
pub mod require;
pub mod scale;
pub mod trim;
pub mod upper;

/// All of them, in the order of the language reference.
pub(crate) static ALL: &[&StepInfo] = &[
    &trim::STEP,
    &upper::STEP,
    &lower::STEP,
    &default::STEP,
    &scale::STEP,
    &require::STEP,
    &normalise::STEP,
];

/// The type rule of steps from text to text. A text may grow, so that nothing is known of the result's length.
fn text_to_text(input: &Type, _: &[Value]) -> Option<Type> {
    matches!(input, Type::Text(_)).then_some(Type::Text(None))
}

/// The type rule of steps that leave the type as it is.
#[allow(
    clippy::unnecessary_wraps,
    reason = "it is a type rule, and those may refuse"
)]
fn same_type(input: &Type, _: &[Value]) -> Option<Type> {
    Some(input.clone())
}

/// A function of texts, lifted to values: null stays null.
fn map_text(value: &Value, f: impl Fn(&str) -> String) -> Result<Value, Failure> {
    match value {
        Value::Null => Ok(Value::Null),
        Value::Text(text) => Ok(Value::Text(f(text))),
        _ => Err(Failure::Mismatch),
    }
}

/// The step that changes nothing.
#[allow(clippy::unnecessary_wraps, reason = "it is a step, and those may fail")]
fn same(value: &Value, _: &[Value]) -> Result<Value, Failure> {
    Ok(value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_show_what_is() {
        for step in ALL {
            assert!(!step.examples.is_empty(), "{} shows nothing", step.name);
            for example in step.examples {
                let (input, args) = (
                    example.input.value().unwrap(),
                    example
                        .args
                        .iter()
                        .map(|a| a.value().unwrap())
                        .collect::<Vec<_>>(),
                );
                let found = (step.forward)(&input, &args).map_err(Failure::code);
                let wanted = example.output.map(|v| v.value().unwrap());
                assert_eq!(found, wanted, "{}: {}", step.name, example.shows);
            }
        }
    }

    #[test]
    fn names_are_unique_and_documented() {
        for (i, step) in ALL.iter().enumerate() {
            assert!(ALL[..i].iter().all(|s| s.name != step.name));
            assert!(!step.doc.is_empty() && !step.terms.is_empty());
            assert!(step.summary.ends_with('.'), "{}", step.name);
        }
    }
}
