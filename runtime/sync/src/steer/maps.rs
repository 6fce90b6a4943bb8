//! Steering by map, and of the whole runtime.

use std::sync::atomic::Ordering;

use dwmap_plan::{LineId, Side};

use super::records::ids;
use super::{Answer, Doer};
use crate::Moment;
use crate::error::SyncError;
use crate::key::PairKey;
use crate::runtime::{MapRun, Runtime};
use crate::state::{Cause, Change, MapMode, MapStatus, Mark, MarkId, Word};

/// Links that are looked at between two commits.
const PAGE: usize = 1_000;

impl Runtime {
    /// Does the same with each map, all if none is named. A name that is wrong stops it before anything is done.
    pub(super) async fn each(
        &self,
        names: &[String],
        doer: Doer,
        act: impl AsyncFn(&Self, &MapRun, Doer) -> Result<String, SyncError>,
    ) -> Result<Answer, SyncError> {
        let maps: Vec<&MapRun> = if names.is_empty() {
            self.maps.iter().collect()
        } else {
            let named = names.iter().map(|name| self.map_named(name));
            named.collect::<Result<_, _>>()?
        };
        let mut answer = Answer::default();
        for map in maps {
            match act(self, map, doer).await {
                Ok(said) => answer.said.push(format!("{}: {said}", self.name(map))),
                // The others are steered all the same.
                Err(SyncError::Impossible(why)) => answer.refused = Some(why),
                Err(error) => return Err(error),
            }
            map.marked.notify_one();
        }
        self.steering.steered.notify_one();
        Ok(answer)
    }

    pub(super) async fn pause_map(&self, map: &MapRun, _: Doer) -> Result<String, SyncError> {
        let name = self.name(map);
        let before = self.store.map_status(map.id).await?;
        Ok(match before.mode {
            MapMode::Paused => "paused already".to_owned(),
            MapMode::Stopped | MapMode::Loading => {
                return Err(SyncError::Impossible(format!(
                    "{name} isn't loaded yet, and only a loaded map can be paused; let it load first"
                )));
            }
            MapMode::Running | MapMode::Held | MapMode::Failed => {
                self.put_mode(map, MapMode::Paused, before).await?;
                format!("paused; its changes are kept until `dwmap resume {name}`")
            }
        })
    }

    pub(super) async fn resume_map(&self, map: &MapRun, doer: Doer) -> Result<String, SyncError> {
        let before = self.store.map_status(map.id).await?;
        Ok(match before.mode {
            MapMode::Paused | MapMode::Held | MapMode::Failed => {
                // A load that is held hasn't begun: it is weighed again.
                let (mode, load) = match before.load {
                    Some(_) => (MapMode::Stopped, None),
                    None => (MapMode::Running, None),
                };
                let before = MapStatus { load, ..before };
                self.put_mode(map, mode, before).await?;
                format!("resumed; {}", doer.goes_on())
            }
            MapMode::Stopped | MapMode::Loading | MapMode::Running => {
                "neither paused nor held; there is nothing to do".to_owned()
            }
        })
    }

    pub(super) async fn reload_map(&self, map: &MapRun, doer: Doer) -> Result<String, SyncError> {
        // A load passes over what is linked: that is marked.
        self.look_again_at_all(map, &[]).await?;
        self.put_mode(map, MapMode::Stopped, MapStatus::default())
            .await?;
        Ok(format!(
            "will be loaded anew, which writes only what doesn't agree; {}",
            doer.goes_on()
        ))
    }

    /// Lets what the brake holds go, and the map with it: a load, or records.
    pub(super) async fn approve_map(&self, map: &MapRun, doer: Doer) -> Result<String, SyncError> {
        let held = self.held_by_brake(map).await?;
        let before = self.store.map_status(map.id).await?;
        let (mode, what) = match (before.mode, &before.load) {
            (MapMode::Held, Some(_)) => (MapMode::Loading, "its load is let go".to_owned()),
            (MapMode::Held, None) => (MapMode::Running, let_go(held)),
            (mode, _) if held > 0 => (mode, let_go(held)),
            _ => return Ok("nothing is held".to_owned()),
        };
        self.release_held(map, Word::LetGo).await?;
        self.put_mode(map, mode, before).await?;
        Ok(format!("{what}; {}", doer.goes_on()))
    }

    /// Gives up what the brake holds: the deletes don't go across, and the map goes on; a load isn't begun.
    pub(super) async fn discard_map(&self, map: &MapRun, doer: Doer) -> Result<String, SyncError> {
        let name = self.name(map);
        let held = self.held_by_brake(map).await?;
        let before = self.store.map_status(map.id).await?;
        match (before.mode, &before.load) {
            (MapMode::Held, Some(_)) => {
                self.put_mode(map, MapMode::Paused, before).await?;
                Ok(format!(
                    "its load is given up, and the map is paused; `dwmap resume {name}` weighs it anew"
                ))
            }
            (mode, _) if mode == MapMode::Held || held > 0 => {
                self.release_held(map, Word::LeaveAlone).await?;
                let mode = match mode {
                    MapMode::Held => MapMode::Running,
                    other => other,
                };
                self.put_mode(map, mode, before).await?;
                let records = records(held);
                Ok(format!(
                    "{records} given up: what is gone on one side stays on the other; {}",
                    doer.goes_on()
                ))
            }
            _ => Ok("nothing is held".to_owned()),
        }
    }

