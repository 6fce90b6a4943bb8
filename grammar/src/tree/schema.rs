//! A system's shape: enums, entities, fields, types.

use super::{Doc, Ident, Int, Literal, Name, Path, Text};
use crate::Span;

/// `schema fno { … }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// What the lines above it say.
    pub doc: Option<Doc>,
    /// Its name.
    pub name: Ident,
    /// What stands in it, in order.
    pub items: Vec<SchemaItem>,
    /// From its first word to its last brace.
    pub span: Span,
}

/// `extend schema fno { … }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtendSchema {
    /// What the lines above it say.
    pub doc: Option<Doc>,
    /// The schema that gets more.
    pub base: Name,
    /// What it gets, in order.
    pub items: Vec<SchemaItem>,
    /// From its first word to its last brace.
    pub span: Span,
}

/// One thing that a schema says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaItem {
    /// `dialect finops`
    Dialect(Ident),
    /// `case insensitive`
    Case(Ident),
    /// `null string = ""`
    Null(NullRule),
    /// `enum E { … }`
    Enum(Enum),
    /// `entity E { … }`
    Entity(Entity),
    /// `extend entity E { … }`
    ExtendEntity(Entity),
    /// Something that couldn't be read.
    Bad(Span),
}

/// `null string = ""`, or `null int32, decimal: on write 0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NullRule {
    /// The kinds of type that it holds for: `string`, `enum`, `int32` …
    pub types: Vec<Ident>,
    /// When it holds.
    pub when: NullWhen,
    /// What stands for null.
    pub value: Literal,
    /// The whole item.
    pub span: Span,
}

/// When a null convention holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NullWhen {
    /// In reading and in writing.
    Always,
    /// In writing only: what is read stays what it is.
    OnWrite,
}

/// `enum E { No = 0, Yes = 1 }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enum {
    /// What the lines above it say.
    pub doc: Option<Doc>,
    /// Its name.
    pub name: Ident,
    /// Where `: bool` stands, for an enum that is a truth value.
    pub as_bool: Option<Span>,
    /// Its members, in order.
    pub members: Vec<EnumMember>,
    /// The whole item.
    pub span: Span,
}

/// One member of an enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnumMember {
    /// Its name.
    pub name: Ident,
    /// Its number on the wire.
    pub value: Int,
    /// Both.
    pub span: Span,
}

/// `entity E "display" { … }`, also of an `extend entity`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// What the lines above it say.
    pub doc: Option<Doc>,
    /// Its name.
    pub name: Ident,
    /// The name that people know it by.
    pub display: Option<Text>,
    /// What stands in it, in order.
    pub items: Vec<EntityItem>,
    /// The whole item.
    pub span: Span,
}

/// One thing that an entity says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntityItem {
    /// `key a, b`
    Key(Key),
    /// `altkey n(a, b)`
    AltKey(AltKey),
    /// `striped by path`
    StripedBy(Path),
    /// `identity field`
    Identity(Ident),
    /// `modified field`
    Modified(Ident),
    /// `wire "…"`: the name in requests
    Wire(Text),
    /// `physical "…"`: the name of what is stored
    Physical(Text),
    /// `nav n -> T via k`
    Nav(Nav),
    /// A column.
    Field(Field),
    /// Something that couldn't be read.
    Bad(Span),
}

/// `key a, b`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The fields, in order.
    pub fields: Vec<Ident>,
    /// The whole item.
    pub span: Span,
}

/// `altkey n(a, b)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AltKey {
    /// Its name.
    pub name: Ident,
    /// The fields, in order.
    pub fields: Vec<Ident>,
    /// The whole item.
    pub span: Span,
}

/// `nav n -> T | U via k`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nav {
    /// What the lines above it say.
    pub doc: Option<Doc>,
    /// Its name.
    pub name: Ident,
    /// The entities that it may lead to; at least one.
    pub targets: Vec<Ident>,
    /// The columns that are read for it; at least one.
    pub via: Vec<Ident>,
    /// Its name in requests, where that is another.
    pub wire: Option<Text>,
    /// The whole item.
    pub span: Span,
}

/// `name type attributes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// What the lines above it say.
    pub doc: Option<Doc>,
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub ty: TypeExpr,
    /// What else is said of it, in order.
    pub attrs: Vec<FieldAttr>,
    /// The whole item.
    pub span: Span,
}

/// One attribute of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldAttr {
    /// Which.
    pub kind: FieldAttrKind,
    /// Where it stands.
    pub span: Span,
}

/// What an attribute says of its field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldAttrKind {
    /// Never written.
    Readonly,
    /// Written only when the record is born.
    CreateOnly,
    /// Changes without an event.
    Computed,
    /// The system refuses a row without it.
    Required,
    /// Required, but the system fills it.
    Filled,
    /// Asked for in forms, and not enforced.
    Recommended,
    /// Personal data: masked in logs, errors and console.
    Sensitive,
    /// Not known for sure.
    Inferred,
    /// `oneof("A", "B")`: a string that is an enum in truth.
    OneOf(Vec<Text>),
    /// `min n`
    Min(Literal),
    /// `max n`
    Max(Literal),
    /// `stored Party.NumberOfEmployees`: shown by several entities, stored once.
    Stored(Name),
    /// `null = value`: this field's own null convention.
    NullAs(Literal),
    /// `null none`: no null convention for this field.
    NullNone,
    /// `wire "…"`
    Wire(Text),
    /// `physical "…"`
    Physical(Text),
}

/// A type, with or without null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeExpr {
    /// Which.
    pub kind: TypeKind,
    /// Whether a `?` follows.
    pub nullable: bool,
    /// The whole type, question mark included.
    pub span: Span,
}

/// A type without its question mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeKind {
    /// `string(n)`, at most `n` units long; `string` alone names no limit.
    String(Option<Int>),
    /// `text`: any length.
    Text,
    /// `bool`
    Bool,
    /// `int32`
    Int32,
    /// `int64`
    Int64,
    /// `decimal(precision, scale)`; `decimal` alone names neither.
    Decimal(Option<(Int, Int)>),
    /// `float64`
    Float64,
    /// `date`
    Date,
    /// `datetime`: an instant.
    DateTime,
    /// `localtime`
    LocalTime,
    /// `guid`
    Guid,
    /// `binary`
    Binary,
    /// `enum E`
    Enum(Name),
    /// `ref E`
    Ref(Name),
    /// A word that is no type; its error has been given.
    Bad,
}
