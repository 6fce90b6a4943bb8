//! Joins what a run needs: the manifest, the plan, the systems and the state.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use dwmap_config::{Manifest, StateLocation, System};
use dwmap_connect::{ConnectError, Connector};
use dwmap_plan::Plan;
use dwmap_sync::{
    Observer, Options, Runtime, Silent, SqliteStore, StateError, StateStore, SyncError, SystemClock,
};

use crate::alerts::{self, Alerts};
use crate::args::{Cli, PlanSource};
use crate::exit::{Failure, file_error};
use crate::manifest;
use crate::output::plain;
use crate::systems::{self, Listeners, Need};

/// How often a process that works looks for what people ask of it.
const SERVE_EVERY: Duration = Duration::from_millis(100);

/// A runtime that is ready to work.
pub(crate) struct Ready {
    /// The runtime.
    pub(crate) runtime: Runtime,
    /// What tells whoever is to be told.
    alerts: Option<Alerts>,
    /// The state, which another runtime may go on with.
    store: Arc<SqliteStore>,
    /// The listeners for hooks, and what registers them: they live as long as this does.
    _hooks: Listeners,
}

impl Ready {
    /// Tells whoever is to be told that the process ends by an error.
    pub(crate) fn ended(&self, error: &SyncError) {
        if let Some(alerts) = &self.alerts {
            alerts.ended(&error.to_string());
        }
    }

    /// Tells the last alerts, and gives back the state.
    pub(crate) async fn finish(self) -> Arc<SqliteStore> {
        if let Some(alerts) = self.alerts {
            alerts.finish().await;
        }
        self.store
    }
}

/// What a command does with the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// It works on it, as one process at a time may.
    Work,
    /// It only asks, which goes beside one that works.
    Ask,
}

/// What came of opening a state to work on it.
pub(crate) enum Opened {
    /// It is ours.
    Ready(Box<Ready>),
    /// The project has mistakes, which have been printed.
    Mistakes,
    /// Another process works on the state in this file.
    Busy(PathBuf),
}

/// How a run is set up beside its manifest and plan.
#[derive(Clone)]
pub(crate) struct Setup {
    /// What is done with the state.
    pub(crate) access: Access,
    /// Only these maps; all if empty.
    pub(crate) maps: Vec<String>,
    /// What is needed of the systems.
    pub(crate) need: Need,
    /// Who is told what happens.
    pub(crate) observer: Arc<dyn Observer>,
}

impl Setup {
    /// For a question to the state alone.
    pub(crate) fn question_to_state() -> Self {
        Self {
            need: Need::Names,
            ..Self::question(Vec::new())
        }
    }

    /// For a question to the systems and the state about these maps, all if empty.
    pub(crate) fn question(maps: Vec<String>) -> Self {
        Self {
            access: Access::Ask,
            maps,
            need: Need::Answers,
            observer: Arc::new(Silent),
        }
    }

    /// For work on all maps.
    pub(crate) fn work(need: Need, observer: Arc<dyn Observer>) -> Self {
        Self {
            access: Access::Work,
            maps: Vec::new(),
            need,
            observer,
        }
    }
}

/// Opens everything. `None` where the project has mistakes, which have been printed.
pub(crate) async fn open(
    cli: &Cli,
    source: &PlanSource,
    setup: Setup,
) -> Result<Option<Ready>, Failure> {
    let manifest = manifest::required(&cli.project, cli.env.as_deref())?;
    let Some(plan) = plan(cli, source)? else {
        return Ok(None);
    };
    join(&manifest, plan, setup).await.map(Some)
}

/// Opens everything to work on it, or says that another process does already.
pub(crate) async fn open_to_work(
    cli: &Cli,
    source: &PlanSource,
    need: Need,
) -> Result<Opened, Failure> {
    let manifest = manifest::required(&cli.project, cli.env.as_deref())?;
    let store = match open_state(&manifest, Access::Work)? {
        Ok(store) => store,
        Err(StateError::Locked { path }) => return Ok(Opened::Busy(path)),
        Err(error) => return Err(state(error)),
    };
    let Some(plan) = plan(cli, source)? else {
        return Ok(Opened::Mistakes);
    };
    let setup = Setup::work(need, Arc::new(Silent));
    let ready = join_state(&manifest, plan, setup, Arc::new(store)).await?;
    Ok(Opened::Ready(Box::new(ready)))
}

/// Joins a manifest and a plan.
pub(crate) async fn join(manifest: &Manifest, plan: Plan, setup: Setup) -> Result<Ready, Failure> {
    // The state is opened first: a second process must not as much as register a hook.
    let store = open_state(manifest, setup.access)?.map_err(state)?;
    join_state(manifest, plan, setup, Arc::new(store)).await
}

fn open_state(
    manifest: &Manifest,
    access: Access,
) -> Result<Result<SqliteStore, StateError>, Failure> {
    let path = state_path(manifest)?;
    Ok(match access {
        Access::Work => {
            make_folder(manifest, &path)?;
            SqliteStore::open(&path)
        }
        Access::Ask => SqliteStore::ask(&path),
    })
}

