//! Finance & Operations, by its `/data` OData service.
//!
//! That service tracks no changes. They are found through the entity's virtual table in a linked Dataverse
//! environment, or by sweeps; data events only make the next look happen at once.

mod changes;
mod describe;
mod hook;
mod read;
mod write;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use dwmap_connect::{
    Abilities, Budget, ChangeFeed, ChangePage, ConnectError, Connector, Cursor, Keys, LiveEntity,
    Outcome, Page, PageToken, Refusal, Row, Since, Write, WriteMode,
};
use dwmap_plan::{Predicate, Query, Repr};
use futures_util::future;

use crate::odata::Service;
use crate::odata::batch::{self, Job};
use crate::{Auth, Dataverse, Hooks, Limits, SetupError};

/// The path of the OData service below a host.
const PATH: &str = "data/";

/// How a Finance & Operations environment is reached.
#[derive(Clone)]
pub struct FinopsConfig {
    /// The system's name in the manifest, for messages.
    pub name: String,
    /// The environment's address: `https://contoso.operations.dynamics.com`.
    pub url: String,
    /// Who asks.
    pub auth: Auth,
    /// What the system allows.
    pub limits: Limits,
    /// The linked Dataverse environment, whose virtual tables track changes.
    pub changes_via: Option<Arc<Dataverse>>,
    /// Sets whose entities can't be tracked there (outer joins, ranges, more than ten data sources): they are swept.
    pub untracked: BTreeSet<String>,
    /// Where its data events arrive; without them changes are found by looking.
    pub hooks: Option<Hooks>,
}

impl FinopsConfig {
    /// An environment that wants no token, with the published limits and no linked Dataverse.
    pub fn new(name: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            url: url.into(),
            auth: Auth::None,
            limits: Limits::finops(),
            changes_via: None,
            untracked: BTreeSet::new(),
            hooks: None,
        }
    }
}

/// A Finance & Operations environment.
pub struct Finops {
    service: Service,
    changes_via: Option<Arc<Dataverse>>,
    untracked: BTreeSet<String>,
    hooks: Option<Hooks>,
}

impl Finops {
    /// Prepares the connection; nothing is sent yet.
    pub fn connect(config: FinopsConfig) -> Result<Arc<Self>, SetupError> {
        let service = Service::new(&config.name, &config.url, PATH, &config.auth, config.limits)?;
        Ok(Arc::new(Self {
            service,
            changes_via: config.changes_via,
            untracked: config.untracked,
            hooks: config.hooks,
        }))
    }

    /// The environment through which an entity's changes are read, if they can be.
    fn tracker(&self, query: &Query) -> Option<&Arc<Dataverse>> {
        let address = &query.address;
        // The option values of a virtual table aren't the members' own, so an enum in the key can't be told there.
        let has_enum = address
            .key
            .iter()
            .any(|(_, r)| matches!(r, Repr::EnumName(_)));
        let trackable =
            !address.physical.is_empty() && !has_enum && !self.untracked.contains(&address.set);
        self.changes_via.as_ref().filter(|_| trackable)
    }

    /// Hooks that name this entity mean somebody.
    fn watch(&self, query: &Query) {
        if let Some(hooks) = &self.hooks {
            hooks.watch(&query.address.physical, &query.address.set);
        }
    }
}

#[async_trait]
impl Connector for Finops {
    fn name(&self) -> &str {
        self.service.system()
    }

    fn abilities(&self, query: &Query) -> Abilities {
        Abilities {
            changes: match self.tracker(query) {
                Some(_) => ChangeFeed::Tracked,
                None => ChangeFeed::Sweep,
            },
            guards_versions: true,
            business_logic: true,
            folds_keys: true,
        }
    }

    fn budget(&self) -> Budget {
        self.service.limits().budget()
    }

    async fn scan(
        &self,
        query: &Query,
        extra: Option<&Predicate>,
        from: Option<&PageToken>,
    ) -> Result<Page, ConnectError> {
        read::scan(&self.service, query, extra, from).await
    }

    async fn changes(
        &self,
        query: &Query,
        cursor: Option<&Cursor>,
    ) -> Result<ChangePage, ConnectError> {
        self.watch(query);
        match self.tracker(query) {
            Some(dataverse) => changes::changes(dataverse.service(), Since { query, cursor }).await,
            None => Err(ConnectError::Refused {
                system: self.service.system().to_owned(),
                what: format!("read the changes of {}", query.address.set),
                refusal: Refusal {
                    code: "untracked".to_owned(),
                    message: "it has no change feed; its changes are found by a sweep".to_owned(),
                    field: None,
                },
            }),
        }
    }

    async fn changes_of_each(&self, since: &[Since<'_>]) -> Vec<Result<ChangePage, ConnectError>> {
        let tracked = |since: &Since<'_>| self.tracker(since.query).is_some();
        let Some(dataverse) = self
            .changes_via
            .as_ref()
            .filter(|_| since.iter().all(tracked))
        else {
            // Each entity says for itself why it can't be asked.
            let each = since
                .iter()
                .map(|since| self.changes(since.query, since.cursor));
            return future::join_all(each).await;
        };
        for Since { query, .. } in since {
            self.watch(query);
        }
        changes::changes_of_each(dataverse.service(), since).await
    }

    async fn fetch(&self, query: &Query, keys: &Keys) -> Result<Vec<Row>, ConnectError> {
        read::fetch(&self.service, query, keys).await
    }

    async fn write(&self, query: &Query, writes: &[Write], mode: WriteMode) -> Vec<Outcome> {
        let mut outcomes = vec![None; writes.len()];
        let jobs = writes
            .iter()
            .enumerate()
            .map(|(at, write)| Job { at, write });
        let jobs: Vec<Job<'_>> = jobs.collect();
        let rows = write::Rows::of(mode);
        batch::write(&self.service, &rows, query, &jobs, &mut outcomes).await;
        crate::odata::outcome::all(outcomes)
    }

    async fn describe(
        &self,
        queries: &[Query],
    ) -> Result<Option<Vec<Option<LiveEntity>>>, ConnectError> {
        describe::describe(self, queries).await.map(Some)
    }

    async fn wake(&self) -> Vec<String> {
        crate::wake::wait(self.hooks.as_ref()).await
    }

    fn tells(&self) -> bool {
        self.hooks.as_ref().is_some_and(Hooks::are_registered)
    }
}
