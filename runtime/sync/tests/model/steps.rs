//! The steps: which may be taken in a state, and what each does.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use dwmap_plan::Side;
use dwmap_sync::state::memory::Kept;
use dwmap_sync::state::{Cause, MapId, MapMode};
use dwmap_sync::{Memory, Moment, Rules};
use serde_json::json;

use crate::explore::{By, Found, Model};
use crate::lines::{Groups, LINES};
use crate::oracle::Standing;
use crate::process::{APPLY, Machine, Process, WAKE};
use crate::scenario::{NEIGHBOUR, Scenario};
use crate::wire::{Fields, key_text};
use crate::words::pair_text;
use crate::world::{GROUP, Request, SYSTEMS, Stage, State, World};

/// The map of the model in its state.
const MAP: MapId = MapId(1);

/// A step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A user edits a line of a record.
    Edit(usize, Side, usize),
    Create(usize, Side),
    Delete(usize, Side),
    /// A user takes a record out of the filter, or back in.
    Toggle(usize),
    /// The group that is referred to appears.
    Group,
    /// A side's feed is looked at, or its rows are swept.
    Look(Side),
    Apply,
    Wake,
    /// A read shows the present, or the past.
    See(usize, bool),
    /// A write reaches its system; a row of it may fail alone.
    Arrive(usize, Option<usize>),
    /// An answer reaches the runtime.
    Answer(usize),
    /// A write's answer is lost.
    Lose(usize),
    /// A read fails.
    Fail(usize),
    /// A late write lands, or never will.
    Late(usize),
    Never(usize),
    /// A lagging side catches up.
    CatchUp(Side),
    /// The process goes on after a commit.
    GoOn,
    Crash,
    /// Time passes until something is due.
    Pass,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let system = |side: Side| SYSTEMS[side.index()];
        match *self {
            Self::Edit(n, side, line) => {
                let line = &LINES[line];
                write!(
                    f,
                    "USER edits {} of record {n} in {}",
                    line.name,
                    system(side)
                )
            }
            Self::Create(n, side) => write!(f, "USER makes record {n} in {}", system(side)),
            Self::Delete(n, side) => write!(f, "USER deletes record {n} in {}", system(side)),
            Self::Toggle(n) => write!(f, "USER moves record {n} over the filter"),
            Self::Group => write!(f, "USER makes the group that is referred to"),
            Self::Look(side) => write!(f, "a look at what changed in {}", system(side)),
            Self::Apply => write!(f, "apply begins a batch"),
            Self::Wake => write!(f, "what is waited for is looked for"),
            Self::See(_, false) => write!(f, "   the read shows the present"),
            Self::See(_, true) => write!(f, "   the read shows the PAST"),
            Self::Arrive(_, None) => write!(f, "   the write reaches its system"),
            Self::Arrive(_, Some(n)) => write!(f, "   the write reaches its system; row {n} FAILS"),
            Self::Answer(_) => write!(f, "   the answer reaches the runtime"),
            Self::Lose(_) => write!(f, "   the answer is LOST"),
            Self::Fail(_) => write!(f, "   the read FAILS"),
            Self::Late(_) => write!(f, "a LATE write lands"),
            Self::Never(_) => write!(f, "a late write is gone for good"),
            Self::CatchUp(side) => write!(f, "{}'s replica catches up", system(side)),
            Self::GoOn => write!(f, "   the commit is done"),
            Self::Crash => write!(f, "CRASH, and a new start"),
            Self::Pass => write!(f, "time passes"),
        }
    }
}

impl Step {
    const fn by(self) -> By {
        match self {
            Self::Edit(..)
            | Self::Create(..)
            | Self::Delete(..)
            | Self::Toggle(_)
            | Self::Group
            | Self::Arrive(_, Some(_))
            | Self::Lose(_)
            | Self::Fail(_)
            | Self::Crash => By::Chance,
            _ => By::Itself,
        }
    }
}

/// A state in which no part of the runtime is in the middle of a pass: all of it can be copied.
struct Rest {
    world: State,
    kept: Kept,
    memory: Memory,
}

/// How to come back to a state: from the last rest, by the steps since.
pub(crate) struct Point {
    rest: Arc<Rest>,
    since: Vec<Step>,
}

/// The runtime in its world.
pub(crate) struct Protocol {
    machine: Machine,
    start: Point,
}

