//! Policies of a map: conflicts, deletes, leaving the filter, first meeting.

use std::collections::BTreeMap;

use dwmap_grammar::Safety;
use dwmap_grammar::tree::{
    self, ActionKind, ConflictPolicy as TreeConflict, Direction, InitialKind, LeaveRule, MapItem,
    Value as TreeValue,
};
use dwmap_plan::{Access, ConflictPolicy, InitialPolicy, Overflow, Side, Type};

use crate::agreement::keys::Poisoned;
use crate::diagnostics::{
    Diagnostic, NO_COMMIT_TIME, NO_INITIAL, NOT_SUMMED, READONLY_WRITTEN, TWICE, UNKNOWN_LINE,
    WRONG_DIRECTION,
};
use crate::model::{Deactivate, Leave, Line, Operand, PolicyModel};
use crate::resolve::Sink;
use crate::resolve::maps::is_poisoned;
use crate::resolve::schemas::unknown_field;
use crate::sources::Place;
use crate::suggest::nearest;
use crate::types::context::MapContext;

/// The policies of a map while they are resolved.
pub(crate) struct PolicyReader<'a, 'm> {
    pub(crate) map: &'m MapContext<'a>,
    pub(crate) arrow: tree::Arrow,
    pub(crate) name: Place,
    seen: BTreeMap<String, Place>,
    conflict: Option<ConflictPolicy>,
    initial: Option<InitialPolicy>,
    unreadable: bool,
    delete: [Leave; 2],
    leave: [Leave; 2],
}

impl<'a, 'm> PolicyReader<'a, 'm> {
    pub(crate) fn new(map: &'m MapContext<'a>, arrow: tree::Arrow, name: Place) -> Self {
        Self {
            map,
            arrow,
            name,
            seen: BTreeMap::new(),
            conflict: None,
            initial: None,
            unreadable: false,
            delete: [Leave::Ignore, Leave::Ignore],
            leave: [Leave::Ignore, Leave::Ignore],
        }
    }

    /// Reads an item, if it is a policy; line policies go to `lines`.
    pub(crate) fn item(
        &mut self,
        item: &MapItem,
        lines: &mut [Line],
        poisoned: &Poisoned,
        sink: &mut Sink,
    ) {
        match item {
            MapItem::Conflict(it) => self.conflict(it, lines, poisoned, sink),
            MapItem::Delete(rule) => {
                if let Some((side, leave)) = self.rule(rule, "delete", sink) {
                    self.delete[side.index()] = leave;
                }
            }
            MapItem::OnLeave(rule) => {
                if let Some((side, leave)) = self.rule(rule, "on leave", sink) {
                    self.leave[side.index()] = leave;
                }
            }
            MapItem::Initial(it) => self.initial(it, sink),
            // An item that couldn't be read may have been an `initial`.
            MapItem::Bad(_) => self.unreadable = true,
            _ => {}
        }
    }

    /// What came of it. Without `initial` a two-way map doesn't say who wins.
    pub(crate) fn finish(self, overflow: Overflow, sink: &mut Sink) -> PolicyModel {
        let only = match self.arrow.direction {
            Direction::Both => None,
            Direction::Right => Some(Side::Left),
            Direction::Left => Some(Side::Right),
        };
        let initial = self.initial.or(only.map(InitialPolicy::OnlyFrom));
        if initial.is_none() && !self.seen.contains_key("initial") && !self.unreadable {
            let left = self.map.name(Side::Left);
            sink.push(
                Diagnostic::new(
                    NO_INITIAL,
                    self.name,
                    "the map doesn't say whose value wins where two records meet for the first time",
                )
                .label("no `initial`")
                .help(format!(
                    "`initial prefer {left}`, or `initial only {left} -> {}` to load one way",
                    self.map.name(Side::Right)
                )),
            );
        }
        let initial = initial.unwrap_or(InitialPolicy::Prefer(Side::Left));
        let preferred = match initial {
            InitialPolicy::Prefer(side) | InitialPolicy::OnlyFrom(side) => side,
        };
        PolicyModel {
            conflict: self.conflict.unwrap_or(ConflictPolicy::Prefer(preferred)),
            initial,
            delete: self.delete,
            leave: self.leave,
            overflow,
        }
    }

    /// Whether this policy is given for the first time; else that is said.
    fn first(&mut self, what: &str, place: Place, sink: &mut Sink) -> bool {
        let first = *self.seen.entry(what.to_owned()).or_insert(place);
        if first == place {
            return true;
        }
        sink.push(
            Diagnostic::new(TWICE, place, format!("`{what}` is given twice"))
                .label("the second time")
                .related(first, "the first time")
                .help("drop one of them"),
        );
        false
    }

