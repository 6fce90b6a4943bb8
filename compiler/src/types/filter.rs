//! Filters: `where` as a typed condition, its constants in the storage form of what they are compared with.

use dwmap_grammar::tree::{Binary, BinaryOp, Expr, ExprKind, Ident, In, IsNull, UnaryOp};
use dwmap_plan::{CompareOp, Side, TextTest, Type, Value};

use crate::diagnostics::{
    Diagnostic, NO_ORDER, NOT_A_CONDITION, NOT_COMPARABLE, UNKNOWN_MEMBER, WRONG_INPUT,
};
use crate::model::{Condition, Operand, Term};
use crate::resolve::Sink;
use crate::suggest::nearest;
use crate::types::constant::type_in_words;
use crate::types::context::{MapContext, Typed};
use crate::types::convert::{Conversion, conversion};

/// The filters of one side while they are resolved.
pub(crate) struct Filters<'a, 'm> {
    pub(crate) map: &'m MapContext<'a>,
    pub(crate) side: Side,
}

/// One of a comparison's operands.
enum Compared<'a> {
    Term(Term, Typed<'a>),
    Constant(Value),
}

impl<'a> Filters<'a, '_> {
    /// Resolves a condition.
    pub(crate) fn condition(&self, expr: &Expr, sink: &mut Sink) -> Option<Condition> {
        match &expr.kind {
            ExprKind::Binary(binary) => self.binary(expr, binary, sink),
            ExprKind::Unary(unary) if unary.op == UnaryOp::Not => {
                let of = self.condition(&unary.operand, sink)?;
                Some(Condition::Not(Box::new(of)))
            }
            ExprKind::In(it) => self.among(it, sink),
            ExprKind::IsNull(it) => self.is_null(it, sink),
            ExprKind::Path(_) => self.truth(expr, sink),
            ExprKind::Literal(_) | ExprKind::Member(_) | ExprKind::Tuple(_) => {
                self.no_condition(expr, sink);
                None
            }
            _ => {
                sink.not_yet(self.map.place(expr.span), "an expression in a filter");
                None
            }
        }
    }

    fn no_condition(&self, expr: &Expr, sink: &mut Sink) {
        sink.push(
            Diagnostic::new(
                NOT_A_CONDITION,
                self.map.place(expr.span),
                "a filter says yes or no, and this doesn't",
            )
            .label("no condition")
            .help("compare it with something: PartyType == \"Organization\""),
        );
    }

    /// A bare field that is a truth value.
    fn truth(&self, expr: &Expr, sink: &mut Sink) -> Option<Condition> {
        let (term, typed) = self.term(expr, sink)?;
        if typed.ty == Type::Bool {
            return Some(Condition::Compare(term, CompareOp::Eq, Value::Bool(true)));
        }
        self.no_condition(expr, sink);
        None
    }

    fn binary(&self, expr: &Expr, it: &Binary, sink: &mut Sink) -> Option<Condition> {
        let op = match it.op {
            BinaryOp::And | BinaryOp::Or => {
                let left = self.condition(&it.left, sink);
                let right = self.condition(&it.right, sink);
                let of = vec![left?, right?];
                return Some(match it.op {
                    BinaryOp::And => Condition::All(of),
                    _ => Condition::Any(of),
                });
            }
            BinaryOp::Eq => CompareOp::Eq,
            BinaryOp::Ne => CompareOp::Ne,
            BinaryOp::Lt => CompareOp::Lt,
            BinaryOp::Le => CompareOp::Le,
            BinaryOp::Gt => CompareOp::Gt,
            BinaryOp::Ge => CompareOp::Ge,
            BinaryOp::StartsWith => return self.text_test(it, TextTest::StartsWith, sink),
            BinaryOp::EndsWith => return self.text_test(it, TextTest::EndsWith, sink),
            BinaryOp::Contains => return self.text_test(it, TextTest::Contains, sink),
            BinaryOp::Coalesce | BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div => {
                sink.not_yet(self.map.place(expr.span), "arithmetic in a filter");
                return None;
            }
        };
        self.comparison(it, op, sink)
    }

    /// The path of a condition.
    fn term(&self, expr: &Expr, sink: &mut Sink) -> Option<(Term, Typed<'a>)> {
        let ExprKind::Path(path) = &expr.kind else {
            self.no_condition(expr, sink);
            return None;
        };
        let operand = self.map.paths(self.side).resolve(path, None, sink)?;
        let typed = self.map.typed(self.side, &operand);
        let term = match operand {
            Operand::Field(at) => Term::Field(at),
            Operand::Lookup(lookup) => Term::Lookup(lookup),
            Operand::Constant { .. } | Operand::Concat(_) => return None,
        };
        Some((term, typed))
    }

    fn is_constant(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Literal(_) | ExprKind::Member(_) => true,
            ExprKind::Path(path) => path.as_ident().is_some_and(|name| {
                let entity = self.map.entity(self.side);
                entity.find_field(&name.text).is_none() && entity.find_nav(&name.text).is_none()
            }),
            _ => false,
        }
    }

    fn comparison(&self, it: &Binary, op: CompareOp, sink: &mut Sink) -> Option<Condition> {
        // A constant may stand at either side.
        let (path, other, op) = if self.is_constant(&it.left) && !self.is_constant(&it.right) {
            (&it.right, &it.left, turned(op))
        } else {
            (&it.left, &it.right, op)
        };
        let (term, typed) = self.term(path, sink)?;
        let ordered = !matches!(op, CompareOp::Eq | CompareOp::Ne);
        if ordered && !has_order(&typed.ty) {
            let message = format!(
                "{} is {}, which has no order",
                typed.name(),
                type_in_words(&typed.ty)
            );
            let place = self.map.place(it.op_span);
            let mut diagnostic =
                Diagnostic::new(NO_ORDER, place, message).label("before or after?");
            if let Some((_, declared)) = typed.field {
                diagnostic = diagnostic.related(declared, "declared here");
            }
            sink.push(diagnostic.help("compare with == or !=, or list values: in (A, B)"));
            return None;
        }
        match self.other(other, &typed, sink)? {
            Compared::Constant(value) => Some(compare(term, op, value, &typed)),
            Compared::Term(second, other_typed) => {
                if conversion(&typed, &other_typed) != Conversion::None
                    && conversion(&other_typed, &typed) != Conversion::None
                {
                    sink.push(self.not_comparable(it, &typed, &other_typed));
                    return None;
                }
                Some(Condition::Fields(term, op, second))
            }
        }
    }

    fn not_comparable(&self, it: &Binary, a: &Typed<'_>, b: &Typed<'_>) -> Diagnostic {
        let message = format!(
            "{} is {} and {} is {}, which can't be compared",
            a.name(),
            type_in_words(&a.ty),
            b.name(),
            type_in_words(&b.ty)
        );
        let place = self.map.place(it.op_span);
        let mut diagnostic = Diagnostic::new(NOT_COMPARABLE, place, message).label("two kinds");
        for typed in [a, b] {
            if let Some((field, declared)) = typed.field {
                diagnostic = diagnostic.related(declared, field.ty.to_string());
            }
        }
        diagnostic
    }

    fn other(&self, expr: &Expr, typed: &Typed<'a>, sink: &mut Sink) -> Option<Compared<'a>> {
        let ExprKind::Path(path) = &expr.kind else {
            return self.constant(expr, typed, sink).map(Compared::Constant);
        };
        if self.is_constant(expr) {
            let name = path.as_ident()?;
            return self.member(name, typed, sink).map(Compared::Constant);
        }
        let (term, typed) = self.term(expr, sink)?;
        Some(Compared::Term(term, typed))
    }

    /// A bare name that is no field: a member of the enum that is compared.
    fn member(&self, name: &Ident, typed: &Typed<'a>, sink: &mut Sink) -> Option<Value> {
        let place = self.map.place(name.span);
        let Some((members, declared)) = typed.members else {
            let path = dwmap_grammar::tree::Path {
                segments: vec![name.clone()],
                parts: None,
                span: name.span,
            };
            self.map.paths(self.side).resolve(&path, None, sink);
            return None;
        };
        if let Some(member) = members.by_name(&name.text) {
            return Some(Value::Int(member.value));
        }
        let entity = self.map.entity(self.side);
        let names = members.members.iter().map(|m| m.name.as_str());
        let meant = nearest(&name.text, names.chain(entity.names()));
        let message = format!(
            "{} has no member {}, and {} has no such field",
            members.name, name.text, entity.data.name
        );
        sink.push(
            Diagnostic::new(UNKNOWN_MEMBER, place, message)
                .label("neither a member nor a field")
                .related(declared, "the enum")
                .meant(meant, place),
        );
        None
    }

    fn constant(&self, expr: &Expr, typed: &Typed<'a>, sink: &mut Sink) -> Option<Value> {
        let place = self.map.place(expr.span);
        let value = match &expr.kind {
            ExprKind::Literal(literal) => typed.expected().literal(literal, place),
            ExprKind::Member(member) => typed
                .expected()
                .member(&member.name, self.map.place(member.name.span)),
            ExprKind::Path(path) => {
                let name = path.as_ident()?;
                return self.member(name, typed, sink);
            }
            _ => {
                sink.not_yet(place, "an expression in a filter");
                return None;
            }
        };
        value.map_err(|diagnostic| sink.push(*diagnostic)).ok()
    }

    fn among(&self, it: &In, sink: &mut Sink) -> Option<Condition> {
        let (term, typed) = self.term(&it.value, sink)?;
        let options: Vec<Option<Value>> = it
            .options
            .iter()
            .map(|option| self.constant(option, &typed, sink))
            .collect();
        let options: Vec<Value> = options.into_iter().collect::<Option<_>>()?;
        let (blank, values): (Vec<Value>, Vec<Value>) = options
            .into_iter()
            .map(|value| stored(value, &typed))
            .partition(Value::is_null);
        let mut any = Vec::new();
        if !values.is_empty() {
            any.push(Condition::In(term.clone(), values));
        }
        if !blank.is_empty() {
            any.push(Condition::IsNull(term));
        }
        let condition = match any.len() {
            1 => any.remove(0),
            _ => Condition::Any(any),
        };
        Some(if it.negated {
            Condition::Not(Box::new(condition))
        } else {
            condition
        })
    }

    fn is_null(&self, it: &IsNull, sink: &mut Sink) -> Option<Condition> {
        let (term, _) = self.term(&it.value, sink)?;
        let condition = Condition::IsNull(term);
        Some(if it.negated {
            Condition::Not(Box::new(condition))
        } else {
            condition
        })
    }

    fn text_test(&self, it: &Binary, test: TextTest, sink: &mut Sink) -> Option<Condition> {
        let (term, typed) = self.term(&it.left, sink)?;
        if !matches!(typed.ty, Type::Text(_)) {
            let message = format!(
                "{} looks into texts, and {} is {}",
                it.op.as_str(),
                typed.name(),
                type_in_words(&typed.ty)
            );
            let place = self.map.place(it.op_span);
            let mut diagnostic = Diagnostic::new(WRONG_INPUT, place, message).label("no text");
            if let Some((_, declared)) = typed.field {
                diagnostic = diagnostic.related(declared, "declared here");
            }
            sink.push(diagnostic);
            return None;
        }
        if let Value::Text(text) = self.constant(&it.right, &typed, sink)? {
            return Some(Condition::Text(term, test, text));
        }
        self.no_condition(&it.right, sink);
        None
    }
}

