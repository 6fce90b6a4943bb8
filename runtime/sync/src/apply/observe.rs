//! The other side of a task: served by its base where that may be, else looked at just before writing.

use dwmap_plan::{Class, MapPlan, Side, Value};

use super::{Sight, Task};
use crate::error::SyncError;
use crate::key::{PairKey, RecordId};
use crate::merge::own;
use crate::observe::KeyFault;
use crate::runtime::{MapRun, Runtime};
use crate::state::{Link, LinkState};

impl Runtime {
    /// Looks at the sides that no mark made anybody look at. Tasks whose partner can't be asked for come back apart.
    pub(crate) async fn observe_others(
        &self,
        map: &MapRun,
        tasks: Vec<Task>,
    ) -> Result<(Vec<Task>, Vec<(Task, KeyFault)>), SyncError> {
        let plan = self.plan_of(map);
        let mut ready = Vec::new();
        let mut faulty = Vec::new();
        let mut by_record: [Vec<RecordId>; 2] = [Vec::new(), Vec::new()];
        let mut by_pair: [Vec<Vec<Value>>; 2] = [Vec::new(), Vec::new()];
        for mut task in tasks {
            let mut fault = None;
            for side in Side::BOTH {
                let s = side.index();
                if !matches!(task.sights[s], Sight::Unknown) {
                    continue;
                }
                if task.marks[s].is_none() && base_serves(map, plan, &task, side) {
                    task.sights[s] = Sight::Base;
                    continue;
                }
                if let Some(sight) = super::drawn::sight_without_key(&task, side) {
                    task.sights[s] = sight;
                    continue;
                }
                match self.address(map, plan, &task, side) {
                    Ok(Address::Record(record)) => by_record[s].push(record),
                    Ok(Address::Natural(key)) => by_pair[s].push(key),
                    Err(found) => fault = Some(found),
                }
            }
            match fault {
                None => ready.push(task),
                Some(fault) => faulty.push((task, fault)),
            }
        }
        let sent = self.now();
        for side in Side::BOTH {
            let s = side.index();
            let records = std::mem::take(&mut by_record[s]);
            let mut keys = std::mem::take(&mut by_pair[s]);
            if !records.is_empty() {
                let fetched = self.fetch_records(map, side, &records).await?;
                for task in &mut ready {
                    if let (Sight::Unknown, Some(record)) = (&task.sights[s], known(task, side)) {
                        let found = fetched.found.get(record).cloned();
                        self.sight(map, task, side, found, fetched.read, sent);
                    }
                }
            }
            for task in &mut ready {
                if let Some(key) = self.key_of_another(map, task, side) {
                    task.sights[s] = Sight::Unknown;
                    keys.push(key);
                }
            }
            if !keys.is_empty() {
                let mut fetched = self.fetch_pairs(map, side, keys).await?;
                for task in &mut ready {
                    if matches!(task.sights[s], Sight::Unknown) {
                        let found = fetched.found.remove(&task.pair);
                        self.sight(map, task, side, found, fetched.read, sent);
                    }
                }
            }
        }
        Ok((ready, faulty))
    }

    /// The key by which a partner is looked for that isn't there under its old id: what left the filter isn't watched,
    /// and may have been made anew meanwhile.
    fn key_of_another(&self, map: &MapRun, task: &Task, side: Side) -> Option<Vec<Value>> {
        let left = task.link.as_ref()?.state == LinkState::Left;
        if !left || !matches!(task.sights[side.index()], Sight::Absent) {
            return None;
        }
        let row = task.sights[side.other().index()].row()?;
        self.partner_key(map, side.other(), &row.row).ok()
    }

    pub(super) fn address(
        &self,
        map: &MapRun,
        plan: &MapPlan,
        task: &Task,
        side: Side,
    ) -> Result<Address, KeyFault> {
        if let Some(record) = known(task, side) {
            return Ok(Address::Record(record.clone()));
        }
        if let Some(observed) = task.sights[side.other().index()].row() {
            return self
                .partner_key(map, side.other(), &observed.row)
                .map(Address::Natural);
        }
        let parts = plan.side(side).write.natural_key.parts.iter();
        let of_base = |line: u16| {
            let id = plan.lines[usize::from(line)].id;
            let base = task.link.as_ref()?.bases.at(usize::from(line), id)?;
            base.sides[side.index()].clone()
        };
        parts
            .map(|(_, _, line)| of_base(*line).ok_or(KeyFault::Blank(*line)))
            .collect::<Result<_, _>>()
            .map(Address::Natural)
    }
}

/// Whether a side needn't be read: its version holds, a write to it can be guarded, and what changed on the other
/// side can be compared with its base alone.
fn base_serves(map: &MapRun, plan: &MapPlan, task: &Task, side: Side) -> bool {
    let Some(link) = &task.link else {
        return false;
    };
    link.state == LinkState::Linked
        && !link.pair.is_awaited()
        && task.key_from.is_none()
        && link.sides[side.index()].version.is_some()
        && map.abilities[side.index()].guards_versions
        && has_bases(plan, link)
        && match &task.sights[side.other().index()] {
            Sight::Unknown | Sight::Absent => false,
            Sight::Base => true,
            Sight::Row(observed) => {
                observed.row.filter == Ok(true) && comparable(plan, link, task, side.other())
            }
        }
}

/// By what a record is asked for.
pub(super) enum Address {
    Record(RecordId),
    Natural(Vec<Value>),
}

/// The record that a task's link has on a side.
pub(super) fn known(task: &Task, side: Side) -> Option<&RecordId> {
    task.link.as_ref()?.sides[side.index()].record.as_ref()
}

/// Whether every line that is merged has a base on both sides, and none is left blank.
pub(super) fn has_bases(plan: &MapPlan, link: &Link) -> bool {
    plan.lines.iter().enumerate().all(|(i, line)| {
        line.key
            || line.on_create
            || link
                .bases
                .at(i, line.id)
                .is_some_and(|b| b.pending.is_none() && b.sides.iter().all(Option::is_some))
    })
}

/// Whether each line that changed on a side can be held against the other's base: where a line loses something on its
/// way, the two may agree by the half of the relation that needs the other side's row.
fn comparable(plan: &MapPlan, link: &Link, task: &Task, changed_side: Side) -> bool {
    let s = changed_side.index();
    let Some(observed) = task.sights[s].row() else {
        return false;
    };
    plan.lines.iter().enumerate().all(|(i, line)| {
        let value = observed.row.own.get(i).and_then(own);
        let base = link.bases.at(i, line.id);
        let base = base.and_then(|b| b.sides[s].as_ref());
        let whole = line.agreement.class == Class::Exact || !line.two_way();
        value == base || (whole && !line.normalise)
    })
}

/// The first part of a pair's key: its company, where the map is striped.
pub(super) fn company_prefix(plan: &MapPlan, side: Side, pair: &PairKey) -> Vec<u8> {
    let striped = plan.side(side).company.is_some();
    let first = pair.values().ok().and_then(|v| v.into_iter().next());
    match first {
        Some(company) if striped => crate::codec::encode_values([&company]),
        _ => Vec::new(),
    }
}
