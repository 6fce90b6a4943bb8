//! Expressions: the grammar's flat list of operands and operators, shaped by precedence.

use std::iter::Peekable;
use std::vec::IntoIter;

use super::Builder;
use crate::syntax::{Node, NodeExt, Rule};
use crate::tree::{
    Binary, BinaryOp, Call, Expr, ExprKind, If, In, IsNull, Literal, LiteralKind, Parts, Path,
    Pipe, Unary, UnaryOp,
};
use crate::{Span, mistakes};

/// The nodes of one `expr` that aren't read yet.
type Rest<'i> = Peekable<IntoIter<Node<'i>>>;

/// How tightly `not` binds: looser than a comparison, tighter than `and`.
const NOT: u8 = 3;
/// How tightly comparisons, `in` and `is null` bind.
const COMPARISON: u8 = 4;
/// Tighter than any operator between two operands.
const NEGATE: u8 = 8;

impl Builder<'_> {
    /// A `piped`: an expression and the steps behind it.
    pub(super) fn piped(&mut self, node: &Node<'_>) -> Option<Expr> {
        let input = self.expr(&node.first(Rule::expr)?)?;
        let steps: Vec<_> = node
            .all(Rule::pipe)
            .filter_map(|pipe| pipe.first(Rule::step).and_then(|step| self.step(&step)))
            .collect();
        if steps.is_empty() {
            return Some(input);
        }
        Some(Expr {
            kind: ExprKind::Pipe(Box::new(Pipe { input, steps })),
            span: node.place(),
        })
    }

    pub(super) fn expr(&mut self, node: &Node<'_>) -> Option<Expr> {
        let nodes: Vec<Node<'_>> = node.clone().into_inner().collect();
        self.climb(&mut nodes.into_iter().peekable(), 0)
    }

    /// Reads on while operators bind at least as tightly as `least`.
    fn climb(&mut self, rest: &mut Rest<'_>, least: u8) -> Option<Expr> {
        let mut left = self.operand(rest)?;
        let mut compared: Option<Span> = None;
        while let Some(next) = rest.peek() {
            let op_span = next.place();
            let op = (next.as_rule() == Rule::infix).then(|| infix(op_span.of(self.source)));
            let precedence = op.map_or(COMPARISON, BinaryOp::precedence);
            if precedence < least {
                break;
            }
            if precedence == COMPARISON {
                if let Some(first) = compared {
                    self.report(mistakes::chained_comparison(op_span, first));
                }
                compared = Some(op_span);
            }
            let node = rest.next()?;
            left = match op {
                Some(op) => {
                    self.check_operator(op, op_span);
                    let right = self.climb(rest, precedence + 1)?;
                    let span = left.span.to(right.span);
                    Expr {
                        kind: ExprKind::Binary(Box::new(Binary {
                            op,
                            op_span,
                            left,
                            right,
                        })),
                        span,
                    }
                }
                None => self.postfix(left, &node)?,
            };
        }
        Some(left)
    }

    /// A term with the operators before it.
    fn operand(&mut self, rest: &mut Rest<'_>) -> Option<Expr> {
        let mut prefixes = Vec::new();
        while let Some(prefix) =
            rest.next_if(|node| matches!(node.as_rule(), Rule::not | Rule::negate))
        {
            prefixes.push((prefix.as_rule(), prefix.place()));
        }
        let Some((innermost, _)) = prefixes.last() else {
            let term = rest.next()?;
            return self.term(&term);
        };
        let least = if *innermost == Rule::not {
            NOT + 1
        } else {
            NEGATE
        };
        let mut operand = self.climb(rest, least)?;
        for (rule, op_span) in prefixes.into_iter().rev() {
            operand = prefixed(rule, op_span, operand);
        }
        Some(operand)
    }

    fn check_operator(&mut self, op: BinaryOp, span: Span) {
        let written = span.of(self.source);
        if written != op.as_str() {
            self.report(mistakes::wrong_operator(span, written, op.as_str()));
        }
    }

    /// `in (…)` and `is null` behind an expression.
    fn postfix(&mut self, value: Expr, node: &Node<'_>) -> Option<Expr> {
        let span = value.span.to(node.place());
        let negated = node.has(Rule::not);
        let kind = if node.as_rule() == Rule::in_list {
            self.commas(node);
            let options = node
                .all(Rule::expr)
                .map(|option| self.expr(&option))
                .collect::<Option<_>>()?;
            ExprKind::In(Box::new(In {
                value,
                negated,
                options,
            }))
        } else {
            ExprKind::IsNull(Box::new(IsNull { value, negated }))
        };
        Some(Expr { kind, span })
    }

    fn term(&mut self, node: &Node<'_>) -> Option<Expr> {
        let span = node.place();
        let kind = match node.as_rule() {
            Rule::literal => ExprKind::Literal(self.literal(node)?),
            Rule::path => ExprKind::Path(self.path(node)?),
            Rule::member_path => ExprKind::Member(self.member(node)?),
            Rule::tuple => ExprKind::Tuple(
                node.all(Rule::path)
                    .map(|path| self.path(&path))
                    .collect::<Option<_>>()?,
            ),
            Rule::call => ExprKind::Call(Call {
                function: self.name(&node.first(Rule::dotted)?),
                args: self.args(&node.first(Rule::call_args)?.first(Rule::args)?),
            }),
            Rule::if_ => {
                let mut parts = node.all(Rule::expr);
                ExprKind::If(Box::new(If {
                    condition: self.expr(&parts.next()?)?,
                    then: self.expr(&parts.next()?)?,
                    otherwise: self.expr(&parts.next()?)?,
                }))
            }
            Rule::group => return self.piped(&node.first(Rule::piped)?),
            _ => return None,
        };
        Some(Expr { kind, span })
    }

    pub(super) fn args(&mut self, node: &Node<'_>) -> Vec<Expr> {
        self.commas(node);
        node.all(Rule::expr)
            .filter_map(|arg| self.expr(&arg))
            .collect()
    }

    pub(super) fn path(&mut self, node: &Node<'_>) -> Option<Path> {
        let parts = match node.first(Rule::parts) {
            Some(parts) => Some(self.parts(&parts)?),
            None => None,
        };
        Some(Path {
            segments: self.idents(node),
            parts,
            span: node.place(),
        })
    }

    fn parts(&mut self, node: &Node<'_>) -> Option<Parts> {
        let mut paths: Vec<Path> = node
            .all(Rule::path)
            .map(|path| self.path(&path))
            .collect::<Option<_>>()?;
        let Some(others) = node.first(Rule::one_of) else {
            return Some(Parts::All(paths));
        };
        for other in others.all(Rule::path) {
            paths.push(self.path(&other)?);
        }
        Some(Parts::OneOf(paths))
    }
}

/// An operand with one operator before it. A minus before a number is part of the number.
fn prefixed(rule: Rule, op_span: Span, operand: Expr) -> Expr {
    let span = op_span.to(operand.span);
    let op = if rule == Rule::not {
        UnaryOp::Not
    } else {
        UnaryOp::Negate
    };
    let kind = match operand.kind {
        ExprKind::Literal(Literal {
            kind: LiteralKind::Number(number),
            ..
        }) if op == UnaryOp::Negate && !number.starts_with('-') => ExprKind::Literal(Literal {
            kind: LiteralKind::Number(format!("-{number}")),
            span,
        }),
        kind => {
            let operand = Expr {
                kind,
                span: operand.span,
            };
            ExprKind::Unary(Box::new(Unary {
                op,
                op_span,
                operand,
            }))
        }
    };
    Expr { kind, span }
}

/// What an operator means, also in the spellings of other languages.
fn infix(written: &str) -> BinaryOp {
    let meant = match written {
        "=" => "==",
        "<>" => "!=",
        "&&" => "and",
        "||" => "or",
        right => right,
    };
    let known = BinaryOp::ALL.into_iter().find(|op| op.as_str() == meant);
    known.unwrap_or(BinaryOp::Eq)
}
