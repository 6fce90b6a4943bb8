//! The simulated world: one virtual clock, one queue of things to happen, two systems between which everything
//! travels with a latency, and the story of what happened.
//!
//! Whatever the runtime waits for (an answer, a time, a commit) is an entry of the queue, at a time that the seed
//! chose: so the seed chooses how everything interleaves, and the same seed tells the same story.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use dwmap_plan::Side;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::network::{Exchange, Request, Response, Shown};
use crate::operators::Desk;
use crate::oracle::Oracle;
use crate::scenario::Scenario;
use crate::server::Server;

/// Something that is going to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// A sleep ends.
    Timer(u64),
    /// A request reaches its system.
    Arrive(u64),
    /// An answer reaches the runtime.
    Answer(u64),
    /// A user does something.
    User,
    /// A user of the other side makes a record that was just made.
    Collide,
    /// The process is killed, if it runs.
    Crash,
    /// It is killed, and its state is gone.
    Lose,
    /// It goes on with another plan.
    Upgrade,
    /// Its clock is set.
    Jump,
    /// Somebody asks something of it.
    Ask,
    /// A second process is started on its state.
    Second,
    /// The process is started again.
    Restart,
    /// Users and faults are over.
    Calm,
    /// Somebody looks whether everything is done.
    Look,
    /// By now everything should have been done.
    Restless,
    /// The end.
    End,
}

/// Everything there is, behind one lock; there is one thread.
pub(crate) struct State {
    pub(crate) now: Duration,
    pub(crate) rng: StdRng,
    queue: BTreeMap<(Duration, u64), Event>,
    next_id: u64,
    timers: BTreeMap<u64, Option<Waker>>,
    pub(crate) exchanges: BTreeMap<u64, Exchange>,
    pub(crate) servers: [Server; 2],
    /// What the runtime was shown of each record of a side, by record key.
    pub(crate) shown: [BTreeMap<String, Vec<Shown>>; 2],
    /// The records that the request at hand has written.
    pub(crate) just_written: Vec<String>,
    /// Records of which the running process knows from an answer that what it wrote last has landed.
    pub(crate) answered: BTreeSet<(Side, String)>,
    /// Records that users of these sides are about to make, too.
    pub(crate) collisions: Vec<(Side, String)>,
    /// A side's rows can't be read until then.
    pub(crate) dark_until: [Duration; 2],
    pub(crate) oracle: Oracle,
    pub(crate) scenario: Scenario,
    /// Faults happen.
    pub(crate) rough: bool,
    /// The process is to be killed before it does anything more.
    pub(crate) doomed: bool,
    /// The plan that the process is to work by, and the one that it worked by last.
    pub(crate) variants: [usize; 2],
    /// How far its clock is off, in milliseconds.
    pub(crate) clock_off: i64,
    pub(crate) desk: Desk,
    pub(crate) story: String,
    pub(crate) counts: Counts,
}

/// What happened how often, to show that a scenario does what it is named for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Records that users made or changed.
    pub(crate) edits: usize,
    /// Records that users deleted.
    pub(crate) deletes: usize,
    /// Records that users took out of the filter.
    pub(crate) leaves: usize,
    /// Groups that appeared after they were referred to.
    pub(crate) appeared: usize,
    pub(crate) crashes: usize,
    /// States that were lost.
    pub(crate) losses: usize,
    /// Plans that were changed for another.
    pub(crate) upgrades: usize,
    /// Clocks that were set.
    pub(crate) jumps: usize,
    /// Requests that were done.
    pub(crate) words: usize,
    /// Second processes that were refused.
    pub(crate) seconds: usize,
    /// Records that claimed the key of another.
    pub(crate) claims: usize,
    /// Writes without an answer, and those of them that came late.
    pub(crate) unknown: usize,
    pub(crate) late: usize,
    /// Guards that didn't hold.
    pub(crate) conflicts: usize,
    /// Requests and rows that were turned away for a while.
    pub(crate) transient: usize,
    /// Rows that were refused for good.
    pub(crate) refused: usize,
    /// Reads that showed the past.
    pub(crate) lagged: usize,
    /// Rows that a read should have shown.
    pub(crate) hidden: usize,
    /// Rows that business logic changed when we wrote them.
    pub(crate) rewritten: usize,
    /// Rows written without an answer worth the name.
    pub(crate) silent: usize,
}

/// A handle to the world.
#[derive(Clone)]
pub(crate) struct World(Arc<Mutex<State>>);

