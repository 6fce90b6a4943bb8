//! The initial load: one side is put aside, the other is read against it, and what is left has no partner. Pairs and
//! single records go the same way as live work, as first meetings.
//!
//! Cursors come first, so that what changes meanwhile is seen; records that are marked are left to apply. A load that
//! was stopped goes on at its last committed chunk: pairs that are linked already are passed over.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use dwmap_connect::{Page, PageToken, Row, WriteMode};
use dwmap_plan::{InitialPolicy, Side};
use futures_util::future;

use crate::apply::{Sight, Tally, Task};
use crate::error::SyncError;
use crate::key::{PairKey, RecordId};
use crate::observe::{Observed, Scope};
use crate::observer::{Event, LoadCounts};
use crate::report::Trouble;
use crate::runtime::{MapRun, Runtime};
use crate::state::{Change, LoadPhase, LoadProgress, MapMode, MapStatus, Mark, MarkId, ScratchRow};

/// The side that is put aside.
const GATHERED: Side = Side::Left;
/// The side that is read against it.
const READ: Side = Side::Right;
/// Rows that are worked on together in the last phase.
const CHUNK: usize = 1_000;

impl Runtime {
    /// Loads a map if that is due: it was never loaded, or its load was stopped.
    pub(crate) async fn load(&self, map: &MapRun) -> Result<(), SyncError> {
        let status = self.store.map_status(map.id).await?;
        let mut progress = match status.mode {
            _ if self.is_read_only() => return Ok(()),
            MapMode::Stopped if self.brake_load(map).await? => return Ok(()),
            MapMode::Stopped => LoadProgress::START,
            MapMode::Loading => status.load.unwrap_or(LoadProgress::START),
            MapMode::Running | MapMode::Paused | MapMode::Held | MapMode::Failed => return Ok(()),
        };
        for feed in map.feeds {
            self.begin_feed(feed).await?;
        }
        let mut counts = LoadCounts::default();
        if progress.phase == LoadPhase::Gather && progress.page.is_none() {
            self.store.scratch_clear(&shelf(map)).await?;
            self.save(map, &progress).await?;
        }
        if progress.phase == LoadPhase::Gather {
            self.gather_side(map, &mut progress, &mut counts).await?;
        }
        if progress.phase == LoadPhase::Join {
            self.join_side(map, &mut progress, &mut counts).await?;
        }
        if progress.phase == LoadPhase::Rest {
            self.load_rest(map, &mut progress, &mut counts).await?;
        }
        self.store.scratch_clear(&shelf(map)).await?;
        let running = MapStatus {
            mode: MapMode::Running,
            reason: self.standing_reason(map.index),
            load: None,
        };
        self.store
            .commit(vec![Change::SetStatus(map.id, running)])
            .await?;
        self.told(map, LoadPhase::Done, &counts);
        self.wake_all().await?;
        map.marked.notify_one();
        Ok(())
    }

    /// Holds a load that would overwrite more than it may: nothing has been written then.
    async fn brake_load(&self, map: &MapRun) -> Result<bool, SyncError> {
        let Some(most) = self.options.change_max else {
            return Ok(false);
        };
        let overwrite = self.plan_map(map).await?.overwrite;
        if overwrite <= most {
            return Ok(false);
        }
        let name = self.name(map);
        let held = MapStatus {
            mode: MapMode::Held,
            reason: format!(
                "its load would overwrite {overwrite} fields, and no more than {most} may be; \
                 `dwmap plan {name}` shows them, `dwmap approve {name}` lets it go"
            ),
            load: Some(LoadProgress::START),
        };
        self.set_status(map, held).await?;
        Ok(true)
    }

    async fn gather_side(
        &self,
        map: &MapRun,
        progress: &mut LoadProgress,
        counts: &mut LoadCounts,
    ) -> Result<(), SyncError> {
        let shelf = shelf(map);
        let mut reader = Pages::new(self, map, GATHERED, progress.page.clone());
        let mut ahead = reader.next().await?;
        while let Some((page, read)) = ahead.take() {
            let next = page.next.clone();
            progress.read += page.rows.len() as u64;
            let put = self.put_aside(map, &shelf, page, read, counts);
            let (put, following) = future::join(put, reader.next()).await;
            self.refuse_doubles(map, put?).await?;
            ahead = following?;
            progress.page = next;
            self.save(map, progress).await?;
            self.told(map, LoadPhase::Gather, counts);
        }
        *progress = LoadProgress {
            phase: LoadPhase::Join,
            page: None,
            ..progress.clone()
        };
        self.save(map, progress).await
    }

