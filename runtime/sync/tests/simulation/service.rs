//! How a system serves requests: pages, feeds, fetches and guarded writes on top of its [tables](crate::server).

use std::time::Duration;

use bytes::Bytes;
use dwmap_connect::{
    Change, ChangePage, ConnectError, Cursor, Guard, Keys, Outcome, Page, PageToken, RecordKey,
    Refusal, Row, Version, Write, WriteKind, WriteMode,
};
use dwmap_plan::{Address, Predicate, Query, Repr, Side, Value};
use rand::Rng;
use rand::seq::SliceRandom;
use serde_json::Value as Json;

use crate::lines::TERMS;
use crate::oracle::{Landed, Promise};
use crate::plan::MAIN;
use crate::server::{Refused, Table};
use crate::users::CLAIMANT;
use crate::wire::{Fields, body, holds, json_text, key_text, parse_guid, row_key, value_text};
use crate::world::State;

impl State {
    pub(crate) fn system_name(&self, side: Side) -> &'static str {
        self.servers[side.index()].name
    }

    /// The record key of a row of the simulated map.
    pub(crate) fn main_key(&self, side: Side, fields: &Fields) -> String {
        let table = self.servers[side.index()].table(MAIN[side.index()]);
        row_key(fields, &table.shape.key)
    }

    /// The natural key of a record of the simulated map, by its id: also of one that is gone.
    pub(crate) fn natural_key(&self, side: Side, id: &str) -> Option<String> {
        let table = self.servers[side.index()].table(MAIN[side.index()]);
        let fields = table.last(id)?;
        Some(row_key(fields, &table.shape.natural))
    }

    /// When a read that is served now was true: replicas lag.
    fn read_at(&mut self, side: Side) -> Duration {
        let lag_max = self.scenario.habits[side.index()].lag_max;
        if lag_max.is_zero() || self.rng.random_bool(0.5) {
            return self.now;
        }
        self.counts.lagged += 1;
        let lag = lag_max.mul_f64(self.rng.random_range(0.0..1.0));
        self.now.saturating_sub(lag)
    }

    /// Whether a side's rows can't be read just now: a right was taken away for a while.
    fn dark(&mut self, side: Side) -> bool {
        let falls = self.chance(self.scenario.habits[side.index()].goes_dark);
        let seconds = self.rng.random_range(5..30);
        if falls && self.dark_until[side.index()] <= self.now {
            self.dark_until[side.index()] = self.now + Duration::from_secs(seconds);
            let system = self.system_name(side);
            self.tell(format!("{system} shows no rows for {seconds} s"));
        }
        self.dark_until[side.index()] > self.now
    }

    pub(crate) fn scan(
        &mut self,
        side: Side,
        query: &Query,
        extra: Option<&Predicate>,
        from: Option<&PageToken>,
    ) -> Page {
        if self.dark(side) {
            self.counts.hidden += 1;
            return Page::default();
        }
        let (time, habits) = (self.read_at(side), self.scenario.habits[side.index()]);
        let table = self.servers[side.index()].table(&query.address.set);
        let wanted = |f: &Fields| query.filter.iter().chain(extra).all(|p| holds(p, f));
        let mut ids = table
            .ids()
            .filter(|id| from.is_none_or(|f| **id > f.0))
            .cloned()
            .collect::<Vec<_>>();
        let more = ids.len() > habits.page;
        ids.truncate(habits.page);
        let next = ids.last().filter(|_| more).cloned().map(PageToken);
        let rows: Vec<Row> = ids
            .iter()
            .filter_map(|id| table.at(id, time))
            .filter(|(f, _)| wanted(f))
            .map(|(f, v)| project(f, v, query, habits.tells_versions))
            .collect();
        let read = rows.len();
        let rows: Vec<Row> = rows
            .into_iter()
            .filter(|_| !self.chance(habits.scan_misses))
            .collect();
        self.counts.hidden += read - rows.len();
        Page { rows, next }
    }

    pub(crate) fn fetch(&mut self, side: Side, query: &Query, keys: &Keys) -> Vec<Row> {
        if self.dark(side) {
            self.counts.hidden += 1;
            return vec![];
        }
        let (time, habits) = (self.read_at(side), self.scenario.habits[side.index()]);
        let table = self.servers[side.index()].table(&query.address.set);
        let wanted = |id: &str, f: &Fields| match keys {
            Keys::Record(keys) => keys.iter().any(|k| key_text(k) == id),
            Keys::Columns { columns, values } => values.iter().any(|row| {
                let mut pairs = columns.iter().zip(row);
                pairs.all(|((name, _), v)| {
                    json_text(f.get(name)).eq_ignore_ascii_case(&value_text(v))
                })
            }),
        };
        let found = table.ids().filter_map(|id| Some((id, table.at(id, time)?)));
        let mut rows: Vec<Row> = found
            .filter(|(id, (f, _))| wanted(id, f))
            .filter(|(_, (f, _))| query.filter.as_ref().is_none_or(|p| holds(p, f)))
            .map(|(_, (f, v))| project(f, v, query, habits.tells_versions))
            .collect();
        rows.shuffle(&mut self.rng);
        rows
    }

    pub(crate) fn changes(
        &mut self,
        side: Side,
        query: &Query,
        cursor: Option<&Cursor>,
    ) -> Result<ChangePage, ConnectError> {
        let habits = self.scenario.habits[side.index()];
        if cursor.is_some() && self.chance(habits.cursor_expires) {
            return Err(ConnectError::CursorExpired {
                system: self.system_name(side).to_owned(),
                set: query.address.set.clone(),
            });
        }
        let time = self.read_at(side);
        let table = self.servers[side.index()].table(&query.address.set);
        let visible = table.log.iter().filter(|l| l.at <= time).count();
        let (mut ids, next, more) = match cursor.map_or(Reading::Start, |c| read_cursor(&c.0)) {
            Reading::Start => first_page(table, visible, "", habits.page),
            Reading::First { log, after } => first_page(table, log, after, habits.page),
            Reading::Log(from) => {
                let to = visible.min(from + habits.page).max(from);
                let ids = table.log[from..to].iter().map(|l| l.id.clone()).collect();
                (ids, Cursor(format!("log:{to}")), to < visible)
            }
        };
        ids.sort();
        ids.dedup();
        ids.shuffle(&mut self.rng);
        if let Some(first) = ids.first().cloned()
            && self.chance(habits.feed_repeats)
        {
            ids.push(first);
        }
        let table = self.servers[side.index()].table(&query.address.set);
        let changes = ids.iter().map(|id| {
            let named = feed_id(id);
            match table.at(id, time) {
                Some((fields, version)) => Change::Changed {
                    key: record_key(fields, &query.address),
                    feed_id: Some(named),
                    row: habits
                        .feed_has_rows
                        .then(|| project(fields, version, query, habits.tells_versions)),
                },
                None => Change::Deleted {
                    key: table.shape.draws_id.then(|| vec![named.clone()]),
                    feed_id: Some(named),
                },
            }
        });
        Ok(ChangePage {
            changes: changes.collect(),
            next,
            more,
        })
    }

    /// A row of a write, at its system.
    pub(crate) fn write(
        &mut self,
        side: Side,
        query: &Query,
        write: &Write,
        mode: WriteMode,
        seen: Option<&Fields>,
    ) -> Outcome {
        let habits = self.scenario.habits[side.index()];
        if self.chance(habits.row_fails) {
            self.counts.transient += 1;
            return Outcome::Transient {
                after: None,
                message: "1205: this row was chosen as a deadlock victim".into(),
            };
        }
        let set = query.address.set.as_str();
        let guarded = matches!(write.guard, Guard::Version(_)) && habits.guards_versions;
        let target = self.target(side, set, write);
        let before = target
            .as_ref()
            .and_then(|id| self.servers[side.index()].table(set).now(id).cloned());
        match self.apply(side, set, write, target) {
            Err(Refused::Guard) => {
                self.counts.conflicts += 1;
                Outcome::Conflict
            }
            Err(Refused::Invalid(code, message)) => {
                self.counts.refused += 1;
                Outcome::Rejected(Refusal {
                    code: code.into(),
                    message: message.into(),
                    field: Some("name".into()),
                })
            }
            Ok((id, columns)) => {
                let table = self.servers[side.index()].table(set);
                let (after, version) = (table.now(&id).cloned(), table.version(&id));
                let natural = table.shape.natural.clone();
                let key = after
                    .as_ref()
                    .or(before.as_ref())
                    .map_or_else(String::new, |f| row_key(f, &natural));
                let landed = Landed {
                    side,
                    key: &key,
                    before: before.as_ref(),
                    after: after.as_ref(),
                    columns: &columns,
                    guarded,
                    seen,
                };
                self.tell_landed(&landed);
                self.oracle.landed(&landed);
                self.check_claimants(side, before.as_ref(), after.as_ref());
                self.just_written.push(key.clone());
                let silent = mode == WriteMode::Bulk && habits.bulk_is_silent;
                self.counts.silent += usize::from(silent);
                self.counts.rewritten += usize::from(rewrote(write, after.as_ref()));
                let row = after
                    .as_ref()
                    .map(|f| project(f, version, query, habits.tells_versions));
                Outcome::Applied {
                    version: row
                        .as_ref()
                        .filter(|_| !silent)
                        .and_then(|r| r.version.clone()),
                    key: after
                        .as_ref()
                        .filter(|_| !silent)
                        .map(|f| record_key(f, &query.address)),
                    row: row.filter(|_| !silent && write.wants_row),
                }
            }
        }
    }

    /// The row that a write is about, where there is one.
    fn target(&self, side: Side, set: &str, write: &Write) -> Option<String> {
        let table = self.servers[side.index()].table(set);
        match &write.kind {
            WriteKind::Create { body: b } => {
                let natural = row_key(&body(b), &table.shape.natural);
                table.by_natural(&natural).map(str::to_owned)
            }
            WriteKind::Update { key, .. } | WriteKind::Delete { key } => Some(key_text(key)),
        }
    }

    /// Changes the table. The row's id, and the columns that the write named.
    fn apply(
        &mut self,
        side: Side,
        set: &str,
        write: &Write,
        target: Option<String>,
    ) -> Result<(String, Vec<String>), Refused> {
        let (now, habits) = (self.now, self.scenario.habits[side.index()]);
        let terms = format!("Net t{}", self.oracle.next_tag());
        let table = self.servers[side.index()].table_mut(set);
        if let (Guard::Version(wanted), Some(id), true) =
            (&write.guard, &target, habits.guards_versions)
            && (version_of(table.version(id)) != *wanted || table.now(id).is_none())
        {
            return Err(Refused::Guard);
        }
        let id = target.unwrap_or_default();
        match &write.kind {
            WriteKind::Create { body: b } => {
                let fields = body(b);
                let columns = fields.keys().cloned().collect();
                let id = if write.guard == Guard::Absent {
                    table.create(now, fields, &terms)?
                } else {
                    self.oracle.unguarded_create(
                        &row_key(&fields, &table.shape.natural),
                        table.now(&id).is_some(),
                    );
                    table.create_anyway(now, fields, &terms)?
                };
                let defaulted = self.servers[side.index()]
                    .table(set)
                    .now(&id)
                    .is_some_and(|f| f.get("terms") == Some(&terms.clone().into()));
                if defaulted {
                    let table = self.servers[side.index()].table(set);
                    let key = table
                        .now(&id)
                        .map_or_else(String::new, |f| row_key(f, &table.shape.natural));
                    self.oracle.defaulted(side, &key, TERMS);
                }
                Ok((id, columns))
            }
            WriteKind::Update { body: b, .. } => {
                let fields = body(b);
                let columns = fields.keys().cloned().collect();
                table.update(now, &id, fields)?;
                Ok((id, columns))
            }
            WriteKind::Delete { .. } => {
                table.delete(now, &id)?;
                Ok((id, vec![]))
            }
        }
    }

    /// A record that claims the key of another is neither written nor merged with it.
    fn check_claimants(&mut self, side: Side, before: Option<&Fields>, after: Option<&Fields>) {
        let column = ["Name", "name"][side.index()];
        let claims = |f: &Fields| json_text(f.get(column)) == CLAIMANT;
        if [before, after].into_iter().flatten().any(claims) {
            let what = format!("a second record of one key went across to or from {side:?}");
            self.oracle.break_promise(Promise::Once, what);
        }
    }

    fn tell_landed(&mut self, landed: &Landed<'_>) {
        let show = |f: Option<&Fields>| {
            f.map_or_else(
                || "(absent)".to_owned(),
                |f| Json::Object(f.clone()).to_string(),
            )
        };
        let line = format!(
            "   {} holds {}: {}",
            self.system_name(landed.side),
            landed.key,
            show(landed.after)
        );
        self.tell(line);
    }
}

