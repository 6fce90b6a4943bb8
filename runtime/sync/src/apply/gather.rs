//! From marks to tasks: which pair does a marked record belong to, and what does its side hold?

use std::collections::{BTreeMap, BTreeSet};

use dwmap_connect::Row;
use dwmap_plan::Side;

use super::drawn::Claim;
use super::observe::has_bases;
use super::{Sight, Task};
use crate::Moment;
use crate::capture::FeedRow;
use crate::code::Stop;
use crate::error::SyncError;
use crate::key::{PairKey, RecordId};
use crate::merge::{Halt, Problem, Why};
use crate::mistake::Mistake;
use crate::observe::{KeyFault, Observed, Scope};
use crate::report::{self, Trouble};
use crate::runtime::{MapRun, Runtime};
use crate::state::{Cause, Change, Intent, Link, Mark, MarkId, Word};

/// Tasks in the order of their pair keys.
pub(super) type Tasks = BTreeMap<PairKey, Task>;

impl Runtime {
    /// Makes tasks of marks, and observes the marked sides. `blocked` are pairs with a write in the air.
    pub(super) async fn gather(
        &self,
        map: &MapRun,
        marks: Vec<Mark>,
        blocked: &BTreeMap<PairKey, Moment>,
    ) -> Result<Vec<Task>, SyncError> {
        let mut changes = Vec::new();
        let mut tasks = Tasks::new();
        let mut strangers: [Vec<Mark>; 2] = [Vec::new(), Vec::new()];
        for side in Side::BOTH {
            let of_side: Vec<&Mark> = marks.iter().filter(|m| m.id.side == side).collect();
            let records: Vec<RecordId> = of_side.iter().map(|m| m.id.record.clone()).collect();
            let links = self.store.links_by_record(map.id, side, &records).await?;
            for (mark, link) in of_side.into_iter().zip(links) {
                match link {
                    Some(link) => {
                        self.join(map, &mut tasks, link).marks[side.index()] = Some(mark.clone());
                    }
                    None => strangers[side.index()].push(mark.clone()),
                }
            }
        }
        for side in Side::BOTH {
            self.observe_marked(map, &mut tasks, side).await?;
        }
        for (side, strangers) in Side::BOTH.into_iter().zip(strangers) {
            self.introduce(map, &mut tasks, side, strangers, &mut changes)
                .await?;
        }
        self.join_resting(map, &mut tasks).await?;
        let now = self.now();
        tasks.retain(|_, task| {
            let held = self.is_held(task);
            if held {
                hold(task, &mut changes);
            }
            !held
        });
        let answered = |task: &Task| task.word() == Some(Word::LetGo);
        tasks.retain(|pair, task| {
            if blocked.get(pair) != Some(&Intent::UNANSWERED) {
                return true;
            }
            if answered(task) {
                // A person looked, and it isn't there: it is created once more.
                for side in Side::BOTH {
                    changes.push(Change::DropIntent(map.id, pair.clone(), side));
                }
                return true;
            }
            changes.extend(self.unanswered(map, task));
            false
        });
        tasks.retain(|pair, task| {
            let waits = task.marks.iter().flatten().map(|mark| mark.not_before);
            let waits = waits.filter(|until| *until > now).max();
            let open = blocked.get(pair).copied();
            let open = open.filter(|until| *until != Intent::UNANSWERED);
            let open = open.filter(|_| !self.options.rules.broken(Mistake::OpenWriteNotWaitedFor));
            let until = open.max(waits);
            if let Some(until) = until {
                postpone(task, until, &mut changes);
            }
            until.is_none()
        });
        let tasks = self.check_keys(map, tasks, &mut changes);
        self.store.commit(changes).await?;
        Ok(tasks)
    }

