//! Everything outside the runtime: two systems, what travels between them and the runtime, the clock, and how much may
//! still happen. Nothing here happens by itself: the explorer chooses each step.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Waker;
use std::time::Duration;

use dwmap_connect::{
    Change, ChangePage, ConnectError, Cursor, Guard, Keys, Outcome, Page, RecordKey, Refusal, Row,
    Write, WriteKind,
};
use dwmap_plan::{Side, Value};
use dwmap_sync::Moment;
use dwmap_sync::state::memory::Digest;

use crate::lines::{Groups, TERMS};
use crate::oracle::{Landed, Oracle};
use crate::scenario::{Budget, Scenario};
use crate::table::{NATURAL, Rows, Stored, Table, version_of};
use crate::trace::Trace;
use crate::wire::{Fields, body, json_text, key_text, parse_guid, row_key, value_text};

/// The systems' names, and the sets of the map.
pub(crate) const SYSTEMS: [&str; 2] = ["erp", "crm"];
/// How long a write may be worked on.
pub(crate) const EXECUTION_MAX: Duration = Duration::from_secs(10);
/// How far a lagging side's reads may lag.
pub(crate) const LAG_MAX: Duration = Duration::from_secs(4);
/// Requests that one part of the runtime has under way at most.
const REQUESTS_MAX: usize = 8;
/// The group that a record may refer to: its code, and its identity.
pub(crate) const GROUP: (&str, &str) = ("40", "00000000-0000-0000-0000-0000000000aa");

/// What is asked of a system.
#[derive(Debug, Clone)]
pub(crate) enum Request {
    Scan,
    Changes(Option<Cursor>),
    Fetch { set: String, keys: Keys },
    Write(Vec<Write>),
}

/// What a system says.
#[derive(Debug, Clone)]
pub(crate) enum Response {
    Scan(Page),
    Changes(ChangePage),
    Fetch(Vec<Row>),
    Write(Vec<Outcome>),
    Failed(ConnectError),
}

/// How far a request is.
#[derive(Debug, Clone)]
pub(crate) enum Stage {
    /// A read that may show the past, or a write: sent, and not there yet.
    Sent,
    /// Performed; the answer is under way.
    Answered(Response),
    /// The answer is there, and the runtime will take it when it is polled.
    Delivered(Response),
}

/// A request under way.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    /// The part of the runtime that waits for it.
    pub(crate) actor: usize,
    pub(crate) side: Side,
    pub(crate) request: Request,
    pub(crate) stage: Stage,
    /// Whoever joins several requests polls only those that woke it.
    waker: Option<Waker>,
    /// The records that a write has changed, by their natural keys.
    written: Vec<String>,
    /// What the runtime had been shown of the rows when it wrote them.
    seen: Vec<Option<Arc<Fields>>>,
}

/// A write for whose answer nobody waits any more, and that may still land.
#[derive(Debug, Clone)]
pub(crate) struct Late {
    pub(crate) side: Side,
    pub(crate) writes: Vec<Write>,
    seen: Vec<Option<Arc<Fields>>>,
    /// From this moment on it can't land.
    until: Moment,
}

/// Everything there is outside the runtime.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) scenario: &'static Scenario,
    pub(crate) now: Moment,
    pub(crate) tables: [Table; 2],
    /// Since when a side's replica is behind.
    pub(crate) behind: [Option<Moment>; 2],
    /// The group that may be referred to is there.
    pub(crate) group: bool,
    /// Requests under way: their ids begin with the part of the runtime that waits for them.
    pub(crate) exchanges: BTreeMap<usize, Exchange>,
    pub(crate) late: Vec<Late>,
    /// The part of the runtime that is polled.
    pub(crate) actor: usize,
    /// The part of the runtime that has committed and not gone on yet.
    pub(crate) at_gate: Option<usize>,
    pub(crate) left: Budget,
    pub(crate) oracle: Oracle,
    /// Records of which the running process knows from an answer that what it wrote last has landed.
    answered: BTreeSet<(Side, String)>,
    /// What feeds showed, and what the pass at hand has seen: only on sides without guards.
    fed: [Seen; 2],
    seen: [Seen; 2],
    /// How much the runtime has written.
    pub(crate) writes: u8,
    /// How a side stood when its last sweep began.
    pub(crate) swept: [u64; 2],
    /// Requests are answered at once, and nothing is broken.
    pub(crate) calm: bool,
    pub(crate) story: Option<Vec<String>>,
}

type Seen = BTreeMap<String, Arc<Fields>>;

