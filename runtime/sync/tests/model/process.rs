//! The process: the runtime itself, driven one await point at a time.
//!
//! A run has four parts that interleave: a look at each side's feed, a batch of apply, and a look for what is waited
//! for. Each is a future of the production code. Between two passes, what a part knows is what the runtime keeps in
//! memory; within a pass it is that and all that it has been told since the pass began, which is noted in a
//! [`Trace`]: so two states with the same fingerprint behave alike from there on.

use std::collections::BTreeMap;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use dwmap_connect::Connector;
use dwmap_plan::Side;
use dwmap_sync::state::Change;
use dwmap_sync::state::memory::{Digest, Gate, MemoryStore, Numbered};
use dwmap_sync::{
    Clock, Event, Memory, Mistake, Moment, Observer, Options, Rules, Runtime, SyncError,
};

use crate::plan::plan;
use crate::scenario::Scenario;
use crate::system::ModelSystem;
use crate::trace::Trace;
use crate::words::{describe, met, pair_text};
use crate::world::{SYSTEMS, World};

/// The parts of a run: looks at the feeds of both sides, apply, and the look for what is waited for.
pub(crate) const APPLY: usize = 2;
pub(crate) const WAKE: usize = 3;
const PARTS: usize = 4;

struct ModelClock(World);

#[async_trait]
impl Clock for ModelClock {
    fn now(&self) -> Moment {
        self.0.state().now
    }

    /// Only the first load sleeps; from then on the explorer moves the clock.
    async fn sleep(&self, duration: Duration) {
        let mut state = self.0.state();
        state.now = state.now.plus(duration);
    }
}

struct Listener(World);

impl Observer for Listener {
    fn event(&self, event: &Event) {
        let mut state = self.0.state();
        match event {
            Event::Activity { kind, detail, .. } => {
                state.tell(|| format!("      {kind:?} {detail}"));
            }
            Event::Error { report, .. } => {
                state.tell(|| format!("      error: {}", report.message));
            }
            _ => {}
        }
    }
}

/// The runtime over the world and a state.
pub(crate) struct Machine {
    pub(crate) world: World,
    pub(crate) store: Arc<MemoryStore>,
    runtime: Runtime,
    breaks_a_rule: bool,
}

impl Machine {
    fn new(world: &World, scenario: &Scenario, rules: Rules) -> Self {
        let store = Arc::new(MemoryStore::new(gate(world)));
        let systems: BTreeMap<String, Arc<dyn Connector>> = Side::BOTH
            .map(|side| {
                let system = Arc::new(ModelSystem::new(world, side));
                (
                    SYSTEMS[side.index()].to_owned(),
                    system as Arc<dyn Connector>,
                )
            })
            .into();
        let options = Options {
            delete_max: Some(scenario.delete_max),
            retry_first: Duration::from_secs(1),
            retry_max: Duration::from_secs(1),
            rules,
            ..Options::default()
        };
        let made = Runtime::new(
            Arc::new(plan(&scenario.knobs)),
            &systems,
            store.clone(),
            Arc::new(ModelClock(world.clone())),
            Arc::new(Listener(world.clone())),
            options,
        );
        let runtime = at_once(made).expect("the model's plan is sound");
        Self {
            world: world.clone(),
            runtime,
            store,
            breaks_a_rule: Mistake::ALL.into_iter().any(|m| rules.broken(m)),
        }
    }

    /// A process that has just been started, over a state that another one has loaded by the rules, with every request
    /// answered at once.
    pub(crate) fn settled(world: &World, scenario: &Scenario, rules: Rules) -> Self {
        let first = Self::new(world, scenario, Rules::default());
        at_once(first.runtime.sync_once()).expect("a calm load succeeds");
        let machine = Self::new(world, scenario, rules);
        machine.store.kept().clone_from(&first.store.kept());
        machine.store.kept().forget_log();
        at_once(machine.runtime.restart()).expect("the state is in memory");
        machine
    }

    /// An empty trace.
    pub(crate) fn trace(&self) -> Trace {
        Trace::new(self.breaks_a_rule)
    }

    pub(crate) fn memory(&self) -> Memory {
        self.runtime.memory()
    }

    pub(crate) fn recall(&self, memory: Memory) {
        self.runtime.recall(memory);
    }
}

/// What is gone through after a commit: outside calm times it is a moment at which the process may be killed.
fn gate(world: &World) -> Gate {
    let world = world.clone();
    Box::new(move |changes| {
        let mut state = world.state();
        for change in changes {
            if let Change::DropIntent(_, pair, side) = change {
                state.acknowledge(*side, &pair_text(pair));
            }
            if let Some(key) = met(change) {
                state.oracle.met(&key);
            }
            if let Some(words) = describe(change) {
                state.tell(|| format!("      commit: {words}"));
            }
        }
        if !state.calm && state.left.crashes > 0 {
            state.at_gate = Some(state.actor);
        }
        let world = world.clone();
        Box::pin(std::future::poll_fn(move |_| match world.state().at_gate {
            None => Poll::Ready(()),
            Some(_) => Poll::Pending,
        }))
    })
}