    /// Puts the rows of a page aside by their pair keys; gives those whose key another record has already.
    pub(crate) async fn put_aside(
        &self,
        map: &MapRun,
        shelf: &str,
        page: Page,
        read: u64,
        counts: &mut LoadCounts,
    ) -> Result<Vec<ScratchRow>, SyncError> {
        let bytes: Vec<Bytes> = page.rows.iter().map(|row| row.json.clone()).collect();
        let rows = self.evaluate(map, GATHERED, page.rows, read).await?;
        let mut put: Vec<ScratchRow> = Vec::new();
        for (row, json) in rows.into_iter().zip(bytes) {
            if self.takes_part(&row, GATHERED, counts)
                && let (Some(pair), Some(record)) = (row.pair, row.record)
            {
                put.push(ScratchRow {
                    pair,
                    record,
                    version: row.version,
                    read,
                    json: json.to_vec(),
                });
            }
        }
        put.sort_by(|a, b| a.pair.cmp(&b.pair));
        let doubled = self.store.scratch_put(shelf, put.clone()).await?;
        put.retain(|row| doubled.contains(&row.pair));
        Ok(put)
    }

    /// Whether a row is of a company that takes part, and in the map; counted if not. One whose key or filter fails is
    /// looked at by apply, which has an error queue.
    pub(crate) fn takes_part(&self, row: &Observed, side: Side, counts: &mut LoadCounts) -> bool {
        counts.read[side.index()] += 1;
        if self.scope(&row.row) == Scope::Out {
            counts.out_of_scope += 1;
            return false;
        }
        if row.row.filter == Ok(false) {
            counts.filtered += 1;
            return false;
        }
        true
    }

    /// Two records with one key: the second goes to the error queue.
    async fn refuse_doubles(&self, map: &MapRun, rows: Vec<ScratchRow>) -> Result<(), SyncError> {
        let mut changes = Vec::new();
        for row in rows {
            let mark = Mark::changed(
                MarkId {
                    map: map.id,
                    side: GATHERED,
                    record: row.record,
                },
                row.read,
            );
            let name = crate::report::name_of_pair(&row.pair);
            changes.extend(self.stopped(map, mark, row.read, &Trouble::Claimed, &name));
        }
        Ok(self.store.commit(changes).await?)
    }

    async fn join_side(
        &self,
        map: &MapRun,
        progress: &mut LoadProgress,
        counts: &mut LoadCounts,
    ) -> Result<(), SyncError> {
        let mut reader = Pages::new(self, map, READ, progress.page.clone());
        let mut ahead = reader.next().await?;
        while let Some((page, read)) = ahead.take() {
            let next = page.next.clone();
            progress.read += page.rows.len() as u64;
            let join = self.join_page(map, page, read, counts);
            let (done, following) = future::join(join, reader.next()).await;
            progress.done += done?;
            ahead = following?;
            progress.page = next;
            self.save(map, progress).await?;
            self.told(map, LoadPhase::Join, counts);
        }
        *progress = LoadProgress {
            phase: LoadPhase::Rest,
            page: None,
            after: None,
            ..progress.clone()
        };
        self.save(map, progress).await
    }

