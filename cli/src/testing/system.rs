//! A system in memory: rows as JSON, a change feed, versions, and records that exist because something refers to them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use dwmap_connect::{
    Abilities, Budget, Change, ChangeFeed, ChangePage, ConnectError, Connector, Cursor, Guard,
    Keys, Outcome, Page, PageToken, Refusal, Row, Version, Write, WriteKind, WriteMode,
};
use dwmap_plan::{Address, EnumDef, Plan, Predicate, Query, Repr, Schema, Value};
use serde_json::{Map, Value as Json};

use super::json::{guid, same, to_json};

type Fields = Map<String, Json>;

/// A record.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// Its columns by wire name.
    pub(crate) fields: Fields,
    version: u64,
}

/// A system in memory.
pub(crate) struct MemorySystem {
    schema: Schema,
    /// The queries by which referenced records are looked for.
    references: Vec<Query>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The records of each set, in the order of their birth.
    sets: BTreeMap<String, Vec<Record>>,
    /// Records that exist because something refers to them, by set.
    referred: BTreeMap<String, Vec<Record>>,
    /// Sets whose referenced records don't exist.
    missing: BTreeSet<String>,
    /// What changed, in order: the set and the record's columns.
    log: Vec<(String, Fields)>,
    /// Counts versions and ids.
    counter: u64,
    /// The writes that came through the connector, by set, with the record as it stood afterwards.
    written: Vec<(String, Fields)>,
}

/// The columns that say which record is meant.
pub(crate) type Identity = Vec<(String, Json)>;

