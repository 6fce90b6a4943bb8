//! What those who run the process do: they kill it, lose its state, go on with another plan, set its clock, start it
//! twice, and ask things of it. When users and faults are over, everything that they asked is taken back.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use dwmap_connect::{Write, WriteKind};
use dwmap_plan::Side;
use dwmap_sync::state::RequestId;
use dwmap_sync::{Answer, ErrorFilter, RecordName, Request};
use rand::Rng;

use crate::oracle::Promise;
use crate::plan::{MAIN, MAP};
use crate::users::key_of;
use crate::wire::{body, key_text, row_key};
use crate::world::{Event, State};

/// What was asked of the process, and what its answers promise.
#[derive(Default)]
pub(crate) struct Desk {
    asked: u64,
    /// What wasn't taken up yet.
    pub(crate) open: BTreeMap<RequestId, Request>,
    /// What was taken up and not answered yet.
    pub(crate) begun: BTreeMap<RequestId, Request>,
    /// Neither system is written to: that was answered, and not taken back yet.
    readonly: bool,
    /// Records that nothing is done about, in the same way.
    held: BTreeSet<String>,
    /// Everything that is asked from now on takes back what was asked before.
    taking_back: bool,
}

impl Desk {
    pub(crate) fn is_done(&self) -> bool {
        self.open.is_empty() && self.begun.is_empty()
    }
}

impl State {
    /// Puts what operators do into the queue, up to a time.
    pub(crate) fn schedule_operators(&mut self, last: Duration) {
        let operators = self.scenario.operators;
        let events = [
            (operators.crashes, Event::Crash),
            (operators.losses, Event::Lose),
            (operators.upgrades, Event::Upgrade),
            (operators.jumps, Event::Jump),
            (operators.words, Event::Ask),
            (operators.seconds, Event::Second),
        ];
        for (times, event) in events {
            for _ in 0..times {
                let at = last.mul_f64(self.rng.random_range(0.0..1.0));
                self.schedule(at, event);
            }
        }
    }

    /// The clock that the process sees is set, and perhaps set right again later.
    pub(crate) fn clock_jumps(&mut self) {
        const DAY: i64 = 24 * 3600 * 1000;
        self.counts.jumps += 1;
        self.clock_off = match self.rng.random_range(0..4) {
            0 => 0,
            1 => self.rng.random_range(-60_000..60_000),
            _ => self.rng.random_range(-3 * DAY..3 * DAY),
        };
        let off = self.clock_off / 1000;
        self.tell(format!("the process's clock is {off} s off from here on"));
    }

    /// Somebody asks something.
    pub(crate) fn operator_asks(&mut self) {
        let key = key_of(self.rng.random_range(0..self.scenario.users.records));
        let record = RecordName {
            map: MAP.to_owned(),
            key: key.replace('/', " "),
        };
        let maps = vec![MAP.to_owned()];
        let request = match self.rng.random_range(0..9) {
            0 => Request::Pause { maps },
            1 => Request::Resume { maps },
            2 => Request::Readonly { on: true },
            3 => Request::Readonly { on: false },
            4 | 5 => Request::Hold {
                record,
                reason: "wait".to_owned(),
            },
            6 => Request::Release { record },
            7 => Request::Reload { maps },
            _ => Request::RetryErrors {
                errors: ErrorFilter::default(),
            },
        };
        self.ask(request);
    }

    /// What may still stand of what was asked is taken back; again, if the process died over it.
    pub(crate) fn take_back(&mut self) {
        if self.scenario.operators.words == 0 || (self.desk.taking_back && self.desk.is_done()) {
            return;
        }
        self.desk.taking_back = true;
        self.desk.open.clear();
        self.desk.begun.clear();
        self.ask(Request::Readonly { on: false });
        for record in 0..self.scenario.users.records {
            self.ask(Request::Release {
                record: RecordName {
                    map: MAP.to_owned(),
                    key: key_of(record).replace('/', " "),
                },
            });
        }
        self.ask(Request::Resume {
            maps: vec![MAP.to_owned()],
        });
    }

    pub(crate) fn ask(&mut self, request: Request) {
        match &request {
            Request::Readonly { on: false } => self.desk.readonly = false,
            Request::Release { record } => {
                self.desk.held.remove(&record.key.replace(' ', "/"));
            }
            _ => {}
        }
        self.desk.asked += 1;
        let id = RequestId(i64::try_from(self.desk.asked).unwrap_or(i64::MAX));
        self.tell(format!("ASKED {}: {request:?}", id.0));
        self.desk.open.insert(id, request);
    }

    /// The process has taken a request up.
    pub(crate) fn taken_up(&mut self, id: RequestId) {
        if let Some(request) = self.desk.open.remove(&id) {
            self.desk.begun.insert(id, request);
        }
    }

    /// It has answered: from now on what it said holds, unless it was taken back meanwhile.
    pub(crate) fn answered(&mut self, id: RequestId, answer: &str) {
        let Some(request) = self.desk.begun.remove(&id) else {
            return;
        };
        self.tell(format!("ANSWER {}: {answer}", id.0));
        let refused = serde_json::from_str(answer).is_ok_and(|a: Answer| a.refused.is_some());
        if refused {
            return;
        }
        self.counts.words += 1;
        let back = |other: &Request| match (&request, other) {
            (Request::Readonly { .. }, Request::Readonly { on: false }) => true,
            (Request::Hold { record, .. }, Request::Release { record: other }) => record == other,
            _ => false,
        };
        if self.desk.open.values().any(back) {
            return;
        }
        match request {
            Request::Readonly { on } => self.desk.readonly = on,
            Request::Hold { record, .. } => {
                self.desk.held.insert(record.key.replace(' ', "/"));
            }
            _ => {}
        }
    }

    /// Writes leave the process: none may be of what it said that it leaves alone.
    pub(crate) fn check_words(&mut self, side: Side, writes: &[Write]) {
        if self.desk.readonly {
            let what = "it was written to a system that is only read".to_owned();
            self.oracle.break_promise(Promise::Stillness, what);
        }
        if self.desk.held.is_empty() {
            return;
        }
        for write in writes {
            let key = match &write.kind {
                WriteKind::Create { body: b } => {
                    let table = self.servers[side.index()].table(MAIN[side.index()]);
                    Some(row_key(&body(b), &table.shape.natural))
                }
                WriteKind::Update { key, .. } | WriteKind::Delete { key } => {
                    self.natural_key(side, &key_text(key))
                }
            };
            if let Some(key) = key.filter(|key| self.desk.held.contains(key)) {
                let what = format!("{key} was written on {side:?} though a person holds it");
                self.oracle.break_promise(Promise::Stillness, what);
            }
        }
    }
}
