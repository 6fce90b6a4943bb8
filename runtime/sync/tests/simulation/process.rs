//! The process under test: the runtime over the model systems, with a store that outlives it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use dwmap_connect::Connector;
use dwmap_plan::{Plan, Side};
use dwmap_sync::state::{MapId, MapMode, Mark, MarkId};
use dwmap_sync::{
    Clock, Ended, Event, Moment, Observer, Options, Request, Rules, Runtime, SqliteStore,
    StateError, StateStore,
};
use tempfile::TempDir;

use crate::oracle::Promise;
use crate::plan::{Knobs, MAIN, MAP};
use crate::run::Running;
use crate::scenario::Scenario;
use crate::shared::words::pair_text;
use crate::store::SimStore;
use crate::system::ModelSystem;
use crate::upgrades;
use crate::users::CLAIMANT;
use crate::wire::{json_text, key_text};
use crate::world::World;

/// Virtual time.
pub(crate) struct SimClock {
    world: World,
    /// How far it was off when the process began.
    off: i64,
}

/// The moment at which every run begins: 2026-01-01T00:00:00Z.
const BEGIN: Moment = Moment(1_767_225_600_000);

#[async_trait]
impl Clock for SimClock {
    fn now(&self) -> Moment {
        let state = self.world.state();
        Moment(BEGIN.plus(state.now).0 + state.clock_off)
    }

    fn steady(&self) -> Moment {
        Moment(BEGIN.plus(self.world.state().now).0 + self.off)
    }

    async fn sleep(&self, duration: Duration) {
        self.world.sleep(duration).await;
    }
}

/// Tells the runtime's own story within ours.
pub(crate) struct Listener(World);

impl Observer for Listener {
    fn event(&self, event: &Event) {
        let line = match event {
            Event::Activity {
                record,
                kind,
                side,
                detail,
                ..
            } => {
                format!("   {kind:?} {record} {side:?} {detail}")
            }
            Event::Error { report, .. } => {
                format!("   error {}: {}", report.record, report.message)
            }
            Event::Trouble {
                system, message, ..
            } => format!("   trouble with {system}: {message}"),
            Event::Mode { map, mode, reason } => format!("   {map} is {mode:?}: {reason}"),
            Event::Captured { .. } | Event::Load { .. } => return,
        };
        self.0.state().tell(line);
    }
}

/// The code of a record that waits for another.
pub(crate) const WAITS: &str = "R0402";
/// The code of a record that is gone, as its neighbours seem to be.
pub(crate) const UNREADABLE: &str = "R0410";

/// What is needed to start the process, again and again.
pub(crate) struct Process {
    world: World,
    knobs: Knobs,
    store: RefCell<Arc<SqliteStore>>,
    /// Where the state is, if a second process may come by.
    folder: Option<TempDir>,
    rules: Rules,
}

impl Process {
    pub(crate) fn new(world: &World, scenario: &Scenario, rules: Rules) -> Self {
        let shared = scenario.operators.seconds > 0;
        let folder = shared.then(|| TempDir::new().unwrap_or_else(|e| panic!("no folder: {e}")));
        let store = match &folder {
            Some(folder) => SqliteStore::open(&folder.path().join("state.db")),
            None => SqliteStore::in_memory(),
        };
        Self {
            world: world.clone(),
            knobs: scenario.knobs(),
            store: RefCell::new(Arc::new(store.unwrap_or_else(|e| panic!("no store: {e}")))),
            folder,
            rules,
        }
    }

    fn store(&self) -> Arc<SqliteStore> {
        self.store.borrow().clone()
    }

    /// Its state is gone.
    pub(crate) fn lose_state(&self) {
        let empty = SqliteStore::in_memory().unwrap_or_else(|e| panic!("no store: {e}"));
        *self.store.borrow_mut() = Arc::new(empty);
    }

    /// A second process is started on the same state: it has to be turned away.
    pub(crate) fn start_second(&self) {
        let Some(folder) = &self.folder else { return };
        let second = SqliteStore::open(&folder.path().join("state.db"));
        let mut state = self.world.state();
        state.tell("a second process is started on the same state");
        state.counts.seconds += 1;
        if second.is_ok() {
            let what = "two processes work on one state".to_owned();
            state.oracle.break_promise(Promise::Once, what);
        }
    }

    /// It is to go on with another plan: one that runs is told so if `told`, else the next one has it.
    pub(crate) fn upgrade(&self, variant: usize, told: bool) {
        let mut state = self.world.state();
        state.counts.upgrades += 1;
        if told {
            let plan = upgrades::file(&self.knobs, variant);
            state.ask(Request::Deploy { plan });
        } else {
            state.tell(format!("the next process has plan {variant}"));
            state.variants[0] = variant;
        }
    }

