//! The syntax tree: what a file says, with the place of everything in it.
//!
//! Names are as written, nothing is resolved: whether a bare name is a field or a member of an enum is the
//! compiler's to know. What couldn't be read stands in the tree as `Bad`, with its span; its error is in
//! [`Parsed::errors`](crate::Parsed), and nobody needs to report it again.

mod expr;
mod map;
mod schema;
mod table;
mod test;

pub use expr::*;
pub use map::*;
pub use schema::*;
pub use table::*;
pub use test::*;

use crate::Span;

/// A name as it stands in the text; backquotes are taken off.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Ident {
    /// The name itself.
    pub text: String,
    /// Where it stands, backquotes included.
    pub span: Span,
}

/// A dotted name of a module, a map, an enum or an entity: `std.customers`, `fno.CustomersV3`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name {
    /// Its parts; at least one.
    pub parts: Vec<Ident>,
    /// All of it.
    pub span: Span,
}

impl Name {
    /// The parts joined by dots.
    pub fn text(&self) -> String {
        let parts: Vec<&str> = self.parts.iter().map(|part| part.text.as_str()).collect();
        parts.join(".")
    }

    /// The part behind the last dot; `None` only for a name without parts, which the parser never makes.
    pub fn last(&self) -> Option<&Ident> {
        self.parts.last()
    }

    /// The parts before the last dot.
    pub fn qualifier(&self) -> &[Ident] {
        self.parts.split_last().map_or(&[], |(_, rest)| rest)
    }
}

/// A text in quotes, its escapes resolved.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Text {
    /// What it says.
    pub value: String,
    /// Where it stands, quotes included.
    pub span: Span,
}

/// A whole number, such as a length or a wire value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Int {
    /// Its value.
    pub value: i64,
    /// Where it stands.
    pub span: Span,
}

/// What the `///` lines above a declaration say.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Doc {
    /// The lines without their slashes and the blank behind them, joined by line feeds.
    pub text: String,
    /// From the first slash to the end of the last line.
    pub span: Span,
}

/// One source text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct File {
    /// Its `use` lines, in order.
    pub uses: Vec<Use>,
    /// All its other declarations, in order.
    pub decls: Vec<Decl>,
}

/// `use a.b as c`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The module's path; a `-` stands in a part as it is written.
    pub module: Name,
    /// The name that it gets here.
    pub alias: Option<Ident>,
    /// The whole line.
    pub span: Span,
}

/// A declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decl {
    /// `schema s { … }`
    Schema(Schema),
    /// `extend schema s { … }`
    ExtendSchema(ExtendSchema),
    /// `valuemap V: T <-> U { … }`
    ValueMap(ValueMap),
    /// `extend valuemap V { … }`
    ExtendValueMap(ExtendValueMap),
    /// `fn f(x: T) -> U = …`
    Function(Function),
    /// `iso i: T <-> U { -> …  <- … }`
    Iso(Iso),
    /// `map m: A <-> B { … }`
    Map(Map),
    /// `extend map m { … }`
    ExtendMap(ExtendMap),
    /// `lines m of parent by field`
    Lines(Lines),
    /// `test m "what" { … }`
    Test(Test),
    /// Something that couldn't be read as a declaration.
    Bad(Span),
}

impl Decl {
    /// Where it stands, from its first word to its last brace.
    pub fn span(&self) -> Span {
        match self {
            Self::Schema(it) => it.span,
            Self::ExtendSchema(it) => it.span,
            Self::ValueMap(it) => it.span,
            Self::ExtendValueMap(it) => it.span,
            Self::Function(it) => it.span,
            Self::Iso(it) => it.span,
            Self::Map(it) => it.span,
            Self::ExtendMap(it) => it.span,
            Self::Lines(it) => it.span,
            Self::Test(it) => it.span,
            Self::Bad(span) => *span,
        }
    }
}

/// An arrow and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Arrow {
    /// Where it points.
    pub direction: Direction,
    /// Where it stands.
    pub span: Span,
}

/// The way that values travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// `<->`: both ways.
    Both,
    /// `->`: what stands on the left is read, what stands on the right is written.
    Right,
    /// `<-`: what stands on the right is read, what stands on the left is written.
    Left,
}

impl Direction {
    /// Whether the right side is written.
    pub const fn writes_right(self) -> bool {
        matches!(self, Self::Both | Self::Right)
    }

    /// Whether the left side is written.
    pub const fn writes_left(self) -> bool {
        matches!(self, Self::Both | Self::Left)
    }

    /// As it is written: `<->`, `->` or `<-`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Both => "<->",
            Self::Right => "->",
            Self::Left => "<-",
        }
    }
}
