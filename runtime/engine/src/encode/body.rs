//! The fast way: from slots to bytes, everything looked up beforehand.

use dwmap_plan::{
    EnumDef, MapPlan, MissingPolicy, Repr, Side, SlotId, Type, WriteColumn, WriteRepr,
};

use super::values::{json, key};
use super::{EncodeError, EncodeProblem, WriteKind, only_at_birth};
use crate::code::{Code, Kind};
use crate::engine::EngineError;
use crate::reader::suits;
use crate::row::RowView;
use crate::slot::State;
use crate::write::{self, Fixed};

/// How a side is written with the values of the other side's program.
#[derive(Debug)]
pub(crate) struct Body {
    columns: Vec<Column>,
    enums: Vec<Names>,
}

#[derive(Debug)]
struct Column {
    line: u16,
    /// The slot of its value; none where the line doesn't flow this way.
    slot: Option<SlotId>,
    /// `,"wire":`
    key: Fixed,
    form: Form,
    /// What is written for null.
    null: Box<[u8]>,
    only_at_birth: bool,
    /// A missing reference is written as null.
    blank: bool,
}

/// How a slot's value stands in JSON.
#[derive(Debug)]
enum Form {
    Text,
    Bool,
    Int,
    Decimal,
    Float,
    Date,
    /// A day as an instant at noon.
    DateNoon,
    DateTime,
    LocalTime,
    Guid,
    EnumName(u16),
    Binary,
    /// `"/set(` before the identity.
    Bind(Box<[u8]>, Kind),
}

/// The members of an enum: their values, sorted, and their names in quotes.
#[derive(Debug)]
struct Names(Vec<(i64, Box<[u8]>)>);

impl Body {
    /// Prepares the writing of `target` with the values of `source`, the other side's code.
    pub(crate) fn new(map: &MapPlan, target: Side, source: &Code) -> Result<Self, EngineError> {
        let write = &map.side(target).write;
        let columns = write
            .columns
            .iter()
            .map(|c| Column::new(map, c, &write.enums, source))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            columns,
            enums: write.enums.iter().map(Names::new).collect(),
        })
    }

    /// Appends the object; after an error `out` is as before.
    pub(crate) fn write(
        &self,
        row: &RowView<'_>,
        wanted: impl Fn(u16) -> bool,
        kind: WriteKind,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let start = out.len();
        for column in &self.columns {
            let Some(slot) = column.slot else { continue };
            let unwritten = column.only_at_birth && kind == WriteKind::Update;
            if unwritten || !wanted(column.line) {
                continue;
            }
            column.key.write(out);
            if let Err(problem) = self.value(column, slot, row, out) {
                out.truncate(start);
                let line = column.line;
                return Err(EncodeError { line, problem });
            }
        }
        // The first comma becomes the brace.
        match out.get_mut(start) {
            Some(comma) => *comma = b'{',
            None => out.push(b'{'),
        }
        out.push(b'}');
        Ok(())
    }

    #[inline]
    fn value(
        &self,
        column: &Column,
        at: SlotId,
        row: &RowView<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeProblem> {
        match row.frame.state(at) {
            State::Value => {}
            State::Null => {
                out.extend_from_slice(&column.null);
                return Ok(());
            }
            State::Missing if column.blank => {
                out.extend_from_slice(&column.null);
                return Ok(());
            }
            _ => {
                // A cell without a value says why.
                let stop = row.cell(at).to_result().err();
                return Err(stop.map_or(EncodeProblem::Mismatch, EncodeProblem::Stopped));
            }
        }
        let slot = row.frame.slot(at);
        match &column.form {
            Form::Text => {
                let (span, texts) = (slot.as_span(), row.texts());
                match texts.quoted(span) {
                    Some(token) => write::short(out, token),
                    None => write::text::string(out, texts.bytes(span), span.plain),
                }
            }
            Form::Bool => out.extend_from_slice(if slot.as_bool() { b"true" } else { b"false" }),
            Form::Int => write::int(out, slot.as_int()),
            Form::Decimal => write::decimal(out, row.frame.decimal(at)),
            Form::Float => write::float(out, slot.as_float()),
            Form::EnumName(names) => {
                let name = self.enums[usize::from(*names)].get(slot.as_int());
                out.extend_from_slice(name.ok_or(EncodeProblem::NoMember)?);
            }
            Form::Binary => write::base64(out, row.frame.blob(slot)),
            Form::Guid => {
                out.push(b'"');
                write::time::guid(out, slot.as_guid());
                out.push(b'"');
            }
            Form::Bind(prefix, kind) => {
                out.extend_from_slice(prefix);
                bind(out, *kind, at, row);
                out.extend_from_slice(b")\"");
            }
            form => {
                out.push(b'"');
                time(out, form, slot.as_int()).map_err(|_| EncodeProblem::BeyondCalendar)?;
                out.push(b'"');
            }
        }
        Ok(())
    }
}

