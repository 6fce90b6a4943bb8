//! A home of the state in memory, for tests that go back to an earlier state again and again: it is copied whole.

mod apply;
mod digest;

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
pub use digest::{Digest, Numbered};
use dwmap_connect::Cursor;
use dwmap_plan::{LineId, Side};

use super::{
    Activity, ActivityKind, Cause, Change, FeedId, Intent, Link, LinkState, LogCut, MapCounts,
    MapId, MapStatus, Mark, MarkId, Missing, Posted, Retention, ScratchRow, Set, StateError,
    StateStore,
};
use crate::Moment;
use crate::key::{PairKey, RecordId};

/// Something that happens after a commit and before its caller goes on.
pub type Gate = Box<dyn Fn(&[Change]) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// The state in memory.
#[derive(Default)]
pub struct MemoryStore {
    kept: Mutex<Kept>,
    gate: Option<Gate>,
}

/// What is kept.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Kept {
    maps: Vec<String>,
    statuses: BTreeMap<MapId, MapStatus>,
    lines: BTreeMap<MapId, Vec<LineId>>,
    links: BTreeMap<(MapId, PairKey), Link>,
    marks: BTreeMap<MarkId, Mark>,
    intents: BTreeMap<(MapId, PairKey, Side), Intent>,
    cursors: BTreeMap<Set, Cursor>,
    known: BTreeMap<(Set, FeedId), RecordId>,
    activity: Vec<Arc<Activity>>,
    log_cut: Option<LogCut>,
    scratch: BTreeMap<(String, PairKey), ScratchRow>,
    sequence: u64,
}

impl MemoryStore {
    /// An empty state; `gate` is gone through after each commit.
    pub fn new(gate: Gate) -> Self {
        Self {
            kept: Mutex::default(),
            gate: Some(gate),
        }
    }

    /// All that is kept.
    pub fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// The links.
    pub fn links(&self) -> impl Iterator<Item = &Link> {
        self.links.values()
    }

    /// The marks.
    pub fn marks(&self) -> impl Iterator<Item = &Mark> {
        self.marks.values()
    }

    /// The intents.
    pub fn intents(&self) -> impl Iterator<Item = &Intent> {
        self.intents.values()
    }

    /// How far a set's feed was read, in its system's words.
    pub fn cursor_of(&self, set: &str) -> Option<&str> {
        let mut all = self.cursors.iter();
        let (_, cursor) = all.find(|(s, _)| s.set == set)?;
        cursor.0.lines().last()
    }

    /// Where a map stands.
    pub fn status(&self, map: MapId) -> MapStatus {
        self.statuses.get(&map).cloned().unwrap_or_default()
    }

    /// Forgets the log but for what the brake counts.
    pub fn forget_log(&mut self) {
        self.activity.retain(|a| is_removal(a.kind));
    }
}

fn is_removal(kind: ActivityKind) -> bool {
    matches!(kind, ActivityKind::Deleted | ActivityKind::Deactivated)
}

#[async_trait]
impl StateStore for MemoryStore {
    async fn map_id(&self, name: &str) -> Result<MapId, StateError> {
        let mut kept = self.kept();
        let known = kept.maps.iter().position(|m| m == name);
        let at = known.unwrap_or_else(|| {
            kept.maps.push(name.to_owned());
            kept.maps.len() - 1
        });
        Ok(MapId(at as u32 + 1))
    }

