//! The shape of an entity as its system tells it now, in terms of no system in particular.

use dwmap_plan::Access;

/// An entity as it lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveEntity {
    /// Its set, as in URLs.
    pub set: String,
    /// Its fields, in the order of the system.
    pub fields: Vec<LiveField>,
    /// Whether the system tells of its changes; `None` where that isn't known.
    pub tracks_changes: Option<bool>,
    /// Whether a write can be guarded by a version; `None` where that isn't known.
    pub guards_versions: Option<bool>,
}

impl LiveEntity {
    /// The field of this wire name. Case counts, as it does in requests.
    pub fn field(&self, wire: &str) -> Option<&LiveField> {
        self.fields.iter().find(|field| field.wire == wire)
    }
}

/// A field as it lives. What is `None` isn't known: the system doesn't tell it, or it doesn't apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveField {
    /// The name under which it is read (`_parentaccountid_value` for a look-up of Dataverse).
    pub wire: String,
    /// What it holds.
    pub kind: LiveKind,
    /// The greatest length of a text, in UTF-16 units.
    pub length_max: Option<u32>,
    /// Digits after the point that are kept.
    pub scale: Option<u8>,
    /// The least value, as a decimal number.
    pub min: Option<String>,
    /// The greatest value, as a decimal number.
    pub max: Option<String>,
    /// Who may write it.
    pub access: Option<Access>,
    /// A row is refused that has no value in it, and none is filled in.
    pub required: bool,
    /// The members of a choice.
    pub options: Option<Vec<LiveOption>>,
}

impl LiveField {
    /// A field of which only name and kind are known.
    pub fn new(wire: impl Into<String>, kind: LiveKind) -> Self {
        Self {
            wire: wire.into(),
            kind,
            length_max: None,
            scale: None,
            min: None,
            max: None,
            access: None,
            required: false,
            options: None,
        }
    }
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiveKind {
    /// Text.
    Text,
    /// True or false.
    Bool,
    /// A whole number of 32 bits.
    Int32,
    /// A whole number of 64 bits.
    Int64,
    /// A decimal number.
    Decimal,
    /// A floating number.
    Float,
    /// A day.
    Date,
    /// An instant, or a day and time of day.
    DateTime,
    /// A GUID.
    Guid,
    /// One of its options.
    Choice,
    /// The identity of a record of one of these entities, by their internal names.
    Reference(Vec<String>),
    /// Bytes.
    Binary,
    /// Something that no map can carry, by the system's own word.
    Other(String),
}

impl LiveKind {
    /// The word of the language for it, as in a schema.
    pub fn word(&self) -> &str {
        match self {
            Self::Text => "text",
            Self::Bool => "bool",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Decimal => "decimal",
            Self::Float => "float64",
            Self::Date => "date",
            Self::DateTime => "datetime",
            Self::Guid => "guid",
            Self::Choice => "enum",
            Self::Reference(_) => "look-up",
            Self::Binary => "binary",
            Self::Other(word) => word,
        }
    }
}

/// A member of a choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveOption {
    /// Its name, where members have names on the wire; else its label.
    pub name: String,
    /// Its integer.
    pub value: i64,
}
