//! The codes of refusals at run time, with what `dwmap explain R0101` says of each.

/// A code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// The code.
    pub code: &'static str,
    /// A few words.
    pub title: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What to do.
    pub next_step: &'static str,
}

/// The code of this name.
pub fn code(code: &str) -> Option<&'static Code> {
    CODES.iter().find(|c| c.code.eq_ignore_ascii_case(code))
}

/// All codes, in order.
pub const CODES: &[Code] = &[
    Code {
        code: "R0101",
        title: "text too long",
        meaning: "A text is longer than the field that it is written to. The record is not sent, so that nothing is cut unseen.",
        next_step: "Shorten the text at its source and retry the record, or write `overflow truncate` at the line if a cut text is good enough there.",
    },
    Code {
        code: "R0102",
        title: "no row in the table",
        meaning: "The value has no row in the line's value map, and the table says nothing of other values.",
        next_step: "Add a row for the value, or an `else` row (`else -> x`, or `else -> keep`), build the plan again, and retry.",
    },
    Code {
        code: "R0103",
        title: "value out of range",
        meaning: "A number, date or instant is beyond what the target field can hold: its bits, its digits, or its declared `min` and `max`.",
        next_step: "Correct the value at its source, or declare the field's true size in the schema if the schema is wrong.",
    },
    Code {
        code: "R0104",
        title: "required value missing",
        meaning: "The target refuses a row without this field, and the source has no value for it.",
        next_step: "Fill in the field at its source, or give the line a value of its own with `| default(…)`.",
    },
    Code {
        code: "R0105",
        title: "unknown enum member",
        meaning: "The system sent a value that its enum (or option set) doesn't have in the schema: a member was added there, or the schema is older than the system.",
        next_step: "Add the member to the schema with `extend schema`, say in the map what it corresponds to, build again, and retry.",
    },
    Code {
        code: "R0106",
        title: "not one of the texts allowed",
        meaning: "The target field takes only the texts that its schema lists with `oneof`, and this is none of them.",
        next_step: "Use a table (or `same_name`) on the line, or add the text to the field's `oneof` if the system takes it.",
    },
    Code {
        code: "R0107",
        title: "referenced record missing",
        meaning: "The line refers to a record that the target doesn't have (yet). The record waits for it where the line says `on missing park`.",
        next_step: "Bring or create the missing record; what waits for it goes on by itself. `on missing blank` writes the rest without it.",
    },
    Code {
        code: "R0108",
        title: "another kind of value than the schema says",
        meaning: "The system sent, say, a number where the schema declares a text. The schema isn't that of this system.",
        next_step: "Compare the field's type in the schema with the system (`dwmap doctor` does), mend it, and build again.",
    },
    Code {
        code: "R0109",
        title: "text that can't be read as its type",
        meaning: "A date, an instant, a guid or binary data came in a form that isn't the one of its type.",
        next_step: "Correct the value at its source, or declare the field as `text` if it holds free text in truth.",
    },
    Code {
        code: "R0110",
        title: "result too large",
        meaning: "A calculation gave a number of more than 38 digits.",
        next_step: "Correct the value at its source, or let the line calculate with fewer places (`| scale(n)`).",
    },
    Code {
        code: "R0111",
        title: "key of a reference half blank",
        meaning: "A reference is written in several parts, and some of them are blank while others aren't, so that it names no record.",
        next_step: "Fill in the blank part at its source, or blank all of them.",
    },
    Code {
        code: "R0112",
        title: "plan and engine disagree",
        meaning: "An operation of the plan was given a kind of value that it isn't made for. The plan was not made by this version's compiler.",
        next_step: "Build the plan again with `dwmap build`; if it stays, report it with the plan's text (`dwmap explain --plan`).",
    },
    Code {
        code: "R0201",
        title: "record is no JSON",
        meaning: "The system's answer holds a record that isn't correct JSON at the place named. Nothing of the record is used.",
        next_step: "Retry; if it stays, the system or something between (a proxy) damages its answers.",
    },
    Code {
        code: "R0202",
        title: "field twice in one record",
        meaning: "A record holds the same field twice, so that its value is anybody's guess.",
        next_step: "Correct it at the source; a system that does so by itself has a fault of its own.",
    },
    Code {
        code: "R0203",
        title: "number too long",
        meaning: "A number has more than 38 digits, or lies beyond what a binary float can hold.",
        next_step: "Correct the value at its source.",
    },
    Code {
        code: "R0204",
        title: "text with half a character",
        meaning: "A text holds half of a surrogate pair, or bytes that aren't UTF-8, so that it is no text.",
        next_step: "Correct the value at its source.",
    },
    Code {
        code: "R0205",
        title: "record too large",
        meaning: "A record is larger or nested deeper than the engine reads.",
        next_step: "Project fewer fields; if the record is meant to be so, report it.",
    },
    Code {
        code: "R0301",
        title: "value can't be written",
        meaning: "A value has no form in the target's JSON: an enum's integer without a member, or a year beyond 9999.",
        next_step: "Correct the value at its source, or add the member to the schema.",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bound, Failure, JsonKind};
    use dwmap_plan::LengthUnit;

    #[test]
    fn every_failure_has_its_page() {
        let failures = [
            Failure::TooLong {
                length: 5,
                limit: 4,
                unit: LengthUnit::Utf16,
            },
            Failure::NoRow,
            Failure::OutOfRange(Bound::Int32),
            Failure::Required,
            Failure::UnknownMember,
            Failure::NotOneOf,
            Failure::WrongKind(JsonKind::Array),
            Failure::Unreadable,
            Failure::Overflow,
            Failure::BlankKeyPart { part: 0 },
            Failure::Mismatch,
        ];
        for failure in failures {
            assert!(code(failure.code()).is_some(), "{failure:?}");
        }
    }

    #[test]
    fn codes_are_in_order_and_once() {
        assert!(CODES.windows(2).all(|w| w[0].code < w[1].code));
        assert!(
            CODES
                .iter()
                .all(|c| c.meaning.ends_with('.') && c.next_step.ends_with('.'))
        );
    }
}
