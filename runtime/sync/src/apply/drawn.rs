//! Keys that one of the systems draws for a record that is born there.
//!
//! A record of the other side, its home, has none yet: until it is known, the pair stands under a key that tells it from
//! all others, [`PairKey::awaited`]. The record is created without the key; its link begins with the answer. Then the
//! number is read back and written home, and the link takes its place under the true key.
//!
//! A creation without an answer is looked for, when it can no longer land, by the map's `probe by`: one record settles
//! it, none means that it never landed, and of several a person has to say. The intent stays until then, so that nothing
//! is created twice; and as long as one stays, records of the drawing side that could be the one that was created aren't
//! taken for new ones.

use dwmap_connect::Outcome;
use dwmap_plan::{Columns, GeneratedKey, MapPlan, Repr, Side, Value};

use super::work::Decided;
use super::{Sight, Tally, Task};
use crate::Moment;
use crate::code::EvalRow;
use crate::error::SyncError;
use crate::key::{PairKey, RecordId, fold};
use crate::merge::own;
use crate::observe::Observed;
use crate::report::Trouble;
use crate::runtime::{MapRun, Runtime};
use crate::state::{Change, Intent, IntentKind, Link, LinkState};

/// The key of a pair whose row holds no whole one and may be given it by the other side.
pub(crate) fn awaited_key(
    plan: &MapPlan,
    side: Side,
    row: &EvalRow,
    record: Option<&RecordId>,
) -> Option<PairKey> {
    if plan.meeting.key_from != Some(side.other()) {
        return None;
    }
    let values = row.pair_key.as_ref().ok()?;
    let mut blank = values.iter().map(Value::is_null);
    let company = plan.side(side).company.as_ref().and(values.first());
    if company.is_some_and(Value::is_null) {
        return None;
    }
    let waits = match plan.drawn_by(side.other()) {
        Some(key) if plan.meeting.match_by.is_empty() => {
            let drawn = part_of(plan, key);
            blank
                .enumerate()
                .all(|(part, blank)| blank == (part == drawn))
        }
        _ => blank.any(|blank| blank),
    };
    waits.then(|| PairKey::awaited(company, record?)).flatten()
}

/// Which part of the pair key is drawn.
fn part_of(plan: &MapPlan, key: &GeneratedKey) -> usize {
    let before = plan.lines.iter().take(usize::from(key.line));
    before.filter(|line| line.key).count()
}

/// Whether a row without a key can be born on the other side, which draws it.
pub(super) fn can_be_born(plan: &MapPlan, home: Side, row: &EvalRow) -> bool {
    let (Some(key), Ok(values)) = (plan.drawn_by(home.other()), &row.pair_key) else {
        return false;
    };
    let drawn = part_of(plan, key);
    let mut blank = values.iter().map(Value::is_null).enumerate();
    blank.all(|(part, blank)| blank == (part == drawn))
}

/// Whether the keys of a task's records aren't in order yet, and the other side's flows to `home`: the number wasn't
/// written home yet, or the two were paired by something else.
fn is_due(plan: &MapPlan, task: &Task, home: Side) -> bool {
    let Some(link) = &task.link else {
        return false;
    };
    let unknown = |line: u16| {
        let id = plan.lines[usize::from(line)].id;
        let base = link.bases.at(usize::from(line), id);
        base.is_none_or(|base| base.sides[home.index()].is_none())
    };
    let columns = &plan.side(home).write.columns;
    link.pair.is_awaited()
        || (link.state == LinkState::Linked
            && columns
                .iter()
                .any(|column| plan.lines[usize::from(column.line)].key && unknown(column.line)))
}

/// Creations that are under way, or that nobody knows the outcome of, of records whose key is drawn.
#[derive(Debug, Default)]
pub(super) struct Awaited {
    side: Option<Side>,
    births: Vec<Intent>,
}

/// What a record that nobody knows may be.
pub(super) enum Claim {
    /// One of a creation that is settled at this moment.
    Until(Moment),
    /// One of a creation of which a person has to say.
    Unanswered,
}

impl Awaited {
    /// What a row of a side that no link knows could be besides a new record. Where the map says by what such a record
    /// is told, that must hold; else any value that was sent makes it one.
    pub(super) fn could_be(&self, plan: &MapPlan, side: Side, row: &EvalRow) -> Option<Claim> {
        let key = plan.drawn_by(side).filter(|_| self.side == Some(side))?;
        let held = |at: usize| row.own.get(at).and_then(own).map(fold);
        let fits = |birth: &&Intent| {
            let mut sent = birth.lines.iter().filter_map(|line| {
                let at = plan.lines.iter().position(|l| l.id == line.line)?;
                (!plan.lines[at].key && !line.written.is_null())
                    .then_some((at, held(at) == Some(fold(&line.written))))
            });
            let probes = |at: usize| {
                let mut parts = key.probe.parts.iter();
                parts.any(|(.., line)| usize::from(*line) == at)
            };
            if key.probe.parts.is_empty() {
                sent.any(|(_, same)| same)
            } else {
                sent.all(|(at, same)| same || !probes(at))
            }
        };
        let births = self.births.iter().filter(fits);
        let over = births.map(|birth| birth.settle_at).max()?;
        Some(if over == Intent::UNANSWERED {
            Claim::Unanswered
        } else {
            Claim::Until(over)
        })
    }
}

impl Runtime {
    /// The creations that records of a side may have come from without anybody knowing.
    pub(super) async fn awaited(&self, map: &MapRun) -> Result<Awaited, SyncError> {
        let Some(key) = &self.plan_of(map).meeting.generated else {
            return Ok(Awaited::default());
        };
        let mut births = self.store.intents(map.id).await?;
        births.retain(Intent::is_awaited_birth);
        Ok(Awaited {
            side: Some(key.by),
            births,
        })
    }

