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

impl Runtime {
    /// Hands on every pair and every single record that takes part, in chunks, with their links. Where there is no
    /// partner in the map, that side's sight is unknown.
    pub(crate) async fn join_sides(
        &self,
        map: &MapRun,
        purpose: &str,
        counts: &mut LoadCounts,
        mut each: impl AsyncFnMut(Vec<Task>) -> Result<(), SyncError>,
    ) -> Result<(), SyncError> {
        let shelf = format!("{purpose} {}", map.id.0);
        self.store.scratch_clear(&shelf).await?;
        let mut pages = Pages::new(self, map, Side::Left, None);
        while let Some((page, read)) = pages.next().await? {
            self.put_aside(map, &shelf, page, read, counts).await?;
        }
        let mut pages = Pages::new(self, map, Side::Right, None);
        while let Some((page, read)) = pages.next().await? {
            let rows = self.evaluate(map, Side::Right, page.rows, read).await?;
            let mut by_pair: BTreeMap<PairKey, Observed> = BTreeMap::new();
            for row in rows {
                if self.takes_part(&row, Side::Right, counts)
                    && let Some(pair) = row.pair.clone()
                {
                    by_pair.insert(pair, row);
                }
            }
            let pairs: Vec<PairKey> = by_pair.keys().cloned().collect();
            let mut partners = self.partners(map, &shelf, &pairs).await?;
            let tasks = by_pair.into_iter().map(|(pair, row)| {
                let partner = partners.remove(&pair);
                task_of(pair, [partner, Some(row)])
            });
            each(self.linked(map, tasks.collect()).await?).await?;
            self.store.scratch_drop(&shelf, &pairs).await?;
        }
        let mut after: Option<PairKey> = None;
        loop {
            let rows = self
                .store
                .scratch_page(&shelf, after.as_ref(), CHUNK)
                .await?;
            let Some(last) = rows.last() else {
                break;
            };
            after = Some(last.pair.clone());
            let found = self.unshelve(map, rows).await?.into_iter();
            let tasks = found.map(|(pair, row)| task_of(pair, [Some(row), None]));
            each(self.linked(map, tasks.collect()).await?).await?;
        }
        Ok(self.store.scratch_clear(&shelf).await?)
    }

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
