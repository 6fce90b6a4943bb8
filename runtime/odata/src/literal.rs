//! Literals as they stand in URLs: key predicates and `$filter`.
//!
//! Source: *OData Version 4.01, Part 2: URL Conventions*, 5.1.1.14 "Literals".

use std::borrow::Cow;
use std::fmt::{self, Write};

use crate::time;

/// A literal. Numbers keep their text, so that no digit is lost on the way.
///
/// ```
/// use dwmap_odata::Literal;
/// assert_eq!(Literal::text("O'Neil").to_string(), "'O''Neil'");
/// assert_eq!("'O''Neil'".parse::<Literal>().unwrap(), Literal::text("O'Neil"));
/// assert_eq!(Literal::member("Microsoft.Dynamics.DataEntities.NoYes", "Yes").to_string(),
///            "Microsoft.Dynamics.DataEntities.NoYes'Yes'");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number, in the digits of JSON (`12.50`, `1e3`).
    Number(Cow<'a, str>),
    /// A string, without its quotes.
    Text(Cow<'a, str>),
    /// A GUID, its bytes in the order in which they are written.
    Guid([u8; 16]),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00:00Z.
    DateTime(i64),
    /// An enum's member: its qualified type and its name (or number), `Ns.NoYes'Yes'`.
    Member {
        /// The qualified name of the enum.
        enum_type: Cow<'a, str>,
        /// What stands in quotes.
        member: Cow<'a, str>,
    },
}

/// A text that is no literal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an OData literal; texts stand in single quotes, GUIDs and dates stand bare")]
pub struct LiteralError(pub String);

impl<'a> Literal<'a> {
    /// A string.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    /// An enum's member, by the enum's qualified name.
    pub fn member(enum_type: impl Into<Cow<'a, str>>, member: impl Into<Cow<'a, str>>) -> Self {
        Self::Member {
            enum_type: enum_type.into(),
            member: member.into(),
        }
    }

    /// The same, owning its texts.
    pub fn into_owned(self) -> Literal<'static> {
        match self {
            Self::Null => Literal::Null,
            Self::Bool(v) => Literal::Bool(v),
            Self::Int(v) => Literal::Int(v),
            Self::Number(v) => Literal::Number(v.into_owned().into()),
            Self::Text(v) => Literal::Text(v.into_owned().into()),
            Self::Guid(v) => Literal::Guid(v),
            Self::Date(v) => Literal::Date(v),
            Self::DateTime(v) => Literal::DateTime(v),
            Self::Member { enum_type, member } => Literal::Member {
                enum_type: enum_type.into_owned().into(),
                member: member.into_owned().into(),
            },
        }
    }

    /// Reads one literal that begins at the start of `text`; gives it with the number of bytes that it takes.
    /// `None` if no literal begins there.
    pub fn read(text: &str) -> Option<(Literal<'_>, usize)> {
        if text.starts_with('\'') {
            let (content, taken) = quoted(text)?;
            return Some((Literal::Text(content), taken));
        }
        let end = text
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '+' | ':')))
            .unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        if rest.starts_with('\'') && word.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            let (member, taken) = quoted(rest)?;
            let enum_type = Cow::Borrowed(word);
            return Some((Literal::Member { enum_type, member }, end + taken));
        }
        bare(word).map(|literal| (literal, end))
    }
}

/// The content of the quoted string at the start of `text`, and the bytes it takes with its quotes.
fn quoted(text: &str) -> Option<(Cow<'_, str>, usize)> {
    let body = text.strip_prefix('\'')?;
    let mut from = 0;
    loop {
        let at = from + body[from..].find('\'')?;
        if body[at + 1..].starts_with('\'') {
            from = at + 2;
            continue;
        }
        let raw = &body[..at];
        let content = if from == 0 {
            Cow::Borrowed(raw)
        } else {
            Cow::Owned(raw.replace("''", "'"))
        };
        return Some((content, at + 2));
    }
}

fn bare(word: &str) -> Option<Literal<'_>> {
    match word {
        "null" => return Some(Literal::Null),
        "true" => return Some(Literal::Bool(true)),
        "false" => return Some(Literal::Bool(false)),
        _ => {}
    }
    if let Some(guid) = parse_guid(word) {
        return Some(Literal::Guid(guid));
    }
    if let Some(days) = time::parse_date(word) {
        return Some(Literal::Date(days));
    }
    if let Some(micros) = time::parse_datetime(word) {
        return Some(Literal::DateTime(micros));
    }
    if !is_number(word) {
        return None;
    }
    // "-0" and "+7" keep their text: as whole numbers they would be written differently.
    match word.parse::<i64>() {
        Ok(n) if !word.starts_with(['+', '-']) || n < 0 => Some(Literal::Int(n)),
        _ => Some(Literal::Number(Cow::Borrowed(word))),
    }
}

