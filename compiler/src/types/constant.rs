//! Constants: a literal or a member of an enum, typed by the place where it stands.

use dwmap_grammar::Safety;
use dwmap_grammar::tree::{Ident, Literal, LiteralKind};
use dwmap_plan::{Decimal, EnumDef, Rounding, Type, Value};

use crate::diagnostics::{Diagnostic, MEMBER_IN_QUOTES, UNKNOWN_MEMBER, WRONG_LITERAL};
use crate::sources::Place;
use crate::suggest::nearest;

/// A literal as a value of a type; `None` where it isn't one.
pub(crate) fn value_of(literal: &LiteralKind, ty: &Type) -> Option<Value> {
    match (literal, ty) {
        (LiteralKind::Null, _) => Some(Value::Null),
        (LiteralKind::String(text), Type::Text(_)) => Some(Value::Text(text.clone())),
        (LiteralKind::String(text), Type::Guid) => guid(text).map(Value::Guid),
        (LiteralKind::Bool(value), Type::Bool) => Some(Value::Bool(*value)),
        (LiteralKind::Number(text), _) => number(text, ty),
        (LiteralKind::Date(text), Type::Date) => date(text).map(Value::Date),
        (LiteralKind::DateTime(text), Type::DateTime | Type::LocalTime) => {
            instant(text).map(Value::DateTime)
        }
        _ => None,
    }
}

fn number(text: &str, ty: &Type) -> Option<Value> {
    match ty {
        Type::Int32 => text.parse::<i32>().ok().map(|n| Value::Int(n.into())),
        Type::Int64 => text.parse().ok().map(Value::Int),
        Type::Float64 => text.parse().ok().map(Value::Float),
        Type::Decimal(_, scale) => {
            let number: Decimal = text.parse().ok()?;
            let number = number.rescale(*scale, Rounding::HalfEven).ok()?;
            Some(Value::Decimal(number))
        }
        _ => None,
    }
}

/// Days since 1970-01-01 of `2026-01-31`, by Howard Hinnant's `days_from_civil`.
fn date(text: &str) -> Option<i32> {
    let mut parts = text.splitn(3, '-').map(str::parse::<i64>);
    let (year, month, day) = (
        parts.next()?.ok()?,
        parts.next()?.ok()?,
        parts.next()?.ok()?,
    );
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    i32::try_from(era * 146_097 + day_of_era - 719_468).ok()
}

/// Microseconds since 1970 of `2026-01-31T00:00:00Z`, with an optional fraction, and an optional zone.
fn instant(text: &str) -> Option<i64> {
    let (day, time) = text.split_once('T')?;
    let (time, offset_minutes) = zone(time)?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut parts = clock.splitn(3, ':').map(str::parse::<i64>);
    let (hour, minute) = (parts.next()?.ok()?, parts.next()?.ok()?);
    let second = parts.next().and_then(Result::ok).unwrap_or(0);
    let micros: i64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
    let minutes = i64::from(date(day)?) * 1440 + hour * 60 + minute - offset_minutes;
    Some((minutes * 60 + second) * 1_000_000 + micros)
}

/// The time without its zone, and the zone's minutes east.
fn zone(time: &str) -> Option<(&str, i64)> {
    if let Some(time) = time.strip_suffix('Z') {
        return Some((time, 0));
    }
    let Some(at) = time.rfind(['+', '-']) else {
        return Some((time, 0));
    };
    let (hours, minutes) = time[at + 1..].split_once(':')?;
    let minutes = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
    let sign = if time[at..].starts_with('-') { -1 } else { 1 };
    Some((&time[..at], sign * minutes))
}

/// A day as it is written: the way back from [`date`], by Howard Hinnant's `civil_from_days`.
pub(crate) fn date_text(days: i32) -> String {
    let shifted = i64::from(days) + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// A value as the language writes it; members of enums are their owner's to name.
pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Decimal(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Text(text) => format!("\"{text}\""),
        Value::Date(days) => date_text(*days),
        Value::DateTime(micros) => {
            let (seconds, days) = (
                micros.div_euclid(1_000_000).rem_euclid(86_400),
                micros.div_euclid(86_400_000_000),
            );
            let day = i32::try_from(days).unwrap_or_default();
            let (hour, minute) = (seconds / 3600, seconds / 60 % 60);
            format!(
                "{}T{hour:02}:{minute:02}:{:02}Z",
                date_text(day),
                seconds % 60
            )
        }
        Value::Guid(bytes) => {
            let digits = u128::from_be_bytes(*bytes);
            format!("{digits:032x}")
        }
        Value::Binary(bytes) => format!("{} bytes", bytes.len()),
    }
}

fn guid(text: &str) -> Option<[u8; 16]> {
    let dashes_right = text.len() == 36
        && text.is_ascii()
        && [8, 13, 18, 23]
            .iter()
            .all(|at| text.as_bytes()[*at] == b'-');
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    if !dashes_right || digits.len() != 32 {
        return None;
    }
    let mut bytes = [0; 16];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

/// The kind of a literal, in words.
pub(crate) const fn kind_of(literal: &LiteralKind) -> &'static str {
    match literal {
        LiteralKind::String(_) => "a text",
        LiteralKind::Number(_) => "a number",
        LiteralKind::Date(_) => "a date",
        LiteralKind::DateTime(_) => "an instant",
        LiteralKind::Bool(_) => "a truth value",
        LiteralKind::Null => "null",
    }
}

