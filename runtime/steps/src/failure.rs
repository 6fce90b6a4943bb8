//! Why a value couldn't be computed, stored or read.

use std::fmt;

use dwmap_plan::LengthUnit;

/// Why a slot holds no value. It names no field and holds no data: the line and the value stand beside it, masked
/// where they must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failure {
    /// A text is longer than its column.
    TooLong {
        /// Its length, in `unit`.
        length: u32,
        /// The column's limit, in `unit`.
        limit: u32,
        /// In what both are counted.
        unit: LengthUnit,
    },
    /// A table has no row for the value, and no `else`.
    NoRow,
    /// A number, date or instant lies beyond what its column can hold.
    OutOfRange(Bound),
    /// A column needs a value, and there is none.
    Required,
    /// A wire value that is no member of its enum.
    UnknownMember,
    /// A text that is none of the column's `oneof`.
    NotOneOf,
    /// The JSON value is of another kind than the column.
    WrongKind(JsonKind),
    /// A text that should be a date, an instant, a guid or base64, and isn't.
    Unreadable,
    /// A calculation has a result with more than 38 digits.
    Overflow,
    /// Some parts of a reference's key are blank, and others aren't.
    BlankKeyPart {
        /// The first blank part, by its place in the reference's key.
        part: u16,
    },
    /// An operation was given a value of a kind that it isn't made for.
    Mismatch,
}

/// The bound that a value lies beyond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bound {
    /// 32 bits.
    Int32,
    /// 64 bits.
    Int64,
    /// The digits of `decimal(precision, scale)`.
    Digits {
        /// All digits.
        precision: u8,
        /// Digits after the point.
        scale: u8,
    },
    /// The column's `min`.
    Min,
    /// The column's `max`.
    Max,
}

/// The kind of a JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JsonKind {
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// A string.
    String,
    /// `[…]`
    Array,
    /// `{…}`
    Object,
}

impl Failure {
    /// The stable code, for `dwmap explain`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLong { .. } => "R0101",
            Self::NoRow => "R0102",
            Self::OutOfRange(_) => "R0103",
            Self::Required => "R0104",
            Self::UnknownMember => "R0105",
            Self::NotOneOf => "R0106",
            Self::WrongKind(_) => "R0108",
            Self::Unreadable => "R0109",
            Self::Overflow => "R0110",
            Self::BlankKeyPart { .. } => "R0111",
            Self::Mismatch => "R0112",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong {
                length,
                limit,
                unit,
            } => {
                let unit = match unit {
                    LengthUnit::Utf16 => "UTF-16 units",
                    LengthUnit::Scalar => "characters",
                };
                write!(
                    f,
                    "the text has {length} {unit}, and the field takes {limit}"
                )
            }
            Self::NoRow => f.write_str("the table has no row for this value"),
            Self::OutOfRange(bound) => write!(f, "the value lies beyond {bound}"),
            Self::Required => f.write_str("the field needs a value, and there is none"),
            Self::UnknownMember => f.write_str("the value is no member of the field's enum"),
            Self::NotOneOf => f.write_str("the text is none of those that the field takes"),
            Self::WrongKind(kind) => {
                write!(f, "the system sent {kind} where the schema says otherwise")
            }
            Self::Unreadable => f.write_str("the text can't be read as the field's type"),
            Self::Overflow => f.write_str("the result has more than 38 digits"),
            Self::BlankKeyPart { part } => write!(
                f,
                "part {} of the reference's key is blank, and others aren't",
                part + 1
            ),
            Self::Mismatch => {
                f.write_str("the value is of a kind that the operation isn't made for")
            }
        }
    }
}

impl std::error::Error for Failure {}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int32 => f.write_str("32 bits"),
            Self::Int64 => f.write_str("64 bits"),
            Self::Digits { precision, scale } => write!(f, "decimal({precision}, {scale})"),
            Self::Min => f.write_str("the field's least value"),
            Self::Max => f.write_str("the field's greatest value"),
        }
    }
}

impl fmt::Display for JsonKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "true or false",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        })
    }
}
