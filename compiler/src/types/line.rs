//! Lines: operands, steps and suffixes made one.

use dwmap_grammar::Safety;
use dwmap_grammar::tree::{self, Direction as Arrow, Ident, OnMissing, OverflowPolicy, SuffixKind};
use dwmap_plan::{
    Access, Agreement, Class, Direction, Field, MissingPolicy, Overflow, Proof, Requirement, Side,
    Type, Value,
};

use crate::agreement::classes;
use crate::diagnostics::{
    AGAINST_MAP, CAN_OVERFLOW, Diagnostic, NOT_ON_A_KEY, NOTHING_MISSING, NULL_REQUIRED,
    ON_CREATE_TWO_WAY, READONLY_WRITTEN, TOO_LONG, TWICE, UNSTABLE,
};
use crate::model::{Line, Operand, Stage};
use crate::resolve::Sink;
use crate::sources::Place;
use crate::types::context::{MapContext, Typed};
use crate::types::operand::Operands;
use crate::types::stage::Stages;
use crate::types::table::in_words;

/// A line's suffixes.
#[derive(Debug, Default)]
struct Suffixes<'a> {
    on_create: Option<Place>,
    missing: Option<(OnMissing, Place)>,
    overflow: Option<OverflowPolicy>,
    by_key: Option<&'a Ident>,
    generated: Option<(Side, Place)>,
}

/// The lines of a map while they are resolved.
pub(crate) struct Lines<'a, 'm> {
    pub(crate) map: &'m MapContext<'a>,
    /// The way that the map's records travel, and where its arrow stands.
    pub(crate) arrow: tree::Arrow,
    /// The map's overflow policy.
    pub(crate) overflow: Overflow,
}

pub(crate) const fn overflow_of(policy: OverflowPolicy) -> Overflow {
    match policy {
        OverflowPolicy::Truncate => Overflow::Truncate,
        OverflowPolicy::Reject => Overflow::Reject,
    }
}

impl Lines<'_, '_> {
    /// Resolves a line; `None` where it makes no sense, which has been said then.
    pub(crate) fn resolve(&self, line: &tree::Line, key: bool, sink: &mut Sink) -> Option<Line> {
        let suffixes = self.suffixes(line, key, sink);
        let flows = self.with_the_map(line, sink);
        let operands = Operands {
            map: self.map,
            line,
            by_key: suffixes.by_key,
        }
        .resolve(sink)?;
        let from = if line.arrow.direction.writes_right() {
            Side::Left
        } else {
            Side::Right
        };
        let typed = Side::BOTH.map(|side| self.map.typed(side, &operands[side.index()]));
        let (source, target) = (&typed[from.index()], &typed[from.other().index()]);
        let stages = Stages {
            map: self.map,
            line,
            key,
        };
        let pipeline = stages.resolve(source, target, sink)?;
        let references = operands.iter().any(|o| matches!(o, Operand::Lookup(_)));
        if let (Some((_, place)), false) = (&suffixes.missing, references) {
            let message = "this line refers to no record that could be missing";
            sink.push(
                Diagnostic::new(NOTHING_MISSING, *place, message)
                    .label("without a reference")
                    .fix(Safety::Safe, "drop it", *place, ""),
            );
        }
        let sources = self.map.project.sources;
        let spans = [line.left.span, line.right.span];
        let mut result = Line {
            place: self.map.place(line.span),
            text: squeeze(sources.text(self.map.place(line.span))),
            steps_place: steps_place(self.map, line),
            paths: [&line.left, &line.right].map(|expr| self.text_of(expr)),
            path_places: spans.map(|span| self.map.place(span)),
            operands,
            to_right: line.arrow.direction.writes_right(),
            to_left: line.arrow.direction.writes_left(),
            key,
            completed: false,
            generated: suffixes.generated,
            on_create: suffixes.on_create.is_some(),
            stages: pipeline.stages,
            normalise: pipeline.normalise,
            missing: missing_policy(suffixes.missing, key, &typed),
            overflow: suffixes.overflow.map_or(self.overflow, overflow_of),
            conflict: None,
            agreement: Agreement {
                class: Class::OneWay,
                proof: Proof::Proved,
            },
        };
        result.agreement = classes::of_line(&result, source, target);
        let sound = self.writable(&result, line, sink)
            & Self::constant_fits(&result, target, sink)
            & Self::settles(&result, source, target, sink);
        Self::warn_overflow(&result, &typed, sink);
        (sound && flows).then_some(result)
    }

