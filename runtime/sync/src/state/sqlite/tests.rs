//! What holds of SQLite's files beside the suite for every home: who may open them, and what is wrong with them.

use dwmap_connect::Cursor;

use crate::Moment;
use crate::state::conformance::{mark_id, pair, record};
use crate::state::*;

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
    for (version, known) in [(99, false), (1, SCHEMA == 1), (SCHEMA, true)] {
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection
            .pragma_update(None, "user_version", version)
            .unwrap();
        drop(connection);
        let asked = SqliteStore::ask(&path);
        assert_eq!(asked.is_ok(), known, "{asked:?}");
    }
}

#[tokio::test]
async fn a_commit_for_which_there_is_no_space_is_not_made_and_the_next_one_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = SqliteStore::open(&path).unwrap();
    let map = store.map_id("customers").await.unwrap();
    let links = |from: usize| -> Vec<Change> {
        let keys = (from..from + 2_000).map(|n| pair(&format!("{n:06}")));
        let links = keys.map(|pair| Link::new(map, pair, LinkState::Linked));
        links.map(Box::new).map(Change::PutLink).collect()
    };
    let pages = |n: u32| {
        let limit = store.with(|c| Ok(c.pragma_update(None, "max_page_count", n)?));
        limit.unwrap();
    };
    store.commit(links(0)).await.unwrap();
    pages(50);
    let full = store.commit(links(10_000)).await.unwrap_err();
    assert!(matches!(&full, StateError::Full { path: full } if *full == path));
    assert!(full.to_string().contains("free some space and start again"));
    assert_eq!(store.counts(map).await.unwrap().linked, 2_000);
    pages(10_000);
    store.commit(links(10_000)).await.unwrap();
    assert_eq!(store.counts(map).await.unwrap().linked, 4_000);
    drop(store);
    assert_eq!(SqliteStore::check(&path).unwrap().flaws, []);
}

#[tokio::test]
async fn what_is_asked_at_the_desk_is_answered_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let works = SqliteStore::open(&path).unwrap();
    assert!(SqliteStore::is_worked_on(&path));
    let desk = Desk::open(&path).unwrap();
    let (one, two) = (
        desk.post("one", Moment(10)).unwrap(),
        desk.post("two", Moment(10)).unwrap(),
    );
    let posted = works.requests().await.unwrap();
    let asked: Vec<&str> = posted.iter().map(|p| p.request.as_str()).collect();
    assert_eq!(asked, ["one", "two"]);

    works.commit(vec![Change::TakeUp(one)]).await.unwrap();
    assert!(!desk.withdraw(one).unwrap(), "it is being done");
    assert_eq!(desk.fetch(one).unwrap(), None);
    assert!(desk.withdraw(two).unwrap());
    let answer = Change::Answer(one, "done".to_owned());
    // Who works begins anew before the answer is fetched.
    let forget = |before| Change::ForgetRequests(Moment(before));
    works.commit(vec![answer, forget(10)]).await.unwrap();
    assert_eq!(desk.fetch(one).unwrap().as_deref(), Some("done"));
    assert_eq!(desk.fetch(one).unwrap(), None);
    assert_eq!(works.requests().await.unwrap(), []);
    drop(works);
    assert!(!SqliteStore::is_worked_on(&path));
}
