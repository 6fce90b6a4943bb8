//! What is decided of each line.

use std::cmp::Ordering;

use crate::code::{Ask, Cell};
use dwmap_plan::{ConflictPolicy, InitialPolicy, Line, MissingPolicy, Side, Value};

use super::agree::line_agrees;
use super::sum::{adds, sums};
use super::{Decision, Halt, Input, LineWrite, Next, Note, Problem, Seen, SideWrite, Why};
use crate::mistake::Mistake;
use crate::state::{ActivityKind, GIVEN_UP, IntentKind, LinkState, Word};

/// How often a side's change of what we wrote may flow back, for one outside change.
const BOUNCES_MAX: u8 = 2;

/// All lines that flow to a record that is born on the other side of `from`.
pub(super) fn born(input: &Input<'_>, from: Side) -> Result<Vec<LineWrite>, Halt> {
    let columns = &input.map.side(from.other()).write.columns;
    let mut lines = Vec::new();
    let mut problems = Vec::new();
    for (i, line) in each(input) {
        if !line.flows_from(from) || !columns.iter().any(|c| c.line == i) {
            continue;
        }
        match outgoing(input, i, line, from) {
            // The side that draws the key isn't sent one.
            Ok(write) if line.key && write.written.is_null() && is_drawn(input, from, i) => {}
            Ok(write) => lines.push(write),
            Err(Refusal::Halt(halt)) => return Err(halt),
            Err(Refusal::Problem(problem)) => problems.push(problem),
        }
    }
    first_of(problems).map_or(Ok(lines), |problem| Err(Halt::Refused(problem)))
}

/// Merges the lines of two records that are both there and in the map; `first` if they meet.
pub(super) fn merge_lines(input: &Input<'_>, first: bool) -> Result<Decision, Halt> {
    let mut decision = Decision::of(Next::Is(LinkState::Linked));
    decision.first = first;
    if first {
        decision.notes.push(Note {
            kind: ActivityKind::Linked,
            side: Side::Left,
            line: None,
        });
    }
    let mut problems = Vec::new();
    for (i, line) in each(input) {
        let verdict = if line.key && input.key_from.is_some() {
            key_verdict(input, i, line)
        } else if line.key || line.on_create {
            Verdict::Settled
        } else {
            decide(input, i, line, first)
        };
        let held = Side::BOTH.map(|side| input.held(side, i).own.cloned());
        let settle = |decision: &mut Decision| {
            if let [Some(left), Some(right)] = held.clone() {
                decision.settled.push((i, [left, right]));
            }
        };
        match verdict {
            Verdict::Untouched => {}
            Verdict::Settled => settle(&mut decision),
            Verdict::NotSent(from) => {
                decision.notes.push(note(ActivityKind::NotSent, from, i));
                settle(&mut decision);
            }
            Verdict::Undecided => decision.undecided.push(i),
            Verdict::Sums(sums) => {
                decision
                    .notes
                    .push(note(ActivityKind::Conflict, Side::Left, i));
                for (to, written) in Side::BOTH.into_iter().zip(sums) {
                    let write = LineWrite {
                        line: i,
                        written,
                        source: Value::Null,
                        waits_for: None,
                        bounces: 0,
                    };
                    flow(input, &mut decision, to.other(), write);
                }
            }
            Verdict::Unsettled => {
                decision.unsettled.push(i);
                settle(&mut decision);
            }
            Verdict::Flows {
                from,
                conflict,
                bounces,
            } => {
                if conflict {
                    decision.notes.push(note(ActivityKind::Conflict, from, i));
                }
                match outgoing(input, i, line, from) {
                    // What the side itself refers to can't be read just now: that it is there is sure, and a blank would
                    // say otherwise.
                    Ok(LineWrite {
                        waits_for: Some(ask @ Ask::Follow { .. }),
                        ..
                    }) => decision.waiting.push((i, from, ask)),
                    Ok(write) => {
                        flow(input, &mut decision, from, LineWrite { bounces, ..write });
                    }
                    Err(Refusal::Halt(halt)) => return Err(halt),
                    Err(Refusal::Problem(problem)) => problems.push(problem),
                }
            }
        }
    }
    first_of(problems).map_or(Ok(decision), |problem| Err(Halt::Refused(problem)))
}

fn is_drawn(input: &Input<'_>, from: Side, i: u16) -> bool {
    let key = input.map.drawn_by(from.other());
    key.is_some_and(|key| key.line == i)
}

