//! The steps of a batch: observe, merge, intents, write. [`super::finish`] has the last.

use dwmap_connect::{Outcome, Write, WriteMode};
use dwmap_plan::Side;
use futures_util::{StreamExt, future, stream};

use super::encode::{Outgoing, Unsendable};
use super::{Sight, Tally, Task};
use crate::code::Stop;
use crate::error::SyncError;
use crate::merge::{self, Decision, Halt, Input, Problem, Why};
use crate::mistake::Mistake;
use crate::observe::KeyFault;
use crate::observer::Event;
use crate::report::Trouble;
use crate::runtime::{MapRun, Runtime};
use crate::state::{Change, IntentKind, Link, LinkState, MapMode, MapStatus, Word};

/// The brake counts what happened within this time.
const BRAKE_WINDOW: std::time::Duration = std::time::Duration::from_secs(3600);
/// Deletes that pass within that time where nothing else is said, and 1 % of the links isn't more.
const DELETES_MAX: u64 = 100;

/// A task with its decision, and its writes while they are under way.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) task: Task,
    pub(super) decision: Decision,
    pub(super) sent: [Option<Outgoing>; 2],
    pub(super) outcomes: [Option<Outcome>; 2],
}

impl Runtime {
    /// Brings pairs in order. Both the marks of live work and the pairs of a load go this way.
    pub(crate) async fn work(
        &self,
        map: &MapRun,
        tasks: Vec<Task>,
        mode: WriteMode,
    ) -> Result<Tally, SyncError> {
        let mut tally = Tally::default();
        let mut changes = Vec::new();
        let (tasks, faulty) = self.observe_others(map, tasks).await?;
        for (task, fault) in faulty {
            let trouble = key_trouble(&task, fault);
            self.stop(map, &task, &trouble, &mut tally, &mut changes);
        }
        let (tasks, stopped) = self.pair_up(map, tasks).await?;
        for (task, trouble) in stopped {
            self.stop(map, &task, &trouble, &mut tally, &mut changes);
        }
        let tasks = self.make_way(map, tasks, &mut tally, &mut changes).await?;
        let tasks = match mode {
            WriteMode::Live => self.leave_held(map, tasks, &mut changes).await?,
            WriteMode::Bulk => tasks,
        };
        let (late, tasks): (Vec<_>, Vec<_>) = tasks
            .into_iter()
            .partition(|task| task.read_again_at.is_some());
        for task in late {
            if let Some(until) = task.read_again_at {
                super::gather::postpone(&task, until, &mut changes);
            }
        }
        let (tasks, unconfirmed) = self.confirm_absence(map, tasks).await?;
        for task in unconfirmed {
            self.stop(map, &task, &Trouble::Unreadable, &mut tally, &mut changes);
        }
        let mut decided = self.decide(map, tasks, &mut tally, &mut changes);
        self.brake(map, &mut decided, &mut tally, &mut changes)
            .await?;
        let mut framed = Vec::with_capacity(decided.len());
        for one in decided {
            if let Some(one) = self.frame(map, one, mode, &mut tally, &mut changes)? {
                framed.push(one);
            }
        }
        self.intend(map, &mut framed, &mut changes);
        self.store.commit(changes).await?;
        let sent = self.tick();
        self.send(map, &mut framed, mode).await;
        tally.add(self.finish(map, framed, mode, sent).await?);
        Ok(tally)
    }

    /// Merges each task; those that stop are dealt with at once.
    fn decide(
        &self,
        map: &MapRun,
        tasks: Vec<Task>,
        tally: &mut Tally,
        changes: &mut Vec<Change>,
    ) -> Vec<Decided> {
        let mut decided = Vec::with_capacity(tasks.len());
        for task in tasks {
            let input = Input {
                map: self.plan_of(map),
                link: task.link.as_ref(),
                seen: [task.sights[0].seen(), task.sights[1].seen()],
                word: task.word(),
                key_from: task.key_from,
                rules: self.options.rules,
            };
            match merge::merge(&input) {
                Ok(decision) => decided.push(Decided {
                    task,
                    decision,
                    sent: [None, None],
                    outcomes: [None, None],
                }),
                Err(halt) => self.stop(map, &task, &Trouble::Halt(halt), tally, changes),
            }
        }
        decided
    }

