//! The table of codes. Each has a page of its own under `pages/`, which `dwmap explain CODE` prints.

/// A stable code: a letter for the phase, and a number that is never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code(&'static str);

impl Code {
    /// As it is shown: `T0101`.
    pub const fn id(self) -> &'static str {
        self.0
    }
}

/// What is known of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodePage {
    /// The code.
    pub code: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// A page in Markdown, with a wrong and a mended example.
    pub page: &'static str,
}

macro_rules! page {
    ($id:literal $title:literal) => {
        CodePage {
            code: $id,
            title: $title,
            page: include_str!(concat!("pages/", $id, ".md")),
        }
    };
}

macro_rules! codes {
    (syntax { $($syntax_id:literal $syntax_title:literal)* } $($name:ident $id:literal $title:literal)*) => {
        $(#[doc = $title] pub(crate) const $name: Code = Code($id);)*

        static PAGES: &[CodePage] = &[
            $(page!($syntax_id $syntax_title),)*
            $(page!($id $title),)*
        ];
    };
}

codes! {
    // Given by the grammar; their pages stand here, since their examples are compiled.
    syntax {
        "P0001" "a declaration that can't be read"
        "P0002" "a block without its closing brace"
        "P0003" "a line without an arrow"
        "P0004" "an arrow in another spelling"
        "P0005" "a text or a name without its closing quote"
        "P0006" "a text in other quotes"
        "P0007" "an operator in another spelling"
        "P0008" "a comma too many"
        "P0009" "a comma that is missing"
        "P0010" "a colon that is missing"
        "P0011" "a step without its pipe"
        "P0012" "a step behind the line's suffix"
        "P0013" "a word that isn't known here"
        "P0014" "a type that isn't known"
        "P0015" "brackets that don't match"
        "P0016" "nesting that is too deep"
        "P0017" "a character that has no meaning here"
        "P0018" "a date that isn't on the calendar"
        "P0019" "an escape that isn't known"
        "P0020" "a number that is too large"
        "P0021" "a line with two arrows"
        "P0022" "nothing where something is expected"
        "P0023" "something that stands in the wrong place"
        "P0024" "comparisons in a chain"
        "P0025" "an item that can't be read"
        "P0026" "a map's head that can't be read"
        "P0027" "a test without its description"
        "P0028" "a filter without its side"
        "P0029" "an iso without both of its ways"
        "P0030" "a declaration's arrow that points elsewhere"
        "P0031" "an item that isn't written so"
        "P0032" "a word of the language as a name"
        "P0033" "two items on a line with nothing between them"
        "P0034" "a brace on the line below its head"
    }

    UNKNOWN_MODULE          "N0101" "a module that isn't there"
    CYCLE_OF_USES           "N0102" "modules that use each other"
    UNKNOWN_SCHEMA          "N0103" "a schema that isn't known here"
    UNKNOWN_ENTITY          "N0104" "an entity that the schema doesn't have"
    UNKNOWN_FIELD           "N0105" "a field that the entity doesn't have"
    UNKNOWN_MEMBER          "N0106" "a member that the enum doesn't have"
    UNKNOWN_STEP            "N0107" "a step that isn't known"
    DECLARED_TWICE          "N0108" "a name that is declared twice"
    FIELD_OR_MEMBER         "N0109" "a name that is a field and a member"
    UNKNOWN_ENUM            "N0110" "an enum that the schema doesn't have"
    UNKNOWN_SIDE            "N0111" "a side that the map doesn't have"
    UNKNOWN_MAP             "N0112" "a map that isn't known here"
    UNKNOWN_LINE            "N0113" "a policy for a line that the map doesn't have"
    UNKNOWN_WORD            "N0114" "a word that isn't one of those that may stand here"
    AMBIGUOUS_NAME          "N0115" "a name that two modules declare"
    NOT_A_NAVIGATION        "N0116" "a path that goes on behind a field"
    ENDS_AT_NAVIGATION      "N0117" "a path that ends at a navigation"

    NARROWS                 "T0101" "a conversion that loses kind"
    MEMBER_IN_QUOTES        "T0102" "a member of an enum in quotes"
    WRONG_LITERAL           "T0103" "a constant of another type"
    WRONG_ARGUMENT          "T0104" "an argument of another type"
    ARGUMENT_COUNT          "T0105" "too few or too many arguments"
    WRONG_INPUT             "T0106" "a step on a value that it can't take"
    ENUM_TO_ENUM            "T0107" "one enum to another without a table"
    NULL_REQUIRED           "T0108" "null for a field that needs a value"
    NOT_A_CONDITION         "T0109" "a filter that is no condition"
    NOT_COMPARABLE          "T0110" "a comparison of two kinds"
    NO_ORDER                "T0111" "an order on values that have none"
    NO_ENUM                 "T0112" "same_name on something that has no members"
    NO_COMMON_NAME          "T0113" "same_name between enums without a common name"
    WRONG_ROW               "T0114" "a row with a value of another type"
    CANNOT_KEEP             "T0115" "keep between types that differ"
    BAD_SIZE                "T0116" "a size that no type has"
    TOO_LONG                "T0117" "a constant that its field can't hold"

    ONE_WAY_STEP            "L0101" "something without a way back on a two-way line"
    INEXACT_KEY             "L0102" "a step that isn't exact on a key"
    NOT_BIJECTIVE           "L0103" "two rows both ways on one value"
    DUPLICATE_ROW           "L0104" "a row that can't be reached"
    UNSTABLE                "L0105" "steps that don't settle"
    INEXACT_LOOP            "L0106" "a ring of maps with a line that isn't exact"

    NOT_WRITABLE            "M0101" "a line that writes to something that isn't a field"
    TWO_WRITERS             "M0102" "a field that two lines write"
    TWO_MAPS_WRITE          "M0103" "a field that two maps write"
    NO_REFERENCE_KEY        "M0104" "a reference that no key of its target completes"
    MANY_REFERENCE_KEYS     "M0105" "a reference that two keys of its target complete"
    ONE_SIDE_STRIPED        "M0106" "a striped and an unstriped side"
    NO_COMMIT_TIME          "M0107" "latest without a commit time"
    READONLY_WRITTEN        "M0108" "a line that writes a readonly field"
    REQUIRED_UNWRITTEN      "M0109" "a required field that no line writes"
    AGAINST_FILTER          "M0110" "a constant that its own filter shuts out"
    NO_KEY_LINE             "M0111" "a map without a key"
    KEY_INCOMPLETE          "M0112" "key lines that make no declared key"
    NO_INITIAL              "M0113" "a two-way map that doesn't say who wins at first"
    TWICE                   "M0114" "a policy that is given twice"
    AGAINST_MAP             "M0115" "a line that flows against its map"
    ON_CREATE_TWO_WAY       "M0116" "on create on a two-way line"
    NOTHING_MISSING         "M0117" "on missing on a line without a reference"
    WRONG_DIRECTION         "M0118" "a policy for a way that the map doesn't go"
    SAME_SIDE_NAMES         "M0119" "two sides of one name"
    BAD_ENTITY              "M0120" "an entity without a key"
    NOT_ON_A_KEY            "M0121" "a suffix that a key line can't have"

    NOT_GENERATED           "M0130" "a generated key that can't be one"
    NOT_LOOKED_FOR          "M0131" "a line that no record can be looked for by"
    KEY_STAYS_APART         "M0132" "a match whose key can't be carried over"
    NOT_SUMMED              "M0133" "changes that can't be summed"

    NOT_YET                 "M0901" "something that isn't supported yet"

    CAN_OVERFLOW            "W0101" "values that may be too long"
    OUTSIDE_DOMAIN          "W0102" "members without a namesake"
    UNCOVERED               "W0103" "a table that doesn't cover its values"
    NOT_BROUGHT             "W0104" "a reference to records that no map brings"
    LEAVES_ITSELF           "W0105" "a map whose own writes make its filter false"
}

/// All codes of this crate, in the order of the table.
pub fn all_codes() -> &'static [CodePage] {
    PAGES
}

/// The page of a code.
pub fn explain(code: &str) -> Option<&'static CodePage> {
    PAGES
        .iter()
        .find(|page| page.code.eq_ignore_ascii_case(code))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_of_the_grammar_has_its_page() {
        for (code, title) in dwmap_grammar::CODES {
            assert_eq!(explain(code).map(|page| page.title), Some(*title), "{code}");
        }
    }

    #[test]
    fn no_code_is_given_twice() {
        let ids: BTreeSet<&str> = PAGES.iter().map(|page| page.code).collect();
        assert_eq!(ids.len(), PAGES.len());
    }
}
