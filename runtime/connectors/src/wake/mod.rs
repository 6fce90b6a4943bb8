//! Hooks: webhooks of Dataverse and data events of Finance & Operations, which say *look now*.
//!
//! A hook carries nothing but the name of an entity: what changed is read from the change feed, so that a hook that
//! is lost, forged or late costs latency only.

mod server;
mod target;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

pub(crate) use server::KEY_HEADER;
pub use server::{HookError, HookServer};
pub use target::HookTarget;

/// The hooks of one system, as its connector waits for them.
#[derive(Clone, Default)]
pub struct Hooks(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Default)]
struct State {
    /// Sets by the internal names of their entities, in lower case, for those whose changes somebody reads.
    sets: HashMap<String, String>,
    /// Sets that a hook named since they were last asked for.
    pending: BTreeSet<String>,
    /// The system has been told to post.
    registered: bool,
}

impl std::fmt::Debug for Hooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hooks")
    }
}

/// The prefix of the virtual tables of Finance & Operations, under which its data events may name an entity.
const VIRTUAL: &str = "mserp_";

impl Hooks {
    fn state(&self) -> MutexGuard<'_, State> {
        // What a panic could leave behind is a missing name: a hint that is lost.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody reads the changes of this entity.
    pub(crate) fn watch(&self, physical: &str, set: &str) {
        let mut state = self.state();
        for name in [physical, set] {
            let name = name.to_lowercase();
            state.sets.entry(name).or_insert_with(|| set.to_owned());
        }
    }

    /// The system has been told to post hooks of all entities that are mapped.
    pub(crate) fn registered(&self) {
        self.state().registered = true;
    }

    /// Whether the system has been told to post.
    pub(crate) fn are_registered(&self) -> bool {
        self.state().registered
    }

    /// A hook named this entity. An entity that nobody reads is passed over.
    fn arrived(&self, entity: &str) {
        let name = entity.to_lowercase();
        let mut state = self.state();
        let set = state
            .sets
            .get(&name)
            .or_else(|| state.sets.get(name.strip_prefix(VIRTUAL)?))
            .cloned();
        if let Some(set) = set {
            state.pending.insert(set);
            drop(state);
            self.0.arrived.notify_one();
        }
    }

    /// Waits for hooks; gives the sets that they named, each once.
    async fn wait(&self) -> Vec<String> {
        loop {
            let pending = std::mem::take(&mut self.state().pending);
            if !pending.is_empty() {
                return pending.into_iter().collect();
            }
            self.0.arrived.notified().await;
        }
    }
}

/// Waits for hooks, for ever where there are none.
pub(crate) async fn wait(hooks: Option<&Hooks>) -> Vec<String> {
    match hooks {
        Some(hooks) => hooks.wait().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn hooks_are_gathered_and_named_by_set() {
        let hooks = Hooks::default();
        hooks.watch("account", "accounts");
        hooks.watch("CustCustomerV3Entity", "CustomersV3");
        for entity in [
            "account",
            "account",
            "mserp_custcustomerv3entity",
            "nobody_reads_this",
        ] {
            hooks.arrived(entity);
        }
        assert_eq!(hooks.wait().await, ["CustomersV3", "accounts"]);
    }

    #[tokio::test]
    async fn a_hook_wakes_who_waits() {
        let hooks = Hooks::default();
        hooks.watch("account", "accounts");
        let waiting = tokio::spawn({
            let hooks = hooks.clone();
            async move { hooks.wait().await }
        });
        tokio::task::yield_now().await;
        hooks.arrived("Account");
        assert_eq!(waiting.await.unwrap(), ["accounts"]);
    }
}