/// A key line while both sides aren't known to hold the same: one side's flows, whatever the line's policies.
fn key_verdict(input: &Input<'_>, i: u16, line: &Line) -> Verdict {
    let held = Side::BOTH.map(|side| input.held(side, i));
    match input.key_from {
        Some(from) if !line_agrees(line, held) && line.flows_from(from) => Verdict::Flows {
            from,
            conflict: false,
            bounces: 0,
        },
        _ => Verdict::Settled,
    }
}

fn each<'a>(input: &Input<'a>) -> impl Iterator<Item = (u16, &'a Line)> + use<'a> {
    let lines = input.map.lines.iter().enumerate();
    lines.map(|(i, line)| (i as u16, line))
}

const fn note(kind: ActivityKind, side: Side, line: u16) -> Note {
    Note {
        kind,
        side,
        line: Some(line),
    }
}

fn first_of(problems: Vec<Problem>) -> Option<Problem> {
    let more = problems.len().saturating_sub(1);
    let first = problems.into_iter().next()?;
    Some(Problem { more, ..first })
}

/// What a line's state asks for.
enum Verdict {
    /// Nothing is known that could be kept.
    Untouched,
    /// In order: both values become the base.
    Settled,
    /// In order as far as it goes: the target takes this only at birth.
    NotSent(Side),
    /// Two systems change one another's value.
    Unsettled,
    /// A person decides.
    Undecided,
    /// Both sides changed a number, and each takes the other's change as well: what they are to hold.
    Sums([Value; 2]),
    /// A side's value flows.
    Flows {
        from: Side,
        /// Both sides had changed.
        conflict: bool,
        /// How often the line has bounced with it.
        bounces: u8,
    },
}

fn decide(input: &Input<'_>, i: u16, line: &Line, first: bool) -> Verdict {
    let held = Side::BOTH.map(|side| input.held(side, i));
    if line_agrees(line, held) && !input.rules.broken(Mistake::AgreementIgnored) {
        return Verdict::Settled;
    }
    let base = Side::BOTH.map(|side| if first { None } else { input.base(side, i) });
    let changed = |side: Side| held[side.index()].own != base[side.index()];
    let has_base = base.iter().all(Option::is_some);
    let known_base = input
        .link
        .filter(|_| !first)
        .and_then(|link| link.bases.at(usize::from(i), line.id));
    let pending = known_base.and_then(|base| base.pending);
    let bounces = known_base.map_or(0, |base| base.bounces);
    let flows = |from: Side| Verdict::Flows {
        from,
        conflict: false,
        bounces: 0,
    };
    let changed_sides = [changed(Side::Left), changed(Side::Right)];
    if adds(input.map, line) && input.word.is_none() && !first {
        match (base, changed_sides) {
            ([Some(_), Some(_)], [true, true]) => {
                return sums(input, i).map_or(Verdict::Undecided, Verdict::Sums);
            }
            // A sum was sent to the side without a base, and nobody knows what became of it.
            ([Some(_), None] | [None, Some(_)], _) => return Verdict::Undecided,
            _ => {}
        }
    }
    let from = match (input.word, changed_sides) {
        (Some(Word::From(side)), _) => one_way(line).or(Some(side)),
        _ if !has_base => Some(initial(input, line)),
        (Some(Word::Mend), _) => one_way(line).or_else(|| winner(input, line)),
        (_, [true, false]) => Some(Side::Left),
        (_, [false, true]) => Some(Side::Right),
        (_, [true, true]) => one_way(line).or_else(|| winner(input, line)),
        (_, [false, false]) => match pending {
            Some(source) if input.rules.broken(Mistake::BlankFlowsBack) => {
                return flows(source.other());
            }
            Some(source) => return flows(source),
            None if bounces >= GIVEN_UP => return Verdict::Unsettled,
            None if line.two_way() && known(input) => winner(input, line),
            None => return Verdict::Untouched,
        },
    };
    let Some(from) = from else {
        return Verdict::Undecided;
    };
    let conflict = has_base && line.two_way() && changed_sides == [true, true];
    // On a line in one direction the target's own value becomes the base.
    if !line.flows_from(from) {
        return Verdict::Settled;
    }
    match input
        .map
        .side(from.other())
        .write
        .columns
        .iter()
        .find(|c| c.line == i)
    {
        None => return Verdict::Settled,
        Some(column) if column.create_only => return Verdict::NotSent(from),
        Some(_) => {}
    }
    let rewritten = has_base
        && known_base.is_some_and(|base| base.written == Some(from))
        && changed(from)
        && input.word.is_none();
    if rewritten && bounces >= BOUNCES_MAX && !input.rules.broken(Mistake::BouncesUnbounded) {
        return Verdict::Unsettled;
    }
    Verdict::Flows {
        from,
        conflict,
        bounces: if rewritten { bounces + 1 } else { 0 },
    }
}

/// Whether both sides were read: a disagreement that nobody made shows only then.
fn known(input: &Input<'_>) -> bool {
    input.seen.iter().all(|seen| matches!(seen, Seen::Row(_)))
}

const fn one_way(line: &Line) -> Option<Side> {
    match (line.to_right, line.to_left) {
        (true, false) => Some(Side::Left),
        (false, true) => Some(Side::Right),
        _ => None,
    }
}

/// Whose value flows where a line has no base.
fn initial(input: &Input<'_>, line: &Line) -> Side {
    let (InitialPolicy::Prefer(side) | InitialPolicy::OnlyFrom(side)) = input.map.policies.initial;
    one_way(line).unwrap_or(side)
}

/// Whose value flows where both sides changed; none if a person decides.
fn winner(input: &Input<'_>, line: &Line) -> Option<Side> {
    match line.conflict.unwrap_or(input.map.policies.conflict) {
        ConflictPolicy::Prefer(side) => Some(side),
        ConflictPolicy::Latest => {
            let modified = |side: Side| match input.seen[side.index()] {
                Seen::Row(row) => match row.modified {
                    Some(Value::DateTime(at)) => Some(at),
                    _ => None,
                },
                _ => None,
            };
            match modified(Side::Left).cmp(&modified(Side::Right)) {
                Ordering::Less => Some(Side::Right),
                Ordering::Equal | Ordering::Greater => Some(Side::Left),
            }
        }
        ConflictPolicy::Manual | ConflictPolicy::Add => None,
    }
}

enum Refusal {
    Halt(Halt),
    Problem(Problem),
}

/// The value of a line that flows from a side, or why it can't.
fn outgoing(input: &Input<'_>, i: u16, line: &Line, from: Side) -> Result<LineWrite, Refusal> {
    let held = input.held(from, i);
    // A constant has no cell of its own on the side that it comes from.
    let source = held.own.cloned().unwrap_or(Value::Null);
    let refused = |why| {
        Refusal::Problem(Problem {
            line: Some(i),
            from,
            why,
            more: 0,
        })
    };
    let value = |written: Value, waits_for| LineWrite {
        line: i,
        written,
        source: source.clone(),
        waits_for,
        bounces: 0,
    };
    match held.out {
        Cell::Value(written) => Ok(value(written.clone(), None)),
        Cell::Failed(failure) => Err(refused(Why::Failed(*failure))),
        Cell::None => Ok(value(Value::Null, None)),
        Cell::Missing(ask) | Cell::Wanted(ask) => match line.missing {
            MissingPolicy::Blank => Ok(value(Value::Null, Some(ask.clone()))),
            MissingPolicy::Park => Err(Refusal::Halt(Halt::Parked {
                line: Some(i),
                ask: ask.clone(),
            })),
            MissingPolicy::Reject => Err(refused(Why::Missing(ask.clone()))),
        },
    }
}

/// Adds a line to the write of the other side; a blank that is there already isn't written again.
fn flow(input: &Input<'_>, decision: &mut Decision, from: Side, write: LineWrite) {
    let to = from.other();
    if let Some(ask) = &write.waits_for
        && input.held(to, write.line).own == Some(&Value::Null)
    {
        decision.waiting.push((write.line, from, ask.clone()));
        decision
            .settled
            .push((write.line, blank(from, write.source)));
        return;
    }
    let side = decision.writes[to.index()].get_or_insert_with(|| SideWrite {
        kind: IntentKind::Update,
        lines: Vec::new(),
        constants: Vec::new(),
    });
    side.lines.push(write);
}

/// The values of a line that is blank on the other side of `from`.
fn blank(from: Side, source: Value) -> [Value; 2] {
    match from {
        Side::Left => [source, Value::Null],
        Side::Right => [Value::Null, source],
    }
}
