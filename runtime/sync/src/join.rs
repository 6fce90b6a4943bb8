//! Both sides of a map, joined in bounded memory: for `plan` and `verify`, which look and don't touch.
//!
//! Systems order keys differently, so that neither side can be trusted to come in the other's order: the left is put
//! aside by pair keys, the right is read against it.

use std::collections::BTreeMap;

use dwmap_plan::Side;

use crate::apply::{Sight, Task};
use crate::error::SyncError;
use crate::key::PairKey;
use crate::load::Pages;
use crate::observe::Observed;
use crate::observer::LoadCounts;
use crate::runtime::{MapRun, Runtime};

/// Rows that are handed on together in the end.
const CHUNK: usize = 1_000;

/// Every pair and every single record that takes part, in chunks, with their links. Where there is no partner in the
/// map, that side's sight is unknown.
pub(crate) struct Joined<'a> {
    runtime: &'a Runtime,
    map: &'a MapRun,
    shelf: String,
    /// The right side, until it has been read to its end.
    pages: Option<Pages<'a>>,
    /// How far the single records of the left side were handed on.
    after: Option<PairKey>,
}

impl<'a> Joined<'a> {
    /// Puts the left side aside. Rows are counted in `counts`, here and by [`next`](Self::next).
    pub(crate) async fn begin(
        runtime: &'a Runtime,
        map: &'a MapRun,
        purpose: &str,
        counts: &mut LoadCounts,
    ) -> Result<Self, SyncError> {
        let shelf = format!("{purpose} {}", map.id.0);
        runtime.store.scratch_clear(&shelf).await?;
        let mut pages = Pages::new(runtime, map, Side::Left, None);
        while let Some((page, read)) = pages.next().await? {
            runtime.put_aside(map, &shelf, page, read, counts).await?;
        }
        Ok(Self {
            runtime,
            map,
            shelf,
            pages: Some(Pages::new(runtime, map, Side::Right, None)),
            after: None,
        })
    }

    /// Whether what comes is what the other side has no equal key of.
    pub(crate) const fn is_rest(&self) -> bool {
        self.pages.is_none()
    }

    /// The next chunk; none at the end.
    pub(crate) async fn next(
        &mut self,
        counts: &mut LoadCounts,
    ) -> Result<Option<Vec<Task>>, SyncError> {
        let (runtime, map) = (self.runtime, self.map);
        if let Some(pages) = &mut self.pages {
            if let Some((page, read)) = pages.next().await? {
                let rows = runtime.evaluate(map, Side::Right, page.rows, read).await?;
                return self.with_partners(rows, counts).await.map(Some);
            }
            self.pages = None;
        }
        let after = self.after.as_ref();
        let rows = runtime
            .store
            .scratch_page(&self.shelf, after, CHUNK)
            .await?;
        let Some(last) = rows.last() else {
            runtime.store.scratch_clear(&self.shelf).await?;
            return Ok(None);
        };
        self.after = Some(last.pair.clone());
        let found = runtime.unshelve(map, rows).await?.into_iter();
        let tasks = found.map(|(pair, row)| task_of(pair, [Some(row), None]));
        runtime.linked(map, tasks.collect()).await.map(Some)
    }

    async fn with_partners(
        &self,
        rows: Vec<Observed>,
        counts: &mut LoadCounts,
    ) -> Result<Vec<Task>, SyncError> {
        let (runtime, map) = (self.runtime, self.map);
        let mut by_pair: BTreeMap<PairKey, Observed> = BTreeMap::new();
        for row in rows {
            if runtime.takes_part(&row, Side::Right, counts)
                && let Some(pair) = row.pair.clone()
            {
                by_pair.insert(pair, row);
            }
        }
        let pairs: Vec<PairKey> = by_pair.keys().cloned().collect();
        let mut partners = runtime.partners(map, &self.shelf, &pairs).await?;
        runtime.store.scratch_drop(&self.shelf, &pairs).await?;
        let tasks = by_pair.into_iter().map(|(pair, row)| {
            let partner = partners.remove(&pair);
            task_of(pair, [partner, Some(row)])
        });
        runtime.linked(map, tasks.collect()).await
    }
}

impl Runtime {
    /// Gives tasks their links, with the bases in the order of the map's lines.
    async fn linked(&self, map: &MapRun, mut tasks: Vec<Task>) -> Result<Vec<Task>, SyncError> {
        let pairs: Vec<PairKey> = tasks.iter().map(|task| task.pair.clone()).collect();
        let links = self.store.links_by_pair(map.id, &pairs).await?;
        let lines = self.plan_of(map).lines.iter().map(|line| line.id);
        for (task, link) in tasks.iter_mut().zip(links) {
            task.link = link.map(|mut link| {
                link.bases = std::mem::take(&mut link.bases).aligned(lines.clone());
                link
            });
        }
        Ok(tasks)
    }
}

fn task_of(pair: PairKey, rows: [Option<Observed>; 2]) -> Task {
    let mut task = Task::new(pair, None);
    for (side, row) in Side::BOTH.into_iter().zip(rows) {
        if let Some(row) = row {
            let read = row.read;
            task.see(side, Sight::Row(Box::new(row)), read);
        }
    }
    task
}
