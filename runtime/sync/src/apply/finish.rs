//! The last step of a batch: bases of both sides, versions, link, log and marks, in one transaction.

use std::collections::BTreeMap;

use dwmap_connect::{Guard, Outcome, Version, WriteMode};
use dwmap_plan::{MapPlan, Side, Value};

use super::log::held;
use super::observe::{has_bases, known};
use super::work::{Decided, link_of, succeeded};
use super::{Tally, Task};
use crate::Moment;
use crate::error::SyncError;
use crate::merge::{self, Decision, Halt, Next, adds, own};
use crate::mistake::Mistake;
use crate::report::Trouble;
use crate::runtime::{MapRun, Runtime};
use crate::state::{
    Activity, ActivityKind, Base, Bases, Cause, Change, GIVEN_UP, Intent, IntentKind, IntentLine,
    Link, LinkState, Mark,
};

/// The lines of a side, by index, that the row which came back with the answer shows to be other than expected; none
/// where no row came.
type Returned = Option<Vec<usize>>;

fn differs(returned: &Returned) -> bool {
    returned.as_ref().is_some_and(|lines| !lines.is_empty())
}

impl Runtime {
    pub(super) async fn finish(
        &self,
        map: &MapRun,
        framed: Vec<Decided>,
        mode: WriteMode,
        sent: u64,
    ) -> Result<Tally, SyncError> {
        let mut tally = Tally::default();
        let mut changes = Vec::new();
        let returned = self.returned_rows(map, &framed).await?;
        let unnamed = self.unnamed_deleted.lock().await;
        for (one, returned) in framed.into_iter().zip(returned) {
            let forgotten = self.options.rules.broken(Mistake::UnnamedEndForgotten);
            let doubtful =
                Side::BOTH.map(|side| !forgotten && may_be_gone(&one, side, sent, *unnamed));
            let one = self.finish_one(map, one, &returned, mode, &mut tally, &mut changes);
            for side in Side::BOTH.into_iter().filter(|side| doubtful[side.index()]) {
                let record = known(&one.task, side).cloned();
                changes.extend(record.map(|record| self.mark_anew(map, side, record)));
            }
        }
        self.store.commit(changes).await?;
        Ok(tally)
    }

    /// What the rows say, by task and side, that came back with the answers.
    async fn returned_rows(
        &self,
        map: &MapRun,
        framed: &[Decided],
    ) -> Result<Vec<[Returned; 2]>, SyncError> {
        let plan = self.plan_of(map);
        let mut returned = vec![[const { None }; 2]; framed.len()];
        for side in Side::BOTH {
            let s = side.index();
            let mut at = Vec::new();
            let mut rows = Vec::new();
            for (i, one) in framed.iter().enumerate() {
                if let Some(Outcome::Applied { row: Some(row), .. }) = &one.outcomes[s] {
                    at.push(i);
                    rows.push(row.clone());
                }
            }
            if rows.is_empty() {
                continue;
            }
            // A row that can't be evaluated now is looked at when its change comes by.
            let Ok(observed) = self.evaluate(map, side, rows, 0).await else {
                continue;
            };
            if observed.len() != at.len() {
                continue;
            }
            for (i, observed) in at.into_iter().zip(observed) {
                let one = &framed[i];
                let lines = one.decision.writes[s].iter().flat_map(|w| &w.lines);
                let sent: BTreeMap<u16, &Value> = lines.map(|l| (l.line, &l.written)).collect();
                let differing = (0..plan.lines.len() as u16).filter(|line| {
                    let stored = observed.row.own.get(usize::from(*line)).and_then(own);
                    let expected = sent
                        .get(line)
                        .copied()
                        .or_else(|| held(&one.task, side, *line));
                    stored.is_some() && expected.is_some() && stored != expected
                });
                returned[i][s] = Some(differing.map(usize::from).collect());
            }
        }
        Ok(returned)
    }

