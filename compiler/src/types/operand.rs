//! What stands at a side of a line: a field, a reference, a constant, or texts joined.

use dwmap_grammar::Safety;
use dwmap_grammar::tree::{Call, Expr, ExprKind, Ident, Line, LiteralKind, Member};
use dwmap_plan::{Side, Type, Value};

use crate::diagnostics::{
    Diagnostic, FIELD_OR_MEMBER, NOT_WRITABLE, ONE_WAY_STEP, UNKNOWN_ENUM, UNKNOWN_STEP,
    WRONG_INPUT,
};
use crate::model::Operand;
use crate::resolve::Sink;
use crate::types::context::{MapContext, Typed};

/// A line's operands while it is resolved.
pub(crate) struct Operands<'a, 'm> {
    pub(crate) map: &'m MapContext<'a>,
    pub(crate) line: &'m Line,
    pub(crate) by_key: Option<&'m Ident>,
}

impl<'a> Operands<'a, '_> {
    fn expr(&self, side: Side) -> &Expr {
        match side {
            Side::Left => &self.line.left,
            Side::Right => &self.line.right,
        }
    }

    fn two_way(&self) -> bool {
        let direction = self.line.arrow.direction;
        direction.writes_left() && direction.writes_right()
    }

    /// Both sides, left first.
    pub(crate) fn resolve(&self, sink: &mut Sink) -> Option<[Operand; 2]> {
        if self.two_way() {
            let left = self.written(Side::Left, sink);
            let right = self.written(Side::Right, sink);
            return Some([left?, right?]);
        }
        let to = if self.line.arrow.direction.writes_right() {
            Side::Right
        } else {
            Side::Left
        };
        if let Some(diagnostic) = self.constant_written(to) {
            sink.push(diagnostic);
            return None;
        }
        let written = self.written(to, sink);
        let target = written.as_ref().map(|w| self.map.typed(to, w));
        let read = self.read(to.other(), target.as_ref(), sink);
        let (written, read) = (written?, read?);
        Some(match to {
            Side::Right => [read, written],
            Side::Left => [written, read],
        })
    }

    /// A side that is written: a path.
    fn written(&self, side: Side, sink: &mut Sink) -> Option<Operand> {
        let expr = self.expr(side);
        match &expr.kind {
            ExprKind::Path(path) => self.map.paths(side).resolve(path, self.by_key, sink),
            ExprKind::Tuple(_) => {
                sink.not_yet(self.map.place(expr.span), "a reference of several parts");
                None
            }
            _ if self.two_way() => {
                sink.push(self.no_way_back(expr));
                None
            }
            // Said by `constant_written` already.
            _ => None,
        }
    }

    /// Something on the written side of a one-way line that can't be written to. What stands opposite isn't looked
    /// at then: it may well be a name of the other side.
    fn constant_written(&self, side: Side) -> Option<Diagnostic> {
        let expr = self.expr(side);
        let path = matches!(expr.kind, ExprKind::Path(_) | ExprKind::Tuple(_));
        (!path).then(|| self.not_writable(side, expr))
    }

    /// The line as it stands, without its steps.
    fn text(&self, expr: &Expr) -> &'a str {
        let sources = self.map.project.sources;
        sources.text(self.map.place(expr.span))
    }

    fn no_way_back(&self, expr: &Expr) -> Diagnostic {
        let line = self.line;
        let what = match &expr.kind {
            ExprKind::Call(call) => call.function.text(),
            ExprKind::Literal(_) | ExprKind::Member(_) => "a constant".to_owned(),
            _ => "an expression".to_owned(),
        };
        let arrow = if std::ptr::eq(expr, &raw const line.left) {
            "->"
        } else {
            "<-"
        };
        let message = format!("{what} has no way back, so this line can only be {arrow}");
        let pair = line.left.span.to(line.right.span);
        Diagnostic::new(ONE_WAY_STEP, self.map.place(pair), message)
            .label("both ways")
            .fix(
                Safety::Suggestion,
                format!("make it one-way: {arrow}"),
                self.map.place(line.arrow.span),
                arrow,
            )
    }

    fn not_writable(&self, side: Side, expr: &Expr) -> Diagnostic {
        let line = self.line;
        let arrow = line.arrow.direction.as_str();
        let (written, what) = match side {
            Side::Left => ("left", "`<-` writes what stands on its left"),
            Side::Right => ("right", "`->` writes what stands on its right"),
        };
        let thing = match &expr.kind {
            ExprKind::Literal(literal) => match literal.kind {
                LiteralKind::String(_) => "a text constant",
                _ => "a constant",
            },
            ExprKind::Member(_) => "a constant",
            _ => "an expression",
        };
        let mut message = format!("{what}, and {thing} can't be written to");
        let other = self.expr(side.other());
        let place = self.map.place(expr.span);
        let path_there = matches!(other.kind, ExprKind::Path(_));
        if path_there {
            message = format!(
                "{message}; {} stands on the side that is read",
                self.text(other)
            );
        }
        let diagnostic = Diagnostic::new(NOT_WRITABLE, place, message)
            .label(format!("at the {written} of {arrow}"));
        // Only a name of the side where the constant stands can be meant, and only that one is offered.
        let own = match &other.kind {
            ExprKind::Path(path) => path
                .as_ident()
                .is_some_and(|name| self.map.entity(side).find_field(&name.text).is_some()),
            _ => false,
        };
        if !own {
            return diagnostic.help("turn the arrow round, or name a field there");
        }
        let mended = format!("{} {arrow} {} on create", self.text(other), self.text(expr));
        let pair = self.map.place(line.left.span.to(line.right.span));
        diagnostic.fix(Safety::Safe, mended.clone(), pair, mended)
    }

    /// A side that is only read: an expression, typed by the target where it is a constant.
    fn read(&self, side: Side, target: Option<&Typed<'_>>, sink: &mut Sink) -> Option<Operand> {
        self.read_expr(self.expr(side), side, target, sink)
    }

    fn read_expr(
        &self,
        expr: &Expr,
        side: Side,
        target: Option<&Typed<'_>>,
        sink: &mut Sink,
    ) -> Option<Operand> {
        let place = self.map.place(expr.span);
        match &expr.kind {
            ExprKind::Path(path) => match path.as_ident() {
                Some(name) => self.field_or_member(name, path, side, target, sink),
                None => self.map.paths(side).resolve(path, self.by_key, sink),
            },
            ExprKind::Literal(literal) => {
                let target = target?;
                let value = target.expected().literal(literal, place);
                constant(value, target, sink)
            }
            ExprKind::Member(member) => {
                let target = target?;
                self.member(member, target, sink)
            }
            ExprKind::Call(call) => self.call(call, expr, side, sink),
            ExprKind::Tuple(_) => {
                sink.not_yet(place, "a reference of several parts");
                None
            }
            ExprKind::If(_) => not_yet(place, "`if … then … else`", sink),
            ExprKind::Pipe(_) => not_yet(place, "steps within an expression", sink),
            ExprKind::Unary(_) | ExprKind::Binary(_) | ExprKind::In(_) | ExprKind::IsNull(_) => {
                not_yet(place, "an expression with operators", sink)
            }
        }
    }

    /// A bare name is a field, or a member of the enum that the target expects; a name that is both is an error.
    fn field_or_member(
        &self,
        name: &Ident,
        path: &dwmap_grammar::tree::Path,
        side: Side,
        target: Option<&Typed<'_>>,
        sink: &mut Sink,
    ) -> Option<Operand> {
        let place = self.map.place(name.span);
        let entity = self.map.entity(side);
        let field = entity.find_field(&name.text);
        let members = target.and_then(|t| t.members);
        let member = members.filter(|(members, _)| members.by_name(&name.text).is_some());
        match (field, member, target) {
            (Some(at), Some((members, declared)), _) => {
                let qualified = format!("{}::{}", members.name, name.text);
                let message = format!(
                    "{} is a field of {} and a member of {}; which is meant can't be known here",
                    name.text,
                    self.map.shown(side),
                    members.name
                );
                sink.push(
                    Diagnostic::new(FIELD_OR_MEMBER, place, message)
                        .label("field or member?")
                        .related(entity.field_places[at], "the field")
                        .related(declared, "the enum")
                        .fix(Safety::Suggestion, qualified.clone(), place, qualified)
                        .help("`Enum::Member` is a member for certain"),
                );
                None
            }
            (Some(at), None, _) => Some(Operand::Field(at)),
            (None, Some(_), Some(target)) => {
                constant(target.expected().member(name, place), target, sink)
            }
            // The target is an enum, and the name is near to a member: a member was meant.
            (None, None, Some(target))
                if members.is_some_and(|(members, _)| {
                    let names = members.members.iter().map(|m| m.name.as_str());
                    crate::suggest::nearest(&name.text, names).is_some()
                        && crate::suggest::nearest(&name.text, entity.names()).is_none()
                }) =>
            {
                constant(target.expected().member(name, place), target, sink)
            }
            _ => self.map.paths(side).resolve(path, self.by_key, sink),
        }
    }

    fn member(&self, member: &Member, target: &Typed<'_>, sink: &mut Sink) -> Option<Operand> {
        if let Some(of) = &member.of
            && target
                .members
                .is_none_or(|(members, _)| members.name != of.text)
        {
            let place = self.map.place(of.span);
            let message = format!(
                "{} is {}, and not of the enum {}",
                target.name(),
                target.ty,
                of.text
            );
            let mut diagnostic =
                Diagnostic::new(UNKNOWN_ENUM, place, message).label("another enum");
            if let Some((_, declared)) = target.field {
                diagnostic = diagnostic.related(declared, "declared here");
            }
            sink.push(diagnostic);
            return None;
        }
        let place = self.map.place(member.name.span);
        constant(target.expected().member(&member.name, place), target, sink)
    }

    fn call(&self, call: &Call, expr: &Expr, side: Side, sink: &mut Sink) -> Option<Operand> {
        let place = self.map.place(call.function.span);
        let name = call.function.text();
        if name != "concat" {
            let names = self.map.project.names;
            let kind = crate::resolve::scope::Kind::Function;
            if let Ok(Some(_)) = names.find(self.map.module, kind, &call.function.parts) {
                return not_yet(place, "a function of one's own", sink);
            }
            let meant = crate::suggest::nearest(&name, ["concat"]);
            sink.push(
                Diagnostic::new(UNKNOWN_STEP, place, format!("there is no function {name}"))
                    .label("not known")
                    .help("the functions of several values are: concat")
                    .meant(meant, place),
            );
            return None;
        }
        let text = Typed {
            ty: Type::Text(None),
            members: None,
            field: None,
            fold: false,
        };
        let args: Vec<Option<Operand>> = call
            .args
            .iter()
            .map(|arg| self.text_argument(arg, side, &text, sink))
            .collect();
        let args: Option<Vec<Operand>> = args.into_iter().collect();
        let _ = expr;
        args.map(Operand::Concat)
    }

    fn text_argument(
        &self,
        arg: &Expr,
        side: Side,
        text: &Typed<'_>,
        sink: &mut Sink,
    ) -> Option<Operand> {
        let operand = self.read_expr(arg, side, Some(text), sink)?;
        let typed = self.map.typed(side, &operand);
        if matches!(typed.ty, Type::Text(_)) {
            return Some(operand);
        }
        let message = format!(
            "concat joins texts, and {} is {}",
            typed.name(),
            crate::types::constant::type_in_words(&typed.ty)
        );
        let place = self.map.place(arg.span);
        let mut diagnostic = Diagnostic::new(WRONG_INPUT, place, message).label("no text");
        if let Some((_, declared)) = typed.field {
            diagnostic = diagnostic.related(declared, "declared here");
        }
        sink.push(diagnostic);
        None
    }
}

fn constant(
    value: Result<Value, Box<Diagnostic>>,
    target: &Typed<'_>,
    sink: &mut Sink,
) -> Option<Operand> {
    match value {
        Ok(value) => Some(Operand::Constant {
            value,
            ty: target.ty.clone(),
        }),
        Err(diagnostic) => {
            sink.push(*diagnostic);
            None
        }
    }
}

fn not_yet<T>(place: crate::sources::Place, what: &str, sink: &mut Sink) -> Option<T> {
    sink.not_yet(place, what);
    None
}