fn time(out: &mut Vec<u8>, form: &Form, n: i64) -> Result<(), write::time::BeyondCalendar> {
    match form {
        Form::DateTime => {
            write::time::moment(out, n)?;
            out.push(b'Z');
        }
        Form::LocalTime => write::time::moment(out, n)?,
        Form::DateNoon => {
            write::time::day(out, n)?;
            out.extend_from_slice(b"T12:00:00Z");
        }
        _ => write::time::day(out, n)?,
    }
    Ok(())
}

/// The identity in an OData address, within a JSON string.
fn bind(out: &mut Vec<u8>, kind: Kind, at: SlotId, row: &RowView<'_>) {
    let slot = row.frame.slot(at);
    match kind {
        Kind::Guid => write::time::guid(out, slot.as_guid()),
        Kind::Text => {
            let span = slot.as_span();
            out.push(b'\'');
            for (i, part) in row.texts().bytes(span).split(|b| *b == b'\'').enumerate() {
                if i > 0 {
                    out.extend_from_slice(b"''");
                }
                write::text::content(out, part, span.plain);
            }
            out.push(b'\'');
        }
        _ => write::int(out, slot.as_int()),
    }
}

impl Column {
    fn new(
        map: &MapPlan,
        column: &WriteColumn,
        enums: &[EnumDef],
        source: &Code,
    ) -> Result<Self, EngineError> {
        let line = &map.lines[usize::from(column.line)];
        let out = &source.outputs.out;
        let slot = out.get(usize::from(column.line)).copied().flatten();
        let ty = slot.map(|s| &source.types[usize::from(s)]);
        let wrong = || EngineError::Write {
            line: line.text.clone(),
            wire: column.wire.clone(),
            ty: ty.cloned().unwrap_or(Type::Text(None)),
        };
        let null = match &column.null {
            Some(value) => json(&column.repr, value, enums).map_err(|_| wrong())?,
            None => "null".to_owned(),
        };
        Ok(Self {
            line: column.line,
            slot,
            key: Fixed::new(format!(",{}", key(column)).as_bytes()),
            form: Form::new(&column.repr, ty).ok_or_else(wrong)?,
            null: null.into_bytes().into(),
            only_at_birth: only_at_birth(column, line),
            blank: line.missing == MissingPolicy::Blank,
        })
    }
}

impl Form {
    /// None where values of the type can't stand so.
    fn new(repr: &WriteRepr, ty: Option<&Type>) -> Option<Self> {
        let repr = match repr {
            WriteRepr::Column(repr) | WriteRepr::Identity(repr) => repr,
            WriteRepr::Bind { set } => {
                let mut prefix = b"\"/".to_vec();
                write::text::content(&mut prefix, set.as_bytes(), false);
                prefix.push(b'(');
                let kind = ty.map_or(Kind::Guid, Kind::of);
                let whole = matches!(ty, Some(Type::Int32 | Type::Int64 | Type::Enum(_)) | None);
                return (matches!(kind, Kind::Guid | Kind::Text) || whole)
                    .then(|| Self::Bind(prefix.into(), kind));
            }
        };
        if ty.is_some_and(|ty| !suits(repr, ty)) {
            return None;
        }
        Some(match repr {
            Repr::Text => Self::Text,
            Repr::Bool => Self::Bool,
            Repr::Int32 | Repr::Int64 | Repr::EnumInt(_) => Self::Int,
            Repr::Decimal(..) => Self::Decimal,
            Repr::Float64 => Self::Float,
            Repr::Date => Self::Date,
            Repr::DateNoon => Self::DateNoon,
            Repr::DateTime => Self::DateTime,
            Repr::LocalTime => Self::LocalTime,
            Repr::Guid => Self::Guid,
            Repr::EnumName(at) => Self::EnumName(*at),
            Repr::Binary => Self::Binary,
        })
    }
}

impl Names {
    fn new(def: &EnumDef) -> Self {
        let mut names: Vec<(i64, Box<[u8]>)> = def
            .members
            .iter()
            .map(|m| {
                let mut name = vec![];
                write::text::string(&mut name, m.name.as_bytes(), false);
                (m.value, name.into())
            })
            .collect();
        names.sort_by_key(|(value, _)| *value);
        names.dedup_by_key(|(value, _)| *value);
        Self(names)
    }

    fn get(&self, value: i64) -> Option<&[u8]> {
        let at = self.0.binary_search_by_key(&value, |(v, _)| *v).ok()?;
        Some(&self.0[at].1)
    }
}
