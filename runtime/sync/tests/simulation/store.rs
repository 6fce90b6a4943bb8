//! The production store, with commits that take time and before or after which the process may be killed.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use dwmap_connect::Cursor;
use dwmap_plan::Side;
use dwmap_sync::state::{
    Activity, ActivityKind, Change, FeedId, Intent, Link, LogCut, MapCounts, MapId, MapStatus,
    Mark, MarkId, Missing, Posted, RequestId, Retention, ScratchRow, Set,
};
use dwmap_sync::{Moment, PairKey, RecordId, Request, SqliteStore, StateError, StateStore};
use rand::Rng;

use crate::oracle::Promise;
use crate::shared::words::{describe, met, pair_text};
use crate::world::World;

/// A store that lives longer than the processes that use it.
pub(crate) struct SimStore {
    inner: Arc<SqliteStore>,
    world: World,
}

impl SimStore {
    pub(crate) fn new(world: &World, inner: Arc<SqliteStore>) -> Self {
        Self {
            inner,
            world: world.clone(),
        }
    }

    /// A moment in which anything else may happen, and in which the process may be killed.
    async fn pause(&self) {
        let pause = {
            let mut state = self.world.state();
            let share = state.scenario.crash_at_commit;
            state.doomed = state.chance(share);
            std::time::Duration::from_micros(state.rng.random_range(0..5_000))
        };
        self.world.sleep(pause).await;
    }
}

#[async_trait]
impl StateStore for SimStore {
    async fn map_id(&self, name: &str) -> Result<MapId, StateError> {
        self.inner.map_id(name).await
    }

