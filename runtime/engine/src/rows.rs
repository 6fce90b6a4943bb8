//! Rows without a program: what a referenced record's key, or any fetched column, is read with.

use dwmap_plan::{Column, EnumDef, LengthUnit, NullForm, Repr, Storage, Type, Value};
use dwmap_steps::Failure;

use crate::engine::text_of;
use crate::reader::{Columns, RowError, Shape, read};
use crate::slot::{Frame, Slot, State, Texts, value_of};

/// Reads some columns of records as typed values.
#[derive(Debug)]
pub struct RowReader {
    columns: Columns,
    types: Vec<Type>,
    shape: Shape,
    frame: Frame,
}

impl RowReader {
    /// A reader of these columns, by wire name and form; `enums` are those that the forms refer to.
    pub fn new(columns: &[(String, Repr)], enums: &[EnumDef]) -> Self {
        let columns: Vec<Column> = columns
            .iter()
            .map(|(wire, repr)| column(wire, repr))
            .collect();
        let types: Vec<Type> = columns.iter().map(|c| c.ty.clone()).collect();
        Self {
            shape: Shape::new(columns.iter().map(|c| c.wire.as_str())),
            frame: Frame {
                slots: vec![Slot::default(); types.len()],
                states: vec![State::Null; types.len()],
                scales: vec![0; types.len()],
                ..Frame::default()
            },
            columns: Columns::new(&columns, enums),
            types,
        }
    }

    /// The columns' values as they stand on the wire, null where the record doesn't have them.
    pub fn read(&mut self, json: &[u8]) -> Result<Vec<Result<Value, Failure>>, RowError> {
        let record = text_of(json)?;
        self.frame.clear();
        read(record, &self.columns, &mut self.shape, &mut self.frame)?;
        let texts = Texts {
            record,
            arena: &self.frame.arena,
            pool: "",
        };
        let value = |(at, ty)| match self.frame.state(at) {
            State::Failed => Err(self.frame.failures[self.frame.slot(at).as_int() as usize]),
            _ => Ok(value_of(&self.frame, texts, ty, at).to_value()),
        };
        Ok((0..).zip(&self.types).map(value).collect())
    }
}

fn column(wire: &str, repr: &Repr) -> Column {
    Column {
        name: wire.to_owned(),
        wire: wire.to_owned(),
        ty: natural(repr),
        repr: repr.clone(),
        storage: Storage {
            null: NullForm::default(),
            nullable: true,
            required: false,
            trim_end: false,
            max_len: None,
            unit: LengthUnit::Utf16,
            min: None,
            max: None,
            one_of: vec![],
        },
        sensitive: false,
    }
}

/// The type of a form's values.
fn natural(repr: &Repr) -> Type {
    match repr {
        Repr::Text => Type::Text(None),
        Repr::Bool => Type::Bool,
        Repr::Int32 => Type::Int32,
        Repr::Int64 | Repr::EnumName(_) | Repr::EnumInt(_) => Type::Int64,
        Repr::Decimal(p, s) => Type::Decimal(*p, *s),
        Repr::Float64 => Type::Float64,
        Repr::Date | Repr::DateNoon => Type::Date,
        Repr::DateTime => Type::DateTime,
        Repr::LocalTime => Type::LocalTime,
        Repr::Guid => Type::Guid,
        Repr::Binary => Type::Binary,
    }
}