/// A part of the run that is in the middle of a pass.
struct Pass<'m> {
    future: Pin<Box<dyn Future<Output = Result<(), SyncError>> + 'm>>,
    /// What it has been told since it began.
    told: Trace,
    began: Moment,
    polls: u8,
}

/// The running process.
pub(crate) struct Process<'m> {
    machine: &'m Machine,
    passes: [Option<Pass<'m>>; PARTS],
    /// It ended by itself, which it must not.
    pub(crate) ended: Option<String>,
}

impl<'m> Process<'m> {
    pub(crate) fn new(machine: &'m Machine) -> Self {
        Self {
            machine,
            passes: [const { None }; PARTS],
            ended: None,
        }
    }

    /// Whether a part is in the middle of a pass.
    pub(crate) fn is_busy(&self, part: usize) -> bool {
        self.passes[part].is_some()
    }

    /// Whether none is.
    pub(crate) fn is_idle(&self) -> bool {
        self.passes.iter().all(Option::is_none)
    }

    /// A part begins a pass.
    pub(crate) fn begin(&mut self, part: usize) {
        let runtime = &self.machine.runtime;
        let future: Pin<Box<dyn Future<Output = Result<(), SyncError>>>> = match part {
            APPLY => Box::pin(runtime.apply(0)),
            WAKE => Box::pin(runtime.wake()),
            feed => Box::pin(runtime.look_once(feed)),
        };
        self.passes[part] = Some(Pass {
            future,
            told: self.machine.trace(),
            began: self.machine.world.state().now,
            polls: 0,
        });
        self.poll(part);
    }

    /// A part goes on as far as it gets.
    pub(crate) fn poll(&mut self, part: usize) {
        let Some(pass) = &mut self.passes[part] else {
            return;
        };
        let machine = self.machine;
        let told_by_feed = {
            let mut state = machine.world.state();
            state.actor = part;
            pass.told.moment(state.now);
            part < APPLY && state.scenario.sides[part].tracked
        };
        // Where a look at a feed begins, it reads nothing but the cursor, which is in its request.
        if !(told_by_feed && pass.polls == 0) {
            machine.store.kept().digest(&mut pass.told);
            machine.runtime.memory().digest(&mut pass.told);
        }
        pass.polls += 1;
        let polls = pass.polls;
        let before = machine.runtime.sequence();
        let polled = pass
            .future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        let taken = before..machine.runtime.sequence();
        let fetches = machine.world.state().fetch_of(part);
        let taken_for = match (told_by_feed, polls, fetches) {
            (true, 1, _) => Numbered::Read(Side::BOTH[part]),
            (true, ..) => Numbered::Generation(Side::BOTH[part]),
            (false, _, Some(side)) if taken.end - taken.start == 1 => Numbered::Generation(side),
            (false, ..) => Numbered::Any,
        };
        taken.for_each(|n| pass.told.number(taken_for, n));
        if let Poll::Ready(result) = polled {
            self.passes[part] = None;
            if let Err(error) = result
                && !error.is_transient()
            {
                self.ended = Some(error.to_string());
            }
        }
    }

    /// A part is told something, which it will see when it is polled.
    pub(crate) fn tell(&mut self, part: usize, tell: impl FnOnce(&mut Trace)) {
        if let Some(pass) = &mut self.passes[part] {
            tell(&mut pass.told);
        }
    }

    /// Everything in memory is gone, and the process is started again.
    pub(crate) fn restart(&mut self) {
        self.passes = [const { None }; PARTS];
        self.machine.world.state().forget_process();
        self.machine.world.state().calm = true;
        at_once(self.machine.runtime.restart()).expect("the state is in memory");
        self.machine.world.state().calm = false;
    }

    /// Tells what the process knows.
    pub(crate) fn digest(&self, to: &mut Trace) {
        for pass in &self.passes {
            match pass {
                None => to.bytes(b"idle"),
                Some(pass) => to.append(&pass.told),
            }
        }
        self.machine.runtime.memory().digest(to);
    }

    /// When the oldest pass began; now if there is none.
    pub(crate) fn since(&self) -> Moment {
        let now = self.machine.world.state().now;
        let began = self.passes.iter().flatten().map(|p| p.began);
        began.min().unwrap_or(now)
    }
}

/// The result of something that waits for nothing.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("nothing is waited for in calm times"),
    }
}
