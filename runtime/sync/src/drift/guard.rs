//! When drift is looked for, and how work goes on around it.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::time::Duration;

use dwmap_connect::ConnectError;
use futures_util::future::{self, Either};

use super::{Finding, LiveSystem, Stops};
use crate::error::SyncError;
use crate::runtime::Runtime;

/// How soon it is looked for again where a system couldn't be asked, or where a write was refused as one to a field
/// that isn't there.
const SOON: Duration = Duration::from_secs(15);

/// What is known of drift.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Drift {
    /// What hurts; of systems that can't be asked, what was known before.
    pub(crate) findings: Vec<Finding>,
    /// Systems that couldn't be asked, by their places in the plan.
    pub(crate) unknown: BTreeSet<usize>,
    /// Some system told what lives in it.
    pub(crate) told: bool,
}

impl Runtime {
    /// For questions to both systems: the runtime without the lines and maps that drift hurts, and what that is; none
    /// where nothing is hurt.
    pub async fn fitted(&self) -> Result<Option<(Self, Vec<Finding>)>, SyncError> {
        let findings = self.drift().await?;
        if findings.is_empty() {
            return Ok(None);
        }
        let whole = findings.iter().filter(|f| f.stops == Stops::Map);
        let left_out = whole.map(|f| f.at.0).collect();
        let fitted = self.without(findings.clone(), left_out).await?;
        Ok(Some((fitted, findings)))
    }

    /// Works once, around what drift hurts.
    pub(crate) async fn sync_once_fitted(&self) -> Result<(), SyncError> {
        let Some(mut findings) = self.drift_if_told().await? else {
            return self.sync_once_through().await;
        };
        loop {
            let fitted = Fitted::of(self, &findings).await?;
            fitted.tell_drift(&BTreeSet::new()).await?;
            let Err(error) = fitted.sync_once_through().await else {
                return Ok(());
            };
            if !may_be_drift(&error) {
                return Err(error);
            }
            let found = self.drift().await?;
            if found == findings {
                return Err(error);
            }
            findings = found;
        }
    }

    /// Works for ever, around what drift hurts. When that is found to be something else than before, work begins anew
    /// without it, at a batch's border.
    pub(crate) async fn run_fitted(&self) -> Result<(), SyncError> {
        let mut drift = self.drift_after(&Drift::default()).await;
        if !drift.told && drift.unknown.is_empty() {
            return self.run_for_ever().await;
        }
        loop {
            let fitted = Fitted::of(self, &drift.findings).await?;
            fitted.tell_drift(&drift.unknown).await?;
            let ended = {
                let work = fitted.run_for_ever();
                let watch = self.until_drift(&fitted, drift.clone());
                futures_util::pin_mut!(work, watch);
                match future::select(work, watch).await {
                    Either::Left((ended, _)) => ended,
                    Either::Right((found, _)) => {
                        drift = found?;
                        continue;
                    }
                }
            };
            match ended {
                Err(error) if may_be_drift(&error) => {
                    let found = self.drift_after(&drift).await;
                    if found.findings == drift.findings {
                        return Err(error);
                    }
                    drift = found;
                }
                ended => return ended,
            }
        }
    }

    /// Looks at intervals, and when a refusal gives reason to, until something else hurts than before.
    async fn until_drift(&self, fitted: &Self, mut known: Drift) -> Result<Drift, SyncError> {
        loop {
            let wait = if known.unknown.is_empty() {
                self.options.drift_every
            } else {
                SOON.min(self.options.drift_every)
            };
            {
                let sleep = self.clock.sleep(wait);
                let suspected = fitted.suspected.notified();
                futures_util::pin_mut!(sleep, suspected);
                future::select(sleep, suspected).await;
            }
            let found = self.drift_after(&known).await;
            if found.findings != known.findings {
                fitted.at_border().await;
                return Ok(found);
            }
            if found.unknown != known.unknown {
                fitted.tell_drift(&found.unknown).await?;
                known = found;
            }
            // Many refusals in a row are one reason to look.
            self.clock.sleep(SOON.min(self.options.drift_every)).await;
        }
    }

    /// What hurts; none where no system can tell what lives in it.
    async fn drift_if_told(&self) -> Result<Option<Vec<Finding>>, SyncError> {
        let live: Result<Vec<LiveSystem>, ConnectError> = self.live().await.into_iter().collect();
        let live = live?;
        let is_told = live.iter().any(|told| !told.is_empty());
        Ok(is_told.then(|| self.held_against(&live)))
    }

    /// What is known now, after what was known before.
    async fn drift_after(&self, known: &Drift) -> Drift {
        let mut unknown = BTreeSet::new();
        let mut live = Vec::with_capacity(self.systems.len());
        for (system, told) in self.live().await.into_iter().enumerate() {
            live.push(told.unwrap_or_else(|error| {
                tracing::info!(%error, "what lives there can't be asked now");
                unknown.insert(system);
                LiveSystem::new()
            }));
        }
        let mut findings = self.held_against(&live);
        let before = known.findings.iter();
        findings.extend(before.filter(|f| unknown.contains(&f.at.2)).cloned());
        findings.sort_by_key(|f| (f.at, f.wrong, f.field.clone()));
        Drift {
            told: live.iter().any(|told| !told.is_empty()),
            findings,
            unknown,
        }
    }
}

/// A runtime that fits what lives: the given one, where nothing hurts.
enum Fitted<'a> {
    Given(&'a Runtime),
    Made(Box<Runtime>),
}

impl<'a> Fitted<'a> {
    async fn of(given: &'a Runtime, findings: &[Finding]) -> Result<Self, SyncError> {
        Ok(if findings.is_empty() {
            Self::Given(given)
        } else {
            Self::Made(Box::new(
                given.without(findings.to_vec(), BTreeSet::new()).await?,
            ))
        })
    }
}

impl Deref for Fitted<'_> {
    type Target = Runtime;

    fn deref(&self) -> &Runtime {
        match self {
            Self::Given(runtime) => runtime,
            Self::Made(runtime) => runtime,
        }
    }
}

/// What a system refuses as a whole may be a request for something that isn't there any more.
const fn may_be_drift(error: &SyncError) -> bool {
    matches!(error, SyncError::Connect(ConnectError::Refused { .. }))
}

/// Whether a refusal of a write speaks of a field that isn't there, or no longer as it was.
pub(crate) fn is_schema_shaped(refusal: &dwmap_connect::Refusal) -> bool {
    /// Of both services' OData libraries, and of Dataverse's own checks.
    const WORDS: [&str; 7] = [
        "undeclared property",
        "property named",
        "does not exist on type",
        "doesn't contain attribute",
        "invalid property",
        "exceeds the maximum",
        "longer than",
    ];
    let message = refusal.message.to_lowercase();
    WORDS.iter().any(|words| message.contains(words))
}
