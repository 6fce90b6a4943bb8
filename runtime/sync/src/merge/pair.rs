//! What is decided of a pair as a whole: births, deaths, filters.

use crate::code::{EvalRow, Stop};
use dwmap_plan::{ConflictPolicy, DeletePolicy, Side};

use super::lines::{born, merge_lines};
use super::{Decision, Halt, Input, Next, Problem, Seen, SideWrite, Why};
use crate::mistake::Mistake;
use crate::state::{ActivityKind, IntentKind, LinkState, Word};

/// Whether a side is there, and in the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    Absent,
    Outside,
    Inside,
}

use Presence::{Absent, Inside, Outside};

/// Decides what is to be done about a pair.
pub(crate) fn merge(input: &Input<'_>) -> Result<Decision, Halt> {
    let left = presence(input, Side::Left)?;
    let right = presence(input, Side::Right)?;
    match input.link.map(|link| link.state) {
        None | Some(LinkState::AwaitingKey) => unlinked(input, left, right),
        Some(LinkState::Linked) => linked(input, left, right),
        Some(LinkState::Left) => returned(input, left, right),
        Some(LinkState::Deleted) => rested(input, left, right),
    }
}

fn presence(input: &Input<'_>, side: Side) -> Result<Presence, Halt> {
    match input.seen[side.index()] {
        Seen::Absent => Ok(Absent),
        // A version is kept only of a record that was inside at it.
        Seen::Base => Ok(Inside),
        Seen::Row(row) if input.rules.broken(Mistake::FilterNotChecked) && row.filter.is_ok() => {
            Ok(Inside)
        }
        Seen::Row(row) => inside(row, side),
    }
}

fn inside(row: &EvalRow, side: Side) -> Result<Presence, Halt> {
    match &row.filter {
        Ok(true) => Ok(Inside),
        Ok(false) => Ok(Outside),
        Err(Stop::Failed(failure)) => Err(Halt::Refused(Problem {
            line: None,
            from: side,
            why: Why::Failed(*failure),
            more: 0,
        })),
        Err(Stop::Missing(ask) | Stop::Wanted(ask)) => Err(Halt::Parked {
            line: None,
            ask: ask.clone(),
        }),
    }
}

/// No link yet: a birth, a first meeting, or nothing.
fn unlinked(input: &Input<'_>, left: Presence, right: Presence) -> Result<Decision, Halt> {
    match (left, right) {
        (Inside, Inside) => merge_lines(input, true),
        (Inside, Absent) => birth(input, Side::Left),
        (Absent, Inside) => birth(input, Side::Right),
        // The key is taken by a record outside the map: they meet when it comes in.
        (Inside, Outside) | (Outside, Inside) => Ok(Decision::of(Next::Is(LinkState::Left))),
        (Outside | Absent, Outside | Absent) => Ok(Decision::of(Next::None)),
    }
}

/// The record of `from` has no partner.
fn birth(input: &Input<'_>, from: Side) -> Result<Decision, Halt> {
    if !input.map.policies.creates[from.index()] || !input.map.flows_from(from) {
        return Ok(Decision::of(Next::None));
    }
    let create = SideWrite {
        kind: IntentKind::Create,
        lines: born(input, from)?,
        constants: Vec::new(),
    };
    let mut decision = Decision::of(Next::Is(LinkState::Linked)).write(from.other(), create);
    decision.first = true;
    Ok(decision)
}

/// The usual case, and how it ends.
fn linked(input: &Input<'_>, left: Presence, right: Presence) -> Result<Decision, Halt> {
    match (left, right) {
        (Inside, Inside) => merge_lines(input, false),
        (Absent, Absent) => Ok(Decision::of(Next::Drop)),
        (Absent, Inside | Outside) => deleted(input, Side::Left, right),
        (Inside | Outside, Absent) => deleted(input, Side::Right, left),
        (Outside, Inside) => Ok(left_filter(input, Side::Left)),
        (Inside, Outside) => Ok(left_filter(input, Side::Right)),
        (Outside, Outside) => Ok(Decision::of(Next::Is(LinkState::Left))),
    }
}

/// The record of `side` is gone, and the other is still there.
fn deleted(input: &Input<'_>, side: Side, other: Presence) -> Result<Decision, Halt> {
    let survivor = side.other();
    let policy = &input.map.policies.delete[side.index()];
    let left_alone = other == Outside || *policy == DeletePolicy::Ignore;
    match input.word {
        Some(Word::From(from)) if from == survivor && other == Inside => {
            return reborn(input, survivor, LinkState::Deleted, ActivityKind::Conflict);
        }
        Some(Word::From(_)) if !left_alone => {
            return Ok(removal(policy, survivor, LinkState::Deleted));
        }
        Some(Word::LeaveAlone) => {}
        _ if left_alone => {}
        _ => return deleted_by_policy(input, side),
    }
    Ok(Decision::of(Next::Is(LinkState::Deleted)).note(ActivityKind::LeftAlone, side))
}

