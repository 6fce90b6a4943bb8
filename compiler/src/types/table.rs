//! Tables: value maps, tables of a line's own, `same_name`.

use dwmap_grammar::Safety;
use dwmap_grammar::tree::{self, Direction, Row, RowValue, Value as TreeValue};
use dwmap_plan::{TableElse, TableRow, Type, Value};

use crate::diagnostics::{
    CANNOT_KEEP, DUPLICATE_ROW, Diagnostic, NO_COMMON_NAME, NO_ENUM, NOT_BIJECTIVE, OUTSIDE_DOMAIN,
    UNCOVERED, UNKNOWN_ENUM, WRONG_ROW,
};
use crate::model::TableModel;
use crate::resolve::Sink;
use crate::sources::{FileId, Place};
use crate::suggest::listed;
use crate::types::constant::{kind_of, text_of};
use crate::types::context::Typed;

/// A table that is being read.
struct Builder<'a> {
    file: FileId,
    left: &'a Typed<'a>,
    right: &'a Typed<'a>,
    model: TableModel,
    /// The places of rows, beside `model.forward` and `model.backward`.
    places: [Vec<Option<Place>>; 2],
    /// Where a direction's `else` is said, its values are covered.
    said_else: [bool; 2],
    failed: bool,
}

/// Reads the rows of a table between values of these types. `None` where a row makes no sense.
pub(crate) fn rows(
    table: &tree::Table,
    left: &Typed<'_>,
    right: &Typed<'_>,
    file: FileId,
    sink: &mut Sink,
) -> Option<TableModel> {
    let mut builder = Builder::new(left, right, file);
    builder.failed |= !table.bad.is_empty();
    for row in &table.rows {
        builder.row(row, sink);
    }
    let whole = Place {
        file,
        span: table.span,
    };
    builder.warn_uncovered(whole, sink);
    builder.finish()
}

/// Pairs members by name, and adds rows. `place` is the step's name.
pub(crate) fn same_name(
    added: Option<&tree::Table>,
    left: &Typed<'_>,
    right: &Typed<'_>,
    two_way: bool,
    place: Place,
    sink: &mut Sink,
) -> Option<TableModel> {
    let mut builder = Builder::new(left, right, place.file);
    let (names_left, names_right) = (named_values(left), named_values(right));
    for (typed, names) in [(left, &names_left), (right, &names_right)] {
        if names.is_empty() {
            let message = format!(
                "{} is {}, which has no members that could be paired by name",
                typed.name(),
                typed.ty
            );
            let mut diagnostic = Diagnostic::new(NO_ENUM, place, message)
                .label("pairs members by name")
                .help("same_name is for enums, and for texts that their schema lists with `oneof`");
            if let Some((_, place)) = typed.field {
                diagnostic = diagnostic.related(place, "declared here");
            }
            sink.push(diagnostic);
            return None;
        }
    }
    for (name, value) in &names_left {
        if let Some((_, other)) = names_right.iter().find(|(n, _)| n == name) {
            builder.pair(value.clone(), other.clone(), Direction::Both, None);
        }
    }
    if builder.model.forward.is_empty() {
        let message = format!(
            "{} and {} have no name in common",
            left.name(),
            right.name()
        );
        sink.push(
            Diagnostic::new(NO_COMMON_NAME, place, message)
                .label("pairs nothing")
                .help("write a table: { A <-> B, C <-> D }"),
        );
        return None;
    }
    if let Some(table) = added {
        builder.failed |= !table.bad.is_empty();
        for row in &table.rows {
            builder.row(row, sink);
        }
    }
    builder.warn_without_namesake(&names_left, &names_right, two_way, place, sink);
    builder.finish()
}

/// The values of an enum, or of texts that are one in truth, by name.
fn named_values(typed: &Typed<'_>) -> Vec<(String, Value)> {
    if let Some((members, _)) = typed.members {
        let members = members.members.iter();
        return members
            .map(|m| (m.name.clone(), Value::Int(m.value)))
            .collect();
    }
    let texts = typed.one_of().iter();
    texts
        .map(|text| (text.clone(), Value::Text(text.clone())))
        .collect()
}

/// How a value reads in a message.
pub(crate) fn in_words(value: &Value, typed: &Typed<'_>) -> String {
    match (value, typed.members) {
        (Value::Int(n), Some((members, _))) => members
            .by_value(*n)
            .map_or_else(|| n.to_string(), |m| m.name.clone()),
        (other, _) => text_of(other),
    }
}

impl<'a> Builder<'a> {
    fn new(left: &'a Typed<'a>, right: &'a Typed<'a>, file: FileId) -> Self {
        Self {
            file,
            left,
            right,
            model: TableModel {
                forward: Vec::new(),
                backward: Vec::new(),
                else_forward: TableElse::Reject,
                else_backward: TableElse::Reject,
            },
            places: [Vec::new(), Vec::new()],
            said_else: [false; 2],
            failed: false,
        }
    }

