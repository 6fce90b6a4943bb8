//! Sweeps: where there is no feed, or none that goes back far enough, all rows are read and held against the bases.
//! A sweep only marks; what it marks is looked at like any other mark, so an absence here is never a delete.

use dwmap_connect::PageToken;
use dwmap_plan::{Predicate, Side, Value};

use crate::Moment;
use crate::error::SyncError;
use crate::key::{PairKey, RecordId};
use crate::merge::own;
use crate::observe::{Observed, Scope};
use crate::runtime::{MapRun, Runtime};
use crate::state::{Cause, Change, Link, LinkState, MapMode, Mark, MarkId, ScratchRow};

/// Links that are looked through at once.
const PAGE: usize = 2_000;

impl Runtime {
    /// Sweeps a feed's entity for all maps that run; says how many records it marked.
    pub(crate) async fn sweep(&self, at: usize) -> Result<u64, SyncError> {
        self.sweep_where(at, |mode| mode == MapMode::Running).await
    }

    /// Sweeps a feed's entity for the maps in some of the modes.
    pub(crate) async fn sweep_where(
        &self,
        at: usize,
        wanted: impl Fn(MapMode) -> bool,
    ) -> Result<u64, SyncError> {
        let mut marked = 0;
        for (index, side) in &self.feeds[at].users {
            let map = &self.maps[*index];
            if !wanted(self.store.map_status(map.id).await?.mode) {
                continue;
            }
            let n = self.sweep_map(map, *side).await?;
            if n > 0 {
                map.marked.notify_one();
            }
            marked += n;
        }
        if marked > 0 {
            self.wake_set(&self.feeds[at].set).await?;
        }
        Ok(marked)
    }

    async fn sweep_map(&self, map: &MapRun, side: Side) -> Result<u64, SyncError> {
        let shelf = format!("sweep {} {}", map.id.0, side.index());
        self.store.scratch_clear(&shelf).await?;
        let mut marked = 0;
        let mut page: Option<PageToken> = None;
        let extra = self.companies_of(map, side);
        let begun = self.tick();
        loop {
            let read = self.tick();
            let query = &self.plan_of(map).side(side).scan;
            let found = self
                .system(map, side)
                .scan(query, extra.as_ref(), page.as_ref())
                .await?;
            let rows = self.evaluate(map, side, found.rows, read).await?;
            marked += self.compare(map, side, &shelf, rows).await?;
            page = found.next;
            if page.is_none() {
                break;
            }
        }
        marked += self.mark_unseen(map, side, &shelf, begun).await?;
        marked += self.mark_resting(map, side, &shelf).await?;
        self.store.scratch_clear(&shelf).await?;
        Ok(marked)
    }

    /// Marks the rows of a page that differ from what their links say.
    async fn compare(
        &self,
        map: &MapRun,
        side: Side,
        shelf: &str,
        rows: Vec<Observed>,
    ) -> Result<u64, SyncError> {
        let records: Vec<RecordId> = rows.iter().filter_map(|r| r.record.clone()).collect();
        let links = self.store.links_by_record(map.id, side, &records).await?;
        let generation = self.tick();
        let mut changes = Vec::new();
        let mut seen = Vec::new();
        let with_record = rows.iter().filter(|r| r.record.is_some());
        for ((row, record), link) in with_record.zip(records).zip(links) {
            if self.differs(map, side, row, link.as_ref()) {
                changes.push(Change::Mark {
                    id: MarkId {
                        map: map.id,
                        side,
                        record: record.clone(),
                    },
                    generation,
                    not_before: Moment(0),
                });
            }
            seen.push(ScratchRow {
                pair: PairKey(record.0.clone()),
                record,
                version: None,
                read: row.read,
                json: Vec::new(),
            });
        }
        let marked = changes.len() as u64;
        self.store.commit(changes).await?;
        self.store.scratch_put(shelf, seen).await?;
        Ok(marked)
    }

    fn differs(&self, map: &MapRun, side: Side, row: &Observed, link: Option<&Link>) -> bool {
        let inside = row.row.filter != Ok(false) && self.scope(&row.row) == Scope::In;
        let Some(link) = link else {
            return inside;
        };
        let s = side.index();
        match link.state {
            LinkState::Left | LinkState::Deleted | LinkState::AwaitingKey => inside,
            LinkState::Linked if !inside => true,
            LinkState::Linked if row.version.is_some() && row.version == link.sides[s].version => {
                false
            }
            LinkState::Linked => self.plan_of(map).lines.iter().enumerate().any(|(i, line)| {
                let base = link.bases.at(i, line.id);
                let base = base.and_then(|b| b.sides[s].as_ref());
                let held = row.row.own.get(i).and_then(own);
                !line.on_create && held.is_some() && held != base
            }),
        }
    }

