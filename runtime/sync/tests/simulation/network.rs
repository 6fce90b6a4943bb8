//! The way between the runtime and the systems: latency, throttling, lost answers, writes that land late or never,
//! rows of a batch that fail alone, replicas that lag, feeds that repeat and mix up.

use std::task::Waker;
use std::time::Duration;

use dwmap_connect::{
    Change, ChangePage, ConnectError, Cursor, Keys, Outcome, Page, PageToken, Row, Write,
    WriteKind, WriteMode,
};
use dwmap_plan::{Predicate, Query, Side};
use rand::Rng;

use crate::wire::{Fields, key_text};
use crate::world::{Event, State};

/// What is asked of a system.
#[derive(Debug)]
pub(crate) enum Request {
    Scan(Query, Option<Predicate>, Option<PageToken>),
    Changes(Query, Option<Cursor>),
    Fetch(Query, Keys),
    Write(Query, Vec<Write>, WriteMode),
}

/// What a system says.
#[derive(Debug)]
pub(crate) enum Response {
    Scan(Result<Page, ConnectError>),
    Changes(Result<ChangePage, ConnectError>),
    Fetch(Result<Vec<Row>, ConnectError>),
    Write(Vec<Outcome>),
}

/// What becomes of a request on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It arrives and is answered.
    Plain,
    /// It is refused at the door, and may be tried again.
    TurnedAway,
    /// It is never answered: it landed, lands late, or never does.
    Unanswered,
}

/// A row as the runtime was shown it.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    fields: Fields,
    /// When it was read at its system, and when it reached the runtime.
    read: Duration,
    delivered: Duration,
    /// Asked for by its key.
    fetched: bool,
}

/// How long a pass over a record may take: a row that a feed brought within it may not have been used by the pass.
const PASS_MAX: Duration = Duration::from_secs(20);

/// A request under way.
pub(crate) struct Exchange {
    side: Side,
    sent: Duration,
    arrived: Duration,
    request: Option<Request>,
    fate: Fate,
    /// How many rows it writes.
    rows: usize,
    /// What the runtime had been shown of the rows when it wrote them.
    seen: Vec<Option<Fields>>,
    /// The records that it has written, by their natural keys.
    written: Vec<String>,
    response: Option<Response>,
    waker: Option<Waker>,
    /// Nobody waits for the answer any more.
    hung_up: bool,
}

impl State {
    /// A request leaves the runtime.
    pub(crate) fn send(&mut self, side: Side, request: Request) -> u64 {
        if let Request::Write(_, writes, _) = &request {
            self.check_words(side, writes);
        }
        let id = self.id();
        let fate = self.fate(side, &request);
        let seen = self.seen_by(side, &request);
        let rows = seen.len();
        if !matches!(request, Request::Scan(..) | Request::Changes(..)) {
            self.tell(format!(
                "-> {} {}",
                self.system_name(side),
                describe(&request)
            ));
        }
        let habits = self.scenario.habits[side.index()];
        let arrive = self.now + self.latency();
        match fate {
            Fate::Unanswered => {
                self.counts.unknown += 1;
                let gives_up = self.now + habits.timeout;
                self.schedule(gives_up, Event::Answer(id));
                match self.rng.random_range(0..3) {
                    // It landed in time, and only the answer is lost.
                    0 => self.schedule(arrive.min(gives_up), Event::Arrive(id)),
                    // It lands when nobody waits for it any more.
                    1 => {
                        self.counts.late += 1;
                        let longest = habits.execution_max.saturating_sub(habits.timeout);
                        let late = longest.mul_f64(self.rng.random_range(0.0..1.0));
                        self.schedule(gives_up + late, Event::Arrive(id));
                    }
                    // It never lands.
                    _ => {}
                }
            }
            Fate::Plain | Fate::TurnedAway => self.schedule(arrive, Event::Arrive(id)),
        }
        self.exchanges.insert(
            id,
            Exchange {
                side,
                sent: self.now,
                arrived: self.now,
                request: Some(request),
                fate,
                rows,
                seen,
                written: vec![],
                response: None,
                waker: None,
                hung_up: false,
            },
        );
        id
    }

