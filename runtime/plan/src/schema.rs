//! Schemas: the shape of a system, as declared in the language and resolved.

use serde::{Deserialize, Serialize};

use crate::{Type, Value};

/// The family of a system, which decides its wire forms and rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Dialect {
    /// Dynamics 365 Finance & Operations, `/data` OData.
    Finops,
    /// Dataverse Web API.
    Dataverse,
    /// Any other OData v4 service.
    OData,
    /// A relational database.
    Sql,
}

/// In what a text's length is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LengthUnit {
    /// UTF-16 code units (both Dynamics systems).
    Utf16,
    /// Unicode scalar values.
    Scalar,
}

impl Dialect {
    /// The unit in which this family counts the length of texts.
    pub const fn length_unit(self) -> LengthUnit {
        match self {
            Self::Finops | Self::Dataverse => LengthUnit::Utf16,
            Self::OData | Self::Sql => LengthUnit::Scalar,
        }
    }
}

/// A system's shape: enums and entities, with the conventions that hold for all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// The name by which maps refer to it (`fno`).
    pub name: String,
    /// The family.
    pub dialect: Dialect,
    /// Whether keys and filters compare texts without case.
    pub case_insensitive: bool,
    /// The enums, in the order of their declaration.
    pub enums: Vec<EnumDef>,
    /// The entities, in the order of their declaration.
    pub entities: Vec<Entity>,
}

impl Schema {
    /// The entity of this name.
    pub fn entity(&self, name: &str) -> Option<&Entity> {
        self.entities.iter().find(|e| e.name == name)
    }

    /// The enum of this name.
    pub fn enum_def(&self, name: &str) -> Option<&EnumDef> {
        self.enums.iter().find(|e| e.name == name)
    }
}

/// A named set of members (an ERP enum, a CRM option set).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnumDef {
    /// Its name.
    pub name: String,
    /// `: bool`: two members that stand for false (0) and true (1).
    pub boolean: bool,
    /// The members, in the order of their declaration.
    pub members: Vec<Member>,
}

impl EnumDef {
    /// The member of this name.
    pub fn by_name(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|m| m.name == name)
    }

    /// The member with this wire integer.
    pub fn by_value(&self, value: i64) -> Option<&Member> {
        self.members.iter().find(|m| m.value == value)
    }
}

/// A member of an enum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The name, which is what F&O puts on the wire.
    pub name: String,
    /// The integer, which is what Dataverse puts on the wire.
    pub value: i64,
}

/// An entity (F&O) or table (Dataverse, SQL).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entity {
    /// Its public set name, as in a URL.
    pub name: String,
    /// What people call it.
    pub display: Option<String>,
    /// The name that the service uses where it isn't `name`.
    pub wire: Option<String>,
    /// The internal name (F&O: that of the data entity, from which its virtual table's name is made).
    pub physical: Option<String>,
    /// The fields, in the order of their declaration.
    pub fields: Vec<Field>,
    /// The primary key's parts.
    pub key: Vec<KeyPart>,
    /// The alternate keys.
    pub alternate_keys: Vec<AlternateKey>,
    /// The navigations.
    pub navs: Vec<Nav>,
    /// The path to the company's code: one name for a field, two for a navigation and the target's field.
    pub striped_by: Option<Vec<String>>,
    /// The field that holds an immutable id.
    pub identity: Option<String>,
    /// The field that holds the time of the last commit.
    pub modified: Option<String>,
}

impl Entity {
    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.name == name)
    }

    /// The navigation of this name.
    pub fn nav(&self, name: &str) -> Option<&Nav> {
        self.navs.iter().find(|n| n.name == name)
    }

    /// The name that stands in URLs.
    pub fn set_name(&self) -> &str {
        self.wire.as_deref().unwrap_or(&self.name)
    }
}

/// A part of a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum KeyPart {
    /// A field, by name.
    Field(String),
    /// A navigation, by name: the identity of the record that it leads to.
    Nav(String),
}