/// A handle to the world.
#[derive(Clone)]
pub(crate) struct World(Arc<Mutex<State>>);

impl World {
    pub(crate) fn new(state: State) -> Self {
        Self(Arc::new(Mutex::new(state)))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("one thread, and a panic ends the run")
    }
}

impl State {
    pub(crate) fn new(scenario: &'static Scenario) -> Self {
        Self {
            scenario,
            now: Moment(1_000_000),
            tables: Side::BOTH.map(Table::new),
            behind: [None; 2],
            group: false,
            exchanges: BTreeMap::new(),
            late: vec![],
            actor: 0,
            at_gate: None,
            left: scenario.may,
            oracle: Oracle::new(scenario.promises()),
            answered: BTreeSet::new(),
            fed: [Seen::new(), Seen::new()],
            seen: [Seen::new(), Seen::new()],
            writes: 0,
            swept: [0; 2],
            calm: true,
            story: None,
        }
    }

    /// A line of the story.
    pub(crate) fn tell(&mut self, line: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            story.push(line());
        }
    }

    pub(crate) fn table(&self, side: Side) -> &Table {
        &self.tables[side.index()]
    }

    fn lag(&self, side: Side) -> bool {
        self.scenario.sides[side.index()].lags
    }

    /// A side's rows changed.
    fn changed(&mut self, side: Side) {
        let (lags, now) = (self.lag(side), self.now);
        let table = &mut self.tables[side.index()];
        if lags && !self.calm {
            self.behind[side.index()].get_or_insert(now);
        } else {
            table.replica = table.rows.clone();
        }
    }

    /// A side's replica catches up.
    pub(crate) fn catch_up(&mut self, side: Side) {
        let table = &mut self.tables[side.index()];
        table.replica = table.rows.clone();
        self.behind[side.index()] = None;
    }

    // ---- users

    /// Users change a record, make one, or delete it.
    pub(crate) fn user_sets(&mut self, side: Side, natural: &str, columns: Fields) {
        let Some((key, _)) = self.table(side).find(natural) else {
            return;
        };
        let key = key.clone();
        self.tables[side.index()].update(&key, columns);
        self.changed(side);
    }

    pub(crate) fn user_creates(&mut self, side: Side, natural: &str, mut columns: Fields) {
        for (column, part) in NATURAL[side.index()].iter().zip(natural.split('/')) {
            columns.insert((*column).into(), part.into());
        }
        self.tables[side.index()].create(columns);
        self.changed(side);
    }

    pub(crate) fn user_deletes(&mut self, side: Side, natural: &str) {
        if let Some((key, _)) = self.table(side).find(natural) {
            let key = key.clone();
            self.tables[side.index()].delete(&key);
            self.changed(side);
        }
    }

    // ---- requests

    /// A request leaves the runtime.
    pub(crate) fn send(&mut self, side: Side, request: Request) -> usize {
        let seen = match &request {
            Request::Write(writes) => writes.iter().map(|w| self.seen_of(side, w)).collect(),
            _ => vec![],
        };
        let mut exchange = Exchange {
            actor: self.actor,
            side,
            request,
            stage: Stage::Sent,
            waker: None,
            written: vec![],
            seen,
        };
        let is_write = matches!(exchange.request, Request::Write(_));
        let table = self.table(side);
        let stale = self.lag(side) && table.replica != table.rows;
        if self.calm || !(is_write || stale) {
            self.perform(&mut exchange, false, None);
        }
        if let (true, Stage::Answered(response)) = (self.calm, &exchange.stage) {
            exchange.stage = Stage::Delivered(response.clone());
        }
        let mut id = exchange.actor * REQUESTS_MAX;
        while self.exchanges.contains_key(&id) {
            id += 1;
        }
        self.exchanges.insert(id, exchange);
        id
    }

    /// The side of the one fetch that a part of the runtime has under way.
    pub(crate) fn fetch_of(&self, actor: usize) -> Option<Side> {
        let mut fetches = self.exchanges.values().filter(|e| e.actor == actor);
        let fetch = fetches.next()?;
        let is_fetch = matches!(fetch.request, Request::Fetch { .. });
        (is_fetch && fetches.next().is_none()).then_some(fetch.side)
    }

    /// The answer, if it is there.
    pub(crate) fn take(&mut self, id: usize) -> Option<Response> {
        let exchange = self.exchanges.remove(&id)?;
        if let Stage::Delivered(response) = exchange.stage {
            return Some(response);
        }
        self.exchanges.insert(id, exchange);
        None
    }

    /// Somebody waits for the answer.
    pub(crate) fn listen(&mut self, id: usize, waker: &Waker) {
        if let Some(exchange) = self.exchanges.get_mut(&id) {
            exchange.waker = Some(waker.clone());
        }
    }

    /// Nobody waits for an answer any more: a write that was sent may still land.
    pub(crate) fn hang_up(&mut self, id: usize) {
        if let Some(exchange) = self.exchanges.remove(&id)
            && let (Request::Write(writes), Stage::Sent) = (exchange.request, exchange.stage)
        {
            self.late.push(Late {
                side: exchange.side,
                writes,
                seen: exchange.seen,
                until: self.now.plus(EXECUTION_MAX),
            });
        }
    }

    /// A request reaches its system; `past`: it is shown the past; `refused`: this row of a write fails alone.
    pub(crate) fn arrive(&mut self, id: usize, past: bool, refused: Option<usize>) {
        if let Some(mut exchange) = self.exchanges.remove(&id) {
            self.perform(&mut exchange, past, refused);
            self.exchanges.insert(id, exchange);
        }
    }

    fn perform(&mut self, exchange: &mut Exchange, past: bool, refused: Option<usize>) {
        let side = exchange.side;
        let response = match &exchange.request {
            Request::Write(writes) => {
                let writes = writes.clone();
                let mut outcomes = vec![];
                for (i, write) in writes.iter().enumerate() {
                    outcomes.push(if refused == Some(i) {
                        Outcome::Transient {
                            after: None,
                            message: "busy".into(),
                        }
                    } else {
                        let seen = exchange.seen[i].clone();
                        let (outcome, key) = self.write(side, write, seen.as_deref());
                        exchange.written.extend(key);
                        outcome
                    });
                }
                Response::Write(outcomes)
            }
            Request::Scan => {
                let rows = self.rows(side, past).values();
                let there = rows.filter(|r| r.fields.is_some());
                let tells = self.scenario.sides[side.index()].guards;
                Response::Scan(Page {
                    rows: there.map(|r| r.row(tells)).collect(),
                    next: None,
                })
            }
            Request::Changes(cursor) => {
                Response::Changes(self.changes(side, cursor.as_ref(), past))
            }
            Request::Fetch { set, keys } => Response::Fetch(self.fetch(side, set, keys, past)),
        };
        let written = exchange.written.iter().map(|key| (side, key.clone()));
        for key in written {
            self.answered.remove(&key);
        }
        exchange.stage = Stage::Answered(response);
    }

    fn rows(&self, side: Side, past: bool) -> &Rows {
        let table = self.table(side);
        if past { &table.replica } else { &table.rows }
    }

    fn changes(&self, side: Side, cursor: Option<&Cursor>, past: bool) -> ChangePage {
        let from: Option<u64> = cursor.and_then(|c| c.0.parse().ok());
        let rows = self.rows(side, past);
        let newest = rows.values().map(|r| r.version).max().unwrap_or(0);
        let tells = self.scenario.sides[side.index()].guards;
        let since = |r: &Stored| from.map_or(r.fields.is_some(), |from| r.version > from);
        let changed = rows.iter().filter(|(_, r)| since(r));
        let changes = changed.map(|(key, r)| match &r.fields {
            Some(fields) => Change::Changed {
                key: record_key(side, fields),
                feed_id: Some(Value::Text(key.clone())),
                row: Some(r.row(tells)),
            },
            None => Change::Deleted {
                key: None,
                feed_id: Some(Value::Text(key.clone())),
            },
        });
        ChangePage {
            changes: changes.collect(),
            next: Cursor(newest.max(from.unwrap_or(0)).to_string()),
            more: false,
        }
    }

    fn fetch(&self, side: Side, set: &str, keys: &Keys, past: bool) -> Vec<Row> {
        if set == "groups" {
            return self.fetch_groups(keys);
        }
        let wanted = |key: &str, fields: &Fields| match keys {
            Keys::Record(keys) => keys.iter().any(|k| key_text(k) == key),
            Keys::Columns { columns, values } => values.iter().any(|row| {
                let mut pairs = columns.iter().zip(row);
                pairs.all(|((name, _), v)| json_text(fields.get(name)) == value_text(v))
            }),
        };
        let tells = self.scenario.sides[side.index()].guards;
        let found = self.rows(side, past).iter();
        let found = found.filter(|(key, r)| r.fields.as_ref().is_some_and(|f| wanted(key, f)));
        found.map(|(_, r)| r.row(tells)).collect()
    }

    fn fetch_groups(&self, keys: &Keys) -> Vec<Row> {
        let asked = |value: &Value| [GROUP.0, GROUP.1].contains(&value_text(value).as_str());
        let wanted = match keys {
            Keys::Record(keys) => keys.iter().flatten().any(asked),
            Keys::Columns { values, .. } => values.iter().flatten().any(asked),
        };
        let json = format!(
            r#"{{"groupid":"{}","company":"usmf","code":"{}"}}"#,
            GROUP.1, GROUP.0
        );
        let row = Row {
            json: json.into(),
            version: None,
        };
        (self.group && wanted).then_some(row).into_iter().collect()
    }

    /// What the runtime had been shown of the row that a write is about.
    fn seen_of(&self, side: Side, write: &Write) -> Option<Arc<Fields>> {
        match &write.kind {
            WriteKind::Create { .. } => None,
            WriteKind::Update { key, .. } | WriteKind::Delete { key } => {
                self.seen[side.index()].get(&key_text(key)).cloned()
            }
        }
    }

    /// A row of a write, at its system: its outcome, and the natural key of what it changed.
    fn write(
        &mut self,
        side: Side,
        write: &Write,
        seen: Option<&Fields>,
    ) -> (Outcome, Option<String>) {
        let s = side.index();
        let (key, given) = match &write.kind {
            WriteKind::Create { body: b } => {
                let fields = body(b);
                let natural = row_key(&fields, &NATURAL[s]);
                let there = self.tables[s].find(&natural).map(|(key, _)| key.clone());
                (there, Some(fields))
            }
            WriteKind::Update { key, body: b } => (Some(key_text(key)), Some(body(b))),
            WriteKind::Delete { key } => (Some(key_text(key)), None),
        };
        let stored = key.as_ref().and_then(|k| self.tables[s].rows.get(k));
        let before = stored.and_then(|r| r.fields.clone());
        let habits = self.scenario.sides[s];
        let creates = matches!(write.kind, WriteKind::Create { .. });
        let held = match &write.guard {
            Guard::Absent => before.is_none(),
            Guard::Exists => creates || before.is_some(),
            Guard::Version(wanted) => {
                before.is_some()
                    && (!habits.guards || stored.is_some_and(|r| version_of(r.version) == *wanted))
            }
        };
        if !held {
            return (Outcome::Conflict, None);
        }
        let unfit = |f: &Fields| f.values().any(|v| json_text(Some(v)).contains("unfit"));
        if given.as_ref().is_some_and(unfit) {
            let refusal = Refusal {
                code: "0x80040237".into(),
                message: "unfit".into(),
                field: None,
            };
            return (Outcome::Rejected(refusal), None);
        }
        let columns = given.iter().flat_map(Fields::keys).cloned().collect();
        let key = self.store(side, creates, key, given);
        let row = self.tables[s].rows.get(&key).cloned();
        let after = row.as_ref().and_then(|r| r.fields.clone());
        let natural = row.as_ref().map_or_else(String::new, |r| r.natural.clone());
        if creates && write.guard == Guard::Exists {
            self.oracle.unguarded_create(&natural, before.is_some());
        }
        self.oracle.landed(&Landed {
            side,
            key: &natural,
            before: before.as_deref(),
            after: after.as_deref(),
            columns: &Vec::clone(&columns),
            guarded: matches!(write.guard, Guard::Version(_)) && habits.guards,
            seen,
        });
        self.writes = self.writes.saturating_add(1);
        self.changed(side);
        let told = row.filter(|_| after.is_some());
        let outcome = Outcome::Applied {
            version: told
                .as_ref()
                .filter(|_| habits.guards)
                .map(|r| version_of(r.version)),
            key: after.as_ref().map(|f| record_key(side, f)),
            row: told
                .filter(|_| write.wants_row)
                .map(|r| r.row(habits.guards)),
        };
        (outcome, Some(natural))
    }

    /// Changes the table, business logic included; gives the record's key.
    fn store(
        &mut self,
        side: Side,
        creates: bool,
        key: Option<String>,
        given: Option<Fields>,
    ) -> String {
        let tag = self.oracle.next_tag();
        let logic = self.scenario.sides[side.index()];
        let table = &mut self.tables[side.index()];
        match (given, creates) {
            (Some(mut fields), true) => {
                let defaults = logic.defaults_terms
                    && fields.get("terms").is_none_or(serde_json::Value::is_null);
                if defaults {
                    fields.insert("terms".into(), format!("Net t{tag}").into());
                }
                let natural = row_key(&fields, &NATURAL[side.index()]);
                logic.behave(&mut fields);
                let key = table.create(fields);
                if defaults {
                    self.oracle.defaulted(side, &natural, TERMS);
                }
                key
            }
            (Some(mut fields), false) => {
                let key = key.unwrap_or_default();
                logic.behave(&mut fields);
                table.update(&key, fields);
                key
            }
            (None, _) => {
                let key = key.unwrap_or_default();
                table.delete(&key);
                key
            }
        }
    }

    /// A late write lands.
    pub(crate) fn land(&mut self, at: usize) {
        let late = self.late.remove(at);
        for (i, write) in late.writes.iter().enumerate() {
            let (_, key) = self.write(late.side, write, late.seen[i].as_deref());
            if let Some(key) = key {
                self.answered.remove(&(late.side, key));
            }
        }
    }

    /// An answer reaches the runtime.
    pub(crate) fn deliver(&mut self, id: usize) {
        let Some(mut exchange) = self.exchanges.remove(&id) else {
            return;
        };
        let side = exchange.side;
        let written = std::mem::take(&mut exchange.written);
        self.answered
            .extend(written.into_iter().map(|key| (side, key)));
        if let Stage::Answered(response) = exchange.stage.clone() {
            if !self.scenario.sides[side.index()].guards {
                self.show(side, &response);
            }
            exchange.tell(response);
        }
        self.exchanges.insert(id, exchange);
    }

    /// Notes what the runtime is shown of a side without guards.
    fn show(&mut self, side: Side, response: &Response) {
        let (rows, seen): (Vec<&Row>, _) = match response {
            Response::Fetch(rows) => (rows.iter().collect(), &mut self.seen),
            Response::Changes(page) => {
                let rows = page.changes.iter().filter_map(|c| match c {
                    Change::Changed { row, .. } => row.as_ref(),
                    Change::Deleted { .. } => None,
                });
                (rows.collect(), &mut self.fed)
            }
            _ => return,
        };
        for row in rows {
            if let Ok(fields) = serde_json::from_slice::<Fields>(&row.json) {
                let key = key_text(&record_key(side, &fields));
                seen[side.index()].insert(key, Arc::new(fields));
            }
        }
    }

    /// A pass begins: what feeds showed before is what it may use.
    pub(crate) fn begin_pass(&mut self) {
        self.seen = self.fed.clone();
    }

    /// A write's answer is lost, whether or not it landed.
    pub(crate) fn lose(&mut self, id: usize) {
        let Some(mut exchange) = self.exchanges.remove(&id) else {
            return;
        };
        let Request::Write(writes) = &exchange.request else {
            return;
        };
        if matches!(exchange.stage, Stage::Sent) {
            self.late.push(Late {
                side: exchange.side,
                writes: writes.clone(),
                seen: std::mem::take(&mut exchange.seen),
                until: self.now.plus(EXECUTION_MAX),
            });
        }
        let unknown = Outcome::Unknown {
            message: "no answer in time".into(),
        };
        let rows = writes.len();
        exchange.tell(Response::Write(vec![unknown; rows]));
        self.exchanges.insert(id, exchange);
    }

    /// A read fails.
    pub(crate) fn fail(&mut self, id: usize) {
        if let Some(exchange) = self.exchanges.get_mut(&id) {
            exchange.tell(Response::Failed(ConnectError::Unreachable {
                system: SYSTEMS[exchange.side.index()].into(),
                url: String::new(),
                message: "no answer".into(),
            }));
        }
    }

    /// The runtime has put down what became of a write.
    pub(crate) fn acknowledge(&mut self, side: Side, key: &str) {
        let answered = self.answered.remove(&(side, key.to_owned()));
        self.oracle.acknowledged(side, key, answered);
    }

    /// The process is gone.
    pub(crate) fn forget_process(&mut self) {
        self.answered.clear();
        self.at_gate = None;
        self.fed = [Seen::new(), Seen::new()];
        self.seen = [Seen::new(), Seen::new()];
    }

    /// Whether the clock may go on to a moment: what must have happened before has.
    pub(crate) fn may_pass(&self, to: Moment) -> bool {
        let caught_up = self.behind.iter().flatten();
        let in_time = |since: &Moment| since.plus(LAG_MAX) > to;
        self.late.iter().all(|late| late.until > to) && { caught_up }.all(in_time)
    }

    /// Tells everything that decides what can happen from here on.
    pub(crate) fn digest(&self, to: &mut Trace) {
        to.put(&(&self.tables, self.group, self.at_gate, &self.left));
        to.put(&(&self.oracle, &self.answered, self.writes, self.swept));
        to.put(&self.fed_hash());
        for since in self.behind {
            to.put(&since.is_some());
            to.moment(since.unwrap_or_default());
        }
        for late in &self.late {
            to.put(&late.side);
            late.writes.iter().for_each(|w| digest_write(w, to));
            to.moment(late.until);
        }
        for (id, exchange) in &self.exchanges {
            to.put(id);
            exchange.digest(to);
        }
        to.moment(self.now);
    }

    fn fed_hash(&self) -> Vec<(&String, &Fields)> {
        let all = self.fed.iter().chain(&self.seen).flatten();
        all.map(|(key, fields)| (key, &**fields)).collect()
    }
}