impl Protocol {
    pub(crate) fn new(scenario: &'static Scenario, rules: Rules) -> Self {
        let mut state = State::new(scenario);
        for natural in [NEIGHBOUR].iter().chain(scenario.records) {
            if *natural == NEIGHBOUR || scenario.linked {
                for side in Side::BOTH {
                    let (name, value) = (LINES[0].column(side), "Acme".into());
                    state.user_creates(
                        side,
                        natural,
                        [(name.to_owned(), value)].into_iter().collect(),
                    );
                }
            }
        }
        let world = World::new(state);
        let machine = Machine::settled(&world, scenario, rules);
        {
            let mut state = world.state();
            state.calm = false;
            state.writes = 0;
            for side in Side::BOTH {
                state.swept[side.index()] = standing_of(&state, &machine.store.kept(), side);
            }
        }
        let start = Point {
            rest: rest(&machine),
            since: vec![],
        };
        Self { machine, start }
    }

    fn go_to(&self, point: &Point) -> Process<'_> {
        *self.machine.world.state() = point.rest.world.clone();
        *self.machine.store.kept() = point.rest.kept.clone();
        self.machine.recall(point.rest.memory.clone());
        let mut process = Process::new(&self.machine);
        for step in &point.since {
            self.take(&mut process, *step);
        }
        process
    }

    /// The state as it is now, by the steps since the last rest before it.
    fn found(&self, process: &Process<'_>, from: &Point, since: Vec<Step>) -> Found<Self> {
        let mut trace = self.machine.trace();
        self.machine.world.state().digest(&mut trace);
        self.machine.store.kept().digest(&mut trace);
        process.digest(&mut trace);
        let fingerprint = trace.fingerprint(process.since());
        let mut steps = vec![];
        self.steps(process, &mut steps);
        let at_rest = steps.iter().all(|step| step.by() == By::Chance);
        let broken = self.broken(process, at_rest);
        let point = if process.is_idle() {
            Point {
                rest: rest(&self.machine),
                since: vec![],
            }
        } else {
            Point {
                rest: from.rest.clone(),
                since,
            }
        };
        Found {
            point,
            fingerprint,
            steps: steps.into_iter().map(|step| (step, step.by())).collect(),
            broken,
        }
    }

    // ---- which steps may be taken

    fn steps(&self, process: &Process<'_>, steps: &mut Vec<Step>) {
        let state = self.machine.world.state();
        let kept = self.machine.store.kept();
        let left = &state.left;
        let crash = (left.crashes > 0).then_some(Step::Crash);
        let pass = next_due(&state, &kept).filter(|due| state.may_pass(*due));
        let pass = pass.map(|_| Step::Pass);
        if state.at_gate.is_some() {
            // Only this process moves between a commit and what follows from it; but it may take its time.
            steps.push(Step::GoOn);
            steps.extend(crash.into_iter().chain(pass));
            return;
        }
        if let Some((id, is_write)) = sent(&state) {
            // What else might happen before a request arrives might as well happen before it was sent.
            if is_write {
                steps.push(Step::Arrive(id, None));
                steps.extend((left.losses > 0).then_some(Step::Lose(id)));
                if left.refusals > 0 {
                    steps.extend((0..rows(&state, id)).map(|n| Step::Arrive(id, Some(n))));
                }
                steps.extend(crash);
            } else {
                steps.extend([Step::See(id, false), Step::See(id, true)]);
            }
            return;
        }
        for (&id, exchange) in &state.exchanges {
            steps.push(Step::Answer(id));
            match exchange.request {
                Request::Write(_) => steps.extend((left.losses > 0).then_some(Step::Lose(id))),
                _ => steps.extend((left.outages > 0).then_some(Step::Fail(id))),
            }
        }
        for late in 0..state.late.len() {
            steps.extend([Step::Late(late), Step::Never(late)]);
        }
        for side in Side::BOTH {
            let table = state.table(side);
            steps.extend((table.replica != table.rows).then_some(Step::CatchUp(side)));
            let looks = !process.is_busy(side.index()) && sees_news(&state, &kept, side);
            steps.extend(looks.then_some(Step::Look(side)));
        }
        let due = is_due(&state, &kept);
        steps.extend((!process.is_busy(APPLY) && due).then_some(Step::Apply));
        let waits = state.group && kept.marks().any(|m| m.missing.is_some());
        steps.extend((!process.is_busy(WAKE) && waits).then_some(Step::Wake));
        steps.extend(pass);
        users(&state, steps);
        let something_to_lose = !process.is_idle();
        steps.extend(crash.filter(|_| something_to_lose));
    }

    // ---- what a step does

    fn take(&self, process: &mut Process<'_>, step: Step) {
        let world = &self.machine.world;
        world.state().tell(|| step.to_string());
        match step {
            Step::Edit(n, side, line) => user_edits(&mut world.state(), n, side, line),
            Step::Create(n, side) => user_creates(&mut world.state(), n, side),
            Step::Delete(n, side) => user_deletes(&mut world.state(), n, side),
            Step::Toggle(n) => user_toggles(&mut world.state(), n),
            Step::Group => {
                let mut state = world.state();
                state.left.groups -= 1;
                state.group = true;
            }
            Step::Look(side) => {
                if !world.state().scenario.sides[side.index()].tracked {
                    let now = self.standing_of(side);
                    world.state().swept[side.index()] = now;
                }
                process.begin(side.index());
                self.look_at_once(process, side);
            }
            Step::Apply => {
                world.state().begin_pass();
                process.begin(APPLY);
            }
            Step::Wake => process.begin(WAKE),
            Step::See(id, past) => world.state().arrive(id, past, None),
            Step::Arrive(id, refused) => {
                let mut state = world.state();
                state.left.refusals -= u8::from(refused.is_some());
                state.arrive(id, false, refused);
            }
            Step::Answer(id) => {
                world.state().deliver(id);
                self.answered(process, id);
            }
            Step::Lose(id) => {
                {
                    let mut state = world.state();
                    state.left.losses -= 1;
                    state.lose(id);
                }
                self.answered(process, id);
            }
            Step::Fail(id) => {
                {
                    let mut state = world.state();
                    state.left.outages -= 1;
                    state.fail(id);
                }
                self.answered(process, id);
            }
            Step::Late(n) => world.state().land(n),
            Step::Never(n) => drop(world.state().late.remove(n)),
            Step::CatchUp(side) => world.state().catch_up(side),
            Step::GoOn => {
                let part = world.state().at_gate.take();
                if let Some(part) = part {
                    process.poll(part);
                }
            }
            Step::Crash => {
                world.state().left.crashes -= 1;
                process.restart();
            }
            Step::Pass => {
                let mut state = world.state();
                if let Some(due) = next_due(&state, &self.machine.store.kept()) {
                    state.now = due;
                }
            }
        }
    }

    /// Where looks aren't slow, nothing comes between a look and its answer.
    fn look_at_once(&self, process: &mut Process<'_>, side: Side) {
        let id = {
            let state = self.machine.world.state();
            let habits = state.scenario.sides[side.index()];
            let mut answers = state.exchanges.iter();
            let mine = answers.find(|(_, e)| e.actor == side.index());
            let answer = mine.filter(|(_, e)| matches!(e.stage, Stage::Answered(_)));
            answer.filter(|_| !habits.slow).map(|(id, _)| *id)
        };
        if let Some(id) = id {
            self.machine.world.state().deliver(id);
            self.answered(process, id);
        }
    }

    /// The part that waits for an exchange takes its answer.
    fn answered(&self, process: &mut Process<'_>, id: usize) {
        let exchange = self.machine.world.state().exchanges.get(&id).cloned();
        if let Some(exchange) = exchange
            && let Stage::Delivered(response) = &exchange.stage
        {
            process.tell(exchange.actor, |told| {
                told.put(&id);
                response.digest(told);
            });
            process.poll(exchange.actor);
        }
    }

    /// How a side stands for a sweep: its rows, and the links that they are held against.
    fn standing_of(&self, side: Side) -> u64 {
        standing_of(
            &self.machine.world.state(),
            &self.machine.store.kept(),
            side,
        )
    }

    // ---- what is promised

    fn broken(&self, process: &Process<'_>, at_rest: bool) -> Option<String> {
        if let Some(error) = &process.ended {
            return Some(format!("the process ended by itself: {error}"));
        }
        let state = self.machine.world.state();
        if let Some(broken) = state.oracle.broken() {
            return Some(broken.to_string());
        }
        if state.writes > state.scenario.writes_max {
            return Some("Stillness: more is written than any bounded exchange needs".to_owned());
        }
        let kept = self.machine.store.kept();
        // What the brake holds waits for a person.
        if !at_rest || kept.status(MAP).mode == MapMode::Held {
            return None;
        }
        let open = |cause| matches!(cause, Cause::Changed | Cause::Retry);
        if let Some(mark) = kept.marks().find(|m| open(m.cause)) {
            return Some(format!(
                "Convergence: {mark:?} is left, and nothing moves it"
            ));
        }
        if kept.intents().next().is_some() {
            return Some("Convergence: an intent is left, and nothing settles it".to_owned());
        }
        judge(&state, &kept)
    }
}

