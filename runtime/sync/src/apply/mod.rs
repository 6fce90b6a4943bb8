//! Apply: takes marks and brings their pairs in order, one task a pair.
//!
//! A batch goes through the same steps always: observe, merge, intents on disk, write, and one transaction that moves
//! bases, versions and marks together.

mod absence;
mod drawn;
mod encode;
mod finish;
mod gather;
mod log;
mod observe;
mod pairing;
mod work;

pub(crate) use drawn::awaited_key;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use dwmap_connect::Version;
use dwmap_plan::Side;

use crate::Moment;
use crate::error::SyncError;
use crate::key::PairKey;
use crate::merge::Seen;
use crate::mistake::Mistake;
use crate::observe::Observed;
use crate::runtime::{MapRun, Runtime};
use crate::state::{Link, MapMode, Mark, MarkId, Word};

/// What is known of a side of a task.
#[derive(Debug, Clone)]
pub(crate) enum Sight {
    /// Nothing yet.
    Unknown,
    /// The link's version still holds.
    Base,
    /// A fetch by its key found no record.
    Absent,
    /// What a read found.
    Row(Box<Observed>),
}

impl Sight {
    /// As the merge wants it. A side that nobody looked at is served by its base.
    pub(crate) fn seen(&self) -> Seen<'_> {
        match self {
            Self::Unknown | Self::Base => Seen::Base,
            Self::Absent => Seen::Absent,
            Self::Row(observed) => Seen::Row(&observed.row),
        }
    }

    pub(crate) fn row(&self) -> Option<&Observed> {
        match self {
            Self::Row(observed) => Some(observed),
            _ => None,
        }
    }
}

/// The work on a pair.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    /// The key of the pair.
    pub(crate) pair: PairKey,
    /// The link, its bases in the order of the map's lines.
    pub(crate) link: Option<Link>,
    /// The marks of both records, resting ones among them.
    pub(crate) marks: [Option<Mark>; 2],
    /// What is known of both sides.
    pub(crate) sights: [Sight; 2],
    /// Up to which generation of its mark each side's sight counts.
    pub(crate) counts_to: [u64; 2],
    /// The side whose key flows to the other, while the two hold different ones.
    pub(crate) key_from: Option<Side>,
    /// A read may be older than what was last seen or written: a later one is waited for.
    pub(crate) read_again_at: Option<Moment>,
}

impl Task {
    pub(crate) fn new(pair: PairKey, link: Option<Link>) -> Self {
        Self {
            pair,
            link,
            marks: [None, None],
            sights: [Sight::Unknown, Sight::Unknown],
            counts_to: [0, 0],
            key_from: None,
            read_again_at: None,
        }
    }

    /// Takes what a read sent at `read` found on a side.
    pub(crate) fn see(&mut self, side: Side, sight: Sight, read: u64) {
        self.sights[side.index()] = sight;
        self.counts_to[side.index()] = read;
    }

    /// The version that a write to this side is guarded by.
    pub(crate) fn version(&self, side: Side) -> Option<&Version> {
        match &self.sights[side.index()] {
            Sight::Row(observed) => observed.version.as_ref(),
            Sight::Base => self.link.as_ref()?.sides[side.index()].version.as_ref(),
            Sight::Unknown | Sight::Absent => None,
        }
    }

    /// What a person said of it.
    pub(crate) fn word(&self) -> Option<Word> {
        self.marks.iter().flatten().find_map(|mark| mark.word)
    }
}

/// What a batch has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Marks or pairs that were worked on.
    pub(crate) worked: u64,
    /// Pairs that met.
    pub(crate) met: u64,
    /// Records updated.
    pub(crate) updated: u64,
    /// Records created, by side.
    pub(crate) created: [u64; 2],
    /// Records deleted or deactivated.
    pub(crate) removed: u64,
    /// Records refused.
    pub(crate) refused: u64,
    /// Records that wait for another.
    pub(crate) parked: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.worked += other.worked;
        self.met += other.met;
        self.updated += other.updated;
        self.created[0] += other.created[0];
        self.created[1] += other.created[1];
        self.removed += other.removed;
        self.refused += other.refused;
        self.parked += other.parked;
    }
}

impl Runtime {
    /// Whether neither system may be written to.
    pub(crate) fn is_read_only(&self) -> bool {
        self.steering.readonly.load(Ordering::Relaxed)
            && !self.options.rules.broken(Mistake::ReadonlyIgnored)
    }

    /// Works on one batch of a map's marks; says what it did, nothing if there was nothing to do.
    pub(crate) async fn apply_batch(&self, map: &MapRun) -> Result<Tally, SyncError> {
        let idle = self.store.map_status(map.id).await?.mode != MapMode::Running;
        if idle || self.is_read_only() {
            return Ok(Tally::default());
        }
        let _border = self.steering.border.read().await;
        let blocked = self.settle(map).await?;
        let marks = self
            .store
            .due_marks(map.id, self.now(), self.options.batch)
            .await?;
        if marks.is_empty() {
            return Ok(Tally::default());
        }
        self.pass_over(map, marks, &blocked).await
    }

    /// Works on these marks alone, where no loop works on others.
    pub(crate) async fn apply_marks(&self, map: &MapRun, ids: &[MarkId]) -> Result<(), SyncError> {
        let blocked = self.settle(map).await?;
        let mut marks = Vec::new();
        for id in ids {
            let records = std::slice::from_ref(&id.record);
            let of_side = self.store.marks_of(map.id, id.side, records).await?;
            marks.extend(of_side.into_iter().flatten());
        }
        self.pass_over(map, marks, &blocked).await?;
        Ok(())
    }

    async fn pass_over(
        &self,
        map: &MapRun,
        marks: Vec<Mark>,
        blocked: &BTreeMap<PairKey, Moment>,
    ) -> Result<Tally, SyncError> {
        let worked = marks.len() as u64;
        let tasks = self.gather(map, marks, blocked).await?;
        let mut tally = self
            .work(map, tasks, dwmap_connect::WriteMode::Live)
            .await?;
        tally.worked = worked;
        Ok(tally)
    }
}
