//! The lines of the simulated map as the plain model sees them: where their values stand, which tag they carry,
//! and when two sides agree.

use dwmap_plan::{Decimal, Rounding, Side};
use serde_json::Value as Json;

use super::oracle::Tag;
use super::wire::{Fields, json_text};

/// What a line does to its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The same text on both sides.
    Exact,
    /// Capitals at the right, as long as nothing but case differs.
    Upper,
    /// A number with two places at the right.
    Decimal,
    /// From left to right only.
    OneWay,
    /// `Yes` and `No` at the left, a bool at the right: no room for a tag.
    YesNo,
    /// A group's code at the left, its identity at the right.
    Group,
}

/// A line.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) name: &'static str,
    columns: [&'static str; 2],
    pub(crate) shape: Shape,
}

impl Line {
    pub(crate) const fn column(&self, side: Side) -> &'static str {
        self.columns[side.index()]
    }

    /// The value that stands on a side, for the story.
    pub(crate) fn show(&self, side: Side, fields: &Fields) -> String {
        json_text(fields.get(self.column(side)))
    }

    /// Whether its values carry tags.
    pub(crate) fn tagged(&self) -> bool {
        !matches!(self.shape, Shape::YesNo | Shape::Group)
    }

    /// A value with this tag, as users of a side write it.
    pub(crate) fn value(&self, side: Side, tag: Tag) -> Json {
        match (self.shape, side) {
            (Shape::Decimal, Side::Left) => number(&format!("{tag}.0050")),
            (Shape::Decimal, Side::Right) => number(&format!("{tag}.25")),
            (Shape::YesNo, Side::Left) => (if tag.is_multiple_of(2) { "Yes" } else { "No" }).into(),
            (Shape::YesNo, Side::Right) => tag.is_multiple_of(2).into(),
            _ => format!("Acme t{tag}").into(),
        }
    }
}

fn number(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or(Json::Null)
}

/// All lines that users edit.
pub(crate) const LINES: &[Line] = &[
    Line {
        name: "name",
        columns: ["Name", "name"],
        shape: Shape::Exact,
    },
    Line {
        name: "alias",
        columns: ["Alias", "searchname"],
        shape: Shape::Upper,
    },
    Line {
        name: "limit",
        columns: ["CreditLimit", "creditlimit"],
        shape: Shape::Decimal,
    },
    Line {
        name: "terms",
        columns: ["Terms", "terms"],
        shape: Shape::Exact,
    },
    Line {
        name: "city",
        columns: ["City", "city"],
        shape: Shape::OneWay,
    },
    Line {
        name: "hold",
        columns: ["OnHold", "onhold"],
        shape: Shape::YesNo,
    },
    Line {
        name: "group",
        columns: ["Group", "_group_value"],
        shape: Shape::Group,
    },
];

/// The index of the terms line, which business logic fills in.
pub(crate) const TERMS: usize = 3;

/// The tag that a line's value on a side carries; 0 for none.
pub(crate) fn tag_of(line: &Line, side: Side, fields: &Fields) -> Tag {
    let text = line.show(side, fields);
    match line.shape {
        Shape::YesNo | Shape::Group => 0,
        Shape::Decimal => text
            .split('.')
            .next()
            .and_then(|w| w.parse().ok())
            .unwrap_or(0),
        _ => tag_in(&text),
    }
}

fn tag_in(text: &str) -> Tag {
    let mut words = text.split([' ', '~']);
    words
        .find_map(|w| w.strip_prefix(['t', 'T']).and_then(|n| n.parse().ok()))
        .unwrap_or(0)
}

/// What is known of groups, by which references are judged.
pub(crate) trait Groups {
    /// The code of the group with an identity; empty for none.
    fn code(&self, identity: &str) -> String;
    /// Whether a company has a group.
    fn exists(&self, company: &str, code: &str) -> bool;
}

/// Whether a line's two values agree, written down once more and independently of the engine.
pub(crate) fn agrees(line: &Line, left: &Fields, right: &Fields, groups: &dyn Groups) -> bool {
    let (l, r) = (line.show(Side::Left, left), line.show(Side::Right, right));
    let (l, r) = (l.trim_end(), r.trim_end());
    match line.shape {
        Shape::Exact => l == r,
        Shape::Upper => l.to_uppercase() == r || l == r || l == r.to_uppercase(),
        Shape::Decimal => {
            let places = |text: &str| {
                text.parse::<Decimal>()
                    .ok()
                    .map(|d| d.rescale(2, Rounding::HalfEven))
            };
            // Blank is zero at the left.
            let zero = |text: &str| {
                if text.is_empty() {
                    "0".to_owned()
                } else {
                    text.to_owned()
                }
            };
            places(&zero(l)) == places(&zero(r))
        }
        Shape::YesNo => (l == "Yes") == (r == "true"),
        Shape::Group => l == groups.code(r) || (r.is_empty() && waits(left, groups)),
        Shape::OneWay => true,
    }
}

/// Whether a left row refers to a group that isn't there.
pub(crate) fn waits(left: &Fields, groups: &dyn Groups) -> bool {
    let code = json_text(left.get("Group"));
    !code.is_empty() && !groups.exists(&json_text(left.get("dataAreaId")), &code)
}
