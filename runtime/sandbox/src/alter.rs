//! Changes of a schema while the servers run, as an administrator of the real services would make them: so that a
//! client's handling of drift can be tried.
//!
//! `PUT /sandbox/schema` takes a JSON array that replaces what was changed before; an empty one brings the schema back.
//! Data stay where they are: a field that goes is only no longer served.

use dwmap_plan::{
    Access, Entity, Field, KeyPart, Member, NullForm, Requirement, Schema, Type, Value,
};
use serde::{Deserialize, Serialize};

/// A change of a schema.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Alteration {
    /// The set of the entity.
    #[serde(skip_serializing_if = "Option::is_none")]
    entity: Option<String>,
    /// Its field; one that it doesn't have is added.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// The field (or without one, the entity) goes.
    gone: bool,
    /// The field's type, as in a schema: `string(40)`, `int32`, `enum NAME`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    ty: Option<String>,
    /// The field can't be written any more.
    read_only: bool,
    /// A row needs a value in the field.
    required: bool,
    /// The entity's changes are no longer tracked.
    untracked: bool,
    /// The enum that is changed.
    #[serde(rename = "enum", skip_serializing_if = "Option::is_none")]
    choice: Option<String>,
    /// Its member of this name goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    without: Option<String>,
    /// It gains a member of this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    with: Option<String>,
    /// The new member's integer.
    value: i64,
}

/// A schema with its alterations.
pub(crate) struct Altered {
    pub schema: Schema,
    /// Sets that are no longer served.
    pub gone: Vec<String>,
    /// Sets whose changes aren't tracked.
    pub untracked: Vec<String>,
}

/// Applies alterations; what is wrong with one is said in words.
pub(crate) fn alter(schema: &Schema, alterations: &[Alteration]) -> Result<Altered, String> {
    let mut altered = Altered {
        schema: schema.clone(),
        gone: Vec::new(),
        untracked: Vec::new(),
    };
    for alteration in alterations {
        apply(&mut altered, alteration)?;
    }
    Ok(altered)
}

fn apply(altered: &mut Altered, alteration: &Alteration) -> Result<(), String> {
    if let Some(name) = &alteration.choice {
        return choice(&mut altered.schema, name, alteration);
    }
    let set = alteration
        .entity
        .as_deref()
        .ok_or("each alteration names an `entity` or an `enum`")?;
    let entity = altered
        .schema
        .entities
        .iter_mut()
        .find(|e| e.set_name() == set)
        .ok_or_else(|| format!("there is no entity {set}"))?;
    match &alteration.field {
        Some(name) if alteration.gone => remove(entity, name),
        Some(name) => change(entity, name, alteration),
        None if alteration.gone => {
            altered.gone.push(set.to_owned());
            Ok(())
        }
        None if alteration.untracked => {
            altered.untracked.push(set.to_owned());
            Ok(())
        }
        None => Err(format!(
            "{set}: name a `field`, or say `gone` or `untracked`"
        )),
    }
}

/// A field goes, with the navigation that is read by it and the alternate keys that it is part of.
fn remove(entity: &mut Entity, name: &str) -> Result<(), String> {
    let is_key = entity.key.iter().any(|part| part.name() == name);
    if is_key {
        return Err(format!("{name} is part of the key, which stays"));
    }
    let (fields, navs) = (entity.fields.len(), entity.navs.len());
    entity.fields.retain(|f| f.wire_name() != name);
    let mut gone = vec![name.to_owned()];
    entity.navs.retain(|nav| {
        let by = nav.via.iter().any(|via| via == name);
        if by {
            gone.push(nav.name.clone());
        }
        !by
    });
    if (fields, navs) == (entity.fields.len(), entity.navs.len()) {
        return Err(format!("{} has no field {name}", entity.name));
    }
    let lost = |part: &KeyPart| gone.iter().any(|g| g == part.name());
    entity
        .alternate_keys
        .retain(|key| !key.parts.iter().any(lost));
    for named in [&mut entity.modified, &mut entity.identity] {
        if named.as_deref() == Some(name) {
            *named = None;
        }
    }
    Ok(())
}