/// Judges how everything stands at rest.
fn judge(state: &State, kept: &Kept) -> Option<String> {
    let code_of = |natural: &str, cause: Cause| {
        let mut marks = kept.marks().filter(|m| m.cause == cause);
        marks.any(|m| natural_of(state, kept, m.id.side, &m.id.record) == natural)
    };
    let mut oracle = state.oracle.clone();
    oracle.judge(|natural| Standing {
        rows: Side::BOTH.map(|side| state.table(side).fields(natural).map(|f| &**f)),
        in_errors: code_of(natural, Cause::Failed),
        waits: code_of(natural, Cause::Parked),
        held: code_of(natural, Cause::Held),
        neighbours: [true; 2],
        groups: state as &dyn Groups,
    });
    oracle.broken().map(ToString::to_string)
}

fn natural_of(state: &State, kept: &Kept, side: Side, record: &dwmap_sync::RecordId) -> String {
    let link = kept
        .links()
        .find(|l| l.sides[side.index()].record.as_ref() == Some(record));
    if let Some(link) = link {
        return pair_text(&link.pair);
    }
    let key = record.values().map(|v| key_text(&v)).unwrap_or_default();
    let row = state.table(side).rows.get(&key);
    row.map_or(key, |r| r.natural.clone())
}

/// A request that hasn't reached its system: its place, and whether it is a write.
fn sent(state: &State) -> Option<(usize, bool)> {
    let mut exchanges = state.exchanges.iter();
    let (id, exchange) = exchanges.find(|(_, e)| matches!(e.stage, Stage::Sent))?;
    Some((*id, matches!(exchange.request, Request::Write(_))))
}