    /// The task of a link, made if there is none yet.
    fn join<'t>(&self, map: &MapRun, tasks: &'t mut Tasks, mut link: Link) -> &'t mut Task {
        let lines = self.plan_of(map).lines.iter().map(|line| line.id);
        tasks.entry(link.pair.clone()).or_insert_with(|| {
            link.bases = std::mem::take(&mut link.bases).aligned(lines);
            Task::new(link.pair.clone(), Some(link))
        })
    }

    /// Observes the marked records of a side that have a link: by the feed's own row if it may serve, else by a fetch.
    async fn observe_marked(
        &self,
        map: &MapRun,
        tasks: &mut Tasks,
        side: Side,
    ) -> Result<(), SyncError> {
        let s = side.index();
        let sent = self.now();
        let mut fetch: Vec<RecordId> = Vec::new();
        let mut fed: Vec<(PairKey, FeedRow)> = Vec::new();
        for task in tasks.values_mut() {
            let (Some(mark), Some(link)) = (&task.marks[s], &task.link) else {
                continue;
            };
            match self.feed_row(map, side, mark) {
                Some(row) if !self.is_stale(&row, link) && self.is_fresh(map, side, &row, link) => {
                    // A line that is new has no base yet that could stand for the row.
                    let holds = row.row.version.is_some()
                        && row.row.version == link.sides[s].version
                        && has_bases(self.plan_of(map), link);
                    if holds {
                        task.counts_to[s] = mark.generation;
                        task.sights[s] = Sight::Base;
                    } else {
                        fed.push((task.pair.clone(), row));
                    }
                }
                _ => fetch.push(mark.id.record.clone()),
            }
            self.forget_word(map, side, mark);
        }
        let rows: Vec<Row> = fed.iter().map(|(_, fed)| fed.row.clone()).collect();
        let evaluated = self.evaluate(map, side, rows, 0).await?;
        if evaluated.len() == fed.len() {
            for ((pair, fed), mut observed) in fed.into_iter().zip(evaluated) {
                if let Some(task) = tasks.get_mut(&pair) {
                    observed.read = fed.read;
                    self.sight(map, task, side, Some(observed), fed.generation, fed.sent);
                }
            }
        }
        if fetch.is_empty() {
            return Ok(());
        }
        let fetched = self.fetch_records(map, side, &fetch).await?;
        for task in tasks.values_mut() {
            let unseen = matches!(task.sights[s], Sight::Unknown);
            if let (true, Some(mark)) = (unseen, &task.marks[s]) {
                let found = fetched.found.get(&mark.id.record).cloned();
                self.sight(map, task, side, found, fetched.read, sent);
            }
        }
        Ok(())
    }

    /// Takes what a read sent at a moment found, or that it found nothing. Where reads may lag, one counts only if it
    /// shows what was last seen or written, or was sent late enough.
    pub(super) fn sight(
        &self,
        map: &MapRun,
        task: &mut Task,
        side: Side,
        found: Option<Observed>,
        counts_to: u64,
        sent: Moment,
    ) {
        let known = task.link.as_ref().map(|link| &link.sides[side.index()]);
        let version = found.as_ref().and_then(|o| o.version.as_ref());
        let until = known.and_then(|known| self.trusted_from(map, side, known, sent));
        if until.is_some()
            && (version.is_none() || known.and_then(|k| k.version.as_ref()) != version)
        {
            task.read_again_at = task.read_again_at.max(until);
        }
        let sight = match found {
            Some(observed)
                if self.options.rules.broken(Mistake::AbsenceIsDelete)
                    && observed.row.filter == Ok(false) =>
            {
                Sight::Absent
            }
            Some(observed) => Sight::Row(Box::new(observed)),
            None => Sight::Absent,
        };
        task.see(side, sight, counts_to);
    }

    /// A row read before either side's base last moved would turn back what moved it.
    fn is_stale(&self, row: &FeedRow, link: &Link) -> bool {
        row.read <= link.moved && !self.options.rules.broken(Mistake::StaleObservation)
    }

    /// Where reads lag, a feed's row counts only if it shows what was last seen or written, or was asked for late enough:
    /// however long it has lain here since, it is no newer.
    fn is_fresh(&self, map: &MapRun, side: Side, row: &FeedRow, link: &Link) -> bool {
        let known = &link.sides[side.index()];
        let shows_known = row.row.version.is_some() && row.row.version == known.version;
        shows_known || self.trusted_from(map, side, known, row.sent).is_none()
    }

    /// Whether a person wants nothing done about a task.
    fn is_held(&self, task: &Task) -> bool {
        task.word() == Some(Word::Hold) && !self.options.rules.broken(Mistake::HoldIgnored)
    }

    /// Takes out the tasks of pairs that aren't linked yet whose other record, found only now, a person holds.
    pub(super) async fn leave_held(
        &self,
        map: &MapRun,
        mut tasks: Vec<Task>,
        changes: &mut Vec<Change>,
    ) -> Result<Vec<Task>, SyncError> {
        for side in Side::BOTH {
            let s = side.index();
            let met = tasks
                .iter_mut()
                .filter(|t| t.link.is_none() && t.marks[s].is_none());
            let (mut met, mut records) = (met.collect::<Vec<_>>(), Vec::new());
            met.retain(|task| {
                let record = task.sights[s].row().and_then(|row| row.record.clone());
                records.extend(record.clone());
                record.is_some()
            });
            if records.is_empty() {
                continue;
            }
            let marks = self.store.marks_of(map.id, side, &records).await?;
            for (task, mark) in met.into_iter().zip(marks) {
                task.marks[s] = mark.filter(|mark| mark.word == Some(Word::Hold));
            }
        }
        tasks.retain(|task| {
            let held = self.is_held(task);
            if held {
                hold(task, changes);
            }
            !held
        });
        Ok(tasks)
    }

    /// Marked records that no link knows: observed, and joined with the task of their pair.
    async fn introduce(
        &self,
        map: &MapRun,
        tasks: &mut Tasks,
        side: Side,
        strangers: Vec<Mark>,
        changes: &mut Vec<Change>,
    ) -> Result<(), SyncError> {
        if strangers.is_empty() {
            return Ok(());
        }
        let s = side.index();
        let sent = self.now();
        let records: Vec<RecordId> = strangers.iter().map(|m| m.id.record.clone()).collect();
        let mut fetched = self.fetch_records(map, side, &records).await?;
        let mut met: Vec<(Mark, PairKey, Observed)> = Vec::new();
        let mut unseen = Vec::new();
        for mark in strangers {
            let clear = Change::Clear {
                id: mark.id.clone(),
                seen: fetched.read,
            };
            let Some(observed) = fetched.found.remove(&mark.id.record) else {
                unseen.push(mark);
                continue;
            };
            if self.scope(&observed.row) == Scope::Out {
                changes.push(clear);
                continue;
            }
            match observed.pair.clone() {
                Some(pair) => met.push((mark, pair, observed)),
                None if observed.row.filter == Ok(false) => changes.push(clear),
                None => {
                    let trouble = blank_key(map, side, self, &observed);
                    changes.extend(self.fault(map, &mark, fetched.read, &trouble, Some(&observed)));
                }
            }
        }
        changes.extend(
            self.unseen_strangers(map, side, unseen, fetched.read)
                .await?,
        );
        let pairs: Vec<PairKey> = met.iter().map(|(_, pair, _)| pair.clone()).collect();
        let links = self.store.links_by_pair(map.id, &pairs).await?;
        let rivals = self.rivals(map, side, &met, &links).await?;
        let awaited = self.awaited(map).await?;
        for ((mark, pair, observed), link) in met.into_iter().zip(links) {
            let outside = observed.row.filter == Ok(false);
            let clear = Change::Clear {
                id: mark.id.clone(),
                seen: fetched.read,
            };
            if link.is_none() && outside && !tasks.contains_key(&pair) {
                changes.push(clear);
                continue;
            }
            // It may be what a creation without an answer has made.
            let claim = awaited.could_be(self.plan_of(map), side, &observed.row);
            let free = link.is_some() || mark.word == Some(Word::LetGo);
            if let Some(claim) = claim.filter(|_| !free) {
                match claim {
                    Claim::Until(until) => changes.push(later(mark, until)),
                    Claim::Unanswered => {
                        let (read, row) = (fetched.read, Some(&observed));
                        changes.extend(self.fault(map, &mark, read, &Trouble::Unanswered, row));
                    }
                }
                continue;
            }
            let task = match link {
                Some(link) => self.join(map, tasks, link),
                None => tasks
                    .entry(pair.clone())
                    .or_insert_with(|| Task::new(pair, None)),
            };
            let merged = self.options.rules.broken(Mistake::ClaimantMerged);
            let taken = match &task.link {
                _ if merged => false,
                Some(link) => link.sides[s]
                    .record
                    .as_ref()
                    .is_some_and(|r| rivals.contains(r)),
                None => task.marks[s].is_some(),
            };
            if taken && outside {
                changes.push(clear);
            } else if taken {
                let trouble = Trouble::Claimed;
                changes.extend(self.fault(map, &mark, fetched.read, &trouble, Some(&observed)));
            } else {
                if let Some(link) = &mut task.link {
                    // Kept at once: if the pass comes to nothing, the record's mark may go, and a retry looks at both
                    // records of the link.
                    link.sides[s].record = Some(mark.id.record.clone());
                    link.sides[s].version = None;
                    changes.push(Change::PutLink(Box::new(link.clone())));
                }
                task.marks[s] = Some(mark);
                self.sight(map, task, side, Some(observed), fetched.read, sent);
            }
        }
        Ok(())
    }

    /// Records that are linked under keys which other records now claim, and that are still there.
    async fn rivals(
        &self,
        map: &MapRun,
        side: Side,
        met: &[(Mark, PairKey, Observed)],
        links: &[Option<Link>],
    ) -> Result<BTreeSet<RecordId>, SyncError> {
        let linked: Vec<RecordId> = met
            .iter()
            .zip(links)
            .filter_map(|((mark, ..), link)| {
                let known = link.as_ref()?.sides[side.index()].record.clone()?;
                (known != mark.id.record).then_some(known)
            })
            .collect();
        if linked.is_empty() {
            return Ok(BTreeSet::new());
        }
        let fetched = self.fetch_records(map, side, &linked).await?;
        Ok(fetched.found.into_keys().collect())
    }

    /// Marks that rest (failed, parked, held) on the other record of a pair: a pass that succeeds heals them.
    async fn join_resting(&self, map: &MapRun, tasks: &mut Tasks) -> Result<(), SyncError> {
        for side in Side::BOTH {
            let s = side.index();
            let unmarked = tasks.values().filter(|t| t.marks[s].is_none());
            let known: Vec<(PairKey, RecordId)> = unmarked
                .filter_map(|t| Some((t.pair.clone(), t.link.as_ref()?.sides[s].record.clone()?)))
                .collect();
            let records: Vec<RecordId> = known.iter().map(|(_, r)| r.clone()).collect();
            let marks = self.store.marks_of(map.id, side, &records).await?;
            for ((pair, _), mark) in known.iter().zip(marks) {
                if let (Some(task), Some(mark)) = (tasks.get_mut(pair), mark) {
                    task.marks[s] = Some(mark);
                }
            }
        }
        Ok(())
    }

    /// A record whose key is no longer that of its pair: neither renamed nor moved by us.
    fn check_keys(&self, map: &MapRun, tasks: Tasks, changes: &mut Vec<Change>) -> Vec<Task> {
        let mut good = Vec::new();
        for (pair, mut task) in tasks {
            let other_key = |task: &Task, side: Side| {
                let observed = task.sights[side.index()].row()?;
                let inside = observed.row.filter != Ok(false);
                (inside && observed.pair.as_ref() != Some(&pair)).then(|| observed.clone())
            };
            let moved = Side::BOTH.into_iter().find_map(|side| {
                let due = self.key_is_due(map, &mut task, side);
                let observed = other_key(&task, side).filter(|_| !due)?;
                Some((side.index(), observed))
            });
            match moved {
                None => good.push(task),
                Some((s, observed)) => {
                    let Some(mark) = task.marks[s].clone() else {
                        continue;
                    };
                    let trouble = Trouble::Renamed {
                        was: report::name_of_pair(&pair),
                    };
                    changes.extend(self.fault(
                        map,
                        &mark,
                        task.counts_to[s],
                        &trouble,
                        Some(&observed),
                    ));
                }
            }
        }
        good
    }

    /// Nobody knows whether a record was created, and a person has to say.
    fn unanswered(&self, map: &MapRun, task: &Task) -> Vec<Change> {
        let marks = Side::BOTH.into_iter().zip(&task.marks);
        let stopped = marks.filter_map(|(side, mark)| {
            let row = task.sights[side.index()].row();
            let seen = task.counts_to[side.index()];
            Some(self.fault(map, mark.as_ref()?, seen, &Trouble::Unanswered, row))
        });
        stopped.flatten().collect()
    }

    /// What is committed of a mark that comes to nothing.
    pub(super) fn fault(
        &self,
        map: &MapRun,
        mark: &Mark,
        seen: u64,
        trouble: &Trouble,
        observed: Option<&Observed>,
    ) -> Vec<Change> {
        let record = observed.map_or_else(
            || report::name_of_record(&mark.id.record),
            |o| self.name_of_row(map, &o.row),
        );
        self.stopped(map, mark.clone(), seen, trouble, &record)
    }
}