    fn fate(&mut self, side: Side, request: &Request) -> Fate {
        let habits = self.scenario.habits[side.index()];
        let writes = matches!(request, Request::Write(..));
        let unanswered = self.chance(habits.unanswered);
        let turned_away = self.chance(habits.turned_away);
        match (writes && unanswered, turned_away) {
            (true, _) => Fate::Unanswered,
            (false, true) => Fate::TurnedAway,
            (false, false) => Fate::Plain,
        }
    }

    pub(crate) fn listen(&mut self, id: u64, waker: &Waker) {
        if let Some(exchange) = self.exchanges.get_mut(&id) {
            exchange.waker = Some(waker.clone());
        }
    }

    /// The answer, if it has come.
    pub(crate) fn answer(&mut self, id: u64) -> Option<Response> {
        let exchange = self.exchanges.get_mut(&id)?;
        let response = exchange.response.take()?;
        // A write that is still to land stays.
        exchange.hung_up = true;
        if exchange.request.is_none() {
            self.exchanges.remove(&id);
        }
        Some(response)
    }

    /// The runtime was killed, or doesn't wait any more: what is under way lands late, or never.
    pub(crate) fn hang_up(&mut self, id: u64) {
        let Some(mut exchange) = self.exchanges.remove(&id) else {
            return;
        };
        let habits = self.scenario.habits[exchange.side.index()];
        if exchange.request.is_none() || self.rng.random_bool(0.5) {
            return;
        }
        exchange.hung_up = true;
        exchange.waker = None;
        exchange.fate = Fate::Plain;
        let last = exchange.sent + habits.execution_max;
        let left = last.saturating_sub(self.now);
        let at = self.now + left.mul_f64(self.rng.random_range(0.0..1.0));
        let late = self.id();
        self.exchanges.insert(late, exchange);
        self.schedule(at, Event::Arrive(late));
    }

    /// A request reaches its system.
    pub(crate) fn arrive(&mut self, id: u64) {
        let Some(exchange) = self.exchanges.get_mut(&id) else {
            return;
        };
        let Some(request) = exchange.request.take() else {
            return;
        };
        exchange.arrived = self.now;
        let (side, fate, late) = (exchange.side, exchange.fate, exchange.hung_up);
        let seen = std::mem::take(&mut exchange.seen);
        let system = self.system_name(side);
        let response = match fate {
            Fate::TurnedAway => {
                self.counts.transient += 1;
                self.tell(format!(
                    "   {system} turns {} away (busy)",
                    describe(&request)
                ));
                self.turn_away(side, &request)
            }
            Fate::Plain | Fate::Unanswered => {
                if late {
                    self.tell(format!("   LATE: {} reaches {system}", describe(&request)));
                }
                self.perform(side, &request, &seen)
            }
        };
        let written = std::mem::take(&mut self.just_written);
        for key in &written {
            self.answered.remove(&(side, key.clone()));
        }
        if late {
            self.exchanges.remove(&id);
            return;
        }
        let latency = self.latency();
        if let Some(exchange) = self.exchanges.get_mut(&id) {
            // An unanswered write's outcome is told by nobody.
            if fate != Fate::Unanswered {
                exchange.written = written;
                exchange.response = Some(response);
                let at = self.now + latency;
                self.schedule(at, Event::Answer(id));
            }
        }
    }

