//! One constructor for each mistake: its code, its sentence, its fix.

use crate::Span;
use crate::error::{Safety, SyntaxError};

/// The forms of an item, for messages: `a, b or c`.
pub(crate) fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    }
}

/// The word of `known` that was most likely meant; `None` where none is near.
pub(crate) fn nearest<'w>(word: &str, known: &[&'w str]) -> Option<&'w str> {
    let lower = word.to_lowercase();
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, candidate), *candidate))
        .filter(|(distance, candidate)| {
            *distance <= 1 + candidate.len() / 4 && *distance < candidate.len()
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A word that is near to one of those that can stand there, where others could too.
pub(crate) fn misspelt_word(span: Span, word: &str, near: &str) -> SyntaxError {
    SyntaxError::new("P0013", span, format!("The word {word} isn't known here."))
        .label(format!("did you mean {near}?"))
        .fix(Safety::Suggestion, format!("{word} is {near}"), span, near)
}

/// A word that isn't one of those that can stand here.
pub(crate) fn unknown_word(span: Span, word: &str, what: &str, known: &[&str]) -> SyntaxError {
    let error = SyntaxError::new("P0013", span, format!("There is no {what} {word}."));
    match nearest(word, known) {
        Some(near) => error.label(format!("did you mean {near}?")).fix(
            Safety::Safe,
            format!("{word} is {near}"),
            span,
            near,
        ),
        None => error
            .label("not known here")
            .help(format!("Here can stand: {}.", listed(known))),
    }
}

/// The words that begin a type.
pub(crate) const TYPES: [&str; 14] = [
    "string",
    "text",
    "bool",
    "int32",
    "int64",
    "decimal",
    "float64",
    "date",
    "datetime",
    "localtime",
    "guid",
    "binary",
    "enum",
    "ref",
];

pub(crate) fn unknown_type(span: Span, word: &str) -> SyntaxError {
    // What other systems call them.
    let near = match word.to_lowercase().as_str() {
        "int" | "integer" | "smallint" => Some("int32"),
        "bigint" | "long" => Some("int64"),
        "boolean" | "bit" => Some("bool"),
        "varchar" | "nvarchar" | "char" => Some("string"),
        "money" | "numeric" => Some("decimal"),
        "float" | "double" | "real" => Some("float64"),
        "uuid" | "uniqueidentifier" => Some("guid"),
        "timestamp" | "timestamptz" | "datetimeoffset" => Some("datetime"),
        "time" => Some("localtime"),
        "bytea" | "blob" | "varbinary" => Some("binary"),
        lower => nearest(lower, &TYPES),
    };
    let error = SyntaxError::new("P0014", span, format!("There is no type {word}."));
    match near {
        Some(near) => error.label(format!("did you mean {near}?")).fix(
            Safety::Suggestion,
            format!("{word} is {near}"),
            span,
            near,
        ),
        None => error.label("not a type").help(format!(
            "The types are {}; an option set is `enum NAME`.",
            listed(&TYPES)
        )),
    }
}

pub(crate) fn missing_type(span: Span, field: &str) -> SyntaxError {
    SyntaxError::new("P0022", span, format!("The field {field} has no type."))
        .label("a type stands before this")
        .help(format!(
            "A field is its name, its type and its attributes: `{field} string(20) required`."
        ))
}

pub(crate) fn missing_arrow(span: Span, gap: Span, left: &str, right: &str) -> SyntaxError {
    SyntaxError::new(
        "P0003",
        span,
        format!("Between {left} and {right} an arrow is missing: <->, -> or <-."),
    )
    .label("an arrow stands before this")
    .fix(
        Safety::Suggestion,
        format!("{left} <-> {right}"),
        gap,
        " <-> ",
    )
}

pub(crate) fn equals_for_arrow(span: Span, left: &str, right: &str) -> SyntaxError {
    SyntaxError::new(
        "P0003",
        span,
        format!("Between {left} and {right} stands `=` where a line has an arrow: <->, -> or <-."),
    )
    .label("not an arrow")
    .fix(
        Safety::Suggestion,
        format!("{left} <-> {right}"),
        span,
        "<->",
    )
}

pub(crate) fn wrong_arrow(span: Span, written: &str, meant: &str) -> SyntaxError {
    SyntaxError::new(
        "P0004",
        span,
        format!("An arrow is written `{meant}` here, not `{written}`."),
    )
    .label(format!("write {meant}"))
    .fix(Safety::Safe, format!("{written} is {meant}"), span, meant)
}

pub(crate) fn less_or_equal_for_arrow(span: Span) -> SyntaxError {
    SyntaxError::new(
        "P0004",
        span,
        "`<=` compares two values; the arrow to the left is written `<-`.",
    )
    .label("a comparison, no arrow")
    .fix(Safety::Suggestion, "<= is <-", span, "<-")
}

pub(crate) fn arrow_must_be(span: Span, place: &str, meant: &str) -> SyntaxError {
    SyntaxError::new("P0030", span, format!("{place} is written with `{meant}`."))
        .label(format!("write {meant}"))
        .fix(Safety::Suggestion, format!("write {meant}"), span, meant)
}

pub(crate) fn unclosed_text(span: Span) -> SyntaxError {
    SyntaxError::new(
        "P0005",
        span,
        "This text isn't closed: its second \" is missing on this line.",
    )
    .label("begins here")
    .fix(
        Safety::Suggestion,
        "close it at the end of the line",
        Span::at(span.end),
        "\"",
    )
    .help("A quote within a text is written \\\".")
}

pub(crate) fn unclosed_name(span: Span) -> SyntaxError {
    SyntaxError::new(
        "P0005",
        span,
        "This name isn't closed: its second ` is missing on this line.",
    )
    .label("begins here")
    .help("Backquotes hold a name with blanks, or one that is a word of the language.")
}

pub(crate) fn foreign_quotes(span: Span, inner: &str) -> SyntaxError {
    let text = format!("\"{}\"", inner.replace('\\', "\\\\").replace('"', "\\\""));
    SyntaxError::new("P0006", span, "Texts stand between straight double quotes.")
        .label("other quotes")
        .fix(Safety::Safe, "use double quotes", span, text)
}

pub(crate) fn wrong_operator(span: Span, written: &str, meant: &str) -> SyntaxError {
    let message = match written {
        "=" => "`=` doesn't compare: equality is written `==`.".to_owned(),
        _ => format!("`{written}` is written `{meant}` here."),
    };
    SyntaxError::new("P0007", span, message)
        .label(format!("write {meant}"))
        .fix(Safety::Safe, format!("{written} is {meant}"), span, meant)
}

pub(crate) fn stray_comma(span: Span) -> SyntaxError {
    SyntaxError::new(
        "P0008",
        span,
        "There is a comma too many: nothing stands between it and what follows.",
    )
    .label("drop it")
    .fix(Safety::Safe, "drop the comma", span, "")
}

pub(crate) fn missing_comma(at: Span) -> SyntaxError {
    SyntaxError::new("P0009", at, "A comma is missing before this.")
        .label("one more entry on the same line")
        .fix(Safety::Safe, "add the comma", Span::at(at.start), ", ")
}

/// `between` is what stands before the brace and behind what it belongs to; a comment there keeps it from being mended.
pub(crate) fn late_brace(brace: Span, between: Span, has_comment: bool) -> SyntaxError {
    let error = SyntaxError::new(
        "P0034",
        brace,
        "A { stands on the line of what it belongs to.",
    )
    .label("move it up");
    if has_comment {
        error
    } else {
        error.fix(Safety::Safe, "move it up", between, " ")
    }
}

pub(crate) fn missing_end(next: Span) -> SyntaxError {
    SyntaxError::new(
        "P0033",
        next,
        "Here another item begins on the same line; a line break or `;` stands before it.",
    )
    .label("the next item")
    .fix(Safety::Safe, "add the ;", Span::at(next.start), "; ")
}

pub(crate) fn missing_colon(at: usize, before: &str) -> SyntaxError {
    SyntaxError::new(
        "P0010",
        Span::at(at),
        format!("Behind {before} a colon is missing."),
    )
    .label("a colon stands here")
    .fix(Safety::Safe, "add the colon", Span::at(at), ":")
}

pub(crate) fn equals_for_colon(span: Span, before: &str) -> SyntaxError {
    SyntaxError::new(
        "P0010",
        span,
        format!("Behind {before} stands a colon, not `=`."),
    )
    .label("write :")
    .fix(Safety::Safe, "= is :", span, ":")
}

pub(crate) fn missing_pipe(span: Span, word: &str, suffixes: &[&str]) -> SyntaxError {
    if let Some(near) = nearest(word, suffixes) {
        return unknown_word(span, word, "suffix of a line", &[near]);
    }
    SyntaxError::new(
        "P0011",
        span,
        format!("Before the step {word} a pipe is missing."),
    )
    .label("a | stands before this")
    .fix(
        Safety::Suggestion,
        format!("| {word}"),
        Span::at(span.start),
        "| ",
    )
    .help("A line's right side is one path or expression; steps follow it, each behind a `|`.")
}

pub(crate) fn late_step(span: Span, suffix: &str) -> SyntaxError {
    SyntaxError::new(
        "P0012",
        span,
        format!("Steps stand before `{suffix}`, not behind it."),
    )
    .label(format!("move it before `{suffix}`"))
}

pub(crate) fn unmatched(span: Span, bracket: &str) -> SyntaxError {
    let message = match bracket {
        "(" | "[" | "{" => format!("This {bracket} isn't closed."),
        _ => format!("This {bracket} closes nothing."),
    };
    SyntaxError::new("P0015", span, message).label("has no partner")
}

pub(crate) fn too_deep(span: Span, limit: usize) -> SyntaxError {
    SyntaxError::new(
        "P0016",
        span,
        format!("Brackets and `if`s stand in each other more than {limit} deep here."),
    )
    .label("this one is too deep")
    .help("Split it: a `fn` can name a part of an expression.")
}

pub(crate) fn stray_character(span: Span, text: &str) -> SyntaxError {
    let shown = text.chars().next().map_or(0, u32::from);
    let message = match text {
        "\u{a0}" | "\u{200b}" | "\u{feff}" | "\u{2009}" | "\u{202f}" => {
            format!("Here is a blank that can't be seen to be special (U+{shown:04X}).")
        }
        _ => format!(
            "The character {} has no meaning here (U+{shown:04X}).",
            text.escape_debug()
        ),
    };
    let error = SyntaxError::new("P0017", span, message).label("not part of the language");
    if text.starts_with('#') {
        error.help("A comment begins with `//`.")
    } else if text
        .chars()
        .all(|c| c.is_whitespace() || c == '\u{200b}' || c == '\u{feff}')
    {
        error.fix(Safety::Safe, "use a plain blank", span, " ")
    } else {
        error
    }
}

pub(crate) fn foreign_name(span: Span, name: &str) -> SyntaxError {
    SyntaxError::new(
        "P0017",
        span,
        format!("The name {name} has letters that need backquotes round it."),
    )
    .label("not a plain name")
    .fix(
        Safety::Safe,
        "put it in backquotes",
        span,
        format!("`{name}`"),
    )
    .help("A plain name is made of the letters a to z, digits and `_`.")
}

pub(crate) fn no_such_date(span: Span, text: &str) -> SyntaxError {
    SyntaxError::new("P0018", span, format!("{text} isn't on the calendar."))
        .label("no such day or time")
        .help("Dates are written year-month-day: 2026-01-31; times run from 00:00 to 23:59.")
}

pub(crate) fn unknown_escape(span: Span, escape: &str) -> SyntaxError {
    SyntaxError::new("P0019", span, format!("`{escape}` stands for nothing."))
        .label("no escape")
        .help("The escapes are \\\" \\\\ \\n \\r \\t and \\u{…} with a character's number in hexadecimal.")
}

pub(crate) fn number_too_large(span: Span, text: &str) -> SyntaxError {
    SyntaxError::new(
        "P0020",
        span,
        format!("{text} is too large for a whole number here."),
    )
    .label("more than 64 bits")
}

pub(crate) fn two_arrows(span: Span, first: Span) -> SyntaxError {
    SyntaxError::new(
        "P0021",
        span,
        "This line has a second arrow; an item ends at a line break or `;`.",
    )
    .label("the second")
    .related(first, "the first")
}

pub(crate) fn nothing_behind(span: Span, what: &str) -> SyntaxError {
    SyntaxError::new(
        "P0022",
        span,
        format!("Nothing stands behind this `{what}`."),
    )
    .label("something must follow")
}

pub(crate) fn nothing_before(span: Span, what: &str) -> SyntaxError {
    SyntaxError::new(
        "P0022",
        span,
        format!("Nothing stands before this `{what}`."),
    )
    .label("something must stand before it")
}

pub(crate) fn missing_value(span: Span, member: &str) -> SyntaxError {
    SyntaxError::new("P0022", span, format!("The member {member} has no number."))
        .label("its value on the wire is missing")
        .help("A member is written `NAME = NUMBER`.")
}

pub(crate) fn reserved_name(span: Span, word: &str) -> SyntaxError {
    SyntaxError::new(
        "P0032",
        span,
        format!("`{word}` is a word of the language; as a name it stands in backquotes."),
    )
    .label("not a plain name")
    .fix(
        Safety::Safe,
        "put it in backquotes",
        span,
        format!("`{word}`"),
    )
}

pub(crate) fn number_with_letters(span: Span, text: &str) -> SyntaxError {
    SyntaxError::new(
        "P0025",
        span,
        format!("{text} is neither a number nor a name."),
    )
    .label("letters follow the digits")
    .help("A text stands in quotes; a name that begins with a digit stands in backquotes.")
}

pub(crate) fn misplaced(span: Span, what: &str, place: &str) -> SyntaxError {
    SyntaxError::new("P0023", span, format!("`{what}` stands only in {place}."))
        .label("can't stand here")
}

pub(crate) fn chained_comparison(span: Span, first: Span) -> SyntaxError {
    SyntaxError::new(
        "P0024",
        span,
        "Comparisons don't chain: join two of them with `and`.",
    )
    .label("the second comparison")
    .related(first, "the first")
}

pub(crate) fn unreadable_item(span: Span, place: &str, forms: &str) -> SyntaxError {
    SyntaxError::new(
        "P0025",
        span,
        format!("This can't be read as an item of {place}."),
    )
    .label("not understood")
    .help(forms)
}

pub(crate) fn wrong_form(span: Span, word: &str, form: &str) -> SyntaxError {
    SyntaxError::new("P0031", span, format!("`{word}` isn't written so."))
        .label("not understood")
        .help(format!("It is written `{form}`."))
}

pub(crate) fn map_head(span: Span) -> SyntaxError {
    SyntaxError::new("P0026", span, "This head of a map can't be read.")
        .label("not understood")
        .help("It is written `map NAME: SCHEMA.ENTITY <-> SCHEMA.ENTITY { … }`.")
}

pub(crate) fn missing_description(at: usize) -> SyntaxError {
    SyntaxError::new(
        "P0027",
        Span::at(at),
        "This test doesn't say what it shows.",
    )
    .label("a text in quotes stands here")
    .fix(
        Safety::Suggestion,
        "describe it",
        Span::at(at),
        " \"what it shows\"",
    )
}

pub(crate) fn missing_side(span: Span) -> SyntaxError {
    SyntaxError::new(
        "P0028",
        span,
        "This filter doesn't say which side it is for.",
    )
    .label("a side and a colon stand before this")
    .help("A filter is written `where SIDE: CONDITION`, with the name of one side's schema.")
}

pub(crate) fn iso_ways(span: Span, found: &str) -> SyntaxError {
    SyntaxError::new(
        "P0029",
        span,
        format!("An iso has one way `->` and one way `<-`; this one {found}."),
    )
    .label("both are needed, once each")
}

pub(crate) fn unreadable_declaration(span: Span, known: &[&str]) -> SyntaxError {
    SyntaxError::new("P0001", span, "Here a declaration is expected.")
        .label("not one")
        .help(format!("Declarations begin with {}.", listed(known)))
}

pub(crate) fn unknown_declaration(span: Span, word: &str, known: &[&str]) -> SyntaxError {
    let error = SyntaxError::new("P0001", span, format!("No declaration begins with {word}."));
    match nearest(word, known) {
        Some(near) => error.label(format!("did you mean {near}?")).fix(
            Safety::Safe,
            format!("{word} is {near}"),
            span,
            near,
        ),
        None => error
            .label("not one")
            .help(format!("Declarations begin with {}.", listed(known))),
    }
}

pub(crate) fn declaration_form(span: Span, word: &str, form: &str) -> SyntaxError {
    SyntaxError::new(
        "P0001",
        span,
        format!("This declaration of a `{word}` can't be read."),
    )
    .label("not understood")
    .help(format!("It is written `{form}`."))
}

/// What a block that isn't closed is cut off by.
pub(crate) enum CutOff {
    /// The end of the file.
    EndOfFile,
    /// What begins there, as words, and the line where it does.
    By {
        what: String,
        span: Span,
        line: usize,
    },
}

pub(crate) fn unclosed_block(
    brace: Span,
    what: &str,
    cut: CutOff,
    mend: (usize, String),
) -> SyntaxError {
    let (at, text) = mend;
    let error = match cut {
        CutOff::EndOfFile => SyntaxError::new(
            "P0002",
            brace,
            format!("{what} isn't closed: the file ends before its }}."),
        )
        .fix(Safety::Safe, "} at the end of the file", Span::at(at), text),
        CutOff::By {
            what: next,
            span,
            line,
        } => SyntaxError::new(
            "P0002",
            brace,
            format!("{what} isn't closed: {next} begins at line {line}."),
        )
        .related(span, format!("{next} begins here"))
        .fix(
            Safety::Safe,
            format!("}} before line {line}"),
            Span::at(at),
            text,
        ),
    };
    error.label("opened here, and never closed")
}
