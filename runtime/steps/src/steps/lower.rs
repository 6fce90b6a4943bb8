//! `lower`: writes a text in small letters.

use dwmap_plan::{Class, Value};

use super::{map_text, text_to_text};
use crate::{Example, Failure, Literal, NullRule, StepInfo};

/// The step.
pub static STEP: StepInfo = StepInfo {
    name: "lower",
    terms: &["lowercase", "minuscules", "case"],
    summary: "Writes a text in small letters.",
    doc: "Maps every letter to its small one by Unicode's rules, without regard to a language: the mail address `Sales@Fabrikam.com` becomes `sales@fabrikam.com`.

Both ways small letters are what is written; texts that differ by case alone agree, and neither is rewritten for the other.",
    params: &[],
    takes: "a text",
    output: text_to_text,
    null: NullRule::Passes,
    class: Class::Canonical,
    forward: lower,
    backward: Some(lower),
    examples: &[
        Example {
            shows: "letters of any script",
            input: Literal::Text("Ärger@Fabrikam.COM"),
            args: &[],
            output: Ok(Literal::Text("ärger@fabrikam.com")),
        },
        Example {
            shows: "null stays null",
            input: Literal::Null,
            args: &[],
            output: Ok(Literal::Null),
        },
    ],
};

fn lower(value: &Value, _: &[Value]) -> Result<Value, Failure> {
    map_text(value, str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keeps_its_law(text in laws::text()) {
            laws::canonical(&STEP, &[], &Value::Text(text))?;
        }
    }

    #[test]
    fn keeps_its_law_for_every_character() {
        for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            laws::canonical(&STEP, &[], &Value::Text(format!("a{c} {c}"))).unwrap();
        }
    }
}