/// The record of `side` is gone, and that may go across.
fn deleted_by_policy(input: &Input<'_>, side: Side) -> Result<Decision, Halt> {
    let survivor = side.other();
    let policy = &input.map.policies.delete[side.index()];
    // Deleted here and changed there is a conflict of the whole record.
    if changed(input, survivor) && !input.rules.broken(Mistake::DeleteBeforeChange) {
        match input.map.policies.conflict {
            ConflictPolicy::Prefer(preferred) if preferred != survivor => {}
            ConflictPolicy::Prefer(_) | ConflictPolicy::Latest => {
                return reborn(input, survivor, LinkState::Deleted, ActivityKind::Conflict);
            }
            ConflictPolicy::Manual | ConflictPolicy::Add => {
                return Err(Halt::Undecided { line: None });
            }
        }
        return Ok(removal(policy, survivor, LinkState::Deleted).note(ActivityKind::Conflict, side));
    }
    Ok(removal(policy, survivor, LinkState::Deleted))
}

/// Whether a side holds something else in a line that flows from it than when the pair was last in order. A line that
/// was never in order says nothing with a blank (it flows one way, and its record was only just born); with a value it
/// has something that never reached the other side.
fn changed(input: &Input<'_>, side: Side) -> bool {
    let mut lines = input.map.lines.iter().enumerate();
    lines.any(|(i, line)| {
        let line_index = i as u16;
        line.flows_from(side)
            && !line.key
            && !line.on_create
            && match (
                input.held(side, line_index).own,
                input.base(side, line_index),
            ) {
                (Some(held), None) => !held.is_null(),
                (held, base) => held != base,
            }
    })
}

/// The record of `side` no longer matches its filter.
fn left_filter(input: &Input<'_>, side: Side) -> Decision {
    let policy = match input.word {
        Some(Word::LeaveAlone) => &DeletePolicy::Ignore,
        _ => &input.map.policies.leave[side.index()],
    };
    removal(policy, side.other(), LinkState::Left).note(ActivityKind::Left, side)
}

/// What a policy does to the record on side `on`; `state` is the link's if the record stays.
fn removal(policy: &DeletePolicy, on: Side, state: LinkState) -> Decision {
    let write = |kind, constants| SideWrite {
        kind,
        lines: Vec::new(),
        constants,
    };
    match policy {
        DeletePolicy::Ignore => Decision::of(Next::Is(state)),
        DeletePolicy::Delete => {
            // After a leave the record that left is still there, and may come back.
            let next = match state {
                LinkState::Left => Next::Is(LinkState::Left),
                _ => Next::Drop,
            };
            Decision::of(next).write(on, write(IntentKind::Delete, Vec::new()))
        }
        DeletePolicy::Deactivate(fields) => {
            Decision::of(Next::Is(state)).write(on, write(IntentKind::Deactivate, fields.clone()))
        }
    }
}

/// One was outside its filter when it was last looked at.
fn returned(input: &Input<'_>, left: Presence, right: Presence) -> Result<Decision, Halt> {
    match (left, right) {
        (Inside, Inside) => return again(input),
        (Absent, Absent) => return Ok(Decision::of(Next::Drop)),
        _ => {}
    }
    match alone(left, right) {
        // It was deleted where it had left: what is still on the other side isn't carried back, but by a person.
        Some(side) if may_have_left(input, side) || input.word == Some(Word::From(side)) => {
            reborn(input, side, LinkState::Left, ActivityKind::Returned)
        }
        _ => Ok(Decision::of(Next::Is(LinkState::Left))),
    }
}

/// The side whose record is in the map while the other has none.
const fn alone(left: Presence, right: Presence) -> Option<Side> {
    match (left, right) {
        (Inside, Absent) => Some(Side::Left),
        (Absent, Inside) => Some(Side::Right),
        _ => None,
    }
}

/// Whether the record of `side` can be the one that was outside: its side has a filter, or the two never met.
fn may_have_left(input: &Input<'_>, side: Side) -> bool {
    let met = input.link.is_some_and(|link| {
        let mut bases = link.bases.iter();
        bases.any(|(_, base)| base.sides.iter().any(Option::is_some))
    });
    !met || input.map.side(side).program.outputs.filter.is_some()
}

/// The record of `from` is to be created once more on the other side; where the map doesn't create, the link rests.
fn reborn(
    input: &Input<'_>,
    from: Side,
    rests: LinkState,
    kind: ActivityKind,
) -> Result<Decision, Halt> {
    let decision = birth(input, from)?;
    Ok(match decision.next {
        Next::None => Decision::of(Next::Is(rests)),
        _ => decision.note(kind, from),
    })
}

/// One was deleted, and the other stayed by the map's policy, or by a person's word, who may call it back.
fn rested(input: &Input<'_>, left: Presence, right: Presence) -> Result<Decision, Halt> {
    match (left, right) {
        (Inside, Inside) => return again(input),
        (Absent, Absent) => return Ok(Decision::of(Next::Drop)),
        _ => {}
    }
    match alone(left, right) {
        Some(side) if input.word == Some(Word::From(side)) => {
            reborn(input, side, LinkState::Deleted, ActivityKind::Returned)
        }
        _ => Ok(Decision::of(Next::Is(LinkState::Deleted))),
    }
}

/// Both are there again: a first meeting with an old link.
fn again(input: &Input<'_>) -> Result<Decision, Halt> {
    let side = Side::Left;
    Ok(merge_lines(input, true)?.note(ActivityKind::Returned, side))
}
