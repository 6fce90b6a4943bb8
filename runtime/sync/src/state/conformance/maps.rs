//! Maps, feeds and what is under way.

use dwmap_connect::{Cursor, PageToken, Version};
use dwmap_plan::{LineId, Side, Value};

use super::{map, mark_id, pair, record, set};
use crate::state::*;

suite! {
    maps_have_a_number_and_a_standing
    sequence_numbers_only_grow
    intents_come_back_as_they_were
    a_feed_has_a_cursor_and_names_for_records
    everything_is_counted
}

async fn maps_have_a_number_and_a_standing(store: &dyn StateStore) {
    let map = map(store).await;
    let other = store.map_id("vendors").await.unwrap();
    assert_ne!(map, other);
    assert_eq!(store.map_id("customers").await.unwrap(), map);
    let unsaid = store.map_status(map).await.unwrap();
    assert_eq!(unsaid, MapStatus::default());
    for (mode, phase) in MapMode::ALL
        .into_iter()
        .zip(LoadPhase::ALL.into_iter().cycle())
    {
        let load = LoadProgress {
            phase,
            page: Some(PageToken("page".to_owned())),
            after: Some(pair("A")),
            read: 7,
            done: 3,
        };
        for load in [Some(load), Some(LoadProgress::START), None] {
            let reason = "it was too much".to_owned();
            let status = MapStatus { mode, reason, load };
            let change = Change::SetStatus(map, status.clone());
            store.commit(vec![change]).await.unwrap();
            assert_eq!(store.map_status(map).await.unwrap(), status);
        }
    }
    let status = store.map_status(other).await.unwrap();
    assert_eq!(status, MapStatus::default());
}

async fn sequence_numbers_only_grow(store: &dyn StateStore) {
    let first = store.reserve_sequence(10).await.unwrap();
    let second = store.reserve_sequence(1).await.unwrap();
    assert!(first > 0, "0 is before everything");
    assert_eq!(second, first + 10);
}

async fn intents_come_back_as_they_were(store: &dyn StateStore) {
    let map = map(store).await;
    let intent = |key: &str, side, kind| Intent {
        map,
        pair: pair(key),
        side,
        kind,
        record: (kind != IntentKind::Create).then(|| record(key)),
        natural_key: record(key).0,
        lines: vec![IntentLine {
            line: LineId(3),
            written: Value::from("new"),
            source: Value::Null,
            before: (kind == IntentKind::Update).then_some(Value::Bool(true)),
            pending: side == Side::Right,
            bounces: 1,
        }],
        guard: (kind == IntentKind::Delete).then(|| Version("v".to_owned())),
        settle_at: Moment(9),
    };
    let intents = [
        intent("A", Side::Left, IntentKind::Create),
        intent("A", Side::Right, IntentKind::Update),
        intent("B", Side::Left, IntentKind::Delete),
        intent("C", Side::Right, IntentKind::Deactivate),
    ];
    let put = |intent: &Intent| Change::PutIntent(Box::new(intent.clone()));
    store
        .commit(intents.iter().rev().map(put).collect())
        .await
        .unwrap();
    assert_eq!(store.intents(map).await.unwrap(), intents);
    let replaced = intent("A", Side::Left, IntentKind::Update);
    let drop = Change::DropIntent(map, pair("A"), Side::Right);
    store.commit(vec![put(&replaced), drop]).await.unwrap();
    let left = [replaced, intents[2].clone(), intents[3].clone()];
    assert_eq!(store.intents(map).await.unwrap(), left);
    let other = store.map_id("vendors").await.unwrap();
    assert_eq!(store.intents(other).await.unwrap(), []);
}

async fn a_feed_has_a_cursor_and_names_for_records(store: &dyn StateStore) {
    let map = map(store).await;
    let cursor = |text: &str| Cursor(text.to_owned());
    let mut link = Link::new(map, pair("A"), LinkState::Linked);
    link.sides[0].record = Some(RecordId(pair("A").0));
    link.sides[1].record = Some(record("guid"));
    let id = b"1".to_vec();
    let changes = vec![
        Change::PutLink(Box::new(link)),
        Change::SetCursor(set("accounts"), cursor("1")),
        Change::SetCursor(set("accounts"), cursor("2")),
        Change::SetCursor(set("contacts"), cursor("3")),
        Change::DropCursor(set("contacts")),
        Change::Know(set("accounts"), id.clone(), record("other")),
        Change::Know(set("accounts"), id.clone(), record("guid")),
    ];
    store.commit(changes).await.unwrap();
    assert_eq!(
        store.cursor(&set("accounts")).await.unwrap(),
        Some(cursor("2"))
    );
    assert_eq!(store.cursor(&set("contacts")).await.unwrap(), None);
    let ids = [b"0".to_vec(), id.clone()];
    let known = store.known_ids(&set("accounts"), &ids).await.unwrap();
    assert_eq!(known, [None, Some(record("guid"))]);
    let unnamed = async |side| {
        let accounts = set("accounts");
        store.unnamed_records(map, side, &accounts).await.unwrap()
    };
    assert_eq!(unnamed(Side::Left).await, [RecordId(pair("A").0)]);
    assert_eq!(unnamed(Side::Right).await, []);
    let forget = Change::Forget(set("accounts"), id);
    store.commit(vec![forget]).await.unwrap();
    assert_eq!(unnamed(Side::Right).await, [record("guid")]);

    // One that was made, and whose key nobody told; one whose partner is gone isn't such.
    let mut made = Link::new(map, pair("B"), LinkState::Linked);
    made.sides[0].record = Some(record("B"));
    let mut alone = Link::new(map, pair("C"), LinkState::Deleted);
    alone.sides[0].record = Some(record("C"));
    let changes = [made, alone].map(|link| Change::PutLink(Box::new(link)));
    store.commit(changes.to_vec()).await.unwrap();
    let partners = async |side| store.partners_of_nameless(map, side).await.unwrap();
    assert_eq!(partners(Side::Right).await, [record("B")]);
    assert_eq!(partners(Side::Left).await, []);
}

async fn everything_is_counted(store: &dyn StateStore) {
    let map = map(store).await;
    assert_eq!(store.counts(map).await.unwrap(), MapCounts::default());
    let states = [
        LinkState::Linked,
        LinkState::Left,
        LinkState::Deleted,
        LinkState::AwaitingKey,
    ];
    let mut changes: Vec<Change> = states
        .into_iter()
        .zip(["A", "B", "C", "D"])
        .map(|(state, key)| Change::PutLink(Box::new(Link::new(map, pair(key), state))))
        .collect();
    let causes = [
        Cause::Changed,
        Cause::Retry,
        Cause::Parked,
        Cause::Failed,
        Cause::Held,
    ];
    for (cause, key) in causes.into_iter().zip(["A", "B", "C", "D", "E"]) {
        let mut mark = Mark::changed(mark_id(map, key), 1);
        mark.cause = cause;
        changes.push(Change::Settle {
            mark: Box::new(mark),
            seen: 1,
        });
    }
    store.commit(changes).await.unwrap();
    let counts = MapCounts {
        linked: 1,
        resting: 3,
        changed: 1,
        retry: 1,
        parked: 1,
        failed: 1,
        held: 1,
        intents: 0,
    };
    assert_eq!(store.counts(map).await.unwrap(), counts);
}
