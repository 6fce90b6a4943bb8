//! One run: the world is made from a seed, the process runs in it, is killed and started again, and at the end
//! everything is judged.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use dwmap_plan::Side;
use rand::Rng;

use crate::lines::Groups;
use crate::oracle::{Broken, Promise, Standing};
use crate::plan::MAIN;
use crate::process::{Process, UNREADABLE, WAITS};
use crate::scenario::{Habits, Scenario};
use crate::server::{Server, Shape, Table};
use crate::upgrades;
use crate::wire::json_text;
use crate::world::{Counts, Event, World};

/// How long the runtime has to come to rest after the last edit and the last fault.
const TO_REST: Duration = Duration::from_secs(900);
/// How often it is asked whether it has.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// For so many looks nothing must be left to do: longer than a sweep takes to come round.
const QUIET_LOOKS: u32 = 5;
/// How long nothing may be written then.
const AT_REST: Duration = Duration::from_secs(60);

/// How a run went.
pub(crate) struct Outcome {
    pub(crate) broken: Option<Broken>,
    pub(crate) story: String,
    pub(crate) counts: Counts,
}

/// The process as the executor polls it.
pub(crate) type Running = Pin<Box<dyn Future<Output = String>>>;

/// Runs a scenario under a seed.
pub(crate) fn run(scenario: &Scenario, seed: u64, rules: dwmap_sync::Rules) -> Outcome {
    let world = World::new(seed, scenario, servers(scenario));
    let process = Process::new(&world, scenario, rules);
    let mut executor = Executor {
        world: &world,
        process: &process,
        running: None,
        woken: Arc::new(Woken(AtomicBool::new(false))),
        quiet_looks: 0,
        at_rest: false,
    };
    prepare(&world);
    executor.run();
    drop(executor);
    judge(&world, &process);
    let mut state = world.state();
    Outcome {
        broken: state.oracle.broken().cloned(),
        story: std::mem::take(&mut state.story),
        counts: state.counts,
    }
}

fn servers(scenario: &Scenario) -> [Server; 2] {
    let [left, right]: [Habits; 2] = scenario.habits;
    let customers = Shape {
        key: vec!["dataAreaId", "CustomerAccount"],
        natural: vec!["dataAreaId", "CustomerAccount"],
        draws_id: false,
    };
    let accounts = Shape {
        key: vec!["accountid"],
        natural: vec!["company", "accountnumber"],
        draws_id: true,
    };
    let groups = Shape {
        key: vec!["groupid"],
        natural: vec!["company", "code"],
        draws_id: true,
    };
    [
        Server {
            name: "erp",
            tables: [(MAIN[0], Table::new(customers, left.logic))].into(),
        },
        Server {
            name: "crm",
            tables: [
                (MAIN[1], Table::new(accounts, right.logic)),
                (
                    "groups",
                    Table::new(groups, crate::server::Logic::default()),
                ),
            ]
            .into(),
        },
    ]
}

/// Puts everything that comes from outside into the queue.
fn prepare(world: &World) {
    let mut state = world.state();
    let kinds = state.scenario.kinds();
    state.tell(kinds);
    state.settle_in();
    let last = state.schedule_users();
    state.schedule_operators(last);
    let calm = last + Duration::from_secs(7);
    state.schedule(Duration::ZERO, Event::Restart);
    state.schedule(calm, Event::Calm);
    state.schedule(calm + LOOK_EVERY, Event::Look);
    state.schedule(calm + TO_REST, Event::Restless);
}

/// Whether the process asked to be polled.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Executor<'w> {
    world: &'w World,
    process: &'w Process,
    running: Option<Running>,
    woken: Arc<Woken>,
    quiet_looks: u32,
    at_rest: bool,
}