/// Where a cursor stands.
enum Reading<'a> {
    Start,
    /// In the first read of all rows, after a row; the log is read from `log` on afterwards.
    First {
        log: usize,
        after: &'a str,
    },
    Log(usize),
}

fn read_cursor(text: &str) -> Reading<'_> {
    let mut parts = text.splitn(3, ':');
    let kind = parts.next();
    let log = parts.next().and_then(|n| n.parse().ok()).unwrap_or(0);
    match (kind, parts.next()) {
        (Some("first"), Some(after)) => Reading::First { log, after },
        _ => Reading::Log(log),
    }
}

/// A page of the first read of a feed: the rows there are.
fn first_page(table: &Table, log: usize, after: &str, page: usize) -> (Vec<String>, Cursor, bool) {
    let there = table.ids().filter(|id| id.as_str() > after);
    let mut ids: Vec<String> = there
        .filter(|id| table.now(id).is_some())
        .cloned()
        .collect();
    let more = ids.len() > page;
    ids.truncate(page);
    match ids.last().filter(|_| more) {
        Some(last) => {
            let next = Cursor(format!("first:{log}:{last}"));
            (ids, next, true)
        }
        None => (ids, Cursor(format!("log:{log}")), false),
    }
}

/// The id by which a feed names a row: the row's own where it is a GUID, else one of the feed's.
fn feed_id(id: &str) -> Value {
    parse_guid(id).map_or_else(
        || {
            let mut bytes = [0; 16];
            for (i, b) in id.bytes().enumerate() {
                bytes[i % 16] ^= b.rotate_left((i / 16) as u32);
            }
            Value::Guid(bytes)
        },
        Value::Guid,
    )
}