    fn conflict(
        &mut self,
        it: &tree::Conflict,
        lines: &mut [Line],
        poisoned: &Poisoned,
        sink: &mut Sink,
    ) {
        let place = self.map.place(it.span);
        let what = match &it.line {
            Some(path) => format!("conflict {}", path.text()),
            None => "conflict".to_owned(),
        };
        if !self.first(&what, place, sink) {
            return;
        }
        let policy = self.conflict_policy(it, sink);
        let Some(path) = &it.line else {
            self.conflict = policy;
            if policy == Some(ConflictPolicy::Add) {
                self.add_all(place, lines, poisoned, sink);
            }
            return;
        };
        let text = path.text();
        match lines.iter_mut().find(|line| line.paths.contains(&text)) {
            Some(line) if policy == Some(ConflictPolicy::Add) && !self.is_summed(line) => {
                let message = format!(
                    "both sides' changes to {text} can't be summed: that is for numbers that both sides hold alike"
                );
                sink.push(
                    Diagnostic::new(NOT_SUMMED, place, message)
                        .label("no sum of these")
                        .related(
                            line.place,
                            "two ways, without steps, whole numbers or decimals on both sides",
                        ),
                );
            }
            Some(line) => line.conflict = policy,
            None if is_poisoned(path, poisoned) => {}
            None => unknown_line(self.map, path, lines, sink),
        }
    }

    /// `conflict add` of a whole map: of its numbers. The other lines go by what is the policy without it.
    fn add_all(&mut self, place: Place, lines: &mut [Line], poisoned: &Poisoned, sink: &mut Sink) {
        self.conflict = None;
        let mut any = false;
        for line in lines.iter_mut().filter(|line| self.is_summed(line)) {
            line.conflict.get_or_insert(ConflictPolicy::Add);
            any = true;
        }
        if !any && poisoned.is_empty() {
            sink.push(
                Diagnostic::new(
                    NOT_SUMMED,
                    place,
                    "no line of this map holds numbers that could be summed",
                )
                .label("nothing to add up"),
            );
        }
    }

    /// Whether changes of both sides to a line have a sum: it takes a number as it is from either side to the other.
    fn is_summed(&self, line: &Line) -> bool {
        let [left, right] = Side::BOTH.map(|side| match line.operand(side) {
            Operand::Field(at) => Some(&self.map.entity(side).field(*at).ty),
            _ => None,
        });
        let alike = matches!(
            (left, right),
            (Some(Type::Decimal(..)), Some(Type::Decimal(..)))
                | (
                    Some(Type::Int32 | Type::Int64),
                    Some(Type::Int32 | Type::Int64)
                )
        );
        alike && line.to_left && line.to_right && !line.key && line.stages.is_empty()
    }

    fn conflict_policy(&self, it: &tree::Conflict, sink: &mut Sink) -> Option<ConflictPolicy> {
        let place = self.map.place(it.policy_span);
        match &it.policy {
            TreeConflict::Prefer(side) => {
                self.map.side_named(side, sink).map(ConflictPolicy::Prefer)
            }
            TreeConflict::Latest => {
                for side in Side::BOTH {
                    let entity = self.map.entity(side);
                    if entity.data.modified.is_some() {
                        continue;
                    }
                    let message = format!(
                        "`latest` needs a commit time on both sides, and {} declares none (`modified`)",
                        self.map.shown(side)
                    );
                    let other = format!("prefer {}", self.map.name(Side::Left));
                    sink.push(
                        Diagnostic::new(NO_COMMIT_TIME, place, message)
                            .label("later by which clock?")
                            .related(entity.place, "no `modified` here")
                            .fix(
                                Safety::Suggestion,
                                format!("conflict {other}"),
                                place,
                                other.as_str(),
                            ),
                    );
                    return None;
                }
                Some(ConflictPolicy::Latest)
            }
            TreeConflict::Manual => Some(ConflictPolicy::Manual),
            TreeConflict::Add => Some(ConflictPolicy::Add),
        }
    }