    /// Marks the linked records that the sweep didn't come by.
    async fn mark_unseen(
        &self,
        map: &MapRun,
        side: Side,
        shelf: &str,
        begun: u64,
    ) -> Result<u64, SyncError> {
        let mut marked = 0;
        let mut after: Option<PairKey> = None;
        loop {
            let links = self.store.links_page(map.id, after.as_ref(), PAGE).await?;
            let Some(last) = links.last() else {
                return Ok(marked);
            };
            after = Some(last.pair.clone());
            // A link that moved since the sweep began may be of a record that was born behind it.
            let due: Vec<RecordId> = links
                .iter()
                .filter(|link| link.state == LinkState::Linked && link.moved < begun)
                .filter_map(|link| link.sides[side.index()].record.clone())
                .collect();
            marked += self.mark_missed(map, side, shelf, due).await?;
            marked += self.mark_nameless(map, side, &links, begun).await?;
        }
    }

    /// Marks the partners of records that we made and whose keys nobody has told us: a sweep that shows such a record
    /// tells its key, and one that doesn't says nothing of it.
    async fn mark_nameless(
        &self,
        map: &MapRun,
        side: Side,
        links: &[Link],
        begun: u64,
    ) -> Result<u64, SyncError> {
        let generation = self.tick();
        let other = side.other();
        let is_due = |link: &&Link| {
            let nameless = link.sides[side.index()].record.is_none();
            nameless && link.state == LinkState::Linked && link.moved < begun
        };
        let partners = links.iter().filter(is_due);
        let partners = partners.filter_map(|link| link.sides[other.index()].record.clone());
        let marks = partners.map(|record| Change::Mark {
            id: MarkId {
                map: map.id,
                side: other,
                record,
            },
            generation,
            not_before: Moment(0),
        });
        let marks: Vec<Change> = marks.collect();
        let marked = marks.len() as u64;
        self.store.commit(marks).await?;
        Ok(marked)
    }

    /// Marks anew what stands among the errors and the sweep didn't come by: a record that left the filter, or went,
    /// while it was refused, has nothing wrong with it any more.
    async fn mark_resting(&self, map: &MapRun, side: Side, shelf: &str) -> Result<u64, SyncError> {
        let mut marked = 0;
        let mut after: Option<MarkId> = None;
        loop {
            let marks = self
                .store
                .errors(Some(map.id), after.as_ref(), PAGE)
                .await?;
            let Some(last) = marks.last() else {
                return Ok(marked);
            };
            after = Some(last.id.clone());
            let rests = |mark: &Mark| {
                mark.id.side == side && matches!(mark.cause, Cause::Failed | Cause::Parked)
            };
            let resting: Vec<RecordId> = marks
                .into_iter()
                .filter(rests)
                .map(|mark| mark.id.record)
                .collect();
            marked += self.mark_missed(map, side, shelf, resting).await?;
        }
    }

    /// Marks those of some records that a sweep hasn't put on its shelf.
    async fn mark_missed(
        &self,
        map: &MapRun,
        side: Side,
        shelf: &str,
        records: Vec<RecordId>,
    ) -> Result<u64, SyncError> {
        let keys: Vec<PairKey> = records.iter().map(|r| PairKey(r.0.clone())).collect();
        let seen = self.store.scratch_get(shelf, &keys).await?;
        let generation = self.tick();
        let missed = records.into_iter().zip(seen).filter(|(_, s)| s.is_none());
        let changes: Vec<Change> = missed
            .map(|(record, _)| Change::Mark {
                id: MarkId {
                    map: map.id,
                    side,
                    record,
                },
                generation,
                not_before: Moment(0),
            })
            .collect();
        let marked = changes.len() as u64;
        self.store.commit(changes).await?;
        Ok(marked)
    }

    /// The companies that take part, as a side's source can filter by them. None if all do, or if it can't.
    pub(crate) fn companies_of(&self, map: &MapRun, side: Side) -> Option<Predicate> {
        let plan = self.plan_of(map).side(side);
        if self.options.companies.is_empty() {
            return None;
        }
        match &plan.company {
            Some(dwmap_plan::Company::Column { wire }) => {
                let column = plan.program.columns.iter().find(|c| c.wire == *wire);
                column.map(|column| Predicate::In {
                    column: wire.clone(),
                    repr: column.repr.clone(),
                    values: self
                        .options
                        .companies
                        .iter()
                        .map(|c| Value::Text(c.clone()))
                        .collect(),
                })
            }
            _ => None,
        }
    }
}
