//! Going on with another plan.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{MutexGuard, PoisonError};

use dwmap_plan::{LineId, Plan};

use super::Answer;
use super::maps::records;
use crate::error::SyncError;
use crate::runtime::{Runtime, with_meanings};

impl Runtime {
    /// Takes another plan, for which the run ends at the next batch's border, and says what it changes.
    pub(super) async fn deploy(&self, file: &Path) -> Result<Answer, SyncError> {
        let unreadable = |why: String| {
            SyncError::Impossible(format!("the plan {} can't be read: {why}", file.display()))
        };
        let bytes = std::fs::read(file).map_err(|error| unreadable(error.to_string()))?;
        let (_, plan) =
            dwmap_plan::decode(&bytes).map_err(|error| unreadable(error.to_string()))?;
        let mut said = self.changes_to(&with_meanings(&plan)).await?;
        if said.is_empty() {
            said.push("the maps say what they said before".to_owned());
        }
        said.push("the running process goes on with them from its next batch on".to_owned());
        *self.lock_next() = Some(file.to_owned());
        Ok(Answer {
            said,
            refused: None,
        })
    }

    /// The plan that was taken, if one was.
    pub(crate) fn next_plan(&self) -> Option<PathBuf> {
        self.lock_next().take()
    }

    pub(super) fn is_replaced(&self) -> bool {
        self.lock_next().is_some()
    }

    fn lock_next(&self) -> MutexGuard<'_, Option<PathBuf>> {
        let locked = self.steering.next_plan.lock();
        locked.unwrap_or_else(PoisonError::into_inner)
    }

    async fn changes_to(&self, next: &Plan) -> Result<Vec<String>, SyncError> {
        let mut said = Vec::new();
        for map in &next.maps {
            let Some(run) = self.maps.iter().find(|run| self.name(run) == map.name) else {
                said.push(format!("{}: is new, and will be loaded", map.name));
                continue;
            };
            let ids = |lines: &[dwmap_plan::Line]| -> BTreeSet<LineId> {
                lines.iter().map(|line| line.id).collect()
            };
            let (before, after) = (ids(&self.plan_of(run).lines), ids(&map.lines));
            let (new, gone) = (
                after.difference(&before).count(),
                before.difference(&after).count(),
            );
            if new + gone > 0 {
                let linked = self.store.counts(run.id).await?.linked;
                said.push(format!(
                    "{}: {} new or changed, {} gone or changed; {} will be looked at",
                    map.name,
                    lines(new),
                    lines(gone),
                    records(linked)
                ));
            }
        }
        for run in &self.maps {
            let name = self.name(run);
            if next.maps.iter().all(|map| map.name != name) {
                said.push(format!(
                    "{name}: is gone, and no longer worked on; what is known of its pairs is kept"
                ));
            }
        }
        Ok(said)
    }
}

fn lines(n: usize) -> String {
    match n {
        1 => "1 line".to_owned(),
        n => format!("{n} lines"),
    }
}
