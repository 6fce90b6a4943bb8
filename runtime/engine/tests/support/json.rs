//! Random records for a program's columns: any order, keys missing, escapes, nulls, extremes, wrong kinds.

use std::fmt::Write;

use dwmap_plan::{Program, Repr};

use super::choices::Choices;
use super::values::TEXTS;

pub fn record(c: &mut Choices, program: &Program) -> String {
    let mut members: Vec<String> = Vec::new();
    for column in &program.columns {
        if c.one_in(8) {
            continue;
        }
        let value = match c.below(12) {
            10 => "null".to_owned(),
            11 => (*c.of(&[
                "true",
                "1",
                "\"x\"",
                "[1,{\"a\":[]}]",
                "{\"a\":null}",
                "-0.0",
            ]))
            .to_owned(),
            _ => scalar(c, &column.repr),
        };
        let colon = *c.of(&[":", ":", ":", " : ", ":\n"]);
        members.push(format!("{}{colon}{value}", string(c, &column.wire)));
    }
    for i in 0..c.below(4) {
        let value = *c.of(&[
            "null",
            "\"W/\\\"1\\\"\"",
            "{\"a\":[1,2,{}],\"b\":\"\\u00e9\"}",
            "[]",
            "-1.5e10",
            "false",
        ]);
        let at = c.below(members.len() + 1);
        members.insert(at, format!("\"@odata.x{i}\":{value}"));
    }
    if c.one_in(2) && members.len() > 1 {
        let (a, b) = (c.below(members.len()), c.below(members.len()));
        members.swap(a, b);
        members.reverse();
    }
    let comma = *c.of(&[",", ", ", ",\n  "]);
    format!("{{{}}}", members.join(comma))
}

/// A string with some of its characters escaped though they needn't be.
pub fn string(c: &mut Choices, text: &str) -> String {
    let mut out = String::from("\"");
    let eager = c.one_in(4);
    for ch in text.chars() {
        if eager && c.one_in(3) {
            let mut units = [0; 2];
            for unit in ch.encode_utf16(&mut units) {
                write!(out, "\\u{unit:04X}").unwrap();
            }
        } else {
            let quoted = serde_json::to_string(&ch.to_string()).unwrap();
            out += &quoted[1..quoted.len() - 1];
        }
    }
    out + "\""
}

fn scalar(c: &mut Choices, repr: &Repr) -> String {
    let text = match repr {
        Repr::Text => *c.of(TEXTS),
        Repr::Bool => return (*c.of(&["true", "false"])).to_owned(),
        Repr::Int32 => {
            return (*c.of(&[
                "0",
                "1",
                "-0",
                "2147483647",
                "2147483648",
                "1.0",
                "-5",
                "1e2",
            ]))
            .to_owned();
        }
        Repr::Int64 => {
            return (*c.of(&[
                "0",
                "1",
                "9223372036854775807",
                "9223372036854775808",
                "-9223372036854775808",
                "\"42\"",
                "\"+1\"",
                "\"-7\"",
                "\"\"",
            ]))
            .to_owned();
        }
        Repr::EnumInt(_) => return (*c.of(&["0", "1", "192350000", "7", "1.5"])).to_owned(),
        Repr::Decimal(..) => {
            return (*c.of(&[
                "0",
                "-0.00",
                "1000.005",
                "1.50",
                "15e-1",
                "1E3",
                "123456789012345678",
                "1234567890123456789.5",
                "99999999999999999999999999999999999999",
                "0.00000000000000000000000000000000000001",
                "9999999.995",
                "199999999999999999999999999999999999999",
                "1e400",
            ]))
            .to_owned();
        }
        Repr::Float64 => {
            return (*c.of(&[
                "0",
                "-0.0",
                "1.5",
                "1e300",
                "5e-324",
                "123456789012345678901234567890",
            ]))
            .to_owned();
        }
        Repr::Date => *c.of(&[
            "2026-01-31",
            "1900-01-01",
            "2000-02-29",
            "2001-02-29",
            "2026-1-1",
            "9999-12-31",
        ]),
        Repr::DateNoon => *c.of(&[
            "2026-01-31T12:00:00Z",
            "1900-01-01T12:00:00Z",
            "2026-01-31",
            "2026-01-31T23:30:00-02:00",
            "x",
        ]),
        Repr::DateTime => *c.of(&[
            "2026-01-31T00:00:00Z",
            "1900-01-01T00:00:00Z",
            "2026-01-31T01:02:03.045+02:00",
            "2026-01-31T24:00:00Z",
            "2026-01-31T00:00:00",
        ]),
        Repr::LocalTime => *c.of(&[
            "2026-01-31T00:00:00",
            "2026-01-31T01:02:03.000001",
            "2026-01-31T00:00:00Z",
            "2026-01-31",
        ]),
        Repr::Guid => *c.of(&[
            "11111111-1111-1111-1111-111111111111",
            "22222222-2222-2222-2222-222222222222",
            "ABCDEFab-1111-1111-1111-111111111111",
            "1111",
        ]),
        Repr::EnumName(_) => *c.of(&["Red", "Green", "Deep\"Blue", "red", ""]),
        Repr::Binary => *c.of(&["", "Zg==", "/wBx", "Z", "Zg=="]),
    };
    string(c, text)
}
