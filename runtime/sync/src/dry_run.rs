//! `plan`: what would be created, updated, refused and left alone on each side, writing nothing.

use dwmap_connect::ChangeFeed;
use dwmap_plan::{InitialPolicy, Side};
use serde::Serialize;

use crate::apply::Task;
use crate::error::SyncError;
use crate::join::Joined;
use crate::merge::{self, Decision, Halt, Input, LineWrite};
use crate::observer::LoadCounts;
use crate::report::{Trouble, path, shown};
use crate::runtime::{MapRun, Runtime};
use crate::state::IntentKind;

/// Samples of each kind that are kept for each map.
const SAMPLES_MAX: usize = 5;

/// What would be done for a map.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Planned {
    /// The map.
    pub map: String,
    /// The systems, left first.
    pub systems: [String; 2],
    /// Whether each side's changes come by a feed.
    pub feeds: [bool; 2],
    /// Rows read from each side.
    pub read: [u64; 2],
    /// Records that would be created, by side.
    pub create: [u64; 2],
    /// Records that would be updated, by side.
    pub update: [u64; 2],
    /// Fields of these that hold a value and would get another: what the brake of a load counts.
    pub overwrite: u64,
    /// Records that would be deleted or deactivated, by side.
    pub remove: [u64; 2],
    /// Pairs that agree already.
    pub agree: u64,
    /// Records that would be left alone by a rule of the map.
    pub left_alone: u64,
    /// Records that would be refused.
    pub refused: u64,
    /// Of all these, how many refer to a record that isn't there yet.
    pub waiting: u64,
    /// Rows outside their side's filter.
    pub filtered: u64,
    /// Rows of companies that don't take part.
    pub out_of_scope: u64,
    /// A few of each kind.
    pub samples: Vec<Sample>,
}

/// One record that something would be done about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// What would be done.
    pub what: SampleKind,
    /// The system that would be written to, or that has the record.
    pub system: String,
    /// The record as people know it.
    pub record: String,
    /// The fields, or the reason.
    pub detail: String,
}

/// What would be done about a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SampleKind {
    /// It would be created.
    Create,
    /// It would be updated.
    Update,
    /// It would be deleted or deactivated.
    Remove,
    /// It would be refused.
    Refuse,
}

impl Runtime {
    /// Says what a load (or, after one, a pass over everything) would do.
    pub async fn plan(&self) -> Result<Vec<Planned>, SyncError> {
        let mut all = Vec::new();
        for map in &self.maps {
            all.push(self.plan_map(map).await?);
        }
        Ok(all)
    }

    pub(crate) async fn plan_map(&self, map: &MapRun) -> Result<Planned, SyncError> {
        let mut planned = Planned {
            map: self.name(map).to_owned(),
            systems: Side::BOTH.map(|side| self.system(map, side).name().to_owned()),
            feeds: map.abilities.map(|a| a.changes == ChangeFeed::Tracked),
            ..Planned::default()
        };
        let mut counts = LoadCounts::default();
        let mut joined = Joined::begin(self, map, "plan", &mut counts).await?;
        while let Some(tasks) = joined.next(&mut counts).await? {
            let (tasks, faulty) = self.observe_others(map, tasks).await?;
            planned.refused += faulty.len() as u64;
            let rest = joined.is_rest();
            let (tasks, stopped) = self.pair_up(map, tasks).await?;
            for (task, trouble) in &stopped {
                self.foresee_refusal(map, task, trouble, &mut planned);
            }
            for task in &tasks {
                // What is left of the first side comes last, when partners by other fields were counted already.
                let met = rest && task.key_from.is_some() && task.link.is_none();
                if !met {
                    self.foresee(map, task, &mut planned);
                }
            }
        }
        planned.read = counts.read;
        planned.filtered = counts.filtered;
        planned.out_of_scope = counts.out_of_scope;
        Ok(planned)
    }

