//! What is done when: loads, looks and batches, once until all is quiet, or for ever.

use std::sync::atomic::Ordering;
use std::time::Duration;

use dwmap_connect::ChangeFeed;
use futures_util::FutureExt;
use futures_util::future::{self, Either};
use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::Moment;
use crate::apply::Tally;
use crate::error::SyncError;
use crate::mistake::Mistake;
use crate::observer::Event;
use crate::options::Options;
use crate::runtime::{Ended, Feed, MapRun, Runtime};
use crate::state::{Cause, Change, Intent, MapMode};

/// How long a worker with nothing due sleeps at most before it looks again.
const IDLE_MAX: Duration = Duration::from_secs(30);

impl Runtime {
    /// Loads where that is due, then works on everything pending both ways, until all is quiet. Records that are
    /// refused, parked or held stay in the error queue and don't keep it from ending.
    ///
    /// What a drifted schema hurts stands still meanwhile.
    pub async fn sync_once(&self) -> Result<(), SyncError> {
        self.sync_once_fitted().await
    }

    /// The same by the plan of this runtime, whatever lives in the systems.
    pub(crate) async fn sync_once_through(&self) -> Result<(), SyncError> {
        self.begin().await?;
        self.load_all().await?;
        self.wake_all().await?;
        let mut swept = false;
        let tracked: Vec<Vec<usize>> = (0..self.systems.len())
            .map(|system| self.feeds_of(system, ChangeFeed::Tracked))
            .collect();
        let mut feeds = tracked.clone();
        loop {
            // A page of each feed, and what it tells worked on, before the next: what was read isn't read twice.
            let mut busy = false;
            for (system, feeds) in feeds.iter_mut().enumerate() {
                let look = self.look(system, feeds).await?;
                busy |= look.changes > 0 || !look.more.is_empty();
                *feeds = if look.more.is_empty() {
                    tracked[system].clone()
                } else {
                    look.more
                };
            }
            for map in &self.maps {
                busy |= self.apply_all(map).await?.worked > 0;
            }
            if busy {
                continue;
            }
            if !swept {
                swept = true;
                for system in 0..self.systems.len() {
                    for at in self.feeds_of(system, ChangeFeed::Sweep) {
                        self.sweep(at).await?;
                    }
                }
                continue;
            }
            match self.pause().await? {
                Some(wait) => self.clock.sleep(wait).await,
                None => return self.trim_log().await,
            }
        }
    }

    /// What comes before all work: the plan and the open writes of an earlier process are taken over.
    pub(crate) async fn begin(&self) -> Result<(), SyncError> {
        let readonly = self.store.readonly().await?;
        self.steering.readonly.store(readonly, Ordering::Relaxed);
        self.adopt_plan().await?;
        self.inherit_waits().await
    }

    /// Takes the plan over: where it says something else than the one before it, the pairs concerned are marked.
    async fn adopt_plan(&self) -> Result<(), SyncError> {
        if self.options.rules.broken(Mistake::UpgradeNotMarked) {
            return Ok(());
        }
        let generation = self.tick();
        let adopt = self.maps.iter().map(|map| Change::Adopt {
            map: map.id,
            lines: self.plan_of(map).lines.iter().map(|line| line.id).collect(),
            generation,
        });
        Ok(self.store.commit(adopt.collect()).await?)
    }

    /// Loads the maps that are due, in the order of their ranks.
    pub(crate) async fn load_all(&self) -> Result<(), SyncError> {
        for map in &self.maps {
            self.load(map).await?;
        }
        Ok(())
    }

    /// The feeds of a system whose changes are found in this way.
    fn feeds_of(&self, system: usize, changes: ChangeFeed) -> Vec<usize> {
        let is_one = |feed: &Feed| {
            usize::from(feed.system) == system && feed.abilities.changes == changes && !feed.gone
        };
        (0..self.feeds.len())
            .filter(|at| is_one(&self.feeds[*at]))
            .collect()
    }

    /// Reads these feeds of a system to their ends.
    async fn look_through(&self, system: usize, feeds: &[usize]) -> Result<u64, SyncError> {
        let mut look = self.look(system, feeds).await?;
        let mut changes = look.changes;
        while !look.more.is_empty() {
            look = self.look(system, &look.more).await?;
            changes += look.changes;
        }
        Ok(changes)
    }

    /// Works on a map's marks until none is due.
    pub(crate) async fn apply_all(&self, map: &MapRun) -> Result<Tally, SyncError> {
        let mut all = Tally::default();
        loop {
            let tally = self.apply_once(map).await?;
            if tally.worked == 0 {
                return Ok(all);
            }
            all.add(tally);
        }
    }

