//! `upper`: writes a text in capitals.

use dwmap_plan::{Class, Value};

use super::{map_text, text_to_text};
use crate::{Example, Failure, Literal, NullRule, StepInfo};

/// The step.
pub static STEP: StepInfo = StepInfo {
    name: "upper",
    terms: &["uppercase", "capitals", "caps", "case"],
    summary: "Writes a text in capitals.",
    doc: "Maps every letter to its capital by Unicode's rules, without regard to a language. A text may grow (`ß` becomes `SS`); lengths are checked afterwards.

Both ways capitals are what is written; `Acme` and `ACME` agree, and neither is rewritten for the other.",
    params: &[],
    takes: "a text",
    output: text_to_text,
    null: NullRule::Passes,
    class: Class::Canonical,
    forward: upper,
    backward: Some(upper),
    examples: &[
        Example {
            shows: "letters of any script",
            input: Literal::Text("straße 5"),
            args: &[],
            output: Ok(Literal::Text("STRASSE 5")),
        },
        Example {
            shows: "null stays null",
            input: Literal::Null,
            args: &[],
            output: Ok(Literal::Null),
        },
    ],
};

fn upper(value: &Value, _: &[Value]) -> Result<Value, Failure> {
    map_text(value, str::to_uppercase)
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
