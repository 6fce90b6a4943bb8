//! Steering: what people ask of the one process that works on a state, by map, by error and by record.
//!
//! There is one way in, a [`Request`]. Where no process works, the command that asks does it itself; beside one that
//! works, it leaves the request in the state ([`Desk`](crate::state::Desk)), and that process answers it between two
//! batches. So what is asked never meets a pass that has the same record in hand.

mod deploy;
mod errors;
mod link;
mod maps;
mod records;
mod repair;

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::error::SyncError;
use crate::runtime::Runtime;
use crate::state::{Change, Posted};

pub use errors::{ErrorEntry, ErrorFilter, ErrorGroup};

/// Something that is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Stop working on maps; their changes are kept.
    Pause {
        /// The maps.
        maps: Vec<String>,
    },
    /// Go on with maps that were paused, or held by the brake.
    Resume {
        /// The maps.
        maps: Vec<String>,
    },
    /// Load maps anew: every record meets its partner once more.
    Reload {
        /// The maps.
        maps: Vec<String>,
    },
    /// Let go what the brake holds.
    Approve {
        /// The maps.
        maps: Vec<String>,
    },
    /// Give up what the brake holds: deletes don't go across, a load isn't begun.
    Discard {
        /// The maps.
        maps: Vec<String>,
    },
    /// Write to neither system, or write again.
    Readonly {
        /// Whether nothing is written.
        on: bool,
    },
    /// Try errors again.
    RetryErrors {
        /// Which.
        errors: ErrorFilter,
    },
    /// Give errors up, with a reason for the log.
    DiscardErrors {
        /// Which.
        errors: ErrorFilter,
        /// Why they need nothing more.
        reason: String,
    },
    /// Do nothing about a record until it is released.
    Hold {
        /// The record.
        record: RecordName,
        /// Why.
        reason: String,
    },
    /// Go on with a record that was held.
    Release {
        /// The record.
        record: RecordName,
    },
    /// Bring a record in order now.
    Sync {
        /// The record.
        record: RecordName,
        /// The system whose values win, whatever the policies say.
        from: Option<String>,
    },
    /// Forget that two records are a pair; both stay.
    Unlink {
        /// The record.
        record: RecordName,
    },
    /// Pair two records that nothing else pairs.
    Link {
        /// The map.
        map: String,
        /// The left side's record: its own key there, or its key in the map.
        left: String,
        /// The right side's.
        right: String,
    },
    /// Look at records once more, though nothing told of them.
    Backfill {
        /// The map.
        map: String,
        /// Lines, by either path, that meet for the first time once more; no line does if empty.
        lines: Vec<String>,
        /// Records by their keys; all linked ones if empty.
        keys: Vec<String>,
    },
    /// Mend what differs between both sides, and what nothing told of.
    Repair {
        /// The maps; all if none is named.
        maps: Vec<String>,
        /// The system whose values win; where none is named, the maps' policies say.
        prefer: Option<String>,
    },
    /// Go on with another plan, from the next batch on.
    Deploy {
        /// The compiled plan's file.
        plan: PathBuf,
    },
}

/// A record as people name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordName {
    /// The map.
    pub map: String,
    /// The values of its key as on the left side, the company first where there is one; it may be left out.
    pub key: String,
}

/// What came of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What was done, a line for people each.
    pub said: Vec<String>,
    /// Why it can't be done.
    pub refused: Option<String>,
}

impl Answer {
    /// Something was done.
    pub(crate) fn of(said: impl Into<String>) -> Self {
        Self {
            said: vec![said.into()],
            refused: None,
        }
    }
}

/// What people steer a runtime by.
#[derive(Debug, Default)]
pub(crate) struct Steering {
    /// Held for reading by a batch from its first look at links to its last commit: who holds it for writing is at a
    /// border, where no pass has any record in hand.
    pub(crate) border: tokio::sync::RwLock<()>,
    /// Neither system is written to.
    pub(crate) readonly: AtomicBool,
    /// A map's load may be due, or something else that rests may go on.
    pub(crate) steered: Notify,
    /// The plan that a person deployed, for which the run ends.
    next_plan: Mutex<Option<PathBuf>>,
}