/// Whether business logic made something else of what we wrote than rounding and trimming do.
fn rewrote(write: &Write, after: Option<&Fields>) -> bool {
    let (WriteKind::Create { body: b } | WriteKind::Update { body: b, .. }, Some(after)) =
        (&write.kind, after)
    else {
        return false;
    };
    let sent = body(b);
    let differs = |column: &str| {
        let held = json_text(after.get(column));
        held.trim_end() != json_text(sent.get(column)).trim_end()
    };
    let names = ["name", "Name"]
        .into_iter()
        .any(|c| sent.contains_key(c) && differs(c));
    names || (sent.get("terms").is_some_and(Json::is_null) && differs("terms"))
}

/// A version as it stands in an ETag.
fn version_of(version: u64) -> Version {
    Version(format!("W/\"{version}\""))
}

/// The columns that a query asks for.
fn project(fields: &Fields, version: u64, query: &Query, tells_versions: bool) -> Row {
    let columns = query.columns.iter().map(|c| {
        let value = fields.get(c).cloned().unwrap_or(Json::Null);
        (c.clone(), value)
    });
    let object: Fields = columns.collect();
    Row {
        json: Bytes::from(Json::Object(object).to_string()),
        version: tells_versions.then(|| version_of(version)),
    }
}

/// A row's record key as typed values.
fn record_key(fields: &Fields, address: &Address) -> RecordKey {
    let part = |(wire, repr): &(String, Repr)| {
        let text = json_text(fields.get(wire));
        match repr {
            Repr::Guid => parse_guid(&text).map_or(Value::Null, Value::Guid),
            _ => Value::Text(text),
        }
    };
    address.key.iter().map(part).collect()
}