impl Exchange {
    fn tell(&mut self, response: Response) {
        self.stage = Stage::Delivered(response);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn digest(&self, to: &mut Trace) {
        to.put(&(self.actor, self.side, &self.written));
        match &self.request {
            Request::Write(writes) => writes.iter().for_each(|w| digest_write(w, to)),
            Request::Scan => to.bytes(b"scan"),
            Request::Changes(cursor) => to.put(&cursor.as_ref().map(|c| &c.0)),
            Request::Fetch { set, keys } => {
                to.put(set);
                let keys = match keys {
                    Keys::Record(keys) => keys,
                    Keys::Columns { values, .. } => values,
                };
                for key in keys {
                    to.put(&key_text(key));
                }
            }
        }
        match &self.stage {
            Stage::Sent => to.bytes(b"sent"),
            Stage::Answered(response) | Stage::Delivered(response) => response.digest(to),
        }
    }
}

impl Response {
    /// Tells what the runtime is told.
    pub(crate) fn digest(&self, to: &mut Trace) {
        let rows = |rows: &[Row], to: &mut Trace| {
            for row in rows {
                to.put(&(&row.json, row.version.as_ref().map(|v| &v.0)));
            }
        };
        match self {
            Self::Scan(page) => rows(&page.rows, to),
            Self::Fetch(all) => rows(all, to),
            Self::Failed(_) => to.bytes(b"failed"),
            Self::Changes(page) => {
                to.put(&page.next.0);
                for change in &page.changes {
                    match change {
                        Change::Changed { row, .. } => rows(row.as_slice(), to),
                        Change::Deleted { feed_id, .. } => {
                            to.put(&feed_id.as_ref().map(value_text));
                        }
                    }
                }
            }
            Self::Write(outcomes) => {
                for outcome in outcomes {
                    match outcome {
                        Outcome::Applied { version, row, .. } => {
                            to.put(&version.as_ref().map(|v| &v.0));
                            rows(row.as_slice(), to);
                        }
                        Outcome::Conflict => to.bytes(b"conflict"),
                        Outcome::Rejected(_) => to.bytes(b"rejected"),
                        Outcome::Transient { .. } => to.bytes(b"transient"),
                        Outcome::Unknown { .. } => to.bytes(b"unknown"),
                    }
                }
            }
        }
    }
}

fn digest_write(write: &Write, to: &mut Trace) {
    match &write.kind {
        WriteKind::Create { body } => to.put(&("create", body)),
        WriteKind::Update { key, body } => to.put(&("update", key_text(key), body)),
        WriteKind::Delete { key } => to.put(&("delete", key_text(key))),
    }
    match &write.guard {
        Guard::Version(version) => to.put(&version.0),
        Guard::Absent => to.bytes(b"absent"),
        Guard::Exists => to.bytes(b"exists"),
    }
}

/// A row's record key as typed values.
fn record_key(side: Side, fields: &Fields) -> RecordKey {
    match side {
        Side::Left => NATURAL[0]
            .iter()
            .map(|c| Value::Text(json_text(fields.get(*c))))
            .collect(),
        Side::Right => {
            let id = json_text(fields.get("accountid"));
            vec![parse_guid(&id).map_or(Value::Null, Value::Guid)]
        }
    }
}

impl Groups for State {
    fn code(&self, identity: &str) -> String {
        let known = self.group && identity == GROUP.1;
        if known {
            GROUP.0.to_owned()
        } else {
            String::new()
        }
    }

    fn exists(&self, _: &str, code: &str) -> bool {
        self.group && code == GROUP.0
    }
}