    fn foresee(&self, map: &MapRun, task: &Task, planned: &mut Planned) {
        let plan = self.plan_of(map);
        let rows = [0, 1].map(|s| task.sights[s].row().map(|o| &o.row));
        let single = Side::BOTH
            .into_iter()
            .find(|s| rows[s.other().index()].is_none());
        if let (InitialPolicy::OnlyFrom(from), Some(side)) = (plan.policies.initial, single)
            && from != side
        {
            planned.left_alone += 1;
            return;
        }
        let input = Input {
            map: plan,
            link: task.link.as_ref(),
            seen: [task.sights[0].seen(), task.sights[1].seen()],
            word: None,
            key_from: task.key_from,
            rules: self.options.rules,
        };
        let record = || self.name_of(map, &task.pair, task.link.as_ref(), rows);
        match merge::merge(&input) {
            Ok(decision) if decision.writes_anything() => {
                let waits = decision.writes.iter().flatten();
                let waits = waits.flat_map(|w| &w.lines).any(|l| l.waits_for.is_some());
                planned.waiting += u64::from(waits);
                self.foresee_writes(map, task, &decision, &record(), planned);
            }
            Ok(_) if rows.iter().all(Option::is_some) => planned.agree += 1,
            Ok(_) => planned.left_alone += 1,
            // What it waits for comes before it in the order of loading, where a map brings it.
            Err(Halt::Parked { ask, .. })
                if plan.references[usize::from(ask.reference())]
                    .brought_by
                    .is_some() =>
            {
                planned.waiting += 1;
                match single {
                    Some(side) => planned.create[side.other().index()] += 1,
                    None => planned.update[Side::Right.index()] += 1,
                }
            }
            Err(halt) => self.foresee_refusal(map, task, &Trouble::Halt(halt), planned),
        }
    }

    fn foresee_refusal(&self, map: &MapRun, task: &Task, trouble: &Trouble, planned: &mut Planned) {
        let rows = [0, 1].map(|s| task.sights[s].row().map(|o| &o.row));
        let single = Side::BOTH
            .into_iter()
            .find(|s| rows[s.other().index()].is_none());
        planned.refused += 1;
        let sample = Sample {
            what: SampleKind::Refuse,
            system: self
                .system(map, single.unwrap_or(Side::Left))
                .name()
                .to_owned(),
            record: self.name_of(map, &task.pair, task.link.as_ref(), rows),
            detail: self.reason(map, trouble),
        };
        add(planned, sample);
    }

    fn foresee_writes(
        &self,
        map: &MapRun,
        task: &Task,
        decision: &Decision,
        record: &str,
        planned: &mut Planned,
    ) {
        let plan = self.plan_of(map);
        for side in Side::BOTH {
            let Some(write) = &decision.writes[side.index()] else {
                continue;
            };
            let (what, count) = match write.kind {
                IntentKind::Create => (SampleKind::Create, &mut planned.create),
                IntentKind::Update => (SampleKind::Update, &mut planned.update),
                IntentKind::Delete | IntentKind::Deactivate => {
                    (SampleKind::Remove, &mut planned.remove)
                }
            };
            count[side.index()] += 1;
            let there = task.sights[side.index()].row();
            let held = |line: u16| merge::own(there?.row.own.get(usize::from(line))?);
            let loses = |line: &&LineWrite| held(line.line).is_some_and(|value| !value.is_null());
            if write.kind == IntentKind::Update {
                planned.overwrite += write.lines.iter().filter(loses).count() as u64;
            }
            let lines = write.lines.iter().filter(|l| !l.written.is_null()).take(6);
            let fields = lines.map(|l| {
                let line = &plan.lines[usize::from(l.line)];
                let before = held(l.line);
                let written = shown(line, &l.written);
                match before {
                    Some(before) => {
                        format!("{}: {} -> {written}", path(line, side), shown(line, before))
                    }
                    None => format!("{}: {written}", path(line, side)),
                }
            });
            let sample = Sample {
                what,
                system: self.system(map, side).name().to_owned(),
                record: record.to_owned(),
                detail: fields.collect::<Vec<_>>().join(", "),
            };
            add(planned, sample);
        }
    }
}

fn add(planned: &mut Planned, sample: Sample) {
    let alike = |s: &&Sample| s.what == sample.what && s.system == sample.system;
    if planned.samples.iter().filter(alike).count() < SAMPLES_MAX {
        planned.samples.push(sample);
    }
}
