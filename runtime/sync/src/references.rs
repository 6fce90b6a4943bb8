//! Records that other records refer to: asked for in batches, and remembered within bounds.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dwmap_connect::{Connector, Keys};
use dwmap_plan::{MapPlan, Plan, Reference, Value};
use futures_util::{StreamExt, stream};

use crate::code::{Ask, Lookup, References};
use crate::codec::encode_values;
use crate::error::SyncError;
use crate::key::fold;
use crate::state::{Missing, Set};
use crate::wire;

/// Answers that are remembered at most, in each of two generations.
const REMEMBERED_MAX: usize = 10_000;

/// Where a reference leads, by which key: maps that ask the same share the answers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Target {
    system: u16,
    set: String,
    identity: String,
    key: Vec<String>,
}

/// Two generations of answers: when the younger is full, the older is forgotten.
#[derive(Debug, Clone)]
struct Generations<V> {
    young: HashMap<(usize, Vec<u8>), V>,
    old: HashMap<(usize, Vec<u8>), V>,
}

impl<V> Default for Generations<V> {
    fn default() -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
        }
    }
}

impl<V> Generations<V> {
    fn get(&self, key: &(usize, Vec<u8>)) -> Option<&V> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    fn put(&mut self, key: (usize, Vec<u8>), value: V) {
        if self.young.len() >= REMEMBERED_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    fn remove(&mut self, key: &(usize, Vec<u8>)) -> Option<V> {
        let old = self.old.remove(key);
        self.young.remove(key).or(old)
    }
}

/// What is remembered of referenced records. Only what was found: what is missing is asked for anew by every pass.
#[derive(Debug)]
pub(crate) struct ReferenceCache {
    /// For each map and reference its target.
    targets: Vec<Vec<usize>>,
    distinct: Vec<Target>,
    answers: Mutex<Answers>,
}

#[derive(Debug, Clone, Default)]
struct Answers {
    /// Folded key -> identity.
    by_key: Generations<Value>,
    /// Identity -> key.
    by_identity: Generations<Vec<Value>>,
}

impl ReferenceCache {
    pub(crate) fn new(plan: &Plan) -> Self {
        let mut known: BTreeMap<Target, usize> = BTreeMap::new();
        let mut distinct = Vec::new();
        let mut targets = Vec::new();
        for map in &plan.maps {
            let of_map = map.references.iter().map(|reference| {
                let target = Target {
                    system: map.side(reference.side).system,
                    set: reference.fetch.address.set.clone(),
                    identity: reference.identity.clone(),
                    key: reference.key.iter().map(|p| p.wire.clone()).collect(),
                };
                *known.entry(target.clone()).or_insert_with(|| {
                    distinct.push(target);
                    distinct.len() - 1
                })
            });
            targets.push(of_map.collect());
        }
        Self {
            targets,
            distinct,
            answers: Mutex::default(),
        }
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets a record whose key may have changed, or that is gone.
    pub(crate) fn forget(&self, system: u16, set: &str, identity: &Value) {
        let mut answers = self.answers();
        for (at, target) in self.distinct.iter().enumerate() {
            if target.system == system && target.set == set {
                let id = (at, encode_values([identity]));
                if let Some(key) = answers.by_identity.remove(&id) {
                    answers.by_key.remove(&(at, folded(&key)));
                }
            }
        }
    }

    /// What a map's programs may read of it, while a batch is evaluated.
    pub(crate) fn view<'a>(&'a self, map: usize, asked: &'a Asked) -> View<'a> {
        View {
            answers: self.answers(),
            targets: &self.targets[map],
            asked,
        }
    }

    /// Asks for records. What isn't there is noted in `asked`, which is good for one pass.
    pub(crate) async fn resolve(
        &self,
        map_index: usize,
        map: &MapPlan,
        systems: &[Arc<dyn Connector>],
        asks: Vec<Ask>,
        asked: &mut Asked,
    ) -> Result<(), SyncError> {
        let mut by_reference: BTreeMap<(u16, bool), BTreeMap<Vec<u8>, Ask>> = BTreeMap::new();
        for ask in asks {
            let (find, key) = asked_key(&ask);
            let of = by_reference.entry((ask.reference(), find)).or_default();
            of.insert(key, ask);
        }
        for ((index, _), asks) in by_reference {
            let reference = &map.references[usize::from(index)];
            let connector = &systems[usize::from(map.side(reference.side).system)];
            let budget = connector.budget();
            let asks: Vec<Ask> = asks.into_values().collect();
            let requests = asks
                .chunks(budget.fetch_batch.max(1))
                .map(|chunk| {
                    let keys = keys_of(reference, chunk);
                    async move { connector.fetch(&reference.fetch, &keys).await }
                })
                .collect::<Vec<_>>();
            let mut pages = stream::iter(requests).buffered(budget.concurrency.max(1));
            let target = self.targets[map_index][usize::from(index)];
            while let Some(rows) = pages.next().await {
                let rows = rows?;
                let mut answers = self.answers();
                for row in rows {
                    if let Some((identity, key)) = read(reference, &row.json) {
                        let id = encode_values([&identity]);
                        answers.by_identity.put((target, id), key.clone());
                        answers.by_key.put((target, folded(&key)), identity);
                    }
                }
            }
            let answers = self.answers();
            for ask in asks {
                let (find, key) = asked_key(&ask);
                let id = (target, key);
                let found = if find {
                    answers.by_key.get(&id).is_some()
                } else {
                    answers.by_identity.get(&id).is_some()
                };
                if !found {
                    asked.absent.insert((index, find, id.1));
                }
            }
        }
        Ok(())
    }
}

/// What is remembered at a moment.
#[cfg(feature = "simulation")]
#[derive(Debug, Clone, Default)]
pub(crate) struct Remembered(Answers);

#[cfg(feature = "simulation")]
impl ReferenceCache {
    pub(crate) fn remembered(&self) -> Remembered {
        Remembered(self.answers().clone())
    }