    /// An answer, or the end of waiting for one, reaches the runtime.
    pub(crate) fn deliver(&mut self, id: u64) {
        let Some(exchange) = self.exchanges.get_mut(&id) else {
            return;
        };
        let (side, waker) = (exchange.side, exchange.waker.clone());
        if exchange.fate == Fate::Unanswered {
            exchange.response = Some(Response::Write(vec![
                Outcome::Unknown {
                    message: "no answer in time".into()
                };
                exchange.rows
            ]));
            let system = self.system_name(side);
            self.tell(format!("<- TIME-OUT on a write to {system}"));
        } else {
            let written = std::mem::take(&mut exchange.written);
            self.answered
                .extend(written.into_iter().map(|key| (side, key)));
            self.show(id);
        }
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn turn_away(&mut self, side: Side, request: &Request) -> Response {
        let after = self
            .rng
            .random_bool(0.5)
            .then(|| Duration::from_secs(self.rng.random_range(1..4)));
        let message = "429 Too Many Requests".to_owned();
        let error = ConnectError::Transient {
            system: self.system_name(side).to_owned(),
            after,
            message: message.clone(),
        };
        match request {
            Request::Scan(..) => Response::Scan(Err(error)),
            Request::Changes(..) => Response::Changes(Err(error)),
            Request::Fetch(..) => Response::Fetch(Err(error)),
            Request::Write(_, writes, _) => {
                Response::Write(vec![Outcome::Transient { after, message }; writes.len()])
            }
        }
    }

    fn perform(&mut self, side: Side, request: &Request, seen: &[Option<Fields>]) -> Response {
        match request {
            Request::Scan(query, extra, from) => {
                Response::Scan(Ok(self.scan(side, query, extra.as_ref(), from.as_ref())))
            }
            Request::Changes(query, cursor) => {
                Response::Changes(self.changes(side, query, cursor.as_ref()))
            }
            Request::Fetch(query, keys) => Response::Fetch(Ok(self.fetch(side, query, keys))),
            Request::Write(query, writes, mode) => Response::Write(
                writes
                    .iter()
                    .enumerate()
                    .map(|(i, w)| {
                        self.write(side, query, w, *mode, seen.get(i).and_then(Option::as_ref))
                    })
                    .collect(),
            ),
        }
    }
}

/// What the runtime was shown of rows, to tell what it could know when it wrote.
impl State {
    /// What it had been shown of the rows that a request writes.
    fn seen_by(&self, side: Side, request: &Request) -> Vec<Option<Fields>> {
        let Request::Write(_, writes, _) = request else {
            return vec![];
        };
        let shown = &self.shown[side.index()];
        let long_ago = self.now.saturating_sub(PASS_MAX);
        let counts = |s: &&Shown| s.fetched || s.delivered <= long_ago;
        let seen = |write: &Write| match &write.kind {
            WriteKind::Create { .. } => None,
            WriteKind::Update { key, .. } | WriteKind::Delete { key } => {
                let all = shown.get(&key_text(key))?;
                let newest = all.iter().filter(counts).max_by_key(|s| s.read);
                newest.map(|s| s.fields.clone())
            }
        };
        writes.iter().map(seen).collect()
    }

