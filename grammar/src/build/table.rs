//! Value maps, functions, isos.

use super::Builder;
use crate::mistakes;
use crate::recover::Place;
use crate::syntax::{Node, NodeExt, Rule};
use crate::tree::{
    Direction, Expr, ExtendValueMap, Function, Iso, Member, Param, Row, RowValue, Table, TypeExpr,
    Value, ValueMap,
};

impl Builder<'_> {
    pub(super) fn value_map(&mut self, node: &Node<'_>) -> Option<ValueMap> {
        let name = self.ident(&node.first(Rule::ident)?);
        self.colon(node, name.span);
        let (left, right) = self.two_types(node, "A value map")?;
        let table = self.table(
            &node.first(Rule::table)?,
            &format!("The value map {}", name.text),
        )?;
        let span = node.place();
        Some(ValueMap {
            doc: self.doc_above(span.start),
            name,
            left,
            right,
            table,
            span,
        })
    }

    pub(super) fn extend_value_map(&mut self, node: &Node<'_>) -> Option<ExtendValueMap> {
        let base = self.name(&node.first(Rule::dotted)?);
        let table = self.table(
            &node.first(Rule::table)?,
            &format!("The extension of {}", base.text()),
        )?;
        let span = node.place();
        Some(ExtendValueMap {
            doc: self.doc_above(span.start),
            base,
            table,
            span,
        })
    }

    /// `T <-> U` of a head.
    fn two_types(&mut self, node: &Node<'_>, what: &str) -> Option<(TypeExpr, TypeExpr)> {
        self.fixed_arrow(node, Direction::Both, what)?;
        let mut types = node.all(Rule::type_);
        let left = self.type_(&types.next()?)?;
        let right = self.type_(&types.next()?)?;
        Some((left, right))
    }

    pub(super) fn table(&mut self, node: &Node<'_>, what: &str) -> Option<Table> {
        self.closed(node, what);
        self.commas(node);
        let mut table = Table {
            rows: Vec::new(),
            bad: Vec::new(),
            span: node.place(),
        };
        for child in node.clone().into_inner() {
            match child.as_rule() {
                Rule::row => table.rows.push(self.row(&child)?),
                Rule::bad_row => table.bad.push(self.bad(&child, Place::Table)),
                _ => {}
            }
        }
        Some(table)
    }

    fn row(&mut self, node: &Node<'_>) -> Option<Row> {
        let arrow = self.arrow_of(node)?;
        let mut sides = node.all(Rule::row_value);
        let left = self.row_value(&sides.next()?)?;
        let right = self.row_value(&sides.next()?)?;
        let (left, right) = match (left, right) {
            (RowValue::Else(span), right) => (RowValue::Else(span), for_the_rest(right)),
            (left, RowValue::Else(span)) => (for_the_rest(left), RowValue::Else(span)),
            both => both,
        };
        Some(Row {
            left,
            arrow,
            right,
            span: node.place(),
        })
    }

    fn row_value(&mut self, node: &Node<'_>) -> Option<RowValue> {
        if node.has(Rule::kw_else) {
            return Some(RowValue::Else(node.place()));
        }
        self.value(&node.first(Rule::value)?).map(RowValue::Value)
    }

    pub(super) fn function(&mut self, node: &Node<'_>) -> Option<Function> {
        self.commas(node);
        self.fixed_arrow(node, Direction::Right, "A function's result")?;
        let params = node
            .all(Rule::param)
            .map(|param| self.param(&param))
            .collect::<Option<_>>()?;
        let span = node.place();
        Some(Function {
            doc: self.doc_above(span.start),
            name: self.ident(&node.first(Rule::ident)?),
            params,
            result: self.type_(&node.first(Rule::type_)?)?,
            body: self.piped(&node.first(Rule::piped)?)?,
            span,
        })
    }

    fn param(&mut self, node: &Node<'_>) -> Option<Param> {
        let name = self.ident(&node.first(Rule::ident)?);
        self.colon(node, name.span);
        Some(Param {
            name,
            ty: self.type_(&node.first(Rule::type_)?)?,
            span: node.place(),
        })
    }

    pub(super) fn iso(&mut self, node: &Node<'_>) -> Option<Iso> {
        let name = self.ident(&node.first(Rule::ident)?);
        self.colon(node, name.span);
        self.closed(node, &format!("The iso {}", name.text));
        let (left, right) = self.two_types(node, "An iso")?;
        let (forward, backward) = self.iso_ways(node, &name)?;
        let span = node.place();
        Some(Iso {
            doc: self.doc_above(span.start),
            name,
            left,
            right,
            forward,
            backward,
            span,
        })
    }

    fn iso_ways(
        &mut self,
        node: &Node<'_>,
        name: &crate::tree::Ident,
    ) -> Option<(Option<Expr>, Option<Expr>)> {
        let (mut forward, mut backward) = (Vec::new(), Vec::new());
        let mut readable = true;
        for child in node.clone().into_inner() {
            match child.as_rule() {
                Rule::iso_way => {
                    let arrow = self.arrow_of(&child)?;
                    let way = self.piped(&child.first(Rule::piped)?)?;
                    match arrow.direction {
                        Direction::Right => forward.push(way),
                        Direction::Left => backward.push(way),
                        Direction::Both => {
                            self.report(mistakes::arrow_must_be(
                                arrow.span,
                                "One way of an iso",
                                "->",
                            ));
                            readable = false;
                        }
                    }
                }
                Rule::bad_iso_item => {
                    self.bad(&child, Place::Iso);
                    readable = false;
                }
                _ => {}
            }
        }
        let found = match (forward.len(), backward.len()) {
            (1, 1) => None,
            (0, _) => Some("has no `->`"),
            (_, 0) => Some("has no `<-`"),
            _ => Some("has more"),
        };
        if let Some(found) = found.filter(|_| readable) {
            self.report(mistakes::iso_ways(name.span, found));
        }
        Some((forward.into_iter().next(), backward.into_iter().next()))
    }
}

/// Opposite `else`, the words `keep` and `reject` say what becomes of the rest.
fn for_the_rest(value: RowValue) -> RowValue {
    let RowValue::Value(Value::Member(Member {
        of: None,
        name,
        span,
    })) = &value
    else {
        return value;
    };
    match name.text.as_str() {
        "keep" => RowValue::Keep(*span),
        "reject" => RowValue::Reject(*span),
        _ => value,
    }
}