    pub(crate) fn recall(&self, remembered: Remembered) {
        *self.answers() = remembered.0;
    }
}

#[cfg(feature = "simulation")]
impl Remembered {
    pub(crate) fn digest(&self, to: &mut impl crate::state::memory::Digest) {
        let by_key: BTreeMap<_, _> = self.0.by_key.young.iter().collect();
        for ((target, key), identity) in by_key {
            to.bytes(&[*target as u8]);
            to.bytes(key);
            to.bytes(&encode_values([identity]));
        }
        let by_identity: BTreeMap<_, _> = self.0.by_identity.young.iter().collect();
        for ((target, identity), key) in by_identity {
            to.bytes(&[*target as u8]);
            to.bytes(identity);
            to.bytes(&encode_values(key));
        }
    }
}

/// What was asked for and isn't there.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    absent: BTreeSet<(u16, bool, Vec<u8>)>,
}

impl Asked {
    pub(crate) fn is_absent(&self, ask: &Ask) -> bool {
        let (find, key) = asked_key(ask);
        self.absent.contains(&(ask.reference(), find, key))
    }
}

/// What is known, for the engine.
pub(crate) struct View<'a> {
    answers: MutexGuard<'a, Answers>,
    targets: &'a [usize],
    asked: &'a Asked,
}

impl View<'_> {
    fn look<'v, V>(
        &'v self,
        reference: u16,
        find: bool,
        key: Vec<u8>,
        of: &'v Generations<V>,
    ) -> Lookup<&'v V> {
        let absent = (reference, find, key);
        if self.asked.absent.contains(&absent) {
            return Lookup::Absent;
        }
        let id = (self.targets[usize::from(reference)], absent.2);
        of.get(&id).map_or(Lookup::Unknown, Lookup::Found)
    }
}

impl References for View<'_> {
    fn find(&self, reference: u16, key: &[Value]) -> Lookup<&Value> {
        self.look(reference, true, folded(key), &self.answers.by_key)
    }

    fn follow(&self, reference: u16, identity: &Value) -> Lookup<&[Value]> {
        let id = encode_values([identity]);
        self.look(reference, false, id, &self.answers.by_identity)
            .map(Vec::as_slice)
    }
}