    /// Whether a load leaves a task to apply: its key is drawn or its partner is looked for by other fields.
    pub(crate) fn is_met_live(&self, map: &MapRun, task: &Task) -> bool {
        let plan = self.plan_of(map);
        let single = task.sights.iter().filter(|s| s.row().is_some()).count() == 1;
        let drawn = plan.meeting.generated.is_some() || !plan.meeting.match_by.is_empty();
        task.pair.is_awaited() || (single && drawn)
    }

    /// Whether a row may stand under another key than its pair's, since the one key is on its way to the other side.
    pub(super) fn key_is_due(&self, map: &MapRun, task: &mut Task, side: Side) -> bool {
        let plan = self.plan_of(map);
        let Some(from) = plan.meeting.key_from else {
            return false;
        };
        if task.key_from.is_none() && is_due(plan, task, from.other()) {
            task.key_from = Some(from);
        }
        task.key_from.is_some() && (side == from.other() || task.pair.is_awaited())
    }

    /// Takes out the tasks whose key has come, and belongs to another pair already.
    pub(super) async fn make_way(
        &self,
        map: &MapRun,
        tasks: Vec<Task>,
        tally: &mut Tally,
        changes: &mut Vec<Change>,
    ) -> Result<Vec<Task>, SyncError> {
        let mut free = Vec::with_capacity(tasks.len());
        for task in tasks {
            let taken = match self.true_key(map, &task) {
                Some(pair) => {
                    let of_pair = self.store.links_by_pair(map.id, &[pair]).await?;
                    of_pair.into_iter().flatten().next().is_some()
                }
                None => false,
            };
            if taken {
                self.stop(map, &task, &Trouble::Claimed, tally, changes);
            } else {
                free.push(task);
            }
        }
        Ok(free)
    }

    /// The key that a pair's drawing side tells, where the pair still awaits it.
    pub(super) fn true_key(&self, map: &MapRun, task: &Task) -> Option<PairKey> {
        let from = self.plan_of(map).meeting.key_from?;
        let row = task.sights[from.index()].row()?;
        row.pair.clone().filter(|_| task.pair.is_awaited())
    }

    /// The key under which a link stands after a pass: the true one, once both sides are known to hold it.
    pub(super) fn key_after(&self, map: &MapRun, one: &Decided, failed: bool) -> Option<PairKey> {
        let home = self.plan_of(map).meeting.key_from?.other();
        let known = one.task.sights[home.index()].row().is_some();
        self.true_key(map, &one.task).filter(|_| !failed && known)
    }

    /// A creation whose answer doesn't tell the record's key is as good as one without an answer where the key is drawn.
    pub(super) fn must_tell(one: &Decided, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Applied {
                key: None,
                row: None,
                ..
            } if one.is_awaited_birth() => Outcome::Unknown {
                message: "the answer doesn't tell which record was created".to_owned(),
            },
            other => other,
        }
    }

    /// The records that a creation without an answer may have made: those of its side that hold what was sent, and that
    /// no link knows. None where nothing was sent by which it could be told.
    pub(crate) async fn probe(
        &self,
        map: &MapRun,
        birth: &Intent,
    ) -> Result<Option<Vec<Observed>>, SyncError> {
        let plan = self.plan_of(map);
        let Some(key) = plan.drawn_by(birth.side) else {
            return Ok(None);
        };
        let sent = |line: u16| {
            let id = plan.lines[usize::from(line)].id;
            let of_line = birth.lines.iter().find(|l| l.line == id);
            of_line.map(|l| l.written.clone()).filter(|v| !v.is_null())
        };
        let parts = key.probe.parts.iter();
        let asked: Vec<((String, Repr, u16), Value)> = parts
            .filter_map(|part| Some((part.clone(), sent(part.2)?)))
            .collect();
        if asked.is_empty() {
            return Ok(None);
        }
        let (parts, values) = asked.into_iter().unzip();
        let fetched = self
            .fetch_columns(map, birth.side, &Columns { parts }, vec![values])
            .await?;
        Ok(Some(self.unlinked(map, birth.side, fetched).await?))
    }

    /// The rows of a side that take part, and that no link knows.
    pub(super) async fn unlinked(
        &self,
        map: &MapRun,
        side: Side,
        mut rows: Vec<Observed>,
    ) -> Result<Vec<Observed>, SyncError> {
        rows.retain(|row| self.takes_part_now(row));
        let records: Vec<RecordId> = rows.iter().filter_map(|row| row.record.clone()).collect();
        let links: Vec<Option<Link>> = self.store.links_by_record(map.id, side, &records).await?;
        let mut linked = links.iter().map(Option::is_some);
        rows.retain(|_| !linked.next().unwrap_or(true));
        Ok(rows)
    }
}

impl Decided {
    /// Whether a record is created whose key is drawn.
    pub(super) fn is_awaited_birth(&self) -> bool {
        let mut sent = self.sent.iter().flatten();
        sent.any(|sent| sent.intent.is_awaited_birth())
    }
}

impl Intent {
    /// That a creation is never settled by itself: a person has to say.
    pub const UNANSWERED: Moment = Moment(i64::MAX);

    /// Whether it creates a record whose key is drawn.
    pub(crate) fn is_awaited_birth(&self) -> bool {
        self.kind == IntentKind::Create && self.pair.is_awaited()
    }
}

/// Where a pair has no key yet, there is nothing to ask the side that draws it for.
pub(super) fn sight_without_key(task: &Task, side: Side) -> Option<Sight> {
    let nobody = super::observe::known(task, side).is_none();
    (task.pair.is_awaited() && nobody).then_some(Sight::Absent)
}