    fn finish_one(
        &self,
        map: &MapRun,
        mut one: Decided,
        returned: &[Returned; 2],
        mode: WriteMode,
        tally: &mut Tally,
        changes: &mut Vec<Change>,
    ) -> Decided {
        let failed = !one.outcomes.iter().all(|o| succeeded(o.as_ref()));
        count(&one, tally);
        for (side, sent) in Side::BOTH.into_iter().zip(&one.sent) {
            let Some(sent) = sent else { continue };
            changes.push(match &one.outcomes[side.index()] {
                Some(Outcome::Unknown { .. }) | None => Change::PutIntent(Box::new(Intent {
                    settle_at: self.settle_at(map, side),
                    ..sent.intent.clone()
                })),
                Some(_) => Change::DropIntent(map.id, one.task.pair.clone(), side),
            });
        }
        let before = one.task.link.clone();
        let after = self.link_after(map, &one, failed, returned);
        // A number has come: the link takes its place under it.
        if let Some(link) = after.as_ref().filter(|link| link.pair != one.task.pair) {
            changes.push(Change::DropLink(map.id, one.task.pair.clone()));
            changes.push(self.named(map, link, &one));
        }
        match (&before, &after) {
            (Some(_), None) if one.decision.next == Next::Drop && !failed => {
                changes.push(Change::DropLink(map.id, one.task.pair.clone()));
            }
            (before, Some(link)) if before.as_ref() != Some(link) => {
                changes.push(Change::PutLink(Box::new(link.clone())));
            }
            _ => {}
        }
        self.log_of(map, &one, mode, changes);
        if after.is_some() {
            one.task.link = after;
        }
        if failed {
            self.marks_of_failure(map, &one, tally, changes);
        } else {
            self.marks_of_success(map, &one, returned, tally, changes);
        }
        one
    }

    /// That a pair stands under a key of its own now.
    fn named(&self, map: &MapRun, link: &Link, one: &Decided) -> Change {
        let rows = [0, 1].map(|s| one.task.sights[s].row().map(|o| &o.row));
        let from = self.plan_of(map).meeting.key_from;
        let drawn = from.and_then(|from| rows[from.index()]);
        Change::Log(Box::new(Activity {
            at: self.date(),
            map: map.id,
            pair: link.pair.clone(),
            record: drawn.map_or_else(
                || crate::report::name_of_pair(&link.pair),
                |row| self.name_of_row(map, row),
            ),
            kind: ActivityKind::Linked,
            side: from,
            detail: "by the key that was drawn for it".to_owned(),
        }))
    }

    /// The link as it is after the writes.
    fn link_after(
        &self,
        map: &MapRun,
        one: &Decided,
        failed: bool,
        returned: &[Returned; 2],
    ) -> Option<Link> {
        let (task, decision) = (&one.task, &one.decision);
        let state = match (decision.next, failed) {
            (Next::Is(state), false) => state,
            (Next::None | Next::Drop, false) => return None,
            // A birth that failed leaves nothing behind.
            (_, true) => task.link.as_ref()?.state,
        };
        let mut link = link_of(map, task, state);
        if decision.first && !failed {
            self.begin_bases(map, &mut link);
        }
        if state == LinkState::Linked {
            self.settle_lines(map, &mut link, decision);
        }
        for side in Side::BOTH {
            self.take_write(map, one, side, &returned[side.index()], &mut link);
        }
        let wrote = one.sent.iter().any(Option::is_some);
        let moved = task.link.as_ref().map(|old| &old.bases) != Some(&link.bases);
        if wrote || moved {
            link.moved = self.tick();
        }
        let waits = !decision.waiting.is_empty() || link.bases.is_pending();
        let open = waits || !decision.unsettled.is_empty() || !decision.undecided.is_empty();
        let in_order =
            (!failed && !open) || self.options.rules.broken(Mistake::DisorderedVersionKept);
        if in_order && state == LinkState::Linked && has_bases(self.plan_of(map), &link) {
            for side in Side::BOTH {
                let known = !map.abilities[side.index()].business_logic
                    || self.options.rules.broken(Mistake::RewriteUnseen);
                link.sides[side.index()].version = if differs(&returned[side.index()]) {
                    None
                } else {
                    version_after(one, side, known)
                };
            }
        }
        note_kept(one, &mut link);
        self.note_freshness(map, one, &mut link);
        if let Some(pair) = self.key_after(map, one, failed) {
            link.pair = pair;
        }
        Some(link)
    }