impl World {
    pub(crate) fn new(seed: u64, scenario: &Scenario, servers: [Server; 2]) -> Self {
        let oracle = Oracle::new(scenario.rules());
        Self(Arc::new(Mutex::new(State {
            now: Duration::ZERO,
            rng: StdRng::seed_from_u64(seed),
            queue: BTreeMap::new(),
            next_id: 0,
            timers: BTreeMap::new(),
            exchanges: BTreeMap::new(),
            servers,
            shown: [BTreeMap::new(), BTreeMap::new()],
            just_written: vec![],
            answered: BTreeSet::new(),
            collisions: vec![],
            dark_until: [Duration::ZERO; 2],
            oracle,
            scenario: *scenario,
            rough: true,
            doomed: false,
            variants: [0; 2],
            clock_off: 0,
            desk: Desk::default(),
            story: String::new(),
            counts: Counts::default(),
        })))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("one thread, and a panic ends the run")
    }

    /// Waits in virtual time.
    pub(crate) fn sleep(&self, duration: Duration) -> Sleep {
        Sleep {
            world: self.clone(),
            duration,
            timer: None,
        }
    }

    /// Sends a request to a system and waits for its answer.
    pub(crate) fn call(&self, side: Side, request: Request) -> Call {
        Call {
            world: self.clone(),
            waiting: Waiting::ToSend(side, Box::new(request)),
        }
    }
}

impl State {
    /// Puts something into the queue; what happens at one time happens in an order that the seed chooses.
    pub(crate) fn schedule(&mut self, at: Duration, event: Event) {
        let tie = self.rng.random::<u64>();
        self.queue.insert((at, tie), event);
    }

    /// The next thing that happens; time goes on to it.
    pub(crate) fn next(&mut self) -> Option<Event> {
        let ((at, _), event) = self.queue.pop_first()?;
        self.now = self.now.max(at);
        Some(event)
    }

    /// A new id, for a timer or an exchange.
    pub(crate) fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// A line of the story.
    pub(crate) fn tell(&mut self, line: impl std::fmt::Display) {
        let seconds = self.now.as_secs_f64();
        // Writing to a string can't fail.
        let _ = writeln!(self.story, "{seconds:9.3}  {line}");
    }

    /// Whether something with this probability happens, while times are rough.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        // Drawn in any case, so that calm changes nothing but the outcome.
        let drawn = self.rng.random_bool(probability);
        drawn && self.rough
    }

    /// A time on the way: mostly short, sometimes long enough for everything else to happen meanwhile.
    pub(crate) fn latency(&mut self) -> Duration {
        let ms = match self.rng.random_range(0..10) {
            0..6 => self.rng.random_range(1..20),
            6..9 => self.rng.random_range(20..400),
            _ => self.rng.random_range(400..3_000),
        };
        Duration::from_millis(ms)
    }

    /// A sleep ended.
    pub(crate) fn ring(&mut self, timer: u64) {
        if let Some(waker) = self.timers.remove(&timer).flatten() {
            waker.wake();
        }
    }
}

/// See [`World::sleep`].
pub(crate) struct Sleep {
    world: World,
    duration: Duration,
    timer: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let world = self.world.clone();
        let mut state = world.state();
        match self.timer {
            None => {
                let timer = state.id();
                let at = state.now + self.duration;
                state.timers.insert(timer, Some(context.waker().clone()));
                state.schedule(at, Event::Timer(timer));
                self.timer = Some(timer);
                Poll::Pending
            }
            Some(timer) => match state.timers.get_mut(&timer) {
                Some(waker) => {
                    *waker = Some(context.waker().clone());
                    Poll::Pending
                }
                None => Poll::Ready(()),
            },
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(timer) = self.timer {
            self.world.state().timers.remove(&timer);
        }
    }
}

enum Waiting {
    ToSend(Side, Box<Request>),
    For(u64),
    Nothing,
}

/// See [`World::call`].
pub(crate) struct Call {
    world: World,
    waiting: Waiting,
}

impl Future for Call {
    type Output = Response;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Response> {
        let world = self.world.clone();
        let mut state = world.state();
        let id = match std::mem::replace(&mut self.waiting, Waiting::Nothing) {
            Waiting::ToSend(side, request) => state.send(side, *request),
            Waiting::For(id) => id,
            Waiting::Nothing => panic!("a call was polled after its answer"),
        };
        if let Some(response) = state.answer(id) {
            return Poll::Ready(response);
        }
        state.listen(id, context.waker());
        self.waiting = Waiting::For(id);
        Poll::Pending
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Waiting::For(id) = self.waiting {
            self.world.state().hang_up(id);
        }
    }
}