    /// The two sides of `fno -> dv`; they have to differ, and the map has to flow that way.
    fn ends(
        &self,
        from: &tree::Ident,
        to: &tree::Ident,
        place: Place,
        sink: &mut Sink,
    ) -> Option<Side> {
        let from_side = self.map.side_named(from, sink);
        let to_side = self.map.side_named(to, sink);
        let (from_side, to_side) = (from_side?, to_side?);
        let flows = match from_side {
            Side::Left => self.arrow.direction.writes_right(),
            Side::Right => self.arrow.direction.writes_left(),
        };
        if from_side != to_side && flows {
            return Some(from_side);
        }
        let message = if from_side == to_side {
            format!("{} and {} are one side", from.text, to.text)
        } else {
            format!(
                "nothing flows from {} to {} in this map",
                from.text, to.text
            )
        };
        sink.push(
            Diagnostic::new(WRONG_DIRECTION, place, message)
                .label("not a way of this map")
                .related(self.map.place(self.arrow.span), "the map's ways"),
        );
        None
    }

    fn rule(&mut self, rule: &LeaveRule, what: &str, sink: &mut Sink) -> Option<(Side, Leave)> {
        let place = self.map.place(rule.span);
        let from = self.ends(&rule.from, &rule.to, place, sink)?;
        let name = format!("{what} {} -> {}", rule.from.text, rule.to.text);
        if !self.first(&name, place, sink) {
            return None;
        }
        let leave = match &rule.action.kind {
            ActionKind::Ignore => Leave::Ignore,
            ActionKind::Propagate | ActionKind::Delete => Leave::Delete,
            ActionKind::Deactivate(assigns) => {
                let set: Vec<Option<Deactivate>> = assigns
                    .iter()
                    .map(|assign| self.assign(from.other(), assign, sink))
                    .collect();
                Leave::Deactivate(set.into_iter().collect::<Option<_>>()?)
            }
        };
        Some((from, leave))
    }

    fn assign(&self, side: Side, assign: &tree::Assign, sink: &mut Sink) -> Option<Deactivate> {
        let entity = self.map.entity(side);
        let place = self.map.place(assign.field.span);
        let Some(field) = entity.find_field(&assign.field.text) else {
            if !entity.poisoned.contains(&assign.field.text) {
                let shown = self.map.shown(side);
                sink.push(unknown_field(entity, Some(&shown), &assign.field, place));
            }
            return None;
        };
        let data = entity.field(field);
        if data.access != Access::ReadWrite {
            let message = format!("{} can't be written once its record exists", data.name);
            sink.push(
                Diagnostic::new(READONLY_WRITTEN, place, message)
                    .label("can't be set")
                    .related(entity.field_places[field], "declared here"),
            );
            return None;
        }
        let typed = self.map.typed(side, &Operand::Field(field));
        let place = self.map.place(assign.value.span());
        let value = match &assign.value {
            TreeValue::Literal(literal) => typed.expected().literal(literal, place),
            TreeValue::Member(member) => typed
                .expected()
                .member(&member.name, self.map.place(member.name.span)),
        };
        let value = value.map_err(|diagnostic| sink.push(*diagnostic)).ok()?;
        Some(Deactivate { field, value })
    }

    fn initial(&mut self, it: &tree::Initial, sink: &mut Sink) {
        let place = self.map.place(it.span);
        if !self.first("initial", place, sink) {
            return;
        }
        self.initial = match &it.kind {
            InitialKind::Prefer(side) => {
                let side = self.map.side_named(side, sink);
                let Some(side) = side else { return };
                if self.arrow.direction != Direction::Both {
                    let left = self.map.name(Side::Left);
                    let right = self.map.name(Side::Right);
                    let (from, to) = if self.arrow.direction.writes_right() {
                        (left, right)
                    } else {
                        (right, left)
                    };
                    let mended = format!("initial only {from} -> {to}");
                    sink.push(
                        Diagnostic::new(
                            WRONG_DIRECTION,
                            place,
                            "only a two-way map has two values of which one could win",
                        )
                        .label("a one-way map")
                        .related(self.map.place(self.arrow.span), "the map's way")
                        .fix(Safety::Safe, mended.clone(), place, mended),
                    );
                    return;
                }
                Some(InitialPolicy::Prefer(side))
            }
            InitialKind::Only { from, to } => self
                .ends(from, to, place, sink)
                .map(InitialPolicy::OnlyFrom),
        };
    }
}

/// A path that names none of the map's lines.
pub(crate) fn unknown_line(
    map: &MapContext<'_>,
    path: &tree::Path,
    lines: &[Line],
    sink: &mut Sink,
) {
    let place = map.place(path.span);
    let paths = lines.iter().flat_map(|line| &line.paths);
    let text = path.text();
    let meant = nearest(&text, paths.map(String::as_str));
    sink.push(
        Diagnostic::new(
            UNKNOWN_LINE,
            place,
            format!("this map has no line for {text}"),
        )
        .label("no such line")
        .help("a policy names a line by either of its paths")
        .meant(meant, place),
    );
}
