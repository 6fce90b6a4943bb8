//! What the tree tells the formatter: where items begin, which columns they have, what is written without blanks.

use std::collections::{HashMap, HashSet};

use super::columns::Row;
use super::runs::{self, Columns, Item};
use crate::Span;
use crate::tokens::Tokens;
use crate::tree::{
    Decl, Entity, EntityItem, Expr, ExprKind, ExtendMap, File, Line, MapItem, NullWhen,
    OutcomeKind, Record, RowValue, SchemaItem, StepKind, Table, Test, TestField, TestValue,
};

/// What the tree tells of a text's tokens, by their offsets.
#[derive(Default)]
pub(super) struct Marks {
    /// Where items begin; a line that begins elsewhere goes on with the one before.
    pub(super) starts: HashSet<usize>,
    /// How many blanks stand before a token, where columns say so.
    pub(super) pads: HashMap<usize, usize>,
    /// What has no blanks in it: the paths of modules.
    pub(super) solid: Vec<Span>,
    /// Where what follows a brace on later lines stands under what follows it on the first: the steps of tests.
    pub(super) hanging: Vec<Span>,
}

/// Gathers the marks.
struct Marker<'a> {
    tokens: Tokens<'a>,
    marks: Marks,
}

impl Marks {
    pub(super) fn of(tokens: Tokens<'_>, file: &File) -> Self {
        let mut marker = Marker {
            tokens,
            marks: Self::default(),
        };
        for line in &file.uses {
            marker.start(line.span);
            marker.marks.solid.push(line.module.span);
        }
        for decl in &file.decls {
            marker.start(decl.span());
            marker.decl(decl);
        }
        marker.marks
    }
}