    /// Where reads may lag, those sent soon after a write, or after something new was seen, aren't trusted.
    fn note_freshness(&self, map: &MapRun, one: &Decided, link: &mut Link) {
        for side in Side::BOTH {
            let s = side.index();
            let lag = self.system(map, side).budget().lag_max;
            let before = one.task.link.as_ref().map(|old| &old.sides[s].version);
            let news = one.sent[s].is_some()
                || before != Some(&link.sides[s].version)
                || one.task.link.as_ref().is_none_or(|old| moved(old, link, s));
            if !lag.is_zero() && news {
                link.sides[s].fresh_from = Some(self.now().plus(lag));
            }
        }
    }

    /// What a write that succeeded does to the link: its lines' values are what both sides held.
    fn take_write(
        &self,
        map: &MapRun,
        one: &Decided,
        side: Side,
        returned: &Returned,
        link: &mut Link,
    ) {
        let s = side.index();
        let (Some(sent), Some(Outcome::Applied { key, .. })) = (&one.sent[s], &one.outcomes[s])
        else {
            return;
        };
        match sent.intent.kind {
            IntentKind::Create => {
                let folds = map.abilities[s].folds_keys;
                let told = key.as_ref().map(|key| crate::RecordId::new(key, folds));
                link.sides[s].record = told.or_else(|| self.born_record(map, side, &sent.write));
            }
            IntentKind::Delete => link.sides[s].record = None,
            IntentKind::Update | IntentKind::Deactivate => {}
        }
        let stores =
            !map.abilities[s].business_logic || self.options.rules.broken(Mistake::RewriteUnseen);
        self.take_lines(
            map,
            &sent.intent,
            &mut link.bases,
            |line, _| match returned {
                Some(differing) => !differing.contains(&line),
                None => stores,
            },
        );
    }

    /// Moves the bases of an intent's lines, on both sides. `is_kept` says of a line and the value that was written
    /// whether the target is known to have kept it so.
    pub(crate) fn take_lines(
        &self,
        map: &MapRun,
        intent: &Intent,
        bases: &mut Bases,
        is_kept: impl Fn(usize, &Value) -> bool,
    ) {
        let s = intent.side.index();
        let lines = &self.plan_of(map).lines;
        for line in &intent.lines {
            let Some(at) = lines.iter().position(|l| l.id == line.line) else {
                continue;
            };
            let mut base = bases.at(at, line.line).cloned().unwrap_or_default();
            if let Some(moved) = line
                .is_sum(self.plan_of(map))
                .then(|| line.moved(&base))
                .flatten()
            {
                base.sides = moved.map(Some);
            } else {
                base.sides[s] = Some(line.written.clone());
                if !self.options.rules.broken(Mistake::BaseOfOneSide) {
                    base.sides[1 - s] = Some(line.source.clone());
                }
            }
            base.pending = line.pending.then_some(intent.side.other());
            base.written = (!is_kept(at, &line.written)).then_some(intent.side);
            base.bounces = line.bounces;
            bases.put(at, line.line, base);
        }
    }

    /// Bases of all lines, not known yet.
    pub(crate) fn begin_bases(&self, map: &MapRun, link: &mut Link) {
        let lines = self.plan_of(map).lines.iter();
        link.bases = Bases::new(lines.map(|line| (line.id, Base::default())).collect());
    }

    /// The lines that are in order as they stand become the base.
    pub(super) fn settle_lines(&self, map: &MapRun, link: &mut Link, decision: &Decision) {
        let lines = &self.plan_of(map).lines;
        for (i, [left, right]) in &decision.settled {
            let waits = decision.waiting.iter().find(|(line, ..)| line == i);
            let base = Base {
                sides: [Some(left.clone()), Some(right.clone())],
                pending: waits.map(|(_, from, _)| *from),
                written: None,
                bounces: if decision.unsettled.contains(i) {
                    GIVEN_UP
                } else {
                    0
                },
            };
            let at = usize::from(*i);
            link.bases.put(at, lines[at].id, base);
        }
    }

