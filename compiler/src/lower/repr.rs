//! How columns stand on the wire, by dialect.

use dwmap_plan::{Dialect, EnumDef, Field, Repr, Type};

use crate::model::SchemaModel;

/// The enums that a part of the plan refers to by index.
#[derive(Debug, Clone, Default)]
pub(crate) struct EnumList {
    pub(crate) list: Vec<EnumDef>,
}

impl EnumList {
    /// The index of an enum, added where it is new.
    pub(crate) fn index(&mut self, def: &EnumDef) -> u16 {
        let known = self.list.iter().position(|e| e.name == def.name);
        let at = known.unwrap_or_else(|| {
            self.list.push(def.clone());
            self.list.len() - 1
        });
        at as u16
    }
}

/// The form of a field's values on the wire.
pub(crate) fn of_field(schema: &SchemaModel, field: &Field, enums: &mut EnumList) -> Repr {
    let finops = schema.shape.dialect == Dialect::Finops;
    match &field.ty {
        Type::Text(_) => Repr::Text,
        Type::Bool => Repr::Bool,
        Type::Int32 => Repr::Int32,
        Type::Int64 => Repr::Int64,
        Type::Decimal(precision, scale) => Repr::Decimal(*precision, *scale),
        Type::Float64 => Repr::Float64,
        Type::Date if finops => Repr::DateNoon,
        Type::Date => Repr::Date,
        Type::DateTime => Repr::DateTime,
        Type::LocalTime => Repr::LocalTime,
        Type::Guid => Repr::Guid,
        Type::Binary => Repr::Binary,
        Type::Enum(name) => match schema.find_enum(name) {
            Some((def, _)) if finops => Repr::EnumName(enums.index(def)),
            Some((def, _)) => Repr::EnumInt(enums.index(def)),
            // An unknown enum never gets past the schema's own checks.
            None => Repr::Int64,
        },
    }
}
