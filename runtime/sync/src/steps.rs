//! The runtime one step at a time, for a test that explores every order in which its steps may come.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use dwmap_connect::ChangeFeed;
use dwmap_plan::Side;

use crate::capture::FeedRows;
use crate::error::SyncError;
use crate::references::Remembered;
use crate::runtime::{Runtime, SEQUENCE_BLOCK};
use crate::settle::Probed;
use crate::state::memory::{Digest, Numbered};

/// What a run holds in memory between its steps. All of it is lost with the process.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    rows: FeedRows,
    probed: Probed,
    references: Remembered,
    /// None while somebody holds it, whose own steps then tell what it is.
    unnamed_deleted: Option<u64>,
    sequence: u64,
}

impl Memory {
    /// Tells everything in it that still matters after what was told of the state, but for the next sequence number.
    pub fn digest(&self, to: &mut impl Digest) {
        // Tests run one map: its feeds are its sides.
        self.rows.digest(|feed| Side::BOTH[feed], to);
        for (map, pair, side) in &self.probed {
            to.bytes(&[map.0 as u8, side.index() as u8]);
            to.bytes(&pair.0);
        }
        self.references.digest(to);
        if let Some(number) = self.unnamed_deleted {
            to.number(Numbered::Any, number);
        }
    }
}

impl Runtime {
    /// What is in memory.
    pub fn memory(&self) -> Memory {
        let rows = self.feed_rows.lock();
        let probed = self.probed.lock();
        Memory {
            rows: rows.unwrap_or_else(PoisonError::into_inner).clone(),
            probed: probed.unwrap_or_else(PoisonError::into_inner).clone(),
            references: self.references.remembered(),
            unnamed_deleted: self.unnamed_deleted.try_lock().ok().and_then(|n| *n),
            sequence: self.sequence(),
        }
    }

    /// Goes back to what was in memory.
    pub fn recall(&self, memory: Memory) {
        let rows = self.feed_rows.lock();
        *rows.unwrap_or_else(PoisonError::into_inner) = memory.rows;
        let probed = self.probed.lock();
        *probed.unwrap_or_else(PoisonError::into_inner) = memory.probed;
        self.references.recall(memory.references);
        if let Ok(mut unnamed) = self.unnamed_deleted.try_lock() {
            *unnamed = memory.unnamed_deleted;
        }
        self.sequence.store(memory.sequence, Ordering::Relaxed);
    }

    /// The next sequence number.
    pub fn sequence(&self) -> u64 {
        self.sequence.load(Ordering::Relaxed)
    }

    /// As if the process had been killed and started again.
    pub async fn restart(&self) -> Result<(), SyncError> {
        let sequence = self.store.reserve_sequence(SEQUENCE_BLOCK).await?;
        self.recall(Memory {
            sequence,
            ..Memory::default()
        });
        self.begin().await
    }

    /// Looks once at what changed in a feed's entity.
    pub async fn look_once(&self, at: usize) -> Result<(), SyncError> {
        let feed = &self.feeds[at];
        if feed.abilities.changes == ChangeFeed::Sweep {
            self.sweep(at).await?;
        } else {
            self.look(usize::from(feed.system), &[at]).await?;
        }
        Ok(())
    }

    /// Works on one batch of the marks of a map.
    pub async fn apply(&self, map: usize) -> Result<(), SyncError> {
        self.apply_once(&self.maps[map]).await?;
        Ok(())
    }

    /// Looks for what is waited for.
    pub async fn wake(&self) -> Result<(), SyncError> {
        self.look_again().await
    }
}