/// The comparison with its operands exchanged.
const fn turned(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Lt => CompareOp::Gt,
        CompareOp::Le => CompareOp::Ge,
        CompareOp::Gt => CompareOp::Lt,
        CompareOp::Ge => CompareOp::Le,
        CompareOp::Eq | CompareOp::Ne => op,
    }
}

const fn has_order(ty: &Type) -> bool {
    !matches!(ty, Type::Bool | Type::Enum(_) | Type::Guid | Type::Binary)
}

/// A constant as the field stores it: what stands for "none" there is null.
fn stored(value: Value, typed: &Typed<'_>) -> Value {
    let none = typed.field.and_then(|(field, _)| field.null.read.as_ref());
    if none == Some(&value) {
        Value::Null
    } else {
        value
    }
}

/// A comparison with a constant. Where the constant is "none", it asks for null.
fn compare(term: Term, op: CompareOp, value: Value, typed: &Typed<'_>) -> Condition {
    let value = stored(value, typed);
    if !value.is_null() {
        return Condition::Compare(term, op, value);
    }
    match op {
        CompareOp::Eq | CompareOp::Le | CompareOp::Ge => Condition::IsNull(term),
        CompareOp::Ne => Condition::Not(Box::new(Condition::IsNull(term))),
        // Nothing is below or above none.
        CompareOp::Lt | CompareOp::Gt => Condition::Any(Vec::new()),
    }
}
