//! Steering by record.

use std::time::Duration;

use dwmap_plan::Side;

use super::{Answer, Doer, RecordName};
use crate::apply::Task;
use crate::error::SyncError;
use crate::report::Trouble;
use crate::runtime::{MapRun, Runtime};
use crate::state::{Activity, ActivityKind, Cause, Change, MapMode, Mark, MarkId, Word};

/// How long a pass over a record is waited for where another one works.
const PASS_WAIT: Duration = Duration::from_secs(10);
/// How often it is looked for.
const PASS_LOOK: Duration = Duration::from_millis(50);

impl Runtime {
    /// Holds a record, and with it its pair.
    pub(super) async fn hold(&self, name: &RecordName, reason: &str) -> Result<Answer, SyncError> {
        let map = self.map_named(&name.map)?;
        let task = self.find_record(map, &name.key).await?;
        let record = self.task_name(map, &task);
        // Writes that are on their way are waited for: from the answer on, nothing is written.
        let _border = self.steering.border.write().await;
        let trouble = Trouble::OnHold(reason.to_owned());
        let mut changes = Vec::new();
        for id in ids(map, &task) {
            let generation = self.tick();
            let mark = Mark::changed(id, generation);
            for change in self.stopped(map, mark, generation, &trouble, &record) {
                changes.push(match change {
                    Change::Settle { mark, .. } => Change::Say(Box::new(Mark {
                        word: Some(Word::Hold),
                        ..*mark
                    })),
                    other => other,
                });
            }
        }
        self.store.commit(changes).await?;
        Ok(Answer::of(format!(
            "{} {record} is held; `dwmap release {} {}` lets it go on",
            name.map, name.map, name.key
        )))
    }

    /// Lets a record go on that was held.
    pub(super) async fn release(&self, name: &RecordName, doer: Doer) -> Result<Answer, SyncError> {
        let map = self.map_named(&name.map)?;
        let task = self.find_record(map, &name.key).await?;
        let record = self.task_name(map, &task);
        let marks = self.marks_of_task(map, &task).await?;
        let held = marks.iter().filter(|mark| mark.word == Some(Word::Hold));
        let changes: Vec<Change> = held.map(|mark| self.say(mark.id.clone(), None)).collect();
        if changes.is_empty() {
            return Ok(Answer::of(format!("{} {record} isn't held", name.map)));
        }
        self.store.commit(changes).await?;
        map.marked.notify_one();
        Ok(Answer::of(format!(
            "{} {record} is released; {}",
            name.map,
            doer.goes_on()
        )))
    }

    /// Brings a record in order now, and tells what came of it.
    pub(super) async fn sync_record(
        &self,
        name: &RecordName,
        from: Option<&str>,
        doer: Doer,
    ) -> Result<Answer, SyncError> {
        let map = self.map_named(&name.map)?;
        let word = from
            .map(|s| self.side_named(map, s))
            .transpose()?
            .map(Word::From);
        let task = self.find_record(map, &name.key).await?;
        let record = self.task_name(map, &task);
        let before = self.store.activity(map.id, Some(&task.pair), 1).await?;
        let marks: Vec<MarkId> = ids(map, &task).collect();
        let held = self.marks_of_task(map, &task).await?;
        if held.iter().any(|mark| mark.word == Some(Word::Hold)) {
            return Err(SyncError::Impossible(format!(
                "{} {record} is held; `dwmap release {} {}` comes first",
                name.map, name.map, name.key
            )));
        }
        self.demand_work(map, doer).await?;
        let changes = marks.iter().map(|id| self.say(id.clone(), word));
        self.store.commit(changes.collect()).await?;
        map.marked.notify_one();
        match doer {
            Doer::Alone => self.apply_marks(map, &marks).await?,
            Doer::Running => self.await_pass(map, &marks).await?,
        }
        let mut said = Vec::new();
        let after = self.store.activity(map.id, Some(&task.pair), 20).await?;
        let new = after
            .iter()
            .take_while(|entry| Some(*entry) != before.first());
        for entry in new.collect::<Vec<_>>().into_iter().rev() {
            said.push(format!("{} {}", name.map, in_words(entry)));
        }
        for mark in self.marks_of_task(map, &task).await? {
            said.push(match (&mark.error, mark.cause) {
                (Some(error), _) => {
                    format!("{} {record}: {} ({})", name.map, error.message, error.code)
                }
                (None, Cause::Retry) => {
                    format!("{} {record}: will be tried again by itself", name.map)
                }
                (None, _) => format!("{} {record}: still under way", name.map),
            });
        }
        if said.is_empty() {
            said.push(format!(
                "{} {record} is in order; nothing was to be written",
                name.map
            ));
        }
        Ok(Answer {
            said,
            refused: None,
        })
    }

    /// A record is brought in order only where its map is worked on, and what comes before all work has come.
    async fn demand_work(&self, map: &MapRun, doer: Doer) -> Result<(), SyncError> {
        if doer == Doer::Alone {
            self.begin().await?;
        }
        let name = self.name(map);
        let why_not = match self.store.map_status(map.id).await?.mode {
            _ if self.store.readonly().await? => {
                "neither system is written to; `dwmap readonly off` comes first".to_owned()
            }
            MapMode::Running => return Ok(()),
            MapMode::Stopped | MapMode::Loading => {
                format!("{name} isn't loaded yet; let it load first")
            }
            MapMode::Paused => format!("{name} is paused; `dwmap resume {name}` comes first"),
            MapMode::Held | MapMode::Failed => {
                format!("{name} stands still; `dwmap status` says why")
            }
        };
        Err(SyncError::Impossible(why_not))
    }