    /// How many records the brake holds. What a person holds isn't among them.
    async fn held_by_brake(&self, map: &MapRun) -> Result<u64, SyncError> {
        let mut held = 0;
        let mut after = None;
        loop {
            let marks = self
                .store
                .errors(Some(map.id), after.as_ref(), PAGE)
                .await?;
            let Some(last) = marks.last() else {
                return Ok(held);
            };
            after = Some(last.id.clone());
            let by_brake = |m: &&Mark| m.cause == Cause::Held && m.word != Some(Word::Hold);
            held += marks.iter().filter(by_brake).count() as u64;
        }
    }

    async fn release_held(&self, map: &MapRun, word: Word) -> Result<(), SyncError> {
        let release = Change::Release {
            map: map.id,
            id: None,
            cause: Cause::Held,
            generation: self.tick(),
            word: Some(word),
        };
        Ok(self.store.commit(vec![release]).await?)
    }

    async fn put_mode(
        &self,
        map: &MapRun,
        mode: MapMode,
        before: MapStatus,
    ) -> Result<(), SyncError> {
        let status = MapStatus {
            mode,
            reason: String::new(),
            ..before
        };
        self.set_status(map, status).await
    }

    pub(super) async fn set_readonly(&self, on: bool) -> Result<Answer, SyncError> {
        self.store.commit(vec![Change::SetReadonly(on)]).await?;
        self.steering.readonly.store(on, Ordering::Relaxed);
        if on {
            // Writes that are on their way are waited for: from the answer on, nothing is written.
            drop(self.steering.border.write().await);
            return Ok(Answer::of(
                "read-only: changes are seen and kept, and neither system is written to until `dwmap readonly off`",
            ));
        }
        self.maps.iter().for_each(|map| map.marked.notify_one());
        self.steering.steered.notify_one();
        Ok(Answer::of("both systems are written to again"))
    }

    /// Marks what is linked, so that it is looked at though nothing told of it; lines that are named forget what was in
    /// order, and meet by `initial`.
    pub(super) async fn backfill(
        &self,
        name: &str,
        lines: &[String],
        keys: &[String],
        doer: Doer,
    ) -> Result<Answer, SyncError> {
        let map = self.map_named(name)?;
        let lines = self.lines_named(map, lines)?;
        let mut marked = 0;
        if keys.is_empty() {
            marked += self.look_again_at_all(map, &lines).await?;
        } else {
            let mut pairs = Vec::new();
            let mut single = Vec::new();
            for key in keys {
                let task = self.find_record(map, key).await?;
                match task.link {
                    Some(link) => pairs.push(link.pair),
                    None => single.extend(ids(map, &task)),
                }
            }
            marked += self.look_again_at(map, &pairs, &lines).await?;
            marked += single.len() as u64;
            let changes = single.into_iter().map(|id| self.mark_now(id));
            self.store.commit(changes.collect()).await?;
        }
        map.marked.notify_one();
        Ok(Answer::of(format!(
            "{name}: {} will be looked at; {}",
            records(marked),
            doer.goes_on()
        )))
    }

    /// The lines of these paths, on either side.
    fn lines_named(&self, map: &MapRun, paths: &[String]) -> Result<Vec<LineId>, SyncError> {
        let plan = self.plan_of(map);
        let mut found = Vec::new();
        for path in paths {
            let of_path = plan
                .lines
                .iter()
                .filter(|line| line.left == *path || line.right == *path);
            let before = found.len();
            found.extend(of_path.map(|line| line.id));
            if found.len() == before {
                return Err(SyncError::Impossible(format!(
                    "{} has no line for {path}; a line is named by either of its paths, as `dwmap explain {}` shows them",
                    plan.name, plan.name
                )));
            }
        }
        Ok(found)
    }

    async fn look_again_at_all(&self, map: &MapRun, lines: &[LineId]) -> Result<u64, SyncError> {
        let mut marked = 0;
        let mut after = None;
        loop {
            let links = self.store.links_page(map.id, after.as_ref(), PAGE).await?;
            let Some(last) = links.last() else {
                return Ok(marked);
            };
            after = Some(last.pair.clone());
            let pairs: Vec<PairKey> = links.into_iter().map(|link| link.pair).collect();
            marked += self.look_again_at(map, &pairs, lines).await?;
        }
    }

    /// Marks these pairs; of the lines named, nothing is known to be in order any more.
    pub(super) async fn look_again_at(
        &self,
        map: &MapRun,
        pairs: &[PairKey],
        lines: &[LineId],
    ) -> Result<u64, SyncError> {
        // No pass may have them in hand: it would put back what it read of them before.
        let _border = self.steering.border.write().await;
        let links = self.store.links_by_pair(map.id, pairs).await?;
        let mut changes = Vec::new();
        let mut marked = 0;
        for mut link in links.into_iter().flatten() {
            let known = Side::BOTH.into_iter().find_map(|side| {
                let record = link.sides[side.index()].record.clone()?;
                Some(MarkId {
                    map: map.id,
                    side,
                    record,
                })
            });
            let Some(id) = known else { continue };
            changes.push(self.mark_now(id));
            // Without a version both sides are looked at.
            link.sides.iter_mut().for_each(|side| side.version = None);
            link.bases.forget(lines);
            changes.push(Change::PutLink(Box::new(link)));
            marked += 1;
        }
        self.store.commit(changes).await?;
        Ok(marked)
    }

    fn mark_now(&self, id: MarkId) -> Change {
        Change::Mark {
            id,
            generation: self.tick(),
            not_before: Moment(0),
        }
    }
}

fn let_go(held: u64) -> String {
    format!("{} let go", records(held))
}

pub(super) fn records(n: u64) -> String {
    match n {
        1 => "1 record".to_owned(),
        n => format!("{n} records"),
    }
}