    /// An answer is shown to the runtime.
    fn show(&mut self, id: u64) {
        let Some(exchange) = self.exchanges.get(&id) else {
            return;
        };
        let (side, Some(response)) = (exchange.side, exchange.response.as_ref()) else {
            return;
        };
        let line = format!(
            "<- {} {}",
            self.system_name(side),
            describe_response(response)
        );
        let nothing_new =
            matches!(response, Response::Changes(Ok(page)) if page.changes.is_empty());
        let rows: Vec<&Row> = match response {
            Response::Scan(Ok(page)) => page.rows.iter().collect(),
            Response::Fetch(Ok(rows)) => rows.iter().collect(),
            Response::Changes(Ok(page)) => page.changes.iter().filter_map(row_of).collect(),
            Response::Write(outcomes) => outcomes.iter().filter_map(row_of_outcome).collect(),
            _ => vec![],
        };
        let shown = |row: &Row| {
            Some(Shown {
                fields: serde_json::from_slice(&row.json).ok()?,
                read: exchange.arrived,
                delivered: self.now,
                fetched: matches!(response, Response::Fetch(_)),
            })
        };
        let parsed: Vec<Shown> = rows.into_iter().filter_map(shown).collect();
        for shown in parsed {
            let id = self.main_key(side, &shown.fields);
            self.shown[side.index()].entry(id).or_default().push(shown);
        }
        if !nothing_new {
            self.tell(line);
        }
    }
}

fn row_of(change: &Change) -> Option<&Row> {
    match change {
        Change::Changed { row, .. } => row.as_ref(),
        Change::Deleted { .. } => None,
    }
}

fn row_of_outcome(outcome: &Outcome) -> Option<&Row> {
    match outcome {
        Outcome::Applied { row, .. } => row.as_ref(),
        _ => None,
    }
}

/// A request in a few words.
fn describe(request: &Request) -> String {
    let set = |q: &Query| q.address.set.clone();
    match request {
        Request::Scan(q, _, from) => match from {
            None => format!("scan {}", set(q)),
            Some(_) => format!("scan {} (next page)", set(q)),
        },
        Request::Changes(q, cursor) => {
            format!(
                "changes of {} since {}",
                set(q),
                cursor.as_ref().map_or("ever", |c| &c.0)
            )
        }
        Request::Fetch(q, Keys::Record(keys)) => {
            let keys: Vec<String> = keys.iter().map(|k| key_text(k)).collect();
            format!("fetch {} {}", set(q), keys.join(", "))
        }
        Request::Fetch(q, Keys::Columns { values, .. }) => {
            let keys: Vec<String> = values.iter().map(|k| key_text(k)).collect();
            format!("fetch {} by columns {}", set(q), keys.join(", "))
        }
        Request::Write(_, writes, mode) => {
            let writes: Vec<String> = writes.iter().map(describe_write).collect();
            format!("{mode:?} write: {}", writes.join("; "))
        }
    }
}

fn describe_write(write: &Write) -> String {
    let body = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    match &write.kind {
        WriteKind::Create { body: b } => format!("create {} if {:?}", body(b), write.guard),
        WriteKind::Update { key, body: b } => {
            format!("update {} {} if {:?}", key_text(key), body(b), write.guard)
        }
        WriteKind::Delete { key } => format!("delete {} if {:?}", key_text(key), write.guard),
    }
}

fn describe_response(response: &Response) -> String {
    let row = |r: &Row| String::from_utf8_lossy(&r.json).into_owned();
    let rows = |all: &[Row]| all.iter().map(row).collect::<Vec<_>>().join(" ");
    match response {
        Response::Scan(Ok(page)) => {
            format!("scanned {} rows: {}", page.rows.len(), rows(&page.rows))
        }
        Response::Fetch(Ok(all)) => format!("fetched {} rows: {}", all.len(), rows(all)),
        Response::Changes(Ok(page)) => {
            let changes = page.changes.iter().map(|c| match c {
                Change::Changed { row: Some(r), .. } => row(r),
                Change::Changed { key, feed_id, .. } => {
                    format!("changed {} {feed_id:?}", key_text(key))
                }
                Change::Deleted { key, feed_id } => {
                    format!(
                        "deleted {} {feed_id:?}",
                        key.as_deref().map_or_else(String::new, key_text)
                    )
                }
            });
            let changes: Vec<String> = changes.collect();
            format!("changes up to {}: {}", page.next.0, changes.join(" "))
        }
        Response::Scan(Err(e)) | Response::Fetch(Err(e)) | Response::Changes(Err(e)) => {
            e.to_string()
        }
        Response::Write(outcomes) => outcomes
            .iter()
            .map(|o| match o {
                Outcome::Applied {
                    version, row: r, ..
                } => format!(
                    "applied {} {}",
                    version.as_ref().map_or("", |v| &v.0),
                    r.as_ref().map_or_else(String::new, row)
                ),
                other => format!("{other:?}"),
            })
            .collect::<Vec<_>>()
            .join("; "),
    }
}