    async fn reserve_sequence(&self, n: u64) -> Result<u64, StateError> {
        self.inner.reserve_sequence(n).await
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<(), StateError> {
        self.pause().await;
        let acknowledged: Vec<(Side, String)> = changes
            .iter()
            .filter_map(|c| match c {
                Change::DropIntent(_, pair, side) => Some((*side, pair_text(pair))),
                _ => None,
            })
            .collect();
        let decided: BTreeSet<(Side, String)> = changes
            .iter()
            .filter_map(|c| match c {
                Change::Log(entry) if entry.kind == ActivityKind::Conflict => {
                    Some((entry.side?.other(), pair_text(&entry.pair)))
                }
                _ => None,
            })
            .collect();
        let met: Vec<String> = changes.iter().filter_map(met).collect();
        let told: Vec<String> = changes.iter().filter_map(describe).collect();
        let words: Vec<Change> = changes
            .iter()
            .filter(|c| matches!(c, Change::TakeUp(_) | Change::Answer(..)))
            .cloned()
            .collect();
        self.inner.commit(changes).await?;
        {
            let mut state = self.world.state();
            for (side, key) in acknowledged {
                let answered = state.answered.remove(&(side, key.clone()));
                if !answered && decided.contains(&(side, key.clone())) {
                    let what = format!(
                        "{key}: the log says who wins, and the write to {side:?} came to nothing"
                    );
                    state.oracle.break_promise(Promise::NothingLost, what);
                }
                state.oracle.acknowledged(side, &key, answered);
            }
            for word in words {
                match word {
                    Change::TakeUp(id) => state.taken_up(id),
                    Change::Answer(id, answer) => state.answered(id, &answer),
                    _ => {}
                }
            }
            for key in met {
                state.oracle.met(&key);
            }
            for line in told {
                state.tell(format!("   commit: {line}"));
            }
        }
        self.pause().await;
        Ok(())
    }

    async fn links_by_pair(
        &self,
        map: MapId,
        pairs: &[PairKey],
    ) -> Result<Vec<Option<Link>>, StateError> {
        self.inner.links_by_pair(map, pairs).await
    }

    async fn links_by_record(
        &self,
        map: MapId,
        side: Side,
        records: &[RecordId],
    ) -> Result<Vec<Option<Link>>, StateError> {
        self.inner.links_by_record(map, side, records).await
    }

    async fn neighbours(
        &self,
        map: MapId,
        prefix: &[u8],
        after: &PairKey,
        limit: usize,
    ) -> Result<Vec<Link>, StateError> {
        self.inner.neighbours(map, prefix, after, limit).await
    }

    async fn links_page(
        &self,
        map: MapId,
        after: Option<&PairKey>,
        limit: usize,
    ) -> Result<Vec<Link>, StateError> {
        self.inner.links_page(map, after, limit).await
    }

    async fn due_marks(
        &self,
        map: MapId,
        now: Moment,
        limit: usize,
    ) -> Result<Vec<Mark>, StateError> {
        self.inner.due_marks(map, now, limit).await
    }

    async fn next_due(&self, map: MapId) -> Result<Option<Moment>, StateError> {
        self.inner.next_due(map).await
    }

    async fn marks_of(
        &self,
        map: MapId,
        side: Side,
        records: &[RecordId],
    ) -> Result<Vec<Option<Mark>>, StateError> {
        self.inner.marks_of(map, side, records).await
    }

    async fn errors(
        &self,
        map: Option<MapId>,
        after: Option<&MarkId>,
        limit: usize,
    ) -> Result<Vec<Mark>, StateError> {
        self.inner.errors(map, after, limit).await
    }

    async fn missing(
        &self,
        set: &Set,
        after: Option<&Missing>,
        limit: usize,
    ) -> Result<Vec<Missing>, StateError> {
        self.inner.missing(set, after, limit).await
    }

    async fn missing_sets(&self) -> Result<Vec<Set>, StateError> {
        self.inner.missing_sets().await
    }

    async fn intents(&self, map: MapId) -> Result<Vec<Intent>, StateError> {
        self.inner.intents(map).await
    }

    async fn cursor(&self, set: &Set) -> Result<Option<Cursor>, StateError> {
        self.inner.cursor(set).await
    }

    async fn known_ids(
        &self,
        set: &Set,
        ids: &[FeedId],
    ) -> Result<Vec<Option<RecordId>>, StateError> {
        self.inner.known_ids(set, ids).await
    }

    async fn unnamed_records(
        &self,
        map: MapId,
        side: Side,
        set: &Set,
    ) -> Result<Vec<RecordId>, StateError> {
        self.inner.unnamed_records(map, side, set).await
    }

    async fn partners_of_nameless(
        &self,
        map: MapId,
        side: Side,
    ) -> Result<Vec<RecordId>, StateError> {
        self.inner.partners_of_nameless(map, side).await
    }

    async fn map_status(&self, map: MapId) -> Result<MapStatus, StateError> {
        self.inner.map_status(map).await
    }

    async fn counts(&self, map: MapId) -> Result<MapCounts, StateError> {
        self.inner.counts(map).await
    }

    async fn activity(
        &self,
        map: MapId,
        pair: Option<&PairKey>,
        limit: usize,
    ) -> Result<Vec<Activity>, StateError> {
        self.inner.activity(map, pair, limit).await
    }

    async fn requests(&self) -> Result<Vec<Posted>, StateError> {
        let state = self.world.state();
        let posted = |(id, request): (&RequestId, &Request)| Posted {
            id: *id,
            request: serde_json::to_string(request).unwrap_or_default(),
        };
        Ok(state.desk.open.iter().map(posted).collect())
    }

    async fn readonly(&self) -> Result<bool, StateError> {
        self.inner.readonly().await
    }

    async fn deletes_since(&self, map: MapId, since: Moment) -> Result<u64, StateError> {
        self.inner.deletes_since(map, since).await
    }

    async fn trim_log(&self, retention: &Retention, limit: usize) -> Result<u64, StateError> {
        self.inner.trim_log(retention, limit).await
    }

    async fn log_cut(&self) -> Result<Option<LogCut>, StateError> {
        self.inner.log_cut().await
    }

    async fn scratch_put(
        &self,
        shelf: &str,
        rows: Vec<ScratchRow>,
    ) -> Result<Vec<PairKey>, StateError> {
        self.inner.scratch_put(shelf, rows).await
    }

    async fn scratch_get(
        &self,
        shelf: &str,
        pairs: &[PairKey],
    ) -> Result<Vec<Option<ScratchRow>>, StateError> {
        self.inner.scratch_get(shelf, pairs).await
    }

    async fn scratch_drop(&self, shelf: &str, pairs: &[PairKey]) -> Result<(), StateError> {
        self.inner.scratch_drop(shelf, pairs).await
    }

    async fn scratch_page(
        &self,
        shelf: &str,
        after: Option<&PairKey>,
        limit: usize,
    ) -> Result<Vec<ScratchRow>, StateError> {
        self.inner.scratch_page(shelf, after, limit).await
    }

    async fn scratch_clear(&self, shelf: &str) -> Result<(), StateError> {
        self.inner.scratch_clear(shelf).await
    }
}