/// How long an answer is kept for whoever asked.
const ANSWER_KEPT: Duration = Duration::from_secs(3_600);

/// Who does what is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doer {
    /// A process that came for it alone.
    Alone,
    /// One that works on everything.
    Running,
}

impl Doer {
    /// When work that is due now is done.
    const fn goes_on(self) -> &'static str {
        match self {
            Self::Alone => "the next `dwmap run` or `dwmap sync --once` goes on",
            Self::Running => "the running process goes on",
        }
    }
}

impl Runtime {
    /// Does what is asked, where no other process works on the state. A plan isn't deployed so: there is nothing that
    /// would change over.
    pub async fn serve(&self, request: &Request) -> Result<Answer, SyncError> {
        self.answer(request, Doer::Alone).await
    }

    /// What a person asked for that can't be done is an answer; what ends a run is an error.
    async fn answer(&self, request: &Request, doer: Doer) -> Result<Answer, SyncError> {
        match self.attend(request, doer).await {
            Err(error @ (SyncError::NoMap { .. } | SyncError::Impossible(_))) => Ok(Answer {
                refused: Some(error.to_string()),
                ..Answer::default()
            }),
            Err(error) if error.is_transient() => Ok(Answer {
                refused: Some(format!("{error}; ask again later")),
                ..Answer::default()
            }),
            other => other,
        }
    }

    async fn attend(&self, request: &Request, doer: Doer) -> Result<Answer, SyncError> {
        match request {
            Request::Pause { maps } => self.each(maps, doer, Self::pause_map).await,
            Request::Resume { maps } => self.each(maps, doer, Self::resume_map).await,
            Request::Reload { maps } => self.each(maps, doer, Self::reload_map).await,
            Request::Approve { maps } => self.each(maps, doer, Self::approve_map).await,
            Request::Discard { maps } => self.each(maps, doer, Self::discard_map).await,
            Request::Readonly { on } => self.set_readonly(*on).await,
            Request::RetryErrors { errors } => self.retry_errors(errors, doer).await,
            Request::DiscardErrors { errors, reason } => self.discard_errors(errors, reason).await,
            Request::Hold { record, reason } => self.hold(record, reason).await,
            Request::Release { record } => self.release(record, doer).await,
            Request::Sync { record, from } => self.sync_record(record, from.as_deref(), doer).await,
            Request::Unlink { record } => self.unlink(record).await,
            Request::Link { map, left, right } => self.link(map, [left, right], doer).await,
            Request::Backfill { map, lines, keys } => self.backfill(map, lines, keys, doer).await,
            Request::Repair { maps, prefer } => self.repair(maps, prefer.as_deref(), doer).await,
            Request::Deploy { plan } => self.deploy(plan).await,
        }
    }

    /// Answers what is asked of a process that runs, until a request ends it.
    pub(crate) async fn serve_loop(&self, every: Duration) -> Result<(), SyncError> {
        // An answer that nobody has fetched for so long isn't waited for any more.
        let forgotten = Change::ForgetRequests(self.date().minus(ANSWER_KEPT));
        self.store.commit(vec![forgotten]).await?;
        loop {
            for Posted { id, request } in self.store.requests().await? {
                self.store.commit(vec![Change::TakeUp(id)]).await?;
                let answer = match serde_json::from_str(&request) {
                    Ok(request) => self.answer(&request, Doer::Running).await?,
                    Err(error) => Answer {
                        refused: Some(format!(
                            "the running process doesn't understand what was asked ({error}); \
                             both must be of one version of dwmap"
                        )),
                        ..Answer::default()
                    },
                };
                let answer = serde_json::to_string(&answer).unwrap_or_default();
                self.store.commit(vec![Change::Answer(id, answer)]).await?;
                if self.is_replaced() {
                    self.at_border().await;
                    return Ok(());
                }
            }
            self.clock.sleep(every).await;
        }
    }
}
