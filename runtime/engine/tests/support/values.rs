//! Small pools of values, so that tables, conventions and comparisons meet what comes.

use dwmap_plan::{Type, Value};

use super::choices::Choices;

pub const TEXTS: &[&str] = &[
    "",
    "a",
    "A",
    "usmf",
    "USMF",
    "Net30",
    "  a ",
    "ab  ",
    "Große",
    "GROSSE",
    "\u{a0}x\u{a0}",
    "Σίσυφος ΑΣ",
    "a\"b\\c\n",
    "😀😀",
    "it's",
    "İı",
    "\u{1}\t",
    "abcdefghijklmnopqrstuvwxyz",
];

pub fn types() -> Vec<Type> {
    vec![
        Type::Text(None),
        Type::Text(Some(4)),
        Type::Bool,
        Type::Int32,
        Type::Int64,
        Type::Enum("Colour".to_owned()),
        Type::Decimal(9, 2),
        Type::Decimal(38, 6),
        Type::Float64,
        Type::Date,
        Type::DateTime,
        Type::LocalTime,
        Type::Guid,
        Type::Binary,
    ]
}

/// A value of the type, never null.
pub fn value(c: &mut Choices, ty: &Type) -> Value {
    match ty {
        Type::Text(_) => Value::from(*c.of(TEXTS)),
        Type::Bool => Value::Bool(c.below(2) == 1),
        Type::Int32 => Value::Int(*c.of(&[0, 1, 2, -5, i64::from(i32::MAX)])),
        Type::Int64 => Value::Int(*c.of(&[0, 1, 2, -5, i64::MAX, i64::MIN])),
        Type::Enum(_) => Value::Int(*c.of(&[0, 1, 2, 192_350_000])),
        Type::Decimal(..) => {
            let text = *c.of(&[
                "0",
                "1",
                "1000.005",
                "-0.50",
                "9999999.995",
                "12345678901234567890.123456",
                "99999999999999999999999999999999999999",
            ]);
            Value::Decimal(text.parse().unwrap())
        }
        Type::Float64 => Value::Float(*c.of(&[0.0, -0.0, 1.5, 1e300, 5e-324])),
        Type::Date => Value::Date(*c.of(&[0, -25_567, 20_000, i32::MAX])),
        Type::DateTime | Type::LocalTime => {
            Value::DateTime(*c.of(&[0, -1, 1_500_000, 1_700_000_000_000_000, i64::MAX]))
        }
        Type::Guid => Value::Guid(*c.of(&[[0x11; 16], [0x22; 16], [0xAB; 16]])),
        Type::Binary => Value::Binary(c.of(&[&b""[..], b"f", b"\xff\x00q"]).to_vec()),
    }
}