    /// A side as text: a path in its plain spelling, so that a line's identity doesn't hang on blanks.
    fn text_of(&self, expr: &tree::Expr) -> String {
        match &expr.kind {
            tree::ExprKind::Path(path) => path.text(),
            _ => squeeze(self.map.project.sources.text(self.map.place(expr.span))),
        }
    }

    /// A line may not flow against its map.
    fn with_the_map(&self, line: &tree::Line, sink: &mut Sink) -> bool {
        let (map, own) = (self.arrow.direction, line.arrow.direction);
        if map == Arrow::Both || map == own {
            return true;
        }
        let place = self.map.place(line.arrow.span);
        let message = format!(
            "this line flows {}, and its map {} only",
            own.as_str(),
            map.as_str()
        );
        sink.push(
            Diagnostic::new(AGAINST_MAP, place, message)
                .label("against the map")
                .related(self.map.place(self.arrow.span), "the map's own way")
                .fix(
                    Safety::Suggestion,
                    format!("let it flow {}", map.as_str()),
                    place,
                    map.as_str(),
                ),
        );
        false
    }

    fn suffixes<'l>(&self, line: &'l tree::Line, key: bool, sink: &mut Sink) -> Suffixes<'l> {
        let mut found = Suffixes::default();
        let two_way = line.arrow.direction == Arrow::Both;
        for suffix in &line.suffixes {
            let place = self.map.place(suffix.span);
            let twice = match &suffix.kind {
                SuffixKind::OnCreate => {
                    if key {
                        let message =
                            "a key is written when the record is born, and never again anyway";
                        sink.push(
                            Diagnostic::new(NOT_ON_A_KEY, place, message)
                                .label("on a key")
                                .fix(Safety::Safe, "drop it", place, ""),
                        );
                        false
                    } else if two_way {
                        let message = "`on create` is for lines of one way: what is written once on one side \
                                       can't be followed on the other";
                        sink.say(ON_CREATE_TWO_WAY, place, message, "on a two-way line");
                        false
                    } else {
                        found.on_create.replace(place).is_some()
                    }
                }
                SuffixKind::OnMissing(policy) => found.missing.replace((*policy, place)).is_some(),
                SuffixKind::Overflow(policy) => found.overflow.replace(*policy).is_some(),
                SuffixKind::ByKey(name) => found.by_key.replace(name).is_some(),
                SuffixKind::GeneratedBy(name) => match self.map.side_named(name, sink) {
                    Some(side) => found.generated.replace((side, place)).is_some(),
                    None => false,
                },
            };
            if twice {
                sink.say(TWICE, place, "the line says this twice", "the second time");
            }
        }
        found
    }

    /// Readonly fields are never written.
    fn writable(&self, line: &Line, tree: &tree::Line, sink: &mut Sink) -> bool {
        let mut sound = true;
        for side in Side::BOTH {
            let Operand::Field(at) = line.operand(side) else {
                continue;
            };
            let entity = self.map.entity(side);
            let field = entity.field(*at);
            // What a side draws is never sent to it.
            let drawn = line.generated.is_some_and(|(by, _)| by == side);
            if drawn || !line.flows_from(side.other()) || field.access != Access::ReadOnly {
                continue;
            }
            sound = false;
            let arrow = tree.arrow.direction.as_str();
            let message = format!(
                "{}.{} is readonly, and {arrow} would write it",
                self.map.shown(side),
                field.name
            );
            let place = line.path_places[side.index()];
            let mut diagnostic = Diagnostic::new(READONLY_WRITTEN, place, message)
                .label("never written")
                .related(entity.field_places[*at], "declared readonly here");
            if line.to_left && line.to_right {
                let only = match side {
                    Side::Left => "->",
                    Side::Right => "<-",
                };
                let mended = format!("{} {only} {}", line.paths[0], line.paths[1]);
                diagnostic =
                    diagnostic.fix(Safety::Safe, mended, self.map.place(tree.arrow.span), only);
            }
            sink.push(diagnostic);
        }
        sound
    }

    /// A constant that its field can't hold is known now.
    fn constant_fits(line: &Line, target: &Typed<'_>, sink: &mut Sink) -> bool {
        let side = line.from();
        let Operand::Constant { value, .. } = line.operand(side) else {
            return true;
        };
        let Some((field, declared)) = target.field else {
            return true;
        };
        let place = line.path_places[side.index()];
        let (code, message) = match value {
            Value::Null if field.requirement == Requirement::Required && stays_null(field) => (
                NULL_REQUIRED,
                format!("{} needs a value, and null is none", field.name),
            ),
            Value::Text(text) if too_long(text, &field.ty) => (
                TOO_LONG,
                format!(
                    "{} is {}, and this text has {} characters",
                    field.name,
                    field.ty,
                    text.encode_utf16().count()
                ),
            ),
            Value::Text(text) if !field.one_of.is_empty() && !field.one_of.contains(text) => (
                TOO_LONG,
                format!(
                    "{} is one of {}, and \"{text}\" isn't among them",
                    field.name,
                    crate::suggest::listed(&field.one_of, "and")
                ),
            ),
            _ => return true,
        };
        sink.push(
            Diagnostic::new(code, place, message)
                .label("can't be written")
                .related(declared, "declared here"),
        );
        false
    }

    /// Two-way steps have to settle.
    fn settles(line: &Line, source: &Typed<'_>, target: &Typed<'_>, sink: &mut Sink) -> bool {
        // A single step keeps its own law, as its tests hold.
        let single = matches!(line.stages.as_slice(), [] | [Stage::Step(..)]);
        if !(line.to_left && line.to_right) || single {
            return true;
        }
        let Some(found) = classes::search(&line.stages, source, target) else {
            return true;
        };
        let (first, second) = match found.starts {
            Direction::Forward => (source, target),
            Direction::Backward => (target, source),
        };
        let [start, once, returned, twice] = &found.trip;
        let trip = [
            in_words(start, first),
            in_words(once, second),
            in_words(returned, first),
            in_words(twice, second),
        ];
        let message = format!(
            "the steps of this line don't settle: {}; the trip back changes the value again",
            trip.join(" -> ")
        );
        sink.push(
            Diagnostic::new(UNSTABLE, line.place, message)
                .label("never at rest")
                .help("make the line one-way, or write the steps so that doing them twice changes nothing more"),
        );
        false
    }

    /// Texts that may be longer than a limit that is known for sure.
    fn warn_overflow(line: &Line, typed: &[Typed<'_>; 2], sink: &mut Sink) {
        if line.overflow == Overflow::Truncate || line.key || !line.stages.is_empty() {
            return;
        }
        for side in Side::BOTH {
            let (Operand::Field(_), Operand::Field(_)) =
                (line.operand(side), line.operand(side.other()))
            else {
                continue;
            };
            let (from, to) = (&typed[side.index()], &typed[side.other().index()]);
            let (Some((source, source_place)), Some((target, target_place))) =
                (from.field, to.field)
            else {
                continue;
            };
            let (Type::Text(long), Type::Text(Some(short))) = (&source.ty, &target.ty) else {
                continue;
            };
            if !line.flows_from(side) || target.inferred || long.is_some_and(|long| long <= *short)
            {
                continue;
            }
            let holds = match long {
                Some(long) if source.inferred => format!("up to {long} characters (inferred)"),
                Some(long) => format!("up to {long} characters"),
                None => "any number of characters".to_owned(),
            };
            let message = format!(
                "{} holds {holds}, and {} {short}: longer ones will stand in the error queue",
                source.name, target.name
            );
            sink.push(
                Diagnostic::new(CAN_OVERFLOW, line.path_places[side.index()], message)
                    .label("may be too long")
                    .related(source_place, source.ty.to_string())
                    .related(target_place, target.ty.to_string())
                    .help("`overflow truncate` at the end of the line cuts them instead"),
            );
        }
    }
}