    /// Joins a page of the second side with what was put aside, and works on the pairs and the single records.
    async fn join_page(
        &self,
        map: &MapRun,
        page: Page,
        read: u64,
        counts: &mut LoadCounts,
    ) -> Result<u64, SyncError> {
        let rows = self.evaluate(map, READ, page.rows, read).await?;
        let mut by_pair: BTreeMap<PairKey, Observed> = BTreeMap::new();
        let mut left_to_apply = Vec::new();
        for row in rows {
            if !self.takes_part(&row, READ, counts) {
                continue;
            }
            match (row.pair.clone(), row.record.clone()) {
                (Some(pair), Some(_)) if !by_pair.contains_key(&pair) => {
                    by_pair.insert(pair, row);
                }
                (_, Some(record)) => left_to_apply.push(mark(map, READ, record, self.tick())),
                _ => {}
            }
        }
        self.store.commit(left_to_apply).await?;
        let pairs: Vec<PairKey> = by_pair.keys().cloned().collect();
        let mut partners = self.partners(map, &shelf(map), &pairs).await?;
        let mut tasks = Vec::with_capacity(pairs.len());
        for (pair, row) in by_pair {
            let mut task = Task::new(pair.clone(), None);
            let read = row.read;
            task.see(READ, Sight::Row(Box::new(row)), read);
            match partners.remove(&pair) {
                Some(partner) => {
                    let read = partner.read;
                    task.see(GATHERED, Sight::Row(Box::new(partner)), read);
                }
                // The first side was read whole, but for what is outside the map: only a look tells.
                None => task.see(GATHERED, Sight::Unknown, 0),
            }
            tasks.push(task);
        }
        let done = self.meet(map, tasks, counts).await?;
        self.store.scratch_drop(&shelf(map), &pairs).await?;
        Ok(done)
    }

    /// Rows that were put aside, evaluated.
    pub(crate) async fn partners(
        &self,
        map: &MapRun,
        shelf: &str,
        pairs: &[PairKey],
    ) -> Result<BTreeMap<PairKey, Observed>, SyncError> {
        let rows = self.store.scratch_get(shelf, pairs).await?;
        self.unshelve(map, rows.into_iter().flatten().collect())
            .await
    }

    pub(crate) async fn unshelve(
        &self,
        map: &MapRun,
        rows: Vec<ScratchRow>,
    ) -> Result<BTreeMap<PairKey, Observed>, SyncError> {
        let reads: Vec<u64> = rows.iter().map(|row| row.read).collect();
        let rows = rows
            .into_iter()
            .map(|row| Row {
                json: row.json.into(),
                version: row.version,
            })
            .collect();
        let evaluated = self.evaluate(map, GATHERED, rows, 0).await?;
        let with_reads = evaluated.into_iter().zip(reads);
        let found = with_reads.filter_map(|(mut observed, read)| {
            observed.read = read;
            Some((observed.pair.clone()?, observed))
        });
        Ok(found.collect())
    }

    async fn load_rest(
        &self,
        map: &MapRun,
        progress: &mut LoadProgress,
        counts: &mut LoadCounts,
    ) -> Result<(), SyncError> {
        loop {
            let rows = self
                .store
                .scratch_page(&shelf(map), progress.after.as_ref(), CHUNK)
                .await?;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            let after = last.pair.clone();
            let found = self.unshelve(map, rows).await?;
            let tasks = found.into_iter().map(|(pair, row)| {
                let mut task = Task::new(pair, None);
                let read = row.read;
                task.see(GATHERED, Sight::Row(Box::new(row)), read);
                task
            });
            progress.done += self.meet(map, tasks.collect(), counts).await?;
            progress.after = Some(after);
            self.save(map, progress).await?;
            self.told(map, LoadPhase::Rest, counts);
        }
    }

    /// Works on pairs that nobody has linked yet, and that aren't marked.
    async fn meet(
        &self,
        map: &MapRun,
        tasks: Vec<Task>,
        counts: &mut LoadCounts,
    ) -> Result<u64, SyncError> {
        let _border = self.steering.border.read().await;
        if self.is_read_only() {
            // The load goes on, and apply writes when it may.
            let mut tasks = tasks;
            tasks.retain(|task| self.is_loaded(map, task));
            self.leave_to_apply(map, &tasks).await?;
            return Ok(0);
        }
        let pairs: Vec<PairKey> = tasks.iter().map(|task| task.pair.clone()).collect();
        // First: what turns out to have landed is linked by it.
        let blocked = self.settle(map).await?;
        let links = self.store.links_by_pair(map.id, &pairs).await?;
        let unlinked = tasks.into_iter().zip(links);
        let unlinked = unlinked.filter(|(_, link)| link.is_none());
        let unlinked: Vec<Task> = unlinked.map(|(task, _)| task).collect();
        let mut marked: [BTreeSet<RecordId>; 2] = Default::default();
        for side in Side::BOTH {
            let known: Vec<RecordId> = unlinked
                .iter()
                .filter_map(|t| seen(t, side).cloned())
                .collect();
            let marks = self.store.marks_of(map.id, side, &known).await?;
            let records = marks.into_iter().flatten().map(|mark| mark.id.record);
            marked[side.index()].extend(records);
        }
        let is_marked = |task: &Task, side: Side| {
            seen(task, side).is_some_and(|record| marked[side.index()].contains(record))
        };
        // A write of an earlier run may still land; a record changed, or went, since it was read. The load waits for
        // neither, and passes here but once: both records are marked, the one that nothing happened to as well.
        let (left, mut fresh): (Vec<Task>, Vec<Task>) = unlinked.into_iter().partition(|task| {
            let waits = blocked.contains_key(&task.pair) || self.is_met_live(map, task);
            waits || Side::BOTH.into_iter().any(|side| is_marked(task, side))
        });
        self.leave_to_apply(map, &left).await?;
        fresh.retain(|task| self.is_loaded(map, task));
        let done = fresh.len() as u64;
        let tally = self.work(map, fresh, WriteMode::Bulk).await?;
        count(counts, tally);
        Ok(done)
    }

