//! Stores a state as the present version keeps it, for the versions to come: see the README beside this file.
//!
//! `cargo run -p dwmap-sync --example store_state`, by hand, before a step is added to the schema.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use dwmap_connect::{Cursor, PageToken, Version};
use dwmap_plan::{LineId, Side, Value};
use dwmap_sync::state::{
    Activity, ActivityKind, Base, Bases, Cause, Change, ErrorReport, Intent, IntentKind,
    IntentLine, Link, LinkState, LoadPhase, LoadProgress, MapId, MapMode, MapStatus, Mark, MarkId,
    Missing, SCHEMA, Set, Word,
};
use dwmap_sync::{Moment, PairKey, RecordId, SqliteStore, StateStore};

const GUID: [u8; 16] = *b"0123456789abcdef";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/states");
    let stored = folder.join(format!("v{SCHEMA}.sqlite"));
    assert!(
        !stored.exists(),
        "{} is there, and what was stored is never changed",
        stored.display()
    );
    let made = tempfile::tempdir().unwrap();
    let path = made.path().join("state.db");
    let store = SqliteStore::open(&path).unwrap();
    let sequence = store.reserve_sequence(1_000).await.unwrap();
    let mut changes = Vec::new();
    let map = store.map_id("customers").await.unwrap();
    changes.extend(lines(map, sequence));
    changes.push(status(map, MapMode::Running, "", None));
    changes.extend(links(map, sequence).map(|link| Change::PutLink(Box::new(link))));
    changes.extend(marks(map, sequence));
    changes.extend(intents(map).map(|intent| Change::PutIntent(Box::new(intent))));
    changes.extend(activity(map));
    let map = store.map_id("vendors").await.unwrap();
    let half_way = LoadProgress {
        phase: LoadPhase::Join,
        page: Some(PageToken("$skiptoken=3".to_owned())),
        after: Some(pair("V-17")),
        read: 120,
        done: 40,
    };
    changes.push(status(map, MapMode::Loading, "", Some(half_way)));
    let map = store.map_id("payment_terms").await.unwrap();
    let reason = "3 deletes within an hour, and no more than 2 may be";
    changes.push(status(map, MapMode::Held, reason, None));
    let map = store.map_id("groups").await.unwrap();
    changes.push(status(map, MapMode::Paused, "", None));
    for (system, entity) in [("fno", "CustomersV3"), ("dv", "accounts")] {
        let set = set(system, entity);
        let cursor = format!("a,b\ndeltatoken={entity}");
        changes.push(Change::SetCursor(set.clone(), Cursor(cursor)));
        let id = entity.as_bytes().to_vec();
        changes.push(Change::Know(set, id, record("US-001")));
    }
    store.commit(changes).await.unwrap();
    drop(store);
    std::fs::copy(&path, &stored).unwrap();
    println!("{}", stored.display());
}

fn set(system: &str, set: &str) -> Set {
    Set {
        system: system.to_owned(),
        set: set.to_owned(),
    }
}

fn pair(number: &str) -> PairKey {
    PairKey::new(&["USMF".into(), number.into()], &[true, true])
}

fn record(number: &str) -> RecordId {
    RecordId::new(&[Value::from(number)], true)
}

fn status(map: MapId, mode: MapMode, reason: &str, load: Option<LoadProgress>) -> Change {
    let reason = reason.to_owned();
    Change::SetStatus(map, MapStatus { mode, reason, load })
}

fn lines(map: MapId, generation: u64) -> [Change; 1] {
    let lines = vec![LineId(1), LineId(u64::MAX)];
    [Change::Adopt {
        map,
        lines,
        generation,
    }]
}

/// Links in each state, with bases of each kind of value.
fn links(map: MapId, sequence: u64) -> [Link; 4] {
    let base = |sides, pending| Base {
        sides,
        pending,
        ..Base::default()
    };
    let same = |value: Value| base([Some(value.clone()), Some(value)], None);
    let values = [
        Value::Bool(true),
        Value::Int(-40_000),
        Value::Decimal("1234567890.125".parse().unwrap()),
        Value::Float(-0.5),
        Value::Date(20_484),
        Value::DateTime(1_769_860_800_123_456),
        Value::Guid(GUID),
        Value::Binary(vec![0, 255]),
    ];
    let mut bases = vec![
        base([Some("Æble & Søn".into()), Some("ÆBLE & SØN".into())], None),
        base([Some(Value::Null), Some("only right".into())], None),
        base(
            [Some("group 40".into()), Some(Value::Null)],
            Some(Side::Left),
        ),
        base([None, Some("never seen left".into())], None),
        Base {
            written: Some(Side::Right),
            bounces: 2,
            ..same("rewritten".into())
        },
    ];
    bases.extend(values.map(same));
    let lines = (1..).map(LineId).zip(bases).collect();

    let mut linked = Link::new(map, pair("US-001"), LinkState::Linked);
    linked.sides[0].record = Some(RecordId(pair("US-001").0));
    linked.sides[0].version = Some(Version("W/\"12\"".to_owned()));
    linked.sides[1].record = Some(RecordId::new(&[Value::Guid(GUID)], false));
    linked.sides[1].fresh_from = Some(Moment(1_769_860_801_000));
    linked.bases = Bases::new(lines);
    linked.moved = sequence + 7;

    let mut awaiting = Link::new(map, pair("US-002"), LinkState::AwaitingKey);
    awaiting.sides[0].record = Some(RecordId(pair("US-002").0));
    let mut left = Link::new(map, pair("US-003"), LinkState::Left);
    left.sides[0].record = Some(record("left of US-003"));
    left.sides[1].record = Some(record("right of US-003"));
    left.bases = Bases::new(vec![(LineId(1), same(Value::Bool(false)))]);
    let mut deleted = Link::new(map, pair("US-004"), LinkState::Deleted);
    deleted.sides[1].record = Some(record("right of US-004"));
    deleted.moved = sequence + 9;
    [linked, awaiting, left, deleted]
}

