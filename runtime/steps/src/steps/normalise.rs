//! `normalise`: asks that the canonical form be written back.

use dwmap_plan::Class;

use super::{same, same_type};
use crate::{Example, Literal, NullRule, StepInfo};

/// The step.
pub static STEP: StepInfo = StepInfo {
    name: "normalise",
    terms: &["normalize", "canonical", "write back", "clean up"],
    summary: "Asks that the canonical form of a value be written back to where it came from.",
    doc: "Changes no value. A line with it agrees only if *both* sides hold the canonical form: with `| trim | upper | normalise` an `Acme` in one system is rewritten to `ACME` there too, where without it `Acme` and `ACME` agree and both stay.",
    params: &[],
    takes: "any value",
    output: same_type,
    null: NullRule::Passes,
    class: Class::Exact,
    forward: same,
    backward: Some(same),
    examples: &[Example {
        shows: "the value itself stays",
        input: Literal::Text("ACME"),
        args: &[],
        output: Ok(Literal::Text("ACME")),
    }],
};

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