fn rows(state: &State, id: usize) -> usize {
    match state.exchanges.get(&id).map(|e| &e.request) {
        Some(Request::Write(writes)) => writes.len(),
        _ => 0,
    }
}

/// Whether a look at a side would find something.
fn sees_news(state: &State, kept: &Kept, side: Side) -> bool {
    let table = state.table(side);
    let habits = state.scenario.sides[side.index()];
    if !habits.tracked {
        return state.swept[side.index()] != standing_of(state, kept, side);
    }
    let cursor = kept.cursor_of(crate::plan::MAIN[side.index()]);
    let read: u64 = cursor.and_then(|c| c.parse().ok()).unwrap_or(0);
    table.newest > read
}

fn standing_of(state: &State, kept: &Kept, side: Side) -> u64 {
    let mut hasher = DefaultHasher::new();
    let table = state.table(side);
    table.rows.hash(&mut hasher);
    for link in kept.links() {
        (link.state as u8).hash(&mut hasher);
        link.sides[side.index()]
            .version
            .as_ref()
            .map(|v| &v.0)
            .hash(&mut hasher);
        format!("{:?}", link.bases).hash(&mut hasher);
    }
    hasher.finish()
}

/// Whether apply has something to do now.
fn is_due(state: &State, kept: &Kept) -> bool {
    if kept.status(MAP).mode != MapMode::Running {
        return false;
    }
    let open = |cause| matches!(cause, Cause::Changed | Cause::Retry);
    let mark = kept
        .marks()
        .any(|m| open(m.cause) && m.not_before <= state.now);
    // An intent is looked at once before it is due, so each pass may find something.
    mark || kept.intents().any(|i| i.settle_at <= state.now)
}

/// The next moment for which something waits.
fn next_due(state: &State, kept: &Kept) -> Option<Moment> {
    let open = |cause| matches!(cause, Cause::Changed | Cause::Retry);
    let marks = kept.marks().filter(|m| open(m.cause)).map(|m| m.not_before);
    let intents = kept.intents().map(|i| i.settle_at);
    marks.chain(intents).filter(|at| *at > state.now).min()
}