    /// Takes out what the brake holds.
    async fn brake(
        &self,
        map: &MapRun,
        decided: &mut Vec<Decided>,
        tally: &mut Tally,
        changes: &mut Vec<Change>,
    ) -> Result<(), SyncError> {
        let braked = |one: &Decided| removes(one) && one.task.word() != Some(Word::LetGo);
        let planned = decided.iter().filter(|one| braked(one)).count() as u64;
        if planned == 0 || self.options.rules.broken(Mistake::BrakeNotAsked) {
            return Ok(());
        }
        let since = self.date().minus(BRAKE_WINDOW);
        let done = self.store.deletes_since(map.id, since).await?;
        let most = match self.options.delete_max {
            Some(most) => most,
            None => DELETES_MAX.max(self.store.counts(map.id).await?.linked / 100),
        };
        if done + planned <= most {
            return Ok(());
        }
        let (held, go): (Vec<_>, Vec<_>) = std::mem::take(decided).into_iter().partition(braked);
        *decided = go;
        for one in held {
            self.stop(map, &one.task, &Trouble::Held, tally, changes);
        }
        let mut status = self.store.map_status(map.id).await?;
        status = MapStatus {
            mode: MapMode::Held,
            reason: format!(
                "{planned} records would be deleted, {done} were within the last hour, and no more than {most} may \
                 be; `dwmap errors list` shows them, `dwmap approve {}` lets them go",
                self.name(map)
            ),
            ..status
        };
        self.tell(&Event::Mode {
            map: self.name(map).to_owned(),
            mode: status.mode,
            reason: status.reason.clone(),
        });
        changes.push(Change::SetStatus(map.id, status));
        Ok(())
    }

    /// Frames a task's writes.
    fn frame(
        &self,
        map: &MapRun,
        mut one: Decided,
        mode: WriteMode,
        tally: &mut Tally,
        changes: &mut Vec<Change>,
    ) -> Result<Option<Decided>, SyncError> {
        for side in Side::BOTH {
            let Some(write) = &one.decision.writes[side.index()] else {
                continue;
            };
            match self.outgoing(map, &one.task, side, write, mode) {
                Ok(outgoing) => one.sent[side.index()] = Some(outgoing),
                Err(Unsendable::Gone) => return Ok(None),
                Err(Unsendable::State(error)) => return Err(error),
                Err(Unsendable::Unwritable(error)) => {
                    let trouble = Trouble::Halt(Halt::Refused(Problem {
                        line: Some(error.line),
                        from: side.other(),
                        why: Why::Unwritable(error),
                        more: 0,
                    }));
                    self.stop(map, &one.task, &trouble, tally, changes);
                    return Ok(None);
                }
            }
        }
        Ok(Some(one))
    }

    /// Puts intents on disk; at a first meeting together with the link and the bases of the lines that agree.
    fn intend(&self, map: &MapRun, framed: &mut [Decided], changes: &mut Vec<Change>) {
        for one in framed {
            let intents = one.sent.iter().flatten();
            for outgoing in intents.filter(|_| !self.options.rules.broken(Mistake::IntentNotOnDisk))
            {
                changes.push(Change::PutIntent(Box::new(outgoing.intent.clone())));
            }
            let meets = one.decision.first && one.task.sights.iter().all(|s| s.row().is_some());
            if meets && one.decision.writes_anything() {
                let mut link = link_of(map, &one.task, LinkState::Linked);
                self.begin_bases(map, &mut link);
                self.settle_lines(map, &mut link, &one.decision);
                link.moved = self.tick();
                changes.push(Change::PutLink(Box::new(link.clone())));
                one.task.link = Some(link);
            }
        }
    }

