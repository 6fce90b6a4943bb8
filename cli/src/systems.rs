//! Builds the connectors that a manifest describes, and binds them to the schemas of a plan.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use dwmap_config::{Auth, ConfigError, Kind, Manifest, System};
use dwmap_connect::Connector;
use dwmap_connectors::{
    Auth as Credentials, Dataverse, DataverseConfig, Finops, FinopsConfig, HookServer, HookTarget,
    Hooks, Limits, Secret, SetupError,
};
use dwmap_plan::{Address, Plan};
use tokio::task::JoinSet;

use crate::exit::Failure;
use crate::registration::{Registration, Source};
use crate::unasked::Unasked;

/// The systems of a plan, in its order, and the listeners for their hooks.
pub(crate) struct Systems {
    /// One for each of the plan's systems.
    pub(crate) connectors: Vec<Arc<dyn Connector>>,
    /// Keeps the listeners alive.
    pub(crate) hooks: Listeners,
}

/// The listeners for hooks, by their addresses, and the registrations that are under way.
#[derive(Default)]
pub(crate) struct Listeners {
    servers: BTreeMap<SocketAddr, HookServer>,
    registrations: JoinSet<()>,
}

/// What a command needs of the systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Their names: the state answers.
    Names,
    /// To ask and write.
    Answers,
    /// That they tell of changes by hooks too, which is of use to a process that stays.
    Hooks,
}

/// Connects to every system that the plan needs. Nothing is sent yet, but for hooks that are registered meanwhile.
pub(crate) async fn connect(
    manifest: &Manifest,
    plan: &Plan,
    need: Need,
) -> Result<Systems, Failure> {
    let mut builder = Builder {
        manifest,
        need,
        dataverse: BTreeMap::new(),
        hooks: Listeners::default(),
    };
    let mut connectors = Vec::with_capacity(plan.systems.len());
    for (index, system) in plan.systems.iter().enumerate() {
        let found = bound(manifest, &system.binding)?;
        connectors.push(match need {
            Need::Names => Arc::new(Unasked(found.name.clone())),
            Need::Answers | Need::Hooks => builder.connector(found, &entities(plan, index)).await?,
        });
    }
    Ok(Systems {
        connectors,
        hooks: builder.hooks,
    })
}

/// The entities of a system that the plan's maps touch, each once.
fn entities(plan: &Plan, system: usize) -> Vec<&Address> {
    let sides = plan.maps.iter().flat_map(|map| &map.sides);
    let of_system = sides.filter(|side| usize::from(side.system) == system);
    let by_set: BTreeMap<&str, &Address> = of_system
        .map(|side| (side.changes.address.set.as_str(), &side.changes.address))
        .collect();
    by_set.into_values().collect()
}

/// The manifest's system whose schema this is.
fn bound<'a>(manifest: &'a Manifest, binding: &str) -> Result<&'a System, Failure> {
    let mut found = manifest.systems.iter().filter(|s| s.schema == binding);
    match (found.next(), found.next()) {
        (Some(system), None) => Ok(system),
        (None, _) => Err(Failure::Configuration(format!(
            "no system of the manifest has the schema {binding}, which the maps need; \
             add a [systems.NAME] with schema = \"{binding}\""
        ))),
        (Some(one), Some(two)) => Err(Failure::Configuration(format!(
            "{}: [systems.{}] and [systems.{}] both have the schema {binding}; \
             maps could mean either, so give each a schema of its own",
            two.place, one.name, two.name
        ))),
    }
}

struct Builder<'a> {
    manifest: &'a Manifest,
    need: Need,
    /// Dataverse environments by name: an ERP's changes are read through one.
    dataverse: BTreeMap<String, Arc<Dataverse>>,
    hooks: Listeners,
}