// ---- users

fn users(state: &State, steps: &mut Vec<Step>) {
    let left = &state.left;
    for (n, natural) in state.scenario.records.iter().enumerate() {
        for side in Side::BOTH {
            let there = state.table(side).find(natural).is_some();
            let deleted_by = state.oracle.deleted_by(natural);
            if there && left.edits > 0 {
                let edits = state.scenario.edits.iter();
                let here = edits.filter(|(of, _)| *of == side);
                steps.extend(here.map(|(_, line)| Step::Edit(n, side, *line)));
            }
            let may_make =
                deleted_by.is_none_or(|by| by == side && !state.oracle.recreated(natural));
            if !there && left.creates > 0 && may_make {
                steps.push(Step::Create(n, side));
            }
            if there && left.deletes > 0 && deleted_by.is_none() {
                steps.push(Step::Delete(n, side));
            }
        }
        if left.toggles > 0 && state.table(Side::Left).find(natural).is_some() {
            steps.push(Step::Toggle(n));
        }
    }
    steps.extend((left.groups > 0).then_some(Step::Group));
}

fn user_edits(state: &mut State, n: usize, side: Side, at: usize) {
    state.left.edits -= 1;
    let natural = state.scenario.records[n];
    let held = state.table(side).fields(natural).cloned();
    let line = &LINES[at];
    let value = if line.tagged() {
        let value = line.value(side, state.oracle.next_tag());
        state.oracle.edited(side, natural, at, held.as_deref());
        value
    } else {
        state.oracle.edited_untagged(side, natural);
        json!(if side == Side::Left { GROUP.0 } else { GROUP.1 })
    };
    state.tell(|| format!("      {value}"));
    let columns = [(line.column(side).to_owned(), value)];
    state.user_sets(side, natural, columns.into_iter().collect());
}

fn user_creates(state: &mut State, n: usize, side: Side) {
    state.left.creates -= 1;
    let natural = state.scenario.records[n];
    state.oracle.created(side, natural);
    let line = &LINES[0];
    let value = line.value(side, state.oracle.next_tag());
    state.oracle.edited(side, natural, 0, None);
    let columns: Fields = [(line.column(side).to_owned(), value)]
        .into_iter()
        .collect();
    state.user_creates(side, natural, columns);
}

fn user_deletes(state: &mut State, n: usize, side: Side) {
    state.left.deletes -= 1;
    let natural = state.scenario.records[n];
    if let Some(held) = state.table(side).fields(natural).cloned() {
        state.oracle.deleted(side, natural, &held);
        state.user_deletes(side, natural);
    }
}

fn user_toggles(state: &mut State, n: usize) {
    state.left.toggles -= 1;
    let natural = state.scenario.records[n];
    let held = state.table(Side::Left).fields(natural).cloned();
    let party = held.and_then(|f| f.get("PartyType").cloned());
    let leaves = party == Some(json!("Organization"));
    if leaves {
        state.oracle.left(natural);
    } else {
        state.oracle.entered(natural);
    }
    let value = json!(if leaves { "Person" } else { "Organization" });
    let columns = [("PartyType".to_owned(), value)];
    state.user_sets(Side::Left, natural, columns.into_iter().collect());
}

impl Model for Protocol {
    type Point = Point;
    type Step = Step;

    fn begin(&self) -> Found<Self> {
        let process = self.go_to(&self.start);
        self.found(&process, &self.start, vec![])
    }

    fn step(&self, from: &Point, step: &Step) -> Found<Self> {
        let mut process = self.go_to(from);
        self.take(&mut process, *step);
        let mut since = from.since.clone();
        since.push(*step);
        self.found(&process, from, since)
    }

    fn story(&self, way: &[Step]) -> Vec<String> {
        let mut process = self.go_to(&self.start);
        self.machine.world.state().story = Some(vec![]);
        for step in way {
            self.take(&mut process, *step);
        }
        let story = self.machine.world.state().story.take();
        story.unwrap_or_default()
    }
}

fn rest(machine: &Machine) -> Arc<Rest> {
    let memory = machine.memory();
    Arc::new(Rest {
        world: machine.world.state().clone(),
        kept: machine.store.kept().clone(),
        memory,
    })
}