/// Marks of each cause.
fn marks(map: MapId, sequence: u64) -> [Change; 5] {
    let report = ErrorReport {
        code: "R0101".to_owned(),
        since: Moment(1_769_860_802_000),
        record: "usmf US-012".to_owned(),
        message: "name of dv can't be written: the text has 161 UTF-16 units".to_owned(),
        field: Some("name".to_owned()),
        line: Some("OrganizationName <-> name".to_owned()),
        place: Some("maps/customers.dwmap:8:3".to_owned()),
        values: [Some("too long".to_owned()), None],
        target: Some(("0x80044331".to_owned(), "A validation error".to_owned())),
        next: "Correct the value at its source.".to_owned(),
    };
    let marked = |side, number: &str, cause| {
        let record = record(number);
        let mut mark = Mark::changed(MarkId { map, side, record }, sequence + 20);
        mark.cause = cause;
        mark
    };
    let changed = marked(Side::Left, "US-010", Cause::Changed);
    let mut retry = marked(Side::Right, "US-011", Cause::Retry);
    retry.not_before = Moment(1_769_860_900_000);
    retry.tries = 3;
    let mut failed = marked(Side::Left, "US-012", Cause::Failed);
    failed.error = Some(Box::new(report.clone()));
    let mut parked = marked(Side::Left, "US-013", Cause::Parked);
    parked.missing = Some(Missing {
        set: set("dv", "msdyn_customergroups"),
        reference: (2, 1),
        key: pair("40").0,
    });
    let mut held = marked(Side::Right, "US-014", Cause::Held);
    held.error = Some(Box::new(ErrorReport {
        code: "R0409".to_owned(),
        ..report
    }));
    held.word = Some(Word::LetGo);
    [changed, retry, failed, parked, held].map(|mark| Change::Settle {
        seen: mark.generation,
        mark: Box::new(mark),
    })
}

/// Intents of each kind.
fn intents(map: MapId) -> [Intent; 4] {
    let kinds = [
        IntentKind::Create,
        IntentKind::Update,
        IntentKind::Delete,
        IntentKind::Deactivate,
    ];
    let mut number = 20;
    kinds.map(|kind| {
        number += 1;
        let known = (kind != IntentKind::Create).then(|| record(&format!("US-0{number}")));
        Intent {
            map,
            pair: pair(&format!("US-0{number}")),
            side: if kind == IntentKind::Delete {
                Side::Left
            } else {
                Side::Right
            },
            kind,
            guard: known.as_ref().map(|_| Version("W/\"3\"".to_owned())),
            record: known,
            natural_key: record("natural").0,
            lines: vec![
                IntentLine {
                    line: LineId(1),
                    written: Value::from("new"),
                    source: Value::from("NEW"),
                    before: Some("old".into()),
                    pending: false,
                    bounces: 1,
                },
                IntentLine {
                    line: LineId(3),
                    written: Value::Null,
                    source: Value::from("group 40"),
                    before: None,
                    pending: true,
                    bounces: 0,
                },
            ],
            settle_at: Moment(1_769_861_400_000),
        }
    })
}

/// An entry of each kind.
fn activity(map: MapId) -> impl Iterator<Item = Change> {
    let kinds = ActivityKind::ALL.into_iter().zip(0..);
    kinds.map(move |(kind, n)| {
        Change::Log(Box::new(Activity {
            at: Moment(1_769_860_800_000 + n * 1_000),
            map,
            pair: pair("US-001"),
            record: "usmf US-001".to_owned(),
            kind,
            side: [None, Some(Side::Left), Some(Side::Right)][(n % 3) as usize],
            detail: format!("detail {n}"),
        }))
    })
}