/// Joins a manifest and a plan with a state that is open.
pub(crate) async fn join_state(
    manifest: &Manifest,
    plan: Plan,
    setup: Setup,
    store: Arc<SqliteStore>,
) -> Result<Ready, Failure> {
    let systems = systems::connect(manifest, &plan, setup.need).await?;
    let options = options(manifest, &plan, &setup);
    let (observer, alerts) = match (setup.access, setup.need) {
        (Access::Work, Need::Answers | Need::Hooks) => alerts::beside(manifest, setup.observer)?,
        _ => (setup.observer, None),
    };
    let by_name: BTreeMap<String, Arc<dyn Connector>> = plan
        .systems
        .iter()
        .map(|s| s.schema.name.clone())
        .zip(systems.connectors)
        .collect();
    let runtime = Runtime::new(
        Arc::new(plan),
        &by_name,
        Arc::clone(&store) as Arc<dyn StateStore>,
        Arc::new(SystemClock),
        observer,
        options,
    )
    .await
    .map_err(failure)?;
    Ok(Ready {
        runtime,
        alerts,
        store,
        _hooks: systems.hooks,
    })
}

/// The runtime for a question to both systems, without what a drifted schema hurts; and whether there is such, which
/// is told on standard error.
pub(crate) async fn fitted(ready: Ready) -> Result<(Ready, bool), Failure> {
    let Some((runtime, findings)) = ready.runtime.fitted().await.map_err(failure)? else {
        return Ok((ready, false));
    };
    for finding in findings {
        let what = finding.line.unwrap_or(finding.map);
        eprintln!(
            "{}: {what} is left out: {} ({}). {}",
            finding.place, finding.message, finding.code, finding.next
        );
    }
    Ok((Ready { runtime, ..ready }, true))
}

fn options(manifest: &Manifest, plan: &Plan, setup: &Setup) -> Options {
    let published = Options::default();
    let bound = |s: &&System| plan.systems.iter().any(|p| p.binding == s.schema);
    let systems: Vec<&System> = manifest.systems.iter().filter(bound).collect();
    let polls = systems.iter().map(|s| s.poll);
    Options {
        companies: manifest.policy.companies.clone(),
        maps: setup.maps.clone(),
        delete_max: manifest.policy.delete_max,
        change_max: manifest.policy.change_max,
        error_max: manifest.policy.error_max.unwrap_or(published.error_max),
        drift_every: manifest.policy.drift_every.unwrap_or(published.drift_every),
        keep_log: manifest.state.keep_log.unwrap_or(published.keep_log),
        keep_log_bytes: manifest
            .state
            .keep_log_size
            .unwrap_or(published.keep_log_bytes),
        serve_every: Some(SERVE_EVERY),
        look_every: polls.min().unwrap_or(published.look_every),
        ..published
    }
}

/// Where the manifest says that the state is.
pub(crate) fn state_path(manifest: &Manifest) -> Result<PathBuf, Failure> {
    let location = manifest
        .state
        .location(&manifest.root)
        .map_err(|e| Failure::Configuration(e.to_string()))?;
    match location {
        StateLocation::Sqlite(path) => Ok(plain(&path).to_path_buf()),
        StateLocation::Postgres(_) => Err(Failure::Configuration(format!(
            "{}: this version keeps its state in SQLite alone; write \"sqlite:.dwmap/state.db\"",
            manifest.state.url.place()
        ))),
    }
}

fn make_folder(manifest: &Manifest, state: &Path) -> Result<(), Failure> {
    let Some(folder) = state.parent() else {
        return Ok(());
    };
    std::fs::create_dir_all(folder).map_err(|e| {
        Failure::Configuration(format!(
            "{}: the folder {} can't be made for the state: {e}; name another place in [state]",
            manifest.state.url.place(),
            folder.display()
        ))
    })
}

/// The plan to run: a compiled one, or the project's maps compiled now.
pub(crate) fn plan(cli: &Cli, source: &PlanSource) -> Result<Option<Plan>, Failure> {
    match &source.plan {
        Some(path) => read_plan(path).map(Some),
        None => compile(cli),
    }
}

pub(crate) fn read_plan(path: &Path) -> Result<Plan, Failure> {
    let bytes = std::fs::read(path).map_err(|e| file_error(path, &e))?;
    let (_, plan) = dwmap_plan::decode(&bytes)
        .map_err(|e| Failure::Configuration(format!("{}: {e}", path.display())))?;
    Ok(plan)
}

#[cfg(feature = "compiler")]
fn compile(cli: &Cli) -> Result<Option<Plan>, Failure> {
    let sources = crate::project::read(&cli.project, cli.env.as_deref(), &[])?;
    crate::commands::compile(&sources.project, crate::commands::Say::Mistakes)
}

#[cfg(not(feature = "compiler"))]
fn compile(_: &Cli) -> Result<Option<Plan>, Failure> {
    Err(Failure::Configuration(
        "this is the runner without a compiler: name a compiled plan with --plan FILE".to_owned(),
    ))
}

/// What ends a run, as the command line tells it.
pub(crate) fn failure(error: SyncError) -> Failure {
    match error {
        SyncError::State(error) => state(error),
        SyncError::Connect(error) => match error {
            ConnectError::Refused { .. } | ConnectError::CursorExpired { .. } => {
                Failure::Configuration(error.to_string())
            }
            ConnectError::Unreachable { .. }
            | ConnectError::Unauthorised { .. }
            | ConnectError::Transient { .. }
            | ConnectError::Nonsense { .. } => Failure::Unreachable(error.to_string()),
        },
        SyncError::Row { .. } => Failure::Unreachable(error.to_string()),
        _ => Failure::Configuration(error.to_string()),
    }
}

/// What is wrong with the state, as the command line tells it.
pub(crate) fn state(error: StateError) -> Failure {
    Failure::Configuration(error.to_string())
}
