//! Repair: what `verify` finds to differ is marked, and goes the ordinary way.

use super::maps::records;
use super::records::ids;
use super::{Answer, Doer};
use crate::apply::Task;
use crate::error::SyncError;
use crate::runtime::{MapRun, Runtime};
use crate::state::{Change, Mark, Word};

impl Runtime {
    /// Looks for differences and marks them: one side's values win, or whose the map's policies say.
    pub(super) async fn repair(
        &self,
        maps: &[String],
        prefer: Option<&str>,
        doer: Doer,
    ) -> Result<Answer, SyncError> {
        let mut named = Vec::new();
        for map in maps {
            named.push(self.map_named(map)?);
        }
        if named.is_empty() {
            named.extend(&self.maps);
        }
        let mut answer = Answer::default();
        for map in named {
            let word = match prefer {
                Some(system) => Word::From(self.side_named(map, system)?),
                None => Word::Mend,
            };
            let marked = self.verify_map(map, Some(word)).await?.marked;
            if marked == 0 {
                continue;
            }
            map.marked.notify_one();
            let name = self.name(map);
            let by = prefer.unwrap_or("the map's policies");
            answer.said.push(format!(
                "{name}: {} will be mended by {by}",
                records(marked)
            ));
        }
        answer.said.push(if answer.said.is_empty() {
            "nothing differs that isn't in the error queue".to_owned()
        } else {
            doer.goes_on().to_owned()
        });
        Ok(answer)
    }

    /// Marks pairs that differ, with how they are to be mended.
    pub(crate) async fn mark_to_mend(
        &self,
        map: &MapRun,
        differing: &[Task],
        word: Word,
    ) -> Result<u64, SyncError> {
        let linked = differing.iter().filter(|task| task.link.is_some());
        let pairs: Vec<_> = linked.map(|task| task.pair.clone()).collect();
        // Without versions both sides are looked at.
        self.look_again_at(map, &pairs, &[]).await?;
        let marks = differing.iter().flat_map(|task| ids(map, task));
        let changes = marks.map(|id| {
            Change::Say(Box::new(Mark {
                word: Some(word),
                ..Mark::changed(id, self.tick())
            }))
        });
        self.store.commit(changes.collect()).await?;
        Ok(differing.len() as u64)
    }
}
