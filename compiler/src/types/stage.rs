//! Steps: what happens to a value between the two sides of a line.

use dwmap_grammar::Safety;
use dwmap_grammar::tree::{Expr, ExprKind, Line, LiteralKind, NamedStep, Step, StepKind};
use dwmap_plan::{Class, StepCall, Table, Type, Value};
use dwmap_steps::{ParamKind, StepError, StepInfo};

use crate::diagnostics::{
    ARGUMENT_COUNT, Diagnostic, INEXACT_KEY, ONE_WAY_STEP, UNKNOWN_STEP, WRONG_ARGUMENT,
    WRONG_INPUT,
};
use crate::model::{Stage, TableModel};
use crate::resolve::Sink;
use crate::resolve::scope::Kind;
use crate::sources::Place;
use crate::suggest::nearest;
use crate::types::constant::kind_of;
use crate::types::context::{MapContext, Typed};
use crate::types::convert::{Conversion, conversion, loses};
use crate::types::table;

/// What the steps of a line come to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pipeline {
    pub(crate) stages: Vec<Stage>,
    pub(crate) normalise: bool,
}

/// The steps of a line while they are resolved.
pub(crate) struct Stages<'a, 'm> {
    pub(crate) map: &'m MapContext<'a>,
    pub(crate) line: &'m Line,
    pub(crate) key: bool,
}