impl Executor<'_> {
    fn run(&mut self) {
        loop {
            self.poll();
            if self.world.state().oracle.broken().is_some() {
                return;
            }
            let Some(event) = self.world.state().next() else {
                return;
            };
            match event {
                Event::Timer(timer) => self.world.state().ring(timer),
                Event::Arrive(id) => self.world.state().arrive(id),
                Event::Answer(id) => self.world.state().deliver(id),
                Event::User => self.world.state().user_acts(),
                Event::Collide => self.world.state().users_collide(),
                Event::Crash => self.kill("CRASH"),
                Event::Lose => {
                    self.kill("CRASH, and the state is lost");
                    self.process.lose_state();
                    self.world.state().state_is_lost();
                }
                Event::Upgrade => {
                    let (variant, told) = {
                        let mut state = self.world.state();
                        let variant = state.rng.random_range(0..upgrades::COUNT);
                        (variant, state.rng.random_bool(0.5))
                    };
                    self.upgrade(variant, told);
                }
                Event::Jump => self.world.state().clock_jumps(),
                Event::Ask => self.world.state().operator_asks(),
                Event::Second => self.process.start_second(),
                Event::Restart => self.start(),
                Event::Calm => {
                    if self.world.state().variants != [0; 2] {
                        self.upgrade(0, false);
                    }
                    let mut state = self.world.state();
                    state.rough = false;
                    state.dark_until = [state.now; 2];
                    state.tell("-- users and faults are over");
                    state.take_back();
                }
                Event::Look => self.look(),
                Event::Restless if !self.at_rest => {
                    let left = self.process.unfinished().unwrap_or_default();
                    let mut state = self.world.state();
                    let what = format!("no rest long after the last edit: {left}");
                    state.oracle.break_promise(Promise::Convergence, what);
                }
                Event::Restless => {}
                Event::End => return,
            }
        }
    }

    /// The process goes on with another plan: it is told so, or killed and started with it.
    fn upgrade(&mut self, variant: usize, told: bool) {
        self.process.upgrade(variant, told);
        if !told {
            self.kill("CRASH before another plan");
        }
    }

    /// Looks whether everything is done; if it has been for a while, nothing may be written any more.
    fn look(&mut self) {
        let asked = {
            let mut state = self.world.state();
            state.take_back();
            !state.desk.is_done()
        };
        let done = !asked && (self.process.is_held() || self.process.unfinished().is_none());
        self.quiet_looks = if done { self.quiet_looks + 1 } else { 0 };
        self.at_rest = self.quiet_looks >= QUIET_LOOKS;
        let mut state = self.world.state();
        let now = state.now;
        if self.at_rest {
            state.tell("-- from here on nothing may be written");
            state.oracle.hold_still();
            state.schedule(now + AT_REST, Event::End);
        } else {
            state.schedule(now + LOOK_EVERY, Event::Look);
        }
    }

    /// Polls the process as long as it asks for it, or until it is to be killed.
    fn poll(&mut self) {
        while self.woken.0.swap(false, Ordering::Relaxed) {
            let Some(running) = &mut self.running else {
                return;
            };
            let waker = Waker::from(self.woken.clone());
            let polled = running.as_mut().poll(&mut Context::from_waker(&waker));
            if self.world.state().doomed {
                self.kill("CRASH at a commit");
            } else if let Poll::Ready(end) = polled {
                self.running = None;
                let mut state = self.world.state();
                state.tell(format!("the process ended by itself: {end}"));
                let again = state.now + Duration::from_secs(1);
                state.schedule(again, Event::Restart);
            }
        }
    }

    /// Everything in memory is gone; what was committed and what is under way stays.
    fn kill(&mut self, how: &str) {
        self.world.state().doomed = false;
        if self.running.take().is_none() {
            return;
        }
        let mut state = self.world.state();
        state.counts.crashes += 1;
        state.answered.clear();
        state.tell(how);
        let pause = Duration::from_millis(state.rng.random_range(10..8_000));
        let again = state.now + pause;
        state.schedule(again, Event::Restart);
    }

    fn start(&mut self) {
        if self.running.is_none() {
            self.world.state().tell("the process starts");
            self.running = Some(self.process.start());
            self.woken.0.store(true, Ordering::Relaxed);
        }
    }
}

/// Judges how everything stands at the end.
fn judge(world: &World, process: &Process) {
    let parked = process.in_errors(|code| code == WAITS);
    let held_back = process.in_errors(|code| code == UNREADABLE);
    let in_errors = process.in_errors(|code| code != WAITS && code != UNREADABLE);
    let untold = process.untold_claimants();
    let mut state = world.state();
    if state.oracle.broken().is_some() {
        return;
    }
    if untold > 0 {
        let what = format!("no error tells of {untold} second records of one key");
        state.oracle.break_promise(Promise::NothingLost, what);
    }
    drop(state);
    let held = process.is_held();
    let mut state = world.state();
    let state = &mut *state;
    let servers = &state.servers;
    let row = |side: Side, key: &str| {
        let table = servers[side.index()].table(MAIN[side.index()]);
        table.by_natural(key).and_then(|id| table.now(id))
    };
    if held {
        return;
    }
    state.oracle.judge(|key| Standing {
        rows: Side::BOTH.map(|side| row(side, key)),
        in_errors: in_errors.iter().any(|e| e == key),
        waits: parked.iter().any(|e| e == key),
        held: held_back.iter().any(|e| e == key),
        neighbours: Side::BOTH.map(|side| {
            let table = servers[side.index()].table(MAIN[side.index()]);
            table.has_neighbour(key)
        }),
        groups: servers[1].table("groups"),
    });
}

impl Groups for Table {
    fn code(&self, identity: &str) -> String {
        let group = self.now(identity);
        group.map_or_else(String::new, |f| json_text(f.get("code")))
    }

    fn exists(&self, company: &str, code: &str) -> bool {
        self.by_natural(&format!("{company}/{code}")).is_some()
    }
}
