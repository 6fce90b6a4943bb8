//! Values of wanted columns, by their form on the wire.

use dwmap_plan::{Column, EnumDef, Repr, SlotId, Type};
use dwmap_steps::{Bound, Failure, JsonKind};

use super::string::Token;
use super::time::{self, Zone};
use super::{Cursor, RowError};
use crate::names::NameTable;
use crate::slot::{Buffer, Frame, Slot, Span};

/// The columns of a program, and how their values are decoded.
#[derive(Debug)]
pub(crate) struct Columns {
    reprs: Vec<Repr>,
    enums: Vec<Members>,
}

/// The members of an enum.
#[derive(Debug)]
struct Members {
    names: NameTable,
    values: Vec<i64>,
}

impl Columns {
    pub(crate) fn new(columns: &[Column], enums: &[EnumDef]) -> Self {
        Self {
            reprs: columns.iter().map(|c| c.repr.clone()).collect(),
            enums: enums.iter().map(Members::new).collect(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.reprs.len()
    }

    /// Reads a value into its column's slot.
    #[inline]
    pub(super) fn read(
        &self,
        cursor: &mut Cursor<'_>,
        column: u16,
        frame: &mut Frame,
    ) -> Result<(), RowError> {
        let repr = &self.reprs[usize::from(column)];
        // What most values are: a string as it stands. It is looked for before the column is asked what it wants, since
        // in a record whose keys come in any order that answer comes late.
        let Some(token) = cursor.plain_string() else {
            return self.any(cursor, repr, column, frame);
        };
        if matches!(repr, Repr::Text) {
            frame.set(column, Slot::span(token.span()));
        } else {
            self.content(cursor.slice(token.from, token.to), repr, column, frame);
        }
        Ok(())
    }

    fn any(
        &self,
        cursor: &mut Cursor<'_>,
        repr: &Repr,
        column: u16,
        frame: &mut Frame,
    ) -> Result<(), RowError> {
        let wrong = |kind| Err(Failure::WrongKind(kind));
        let result = match cursor.peek() {
            Some(b'"') => {
                let token = cursor.string()?;
                return self.string(cursor, token, repr, column, frame);
            }
            Some(b'-' | b'0'..=b'9') => self.number(cursor, repr, column, frame)?,
            Some(b'n') => {
                cursor.word("null")?;
                frame.set_null(column);
                return Ok(());
            }
            Some(first @ (b't' | b'f')) => {
                cursor.word(if first == b't' { "true" } else { "false" })?;
                match repr {
                    Repr::Bool => Ok(Slot::bool(first == b't')),
                    _ => wrong(JsonKind::Bool),
                }
            }
            Some(open @ (b'{' | b'[')) => {
                cursor.skip()?;
                wrong(if open == b'{' {
                    JsonKind::Object
                } else {
                    JsonKind::Array
                })
            }
            _ => return Err(cursor.expected("a value")),
        };
        store(frame, column, result);
        Ok(())
    }

    fn string(
        &self,
        cursor: &Cursor<'_>,
        token: Token,
        repr: &Repr,
        column: SlotId,
        frame: &mut Frame,
    ) -> Result<(), RowError> {
        if matches!(repr, Repr::Text) {
            let span = if token.escaped {
                let start = frame.arena.len();
                cursor.decode(token, &mut frame.arena)?;
                frame.arena_span(start)
            } else {
                token.span()
            };
            frame.set(column, Slot::span(span));
            return Ok(());
        }
        if !token.escaped {
            self.content(cursor.slice(token.from, token.to), repr, column, frame);
            return Ok(());
        }
        // Escapes in a date, a guid or a member's name are legal and not to be expected: the text is taken aside.
        let mut text = String::new();
        cursor.decode(token, &mut text)?;
        self.content(&text, repr, column, frame);
        Ok(())
    }

    /// The decoded content of a string, for a column that isn't text.
    fn content(&self, text: &str, repr: &Repr, column: SlotId, frame: &mut Frame) {
        let bytes = text.as_bytes();
        let read = |slot: Option<Slot>| slot.ok_or(Failure::Unreadable);
        let result = match repr {
            Repr::Date => read(time::day(bytes).map(Slot::int)),
            Repr::DateNoon => read(time::day_of_instant(bytes).map(Slot::int)),
            Repr::DateTime => read(time::instant(bytes, Zone::Needed).map(Slot::int)),
            Repr::LocalTime => read(time::instant(bytes, Zone::Local).map(Slot::int)),
            Repr::Guid => read(time::guid(bytes).map(Slot::guid)),
            Repr::Int64 => read(digits(text).map(Slot::int)),
            Repr::EnumName(at) => self.enums[usize::from(*at)]
                .names
                .get(text)
                .map(Slot::int)
                .ok_or(Failure::UnknownMember),
            Repr::Binary => {
                let start = frame.blobs.len();
                if time::base64(bytes, &mut frame.blobs).is_some() {
                    frame.set_blob(column, start);
                    return;
                }
                frame.blobs.truncate(start);
                Err(Failure::Unreadable)
            }
            _ => Err(Failure::WrongKind(JsonKind::String)),
        };
        store(frame, column, result);
    }

    fn number(
        &self,
        cursor: &mut Cursor<'_>,
        repr: &Repr,
        column: SlotId,
        frame: &mut Frame,
    ) -> Result<Result<Slot, Failure>, RowError> {
        let number = cursor.number()?;
        let whole = |bound: Bound| match cursor.whole_of(&number) {
            None => Err(Failure::WrongKind(JsonKind::Number)),
            Some(Err(())) => Err(Failure::OutOfRange(bound)),
            Some(Ok(n)) if bound == Bound::Int32 && i32::try_from(n).is_err() => {
                Err(Failure::OutOfRange(bound))
            }
            Some(Ok(n)) => Ok(n),
        };
        Ok(match repr {
            Repr::Decimal(..) => {
                let n = cursor.decimal_of(&number)?;
                frame.scales[usize::from(column)] = n.scale();
                Ok(Slot::units(n.units()))
            }
            Repr::Float64 => Ok(Slot::float(cursor.float_of(&number)?)),
            Repr::Int32 => {
                cursor.short(&number)?;
                whole(Bound::Int32).map(Slot::int)
            }
            Repr::Int64 => {
                cursor.short(&number)?;
                whole(Bound::Int64).map(Slot::int)
            }
            Repr::EnumInt(at) => {
                cursor.short(&number)?;
                let members = &self.enums[usize::from(*at)].values;
                match whole(Bound::Int64) {
                    Ok(n) if members.binary_search(&n).is_ok() => Ok(Slot::int(n)),
                    Ok(_) | Err(Failure::OutOfRange(_)) => Err(Failure::UnknownMember),
                    Err(failure) => Err(failure),
                }
            }
            _ => Err(Failure::WrongKind(JsonKind::Number)),
        })
    }
}

fn store(frame: &mut Frame, column: SlotId, result: Result<Slot, Failure>) {
    match result {
        Ok(slot) => frame.set(column, slot),
        Err(failure) => frame.fail(column, failure),
    }
}

/// A whole number in a string, as services write 64 bits for clients that know only floats.
fn digits(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let canonical = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    canonical.then(|| text.parse().ok()).flatten()
}

impl Members {
    fn new(def: &EnumDef) -> Self {
        let mut values: Vec<i64> = def.members.iter().map(|m| m.value).collect();
        values.sort_unstable();
        values.dedup();
        Self {
            names: NameTable::new(def.members.iter().map(|m| (m.name.as_str(), m.value))),
            values,
        }
    }
}

impl Token {
    /// The content of a string without an escape, where it stands in the record.
    #[inline]
    const fn span(self) -> Span {
        Span {
            start: self.from as u32,
            len: (self.to - self.from) as u32,
            buffer: Buffer::Record,
            plain: true,
        }
    }
}

/// Whether values of this form are of this type.
pub(crate) fn suits(repr: &Repr, ty: &Type) -> bool {
    matches!(
        (repr, ty),
        (Repr::Text, Type::Text(_))
            | (Repr::Bool, Type::Bool)
            | (
                Repr::Int32 | Repr::Int64 | Repr::EnumName(_) | Repr::EnumInt(_),
                Type::Int32 | Type::Int64 | Type::Enum(_)
            )
            | (Repr::Decimal(..), Type::Decimal(..))
            | (Repr::Float64, Type::Float64)
            | (Repr::Date | Repr::DateNoon, Type::Date)
            | (
                Repr::DateTime | Repr::LocalTime,
                Type::DateTime | Type::LocalTime
            )
            | (Repr::Guid, Type::Guid)
            | (Repr::Binary, Type::Binary)
    )
}