    fn finish(self) -> Option<TableModel> {
        (!self.failed).then_some(self.model)
    }

    fn place(&self, span: dwmap_grammar::Span) -> Place {
        Place {
            file: self.file,
            span,
        }
    }

    fn pair(&mut self, left: Value, right: Value, direction: Direction, place: Option<Place>) {
        if direction.writes_right() {
            self.model.forward.push(TableRow {
                from: left.clone(),
                to: right.clone(),
            });
            self.places[0].push(place);
        }
        if direction.writes_left() {
            self.model.backward.push(TableRow {
                from: right,
                to: left,
            });
            self.places[1].push(place);
        }
    }

    fn row(&mut self, row: &Row, sink: &mut Sink) {
        let plain = |v: &RowValue| matches!(v, RowValue::Value(_));
        if !plain(&row.left) || !plain(&row.right) {
            return self.otherwise(row, sink);
        }
        let (RowValue::Value(left), RowValue::Value(right)) = (&row.left, &row.right) else {
            return;
        };
        let values = (
            self.value(left, self.left, sink),
            self.value(right, self.right, sink),
        );
        let (Some(left), Some(right)) = values else {
            self.failed = true;
            return;
        };
        let place = self.place(row.span);
        if self.clashes(&left, &right, row.arrow.direction, place, sink) {
            self.failed = true;
            return;
        }
        self.pair(left, right, row.arrow.direction, Some(place));
    }

    /// `else -> x`, `keep <- else`: what a value without a row becomes.
    fn otherwise(&mut self, row: &Row, sink: &mut Sink) {
        let direction = row.arrow.direction;
        let other = if matches!(row.left, RowValue::Else(_)) {
            &row.right
        } else {
            &row.left
        };
        for (applies, to, forward) in [
            (direction.writes_right(), self.right, true),
            (direction.writes_left(), self.left, false),
        ] {
            if !applies {
                continue;
            }
            let otherwise = match other {
                RowValue::Keep(span) => {
                    if self.keeps() {
                        TableElse::Keep
                    } else {
                        self.cannot_keep(self.place(*span), sink);
                        self.failed = true;
                        return;
                    }
                }
                RowValue::Value(value) => {
                    let Some(value) = self.value(value, to, sink) else {
                        self.failed = true;
                        return;
                    };
                    TableElse::Value(value)
                }
                RowValue::Reject(_) | RowValue::Else(_) => TableElse::Reject,
            };
            if forward {
                self.model.else_forward = otherwise;
            } else {
                self.model.else_backward = otherwise;
            }
            self.said_else[usize::from(!forward)] = true;
        }
    }

    fn keeps(&self) -> bool {
        match (&self.left.ty, &self.right.ty) {
            (Type::Text(_), Type::Text(_)) => true,
            (a, b) => a == b && self.left.members == self.right.members,
        }
    }

    fn cannot_keep(&self, place: Place, sink: &mut Sink) {
        let message = format!("a {} can't be kept as a {}", self.left.ty, self.right.ty);
        sink.push(
            Diagnostic::new(CANNOT_KEEP, place, message)
                .label("kept as what?")
                .help("name a value instead, or `reject`"),
        );
    }

    fn value(&self, value: &TreeValue, typed: &Typed<'_>, sink: &mut Sink) -> Option<Value> {
        let place = self.place(value.span());
        let result = match value {
            TreeValue::Literal(literal) => {
                let known = typed.field.is_some() || typed.members.is_some();
                if !known && crate::types::constant::value_of(&literal.kind, &typed.ty).is_none() {
                    let kind = kind_of(&literal.kind);
                    let message =
                        format!("this side of the table is {}, and this is {kind}", typed.ty);
                    Err(Box::new(
                        Diagnostic::new(WRONG_ROW, place, message).label(kind),
                    ))
                } else {
                    typed.expected().literal(literal, place)
                }
            }
            TreeValue::Member(member) => {
                let other_enum = member.of.as_ref().filter(|of| {
                    typed
                        .members
                        .is_none_or(|(members, _)| members.name != of.text)
                });
                match other_enum {
                    Some(of) => Err(Box::new(
                        Diagnostic::new(
                            UNKNOWN_ENUM,
                            self.place(of.span),
                            format!(
                                "the value here is {}, and not of the enum {}",
                                typed.ty, of.text
                            ),
                        )
                        .label("another enum"),
                    )),
                    None => typed.expected().member(&member.name, place),
                }
            }
        };
        result.map_err(|diagnostic| sink.push(*diagnostic)).ok()
    }

    /// Whether two values are one, as the side's system compares them.
    fn same(a: &Value, b: &Value, fold: bool) -> bool {
        match (a, b) {
            (Value::Text(a), Value::Text(b)) if fold => a.to_lowercase() == b.to_lowercase(),
            _ => a == b,
        }
    }

