//! A record that a fetch by key didn't find is deleted only if its neighbours can be read while it can't: a right that
//! was taken away, or a company that was closed to us for a while, looks the same.

use std::collections::{BTreeMap, BTreeSet};

use dwmap_plan::Side;

use super::observe::{company_prefix, known};
use super::{Sight, Task};
use crate::error::SyncError;
use crate::key::{PairKey, RecordId};
use crate::mistake::Mistake;
use crate::runtime::{MapRun, Runtime};
use crate::state::LinkState;

/// How many neighbours are asked for.
const NEIGHBOURS: usize = 20;

/// A side's records of one company.
type Stripe = (Side, Vec<u8>);

impl Runtime {
    /// Parts tasks with an absence that nothing confirms from the others.
    pub(super) async fn confirm_absence(
        &self,
        map: &MapRun,
        tasks: Vec<Task>,
    ) -> Result<(Vec<Task>, Vec<Task>), SyncError> {
        if self.options.rules.broken(Mistake::AbsenceIsDelete) {
            return Ok((tasks, Vec::new()));
        }
        let plan = self.plan_of(map);
        let mut doubts: BTreeMap<Stripe, BTreeMap<PairKey, RecordId>> = BTreeMap::new();
        for task in &tasks {
            for (side, record) in absences(task) {
                let stripe = (side, company_prefix(plan, side, &task.pair));
                let of_stripe = doubts.entry(stripe).or_default();
                of_stripe.insert(task.pair.clone(), record.clone());
            }
        }
        let mut confirmed: BTreeSet<(Side, PairKey)> = BTreeSet::new();
        for (stripe, doubted) in doubts {
            let side = stripe.0;
            let gone = self.confirm_stripe(map, &stripe, doubted).await?;
            confirmed.extend(gone.into_iter().map(|pair| (side, pair)));
        }
        Ok(tasks.into_iter().partition(|task| {
            absences(task).all(|(side, _)| confirmed.contains(&(side, task.pair.clone())))
        }))
    }

    /// Asks for the records in doubt and for neighbours of theirs, together: gives the pairs whose record is still
    /// missing while a neighbour is there. Where no neighbour is known, nothing tells a last record that was deleted
    /// from a company that was closed to us, and a person has to.
    async fn confirm_stripe(
        &self,
        map: &MapRun,
        (side, prefix): &Stripe,
        doubted: BTreeMap<PairKey, RecordId>,
    ) -> Result<Vec<PairKey>, SyncError> {
        let Some(first) = doubted.keys().next() else {
            return Ok(Vec::new());
        };
        let limit = NEIGHBOURS + doubted.len();
        let links = self.store.neighbours(map.id, prefix, first, limit).await?;
        let neighbours: Vec<RecordId> = links
            .into_iter()
            .filter(|link| !doubted.contains_key(&link.pair))
            .filter_map(|mut link| link.sides[side.index()].record.take())
            .take(NEIGHBOURS)
            .collect();
        if neighbours.is_empty() {
            return Ok(Vec::new());
        }
        let asked = neighbours.iter().chain(doubted.values());
        let asked: Vec<RecordId> = asked.cloned().collect();
        let found = self.fetch_records(map, *side, &asked).await?.found;
        if !neighbours.iter().any(|record| found.contains_key(record)) {
            return Ok(Vec::new());
        }
        let gone = doubted.into_iter();
        let gone = gone.filter(|(_, record)| !found.contains_key(record));
        Ok(gone.map(|(pair, _)| pair).collect())
    }
}

/// The sides on which a linked record seems to be gone, unless a person said that it is.
fn absences(task: &Task) -> impl Iterator<Item = (Side, &RecordId)> {
    let state = task.link.as_ref().map(|link| link.state);
    let asks = state == Some(LinkState::Linked) && !task.approved();
    Side::BOTH.into_iter().filter_map(move |side| {
        let absent = matches!(task.sights[side.index()], Sight::Absent);
        known(task, side)
            .filter(|_| asks && absent)
            .map(|record| (side, record))
    })
}
