//! Has systems post hooks to us. One that can't be asked now is asked again: until then its changes are found by
//! looking, so that this costs time and no change.

use std::sync::Arc;
use std::time::Duration;

use dwmap_connect::ConnectError;
use dwmap_connectors::{Dataverse, Finops, HookTarget};
use dwmap_plan::Address;

/// The first wait after a registration that failed; each is twice the one before.
const WAIT_FIRST: Duration = Duration::from_secs(1);
/// The longest.
const WAIT_MAX: Duration = Duration::from_secs(300);

/// The hooks of one system.
pub(crate) struct Registration {
    /// The system's name.
    pub(crate) system: String,
    /// The system.
    pub(crate) source: Source,
    /// Where it shall post.
    pub(crate) target: HookTarget,
    /// The entities of whose changes it shall tell.
    pub(crate) entities: Vec<Address>,
}

/// A system that can be asked for hooks.
pub(crate) enum Source {
    /// By service endpoints and steps.
    Dataverse(Arc<Dataverse>),
    /// By data events.
    Finops(Arc<Finops>),
}

impl Registration {
    /// Tries until it succeeds, or until the system has said that it never will. Tells of the first failure alone.
    pub(crate) async fn persist(self) {
        let mut wait = WAIT_FIRST;
        while let Err(error) = self.attempt().await {
            if wait == WAIT_FIRST {
                tracing::warn!("{error}; changes in {} are found by looking", self.system);
            }
            if matches!(error, ConnectError::Refused { .. }) {
                return;
            }
            tokio::time::sleep(wait.max(error.retry_after().unwrap_or_default())).await;
            wait = (wait * 2).min(WAIT_MAX);
        }
        tracing::info!("{} tells of its changes by hooks", self.system);
    }

    async fn attempt(&self) -> Result<(), ConnectError> {
        let entities: Vec<&Address> = self.entities.iter().collect();
        match &self.source {
            Source::Dataverse(system) => system.register_hooks(&self.target, &entities).await,
            Source::Finops(system) => system.subscribe_data_events(&self.target, &entities).await,
        }
    }
}