    /// Works on one batch of a map's marks; what it made may be what others wait for.
    pub(crate) async fn apply_once(&self, map: &MapRun) -> Result<Tally, SyncError> {
        let tally = self.apply_batch(map).await?;
        if tally.parked > 0 || tally.created != [0, 0] {
            self.wake_all().await?;
        }
        self.watch_refusals(map, tally.refused).await?;
        Ok(tally)
    }

    /// How long until something that waits for a time may go on; none if nothing does.
    async fn pause(&self) -> Result<Option<Duration>, SyncError> {
        let mut next = None;
        for map in &self.maps {
            if self.store.map_status(map.id).await?.mode != MapMode::Running {
                continue;
            }
            // What stands in the error queue already isn't waited for.
            let end = Moment(i64::MAX);
            let marks = self
                .store
                .due_marks(map.id, end, self.options.batch)
                .await?;
            let due = marks.iter().filter(|mark| mark.error.is_none());
            let due = due.map(|mark| mark.not_before).min();
            let intents = self.store.intents(map.id).await?;
            let settle = next_settled(&intents);
            next = [next, due, settle].into_iter().flatten().min();
        }
        let now = self.now();
        Ok(next.map(|at| now.until(at).clamp(Duration::from_millis(1), IDLE_MAX)))
    }

    /// Keeps everything in step until `shutdown` is done: changes are captured as they come, and applied at once.
    /// It ends at a batch's border, or after [`Options::stop_within`] where a system doesn't answer: what is written then
    /// is settled by the next run.
    pub async fn run(&self, shutdown: impl Future<Output = ()>) -> Result<Ended, SyncError> {
        let work = self.run_fitted();
        futures_util::pin_mut!(shutdown, work);
        let work = match future::select(shutdown, work).await {
            Either::Left(((), work)) => work,
            Either::Right((ended, _)) => {
                ended?;
                let next = self.next_plan();
                return Ok(next.map_or(Ended::Stopped, Ended::Replaced));
            }
        };
        let border = self.at_border();
        futures_util::pin_mut!(border);
        match future::select(border, work).await {
            Either::Right((Err(error), _)) => Err(error),
            _ => Ok(Ended::Stopped),
        }
    }

    /// Waits until no pass has any record in hand, or for [`Options::stop_within`]. Whoever drops the work at once then
    /// leaves no write open that a system would answer.
    pub(crate) async fn at_border(&self) {
        let border = self.steering.border.write();
        let long_enough = self.clock.sleep(self.options.stop_within);
        futures_util::pin_mut!(border);
        future::select(border, long_enough).await;
    }

    /// Works until a system can't be used any more, or another plan was deployed.
    pub(crate) async fn run_for_ever(&self) -> Result<(), SyncError> {
        self.begin().await?;
        let mut workers = FuturesUnordered::new();
        for system in 0..self.systems.len() {
            workers.push(self.look_loop(system).boxed());
            for at in self.feeds_of(system, ChangeFeed::Sweep) {
                workers.push(self.sweep_loop(at).boxed());
            }
        }
        workers.push(self.load_loop().boxed());
        if let Some(every) = self.options.serve_every {
            workers.push(self.serve_loop(every).boxed());
        }
        for map in &self.maps {
            workers.push(self.apply_loop(map).boxed());
        }
        match workers.next().await {
            Some(ended) => ended,
            None => Ok(()),
        }
    }

