//! `trim`: removes blanks at both ends of a text.

use dwmap_plan::{Class, Value};

use super::{map_text, text_to_text};
use crate::{Example, Failure, Literal, NullRule, StepInfo};

/// The step.
pub static STEP: StepInfo = StepInfo {
    name: "trim",
    terms: &["blank", "whitespace", "strip"],
    summary: "Removes blanks at both ends of a text.",
    doc: "Removes white space (Unicode's) at both ends. Blanks inside a text stay.

Both ways the trimmed text is what is written; a text with blanks agrees with its trimmed one, and isn't rewritten for it.",
    params: &[],
    takes: "a text",
    output: text_to_text,
    null: NullRule::Passes,
    class: Class::Canonical,
    forward: trim,
    backward: Some(trim),
    examples: &[
        Example {
            shows: "blanks at both ends go, those inside stay",
            input: Literal::Text("  Acme  Ltd "),
            args: &[],
            output: Ok(Literal::Text("Acme  Ltd")),
        },
        Example {
            shows: "null stays null",
            input: Literal::Null,
            args: &[],
            output: Ok(Literal::Null),
        },
    ],
};

/// White space as Unicode has it, so that a no-break space at an end goes too.
fn trim(value: &Value, _: &[Value]) -> Result<Value, Failure> {
    map_text(value, |text| text.trim().to_owned())
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
