//! A record that a fetch by key didn't find is deleted only if its neighbours can still be read: a right that was
//! taken away, or a company that was closed to us, looks the same.

use std::collections::{BTreeMap, BTreeSet};

use dwmap_plan::Side;

use super::observe::company_prefix;
use super::{Sight, Task};
use crate::error::SyncError;
use crate::key::{PairKey, RecordId};
use crate::runtime::{MapRun, Runtime};
use crate::state::LinkState;

/// How many neighbours are asked for.
const NEIGHBOURS: usize = 20;

impl Runtime {
    /// Parts tasks with an absence that nothing confirms from the others.
    pub(super) async fn confirm_absence(
        &self,
        map: &MapRun,
        tasks: Vec<Task>,
    ) -> Result<(Vec<Task>, Vec<Task>), SyncError> {
        let plan = self.plan_of(map);
        let mut readable: BTreeSet<(Side, Vec<u8>)> = BTreeSet::new();
        let mut doubtful: BTreeMap<(Side, Vec<u8>), PairKey> = BTreeMap::new();
        for task in &tasks {
            for side in Side::BOTH {
                let stripe = (side, company_prefix(plan, side, &task.pair));
                match &task.sights[side.index()] {
                    Sight::Row(_) => {
                        readable.insert(stripe);
                    }
                    Sight::Absent if is_linked(task) && !task.approved() => {
                        doubtful.insert(stripe, task.pair.clone());
                    }
                    _ => {}
                }
            }
        }
        doubtful.retain(|stripe, _| !readable.contains(stripe));
        for (stripe, pair) in doubtful {
            if self.neighbours_are_there(map, &stripe, &pair).await? {
                readable.insert(stripe);
            }
        }
        Ok(tasks.into_iter().partition(|task| {
            !is_linked(task)
                || task.approved()
                || Side::BOTH.into_iter().all(|side| {
                    !matches!(task.sights[side.index()], Sight::Absent)
                        || readable.contains(&(side, company_prefix(plan, side, &task.pair)))
                })
        }))
    }

    /// Whether some other record of the stripe can be read. Where none is known, nothing tells a last record that was
    /// deleted from a company that was closed to us, and a person has to.
    async fn neighbours_are_there(
        &self,
        map: &MapRun,
        (side, prefix): &(Side, Vec<u8>),
        pair: &PairKey,
    ) -> Result<bool, SyncError> {
        let links = self
            .store
            .neighbours(map.id, prefix, pair, NEIGHBOURS)
            .await?;
        let records: Vec<RecordId> = links
            .into_iter()
            .filter_map(|mut link| link.sides[side.index()].record.take())
            .collect();
        if records.is_empty() {
            return Ok(false);
        }
        let fetched = self.fetch_records(map, *side, &records).await?;
        Ok(!fetched.found.is_empty())
    }
}

fn is_linked(task: &Task) -> bool {
    let state = task.link.as_ref().map(|link| link.state);
    state == Some(LinkState::Linked)
}