    fn marks_of_success(
        &self,
        map: &MapRun,
        one: &Decided,
        returned: &[Returned; 2],
        tally: &mut Tally,
        changes: &mut Vec<Change>,
    ) {
        let (task, decision) = (&one.task, &one.decision);
        for (side, mark) in Side::BOTH.into_iter().zip(&task.marks) {
            if let Some(mark) = mark {
                changes.push(Change::Clear {
                    id: mark.id.clone(),
                    seen: self.seen_to(task, side),
                });
            }
        }
        let written = Side::BOTH.into_iter().flat_map(|to| {
            let lines = decision.writes[to.index()].iter().flat_map(|w| &w.lines);
            lines.filter_map(move |l| Some((l.line, to.other(), l.waits_for.clone()?)))
        });
        let waiting = decision.waiting.iter().cloned().chain(written).next();
        if let Some((line, from, ask)) = waiting {
            let trouble = Trouble::Halt(Halt::Parked {
                line: Some(line),
                ask,
            });
            tally.parked += 1;
            self.rest(map, task, Some(from), &trouble, changes);
        } else if let Some(line) = decision.unsettled.first() {
            tally.refused += 1;
            self.rest(
                map,
                task,
                None,
                &Trouble::Unsettled { line: *line },
                changes,
            );
        } else if let Some(line) = decision.undecided.first() {
            tally.refused += 1;
            let trouble = Trouble::Halt(Halt::Undecided { line: Some(*line) });
            self.rest(map, task, None, &trouble, changes);
        }
        // Its number is asked for next.
        if task
            .link
            .as_ref()
            .is_some_and(|link| link.pair.is_awaited())
            && let Some(record) = task.pair.awaiting_record()
            && let Some(from) = self.plan_of(map).meeting.key_from
        {
            changes.push(self.mark_anew(map, from.other(), record));
        }
        for side in Side::BOTH {
            if let (true, Some(record)) = (differs(&returned[side.index()]), known(task, side)) {
                changes.push(self.mark_anew(map, side, record.clone()));
            }
        }
    }

    pub(super) fn mark_anew(&self, map: &MapRun, side: Side, record: crate::RecordId) -> Change {
        Change::Mark {
            id: super::gather::fresh_mark(map, side, record, 0).id,
            generation: self.tick(),
            not_before: Moment(0),
        }
    }

    /// A mark that stays behind a pass that succeeded as far as it went.
    fn rest(
        &self,
        map: &MapRun,
        task: &Task,
        from: Option<Side>,
        trouble: &Trouble,
        changes: &mut Vec<Change>,
    ) {
        let rows = [0, 1].map(|s| task.sights[s].row().map(|o| &o.row));
        let record = self.name_of(map, &task.pair, task.link.as_ref(), rows);
        if let Some((mark, seen)) = self.mark_of(map, task, from) {
            let pair = Some(&task.pair);
            changes.extend(self.stopped_with(map, mark, seen, trouble, &record, rows, pair));
        }
    }

    /// Refused for good, or to be tried again: at once after a failed guard, later where the system says so, and after
    /// its write is settled where nobody knows what became of it.
    fn marks_of_failure(
        &self,
        map: &MapRun,
        one: &Decided,
        tally: &mut Tally,
        changes: &mut Vec<Change>,
    ) {
        let task = &one.task;
        let mut not_before = self.now();
        for (side, outcome) in Side::BOTH.into_iter().zip(&one.outcomes) {
            let tries = task.marks.iter().flatten().map(|m| m.tries).max();
            let wait = |tries: u32| {
                let (first, max) = (self.options.retry_first, self.options.retry_max);
                self.chance.wait(tries, first, max)
            };
            let until = match outcome {
                Some(Outcome::Rejected(refusal)) => {
                    let trouble = Trouble::Rejected(side, refusal.clone());
                    self.stop(map, task, &trouble, tally, changes);
                    return;
                }
                Some(Outcome::Unknown { .. }) => self.settle_at(map, side),
                Some(Outcome::Transient { after, .. }) => {
                    let wait = wait(tries.unwrap_or(0));
                    self.now().plus(after.unwrap_or_default().max(wait))
                }
                Some(Outcome::Conflict) => match tries {
                    None | Some(0) => self.now(),
                    Some(tries) => self.now().plus(wait(tries)),
                },
                Some(Outcome::Applied { .. }) | None => continue,
            };
            not_before = not_before.max(until);
        }
        let marks: Vec<Mark> = task.marks.iter().flatten().cloned().collect();
        let made = marks.is_empty().then(|| self.mark_of(map, task, None));
        let marks = marks
            .into_iter()
            .chain(made.flatten().map(|(mark, _)| mark));
        for mark in marks {
            changes.push(Change::Settle {
                seen: mark.generation,
                mark: Box::new(Mark {
                    cause: Cause::Retry,
                    not_before,
                    tries: mark.tries + 1,
                    missing: None,
                    ..mark
                }),
            });
        }
    }
}