    async fn reserve_sequence(&self, n: u64) -> Result<u64, StateError> {
        let mut kept = self.kept();
        let first = kept.sequence + 1;
        kept.sequence += n;
        Ok(first)
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<(), StateError> {
        if changes.is_empty() {
            return Ok(());
        }
        let gate = self.gate.as_ref().map(|gate| gate(&changes));
        {
            let mut kept = self.kept();
            let mut next = kept.clone();
            for change in changes {
                next.apply(change)?;
            }
            *kept = next;
        }
        if let Some(gate) = gate {
            gate.await;
        }
        Ok(())
    }

    async fn links_by_pair(
        &self,
        map: MapId,
        pairs: &[PairKey],
    ) -> Result<Vec<Option<Link>>, StateError> {
        let kept = self.kept();
        let one = |pair: &PairKey| kept.links.get(&(map, pair.clone())).cloned();
        Ok(pairs.iter().map(one).collect())
    }

    async fn links_by_record(
        &self,
        map: MapId,
        side: Side,
        records: &[RecordId],
    ) -> Result<Vec<Option<Link>>, StateError> {
        let kept = self.kept();
        let one = |record: &RecordId| {
            let mut of_map = kept.links.values().filter(|l| l.map == map);
            let found = of_map.find(|l| l.sides[side.index()].record.as_ref() == Some(record));
            found.cloned()
        };
        Ok(records.iter().map(one).collect())
    }

    async fn neighbours(
        &self,
        map: MapId,
        prefix: &[u8],
        after: &PairKey,
        limit: usize,
    ) -> Result<Vec<Link>, StateError> {
        let kept = self.kept();
        let here = kept.links.values().filter(|l| l.map == map);
        let here: Vec<&Link> = here.filter(|l| l.pair.0.starts_with(prefix)).collect();
        let rests = |l: &Link| matches!(l.state, LinkState::Left | LinkState::Deleted);
        let linked = |l: &Link| l.state == LinkState::Linked;
        let of = |wanted: &dyn Fn(&Link) -> bool, above: bool| -> Vec<Link> {
            let side = here.iter().filter(|l| (l.pair > *after) == above);
            let side = side.filter(|l| l.pair != *after && wanted(l));
            side.map(|l| (*l).clone()).collect()
        };
        let mut found = of(&linked, true);
        found.extend(of(&linked, false));
        found.extend(of(&rests, true));
        found.extend(of(&rests, false));
        found.truncate(limit);
        Ok(found)
    }

    async fn links_page(
        &self,
        map: MapId,
        after: Option<&PairKey>,
        limit: usize,
    ) -> Result<Vec<Link>, StateError> {
        let kept = self.kept();
        let links = kept.links.values().filter(|l| l.map == map);
        let links = links.filter(|l| after.is_none_or(|after| l.pair > *after));
        Ok(links.take(limit).cloned().collect())
    }

    async fn due_marks(
        &self,
        map: MapId,
        now: Moment,
        limit: usize,
    ) -> Result<Vec<Mark>, StateError> {
        let kept = self.kept();
        let due = kept.marks.values().filter(|m| m.id.map == map);
        let due = due.filter(|m| matches!(m.cause, Cause::Changed | Cause::Retry));
        let mut due: Vec<Mark> = due.filter(|m| m.not_before <= now).cloned().collect();
        due.sort_by(|a, b| (a.generation, &a.id).cmp(&(b.generation, &b.id)));
        due.truncate(limit);
        Ok(due)
    }

    async fn next_due(&self, map: MapId) -> Result<Option<Moment>, StateError> {
        let kept = self.kept();
        let marks = kept.marks.values().filter(|m| m.id.map == map);
        let marks = marks.filter(|m| matches!(m.cause, Cause::Changed | Cause::Retry));
        Ok(marks.map(|m| m.not_before).min())
    }

    async fn marks_of(
        &self,
        map: MapId,
        side: Side,
        records: &[RecordId],
    ) -> Result<Vec<Option<Mark>>, StateError> {
        let kept = self.kept();
        let one = |record: &RecordId| {
            let record = record.clone();
            kept.marks.get(&MarkId { map, side, record }).cloned()
        };
        Ok(records.iter().map(one).collect())
    }

    async fn errors(
        &self,
        map: Option<MapId>,
        after: Option<&MarkId>,
        limit: usize,
    ) -> Result<Vec<Mark>, StateError> {
        let kept = self.kept();
        let stands = |m: &&Mark| {
            let rests = matches!(m.cause, Cause::Parked | Cause::Failed | Cause::Held);
            rests || m.error.is_some()
        };
        let errors = kept.marks.values().filter(stands);
        let errors = errors.filter(|m| map.is_none_or(|map| map == m.id.map));
        let errors = errors.filter(|m| after.is_none_or(|after| m.id > *after));
        Ok(errors.take(limit).cloned().collect())
    }

    async fn missing(
        &self,
        set: &Set,
        after: Option<&Missing>,
        limit: usize,
    ) -> Result<Vec<Missing>, StateError> {
        let kept = self.kept();
        let missing = kept.marks.values().filter_map(|m| m.missing.as_ref());
        let missing = missing.filter(|m| m.set == *set && after.is_none_or(|after| *m > after));
        let missing: BTreeSet<&Missing> = missing.collect();
        Ok(missing.into_iter().take(limit).cloned().collect())
    }

    async fn missing_sets(&self) -> Result<Vec<Set>, StateError> {
        let kept = self.kept();
        let missing = kept.marks.values().filter_map(|m| m.missing.as_ref());
        let sets: BTreeSet<&Set> = missing.map(|m| &m.set).collect();
        Ok(sets.into_iter().cloned().collect())
    }

    async fn intents(&self, map: MapId) -> Result<Vec<Intent>, StateError> {
        let kept = self.kept();
        let intents = kept.intents.values().filter(|i| i.map == map);
        Ok(intents.cloned().collect())
    }

    async fn cursor(&self, set: &Set) -> Result<Option<Cursor>, StateError> {
        Ok(self.kept().cursors.get(set).cloned())
    }

    async fn known_ids(
        &self,
        set: &Set,
        ids: &[FeedId],
    ) -> Result<Vec<Option<RecordId>>, StateError> {
        let kept = self.kept();
        let one = |id: &FeedId| kept.known.get(&(set.clone(), id.clone())).cloned();
        Ok(ids.iter().map(one).collect())
    }

    async fn unnamed_records(
        &self,
        map: MapId,
        side: Side,
        set: &Set,
    ) -> Result<Vec<RecordId>, StateError> {
        let kept = self.kept();
        let named = kept.known.iter().filter(|((of, _), _)| of == set);
        let named: BTreeSet<&RecordId> = named.map(|(_, record)| record).collect();
        let links = kept.links.values().filter(|l| l.map == map);
        let records = links.filter_map(|l| l.sides[side.index()].record.as_ref());
        let unnamed: BTreeSet<&RecordId> = records.filter(|r| !named.contains(r)).collect();
        Ok(unnamed.into_iter().cloned().collect())
    }

    async fn partners_of_nameless(
        &self,
        map: MapId,
        side: Side,
    ) -> Result<Vec<RecordId>, StateError> {
        let kept = self.kept();
        let nameless = kept.links.values().filter(|link| {
            link.map == map
                && link.state == LinkState::Linked
                && link.sides[side.index()].record.is_none()
        });
        let partners = nameless.filter_map(|link| link.sides[side.other().index()].record.clone());
        let sorted: BTreeSet<RecordId> = partners.collect();
        Ok(sorted.into_iter().collect())
    }

    async fn map_status(&self, map: MapId) -> Result<MapStatus, StateError> {
        Ok(self.kept().status(map))
    }

    async fn counts(&self, map: MapId) -> Result<MapCounts, StateError> {
        let kept = self.kept();
        let mut counts = MapCounts::default();
        for link in kept.links.values().filter(|l| l.map == map) {
            match link.state {
                LinkState::Linked => counts.linked += 1,
                LinkState::AwaitingKey | LinkState::Left | LinkState::Deleted => {
                    counts.resting += 1;
                }
            }
        }
        for mark in kept.marks.values().filter(|m| m.id.map == map) {
            *match mark.cause {
                Cause::Changed => &mut counts.changed,
                Cause::Retry => &mut counts.retry,
                Cause::Parked => &mut counts.parked,
                Cause::Failed => &mut counts.failed,
                Cause::Held => &mut counts.held,
            } += 1;
        }
        counts.intents = kept.intents.values().filter(|i| i.map == map).count() as u64;
        Ok(counts)
    }

    async fn activity(
        &self,
        map: MapId,
        pair: Option<&PairKey>,
        limit: usize,
    ) -> Result<Vec<Activity>, StateError> {
        let kept = self.kept();
        let newest_first = kept.activity.iter().rev().filter(|a| a.map == map);
        let of_pair = newest_first.filter(|a| pair.is_none_or(|pair| a.pair == *pair));
        Ok(of_pair.take(limit).map(|a| (**a).clone()).collect())
    }

    async fn requests(&self) -> Result<Vec<Posted>, StateError> {
        Ok(Vec::new())
    }

    async fn readonly(&self) -> Result<bool, StateError> {
        Ok(false)
    }

    async fn deletes_since(&self, map: MapId, since: Moment) -> Result<u64, StateError> {
        let kept = self.kept();
        let removals = kept
            .activity
            .iter()
            .filter(|a| a.map == map && a.at > since);
        Ok(removals.filter(|a| is_removal(a.kind)).count() as u64)
    }

    async fn trim_log(&self, retention: &Retention, limit: usize) -> Result<u64, StateError> {
        let mut kept = self.kept();
        let bytes = |a: &Activity| {
            let texts = a.record.len() + a.detail.len() + 2 * a.pair.0.len();
            texts as u64 + LogCut::ENTRY_BYTES
        };
        let all: u64 = kept.activity.iter().map(|a| bytes(a)).sum();
        let mut excess = all.saturating_sub(retention.bytes);
        let goes = kept.activity.iter().take(limit).take_while(|a| {
            let is_over = excess > 0 && a.at < retention.keep_from;
            excess = excess.saturating_sub(bytes(a));
            a.at < retention.before || is_over
        });
        let n = goes.count();
        let dropped: Vec<_> = kept.activity.drain(..n).collect();
        if let Some(newest) = dropped.iter().map(|a| a.at).max() {
            let cut = kept.log_cut;
            kept.log_cut = Some(LogCut {
                until: cut.map_or(newest, |cut| cut.until.max(newest)),
                entries: cut.map_or(0, |cut| cut.entries) + n as u64,
            });
        }
        Ok(n as u64)
    }

    async fn log_cut(&self) -> Result<Option<LogCut>, StateError> {
        Ok(self.kept().log_cut)
    }

    async fn scratch_put(
        &self,
        shelf: &str,
        rows: Vec<ScratchRow>,
    ) -> Result<Vec<PairKey>, StateError> {
        let mut kept = self.kept();
        let mut doubled = Vec::new();
        for row in rows {
            let id = (shelf.to_owned(), row.pair.clone());
            let there = kept.scratch.get(&id);
            if there.is_some_and(|there| there.record != row.record) {
                doubled.push(row.pair);
            } else {
                kept.scratch.insert(id, row);
            }
        }
        Ok(doubled)
    }

    async fn scratch_get(
        &self,
        shelf: &str,
        pairs: &[PairKey],
    ) -> Result<Vec<Option<ScratchRow>>, StateError> {
        let kept = self.kept();
        let one = |pair: &PairKey| {
            let id = (shelf.to_owned(), pair.clone());
            kept.scratch.get(&id).cloned()
        };
        Ok(pairs.iter().map(one).collect())
    }

    async fn scratch_drop(&self, shelf: &str, pairs: &[PairKey]) -> Result<(), StateError> {
        let mut kept = self.kept();
        let here = |s: &str, p: &PairKey| s == shelf && pairs.contains(p);
        kept.scratch.retain(|(s, p), _| !here(s, p));
        Ok(())
    }

    async fn scratch_page(
        &self,
        shelf: &str,
        after: Option<&PairKey>,
        limit: usize,
    ) -> Result<Vec<ScratchRow>, StateError> {
        let kept = self.kept();
        let rows = kept.scratch.iter().filter(|((s, _), _)| s == shelf);
        let rows = rows.filter(|((_, p), _)| after.is_none_or(|after| p > after));
        Ok(rows.take(limit).map(|(_, row)| row.clone()).collect())
    }

    async fn scratch_clear(&self, shelf: &str) -> Result<(), StateError> {
        self.kept().scratch.retain(|(s, _), _| s != shelf);
        Ok(())
    }
}