impl KeyPart {
    /// The name of the field or navigation.
    pub fn name(&self) -> &str {
        match self {
            Self::Field(name) | Self::Nav(name) => name,
        }
    }
}

/// An alternate key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlternateKey {
    /// Its name.
    pub name: String,
    /// Its parts, listed whole, the company among them.
    pub parts: Vec<KeyPart>,
}

/// A navigation to a record of another (or the same) entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nav {
    /// Its name, which is also the one to bind by.
    pub name: String,
    /// The entities that it can lead to.
    pub targets: Vec<String>,
    /// The columns that are read to follow it (`_name_value` in Dataverse).
    pub via: Vec<String>,
}

/// Who may write a field, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Access {
    /// At any time.
    ReadWrite,
    /// Only when the record is born.
    CreateOnly,
    /// Never.
    ReadOnly,
}

/// Whether a row needs a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Requirement {
    /// No.
    Optional,
    /// No, but users are asked for one.
    Recommended,
    /// Yes, and the system fills it where it is not sent.
    Filled,
    /// Yes: a row without it is refused.
    Required,
}

/// How "no value" stands in a field, resolved from the schema's conventions and the field's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NullForm {
    /// The stored value that is read as null.
    pub read: Option<Value>,
    /// The value that is written for null; null itself where there is none.
    pub write: Option<Value>,
}

/// A field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// The name on the wire where it isn't `name`.
    pub wire: Option<String>,
    /// Its type.
    pub ty: Type,
    /// `?`: null is a value of it.
    pub nullable: bool,
    /// Who may write it.
    pub access: Access,
    /// Changes without an event.
    pub computed: bool,
    /// Whether a row needs it.
    pub requirement: Requirement,
    /// Personal data: masked in logs and errors.
    pub sensitive: bool,
    /// The texts that it can hold, where it is an enum in truth.
    pub one_of: Vec<String>,
    /// The least value.
    pub min: Option<Value>,
    /// The greatest value.
    pub max: Option<Value>,
    /// Not known for sure.
    pub inferred: bool,
    /// How "no value" stands in it.
    pub null: NullForm,
}

impl Field {
    /// The name that stands on the wire.
    pub fn wire_name(&self) -> &str {
        self.wire.as_deref().unwrap_or(&self.name)
    }
}

/// A schema that contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// A key, navigation or stripe names something that the entity doesn't have.
    #[error(
        "{entity}: {what} names {name}, which {entity} doesn't have; declare it or mend the name"
    )]
    Unknown {
        /// The entity.
        entity: String,
        /// What names it (`key`, `nav owner`, …).
        what: String,
        /// The unknown name.
        name: String,
    },
}

impl Schema {
    /// Checks that every name within the schema resolves: for those who use a schema without the compiler.
    pub fn validate(&self) -> Result<(), SchemaError> {
        for entity in &self.entities {
            let unknown = |what: &str, name: &str| SchemaError::Unknown {
                entity: entity.name.clone(),
                what: what.to_owned(),
                name: name.to_owned(),
            };
            let known = |part: &KeyPart| match part {
                KeyPart::Field(name) => entity.field(name).is_some(),
                KeyPart::Nav(name) => entity.nav(name).is_some(),
            };
            let keys = entity
                .alternate_keys
                .iter()
                .map(|k| (k.name.as_str(), &k.parts))
                .chain([("key", &entity.key)]);
            for (name, parts) in keys {
                if let Some(part) = parts.iter().find(|p| !known(p)) {
                    return Err(unknown(name, part.name()));
                }
            }
            for nav in &entity.navs {
                if let Some(target) = nav.targets.iter().find(|t| self.entity(t).is_none()) {
                    return Err(unknown(&format!("nav {}", nav.name), target));
                }
            }
            for field in &entity.fields {
                if let Type::Enum(name) = &field.ty
                    && self.enum_def(name).is_none()
                {
                    return Err(unknown(&field.name, name));
                }
            }
        }
        Ok(())
    }
}