fn change(entity: &mut Entity, name: &str, alteration: &Alteration) -> Result<(), String> {
    let ty = alteration.ty.as_deref().map(parse_type).transpose()?;
    let known = entity.fields.iter().position(|f| f.wire_name() == name);
    let at = match (known, &ty) {
        (Some(at), _) => at,
        (None, Some(ty)) => {
            entity.fields.push(new_field(name, ty.clone()));
            entity.fields.len() - 1
        }
        (None, None) => {
            return Err(format!(
                "{} has no field {name}; a new one needs a `type`",
                entity.name
            ));
        }
    };
    let field = &mut entity.fields[at];
    if let Some(ty) = ty {
        field.ty = ty;
    }
    if alteration.read_only {
        field.access = Access::ReadOnly;
    }
    if alteration.required {
        field.requirement = Requirement::Required;
    }
    Ok(())
}

fn choice(schema: &mut Schema, name: &str, alteration: &Alteration) -> Result<(), String> {
    let def = schema
        .enums
        .iter_mut()
        .find(|e| e.name == name)
        .ok_or_else(|| format!("there is no enum {name}"))?;
    if let Some(member) = &alteration.without {
        if def.by_name(member).is_none() {
            return Err(format!("{name} has no member {member}"));
        }
        def.members.retain(|m| m.name != *member);
    }
    if let Some(member) = &alteration.with {
        def.members.push(Member {
            name: member.clone(),
            value: alteration.value,
        });
    }
    Ok(())
}

fn new_field(name: &str, ty: Type) -> Field {
    let blank = matches!(ty, Type::Text(_)).then(|| Value::from(""));
    Field {
        name: name.to_owned(),
        wire: None,
        ty,
        nullable: true,
        access: Access::ReadWrite,
        computed: false,
        requirement: Requirement::Optional,
        sensitive: false,
        one_of: Vec::new(),
        min: None,
        max: None,
        inferred: false,
        null: NullForm {
            read: blank.clone(),
            write: blank,
        },
    }
}

/// `string(40)`, `decimal(12, 2)`, `enum NAME`, `int32` …
fn parse_type(text: &str) -> Result<Type, String> {
    let (name, args) = match text.trim().split_once(['(', ' ']) {
        Some((name, args)) => (name, args.trim_end_matches(')').trim()),
        None => (text.trim(), ""),
    };
    let number = |text: &str| text.trim().parse::<u32>().ok();
    let ty = match name {
        "string" => number(args).map(|n| Type::Text(Some(n))),
        "decimal" => args.split_once(',').and_then(|(precision, scale)| {
            let precision = u8::try_from(number(precision)?).ok()?;
            Some(Type::Decimal(precision, u8::try_from(number(scale)?).ok()?))
        }),
        "enum" if !args.is_empty() => Some(Type::Enum(args.to_owned())),
        "text" => Some(Type::Text(None)),
        "bool" => Some(Type::Bool),
        "int32" => Some(Type::Int32),
        "int64" => Some(Type::Int64),
        "float64" => Some(Type::Float64),
        "date" => Some(Type::Date),
        "datetime" => Some(Type::DateTime),
        "guid" => Some(Type::Guid),
        _ => None,
    };
    ty.ok_or_else(|| format!("`{text}` is no type, such as string(40), decimal(12, 2) or int32"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read() {
        assert_eq!(parse_type("string(40)"), Ok(Type::Text(Some(40))));
        assert_eq!(parse_type("decimal(12, 2)"), Ok(Type::Decimal(12, 2)));
        assert_eq!(parse_type("enum NoYes"), Ok(Type::Enum("NoYes".to_owned())));
        for wrong in ["string", "decimal(12)", "enum", "number", ""] {
            assert!(parse_type(wrong).is_err(), "{wrong}");
        }
    }
}