/// Whether it is a number as JSON and OData write it.
fn is_number(word: &str) -> bool {
    let body = word.strip_prefix(['-', '+']).unwrap_or(word);
    let (mantissa, exponent) = body
        .find(['e', 'E'])
        .map_or((body, None), |at| (&body[..at], Some(&body[at + 1..])));
    let (whole, places) = mantissa
        .split_once('.')
        .map_or((mantissa, None), |(w, p)| (w, Some(p)));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits(whole)
        && places.is_none_or(digits)
        && exponent.is_none_or(|e| digits(e.strip_prefix(['-', '+']).unwrap_or(e)))
}

/// Reads `00000000-0000-0000-0000-000000000000`, in either case.
pub fn parse_guid(text: &str) -> Option<[u8; 16]> {
    let bytes = text.as_bytes();
    if bytes.len() != 36 || [8, 13, 18, 23].iter().any(|at| bytes[*at] != b'-') {
        return None;
    }
    let mut digits = bytes.iter().filter(|b| **b != b'-');
    let mut guid = [0; 16];
    for byte in &mut guid {
        let high = char::from(*digits.next()?).to_digit(16)?;
        let low = char::from(*digits.next()?).to_digit(16)?;
        *byte = (high * 16 + low) as u8;
    }
    digits.next().is_none().then_some(guid)
}

/// Writes a GUID in lower case, without braces.
pub fn write_guid(out: &mut impl Write, guid: &[u8; 16]) -> fmt::Result {
    for (at, byte) in guid.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.write_char('-')?;
        }
        write!(out, "{byte:02x}")?;
    }
    Ok(())
}

fn write_quoted(out: &mut impl Write, text: &str) -> fmt::Result {
    out.write_char('\'')?;
    for (at, piece) in text.split('\'').enumerate() {
        if at > 0 {
            out.write_str("''")?;
        }
        out.write_str(piece)?;
    }
    out.write_char('\'')
}

impl fmt::Display for Literal<'_> {
    /// Not percent-encoded: [`crate::Url`] does that.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(v) => write!(f, "{v}"),
            Self::Int(v) => write!(f, "{v}"),
            Self::Number(v) => f.write_str(v),
            Self::Text(v) => write_quoted(f, v),
            Self::Guid(v) => write_guid(f, v),
            Self::Date(v) => time::write_date(f, *v),
            Self::DateTime(v) => time::write_datetime(f, *v),
            Self::Member { enum_type, member } => {
                f.write_str(enum_type)?;
                write_quoted(f, member)
            }
        }
    }
}

impl std::str::FromStr for Literal<'static> {
    type Err = LiteralError;

    fn from_str(text: &str) -> Result<Self, LiteralError> {
        match Literal::read(text) {
            Some((literal, taken)) if taken == text.len() => Ok(literal.into_owned()),
            _ => Err(LiteralError(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_each_kind() {
        let cases = [
            ("null", Literal::Null),
            ("true", Literal::Bool(true)),
            ("-12", Literal::Int(-12)),
            ("12.50", Literal::Number("12.50".into())),
            ("1e3", Literal::Number("1e3".into())),
            ("''", Literal::text("")),
            ("'a''b'", Literal::text("a'b")),
            ("1970-01-02", Literal::Date(1)),
            ("1970-01-01T00:00:01Z", Literal::DateTime(1_000_000)),
            (
                "00000000-0000-0000-0000-0000000000FF",
                Literal::Guid([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255]),
            ),
            ("Ns.NoYes'Yes'", Literal::member("Ns.NoYes", "Yes")),
        ];
        for (text, wanted) in cases {
            assert_eq!(text.parse::<Literal<'_>>().unwrap(), wanted, "{text}");
        }
        for wrong in ["", "'", "'a", "a", "1.", ".5", "1e", "--1", "nul", "'a'b'"] {
            assert!(wrong.parse::<Literal<'_>>().is_err(), "{wrong}");
        }
    }

    fn literals() -> impl Strategy<Value = Literal<'static>> {
        prop_oneof![
            Just(Literal::Null),
            any::<bool>().prop_map(Literal::Bool),
            any::<i64>().prop_map(Literal::Int),
            (any::<i32>(), 0_u32..1000)
                .prop_map(|(w, p)| Literal::Number(format!("{w}.{p}").into())),
            any::<String>().prop_map(Literal::text),
            any::<[u8; 16]>().prop_map(Literal::Guid),
            (-719_162..2_932_896_i32).prop_map(Literal::Date),
            (-62_135_596_800_000_000_i64..253_402_300_799_999_999).prop_map(Literal::DateTime),
            (
                "[A-Z][a-zA-Z]{0,5}(\\.[A-Z][a-zA-Z]{0,5}){0,2}",
                any::<String>()
            )
                .prop_map(|(t, m)| Literal::member(t, m)),
        ]
    }

    proptest! {
        #[test]
        fn round_trips(literal in literals()) {
            prop_assert_eq!(literal.to_string().parse::<Literal<'_>>(), Ok(literal));
        }

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = Literal::read(&text);
            let _ = parse_guid(&text);
        }
    }
}