/// Why a row tells no key of its pair.
fn blank_key(map: &MapRun, side: Side, runtime: &Runtime, observed: &Observed) -> Trouble {
    match &observed.row.pair_key {
        Err(Stop::Missing(ask) | Stop::Wanted(ask)) => Trouble::Halt(Halt::Parked {
            line: None,
            ask: ask.clone(),
        }),
        Err(Stop::Failed(failure)) => Trouble::Halt(Halt::Refused(Problem {
            line: None,
            from: side,
            why: Why::Failed(*failure),
            more: 0,
        })),
        Ok(_) => match runtime.partner_key(map, side, &observed.row) {
            Err(KeyFault::Blank(line)) => Trouble::BlankKey { line: Some(line) },
            _ => Trouble::BlankKey { line: None },
        },
    }
}

/// A pair is held by one of its marks: what is due of the other waits with it.
fn hold(task: &Task, changes: &mut Vec<Change>) {
    let mut marks = task.marks.iter().flatten();
    let Some(said) = marks.find(|mark| mark.word == Some(Word::Hold)) else {
        return;
    };
    for mark in task.marks.iter().flatten() {
        if mark.word != Some(Word::Hold) {
            changes.push(Change::Say(Box::new(Mark {
                id: mark.id.clone(),
                generation: mark.generation,
                ..said.clone()
            })));
        }
    }
}

/// Lets the marks of a pair wait until its write is settled.
pub(super) fn postpone(task: &Task, until: Moment, changes: &mut Vec<Change>) {
    let marks = task.marks.iter().flatten();
    let marks = marks.filter(|mark| matches!(mark.cause, Cause::Changed | Cause::Retry));
    changes.extend(marks.map(|mark| later(mark.clone(), until)));
}

/// Lets a mark wait.
fn later(mark: Mark, until: Moment) -> Change {
    Change::Settle {
        seen: mark.generation,
        mark: Box::new(Mark {
            cause: Cause::Retry,
            not_before: until,
            ..mark
        }),
    }
}

/// The mark of a record of a task, as it would be made now.
pub(super) fn fresh_mark(map: &MapRun, side: Side, record: RecordId, generation: u64) -> Mark {
    Mark::changed(
        MarkId {
            map: map.id,
            side,
            record,
        },
        generation,
    )
}