impl IntentLine {
    /// Whether it is written a sum of both sides' changes.
    pub(crate) fn is_sum(&self, map: &MapPlan) -> bool {
        let line = map.lines.iter().find(|line| line.id == self.line);
        self.source.is_null() && !self.written.is_null() && line.is_some_and(|l| adds(map, l))
    }

    /// The bases after it has landed, if it is a sum.
    fn moved(&self, base: &Base) -> Option<[Value; 2]> {
        merge::moved(&base.sides, self.before.as_ref()?, &self.written)
    }
}

/// Whether something else than before is known to stand on a side.
fn moved(old: &Link, new: &Link, s: usize) -> bool {
    let held = |link: &Link| -> Vec<Option<Value>> {
        let bases = link.bases.iter().map(|(_, base)| base.sides[s].clone());
        bases.collect()
    };
    held(old) != held(new)
}

/// Lines that were written are known to be kept where the pass saw them as they were written, or where their side is
/// known to be in order.
fn note_kept(one: &Decided, link: &mut Link) {
    let known = [0, 1].map(|s| link.sides[s].version.is_some());
    for (at, (_, base)) in link.bases.iter_mut().enumerate() {
        let Some(side) = base.written else { continue };
        let s = side.index();
        let row = one.task.sights[s].row().filter(|_| one.sent[s].is_none());
        let shown = row.and_then(|o| own(o.row.own.get(at)?));
        if known[s] || (shown.is_some() && shown == base.sides[s].as_ref()) {
            base.written = None;
            base.bounces = 0;
        }
    }
}

/// Whether a record that is linked only now may have been deleted already: a feed told of an end, by an id that meant
/// nothing to us, since the record was read, or since the write that made it was sent.
fn may_be_gone(one: &Decided, side: Side, sent: u64, unnamed: Option<u64>) -> bool {
    let is_new = one.decision.first || known(&one.task, side).is_none();
    let row = one.task.sights[side.index()].row();
    let alive = row.map_or(sent, |row| row.read);
    is_new && unnamed.is_some_and(|told| alive <= told)
}

fn count(one: &Decided, tally: &mut Tally) {
    if one.decision.first && one.task.sights.iter().all(|s| s.row().is_some()) {
        tally.met += 1;
    }
    for (side, sent) in one.sent.iter().enumerate() {
        let (Some(sent), Some(Outcome::Applied { .. })) = (sent, &one.outcomes[side]) else {
            continue;
        };
        match sent.intent.kind {
            IntentKind::Create => tally.created[side] += 1,
            IntentKind::Update => tally.updated += 1,
            IntentKind::Delete | IntentKind::Deactivate => tally.removed += 1,
        }
    }
}

/// The version at which a side is in order. Of our own write only if no edit can lie between it and what we saw, and
/// if what was stored is known: from the row that came back, or since the system stores what it is sent (`stores`).
fn version_after(one: &Decided, side: Side, stores: bool) -> Option<Version> {
    let s = side.index();
    match (&one.sent[s], &one.outcomes[s]) {
        (Some(sent), Some(Outcome::Applied { version, row, .. })) => {
            let safe = matches!(sent.write.guard, Guard::Version(_) | Guard::Absent);
            let seen = row.as_ref().and_then(|row| row.version.clone());
            let told = version.clone().filter(|_| stores);
            seen.or(told).filter(|_| safe)
        }
        (Some(_), _) => None,
        (None, _) => one.task.version(side).cloned(),
    }
}