    /// Sends the writes of a batch, both sides at once, several requests in flight. Every write gets an outcome.
    async fn send(&self, map: &MapRun, framed: &mut [Decided], mode: WriteMode) {
        let writes = Side::BOTH.map(|side| {
            let of_side = framed.iter().enumerate();
            let of_side = of_side.filter_map(|(i, one)| {
                let outgoing = one.sent[side.index()].as_ref()?;
                Some((i, outgoing.write.clone()))
            });
            of_side.unzip::<usize, Write, Vec<_>, Vec<_>>()
        });
        let [left, right] = &writes;
        let (left_outcomes, right_outcomes) = future::join(
            self.send_side(map, Side::Left, &left.1, mode),
            self.send_side(map, Side::Right, &right.1, mode),
        )
        .await;
        for (side, (at, _), outcomes) in [
            (Side::Left, left, left_outcomes),
            (Side::Right, right, right_outcomes),
        ] {
            for (i, outcome) in at.iter().zip(outcomes) {
                let outcome = Self::must_tell(&framed[*i], outcome);
                framed[*i].outcomes[side.index()] = Some(outcome);
            }
        }
    }

    async fn send_side(
        &self,
        map: &MapRun,
        side: Side,
        writes: &[Write],
        mode: WriteMode,
    ) -> Vec<Outcome> {
        let connector = self.system(map, side);
        let query = &self.plan_of(map).side(side).fetch;
        let budget = connector.budget();
        let requests: Vec<_> = writes
            .chunks(budget.write_batch.max(1))
            .map(|chunk| async move {
                let mut outcomes = connector.write(query, chunk, mode).await;
                // A connector that owes an answer has left us without one.
                outcomes.resize_with(chunk.len(), || Outcome::Unknown {
                    message: "no outcome was told".to_owned(),
                });
                outcomes
            })
            .collect();
        let answers = stream::iter(requests).buffered(budget.concurrency.max(1));
        let mut outcomes: Vec<Outcome> = answers.collect::<Vec<_>>().await.concat();
        if self.options.rules.broken(Mistake::PartialBatchIgnored) {
            let landed = outcomes
                .iter()
                .find(|o| matches!(o, Outcome::Applied { .. }))
                .cloned();
            for outcome in &mut outcomes {
                *outcome = landed.clone().unwrap_or_else(|| outcome.clone());
            }
        }
        if self.options.rules.broken(Mistake::ConflictIgnored) {
            for outcome in &mut outcomes {
                if *outcome == Outcome::Conflict {
                    *outcome = Outcome::Applied {
                        version: None,
                        key: None,
                        row: None,
                    };
                }
            }
        }
        outcomes
    }

    /// Ends a task that comes to nothing: its trouble stands at the mark of the side that it comes from, and the other
    /// record's mark goes, since a retry looks at both.
    pub(super) fn stop(
        &self,
        map: &MapRun,
        task: &Task,
        trouble: &Trouble,
        tally: &mut Tally,
        changes: &mut Vec<Change>,
    ) {
        let rows = [0, 1].map(|s| task.sights[s].row().map(|o| &o.row));
        let record = self.name_of(map, &task.pair, task.link.as_ref(), rows);
        let from = match trouble {
            Trouble::Halt(Halt::Refused(problem)) => Some(problem.from),
            Trouble::Rejected(side, _) => Some(side.other()),
            _ => None,
        };
        let Some((mark, seen)) = self.mark_of(map, task, from) else {
            return;
        };
        if matches!(trouble, Trouble::Halt(Halt::Parked { .. })) {
            tally.parked += 1;
        } else {
            tally.refused += 1;
        }
        let other = mark.id.side.other();
        if let Some(other_mark) = &task.marks[other.index()] {
            changes.push(Change::Clear {
                id: other_mark.id.clone(),
                seen: self.seen_to(task, other),
            });
        }
        if let Some(link) = &task.link
            && link.sides.iter().any(|side| side.version.is_some())
        {
            let mut link = link.clone();
            link.sides.iter_mut().for_each(|side| side.version = None);
            changes.push(Change::PutLink(Box::new(link)));
        }
        if matches!(trouble, Trouble::Rejected(..))
            && self.options.rules.broken(Mistake::RefusalForgotten)
        {
            changes.push(Change::Clear { id: mark.id, seen });
            return;
        }
        changes.extend(self.stopped_with(
            map,
            mark,
            seen,
            trouble,
            &record,
            rows,
            Some(&task.pair),
        ));
    }