    async fn leave_to_apply(&self, map: &MapRun, tasks: &[Task]) -> Result<(), SyncError> {
        let mut marks = Vec::new();
        for task in tasks {
            for side in Side::BOTH {
                if let Some(record) = seen(task, side) {
                    marks.push(mark(map, side, record.clone(), self.tick()));
                }
            }
        }
        Ok(self.store.commit(marks).await?)
    }

    /// Whether a load is about a task: one that loads from one side alone leaves the other's single records.
    fn is_loaded(&self, map: &MapRun, task: &Task) -> bool {
        match self.plan_of(map).policies.initial {
            InitialPolicy::Prefer(_) => true,
            InitialPolicy::OnlyFrom(side) => task.sights[side.index()].row().is_some(),
        }
    }

    async fn save(&self, map: &MapRun, progress: &LoadProgress) -> Result<(), SyncError> {
        let status = MapStatus {
            mode: MapMode::Loading,
            reason: String::new(),
            load: Some(progress.clone()),
        };
        let change = Change::SetStatus(map.id, status);
        Ok(self.store.commit(vec![change]).await?)
    }

    fn told(&self, map: &MapRun, phase: LoadPhase, counts: &LoadCounts) {
        self.tell(&Event::Load {
            map: self.name(map).to_owned(),
            phase,
            counts: *counts,
        });
    }
}

/// The record of a side, if its row was read.
fn seen(task: &Task, side: Side) -> Option<&RecordId> {
    task.sights[side.index()].row()?.record.as_ref()
}

fn shelf(map: &MapRun) -> String {
    format!("load {}", map.id.0)
}

fn mark(map: &MapRun, side: Side, record: RecordId, generation: u64) -> Change {
    Change::Mark {
        id: MarkId {
            map: map.id,
            side,
            record,
        },
        generation,
        not_before: crate::Moment(0),
    }
}

fn count(counts: &mut LoadCounts, tally: Tally) {
    counts.met += tally.met;
    counts.updated += tally.updated;
    counts.created[0] += tally.created[0];
    counts.created[1] += tally.created[1];
    counts.refused += tally.refused;
    counts.parked += tally.parked;
}

/// The pages of a side's scan, one ahead of the work.
pub(crate) struct Pages<'a> {
    runtime: &'a Runtime,
    map: &'a MapRun,
    side: Side,
    extra: Option<dwmap_plan::Predicate>,
    from: Option<PageToken>,
    over: bool,
}

impl<'a> Pages<'a> {
    pub(crate) fn new(
        runtime: &'a Runtime,
        map: &'a MapRun,
        side: Side,
        from: Option<PageToken>,
    ) -> Self {
        Self {
            runtime,
            map,
            side,
            extra: runtime.companies_of(map, side),
            from,
            over: false,
        }
    }

    /// The next page, with the sequence number of its read.
    pub(crate) async fn next(&mut self) -> Result<Option<(Page, u64)>, SyncError> {
        if self.over {
            return Ok(None);
        }
        let read = self.runtime.tick();
        let query = &self.runtime.plan_of(self.map).side(self.side).scan;
        let page = self
            .runtime
            .system(self.map, self.side)
            .scan(query, self.extra.as_ref(), self.from.as_ref())
            .await?;
        self.from.clone_from(&page.next);
        self.over = page.next.is_none();
        Ok(Some((page, read)))
    }
}
