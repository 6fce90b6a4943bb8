//! The process under test: the runtime over the model systems, with a store that outlives it.

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
    Clock, Event, Moment, Observer, Options, Rules, Runtime, SqliteStore, StateError, StateStore,
};

use crate::plan::{MAP, plan};
use crate::run::Running;
use crate::scenario::Scenario;
use crate::shared::words::pair_text;
use crate::store::SimStore;
use crate::system::ModelSystem;
use crate::wire::key_text;
use crate::world::World;

/// Virtual time.
pub(crate) struct SimClock(World);

/// The moment at which every run begins: 2026-01-01T00:00:00Z.
const BEGIN: Moment = Moment(1_767_225_600_000);

#[async_trait]
impl Clock for SimClock {
    fn now(&self) -> Moment {
        BEGIN.plus(self.0.state().now)
    }

    async fn sleep(&self, duration: Duration) {
        self.0.sleep(duration).await;
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
    plan: Arc<Plan>,
    store: Arc<SqliteStore>,
    rules: Rules,
}

impl Process {
    pub(crate) fn new(world: &World, scenario: &Scenario, rules: Rules) -> Self {
        let store = SqliteStore::in_memory().unwrap_or_else(|e| panic!("no store: {e}"));
        Self {
            world: world.clone(),
            plan: Arc::new(plan(&scenario.knobs())),
            store: Arc::new(store),
            rules,
        }
    }

    /// Starts it: it loads what isn't loaded, and then keeps both systems the same until it is dropped.
    pub(crate) fn start(&self) -> Running {
        let (world, plan, rules) = (self.world.clone(), self.plan.clone(), self.rules);
        let store = Arc::new(SimStore::new(&world, self.store.clone()));
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
                sweep_every: Duration::from_secs(15),
                retry_first: Duration::from_millis(200),
                retry_max: Duration::from_secs(10),
                seed: 7,
                rules,
                ..Options::default()
            };
            let (clock, listener) = (SimClock(world.clone()), Listener(world));
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
                Ok(ended) => format!("it was done: {ended:?}"),
                Err(error) => error.to_string(),
            }
        })
    }

    fn map(&self) -> MapId {
        ready(self.store.map_id(MAP))
    }

    /// Whether the brake stopped the map.
    pub(crate) fn is_held(&self) -> bool {
        ready(self.store.map_status(self.map())).mode == MapMode::Held
    }

    /// What is still to be done, if something is.
    pub(crate) fn unfinished(&self) -> Option<String> {
        let counts = ready(self.store.counts(self.map()));
        let open = counts.changed + counts.retry + counts.intents;
        let loaded = ready(self.store.map_status(self.map())).mode != MapMode::Loading;
        (open > 0 || !loaded).then(|| format!("work is left that nothing moves: {counts:?}"))
    }

    /// The records in the error queue for which an error's code is wanted, by their pair keys.
    pub(crate) fn in_errors(&self, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let marks = ready(self.store.errors(Some(self.map()), None, 1_000));
        let code = |m: &Mark| m.error.as_ref().map_or("", |e| e.code.as_str()).to_owned();
        let such = marks.iter().filter(|m| wanted(&code(m)));
        such.filter_map(|m| self.pair_of(&m.id)).collect()
    }

    fn pair_of(&self, id: &MarkId) -> Option<String> {
        let record = id.record.values().ok()?;
        if id.side == Side::Left {
            return Some(key_text(&record));
        }
        let link = ready(self.store.links_by_record(
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