    fn clashes(
        &self,
        left: &Value,
        right: &Value,
        direction: Direction,
        place: Place,
        sink: &mut Sink,
    ) -> bool {
        let forward = direction.writes_right().then(|| {
            let mut rows = self.model.forward.iter();
            rows.position(|row| Self::same(&row.from, left, self.left.fold))
        });
        let backward = direction.writes_left().then(|| {
            let mut rows = self.model.backward.iter();
            rows.position(|row| Self::same(&row.from, right, self.right.fold))
        });
        if let Some(Some(first)) = forward {
            sink.push(Self::duplicate(
                left,
                self.left,
                self.places[0][first],
                place,
            ));
            return true;
        }
        if let Some(Some(first)) = backward {
            let earlier = &self.model.backward[first].to;
            let diagnostic = if direction == Direction::Both {
                self.not_bijective(earlier, left, right, self.places[1][first], place)
            } else {
                Self::duplicate(right, self.right, self.places[1][first], place)
            };
            sink.push(diagnostic);
            return true;
        }
        false
    }

    fn duplicate(
        value: &Value,
        typed: &Typed<'_>,
        first: Option<Place>,
        place: Place,
    ) -> Diagnostic {
        let message = format!(
            "{} has a row already, so this second row can never be reached",
            in_words(value, typed)
        );
        let diagnostic = Diagnostic::new(DUPLICATE_ROW, place, message)
            .label("never reached")
            .fix(Safety::Safe, "drop the second row", place, "");
        match first {
            Some(first) => diagnostic.related(first, "the first row"),
            None => diagnostic.help("same_name pairs it by name already"),
        }
    }

    fn not_bijective(
        &self,
        earlier: &Value,
        left: &Value,
        right: &Value,
        first: Option<Place>,
        place: Place,
    ) -> Diagnostic {
        let (earlier, left) = (in_words(earlier, self.left), in_words(left, self.left));
        let right = in_words(right, self.right);
        let message = format!(
            "{earlier} and {left} both go to {right}, and {right} can come back as only one of them"
        );
        let row = format!("{left} -> {right}");
        let diagnostic = Diagnostic::new(NOT_BIJECTIVE, place, message)
            .label("the second two-way row on one value")
            .fix(
                Safety::Suggestion,
                format!("make one row one-way: {row}"),
                place,
                row,
            );
        match first {
            Some(first) => diagnostic.related(first, "the first"),
            None => diagnostic.help("same_name pairs it by name already"),
        }
    }

    /// Members of an enum that a value map has no row for.
    fn warn_uncovered(&self, place: Place, sink: &mut Sink) {
        if self.failed {
            return;
        }
        for (typed, rows, said) in [
            (self.left, &self.model.forward, self.said_else[0]),
            (self.right, &self.model.backward, self.said_else[1]),
        ] {
            // A direction without rows isn't read.
            if said || rows.is_empty() {
                continue;
            }
            let missing = Self::missing(&named_values(typed), rows);
            if missing.is_empty() || typed.members.is_none() {
                continue;
            }
            let message = format!(
                "this table has no row for {} of {}: records with {} are refused",
                listed(&missing, "and"),
                typed.ty,
                if missing.len() == 1 { "it" } else { "them" },
            );
            sink.push(
                Diagnostic::new(UNCOVERED, place, message)
                    .label("not covered")
                    .help("add rows, or say what becomes of the rest: `else -> x`"),
            );
        }
    }

    fn warn_without_namesake(
        &self,
        left: &[(String, Value)],
        right: &[(String, Value)],
        two_way: bool,
        place: Place,
        sink: &mut Sink,
    ) {
        if self.failed {
            return;
        }
        for (typed, names, rows, read) in [
            (self.left, left, &self.model.forward, !self.said_else[0]),
            (
                self.right,
                right,
                &self.model.backward,
                two_way && !self.said_else[1],
            ),
        ] {
            let missing = Self::missing(names, rows);
            if missing.is_empty() || !read {
                continue;
            }
            let message = format!(
                "{} of {} has no namesake: records with {} are refused",
                listed(&missing, "and"),
                typed.name(),
                if missing.len() == 1 { "it" } else { "them" },
            );
            let mut diagnostic = Diagnostic::new(OUTSIDE_DOMAIN, place, message)
                .label("pairs members by name")
                .help("add a row to say what becomes of it: same_name { A -> B }");
            if let Some((_, declared)) = typed.members {
                diagnostic = diagnostic.related(declared, "the enum");
            }
            sink.push(diagnostic);
        }
    }

    fn missing(names: &[(String, Value)], rows: &[TableRow]) -> Vec<String> {
        let has = |value: &Value| rows.iter().any(|row| row.from == *value);
        let missing = names.iter().filter(|(_, value)| !has(value));
        missing.map(|(name, _)| name.clone()).collect()
    }
}