    /// The plan that the process works by now; what is new in it meets for the first time.
    fn take_plan(&self) -> Arc<Plan> {
        let mut state = self.world.state();
        let [wanted, last] = state.variants;
        if wanted != last {
            state.variants[1] = wanted;
            let new = upgrades::new_lines(&self.knobs, last, wanted);
            state.tell(format!("its plan is {wanted}, lines {new:?} are new"));
            state.first_meeting_of(&new);
        }
        Arc::new(upgrades::variant(&self.knobs, wanted))
    }

    /// Starts it: it loads what isn't loaded, and then keeps both systems the same until it is dropped.
    pub(crate) fn start(&self) -> Running {
        let (world, plan, rules) = (self.world.clone(), self.take_plan(), self.rules);
        let store = Arc::new(SimStore::new(&world, self.store()));
        Box::pin(async move {
            let systems: BTreeMap<String, Arc<dyn Connector>> = Side::BOTH
                .map(|side| {
                    let system = ModelSystem::new(&world, side);
                    let name = system.name().to_owned();
                    (name, Arc::new(system) as Arc<dyn Connector>)
                })
                .into();
            let delete_max = Some(world.state().scenario.delete_max as u64);
            let options = Options {
                delete_max,
                batch: 4,
                look_every: Duration::from_secs(2),
                serve_every: Some(Duration::from_secs(1)),
                sweep_every: Duration::from_secs(15),
                retry_first: Duration::from_millis(200),
                retry_max: Duration::from_secs(10),
                seed: 7,
                rules,
                ..Options::default()
            };
            let clock = SimClock {
                off: world.state().clock_off,
                world: world.clone(),
            };
            let listener = Listener(world.clone());
            let ended = async {
                let runtime = Runtime::new(
                    plan,
                    &systems,
                    store,
                    Arc::new(clock),
                    Arc::new(listener),
                    options,
                )
                .await?;
                runtime.run(std::future::pending()).await
            };
            match ended.await {
                Ok(Ended::Replaced(file)) => {
                    let variant = upgrades::of_file(&file);
                    world.state().variants[0] = variant;
                    format!("it goes on with plan {variant}")
                }
                Ok(ended) => format!("it was done: {ended:?}"),
                Err(error) => error.to_string(),
            }
        })
    }

    fn map(&self) -> MapId {
        ready(self.store().map_id(MAP))
    }

    /// Whether the brake stopped the map.
    pub(crate) fn is_held(&self) -> bool {
        ready(self.store().map_status(self.map())).mode == MapMode::Held
    }

    /// What is still to be done, if something is.
    pub(crate) fn unfinished(&self) -> Option<String> {
        let store = self.store();
        let counts = ready(store.counts(self.map()));
        let open = counts.changed + counts.retry + counts.intents;
        let loaded = ready(store.map_status(self.map())).mode != MapMode::Loading;
        (open > 0 || !loaded).then(|| format!("work is left that nothing moves: {counts:?}"))
    }

    /// The records in the error queue for which an error's code is wanted, by their pair keys.
    pub(crate) fn in_errors(&self, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let marks = ready(self.store().errors(Some(self.map()), None, 1_000));
        let code = |m: &Mark| m.error.as_ref().map_or("", |e| e.code.as_str()).to_owned();
        let such = marks
            .iter()
            .filter(|m| wanted(&code(m)) && !self.is_claimant(&m.id));
        such.filter_map(|m| self.pair_of(&m.id)).collect()
    }

    /// Whether a mark is that of a record under the key of another.
    fn is_claimant(&self, id: &MarkId) -> bool {
        let state = self.world.state();
        let row = |key: &str| state.servers[1].table(MAIN[1]).last(key);
        let key = id.record.values().ok().filter(|_| id.side == Side::Right);
        let row = key.and_then(|key| row(&key_text(&key)));
        row.is_some_and(|f| json_text(f.get("name")) == CLAIMANT)
    }

    /// The records under the keys of others of which no error tells.
    pub(crate) fn untold_claimants(&self) -> usize {
        let marks = ready(self.store().errors(Some(self.map()), None, 1_000));
        let told = marks.iter().filter(|m| self.is_claimant(&m.id)).count();
        let state = self.world.state();
        let there = state.servers[1].table(MAIN[1]).by_name(CLAIMANT).count();
        there.saturating_sub(told)
    }

    fn pair_of(&self, id: &MarkId) -> Option<String> {
        let record = id.record.values().ok()?;
        if id.side == Side::Left {
            return Some(key_text(&record));
        }
        let link = ready(self.store().links_by_record(
            id.map,
            id.side,
            std::slice::from_ref(&id.record),
        ));
        let linked = link.into_iter().next()?.map(|l| pair_text(&l.pair));
        linked.or_else(|| {
            self.world
                .state()
                .natural_key(Side::Right, &key_text(&record))
        })
    }
}

/// The result of a call to the store, which answers at once.
fn ready<T>(call: impl Future<Output = Result<T, StateError>>) -> T {
    let polled = pin!(call).poll(&mut Context::from_waker(Waker::noop()));
    match polled {
        Poll::Ready(result) => result.unwrap_or_else(|e| panic!("the store failed: {e}")),
        Poll::Pending => panic!("the embedded store answers at once"),
    }
}
