//! Fields of entities: their types, attributes, and how "no value" stands in them.

use dwmap_grammar::tree::{self, FieldAttrKind, Literal, NullWhen, TypeExpr, TypeKind};
use dwmap_plan::{Access, Field, NullForm, Requirement, Type, Value};

use crate::diagnostics::{BAD_SIZE, Diagnostic, UNKNOWN_ENUM, WRONG_LITERAL};
use crate::model::EntityModel;
use crate::resolve::Sink;
use crate::resolve::schemas::Resolver;
use crate::sources::Place;
use crate::suggest::nearest;
use crate::types::constant::{kind_of, value_of};

impl Resolver<'_> {
    pub(super) fn field(&mut self, entity: &mut EntityModel, it: &tree::Field, keys: &[&str]) {
        if let Some(first) = Self::declared(entity, &it.name.text) {
            return self.twice(&it.name, first);
        }
        let Some(ty) = self.ty(&it.ty) else {
            entity.poisoned.insert(it.name.text.clone());
            return;
        };
        let mut field = Field {
            name: it.name.text.clone(),
            wire: None,
            nullable: it.ty.nullable,
            access: Access::ReadWrite,
            computed: false,
            requirement: Requirement::Optional,
            sensitive: false,
            one_of: Vec::new(),
            min: None,
            max: None,
            inferred: false,
            null: NullForm::default(),
            ty,
        };
        // A blank key part is a value: key fields have no convention but one of their own.
        if !keys.contains(&field.name.as_str()) {
            field.null = self.convention(&field);
        }
        for attr in &it.attrs {
            self.attribute(&mut field, attr);
        }
        entity
            .field_index
            .insert(field.name.clone(), entity.data.fields.len());
        entity.field_places.push(self.module.place(it.name.span));
        entity.data.fields.push(field);
    }

    fn attribute(&mut self, field: &mut Field, attr: &tree::FieldAttr) {
        match &attr.kind {
            FieldAttrKind::Readonly => field.access = Access::ReadOnly,
            FieldAttrKind::CreateOnly => field.access = Access::CreateOnly,
            FieldAttrKind::Computed => field.computed = true,
            FieldAttrKind::Required => field.requirement = Requirement::Required,
            FieldAttrKind::Filled => field.requirement = Requirement::Filled,
            FieldAttrKind::Recommended => field.requirement = Requirement::Recommended,
            FieldAttrKind::Sensitive => field.sensitive = true,
            FieldAttrKind::Inferred => field.inferred = true,
            FieldAttrKind::OneOf(texts) => {
                field.one_of = texts.iter().map(|t| t.value.clone()).collect();
            }
            FieldAttrKind::Min(literal) => field.min = self.bound(field, literal),
            FieldAttrKind::Max(literal) => field.max = self.bound(field, literal),
            FieldAttrKind::NullAs(literal) => {
                if let Some(value) = self.bound(field, literal) {
                    field.null = null_form(field.nullable, NullWhen::Always, value);
                }
            }
            FieldAttrKind::NullNone => field.null = NullForm::default(),
            FieldAttrKind::Wire(text) => field.wire = Some(text.value.clone()),
            FieldAttrKind::Physical(_) => {}
            FieldAttrKind::Stored(_) => {
                let place = self.module.place(attr.span);
                self.sink.not_yet(place, "`stored`");
            }
        }
    }

    fn bound(&mut self, field: &Field, literal: &Literal) -> Option<Value> {
        let value = value_of(&literal.kind, &field.ty);
        if value.is_none() {
            let place = self.module.place(literal.span);
            let kind = kind_of(&literal.kind);
            let message = format!("{} is {}, and this is {kind}", field.name, field.ty);
            self.sink.say(WRONG_LITERAL, place, message, kind);
        }
        value
    }

    /// The schema's convention for a field's type.
    fn convention(&mut self, field: &Field) -> NullForm {
        let kind = match &field.ty {
            Type::Text(_) => "string",
            Type::Bool => "bool",
            Type::Int32 => "int32",
            Type::Int64 => "int64",
            Type::Decimal(..) => "decimal",
            Type::Float64 => "float64",
            Type::Date => "date",
            Type::DateTime => "datetime",
            Type::LocalTime => "localtime",
            Type::Guid => "guid",
            Type::Enum(_) => "enum",
            Type::Binary => "binary",
        };
        let Some((when, literal)) = self.nulls.get(kind).cloned() else {
            return NullForm::default();
        };
        let ty = match &field.ty {
            Type::Enum(_) => &Type::Int64,
            other => other,
        };
        if let Some(value) = value_of(&literal.kind, ty) {
            return null_form(field.nullable, when, value);
        }
        let place = self.module.place(literal.span);
        let found = kind_of(&literal.kind);
        let message = format!("{found} can't stand for null in a {kind}");
        self.nulls.remove(kind);
        self.sink.say(WRONG_LITERAL, place, message, found);
        NullForm::default()
    }

    fn ty(&mut self, ty: &TypeExpr) -> Option<Type> {
        let place = self.module.place(ty.span);
        Some(match &ty.kind {
            TypeKind::Enum(name) => {
                let last = name.last()?;
                if !self.model.enum_index.contains_key(&last.text) {
                    let names = self.model.shape.enums.iter().map(|e| e.name.as_str());
                    let place = self.module.place(last.span);
                    let message = format!(
                        "the schema {} has no enum {}",
                        self.model.shape.name, last.text
                    );
                    self.sink.push(
                        Diagnostic::new(UNKNOWN_ENUM, place, message)
                            .label("not one of its enums")
                            .meant(nearest(&last.text, names), place),
                    );
                    return None;
                }
                Type::Enum(last.text.clone())
            }
            TypeKind::Ref(_) => {
                self.sink.not_yet(place, "a field of a `ref` type");
                return None;
            }
            other => return plain_type(other, place, self.sink),
        })
    }
}

