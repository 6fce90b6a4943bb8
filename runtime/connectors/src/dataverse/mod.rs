//! Dataverse, by its Web API v9.2.

mod bulk;
pub(crate) mod changes;
pub(crate) mod describe;
mod hook;
mod read;
mod write;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use dwmap_connect::{
    Abilities, Budget, ChangeFeed, ChangePage, ConnectError, Connector, Cursor, Keys, LiveEntity,
    Outcome, Page, PageToken, Row, Since, Write, WriteMode,
};
use dwmap_plan::{Predicate, Query};

use crate::odata::Service;
use crate::odata::batch::{self, Job};
use crate::{Auth, Hooks, Limits, SetupError};

/// The path of the Web API below a host.
const PATH: &str = "api/data/v9.2/";

/// How a Dataverse environment is reached.
#[derive(Debug, Clone)]
pub struct DataverseConfig {
    /// The system's name in the manifest, for messages.
    pub name: String,
    /// The environment's address: `https://contoso.crm4.dynamics.com`.
    pub url: String,
    /// Who asks.
    pub auth: Auth,
    /// What the system allows.
    pub limits: Limits,
    /// Sets of tables without change tracking: their changes are found by sweeps.
    pub untracked: BTreeSet<String>,
    /// Where its webhooks arrive; without them changes are found by looking.
    pub hooks: Option<Hooks>,
}

impl DataverseConfig {
    /// An environment that wants no token, with the published limits.
    pub fn new(name: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            url: url.into(),
            auth: Auth::None,
            limits: Limits::dataverse(),
            untracked: BTreeSet::new(),
            hooks: None,
        }
    }
}

/// A Dataverse environment.
pub struct Dataverse {
    service: Service,
    untracked: BTreeSet<String>,
    hooks: Option<Hooks>,
    /// Sets whose tables turned out to know no bulk operations.
    no_bulk: Mutex<BTreeSet<String>>,
}

impl Dataverse {
    /// Prepares the connection; nothing is sent yet.
    pub fn connect(config: DataverseConfig) -> Result<Arc<Self>, SetupError> {
        let service = Service::new(&config.name, &config.url, PATH, &config.auth, config.limits)?;
        Ok(Arc::new(Self {
            service,
            untracked: config.untracked,
            hooks: config.hooks,
            no_bulk: Mutex::default(),
        }))
    }

    pub(crate) const fn service(&self) -> &Service {
        &self.service
    }

    /// Hooks that name this entity mean somebody.
    fn watch(&self, query: &Query) {
        if let Some(hooks) = &self.hooks {
            hooks.watch(&query.address.physical, &query.address.set);
        }
    }
}

#[async_trait]
impl Connector for Dataverse {
    fn name(&self) -> &str {
        self.service.system()
    }

    fn abilities(&self, query: &Query) -> Abilities {
        Abilities {
            changes: if self.untracked.contains(&query.address.set) {
                ChangeFeed::Sweep
            } else {
                ChangeFeed::Tracked
            },
            guards_versions: true,
            // Plug-ins may, but most tables have none; roundings are storage form and agree.
            business_logic: false,
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
        changes::changes(&self.service, Since { query, cursor }).await
    }

    async fn changes_of_each(&self, since: &[Since<'_>]) -> Vec<Result<ChangePage, ConnectError>> {
        for Since { query, .. } in since {
            self.watch(query);
        }
        changes::changes_of_each(&self.service, since).await
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
        match mode {
            WriteMode::Live => {
                batch::write(&self.service, &write::Rows, query, &jobs, &mut outcomes).await;
            }
            WriteMode::Bulk => bulk::write(self, query, &jobs, &mut outcomes).await,
        }
        crate::odata::outcome::all(outcomes)
    }

    async fn describe(
        &self,
        queries: &[Query],
    ) -> Result<Option<Vec<Option<LiveEntity>>>, ConnectError> {
        let tables: Vec<_> = queries
            .iter()
            .map(|query| describe::Table::Set(&query.address.set))
            .collect();
        describe::describe(&self.service, &tables).await.map(Some)
    }

    async fn wake(&self) -> Vec<String> {
        crate::wake::wait(self.hooks.as_ref()).await
    }

    fn tells(&self) -> bool {
        self.hooks.as_ref().is_some_and(Hooks::are_registered)
    }
}
