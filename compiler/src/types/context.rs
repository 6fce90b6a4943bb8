//! What a map is checked in: its module, its sides, the schemas.

use dwmap_grammar::Span;
use dwmap_grammar::tree::Ident;
use dwmap_plan::{EnumDef, Field, Side, Type};

use crate::diagnostics::{Diagnostic, UNKNOWN_SIDE};
use crate::model::{EntityModel, Lookup, MapSide, Operand, SchemaModel, Stripe};
use crate::project::Options;
use crate::resolve::Sink;
use crate::resolve::paths::PathScope;
use crate::resolve::scope::{Names, SchemaIds};
use crate::sources::{Place, Sources};
use crate::suggest::nearest;
use crate::types::constant::Expected;

/// What all maps are checked in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) names: &'a Names<'a>,
    pub(crate) schemas: &'a [SchemaModel],
    pub(crate) schema_ids: &'a SchemaIds,
    pub(crate) options: &'a Options,
    pub(crate) sources: &'a Sources,
}

/// What one map is checked in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MapContext<'a> {
    pub(crate) project: Context<'a>,
    /// The map's module, by index.
    pub(crate) module: usize,
    pub(crate) sides: &'a [MapSide; 2],
}

/// The type of what stands at a side of a line, and where it comes from.
#[derive(Debug, Clone)]
pub(crate) struct Typed<'a> {
    pub(crate) ty: Type,
    /// The enum, and its place.
    pub(crate) members: Option<(&'a EnumDef, Place)>,
    /// The field, and its place.
    pub(crate) field: Option<(&'a Field, Place)>,
    /// How the system compares texts.
    pub(crate) fold: bool,
}

impl<'a> Typed<'a> {
    /// The texts that it can hold, where those are listed.
    pub(crate) fn one_of(&self) -> &'a [String] {
        self.field.map_or(&[], |(field, _)| field.one_of.as_slice())
    }

    /// In a sentence.
    pub(crate) fn name(&self) -> &'a str {
        self.field.map_or("it", |(field, _)| field.name.as_str())
    }

    /// What a constant in its place must be.
    pub(crate) fn expected(&self) -> Expected<'_> {
        Expected {
            ty: &self.ty,
            members: self.members,
            name: self.name(),
            place: self.field.map(|(_, place)| place),
        }
    }
}

impl<'a> MapContext<'a> {
    pub(crate) fn place(&self, span: Span) -> Place {
        self.project.names.modules[self.module].place(span)
    }

    pub(crate) fn schema(&self, side: Side) -> &'a SchemaModel {
        &self.project.schemas[self.sides[side.index()].schema]
    }

    pub(crate) fn entity(&self, side: Side) -> &'a EntityModel {
        &self.schema(side).entities[self.sides[side.index()].entity]
    }

    /// The side's name in the map.
    pub(crate) fn name(&self, side: Side) -> &'a str {
        &self.sides[side.index()].name
    }

    /// `fno.CustomersV3`
    pub(crate) fn shown(&self, side: Side) -> String {
        format!("{}.{}", self.name(side), self.entity(side).data.name)
    }

    pub(crate) fn paths(&self, side: Side) -> PathScope<'a> {
        PathScope {
            schema: self.schema(side),
            entity: self.sides[side.index()].entity,
            file: self.project.names.modules[self.module].file,
            side: self.name(side),
        }
    }

    /// The side of this name, or a diagnostic.
    pub(crate) fn side_named(&self, name: &Ident, sink: &mut Sink) -> Option<Side> {
        let found = Side::BOTH
            .into_iter()
            .find(|side| self.name(*side) == name.text);
        if found.is_none() {
            let place = self.place(name.span);
            let names = Side::BOTH.map(|side| self.name(side));
            let message = format!("this map has no side {}", name.text);
            sink.push(
                Diagnostic::new(UNKNOWN_SIDE, place, message)
                    .label("not one of its sides")
                    .help(format!("its sides are {} and {}", names[0], names[1]))
                    .meant(nearest(&name.text, names), place),
            );
        }
        found
    }

    /// A field of a schema's entity, typed.
    fn typed_field(schema: &'a SchemaModel, entity: &'a EntityModel, at: usize) -> Typed<'a> {
        let field = entity.field(at);
        let members = match &field.ty {
            Type::Enum(name) => schema.find_enum(name),
            _ => None,
        };
        Typed {
            ty: field.ty.clone(),
            members,
            field: Some((field, entity.field_places[at])),
            fold: schema.shape.case_insensitive,
        }
    }

    pub(crate) fn typed_lookup(&self, side: Side, lookup: &Lookup) -> Typed<'a> {
        let schema = self.schema(side);
        Self::typed_field(schema, &schema.entities[lookup.target], lookup.field)
    }

    /// What an operand is.
    pub(crate) fn typed(&self, side: Side, operand: &Operand) -> Typed<'a> {
        match operand {
            Operand::Field(at) => Self::typed_field(self.schema(side), self.entity(side), *at),
            Operand::Lookup(lookup) => self.typed_lookup(side, lookup),
            Operand::Constant { ty, .. } => self.plain(side, ty.clone()),
            Operand::Concat(_) => self.plain(side, Type::Text(None)),
        }
    }

    fn plain(&self, side: Side, ty: Type) -> Typed<'a> {
        let schema = match ty {
            // A constant is typed by its target, whose enum is the other side's.
            Type::Enum(_) => self.schema(side.other()),
            _ => self.schema(side),
        };
        let members = match &ty {
            Type::Enum(name) => schema.find_enum(name),
            _ => None,
        };
        Typed {
            ty,
            members,
            field: None,
            fold: schema.shape.case_insensitive,
        }
    }

    /// Whether the side's entity is striped by company.
    pub(crate) fn stripe(&self, side: Side) -> Option<Stripe> {
        self.entity(side).stripe
    }
}