    /// The mark at which the trouble of a task stands, and up to which generation the task has seen its record: that
    /// of the side asked for, else a mark there is, else a new one for a record there is.
    pub(super) fn mark_of(
        &self,
        map: &MapRun,
        task: &Task,
        from: Option<Side>,
    ) -> Option<(crate::state::Mark, u64)> {
        let there = |side: Side| task.marks[side.index()].clone();
        let made = |side: Side| {
            let of_row = task.sights[side.index()].row();
            let of_row = of_row.and_then(|o| o.record.clone());
            let record = of_row.or_else(|| super::observe::known(task, side).cloned())?;
            Some(super::gather::fresh_mark(
                map,
                side,
                record,
                self.seen_to(task, side),
            ))
        };
        let asked = from.and_then(|side| there(side).or_else(|| made(side)));
        let mark = asked
            .or_else(|| Side::BOTH.into_iter().find_map(there))
            .or_else(|| Side::BOTH.into_iter().find_map(made))?;
        let seen = self.seen_to(task, mark.id.side);
        Some((mark, seen))
    }

    /// Up to which generation a task's sight of a side clears its mark.
    pub(super) fn seen_to(&self, task: &Task, side: Side) -> u64 {
        if self.options.rules.broken(Mistake::GenerationIgnored) {
            return u64::from(u32::MAX) << 31;
        }
        task.counts_to[side.index()]
    }
}

/// The link of a task, with the record keys that its rows tell, and without versions.
pub(super) fn link_of(map: &MapRun, task: &Task, state: LinkState) -> Link {
    let mut link = task
        .link
        .clone()
        .unwrap_or_else(|| Link::new(map.id, task.pair.clone(), state));
    link.state = state;
    for (side, sight) in link.sides.iter_mut().zip(&task.sights) {
        if let Sight::Row(observed) = sight
            && observed.record.is_some()
        {
            side.record.clone_from(&observed.record);
        }
        side.version = None;
    }
    link
}

/// Whether a task removes a record.
fn removes(one: &Decided) -> bool {
    let mut writes = one.decision.writes.iter().flatten();
    writes.any(|w| matches!(w.kind, IntentKind::Delete | IntentKind::Deactivate))
}

fn key_trouble(task: &Task, fault: KeyFault) -> Trouble {
    let from = if task.sights[0].row().is_some() {
        Side::Left
    } else {
        Side::Right
    };
    match fault {
        KeyFault::Blank(line) => Trouble::BlankKey { line: Some(line) },
        KeyFault::Stop(line, Stop::Failed(failure)) => Trouble::Halt(Halt::Refused(Problem {
            line,
            from,
            why: Why::Failed(failure),
            more: 0,
        })),
        KeyFault::Stop(line, Stop::Missing(ask) | Stop::Wanted(ask)) => {
            Trouble::Halt(Halt::Parked { line, ask })
        }
    }
}

/// What becomes of each outcome's intent, and whether it has succeeded.
pub(super) fn succeeded(outcome: Option<&Outcome>) -> bool {
    matches!(outcome, None | Some(Outcome::Applied { .. }))
}
