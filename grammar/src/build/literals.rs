//! Texts, numbers, dates and constants.

use super::Builder;
use crate::syntax::{Node, NodeExt, Rule};
use crate::tree::{Int, Literal, LiteralKind, Member, Text, Value};
use crate::{Span, mistakes};

impl Builder<'_> {
    pub(super) fn text(&mut self, node: &Node<'_>) -> Text {
        let span = node.place();
        Text {
            value: self.unquote(span),
            span,
        }
    }

    pub(super) fn int(&mut self, node: &Node<'_>) -> Int {
        let span = node.place();
        let text = span.of(self.source);
        let value = text.parse().unwrap_or_else(|_| {
            self.report(mistakes::number_too_large(span, text));
            0
        });
        Int { value, span }
    }

    pub(super) fn literal(&mut self, node: &Node<'_>) -> Option<Literal> {
        let span = node.place();
        let text = span.of(self.source);
        let inner = node.clone().into_inner().next()?;
        let kind = match inner.as_rule() {
            Rule::string => LiteralKind::String(self.unquote(span)),
            Rule::datetime => {
                self.check_date(span, text);
                LiteralKind::DateTime(text.to_owned())
            }
            Rule::date => {
                self.check_date(span, text);
                LiteralKind::Date(text.to_owned())
            }
            Rule::word_literal if text == "null" => LiteralKind::Null,
            Rule::word_literal => LiteralKind::Bool(text == "true"),
            _ => LiteralKind::Number(text.to_owned()),
        };
        Some(Literal { kind, span })
    }

    /// A `value`: a literal or a member.
    pub(super) fn value(&mut self, node: &Node<'_>) -> Option<Value> {
        if let Some(literal) = node.first(Rule::literal) {
            return self.literal(&literal).map(Value::Literal);
        }
        self.member(&node.first(Rule::member_ref)?)
            .map(Value::Member)
    }

    /// A `member_ref` or a `member_path`.
    pub(super) fn member(&mut self, node: &Node<'_>) -> Option<Member> {
        let mut names = self.idents(node).into_iter();
        let first = names.next()?;
        let (of, name) = match names.next() {
            Some(second) => (Some(first), second),
            None => (None, first),
        };
        Some(Member {
            of,
            name,
            span: node.place(),
        })
    }

    /// What a text says. It is read from the source, where its quotes may be others, or one may be missing; that has
    /// been reported with the tokens.
    fn unquote(&mut self, span: Span) -> String {
        let raw = span.of(self.source);
        let Some(quoted) = raw.strip_prefix('"') else {
            let mut inner = raw.chars();
            inner.next();
            inner.next_back();
            return inner.as_str().to_owned();
        };
        let closed = crate::tokens::is_closed_text(raw);
        let inner = if closed {
            &quoted[..quoted.len() - 1]
        } else {
            quoted
        };
        self.unescape(span.start + 1, inner)
    }

    fn unescape(&mut self, start: usize, inner: &str) -> String {
        let mut value = String::with_capacity(inner.len());
        let mut rest = inner;
        while let Some(at) = rest.find('\\') {
            value.push_str(&rest[..at]);
            let escape = &rest[at..];
            let place = start + inner.len() - escape.len();
            let (meant, len) = read_escape(escape);
            if let Some(character) = meant {
                value.push(character);
            } else {
                let span = Span::new(place, place + len);
                self.report(mistakes::unknown_escape(span, &escape[..len]));
            }
            rest = &escape[len..];
        }
        value.push_str(rest);
        value
    }

    fn check_date(&mut self, span: Span, text: &str) {
        if !is_on_the_calendar(text) {
            self.report(mistakes::no_such_date(span, text));
        }
    }
}

/// The character that an escape at the beginning of `text` stands for, and the escape's length in bytes.
fn read_escape(text: &str) -> (Option<char>, usize) {
    let Some(letter) = text[1..].chars().next() else {
        return (None, 1);
    };
    let simple = match letter {
        '"' | '\\' => Some(letter),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        _ => None,
    };
    let coded = text
        .strip_prefix("\\u{")
        .and_then(|rest| rest.split_once('}'));
    match (simple, coded) {
        (None, Some((digits, _))) if digits.len() <= 6 => {
            let code = u32::from_str_radix(digits, 16).ok();
            (code.and_then(char::from_u32), digits.len() + 4)
        }
        _ => (simple, 1 + letter.len_utf8()),
    }
}

/// Whether a date or an instant, written as the grammar has it, exists.
fn is_on_the_calendar(text: &str) -> bool {
    let number = |from: usize, to: usize| {
        text.get(from..to)
            .and_then(|digits| digits.parse::<u32>().ok())
    };
    let (Some(year), Some(month), Some(day)) = (number(0, 4), number(5, 7), number(8, 10)) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => 0,
    };
    let time_exists = text.len() <= 10
        || number(11, 13).is_some_and(|hour| hour < 24)
            && number(14, 16).is_some_and(|minute| minute < 60)
            && number(17, 19).is_some_and(|second| second < 60);
    year >= 1 && (1..=days).contains(&day) && time_exists
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leap_days_exist_in_leap_years() {
        assert!(is_on_the_calendar("2024-02-29"));
        assert!(is_on_the_calendar("2000-02-29"));
        assert!(!is_on_the_calendar("1900-02-29"));
        assert!(!is_on_the_calendar("2026-13-01"));
        assert!(!is_on_the_calendar("2026-01-31T24:00:00Z"));
        assert!(is_on_the_calendar("2154-12-31T23:59:59.999Z"));
    }

    #[test]
    fn escapes() {
        assert_eq!(read_escape("\\n"), (Some('\n'), 2));
        assert_eq!(read_escape("\\u{20ac}x"), (Some('€'), 8));
        assert_eq!(read_escape("\\u{d800}"), (None, 8));
        assert_eq!(read_escape("\\q"), (None, 2));
        assert_eq!(read_escape("\\é"), (None, 3));
    }
}
