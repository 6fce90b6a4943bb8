//! What every home of the state must do.

use dwmap_connect::Cursor;
use dwmap_plan::{LineId, Side, Value};

use super::*;

/// Every home, empty but for a map.
async fn stores() -> Vec<(Box<dyn StateStore>, MapId)> {
    let homes: [Box<dyn StateStore>; 2] = [
        Box::new(SqliteStore::in_memory().unwrap()),
        Box::<memory::MemoryStore>::default(),
    ];
    let mut stores = Vec::new();
    for store in homes {
        let map = store.map_id("customers").await.unwrap();
        stores.push((store, map));
    }
    stores
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
    for (store, map) in stores().await {
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
}

#[tokio::test]
async fn lines_that_say_something_else_mark_every_pair_once() {
    for (store, map) in stores().await {
        let mut link = Link::new(map, pair("a"), LinkState::Linked);
        link.sides[1].record = Some(record("right of a"));
        let mut failed = Mark::changed(mark_id(map, "b"), 1);
        failed.cause = Cause::Failed;
        let settle = Change::Settle {
            mark: Box::new(failed),
            seen: 1,
        };
        let put = Change::PutLink(Box::new(link));
        store.commit(vec![put, settle]).await.unwrap();
        let adopt = |lines: &[u64], generation| Change::Adopt {
            map,
            lines: lines.iter().map(|line| LineId(*line)).collect(),
            generation,
        };
        let due = async || {
            let marks = store.due_marks(map, Moment(0), 10).await.unwrap();
            marks
                .into_iter()
                .map(|mark| (mark.id.side, mark.id.record, mark.generation))
                .collect::<Vec<_>>()
        };
        // The first lines that a state knows are those by which its pairs were linked.
        store.commit(vec![adopt(&[1, 2], 7)]).await.unwrap();
        store.commit(vec![adopt(&[1, 2], 8)]).await.unwrap();
        assert_eq!(due().await, []);
        store.commit(vec![adopt(&[1, 3], 9)]).await.unwrap();
        let marked = [
            (Side::Left, record("b"), 9),
            (Side::Right, record("right of a"), 9),
        ];
        assert_eq!(due().await, marked);
        store.commit(vec![adopt(&[1, 3], 10)]).await.unwrap();
        assert_eq!(due().await, marked);
    }
}

#[tokio::test]
async fn a_record_belongs_to_one_link_only() {
    for (store, map) in stores().await {
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
}

#[tokio::test]
async fn a_commit_is_made_whole_or_not_at_all() {
    for (store, map) in stores().await {
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
}

#[tokio::test]
async fn a_pass_clears_no_mark_that_came_meanwhile() {
    for (store, map) in stores().await {
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
}

#[tokio::test]
async fn neighbours_in_order_come_before_those_that_rest() {
    for (store, map) in stores().await {
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
}

#[tokio::test]
async fn what_was_missing_wakes_those_that_wait_for_it() {
    for (store, map) in stores().await {
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

#[tokio::test]
async fn questions_are_answered_beside_the_process_that_works() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let works = SqliteStore::open(&path).unwrap();
    let map = works.map_id("customers").await.unwrap();
    let asks = SqliteStore::ask(&path).unwrap();
    assert_eq!(asks.map_id("customers").await.unwrap(), map);
    assert_eq!(asks.due_marks(map, Moment(0), 10).await.unwrap(), []);

    // What is committed after it was opened is seen as well.
    let mark = Change::Mark {
        id: mark_id(map, "A"),
        generation: 4,
        not_before: Moment(0),
    };
    works.commit(vec![mark.clone()]).await.unwrap();
    let seen = asks.due_marks(map, Moment(0), 10).await.unwrap();
    assert_eq!(seen, [Mark::changed(mark_id(map, "A"), 4)]);

    // It counts its reads as the newest, and takes no number from anybody.
    let first = works.reserve_sequence(100).await.unwrap();
    assert_eq!(asks.reserve_sequence(100).await.unwrap(), first + 100);
    assert_eq!(works.reserve_sequence(1).await.unwrap(), first + 100);

    // It writes nothing: no mark, and no map that isn't known yet.
    assert!(asks.commit(vec![mark]).await.is_err());
    let unknown = asks.map_id("vendors").await.unwrap();
    assert_ne!(unknown, map);
    assert_eq!(
        asks.map_status(unknown).await.unwrap(),
        MapStatus::default()
    );
    assert_eq!(asks.counts(unknown).await.unwrap(), MapCounts::default());
}

#[tokio::test]
async fn a_question_puts_rows_aside_without_touching_those_of_the_process_that_works() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let works = SqliteStore::open(&path).unwrap();
    let asks = SqliteStore::ask(&path).unwrap();
    let row = |json: &[u8]| ScratchRow {
        pair: pair("A"),
        record: record("A"),
        version: None,
        read: 1,
        json: json.to_vec(),
    };
    works.scratch_put("plan", vec![row(b"1")]).await.unwrap();
    asks.scratch_clear("plan").await.unwrap();
    asks.scratch_put("plan", vec![row(b"2")]).await.unwrap();
    for (store, json) in [(&works, b"1"), (&asks, b"2")] {
        let kept = store.scratch_get("plan", &[pair("A")]).await.unwrap();
        assert_eq!(kept, [Some(row(json))]);
    }
}

#[tokio::test]
async fn a_question_makes_no_state_and_changes_no_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none").join("state.db");
    let asks = SqliteStore::ask(&path).unwrap();
    let map = asks.map_id("customers").await.unwrap();
    assert_eq!(asks.map_status(map).await.unwrap(), MapStatus::default());
    assert!(!folder.path().join("none").exists());

    let path = folder.path().join("state.db");
    std::fs::write(&path, "").unwrap();
    SqliteStore::ask(&path).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"", "it is as it was");

    std::fs::write(&path, vec![7; 8192]).unwrap();
    let damaged = SqliteStore::ask(&path);
    assert!(matches!(damaged, Err(StateError::Damaged { .. })));

    let path = folder.path().join("versions.db");
    drop(SqliteStore::open(&path).unwrap());
    for (version, known) in [(99, false), (1, true)] {
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection
            .pragma_update(None, "user_version", version)
            .unwrap();
        drop(connection);
        let asked = SqliteStore::ask(&path);
        assert_eq!(asked.is_ok(), known, "{asked:?}");
    }
}