impl Marker<'_> {
    fn start(&mut self, span: Span) {
        self.marks.starts.insert(span.start);
    }

    fn decl(&mut self, decl: &Decl) {
        match decl {
            Decl::Schema(schema) => self.schema(&schema.items),
            Decl::ExtendSchema(schema) => self.schema(&schema.items),
            Decl::ValueMap(value_map) => self.table(&value_map.table),
            Decl::ExtendValueMap(value_map) => self.table(&value_map.table),
            Decl::Map(map) => self.map(&map.items),
            Decl::ExtendMap(ExtendMap { items, .. }) => self.map(items),
            Decl::Test(test) => self.test(test),
            Decl::Function(_) | Decl::Iso(_) | Decl::Lines(_) | Decl::Bad(_) => {}
        }
    }

    fn schema(&mut self, items: &[SchemaItem]) {
        let mut rows = Vec::new();
        for item in items {
            let mut row = None;
            let span = match item {
                SchemaItem::Dialect(word) | SchemaItem::Case(word) => {
                    self.item_that_ends_with(word.span)
                }
                SchemaItem::Null(rule) => {
                    let sign = self.tokens.symbol(rule.span, "=");
                    row = sign
                        .filter(|_| rule.when == NullWhen::Always)
                        .map(|sign| (Columns::Nulls, Row::of_words(rule.span, sign, None)));
                    rule.span
                }
                SchemaItem::Enum(it) => {
                    it.members.iter().for_each(|member| self.start(member.span));
                    if let Some(colon) = it.as_bool {
                        self.marks.pads.insert(colon.start, 1);
                    }
                    it.span
                }
                SchemaItem::Entity(entity) => self.entity(entity),
                SchemaItem::ExtendEntity(entity) => {
                    let span = self.entity(entity);
                    self.item_that_ends_with(span)
                }
                SchemaItem::Bad(span) => *span,
            };
            self.start(span);
            rows.push(Item { span, row });
        }
        self.set_columns(&rows);
    }

    fn entity(&mut self, entity: &Entity) -> Span {
        let mut rows = Vec::new();
        for item in &entity.items {
            let mut row = None;
            let span = match item {
                EntityItem::Key(key) => key.span,
                EntityItem::AltKey(key) => key.span,
                EntityItem::StripedBy(path) => self.item_that_ends_with(path.span),
                EntityItem::Identity(word) | EntityItem::Modified(word) => {
                    self.item_that_ends_with(word.span)
                }
                EntityItem::Wire(text) | EntityItem::Physical(text) => {
                    self.item_that_ends_with(text.span)
                }
                EntityItem::Nav(nav) => nav.span,
                EntityItem::Field(field) => {
                    let attrs = field.attrs.first().map(|attr| attr.span);
                    row = Some((
                        Columns::Fields,
                        Row::of_words(field.span, field.ty.span, attrs),
                    ));
                    field.span
                }
                EntityItem::Bad(span) => *span,
            };
            self.start(span);
            rows.push(Item { span, row });
        }
        self.set_columns(&rows);
        entity.span
    }

    fn map(&mut self, items: &[MapItem]) {
        let mut rows = Vec::new();
        for item in items {
            let mut span = item.span();
            let mut row = None;
            match item {
                MapItem::Key(line) | MapItem::Replace(line) | MapItem::Line(line) => {
                    if !matches!(item, MapItem::Line(_)) {
                        span = self.item_that_ends_with(span);
                    }
                    self.line(line);
                    let columns = match item {
                        MapItem::Replace(_) => Columns::Replacements,
                        _ => Columns::Lines,
                    };
                    row = self.line_row(span, line).map(|row| (columns, row));
                }
                MapItem::Where(filter) => {
                    row = Some((
                        Columns::Filters,
                        Row::of_words(filter.span, filter.filter.span, None),
                    ));
                }
                _ => {}
            }
            self.start(span);
            rows.push(Item { span, row });
        }
        self.set_columns(&rows);
    }

    /// A line's row. One whose left side is computed is longer than others are, and stands for itself.
    fn line_row(&self, span: Span, line: &Line) -> Option<Row> {
        if !is_plain(&line.left) {
            return None;
        }
        let end = line.steps.first().map(|step| self.pipe_before(step.span));
        let end = end.or_else(|| line.suffixes.first().map(|suffix| suffix.span));
        Some(Row::of_line(span, line.arrow, line.right.span, end))
    }

    fn line(&mut self, line: &Line) {
        for step in &line.steps {
            match &step.kind {
                StepKind::Table(table) => self.table(table),
                StepKind::Named(named) => named.table.iter().for_each(|table| self.table(table)),
            }
        }
        let pipe = line.steps.first().map(|step| self.pipe_before(step.span));
        let ends = pipe
            .into_iter()
            .chain(line.suffixes.iter().map(|suffix| suffix.span));
        for end in ends.collect::<Vec<_>>() {
            self.marks.pads.insert(end.start, 2);
        }
    }

    fn table(&mut self, table: &Table) {
        let rows = table.rows.iter().map(|row| {
            let for_the_rest =
                matches!(row.left, RowValue::Else(_)) || matches!(row.right, RowValue::Else(_));
            let columns = Row::of_line(row.span, row.arrow, row.right.span(), None);
            Item {
                span: row.span,
                row: (!for_the_rest).then_some((Columns::Rows, columns)),
            }
        });
        let rows: Vec<Item> = rows.collect();
        for row in &rows {
            self.start(row.span);
        }
        self.set_columns(&rows);
    }

    fn test(&mut self, test: &Test) {
        for step in &test.steps {
            self.marks.hanging.push(step.span);
            step.edits.iter().for_each(|record| self.record(record));
            if let Some(outcome) = &step.outcome {
                self.start(outcome.span);
                if let OutcomeKind::Record(record) | OutcomeKind::Exactly(record) = &outcome.kind {
                    self.record(record);
                }
            }
            if let Some(roundtrip) = &step.roundtrip {
                self.start(roundtrip.span);
                roundtrip
                    .after_edit
                    .iter()
                    .for_each(|record| self.record(record));
            }
        }
        self.sides(test);
    }

    /// The records of a test that begin a line have their braces under each other.
    fn sides(&mut self, test: &Test) {
        let records = test.steps.iter().flat_map(|step| {
            let outcome = step
                .outcome
                .as_ref()
                .and_then(|outcome| match &outcome.kind {
                    OutcomeKind::Record(record) => Some(record),
                    _ => None,
                });
            step.edits.iter().chain(outcome)
        });
        let sides: Vec<Span> = records.map(|record| record.side.span).collect();
        let width = |span: &Span| span.of(self.tokens.source).chars().count();
        let widest = sides.iter().map(width).max().unwrap_or(0);
        let braces: Vec<(usize, usize)> = sides
            .iter()
            .filter(|side| self.tokens.begins_line(side.start))
            .filter_map(|side| {
                let brace = self
                    .tokens
                    .symbol(Span::new(side.end, self.tokens.source.len()), "{")?;
                Some((brace.start, widest - width(side) + 1))
            })
            .collect();
        self.marks.pads.extend(braces);
    }

    fn record(&mut self, record: &Record) {
        self.start(record.span);
        self.fields(&record.fields);
    }

    fn fields(&mut self, fields: &[TestField]) {
        for field in fields {
            match field {
                TestField::Value { value, span, .. } => {
                    self.start(*span);
                    if let TestValue::List(items) = value {
                        for item in items {
                            self.fields(item);
                        }
                    }
                }
                TestField::Missing { span, .. } | TestField::Bad(span) => self.start(*span),
            }
        }
    }

    fn set_columns(&mut self, items: &[Item]) {
        self.marks.pads.extend(runs::pads(self.tokens, items));
    }

    /// An item of which the tree knows only the last part: `modified FIELD`. It begins with its first word.
    fn item_that_ends_with(&self, part: Span) -> Span {
        let before = self.tokens.before(part.start).iter().rev();
        let words = before.take_while(|token| {
            token.is_significant() && !matches!(token.text(self.tokens.source), "{" | "}" | ";")
        });
        let start = words.last().map_or(part.start, |token| token.span.start);
        Span::new(start, part.end)
    }

    fn pipe_before(&self, step: Span) -> Span {
        let mut before = self.tokens.before(step.start).iter().rev();
        let pipe = before.find(|token| token.is(self.tokens.source, "|"));
        pipe.map_or(step, |token| token.span)
    }
}

/// Whether a line's left side is a path, a constant or the parts of a reference.
fn is_plain(expr: &Expr) -> bool {
    matches!(
        expr.kind,
        ExprKind::Path(_) | ExprKind::Literal(_) | ExprKind::Member(_) | ExprKind::Tuple(_)
    )
}