impl<'a> Stages<'a, '_> {
    fn two_way(&self) -> bool {
        let direction = self.line.arrow.direction;
        direction.writes_left() && direction.writes_right()
    }

    /// The line without `key`, steps and suffixes.
    fn pair(&self) -> Place {
        self.map.place(self.line.left.span.to(self.line.right.span))
    }

    /// Where a further step could be written.
    fn end(&self) -> Place {
        let last = self.line.steps.last().map(|step| step.span.end);
        let end = last.unwrap_or(self.line.right.span.end);
        self.map.place(dwmap_grammar::Span::at(end))
    }

    /// Resolves all steps, from what is read to what is written.
    pub(crate) fn resolve(
        &self,
        from: &Typed<'a>,
        to: &Typed<'a>,
        sink: &mut Sink,
    ) -> Option<Pipeline> {
        let mut pipeline = Pipeline::default();
        let mut now = from.clone();
        for (at, step) in self.line.steps.iter().enumerate() {
            if named(step).is_some_and(|name| name == "normalise") {
                pipeline.normalise = true;
                continue;
            }
            let stage = self.step(at, step, &now, to, sink)?;
            now = match &stage {
                Stage::Table(_) => to.clone(),
                Stage::Step(_, ty) if *ty == now.ty => now,
                Stage::Step(_, ty) => Typed {
                    ty: ty.clone(),
                    members: None,
                    field: None,
                    fold: now.fold,
                },
                Stage::EnumToBool | Stage::BoolToEnum(_) => now,
            };
            pipeline.stages.push(stage);
        }
        match conversion(&now, to) {
            Conversion::None => {}
            Conversion::Stage(stage) => pipeline.stages.push(stage),
            Conversion::Loses(why) => {
                sink.push(loses(&now, to, why, self.pair(), self.end()));
                return None;
            }
        }
        if self.two_way()
            && let Conversion::Loses(why) = conversion(to, &now)
        {
            sink.push(loses(to, &now, why, self.pair(), self.end()));
            return None;
        }
        Some(pipeline)
    }

    fn step(
        &self,
        at: usize,
        step: &Step,
        now: &Typed<'a>,
        to: &Typed<'a>,
        sink: &mut Sink,
    ) -> Option<Stage> {
        let place = self.map.place(step.span);
        let stage = match &step.kind {
            StepKind::Table(rows) => {
                let model = table::rows(rows, now, to, place.file, sink)?;
                self.table(model, place, now, to)
            }
            StepKind::Named(call) => self.named(call, place, now, to, sink)?,
        };
        if self.key
            && let Some(diagnostic) = self.inexact_key(at, step, &stage)
        {
            sink.push(diagnostic);
            return None;
        }
        Some(stage)
    }

    fn named(
        &self,
        call: &NamedStep,
        place: Place,
        now: &Typed<'a>,
        to: &Typed<'a>,
        sink: &mut Sink,
    ) -> Option<Stage> {
        let name = call.name.text();
        if name == "same_name" {
            let model =
                table::same_name(call.table.as_ref(), now, to, self.two_way(), place, sink)?;
            return Some(self.table(model, place, now, to));
        }
        let names = self.map.project.names;
        for (kind, what) in [
            (Kind::ValueMap, None),
            (Kind::Function, Some("a function of one's own")),
        ] {
            match (names.find(self.map.module, kind, &call.name.parts), what) {
                (Ok(None), _) => {}
                (Ok(Some(_)), Some(what)) => {
                    sink.not_yet(place, what);
                    return None;
                }
                _ => return self.value_map(call, place, now, to, sink),
            }
        }
        let Some(info) = dwmap_steps::step(&name) else {
            sink.push(self.unknown(call, &name));
            return None;
        };
        self.built_in(info, call, place, now, to, sink)
    }

    fn unknown(&self, call: &NamedStep, name: &str) -> Diagnostic {
        let place = self.map.place(call.name.span);
        let mut known: Vec<&str> = dwmap_steps::all().iter().map(|step| step.name).collect();
        known.push("same_name");
        known.extend(
            self.map
                .project
                .names
                .visible(self.map.module, Kind::ValueMap),
        );
        let meant = nearest(name, known.iter().copied());
        let diagnostic = Diagnostic::new(UNKNOWN_STEP, place, format!("there is no step {name}"))
            .label("not known")
            .meant(meant, place);
        let by_term = dwmap_steps::all()
            .iter()
            .find(|step| step.terms.contains(&name));
        match by_term {
            Some(step) if meant.is_none() => {
                diagnostic.help(format!("{}: {}", step.signature(), step.summary))
            }
            _ => diagnostic,
        }
    }

    fn value_map(
        &self,
        call: &NamedStep,
        place: Place,
        now: &Typed<'a>,
        to: &Typed<'a>,
        sink: &mut Sink,
    ) -> Option<Stage> {
        let names = self.map.project.names;
        let id = names.resolve(
            self.map.module,
            Kind::ValueMap,
            &call.name.parts,
            UNKNOWN_STEP,
            sink,
        )?;
        let dwmap_grammar::tree::Decl::ValueMap(declared) = names.decl(id) else {
            return None;
        };
        let (left, right) = crate::resolve::value_maps::types(
            &self.map.project,
            id.module,
            declared,
            &mut Sink::default(),
        )?;
        for (given, wanted) in [(now, &left), (to, &right)] {
            if !matches!(conversion(given, wanted), Conversion::None)
                || !matches!(conversion(wanted, given), Conversion::None)
            {
                let message = format!(
                    "{} is between {} and {}, and {} is {}",
                    declared.name.text,
                    left.ty,
                    right.ty,
                    given.name(),
                    given.ty
                );
                let mut diagnostic = Diagnostic::new(WRONG_INPUT, place, message)
                    .label("for other types")
                    .related(
                        names.modules[id.module].place(declared.name.span),
                        "the value map",
                    );
                if let Some((_, place)) = given.field {
                    diagnostic = diagnostic.related(place, given.ty.to_string());
                }
                sink.push(diagnostic);
                return None;
            }
        }
        // Its rows have been checked where they stand.
        let file = names.modules[id.module].file;
        let model = table::rows(&declared.table, &left, &right, file, &mut Sink::default())?;
        let mut stage = self.table(model, place, now, to);
        if let Stage::Table(table) = &mut stage {
            table.name.clone_from(&declared.name.text);
        }
        Some(stage)
    }

    fn table(&self, model: TableModel, place: Place, left: &Typed<'_>, right: &Typed<'_>) -> Stage {
        let text = |t: &Typed<'_>| matches!(t.ty, Type::Text(_));
        Stage::Table(Box::new(Table {
            name: self.map.project.sources.text(place).to_owned(),
            left: left.ty.clone(),
            right: right.ty.clone(),
            forward: model.forward,
            backward: model.backward,
            else_forward: model.else_forward,
            else_backward: model.else_backward,
            fold_left: left.fold && text(left),
            fold_right: right.fold && text(right),
        }))
    }

    fn built_in(
        &self,
        info: &'static StepInfo,
        call: &NamedStep,
        place: Place,
        now: &Typed<'a>,
        to: &Typed<'a>,
        sink: &mut Sink,
    ) -> Option<Stage> {
        if self.two_way() && info.backward.is_none() {
            let message = format!(
                "{} has no way back, so this line can only go one way",
                info.name
            );
            sink.push(
                Diagnostic::new(ONE_WAY_STEP, place, message)
                    .label("one-way")
                    .help("make the line one-way, or drop the step"),
            );
            return None;
        }
        let args: Vec<Option<Value>> = call
            .args
            .iter()
            .enumerate()
            .map(|(at, arg)| self.argument(info, at, arg, now, to, sink))
            .collect();
        let args: Vec<Value> = args.into_iter().collect::<Option<_>>()?;
        match info.check(&now.ty, &args) {
            Ok(checked) => Some(Stage::Step(
                StepCall {
                    name: info.name.to_owned(),
                    args: checked.args,
                },
                checked.output,
            )),
            Err(error) => {
                sink.push(self.refused(&error, info, call, place, now));
                None
            }
        }
    }

    fn argument(
        &self,
        info: &StepInfo,
        at: usize,
        arg: &Expr,
        now: &Typed<'a>,
        to: &Typed<'a>,
        sink: &mut Sink,
    ) -> Option<Value> {
        let place = self.map.place(arg.span);
        let same = info
            .params
            .get(at)
            .is_some_and(|param| param.kind == ParamKind::SameAsInput);
        match &arg.kind {
            ExprKind::Literal(literal) if same => {
                let value = now.expected().literal(literal, place).ok();
                if value.is_none() {
                    let message = format!(
                        "{} here stands for a {}, and {} is {}",
                        info.name,
                        to.ty,
                        self.map.project.sources.text(place),
                        kind_of(&literal.kind)
                    );
                    let mut diagnostic = Diagnostic::new(WRONG_ARGUMENT, place, message)
                        .label(kind_of(&literal.kind));
                    if let Some((_, declared)) = to.field {
                        diagnostic = diagnostic.related(declared, "the target");
                    }
                    sink.push(diagnostic);
                }
                value
            }
            ExprKind::Literal(literal) => untyped(&literal.kind),
            ExprKind::Path(path) if path.as_ident().is_some() => {
                let name = path.as_ident()?;
                let member = now.expected().member(name, place);
                member.map_err(|d| sink.push(*d)).ok()
            }
            ExprKind::Member(member) => {
                let member = now
                    .expected()
                    .member(&member.name, self.map.place(member.name.span));
                member.map_err(|d| sink.push(*d)).ok()
            }
            _ => {
                sink.not_yet(place, "an argument that isn't a constant");
                None
            }
        }
    }

    fn refused(
        &self,
        error: &StepError,
        info: &StepInfo,
        call: &NamedStep,
        place: Place,
        now: &Typed<'a>,
    ) -> Diagnostic {
        let (code, place, label) = match error {
            StepError::Input { .. } => (WRONG_INPUT, place, "not for this type".to_owned()),
            StepError::Count { .. } => (ARGUMENT_COUNT, place, info.signature()),
            StepError::Argument { at, .. } => {
                let arg = call.args.get(*at).map_or(call.name.span, |arg| arg.span);
                (WRONG_ARGUMENT, self.map.place(arg), info.signature())
            }
        };
        let diagnostic = Diagnostic::new(code, place, error.to_string()).label(label);
        match (error, now.field) {
            (StepError::Input { .. }, Some((field, declared))) => {
                diagnostic.related(declared, format!("{} is declared here", field.name))
            }
            _ => diagnostic,
        }
    }

    /// Only exact steps may stand on a key.
    fn inexact_key(&self, at: usize, step: &Step, stage: &Stage) -> Option<Diagnostic> {
        let name = match stage {
            Stage::Step(call, _) => call.name.clone(),
            Stage::Table(_) => "this table".to_owned(),
            Stage::EnumToBool | Stage::BoolToEnum(_) => return None,
        };
        if crate::agreement::classes::of_stage(stage) == Class::Exact {
            return None;
        }
        let place = self.map.place(step.span);
        let message = format!("{name} isn't exact: different keys would become one record");
        let before = match at.checked_sub(1) {
            Some(before) => self.line.steps[before].span.end,
            None => self.line.right.span.end,
        };
        let whole = self
            .map
            .place(dwmap_grammar::Span::new(before, step.span.end));
        let mut diagnostic = Diagnostic::new(INEXACT_KEY, place, message)
            .label("on a key")
            .fix(Safety::Safe, "drop the step", whole, "");
        for side in dwmap_plan::Side::BOTH {
            if let Some(place) = self.map.schema(side).case_place {
                diagnostic = diagnostic.related(place, "keys compare without case here");
            }
        }
        Some(diagnostic)
    }
}

/// The name of a step that has one.
fn named(step: &Step) -> Option<String> {
    match &step.kind {
        StepKind::Named(call) => Some(call.name.text()),
        StepKind::Table(_) => None,
    }
}

/// A literal as the value that it is by itself.
fn untyped(literal: &LiteralKind) -> Option<Value> {
    let ty = match literal {
        LiteralKind::Number(text) if text.contains('.') => Type::Decimal(38, 10),
        LiteralKind::Number(_) => Type::Int64,
        LiteralKind::String(_) => Type::Text(None),
        LiteralKind::Bool(_) => Type::Bool,
        LiteralKind::Date(_) => Type::Date,
        LiteralKind::DateTime(_) => Type::DateTime,
        LiteralKind::Null => return Some(Value::Null),
    };
    crate::types::constant::value_of(literal, &ty)
}