/// Keys are remembered without case: a system that minds it has no two keys that differ in case alone and are both
/// asked for by one map.
fn folded(key: &[Value]) -> Vec<u8> {
    let folded: Vec<Value> = key.iter().map(fold).collect();
    encode_values(&folded)
}

/// Whether a record is asked for by its key, and by what.
fn asked_key(ask: &Ask) -> (bool, Vec<u8>) {
    match ask {
        Ask::Find { key, .. } => (true, folded(key)),
        Ask::Follow { identity, .. } => (false, encode_values([identity])),
    }
}

fn keys_of(reference: &Reference, asks: &[Ask]) -> Keys {
    let values = asks
        .iter()
        .map(|ask| match ask {
            Ask::Find { key, .. } => key.clone(),
            Ask::Follow { identity, .. } => vec![identity.clone()],
        })
        .collect();
    let by_key = matches!(asks.first(), Some(Ask::Find { .. }));
    let address = &reference.fetch.address.key;
    if by_key {
        let columns = reference.key.iter();
        let columns = columns.map(|p| (p.wire.clone(), p.repr.clone())).collect();
        Keys::Columns { columns, values }
    } else {
        match address.as_slice() {
            [(wire, _)] if *wire == reference.identity => Keys::Record(values),
            _ => Keys::Columns {
                columns: vec![(reference.identity.clone(), identity_repr(reference))],
                values,
            },
        }
    }
}

fn identity_repr(reference: &Reference) -> dwmap_plan::Repr {
    let address = &reference.fetch.address.key;
    let of_key = address.iter().find(|(wire, _)| *wire == reference.identity);
    of_key.map_or(dwmap_plan::Repr::Guid, |(_, repr)| repr.clone())
}

fn read(reference: &Reference, json: &[u8]) -> Option<(Value, Vec<Value>)> {
    let row: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(json).ok()?;
    let enums = &reference.fetch.enums;
    let identity = wire::read(&row, &reference.identity, &identity_repr(reference), enums)?;
    let parts = reference.key.iter();
    let key = parts
        .map(|p| wire::read(&row, &p.wire, &p.repr, enums))
        .collect::<Option<Vec<_>>>()?;
    Some((identity, key))
}

/// What a record waits for, as the state keeps it.
pub(crate) fn missing(
    map_index: usize,
    map: &MapPlan,
    systems: &[Arc<dyn Connector>],
    ask: &Ask,
) -> Missing {
    let reference = &map.references[usize::from(ask.reference())];
    let system = usize::from(map.side(reference.side).system);
    let mut key = Vec::new();
    match ask {
        Ask::Find { key: parts, .. } => {
            key.push(1);
            key.extend(encode_values(parts));
        }
        Ask::Follow { identity, .. } => {
            key.push(0);
            key.extend(encode_values([identity]));
        }
    }
    Missing {
        set: Set {
            system: systems[system].name().to_owned(),
            set: reference.fetch.address.set.clone(),
        },
        reference: (map_index as u16, ask.reference()),
        key,
    }
}

/// The question of which [`missing`] keeps the answer that wasn't.
pub(crate) fn ask_of(missing: &Missing) -> Option<Ask> {
    let (form, key) = missing.key.split_first()?;
    let mut values = crate::codec::decode_values(key).ok()?;
    let reference = missing.reference.1;
    match form {
        1 => Some(Ask::Find {
            reference,
            key: values,
        }),
        _ => Some(Ask::Follow {
            reference,
            identity: values.pop()?,
        }),
    }
}

/// What a record waits for, as people read it.
pub(crate) fn describe(map: &MapPlan, ask: &Ask) -> String {
    let reference = &map.references[usize::from(ask.reference())];
    match ask {
        Ask::Find { key, .. } => {
            let parts = reference.key.iter().zip(key);
            let named: Vec<String> = parts
                .filter(|(part, _)| !part.company)
                .map(|(part, value)| format!("{} '{}'", part.wire, crate::key::display(value)))
                .collect();
            format!("{} with {}", reference.entity, named.join(", "))
        }
        Ask::Follow { identity, .. } => {
            format!("{} {}", reference.entity, crate::key::display(identity))
        }
    }
}
