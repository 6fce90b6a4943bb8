//! Records that wait for others: what they wait for is looked for whenever something appeared where it would.

use crate::error::SyncError;
use crate::mistake::Mistake;
use crate::references::{Asked, ask_of};
use crate::runtime::Runtime;
use crate::state::{Change, Set};

/// How many missing records are looked for at once.
const PAGE: usize = 500;

impl Runtime {
    /// Looks for what is missing in a set, and wakes those that wait for what is there.
    pub(crate) async fn wake_set(&self, set: &Set) -> Result<u64, SyncError> {
        let mut woken = 0;
        let mut after = None;
        loop {
            let page = self.store.missing(set, after.as_ref(), PAGE).await?;
            let Some(last) = page.last().cloned() else {
                return Ok(woken);
            };
            let mut changes = Vec::new();
            let mut by_map = std::collections::BTreeMap::<u16, Vec<_>>::new();
            for missing in page {
                by_map.entry(missing.reference.0).or_default().push(missing);
            }
            for (index, missing) in by_map {
                let Some(map) = self.plan.maps.get(usize::from(index)) else {
                    continue;
                };
                let known = missing
                    .iter()
                    .filter(|m| usize::from(m.reference.1) < map.references.len());
                let asks: Vec<_> = known.clone().filter_map(ask_of).collect();
                let mut asked = Asked::default();
                let systems = &self.systems;
                self.references
                    .resolve(usize::from(index), map, systems, asks, &mut asked)
                    .await?;
                for missing in known {
                    let absent = ask_of(missing).is_none_or(|ask| asked.is_absent(&ask));
                    if !absent && !self.options.rules.broken(Mistake::ParkedNotWoken) {
                        woken += 1;
                        changes.push(Change::Wake {
                            missing: missing.clone(),
                            generation: self.tick(),
                        });
                    }
                }
            }
            if !changes.is_empty() {
                self.store.commit(changes).await?;
                self.maps.iter().for_each(|map| map.marked.notify_one());
            }
            after = Some(last);
        }
    }

    /// Looks for everything that is missing.
    pub(crate) async fn wake_all(&self) -> Result<u64, SyncError> {
        let mut woken = 0;
        for set in self.store.missing_sets().await? {
            woken += self.wake_set(&set).await?;
        }
        Ok(woken)
    }
}
