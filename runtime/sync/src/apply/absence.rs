//! A record that a fetch by key didn't find is deleted only if its neighbours can be read while it can't: a right that
//! was taken away, or a company that was closed to us for a while, looks the same.

use std::collections::{BTreeMap, BTreeSet};

use dwmap_connect::{ChangeFeed, Row};
use dwmap_plan::{Side, Value};

use super::observe::{Address, company_prefix};
use super::{Sight, Task};
use crate::error::SyncError;
use crate::key::{PairKey, RecordId};
use crate::mistake::Mistake;
use crate::observe::{Observed, Scope};
use crate::report::Trouble;
use crate::runtime::{MapRun, Runtime};
use crate::state::{Change, LinkState, Mark, Word};

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
        let mut nameless: BTreeMap<Stripe, BTreeMap<PairKey, Vec<Value>>> = BTreeMap::new();
        for task in &tasks {
            for side in absences(task) {
                let stripe = (side, company_prefix(plan, side, &task.pair));
                let pair = task.pair.clone();
                match self.address(map, plan, task, side) {
                    Ok(Address::Record(record)) => {
                        doubts.entry(stripe).or_default().insert(pair, record);
                    }
                    Ok(Address::Natural(key)) => {
                        nameless.entry(stripe).or_default().insert(pair, key);
                    }
                    Err(_) => {}
                }
            }
        }
        let mut confirmed: BTreeSet<(Side, PairKey)> = BTreeSet::new();
        for (stripe, doubted) in nameless {
            let side = stripe.0;
            let gone = self.confirm_nameless(map, &stripe, doubted).await?;
            confirmed.extend(gone.into_iter().map(|pair| (side, pair)));
        }
        for (stripe, doubted) in doubts {
            let side = stripe.0;
            let gone = self.confirm_stripe(map, &stripe, doubted).await?;
            confirmed.extend(gone.into_iter().map(|pair| (side, pair)));
        }
        Ok(tasks.into_iter().partition(|task| {
            absences(task).all(|side| confirmed.contains(&(side, task.pair.clone())))
        }))
    }

    /// The same for records that we made and whose keys nobody has told us yet: they, and their neighbours, are asked
    /// for by the keys of their pairs.
    async fn confirm_nameless(
        &self,
        map: &MapRun,
        (side, prefix): &Stripe,
        doubted: BTreeMap<PairKey, Vec<Value>>,
    ) -> Result<Vec<PairKey>, SyncError> {
        let Some(first) = doubted.keys().next() else {
            return Ok(Vec::new());
        };
        let plan = self.plan_of(map);
        let limit = NEIGHBOURS + doubted.len();
        let links = self.store.neighbours(map.id, prefix, first, limit).await?;
        let others = links.into_iter().filter(|l| !doubted.contains_key(&l.pair));
        let mut neighbours: BTreeMap<PairKey, Vec<Value>> = BTreeMap::new();
        for mut link in others.take(NEIGHBOURS) {
            link.sides[side.index()].record = None;
            let lines = plan.lines.iter().map(|line| line.id);
            link.bases = std::mem::take(&mut link.bases).aligned(lines);
            let task = Task::new(link.pair.clone(), Some(link));
            if let Ok(Address::Natural(key)) = self.address(map, plan, &task, *side) {
                neighbours.insert(task.pair, key);
            }
        }
        if neighbours.is_empty() {
            return Ok(Vec::new());
        }
        let asked = neighbours.values().chain(doubted.values());
        let asked = asked.cloned().collect();
        let found = self.fetch_pairs(map, *side, asked).await?.found;
        if !neighbours.keys().any(|pair| found.contains_key(pair)) {
            return Ok(Vec::new());
        }
        let gone = doubted.into_keys();
        Ok(gone.filter(|pair| !found.contains_key(pair)).collect())
    }

    /// What becomes of marked records that no link knows, and that a read sent at `read` didn't find. A feed tells of a
    /// record only once: unless it tells, too, that the record was deleted, the absence is confirmed like any other.
    pub(super) async fn unseen_strangers(
        &self,
        map: &MapRun,
        side: Side,
        unseen: Vec<Mark>,
        read: u64,
    ) -> Result<Vec<Change>, SyncError> {
        let rows: Vec<Row> = unseen
            .iter()
            .filter_map(|mark| self.last_row(map, side, &mark.id.record))
            .collect();
        let shown: BTreeMap<RecordId, Observed> = self
            .evaluate(map, side, rows, read)
            .await?
            .into_iter()
            .filter_map(|observed| Some((observed.record.clone()?, observed)))
            .collect();
        let mut doubts: BTreeMap<Stripe, BTreeMap<PairKey, RecordId>> = BTreeMap::new();
        for mark in &unseen {
            let record = &mark.id.record;
            let observed = shown.get(record);
            if self.is_in_doubt(map, side, mark, observed) {
                let pair = observed.and_then(|o| o.pair.as_ref());
                let prefix = pair.map(|pair| company_prefix(self.plan_of(map), side, pair));
                let stripe = (side, prefix.unwrap_or_default());
                let of_stripe = doubts.entry(stripe).or_default();
                of_stripe.insert(PairKey(record.0.clone()), record.clone());
            }
        }
        let mut doubted: BTreeSet<RecordId> =
            doubts.values().flat_map(|d| d.values()).cloned().collect();
        for (stripe, of_stripe) in doubts {
            for gone in self.confirm_stripe(map, &stripe, of_stripe).await? {
                doubted.remove(&RecordId(gone.0));
            }
        }
        let gone = unseen.iter().any(|mark| !doubted.contains(&mark.id.record));
        let mut changes = self.perhaps_nameless(map, side, gone).await?;
        changes.extend(unseen.into_iter().flat_map(|mark| {
            let record = &mark.id.record;
            if doubted.contains(record) {
                self.fault(map, &mark, read, &Trouble::Unreadable, shown.get(record))
            } else {
                vec![Change::Clear {
                    id: mark.id,
                    seen: read,
                }]
            }
        }));
        Ok(changes)
    }

    /// A record that is gone, and that no link knows, may be one that we made and whose key nobody told us: the pairs of
    /// all such are looked at.
    async fn perhaps_nameless(
        &self,
        map: &MapRun,
        side: Side,
        gone: bool,
    ) -> Result<Vec<Change>, SyncError> {
        if !gone || self.options.rules.broken(Mistake::UnnamedEndForgotten) {
            return Ok(Vec::new());
        }
        let partners = self.store.partners_of_nameless(map.id, side).await?;
        let partners = partners.into_iter();
        Ok(partners
            .map(|record| self.mark_anew(map, side.other(), record))
            .collect())
    }

    /// Whether a record that wasn't found may be there all the same, and be lost with its mark. A sweep marks it again.
    fn is_in_doubt(&self, map: &MapRun, side: Side, mark: &Mark, shown: Option<&Observed>) -> bool {
        let sweeps = self.feeds[map.feeds[side.index()]].abilities.changes == ChangeFeed::Sweep;
        let concerns_us = shown.is_none_or(|observed| {
            self.scope(&observed.row) == Scope::In && observed.row.filter != Ok(false)
        });
        !sweeps
            && !mark.word.is_some_and(Word::says_gone)
            && concerns_us
            && !self.is_told_deleted(map, side, mark)
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
fn absences(task: &Task) -> impl Iterator<Item = Side> {
    let state = task.link.as_ref().map(|link| link.state);
    let asks = state == Some(LinkState::Linked) && !task.word().is_some_and(Word::says_gone);
    let absent = move |side: &Side| matches!(task.sights[side.index()], Sight::Absent);
    Side::BOTH
        .into_iter()
        .filter(move |side| asks && absent(side))
}