impl Builder<'_> {
    async fn connector(
        &mut self,
        system: &System,
        entities: &[&Address],
    ) -> Result<Arc<dyn Connector>, Failure> {
        match system.kind {
            Kind::Dataverse => {
                let dataverse = self.dataverse(system).await?;
                self.register(system, Source::Dataverse(dataverse.clone()), entities)?;
                Ok(dataverse)
            }
            Kind::Finops => {
                let finops = self.finops(system).await?;
                self.register(system, Source::Finops(finops.clone()), entities)?;
                Ok(finops)
            }
        }
    }

    /// Has a system's hooks registered, where there is a listener for them.
    fn register(
        &mut self,
        system: &System,
        source: Source,
        entities: &[&Address],
    ) -> Result<(), Failure> {
        if let Some(target) = self.target(system)? {
            let registration = Registration {
                system: system.name.clone(),
                source,
                target,
                entities: entities.iter().copied().cloned().collect(),
            };
            self.hooks.registrations.spawn(registration.persist());
        }
        Ok(())
    }

    /// What a system is told about our listener, where there is one for it.
    fn target(&self, system: &System) -> Result<Option<HookTarget>, Failure> {
        let Some(hooks) = &system.hooks else {
            return Ok(None);
        };
        let Some(server) = self.hooks.servers.get(&hooks.listen) else {
            return Ok(None);
        };
        let url = hooks
            .url
            .as_ref()
            .map(|url| url.resolve(&self.manifest.root));
        let url = url.transpose().map_err(config)?;
        let name = format!("dwmap {}", self.manifest.project.name);
        Ok(Some(server.target(name, &system.name, url.as_deref())))
    }

    async fn dataverse(&mut self, system: &System) -> Result<Arc<Dataverse>, Failure> {
        if let Some(known) = self.dataverse.get(&system.name) {
            return Ok(Arc::clone(known));
        }
        let config = DataverseConfig {
            auth: self.credentials(system)?,
            limits: limits(Limits::dataverse(), system),
            hooks: self.hooks(system).await?,
            ..DataverseConfig::new(&system.name, self.url(system)?)
        };
        let connector = Dataverse::connect(config).map_err(setup)?;
        self.dataverse
            .insert(system.name.clone(), Arc::clone(&connector));
        Ok(connector)
    }

    async fn finops(&mut self, system: &System) -> Result<Arc<Finops>, Failure> {
        let changes_via = match &system.changes {
            // That the name is one of a Dataverse environment was checked when the manifest was read.
            Some(changes) => match self.manifest.system(&changes.via) {
                Some(via) => Some(self.dataverse(via).await?),
                None => None,
            },
            None => None,
        };
        let config = FinopsConfig {
            auth: self.credentials(system)?,
            limits: limits(Limits::finops(), system),
            hooks: self.hooks(system).await?,
            changes_via,
            ..FinopsConfig::new(&system.name, self.url(system)?)
        };
        Finops::connect(config).map_err(setup)
    }

    fn url(&self, system: &System) -> Result<String, Failure> {
        system.base_url(&self.manifest.root).map_err(config)
    }

    fn credentials(&self, system: &System) -> Result<Credentials, Failure> {
        let Auth::ClientCredentials(given) = &system.auth else {
            return Ok(Credentials::None);
        };
        let root = &self.manifest.root;
        let authority = match &given.authority {
            Some(authority) => authority.resolve(root).map_err(config)?,
            None => Credentials::MICROSOFT.to_owned(),
        };
        Ok(Credentials::ClientCredentials {
            authority,
            tenant: given.tenant.resolve(root).map_err(config)?,
            client_id: given.client_id.resolve(root).map_err(config)?,
            secret: Secret::new(given.secret.resolve(root).map_err(config)?.expose()),
        })
    }

    async fn hooks(&mut self, system: &System) -> Result<Option<Hooks>, Failure> {
        let (Some(hooks), Need::Hooks) = (&system.hooks, self.need) else {
            return Ok(None);
        };
        if !self.hooks.servers.contains_key(&hooks.listen) {
            let key = match &hooks.key {
                Some(key) => {
                    Secret::new(key.resolve(&self.manifest.root).map_err(config)?.expose())
                }
                None => Secret::random(),
            };
            let server = HookServer::bind(hooks.listen, key)
                .await
                .map_err(|e| Failure::Configuration(e.to_string()))?;
            self.hooks.servers.insert(hooks.listen, server);
        }
        Ok(self
            .hooks
            .servers
            .get(&hooks.listen)
            .map(|server| server.hooks(&system.name)))
    }
}

fn limits(published: Limits, system: &System) -> Limits {
    Limits {
        execution_max: system.execution_max,
        lag_max: system.lag_max,
        ..published
    }
}

fn config(error: ConfigError) -> Failure {
    Failure::Configuration(error.to_string())
}

fn setup(error: SetupError) -> Failure {
    Failure::Configuration(error.to_string())
}
