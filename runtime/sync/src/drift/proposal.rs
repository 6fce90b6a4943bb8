//! What lives in a system beyond what the schema says.

use dwmap_connect::{LiveEntity, LiveField, LiveKind};
use dwmap_plan::{Access, Dialect, Entity, Schema, Type};
use serde::Serialize;

/// A field, or a member of an enum, that the schema doesn't declare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Addition {
    /// The entity's set.
    pub set: String,
    /// The entity's name in the schema.
    pub entity: String,
    /// The field, by its name on the wire.
    pub field: String,
    /// The members that are new, where the field itself is declared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// How a schema declares it: `string(40)`; none where it can't be declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared: Option<String>,
    /// It can't be written.
    pub read_only: bool,
    /// Rows without a value in it are refused.
    pub required: bool,
}

impl Addition {
    /// How a schema declares it, its name and flags with it; none where that takes a decision.
    pub fn declaration(&self) -> Option<String> {
        let flags = [(self.read_only, " readonly"), (self.required, " required")];
        let flags = flags
            .into_iter()
            .filter(|(is, _)| *is)
            .map(|(_, flag)| flag);
        let flags: String = flags.collect();
        let ty = self.declared.as_ref()?;
        Some(format!("{} {ty}?{flags}", self.field))
    }
}

/// What is there beyond a schema: the whole one, not a plan's part of it.
pub fn additions(schema: &Schema, live: &[LiveEntity]) -> Vec<Addition> {
    let mut additions = Vec::new();
    for living in live {
        let Some(entity) = schema.entities.iter().find(|e| e.set_name() == living.set) else {
            continue;
        };
        for field in &living.fields {
            additions.extend(addition(schema, entity, living, field));
        }
    }
    additions
}

fn addition(
    schema: &Schema,
    entity: &Entity,
    living: &LiveEntity,
    field: &LiveField,
) -> Option<Addition> {
    let by_nav = |wire: &str| {
        entity
            .navs
            .iter()
            .any(|nav| nav.via.iter().any(|v| v == wire))
    };
    let known = entity.fields.iter().find(|f| f.wire_name() == field.wire);
    let (options, declared) = match known {
        Some(known) => (new_options(schema, &known.ty, field)?, None),
        None if by_nav(&field.wire) => return None,
        None => (Vec::new(), declaration(field)),
    };
    Some(Addition {
        set: living.set.clone(),
        entity: entity.name.clone(),
        field: field.wire.clone(),
        options,
        declared,
        read_only: field.access == Some(Access::ReadOnly),
        required: field.required,
    })
}

/// Members beyond the schema's; none where there are none.
fn new_options(schema: &Schema, ty: &Type, field: &LiveField) -> Option<Vec<String>> {
    let Type::Enum(name) = ty else { return None };
    let (def, options) = (schema.enum_def(name)?, field.options.as_ref()?);
    let by_name = schema.dialect == Dialect::Finops;
    let new = options.iter().filter(|o| {
        if by_name {
            def.by_name(&o.name).is_none()
        } else {
            def.by_value(o.value).is_none()
        }
    });
    let new: Vec<String> = new.map(|o| format!("{} = {}", o.name, o.value)).collect();
    (!new.is_empty()).then_some(new)
}

/// A field as a schema declares it, without its name.
fn declaration(field: &LiveField) -> Option<String> {
    let ty = match (&field.kind, field.length_max) {
        (LiveKind::Text, Some(length)) => format!("string({length})"),
        (LiveKind::Decimal, _) => format!("decimal(38, {})", field.scale.unwrap_or(10)),
        // Look-ups are navigations, and choices need an enum: both take a decision of whoever writes the schema.
        (LiveKind::Reference(_) | LiveKind::Choice | LiveKind::Other(_), _) => return None,
        (kind, _) => kind.word().to_owned(),
    };
    Some(ty)
}