    /// Forgets a pair; both records stay.
    pub(super) async fn unlink(&self, name: &RecordName) -> Result<Answer, SyncError> {
        let map = self.map_named(&name.map)?;
        let task = self.find_record(map, &name.key).await?;
        let record = self.task_name(map, &task);
        let _border = self.steering.border.write().await;
        let Some(link) = &task.link else {
            return Ok(Answer::of(format!("{} {record} isn't linked", name.map)));
        };
        let open = self.store.intents(map.id).await?;
        if open.iter().any(|intent| intent.pair == task.pair) {
            return Err(SyncError::Impossible(format!(
                "a write to {} {record} is under way; ask again when it is settled",
                name.map
            )));
        }
        let mut changes = vec![Change::DropLink(map.id, link.pair.clone())];
        changes.extend(ids(map, &task).map(Change::Discard));
        changes.push(Change::Log(Box::new(Activity {
            at: self.date(),
            map: map.id,
            pair: link.pair.clone(),
            record: record.clone(),
            kind: ActivityKind::Unlinked,
            side: None,
            detail: String::new(),
        })));
        self.store.commit(changes).await?;
        Ok(Answer::of(format!(
            "{} {record} is no longer linked; with the next change of either they meet for the first time, by `initial`",
            name.map
        )))
    }

    /// The record of this name, in one of the systems or among the links.
    pub(super) async fn find_record(&self, map: &MapRun, key: &str) -> Result<Task, SyncError> {
        let found = match self.find(map, key).await? {
            Some(task) if task.link.is_none() => {
                // Its partner may be there, and be marked on its own.
                let (ready, faulty) = self.observe_others(map, vec![task]).await?;
                let faulty = faulty.into_iter().map(|(task, _)| task);
                ready.into_iter().chain(faulty).next()
            }
            found => found,
        };
        found.ok_or_else(|| {
            let name = self.name(map);
            SyncError::Impossible(format!(
                "{name} knows no record `{key}`: neither system has it, or its company takes no part. \
                 The key is the left side's, with the company first: `usmf US-001`"
            ))
        })
    }

    fn task_name(&self, map: &MapRun, task: &Task) -> String {
        let rows = [0, 1].map(|s| task.sights[s].row().map(|o| &o.row));
        self.name_of(map, &task.pair, task.link.as_ref(), rows)
    }

    /// The marks that both records of a task have now.
    async fn marks_of_task(&self, map: &MapRun, task: &Task) -> Result<Vec<Mark>, SyncError> {
        let mut marks = Vec::new();
        for id in ids(map, task) {
            let of_side = self.store.marks_of(map.id, id.side, &[id.record]).await?;
            marks.extend(of_side.into_iter().flatten());
        }
        Ok(marks)
    }

    /// A mark that is due, with a word on it.
    fn say(&self, id: MarkId, word: Option<Word>) -> Change {
        Change::Say(Box::new(Mark {
            word,
            ..Mark::changed(id, self.tick())
        }))
    }

    /// The side whose system, or whose system's schema, has this name.
    pub(super) fn side_named(&self, map: &MapRun, name: &str) -> Result<Side, SyncError> {
        let plan = self.plan_of(map);
        let names = |side: Side| {
            let system = usize::from(plan.side(side).system);
            [
                self.systems[system].name().to_owned(),
                self.plan.systems[system].schema.name.clone(),
            ]
        };
        let found = Side::BOTH
            .into_iter()
            .find(|side| names(*side).iter().any(|n| n.eq_ignore_ascii_case(name)));
        found.ok_or_else(|| {
            let [left, right] = Side::BOTH.map(|side| names(side)[0].clone());
            SyncError::Impossible(format!(
                "{} joins {left} and {right}; {name} is neither",
                plan.name
            ))
        })
    }

    /// Waits until the process's own loop has passed over these marks, but not for ever.
    async fn await_pass(&self, map: &MapRun, marks: &[MarkId]) -> Result<(), SyncError> {
        let until = self.now().plus(PASS_WAIT);
        while self.now() < until {
            let mut due = false;
            for id in marks {
                let records = std::slice::from_ref(&id.record);
                let of_side = self.store.marks_of(map.id, id.side, records).await?;
                due |= of_side.iter().flatten().any(|m| m.cause == Cause::Changed);
            }
            if !due {
                return Ok(());
            }
            self.clock.sleep(PASS_LOOK).await;
        }
        Ok(())
    }
}

/// The records of a task, as marks name them.
pub(super) fn ids<'t>(map: &MapRun, task: &'t Task) -> impl Iterator<Item = MarkId> + use<'t> {
    let map = map.id;
    Side::BOTH.into_iter().filter_map(move |side| {
        let s = side.index();
        let of_row = task.sights[s].row().and_then(|o| o.record.clone());
        let record = of_row.or_else(|| task.link.as_ref()?.sides[s].record.clone())?;
        Some(MarkId { map, side, record })
    })
}

/// An entry of the log, as `sync` tells it.
fn in_words(entry: &Activity) -> String {
    let kind = format!("{:?}", entry.kind).to_lowercase();
    let detail = match entry.detail.as_str() {
        "" => String::new(),
        detail => format!(" ({detail})"),
    };
    format!("{}: {kind}{detail}", entry.record)
}
