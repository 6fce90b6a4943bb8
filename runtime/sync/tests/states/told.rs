//! A whole state as a text that a person can read.

use std::collections::BTreeMap;
use std::fmt::Write;

use dwmap_sync::state::{Cause, Intent, Link, MapId, Mark, MarkId, Set};
use dwmap_sync::{Moment, PairKey, RecordId, StateStore, display_key};

/// The maps and the sets of the stored states.
const MAPS: [&str; 4] = ["customers", "vendors", "payment_terms", "groups"];
const SETS: [(&str, &str); 2] = [("fno", "CustomersV3"), ("dv", "accounts")];

/// All that a store can be asked.
pub(crate) async fn state(store: &dyn StateStore) -> String {
    let mut out = String::new();
    for name in MAPS {
        let map = store.map_id(name).await.unwrap();
        write_map(&mut out, store, name, map).await;
    }
    for (system, set) in SETS {
        let set = Set {
            system: system.to_owned(),
            set: set.to_owned(),
        };
        let cursor = store.cursor(&set).await.unwrap().unwrap();
        let id = set.set.as_bytes().to_vec();
        let known = store.known_ids(&set, &[id]).await.unwrap().remove(0);
        let known = record(known.as_ref());
        writeln!(out, "{system} {}: {cursor:?}, its id is {known}", set.set).unwrap();
    }
    for set in store.missing_sets().await.unwrap() {
        for missing in store.missing(&set, None, 100).await.unwrap() {
            let key = PairKey(missing.key).values().unwrap();
            let (key, reference) = (display_key(&key), missing.reference);
            writeln!(
                out,
                "missing in {} {}: {key} of {reference:?}",
                set.system, set.set
            )
            .unwrap();
        }
    }
    let next = store.reserve_sequence(1).await.unwrap();
    writeln!(out, "next sequence number: {next}").unwrap();
    out
}

async fn write_map(out: &mut String, store: &dyn StateStore, name: &str, map: MapId) {
    let status = store.map_status(map).await.unwrap();
    let counts = store.counts(map).await.unwrap();
    writeln!(out, "{name}: {:?} {:?}", status.mode, status.reason).unwrap();
    if let Some(load) = status.load {
        let after = load.after.map(|pair| words(&pair));
        writeln!(
            out,
            "  load: {:?} page {:?} after {after:?} read {} done {}",
            load.phase, load.page, load.read, load.done
        )
        .unwrap();
    }
    writeln!(out, "  {counts:?}").unwrap();
    for link in store.links_page(map, None, 100).await.unwrap() {
        write_link(out, &link);
    }
    for mark in marks(store, map).await {
        write_mark(out, &mark);
    }
    for intent in store.intents(map).await.unwrap() {
        write_intent(out, &intent);
    }
    let next = store.next_due(map).await.unwrap();
    let deletes = store.deletes_since(map, Moment(0)).await.unwrap();
    writeln!(out, "  next due {next:?}, {deletes} deletes").unwrap();
    for entry in store.activity(map, None, 100).await.unwrap() {
        let pair = words(&entry.pair);
        writeln!(
            out,
            "  log {}: {:?} {:?} {pair} ({}) {}",
            entry.at.0, entry.kind, entry.side, entry.record, entry.detail
        )
        .unwrap();
    }
}

fn write_link(out: &mut String, link: &Link) {
    let (pair, state) = (words(&link.pair), link.state);
    writeln!(out, "  link {pair}: {state:?} moved {}", link.moved).unwrap();
    for side in &link.sides {
        let key = record(side.record.as_ref());
        writeln!(
            out,
            "    record {key} {:?} {:?}",
            side.version, side.fresh_from
        )
        .unwrap();
    }
    for line in link.bases.lines() {
        let base = link.bases.get(line).unwrap();
        let [left, right] = &base.sides;
        writeln!(
            out,
            "    base {}: {left:?} {right:?} {:?} {:?} {}",
            line.0, base.pending, base.written, base.bounces
        )
        .unwrap();
    }
}

/// The marks of every cause, each once.
async fn marks(store: &dyn StateStore, map: MapId) -> impl Iterator<Item = Mark> {
    let due = store.due_marks(map, Moment(i64::MAX), 100).await.unwrap();
    let errors = store.errors(Some(map), None, 100).await.unwrap();
    let all: BTreeMap<MarkId, Mark> = due
        .into_iter()
        .chain(errors)
        .map(|mark| (mark.id.clone(), mark))
        .collect();
    all.into_values()
}

fn write_mark(out: &mut String, mark: &Mark) {
    let (side, key, cause) = (mark.id.side, record(Some(&mark.id.record)), mark.cause);
    let (generation, tries, word) = (mark.generation, mark.tries, mark.word);
    writeln!(
        out,
        "  mark {side:?} {key}: {cause:?} generation {generation} not before {} tries {tries} word {word:?}",
        mark.not_before.0
    )
    .unwrap();
    assert_eq!(mark.missing.is_some(), cause == Cause::Parked);
    if let Some(error) = &mark.error {
        writeln!(out, "    {error:?}").unwrap();
    }
}

fn write_intent(out: &mut String, intent: &Intent) {
    let (pair, key) = (words(&intent.pair), record(intent.record.as_ref()));
    let natural = record(Some(&RecordId(intent.natural_key.clone())));
    writeln!(
        out,
        "  intent {pair} {:?}: {:?} {key} natural key {natural} guard {:?} settled at {}",
        intent.side, intent.kind, intent.guard, intent.settle_at.0
    )
    .unwrap();
    for line in &intent.lines {
        writeln!(
            out,
            "    line {}: {:?} of {:?}, before {:?}, pending {}",
            line.line.0, line.written, line.source, line.before, line.pending
        )
        .unwrap();
    }
}

fn words(pair: &PairKey) -> String {
    display_key(&pair.values().unwrap())
}

fn record(record: Option<&RecordId>) -> String {
    record.map_or_else(
        || "-".to_owned(),
        |record| display_key(&record.values().unwrap()),
    )
}
