//! `test` blocks: names resolved, values typed.

use dwmap_grammar::tree::{self, Decl, OutcomeKind, TestField, TestValue, Value as TreeValue};
use dwmap_plan::Side;

use crate::diagnostics::UNKNOWN_MAP;
use crate::lower::repr::{self, EnumList};
use crate::model::{
    MapModel, Operand, TestCell, TestModel, TestOutcome, TestRecord, TestRoundtrip, TestStep,
    TestTarget,
};
use crate::resolve::Sink;
use crate::resolve::scope::{DeclId, Kind};
use crate::types::context::{Context, MapContext};

/// Resolves all tests; a test of a map with mistakes is left out.
pub(crate) fn resolve(
    project: &Context<'_>,
    maps: &[(DeclId, MapModel)],
    sink: &mut Sink,
) -> Vec<TestModel> {
    let mut tests = Vec::new();
    for (module, m) in project.names.modules.iter().enumerate() {
        for decl in &m.tree.decls {
            let Decl::Test(test) = decl else { continue };
            let parts = &test.map.parts;
            let Some(id) = project
                .names
                .resolve(module, Kind::Map, parts, UNKNOWN_MAP, sink)
            else {
                continue;
            };
            let Some((_, map)) = maps.iter().find(|(decl, _)| *decl == id) else {
                continue;
            };
            let reader = TestReader {
                map: MapContext {
                    project: *project,
                    module,
                    sides: &map.sides,
                },
            };
            tests.extend(reader.test(map, test, sink));
        }
    }
    tests
}

struct TestReader<'a> {
    map: MapContext<'a>,
}

impl TestReader<'_> {
    fn test(&self, map: &MapModel, test: &tree::Test, sink: &mut Sink) -> Option<TestModel> {
        let steps: Vec<Option<TestStep>> = test
            .steps
            .iter()
            .map(|step| self.step(step, sink))
            .collect();
        let steps: Vec<TestStep> = steps.into_iter().collect::<Option<_>>()?;
        test.bad.is_empty().then(|| TestModel {
            map: map.name.clone(),
            what: test.what.value.clone(),
            place: self.source_place(test.what.span),
            steps,
        })
    }

    fn source_place(&self, span: dwmap_grammar::Span) -> dwmap_plan::SourcePlace {
        self.map.project.sources.source_place(self.map.place(span))
    }

    fn step(&self, step: &tree::TestStep, sink: &mut Sink) -> Option<TestStep> {
        let edits: Vec<Option<TestRecord>> = step
            .edits
            .iter()
            .map(|record| self.record(record, sink))
            .collect();
        let outcome = step.outcome.as_ref().map(|it| self.outcome(it, sink));
        let roundtrip = step.roundtrip.as_ref().map(|it| {
            let after = it.after_edit.as_ref().map(|r| self.record(r, sink));
            match after {
                None => Some(TestRoundtrip { after_edit: None }),
                Some(record) => record.map(|r| TestRoundtrip {
                    after_edit: Some(r),
                }),
            }
        });
        Some(TestStep {
            edits: edits.into_iter().collect::<Option<_>>()?,
            outcome: match outcome {
                None => None,
                Some(outcome) => Some(outcome?),
            },
            roundtrip: match roundtrip {
                None => None,
                Some(roundtrip) => Some(roundtrip?),
            },
            place: self.source_place(step.span),
        })
    }

    fn outcome(&self, outcome: &tree::Outcome, sink: &mut Sink) -> Option<TestOutcome> {
        Some(match &outcome.kind {
            OutcomeKind::Record(record) => TestOutcome::Record(self.record(record, sink)?),
            OutcomeKind::Exactly(record) => TestOutcome::Exactly(self.record(record, sink)?),
            OutcomeKind::Filtered => TestOutcome::Filtered,
            OutcomeKind::Rejects(code) => TestOutcome::Rejects(code.text.clone()),
        })
    }

    fn record(&self, record: &tree::Record, sink: &mut Sink) -> Option<TestRecord> {
        let side = self.map.side_named(&record.side, sink)?;
        let mut result = Some(TestRecord {
            side,
            cells: Vec::new(),
            missing: Vec::new(),
        });
        for field in &record.fields {
            let done = match field {
                TestField::Value { path, value, span } => {
                    self.cell(side, path, value, *span, sink).map(|cell| {
                        if let Some(record) = &mut result {
                            record.cells.push(cell);
                        }
                    })
                }
                TestField::Missing { path, .. } => {
                    let operand = self.map.paths(side).resolve(path, None, sink);
                    operand.and_then(|o| self.target(side, &o)).map(|target| {
                        if let Some(record) = &mut result {
                            record.missing.push(target);
                        }
                    })
                }
                TestField::Bad(_) => None,
            };
            if done.is_none() {
                result = None;
            }
        }
        result
    }

    fn cell(
        &self,
        side: Side,
        path: &tree::Path,
        value: &TestValue,
        span: dwmap_grammar::Span,
        sink: &mut Sink,
    ) -> Option<TestCell> {
        let operand = self.map.paths(side).resolve(path, None, sink)?;
        let typed = self.map.typed(side, &operand);
        let value = match value {
            TestValue::Value(value) => {
                let place = self.map.place(value.span());
                let value = match value {
                    TreeValue::Literal(literal) => typed.expected().literal(literal, place),
                    TreeValue::Member(member) => typed
                        .expected()
                        .member(&member.name, self.map.place(member.name.span)),
                };
                value.map_err(|diagnostic| sink.push(*diagnostic)).ok()?
            }
            TestValue::List(_) => {
                sink.not_yet(self.map.place(span), "a test of line items");
                return None;
            }
        };
        Some(TestCell {
            path: path.text(),
            target: self.target(side, &operand)?,
            value,
            place: self.source_place(span),
        })
    }

    fn target(&self, side: Side, operand: &Operand) -> Option<TestTarget> {
        let (schema, entity) = (self.map.schema(side), self.map.entity(side));
        let mut enums = EnumList::default();
        match operand {
            Operand::Field(at) => {
                let field = entity.field(*at);
                Some(TestTarget::Column {
                    wire: field.wire_name().to_owned(),
                    ty: field.ty.clone(),
                    repr: repr::of_field(schema, field, &mut enums),
                    enum_def: enums.list.into_iter().next(),
                })
            }
            Operand::Lookup(lookup) => {
                let target = &schema.entities[lookup.target];
                let field = target.field(lookup.field);
                let nav = entity.nav(lookup.nav);
                Some(TestTarget::Lookup {
                    nav: nav.name.clone(),
                    via: nav.via.first()?.clone(),
                    entity: target.data.name.clone(),
                    wire: field.wire_name().to_owned(),
                    ty: field.ty.clone(),
                })
            }
            Operand::Constant { .. } | Operand::Concat(_) => None,
        }
    }
}