/// A type in words: `an option set`, or as it is written.
pub(crate) fn type_in_words(ty: &Type) -> String {
    match ty {
        Type::Enum(name) => format!("an option set (enum {name})"),
        other => other.to_string(),
    }
}

/// What a constant stands for: a named field, in a sentence, and where it is declared.
#[derive(Debug, Clone)]
pub(crate) struct Expected<'a> {
    /// Its type.
    pub(crate) ty: &'a Type,
    /// The enum, where the type is one, and its place.
    pub(crate) members: Option<(&'a EnumDef, Place)>,
    /// What it is called: `customertypecode`.
    pub(crate) name: &'a str,
    /// Where it is declared.
    pub(crate) place: Option<Place>,
}

impl Expected<'_> {
    /// A literal that stands for this.
    pub(crate) fn literal(
        &self,
        literal: &Literal,
        place: Place,
    ) -> Result<Value, Box<Diagnostic>> {
        let truth = self.members.filter(|(members, _)| members.boolean);
        match (&literal.kind, self.members) {
            (LiteralKind::Bool(value), _) if truth.is_some() => {
                return Ok(Value::Int(i64::from(*value)));
            }
            (LiteralKind::String(text), Some((members, _))) if members.by_name(text).is_some() => {
                return Err(Box::new(self.member_in_quotes(text, place)));
            }
            (kind, _) => {
                if let Some(value) = value_of(kind, self.ty) {
                    return Ok(value);
                }
            }
        }
        Err(Box::new(self.wrong_literal(literal, place)))
    }

    fn member_in_quotes(&self, text: &str, place: Place) -> Diagnostic {
        let message = format!(
            "{} is an option set, and \"{text}\" is a text; its members are named without quotes",
            self.name
        );
        let diagnostic = Diagnostic::new(MEMBER_IN_QUOTES, place, message)
            .label("a text")
            .fix(Safety::Safe, "name the member without quotes", place, text);
        self.declared(diagnostic)
    }

    fn wrong_literal(&self, literal: &Literal, place: Place) -> Diagnostic {
        let message = format!(
            "{} is {}, and this is {}",
            self.name,
            type_in_words(self.ty),
            kind_of(&literal.kind)
        );
        let mut diagnostic =
            Diagnostic::new(WRONG_LITERAL, place, message).label(kind_of(&literal.kind).to_owned());
        if let (LiteralKind::Number(text), Some((members, _))) = (&literal.kind, self.members) {
            let number = text.parse().ok();
            if let Some(member) = number.and_then(|n| members.by_value(n)) {
                diagnostic = diagnostic.fix(
                    Safety::Safe,
                    format!("{text} is {}", member.name),
                    place,
                    member.name.as_str(),
                );
            }
        }
        self.declared(diagnostic)
    }

    fn declared(&self, diagnostic: Diagnostic) -> Diagnostic {
        match self.place {
            Some(place) => diagnostic.related(place, format!("{} is declared here", self.name)),
            None => diagnostic,
        }
    }

    /// A member by name; the caller knows that nothing else can be meant.
    pub(crate) fn member(&self, name: &Ident, place: Place) -> Result<Value, Box<Diagnostic>> {
        let Some((members, declared)) = self.members else {
            let message = format!(
                "{} is {}, which has no members, and there is no field {}",
                self.name, self.ty, name.text
            );
            let diagnostic = Diagnostic::new(UNKNOWN_MEMBER, place, message)
                .label("neither a field nor a member")
                .help(format!("a text stands in quotes: \"{}\"", name.text));
            return Err(Box::new(self.declared(diagnostic)));
        };
        if let Some(member) = members.by_name(&name.text) {
            return Ok(Value::Int(member.value));
        }
        let meant = nearest(&name.text, members.members.iter().map(|m| m.name.as_str()));
        let message = format!("{} has no member {}", members.name, name.text);
        let diagnostic = Diagnostic::new(UNKNOWN_MEMBER, place, message)
            .label("not one of its members")
            .related(declared, "the enum")
            .meant(meant, place);
        Err(Box::new(diagnostic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_instants() {
        assert_eq!(date("1970-01-01"), Some(0));
        assert_eq!(date("1900-01-01"), Some(-25567));
        assert_eq!(date("2026-01-31"), Some(20484));
        for day in ["1900-01-01", "2000-02-29", "2026-12-31", "1999-03-01"] {
            assert_eq!(date(day).map(date_text).as_deref(), Some(day));
        }
        let noon = instant("2026-01-31T12:00:05Z").map(Value::DateTime);
        assert_eq!(
            noon.as_ref().map(text_of).as_deref(),
            Some("2026-01-31T12:00:05Z")
        );
        assert_eq!(instant("1970-01-01T00:00:01.5Z"), Some(1_500_000));
        assert_eq!(instant("1970-01-01T01:00:00+01:00"), Some(0));
    }

    #[test]
    fn a_guid_is_read_in_the_order_it_is_written() {
        let read = guid("00112233-4455-6677-8899-aabbccddeeff");
        assert_eq!(
            read.map(|bytes| bytes[..3].to_vec()),
            Some(vec![0, 0x11, 0x22])
        );
        assert_eq!(guid("no"), None);
    }
}
