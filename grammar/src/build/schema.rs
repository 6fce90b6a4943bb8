//! Schemas, entities, fields, types.

use super::Builder;
use crate::mistakes;
use crate::recover::{FIELD_ATTRS, Place};
use crate::syntax::{Node, NodeExt, Rule};
use crate::tree::{
    AltKey, Entity, EntityItem, Enum, EnumMember, ExtendSchema, Field, FieldAttr, FieldAttrKind,
    Key, Nav, NullRule, NullWhen, Schema, SchemaItem, TypeExpr, TypeKind,
};

impl Builder<'_> {
    pub(super) fn schema(&mut self, node: &Node<'_>) -> Option<Schema> {
        let name = self.ident(&node.first(Rule::ident)?);
        let items = self.schema_body(node, &format!("The schema {}", name.text))?;
        let span = node.place();
        Some(Schema {
            doc: self.doc_above(span.start),
            name,
            items,
            span,
        })
    }

    pub(super) fn extend_schema(&mut self, node: &Node<'_>) -> Option<ExtendSchema> {
        let base = self.name(&node.first(Rule::dotted)?);
        let items = self.schema_body(node, &format!("The extension of {}", base.text()))?;
        let span = node.place();
        Some(ExtendSchema {
            doc: self.doc_above(span.start),
            base,
            items,
            span,
        })
    }

    fn schema_body(&mut self, node: &Node<'_>, what: &str) -> Option<Vec<SchemaItem>> {
        let body = node.first(Rule::schema_body)?;
        self.closed(&body, what);
        self.commas(&body);
        let items = body
            .into_inner()
            .filter(|item| !matches!(item.as_rule(), Rule::unclosed | Rule::stray_comma));
        Some(
            items
                .map(|item| {
                    self.schema_item(&item)
                        .unwrap_or(SchemaItem::Bad(item.place()))
                })
                .collect(),
        )
    }

    fn schema_item(&mut self, node: &Node<'_>) -> Option<SchemaItem> {
        Some(match node.as_rule() {
            Rule::dialect => SchemaItem::Dialect(self.ident(&node.first(Rule::ident)?)),
            Rule::case_rule => SchemaItem::Case(self.ident(&node.first(Rule::ident)?)),
            Rule::null_rule => SchemaItem::Null(self.null_rule(node)?),
            Rule::enum_ => SchemaItem::Enum(self.enum_(node)?),
            Rule::entity => SchemaItem::Entity(self.entity(node)?),
            Rule::extend_entity => {
                SchemaItem::ExtendEntity(self.entity(&node.first(Rule::entity)?)?)
            }
            _ => SchemaItem::Bad(self.bad(node, Place::Schema)),
        })
    }

    fn null_rule(&mut self, node: &Node<'_>) -> Option<NullRule> {
        let when = if node.has(Rule::on_write) {
            NullWhen::OnWrite
        } else {
            NullWhen::Always
        };
        Some(NullRule {
            types: self.idents(node),
            when,
            value: self.literal(&node.first(Rule::literal)?)?,
            span: node.place(),
        })
    }

    fn enum_(&mut self, node: &Node<'_>) -> Option<Enum> {
        let name = self.ident(&node.first(Rule::ident)?);
        self.closed(node, &format!("The enum {}", name.text));
        self.commas(node);
        let mut members = Vec::new();
        for child in node.clone().into_inner() {
            match child.as_rule() {
                Rule::member => members.push(EnumMember {
                    name: self.ident(&child.first(Rule::ident)?),
                    value: self.int(&child.first(Rule::int)?),
                    span: child.place(),
                }),
                Rule::bad_member => {
                    self.bad(&child, Place::Enum);
                }
                _ => {}
            }
        }
        let span = node.place();
        let as_bool = node.first(Rule::as_bool).map(|word| word.place());
        Some(Enum {
            doc: self.doc_above(span.start),
            name,
            as_bool,
            members,
            span,
        })
    }

    fn entity(&mut self, node: &Node<'_>) -> Option<Entity> {
        let name = self.ident(&node.first(Rule::ident)?);
        self.closed(node, &format!("The entity {}", name.text));
        self.commas(node);
        let display = node.first(Rule::string).map(|text| self.text(&text));
        let others = [
            Rule::kw_entity,
            Rule::ident,
            Rule::string,
            Rule::unclosed,
            Rule::stray_comma,
        ];
        let items = node
            .clone()
            .into_inner()
            .filter(|child| !others.contains(&child.as_rule()));
        let items = items
            .map(|item| {
                self.entity_item(&item)
                    .unwrap_or(EntityItem::Bad(item.place()))
            })
            .collect();
        let span = node.place();
        Some(Entity {
            doc: self.doc_above(span.start),
            name,
            display,
            items,
            span,
        })
    }

    fn entity_item(&mut self, node: &Node<'_>) -> Option<EntityItem> {
        let span = node.place();
        Some(match node.as_rule() {
            Rule::key => EntityItem::Key(Key {
                fields: self.idents(node),
                span,
            }),
            Rule::altkey => {
                let mut names = self.idents(node);
                let name = names.remove(0);
                EntityItem::AltKey(AltKey {
                    name,
                    fields: names,
                    span,
                })
            }
            Rule::striped => EntityItem::StripedBy(self.path(&node.first(Rule::path)?)?),
            Rule::identity => EntityItem::Identity(self.ident(&node.first(Rule::ident)?)),
            Rule::modified => EntityItem::Modified(self.ident(&node.first(Rule::ident)?)),
            Rule::wire => EntityItem::Wire(self.text(&node.first(Rule::string)?)),
            Rule::physical => EntityItem::Physical(self.text(&node.first(Rule::string)?)),
            Rule::nav => EntityItem::Nav(self.nav(node)?),
            Rule::field => EntityItem::Field(self.field(node)?),
            _ => EntityItem::Bad(self.bad(node, Place::Entity)),
        })
    }

    fn nav(&mut self, node: &Node<'_>) -> Option<Nav> {
        let span = node.place();
        let wire = node
            .first(Rule::wire)
            .and_then(|wire| wire.first(Rule::string));
        Some(Nav {
            doc: self.doc_above(span.start),
            name: self.ident(&node.first(Rule::ident)?),
            targets: self.idents(&node.first(Rule::nav_to)?),
            via: self.idents(&node.first(Rule::nav_via)?),
            wire: wire.map(|text| self.text(&text)),
            span,
        })
    }

    fn field(&mut self, node: &Node<'_>) -> Option<Field> {
        let span = node.place();
        let name = self.ident(&node.first(Rule::ident)?);
        let ty = self.field_type(node, &name.text)?;
        let attrs = node
            .all(Rule::attr)
            .filter_map(|attr| self.attr(&attr))
            .collect();
        Some(Field {
            doc: self.doc_above(span.start),
            name,
            ty,
            attrs,
            span,
        })
    }

    /// A field's type. Where an attribute stands in its place, the type was forgotten.
    fn field_type(&mut self, node: &Node<'_>, field: &str) -> Option<TypeExpr> {
        let ty = node.first(Rule::type_)?;
        let word = ty.place().of(self.source);
        if FIELD_ATTRS.contains(&word) {
            let span = ty.place();
            self.report(mistakes::missing_type(span, field));
            return Some(TypeExpr {
                kind: TypeKind::Bad,
                nullable: false,
                span,
            });
        }
        self.type_(&ty)
    }

    fn attr(&mut self, node: &Node<'_>) -> Option<FieldAttr> {
        let inner = node.clone().into_inner().next()?;
        let kind = match inner.as_rule() {
            Rule::flag => flag(inner.as_str())?,
            Rule::oneof => {
                self.commas(&inner);
                FieldAttrKind::OneOf(
                    inner
                        .all(Rule::string)
                        .map(|text| self.text(&text))
                        .collect(),
                )
            }
            Rule::min => FieldAttrKind::Min(self.literal(&inner.first(Rule::literal)?)?),
            Rule::max => FieldAttrKind::Max(self.literal(&inner.first(Rule::literal)?)?),
            Rule::stored => FieldAttrKind::Stored(self.name(&inner.first(Rule::dotted)?)),
            Rule::null_none => FieldAttrKind::NullNone,
            Rule::null_as => FieldAttrKind::NullAs(self.literal(&inner.first(Rule::literal)?)?),
            Rule::wire => FieldAttrKind::Wire(self.text(&inner.first(Rule::string)?)),
            Rule::physical => FieldAttrKind::Physical(self.text(&inner.first(Rule::string)?)),
            _ => {
                let span = inner.place();
                self.report(mistakes::unknown_word(
                    span,
                    span.of(self.source),
                    "attribute of a field",
                    &FIELD_ATTRS,
                ));
                return None;
            }
        };
        Some(FieldAttr {
            kind,
            span: node.place(),
        })
    }

    pub(super) fn type_(&mut self, node: &Node<'_>) -> Option<TypeExpr> {
        let inner = node.clone().into_inner().next()?;
        let kind = match inner.as_rule() {
            Rule::enum_type => TypeKind::Enum(self.name(&inner.first(Rule::dotted)?)),
            Rule::ref_type => TypeKind::Ref(self.name(&inner.first(Rule::dotted)?)),
            Rule::sized_type => self.sized_type(&inner),
            Rule::plain_type => plain_type(inner.as_str()),
            _ => {
                let word = self.ident(&inner.first(Rule::ident)?);
                self.report(mistakes::unknown_type(word.span, &word.text));
                TypeKind::Bad
            }
        };
        Some(TypeExpr {
            kind,
            nullable: node.has(Rule::nullable),
            span: node.place(),
        })
    }

    fn sized_type(&mut self, node: &Node<'_>) -> TypeKind {
        let sizes: Vec<_> = node.all(Rule::int).map(|int| self.int(&int)).collect();
        match (node.has(Rule::kw_string), sizes.as_slice()) {
            (true, [length]) => TypeKind::String(Some(*length)),
            (false, [precision, scale]) => TypeKind::Decimal(Some((*precision, *scale))),
            (is_string, _) => {
                let (word, form) = if is_string {
                    ("string", "string(LENGTH)")
                } else {
                    ("decimal", "decimal(PRECISION, SCALE)")
                };
                self.report(mistakes::wrong_form(node.place(), word, form));
                TypeKind::Bad
            }
        }
    }
}

fn flag(word: &str) -> Option<FieldAttrKind> {
    Some(match word {
        "readonly" => FieldAttrKind::Readonly,
        "createonly" => FieldAttrKind::CreateOnly,
        "computed" => FieldAttrKind::Computed,
        "required" => FieldAttrKind::Required,
        "filled" => FieldAttrKind::Filled,
        "recommended" => FieldAttrKind::Recommended,
        "sensitive" => FieldAttrKind::Sensitive,
        "inferred" => FieldAttrKind::Inferred,
        _ => return None,
    })
}

fn plain_type(word: &str) -> TypeKind {
    match word {
        "string" => TypeKind::String(None),
        "text" => TypeKind::Text,
        "bool" => TypeKind::Bool,
        "int32" => TypeKind::Int32,
        "int64" => TypeKind::Int64,
        "decimal" => TypeKind::Decimal(None),
        "float64" => TypeKind::Float64,
        "date" => TypeKind::Date,
        "datetime" => TypeKind::DateTime,
        "localtime" => TypeKind::LocalTime,
        "guid" => TypeKind::Guid,
        "binary" => TypeKind::Binary,
        _ => TypeKind::Bad,
    }
}
