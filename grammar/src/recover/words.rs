//! Words that aren't known, or stand where they can't.

use super::{Place, Region};
use crate::tokens::{Token, TokenKind};
use crate::{SyntaxError, mistakes};

/// The words that begin a declaration, and how each is written.
const DECLARATION_FORMS: [(&str, &str); 9] = [
    ("use", "use MODULE as NAME"),
    ("schema", "schema NAME { … }"),
    ("extend", "extend map NAME { … }"),
    (
        "valuemap",
        "valuemap NAME: TYPE <-> TYPE { VALUE <-> VALUE, … }",
    ),
    ("fn", "fn NAME(PARAMETER: TYPE, …) -> TYPE = EXPRESSION"),
    (
        "iso",
        "iso NAME: TYPE <-> TYPE { -> EXPRESSION  <- EXPRESSION }",
    ),
    ("map", "map NAME: SCHEMA.ENTITY <-> SCHEMA.ENTITY { … }"),
    ("lines", "lines MAP of PARENT by FIELD"),
    ("test", "test MAP \"what it shows\" { … }"),
];

/// The words that begin a declaration.
pub(crate) const DECLARATIONS: [&str; 9] = [
    "use", "schema", "extend", "valuemap", "fn", "iso", "map", "lines", "test",
];

/// The words that begin an item of a map.
pub(crate) const ITEM_WORDS: [&str; 22] = [
    "key",
    "where",
    "conflict",
    "delete",
    "on",
    "initial",
    "match",
    "probe",
    "exclusive",
    "dated",
    "company",
    "update",
    "create",
    "alternative",
    "disjoint",
    "overflow",
    "gate",
    "only",
    "priority",
    "replace",
    "drop",
    "extend",
];

/// The words that begin a line's suffix.
pub(crate) const SUFFIX_WORDS: [&str; 4] = ["on", "overflow", "generated", "by"];

/// What can be done with a record whose partner left.
pub(crate) const ACTIONS: [&str; 4] = ["propagate", "deactivate", "delete", "ignore"];

/// The words that begin an attribute of a field.
pub(crate) const FIELD_ATTRS: [&str; 15] = [
    "readonly",
    "createonly",
    "computed",
    "required",
    "filled",
    "recommended",
    "sensitive",
    "inferred",
    "oneof",
    "min",
    "max",
    "stored",
    "null",
    "wire",
    "physical",
];

const SCHEMA_WORDS: [&str; 6] = ["dialect", "case", "null", "enum", "entity", "extend"];
const ENTITY_WORDS: [&str; 8] = [
    "key", "altkey", "striped", "identity", "modified", "wire", "physical", "nav",
];
const OUTCOMES: [&str; 3] = ["filtered", "rejects", "exactly"];

/// A declaration with a wrong first word, or with a right one and a wrong rest.
pub(super) fn declaration(region: &Region<'_>) -> Option<SyntaxError> {
    if region.place != Place::File {
        return None;
    }
    let (word, span) = region.first_word()?;
    match DECLARATION_FORMS.iter().find(|(known, _)| *known == word) {
        Some((known, form)) => Some(mistakes::declaration_form(region.head(), known, form)),
        None => Some(mistakes::unknown_declaration(span, word, &DECLARATIONS)),
    }
}

/// A first word that is near to one that can stand there.
pub(super) fn unknown(region: &Region<'_>) -> Option<SyntaxError> {
    let (what, known): (&str, &[&str]) = match region.place {
        Place::Schema => ("item of a schema", &SCHEMA_WORDS),
        Place::Entity => ("item of an entity", &ENTITY_WORDS),
        Place::Map => ("item of a map", &ITEM_WORDS),
        Place::Test => ("step of a test", &["roundtrip"]),
        Place::Outcome => ("outcome", &OUTCOMES),
        _ => return None,
    };
    let (word, span) = region.first_word()?;
    mistakes::nearest(word, known)
        .filter(|near| *near != word)
        .map(|near| mistakes::unknown_word(span, word, what, &[near]))
}

/// A word of the language where a name stands: it needs backquotes.
pub(super) fn reserved(region: &Region<'_>) -> Option<SyntaxError> {
    const RESERVED: [&str; 8] = ["if", "then", "else", "and", "or", "not", "in", "is"];
    let is_name_here = |at: usize| {
        let before = at.checked_sub(1).map(|at| &region.tokens[at]);
        let behind = region.tokens.get(at + 1);
        match region.place {
            Place::Map => {
                behind.is_some_and(Token::is_arrow)
                    || before.is_some_and(Token::is_arrow)
                        && behind.is_none_or(|token| region.text(token) == "|")
            }
            Place::Entity => {
                at == 0 && behind.is_some_and(|token| mistakes::TYPES.contains(&region.text(token)))
            }
            Place::Record => behind.is_some_and(|token| region.text(token) == ":"),
            _ => false,
        }
    };
    let reserved: &[&str] = if region.place == Place::Entity {
        &ENTITY_WORDS
    } else {
        &RESERVED
    };
    let mut words = region.tokens.iter().enumerate();
    let (_, word) =
        words.find(|(at, token)| reserved.contains(&region.text(token)) && is_name_here(*at))?;
    Some(mistakes::reserved_name(word.span, region.text(word)))
}

/// `12abc`: neither a number nor a name.
pub(super) fn number_with_letters(region: &Region<'_>) -> Option<SyntaxError> {
    let mut pairs = region.tokens.windows(2);
    let glued = pairs.find_map(|pair| match pair {
        [number, word] if number.kind == TokenKind::Number && word.kind == TokenKind::Word => {
            (number.span.end == word.span.start).then(|| number.span.to(word.span))
        }
        _ => None,
    })?;
    Some(mistakes::number_with_letters(
        glued,
        glued.of(region.source),
    ))
}