/// Whether null is what is sent for null. A value stands for it only where that isn't read as null again.
const fn stays_null(field: &Field) -> bool {
    field.null.read.is_some() || field.null.write.is_none()
}

fn too_long(text: &str, ty: &Type) -> bool {
    match ty {
        Type::Text(Some(limit)) => text.encode_utf16().count() > *limit as usize,
        _ => false,
    }
}

/// From the first step to the last.
fn steps_place(map: &MapContext<'_>, line: &tree::Line) -> Option<Place> {
    let (first, last) = (line.steps.first()?, line.steps.last()?);
    Some(map.place(first.span.to(last.span)))
}

/// Park for key parts and required references, blank for the rest.
fn missing_policy(
    said: Option<(OnMissing, Place)>,
    key: bool,
    typed: &[Typed<'_>; 2],
) -> MissingPolicy {
    match said {
        Some((OnMissing::Park, _)) => MissingPolicy::Park,
        Some((OnMissing::Blank, _)) => MissingPolicy::Blank,
        Some((OnMissing::Reject, _)) => MissingPolicy::Reject,
        None => {
            let required = typed.iter().any(|t| {
                t.field
                    .is_some_and(|(field, _)| field.requirement == Requirement::Required)
            });
            if key || required {
                MissingPolicy::Park
            } else {
                MissingPolicy::Blank
            }
        }
    }
}

/// A text on one line, with single blanks.
fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