/// A type that isn't an enum or a reference.
pub(crate) fn plain_type(kind: &TypeKind, place: Place, sink: &mut Sink) -> Option<Type> {
    Some(match kind {
        TypeKind::String(Some(length)) => match u32::try_from(length.value) {
            Ok(length) if length > 0 => Type::Text(Some(length)),
            _ => {
                sink.say(
                    BAD_SIZE,
                    place,
                    "a text is at least one character long",
                    "no length",
                );
                return None;
            }
        },
        TypeKind::String(None) | TypeKind::Text => Type::Text(None),
        TypeKind::Bool => Type::Bool,
        TypeKind::Int32 => Type::Int32,
        TypeKind::Int64 => Type::Int64,
        TypeKind::Decimal(None) => Type::Decimal(38, 10),
        TypeKind::Decimal(Some((precision, scale))) => {
            let (p, s) = (precision.value, scale.value);
            if !(1..=38).contains(&p) || !(0..=p).contains(&s) {
                let message = format!("there is no decimal({p}, {s})");
                sink.push(
                    Diagnostic::new(BAD_SIZE, place, message)
                        .label("no such size")
                        .help("a decimal has 1 to 38 digits, of which none to all stand after the point"),
                );
                return None;
            }
            Type::Decimal(p as u8, s as u8)
        }
        TypeKind::Float64 => Type::Float64,
        TypeKind::Date => Type::Date,
        TypeKind::DateTime => Type::DateTime,
        TypeKind::LocalTime => Type::LocalTime,
        TypeKind::Guid => Type::Guid,
        TypeKind::Binary => Type::Binary,
        TypeKind::Enum(_) | TypeKind::Ref(_) | TypeKind::Bad => return None,
    })
}

/// How a convention holds for a field: where null itself can be stored, nothing else is written for it.
fn null_form(nullable: bool, when: NullWhen, value: Value) -> NullForm {
    NullForm {
        read: (when == NullWhen::Always).then(|| value.clone()),
        write: (!nullable).then_some(value),
    }
}