    /// Tries until it succeeds or can't any more; what fails for a while is told and tried again.
    async fn persist<T>(
        &self,
        tries: &mut u32,
        attempt: Result<T, SyncError>,
    ) -> Result<Option<T>, SyncError> {
        match attempt {
            Ok(done) => {
                *tries = 0;
                Ok(Some(done))
            }
            Err(error) if error.is_transient() => {
                let SyncError::Connect(connect) = &error else {
                    return Err(error);
                };
                let (first, max) = (self.options.retry_first, self.options.retry_max);
                let wait = self.chance.wait(*tries, first, max);
                let wait = wait.max(connect.retry_after().unwrap_or_default());
                *tries += 1;
                self.tell(&Event::Trouble {
                    system: system_of(connect).to_owned(),
                    message: error.to_string(),
                    again_at: self.now().plus(wait),
                });
                self.clock.sleep(wait).await;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn load_loop(&self) -> Result<(), SyncError> {
        let mut tries = 0;
        loop {
            let attempt = self.load_all().await;
            if self.persist(&mut tries, attempt).await?.is_none() {
                continue;
            }
            let attempt = self.look_again().await;
            self.persist(&mut tries, attempt).await?;
            self.trim_log().await?;
            self.until(self.steering.steered.notified(), self.options.sweep_every)
                .await;
        }
    }

    /// What waits is looked at once more now and then: for records of sets that no feed tells of, and for neighbours
    /// that couldn't be read. What the brake holds stays held, since its map doesn't run.
    pub(crate) async fn look_again(&self) -> Result<(), SyncError> {
        self.wake_all().await?;
        for map in &self.maps {
            let running = self.store.map_status(map.id).await?.mode == MapMode::Running;
            if running && self.store.counts(map.id).await?.held > 0 {
                let release = Change::Release {
                    map: map.id,
                    id: None,
                    cause: Cause::Held,
                    generation: self.tick(),
                    word: None,
                };
                self.store.commit(vec![release]).await?;
                map.marked.notify_one();
            }
        }
        Ok(())
    }

    /// Looks at the feeds of a system: at all of them now and then, and at once at those that a hook names. A hook only
    /// makes a look happen sooner: one that is lost or forged costs time, and no change.
    async fn look_loop(&self, system: usize) -> Result<(), SyncError> {
        let all = self.feeds_of(system, ChangeFeed::Tracked);
        let mut tries = 0;
        let mut feeds = all.clone();
        let mut all_at = self.next_look(system);
        loop {
            let attempt = self.look_through(system, &feeds).await;
            if self.persist(&mut tries, attempt).await?.is_none() {
                continue;
            }
            let named = self.systems[system].wake();
            let rest = self.clock.sleep(self.now().until(all_at));
            futures_util::pin_mut!(named, rest);
            feeds = match future::select(rest, named).await {
                Either::Left(_) => {
                    all_at = self.next_look(system);
                    all.clone()
                }
                Either::Right((sets, _)) => self.woken(system, &sets),
            };
        }
    }

    /// When all feeds of a system are looked at again. Hooks that are registered only later count from then on.
    fn next_look(&self, system: usize) -> Moment {
        let Options {
            look_every,
            look_every_told,
            ..
        } = self.options;
        self.now().plus(if self.systems[system].tells() {
            look_every.max(look_every_told)
        } else {
            look_every
        })
    }

    /// The feeds that a hook is about; those that are swept are told.
    fn woken(&self, system: usize, sets: &[String]) -> Vec<usize> {
        let named = |at: &usize| sets.is_empty() || sets.contains(&self.feeds[*at].set.set);
        for at in self
            .feeds_of(system, ChangeFeed::Sweep)
            .iter()
            .filter(|at| named(at))
        {
            self.feeds[*at].changed.notify_one();
        }
        let tracked = self.feeds_of(system, ChangeFeed::Tracked);
        tracked.into_iter().filter(named).collect()
    }

    async fn sweep_loop(&self, at: usize) -> Result<(), SyncError> {
        let mut tries = 0;
        loop {
            let attempt = self.sweep(at).await;
            if self.persist(&mut tries, attempt).await?.is_some() {
                let changed = self.feeds[at].changed.notified();
                self.until(changed, self.options.sweep_every).await;
            }
        }
    }

    async fn apply_loop(&self, map: &MapRun) -> Result<(), SyncError> {
        let mut tries = 0;
        loop {
            let attempt = self.apply_all(map).await;
            if self.persist(&mut tries, attempt).await?.is_none() {
                continue;
            }
            let due = self.store.next_due(map.id).await?;
            let intents = self.store.intents(map.id).await?;
            let settle = next_settled(&intents);
            let next = [due, settle].into_iter().flatten().min();
            let now = self.now();
            let wait = next.map_or(IDLE_MAX, |at| {
                now.until(at).clamp(Duration::from_millis(1), IDLE_MAX)
            });
            // A map that is held, paused or loading has marks that are due, and isn't worked on.
            let idle = self.store.map_status(map.id).await?.mode != MapMode::Running;
            let wait = if idle { self.options.look_every } else { wait };
            self.until(map.marked.notified(), wait).await;
        }
    }

    /// Waits for a notice, but not for ever.
    async fn until(&self, notice: impl Future<Output = ()>, at_most: Duration) {
        let sleep = self.clock.sleep(at_most);
        futures_util::pin_mut!(notice, sleep);
        future::select(notice, sleep).await;
    }
}

fn system_of(error: &dwmap_connect::ConnectError) -> &str {
    use dwmap_connect::ConnectError::*;
    match error {
        Unreachable { system, .. }
        | Unauthorised { system, .. }
        | Transient { system, .. }
        | CursorExpired { system, .. }
        | Refused { system, .. }
        | Nonsense { system, .. } => system,
    }
}

/// When the next write without an answer can be settled.
fn next_settled(intents: &[Intent]) -> Option<Moment> {
    let over = intents.iter().map(|intent| intent.settle_at);
    over.filter(|over| *over != Intent::UNANSWERED).min()
}
