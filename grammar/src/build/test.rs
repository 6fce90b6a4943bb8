//! Tests.

use super::Builder;
use crate::mistakes;
use crate::recover::Place;
use crate::syntax::{Node, NodeExt, Rule};
use crate::tree::{
    Direction, Outcome, OutcomeKind, Record, Roundtrip, Test, TestField, TestStep, TestValue, Text,
};
use crate::{Span, tree::Name};

impl Builder<'_> {
    pub(super) fn test(&mut self, node: &Node<'_>) -> Option<Test> {
        let map = self.name(&node.first(Rule::dotted)?);
        let what = self.description(node, &map);
        self.closed(node, &format!("The test of {}", map.text()));
        let span = node.place();
        let mut test = Test {
            doc: self.doc_above(span.start),
            map,
            what,
            steps: Vec::new(),
            bad: Vec::new(),
            span,
        };
        for child in node.clone().into_inner() {
            match child.as_rule() {
                Rule::test_step => match self.test_step(&child) {
                    Some(step) => test.steps.push(step),
                    None => test.bad.push(child.place()),
                },
                Rule::bad_test_item => test.bad.push(self.bad(&child, Place::Test)),
                _ => {}
            }
        }
        Some(test)
    }

    fn description(&mut self, node: &Node<'_>, map: &Name) -> Text {
        if let Some(text) = node.first(Rule::string) {
            return self.text(&text);
        }
        let at = map.span.end;
        self.report(mistakes::missing_description(at));
        Text {
            value: String::new(),
            span: Span::at(at),
        }
    }

    fn test_step(&mut self, node: &Node<'_>) -> Option<TestStep> {
        let edits = node
            .all(Rule::record)
            .map(|record| self.record(&record))
            .collect::<Option<_>>()?;
        let outcome = match node.first(Rule::outcome) {
            Some(outcome) => {
                self.fixed_arrow(node, Direction::Right, "What comes of an edit")?;
                Some(self.outcome(&outcome)?)
            }
            None => None,
        };
        let roundtrip = node.first(Rule::roundtrip).map(|roundtrip| Roundtrip {
            after_edit: roundtrip
                .first(Rule::record)
                .and_then(|record| self.record(&record)),
            span: roundtrip.place(),
        });
        Some(TestStep {
            edits,
            outcome,
            roundtrip,
            span: node.place(),
        })
    }

    fn outcome(&mut self, node: &Node<'_>) -> Option<Outcome> {
        let inner = node.clone().into_inner().next()?;
        let kind = match inner.as_rule() {
            Rule::filtered => OutcomeKind::Filtered,
            Rule::rejects => OutcomeKind::Rejects(self.ident(&inner.first(Rule::ident)?)),
            Rule::exactly => OutcomeKind::Exactly(self.record(&inner.first(Rule::record)?)?),
            Rule::record => OutcomeKind::Record(self.record(&inner)?),
            _ => {
                self.bad(&inner, Place::Outcome);
                return None;
            }
        };
        Some(Outcome {
            kind,
            span: node.place(),
        })
    }

    fn record(&mut self, node: &Node<'_>) -> Option<Record> {
        let side = self.ident(&node.first(Rule::ident)?);
        let fields = self.fields(
            &node.first(Rule::fields)?,
            &format!("The record of {}", side.text),
        );
        Some(Record {
            side,
            fields,
            span: node.place(),
        })
    }

    fn fields(&mut self, node: &Node<'_>, what: &str) -> Vec<TestField> {
        self.closed(node, what);
        self.commas(node);
        let mut fields = Vec::new();
        for child in node.clone().into_inner() {
            match child.as_rule() {
                Rule::test_field => {
                    let field = self.test_field(&child);
                    fields.push(field.unwrap_or(TestField::Bad(child.place())));
                }
                Rule::bad_field => fields.push(TestField::Bad(self.bad(&child, Place::Record))),
                _ => {}
            }
        }
        fields
    }

    fn test_field(&mut self, node: &Node<'_>) -> Option<TestField> {
        let span = node.place();
        if let Some(missing) = node.first(Rule::missing_ref) {
            let path = self.path(&missing.first(Rule::path)?)?;
            return Some(TestField::Missing { path, span });
        }
        let path = self.path(&node.first(Rule::path)?)?;
        self.colon(node, path.span);
        let value = match node.first(Rule::list) {
            Some(list) => self.list(&list),
            None => TestValue::Value(self.value(&node.first(Rule::value)?)?),
        };
        Some(TestField::Value { path, value, span })
    }

    fn list(&mut self, node: &Node<'_>) -> TestValue {
        self.closed(node, "This list");
        self.commas(node);
        TestValue::List(
            node.all(Rule::fields)
                .map(|fields| self.fields(&fields, "This line item"))
                .collect(),
        )
    }
}