impl MemorySystem {
    /// An empty system of a plan.
    pub(crate) fn new(plan: &Plan, index: usize) -> Self {
        let references = plan.maps.iter().flat_map(|map| {
            map.references
                .iter()
                .filter(move |r| usize::from(map.side(r.side).system) == index)
                .map(|r| r.fetch.clone())
        });
        Self {
            schema: plan.systems[index].schema.clone(),
            references: references.collect(),
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked has failed already; the next one has a system of its own.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The record of `set` with these columns is edited by its users; it is made if there is none.
    pub(crate) fn edit(&self, address: &Address, identity: &Identity, fields: Fields) {
        let mut state = self.state();
        let at = state.position(&address.set, identity);
        state.put(address, at, fields);
    }

    /// The identity of a record of `set` that something refers to by these columns.
    pub(crate) fn refer(&self, set: &str, id: &str, columns: &Identity) -> Json {
        self.state().refer(set, id, columns)
    }

    /// From now on no record of this set exists only because something refers to it.
    pub(crate) fn lacks(&self, set: &str) {
        self.state().missing.insert(set.to_owned());
    }

    /// What was written to `set` since the last call, the newest record last.
    pub(crate) fn take_written(&self) -> Vec<(String, Fields)> {
        std::mem::take(&mut self.state().written)
    }

    /// The records of a set.
    pub(crate) fn records(&self, set: &str) -> Vec<Record> {
        self.state().sets.get(set).cloned().unwrap_or_default()
    }

    /// The record that a look-up leads to.
    pub(crate) fn follow(&self, set: &str, id: &str, value: &Json) -> Option<Fields> {
        let state = self.state();
        let all = [&state.sets, &state.referred];
        let mut records = all.into_iter().filter_map(|sets| sets.get(set)).flatten();
        records
            .find(|r| r.fields.get(id) == Some(value))
            .map(|r| r.fields.clone())
    }

    /// A body as it stands in columns: bindings become the ids that they bind.
    fn columns(&self, address: &Address, body: Fields) -> Fields {
        let entity = self
            .schema
            .entities
            .iter()
            .find(|e| e.set_name() == address.set);
        let column = |(name, value): (String, Json)| {
            let Some(nav) = name.strip_suffix("@odata.bind") else {
                return (name, value);
            };
            let via = entity
                .and_then(|e| e.nav(nav))
                .and_then(|nav| nav.via.first().cloned())
                .unwrap_or_else(|| format!("_{nav}_value"));
            let id = value
                .as_str()
                .and_then(|text| text.split_once('(')?.1.strip_suffix(')'));
            (via, id.map_or(Json::Null, Json::from))
        };
        body.into_iter().map(column).collect()
    }
}

impl State {
    fn next(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    fn position(&self, set: &str, identity: &Identity) -> Option<usize> {
        self.sets
            .get(set)?
            .iter()
            .position(|record| matches(&record.fields, identity))
    }

    /// Changes the record at a position, or makes one.
    fn put(&mut self, address: &Address, at: Option<usize>, fields: Fields) -> Record {
        let version = self.next();
        let records = self.sets.entry(address.set.clone()).or_default();
        let record = if let Some(record) = at.and_then(|at| records.get_mut(at)) {
            record.fields.extend(fields);
            record.version = version;
            record.clone()
        } else {
            let mut record = Record { fields, version };
            for (key, repr) in &address.key {
                if *repr == Repr::Guid && !record.fields.contains_key(key) {
                    let id = guid(&u128::from(version).to_be_bytes());
                    record.fields.insert(key.clone(), Json::from(id));
                }
            }
            records.push(record.clone());
            record
        };
        self.log.push((address.set.clone(), record.fields.clone()));
        record
    }

    fn refer(&mut self, set: &str, id: &str, columns: &Identity) -> Json {
        let all = [&self.sets, &self.referred];
        let known = all
            .into_iter()
            .filter_map(|sets| sets.get(set))
            .flatten()
            .find(|record| matches(&record.fields, columns));
        if let Some(id) = known.and_then(|record| record.fields.get(id)) {
            return id.clone();
        }
        let version = self.next();
        let identity = Json::from(guid(&u128::from(version).to_be_bytes()));
        let mut fields: Fields = columns.iter().cloned().collect();
        fields.insert(id.to_owned(), identity.clone());
        let record = Record { fields, version };
        self.referred
            .entry(set.to_owned())
            .or_default()
            .push(record);
        identity
    }
}

fn matches(fields: &Fields, identity: &Identity) -> bool {
    identity
        .iter()
        .all(|(name, value)| same(fields.get(name).unwrap_or(&Json::Null), value, true))
}

fn row(record: &Record) -> Row {
    Row {
        json: Bytes::from(Json::Object(record.fields.clone()).to_string()),
        version: Some(Version(record.version.to_string())),
    }
}

fn identity(names: &[(String, Repr)], values: &[Value], enums: &[EnumDef]) -> Identity {
    names
        .iter()
        .zip(values)
        .map(|((name, repr), value)| (name.clone(), to_json(value, repr, enums)))
        .collect()
}

#[async_trait]
impl Connector for MemorySystem {
    fn name(&self) -> &str {
        &self.schema.name
    }

    fn abilities(&self, _: &Query) -> Abilities {
        Abilities {
            changes: ChangeFeed::Tracked,
            guards_versions: true,
            business_logic: false,
            folds_keys: self.schema.case_insensitive,
        }
    }

    fn budget(&self) -> Budget {
        Budget {
            concurrency: 1,
            write_batch: 100,
            fetch_batch: 100,
            page: 1_000,
            execution_max: std::time::Duration::ZERO,
            lag_max: std::time::Duration::ZERO,
        }
    }

    async fn scan(
        &self,
        query: &Query,
        _: Option<&Predicate>,
        _: Option<&PageToken>,
    ) -> Result<Page, ConnectError> {
        // The program evaluates the whole filter again, and the runtime the companies: all rows will do.
        let rows = self.records(&query.address.set).iter().map(row).collect();
        Ok(Page { rows, next: None })
    }

    async fn changes(
        &self,
        query: &Query,
        cursor: Option<&Cursor>,
    ) -> Result<ChangePage, ConnectError> {
        let state = self.state();
        let from = cursor
            .and_then(|c| c.0.parse::<usize>().ok())
            .unwrap_or(0)
            .min(state.log.len());
        let changes = state.log[from..]
            .iter()
            .filter(|(set, _)| *set == query.address.set);
        let changes = changes
            .map(|(_, fields)| Change::Changed {
                key: key_of(query, fields),
                feed_id: None,
                row: None,
            })
            .collect();
        Ok(ChangePage {
            changes,
            next: Cursor(state.log.len().to_string()),
            more: false,
        })
    }

    async fn fetch(&self, query: &Query, keys: &Keys) -> Result<Vec<Row>, ConnectError> {
        let (names, values) = match keys {
            Keys::Record(values) => (&query.address.key, values),
            Keys::Columns { columns, values } => (columns, values),
        };
        let mut state = self.state();
        let set = &query.address.set;
        let mut rows = Vec::new();
        for values in values {
            let wanted = identity(names, values, &query.enums);
            if let Some(at) = state.position(set, &wanted) {
                rows.extend(state.sets.get(set).and_then(|r| r.get(at)).map(row));
            } else if self.references.contains(query) {
                let by_id = matches!(wanted.as_slice(), [(name, _)] if query.address.key.iter().any(|(key, _)| key == name));
                if !by_id && !state.missing.contains(set) {
                    let id = query.address.key.first().map_or("id", |(key, _)| key);
                    state.refer(set, id, &wanted);
                }
                let referred = state.referred.get(set).into_iter().flatten();
                rows.extend(referred.filter(|r| matches(&r.fields, &wanted)).map(row));
            }
        }
        Ok(rows)
    }

    async fn write(&self, query: &Query, writes: &[Write], _: WriteMode) -> Vec<Outcome> {
        let mut state = self.state();
        writes
            .iter()
            .map(|write| self.write_one(&mut state, query, write))
            .collect()
    }
}

impl MemorySystem {
    fn write_one(&self, state: &mut State, query: &Query, write: &Write) -> Outcome {
        let address = &query.address;
        let (at, body) = match &write.kind {
            WriteKind::Create { body } => {
                let names: Vec<(String, Repr)> = write
                    .natural_key
                    .iter()
                    .map(|(name, repr, _)| (name.clone(), repr.clone()))
                    .collect();
                let values: Vec<Value> = write
                    .natural_key
                    .iter()
                    .map(|(_, _, value)| value.clone())
                    .collect();
                let wanted = identity(&names, &values, &query.enums);
                if !wanted.is_empty() && state.position(&address.set, &wanted).is_some() {
                    return Outcome::Conflict;
                }
                (None, body)
            }
            WriteKind::Update { key, body } => {
                let wanted = identity(&address.key, key, &query.enums);
                let Some(at) = state.position(&address.set, &wanted) else {
                    return Outcome::Conflict;
                };
                (Some(at), body)
            }
            WriteKind::Delete { key } => {
                let wanted = identity(&address.key, key, &query.enums);
                if let Some(at) = state.position(&address.set, &wanted)
                    && let Some(records) = state.sets.get_mut(&address.set)
                {
                    let gone = records.remove(at);
                    state.written.push((address.set.clone(), gone.fields));
                }
                return applied(None, None);
            }
        };
        let current = at
            .and_then(|at| state.sets.get(&address.set)?.get(at))
            .map(|r| r.version);
        if let (Guard::Version(version), Some(current)) = (&write.guard, current)
            && version.0 != current.to_string()
        {
            return Outcome::Conflict;
        }
        match serde_json::from_slice::<Fields>(body) {
            Ok(body) => {
                let record = state.put(address, at, self.columns(address, body));
                state
                    .written
                    .push((address.set.clone(), record.fields.clone()));
                applied(Some(&record), Some(key_of(query, &record.fields)))
            }
            Err(error) => Outcome::Rejected(Refusal {
                code: "400".to_owned(),
                message: error.to_string(),
                field: None,
            }),
        }
    }
}

fn applied(record: Option<&Record>, key: Option<Vec<Value>>) -> Outcome {
    Outcome::Applied {
        version: record.map(|r| Version(r.version.to_string())),
        key,
        row: record.map(row),
    }
}

/// A record's key, from its columns.
fn key_of(query: &Query, fields: &Fields) -> Vec<Value> {
    let member = |at: &u16, name: &str| query.enums.get(usize::from(*at))?.by_name(name);
    let part = |(name, repr): &(String, Repr)| match (fields.get(name), repr) {
        (Some(Json::String(text)), Repr::Guid) => parse_guid(text).map_or(Value::Null, Value::Guid),
        (Some(Json::String(name)), Repr::EnumName(at)) => {
            member(at, name).map_or(Value::Null, |m| Value::Int(m.value))
        }
        (Some(Json::String(text)), _) => Value::Text(text.clone()),
        (Some(Json::Number(n)), Repr::Decimal(..)) => {
            n.to_string().parse().map_or(Value::Null, Value::Decimal)
        }
        (Some(Json::Number(n)), _) => n.as_i64().map_or(Value::Null, Value::Int),
        (Some(Json::Bool(b)), _) => Value::Bool(*b),
        _ => Value::Null,
    };
    query.address.key.iter().map(part).collect()
}

fn parse_guid(text: &str) -> Option<[u8; 16]> {
    let hex: String = text.chars().filter(|c| *c != '-').collect();
    let number = u128::from_str_radix(&hex, 16).ok()?;
    (hex.len() == 32).then(|| number.to_be_bytes())
}
