//! What every home of the state must do.

use dwmap_connect::Cursor;
use dwmap_plan::{Side, Value};

use super::*;

async fn store() -> (SqliteStore, MapId) {
    let store = SqliteStore::in_memory().unwrap();
    let map = store.map_id("customers").await.unwrap();
    (store, map)
}

fn pair(text: &str) -> PairKey {
    PairKey::new(&["usmf".into(), text.into()], &[true, true])
}

fn record(text: &str) -> RecordId {
    RecordId::new(&[Value::from(text)], true)
}

fn mark_id(map: MapId, text: &str) -> MarkId {
    MarkId {
        map,
        side: Side::Left,
        record: record(text),
    }
}

#[tokio::test]
async fn links_are_found_by_pair_and_by_either_record() {
    let (store, map) = store().await;
    let mut link = Link::new(map, pair("A"), LinkState::Linked);
    link.sides[0].record = Some(RecordId(pair("A").0));
    link.sides[1].record = Some(record("guid-a"));
    link.sides[1].written = true;
    link.sides[1].fresh_from = Some(Moment(7));
    link.bounces = 2;
    store
        .commit(vec![Change::PutLink(Box::new(link.clone()))])
        .await
        .unwrap();
    let by_pair = store
        .links_by_pair(map, &[pair("B"), pair("a")])
        .await
        .unwrap();
    assert_eq!(by_pair, [None, Some(link.clone())]);
    for (side, key) in [
        (Side::Left, RecordId(pair("A").0)),
        (Side::Right, record("guid-a")),
    ] {
        let found = store.links_by_record(map, side, &[key]).await.unwrap();
        assert_eq!(found, [Some(link.clone())]);
    }
}

#[tokio::test]
async fn a_record_belongs_to_one_link_only() {
    let (store, map) = store().await;
    let mut one = Link::new(map, pair("A"), LinkState::Linked);
    one.sides[1].record = Some(record("guid"));
    let mut two = Link::new(map, pair("B"), LinkState::Linked);
    two.sides[1].record = Some(record("guid"));
    store
        .commit(vec![Change::PutLink(Box::new(one))])
        .await
        .unwrap();
    let refused = store.commit(vec![Change::PutLink(Box::new(two))]).await;
    assert!(matches!(refused, Err(StateError::Claimed { .. })));
}

#[tokio::test]
async fn a_commit_is_made_whole_or_not_at_all() {
    let (store, map) = store().await;
    let mut one = Link::new(map, pair("A"), LinkState::Linked);
    one.sides[1].record = Some(record("guid"));
    let mut two = Link::new(map, pair("B"), LinkState::Linked);
    two.sides[1].record = Some(record("guid"));
    let both = vec![
        Change::PutLink(Box::new(one)),
        Change::PutLink(Box::new(two)),
    ];
    assert!(store.commit(both).await.is_err());
    assert_eq!(
        store.links_by_pair(map, &[pair("A")]).await.unwrap(),
        [None]
    );
}

#[tokio::test]
async fn a_pass_clears_no_mark_that_came_meanwhile() {
    let (store, map) = store().await;
    let id = mark_id(map, "A");
    let mark = |generation| Change::Mark {
        id: id.clone(),
        generation,
        not_before: Moment(0),
    };
    store.commit(vec![mark(5), mark(9)]).await.unwrap();
    store
        .commit(vec![Change::Clear {
            id: id.clone(),
            seen: 7,
        }])
        .await
        .unwrap();
    let due = store.due_marks(map, Moment(0), 10).await.unwrap();
    assert_eq!(due, [Mark::changed(id.clone(), 9)]);
    let mut failed = Mark::changed(id.clone(), 9);
    failed.cause = Cause::Failed;
    store
        .commit(vec![Change::Settle {
            mark: Box::new(failed.clone()),
            seen: 8,
        }])
        .await
        .unwrap();
    assert_eq!(store.due_marks(map, Moment(0), 10).await.unwrap().len(), 1);
    store
        .commit(vec![Change::Settle {
            mark: Box::new(failed),
            seen: 10,
        }])
        .await
        .unwrap();
    assert!(
        store
            .due_marks(map, Moment(0), 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(store.errors(None, None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn neighbours_in_order_come_before_those_that_rest() {
    let (store, map) = store().await;
    let links = [
        ("A", LinkState::Linked),
        ("C", LinkState::Left),
        ("D", LinkState::Linked),
        ("E", LinkState::AwaitingKey),
    ];
    let links = links.map(|(key, state)| {
        let mut link = Link::new(map, pair(key), state);
        link.sides[0].record = Some(RecordId(pair(key).0));
        Change::PutLink(Box::new(link))
    });
    store.commit(links.into()).await.unwrap();
    for (limit, expected) in [(9, vec!["D", "A", "C"]), (2, vec!["D", "A"])] {
        let found = store.neighbours(map, &[], &pair("B"), limit).await.unwrap();
        let found: Vec<PairKey> = found.into_iter().map(|link| link.pair).collect();
        let expected: Vec<PairKey> = expected.into_iter().map(pair).collect();
        assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn what_was_missing_wakes_those_that_wait_for_it() {
    let (store, map) = store().await;
    let missing = Missing {
        set: Set {
            system: "dv".into(),
            set: "groups".into(),
        },
        reference: (0, 1),
        key: vec![6, 1, 65],
    };
    let mut mark = Mark::changed(mark_id(map, "A"), 3);
    mark.cause = Cause::Parked;
    mark.missing = Some(missing.clone());
    store
        .commit(vec![Change::Settle {
            mark: Box::new(mark),
            seen: 3,
        }])
        .await
        .unwrap();
    assert_eq!(
        store.missing_sets().await.unwrap(),
        std::slice::from_ref(&missing.set)
    );
    assert_eq!(
        store.missing(&missing.set, None, 10).await.unwrap(),
        std::slice::from_ref(&missing)
    );
    assert!(
        store
            .missing(&missing.set, Some(&missing), 10)
            .await
            .unwrap()
            .is_empty()
    );
    store
        .commit(vec![Change::Wake {
            missing,
            generation: 4,
        }])
        .await
        .unwrap();
    assert_eq!(
        store.due_marks(map, Moment(0), 10).await.unwrap(),
        [Mark::changed(mark_id(map, "A"), 4)]
    );
}

#[tokio::test]
async fn a_second_process_is_turned_away_and_everything_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let first = SqliteStore::open(&path).unwrap();
    assert!(matches!(
        SqliteStore::open(&path),
        Err(StateError::Locked { .. })
    ));
    let set = Set {
        system: "dv".into(),
        set: "accounts".into(),
    };
    let cursor = Cursor("token".into());
    first
        .commit(vec![Change::SetCursor(set.clone(), cursor.clone())])
        .await
        .unwrap();
    let before = first.reserve_sequence(100).await.unwrap();
    drop(first);
    let second = SqliteStore::open(&path).unwrap();
    assert_eq!(second.cursor(&set).await.unwrap(), Some(cursor));
    assert!(second.reserve_sequence(1).await.unwrap() >= before + 100);
}

#[tokio::test]
async fn a_file_that_is_no_state_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    std::fs::write(&path, vec![7; 8192]).unwrap();
    assert!(matches!(
        SqliteStore::open(&path),
        Err(StateError::Damaged { .. })
    ));
}

#[tokio::test]
async fn a_newer_state_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    drop(SqliteStore::open(&path).unwrap());
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    assert!(matches!(
        SqliteStore::open(&path),
        Err(StateError::Newer { found: 99, .. })
    ));
}
