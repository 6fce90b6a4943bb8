//! States that older versions left behind: each is read whole by the present one, and goes on.
#![allow(clippy::unwrap_used)]

mod told;

use std::path::{Path, PathBuf};

use dwmap_plan::{LineId, Side};
use dwmap_sync::state::{Change, Link, LinkState, MarkId, SCHEMA};
use dwmap_sync::{Moment, PairKey, RecordId, SqliteStore, StateError, StateStore};

fn stored(version: i64) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/states");
    folder.join(format!("v{version}.sqlite"))
}

/// The versions of which a state is stored.
fn versions() -> impl Iterator<Item = i64> {
    (1..=SCHEMA).filter(|version| stored(*version).exists())
}

/// A copy of a stored state, in a folder of its own.
fn copy(version: i64) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    // What a load had put aside is in a file beside it: were that new, the load would begin anew.
    drop(SqliteStore::open(&path).unwrap());
    std::fs::copy(stored(version), &path).unwrap();
    (folder, path)
}

#[test]
fn a_state_of_every_older_version_is_stored() {
    assert!(stored(1).exists());
    let lacking: Vec<i64> = (1..SCHEMA).filter(|v| !stored(*v).exists()).collect();
    assert!(
        lacking.is_empty(),
        "no state of {lacking:?} is stored; tests/states/README.md says how"
    );
}

#[tokio::test]
async fn every_older_state_is_read_whole() {
    for version in versions() {
        let (_folder, path) = copy(version);
        let store = SqliteStore::open(&path).unwrap();
        let checked = SqliteStore::check(&path).unwrap();
        assert_eq!(checked.flaws, [], "v{version}");
        let told = told::state(&store).await;
        let expected = stored(version).with_extension("txt");
        if std::env::var_os("REWRITE").is_some() {
            std::fs::write(&expected, &told).unwrap();
        }
        let expected = std::fs::read_to_string(expected).unwrap();
        assert_eq!(told, expected, "v{version}");
    }
}

#[tokio::test]
async fn every_older_state_goes_on() {
    for version in versions() {
        let (_folder, path) = copy(version);
        let store = SqliteStore::open(&path).unwrap();
        let map = store.map_id("customers").await.unwrap();
        let mut link = store.links_page(map, None, 1).await.unwrap().remove(0);
        link.state = LinkState::Left;
        let pair = PairKey::new(&["usmf".into(), "new".into()], &[true, true]);
        let mut new = Link::new(map, pair, LinkState::Linked);
        new.bases = link.bases.clone();
        let record = RecordId::new(&["US-010".into()], true);
        let id = MarkId {
            map,
            side: Side::Left,
            record,
        };
        let generation = store.reserve_sequence(10).await.unwrap();
        let mark = Change::Mark {
            id,
            generation,
            not_before: Moment(0),
        };
        let changes = vec![
            Change::PutLink(Box::new(link.clone())),
            Change::PutLink(Box::new(new.clone())),
            mark,
        ];
        store.commit(changes).await.unwrap();
        drop(store);

        let store = SqliteStore::open(&path).unwrap();
        let pairs = [link.pair.clone(), new.pair.clone()];
        let links = store.links_by_pair(map, &pairs).await.unwrap();
        assert_eq!(links, [Some(link), Some(new)], "v{version}");
        let due = store.due_marks(map, Moment(0), 10).await.unwrap();
        let generations: Vec<u64> = due.iter().map(|mark| mark.generation).collect();
        assert_eq!(generations, [generation], "v{version}");
    }
}

#[tokio::test]
async fn every_older_state_knows_by_which_lines_its_pairs_are_linked() {
    for version in versions() {
        let (_folder, path) = copy(version);
        let store = SqliteStore::open(&path).unwrap();
        let map = store.map_id("customers").await.unwrap();
        let generation = store.reserve_sequence(10).await.unwrap();
        let mut marked = Vec::new();
        for last in [u64::MAX, 7] {
            let lines = vec![LineId(1), LineId(last)];
            let adopt = Change::Adopt {
                map,
                lines,
                generation,
            };
            store.commit(vec![adopt]).await.unwrap();
            let due = store.due_marks(map, Moment(0), 100).await.unwrap();
            marked.push(due.iter().filter(|m| m.generation == generation).count());
        }
        // All pairs, and what was refused or waited, but for what the brake holds.
        assert_eq!(marked, [0, 4 + 4], "v{version}");
    }
}

#[tokio::test]
async fn a_step_that_fails_leaves_the_state_as_it_was() {
    let (_folder, path) = copy(1);
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute("CREATE TABLE sets (x)", []).unwrap();
    let failed = SqliteStore::open(&path).unwrap_err();
    assert!(
        failed.to_string().contains("sets already exists"),
        "{failed}"
    );
    let version = "SELECT user_version FROM pragma_user_version";
    let version: i64 = connection.query_row(version, [], |row| row.get(0)).unwrap();
    assert_eq!(version, 1);
    connection.execute("DROP TABLE sets", []).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    let told = std::fs::read_to_string(stored(1).with_extension("txt")).unwrap();
    assert_eq!(told::state(&store).await, told);
}

#[tokio::test]
async fn an_older_state_is_left_as_it_is_by_whoever_only_asks() {
    for version in versions() {
        let (_folder, path) = copy(version);
        let asked = SqliteStore::ask(&path);
        if version == SCHEMA {
            assert!(asked.is_ok());
        } else {
            let refused = asked.unwrap_err();
            assert!(matches!(refused, StateError::Older { found, .. } if found == version));
            assert!(refused.to_string().contains("dwmap run"), "{refused}");
        }
        let bytes = std::fs::read(&path).unwrap();
        assert!(bytes == std::fs::read(stored(version)).unwrap());
    }
}

#[test]
fn a_backup_of_every_older_version_may_be_restored() {
    for version in versions() {
        // A copy: to read it, SQLite makes files beside it.
        let (_backups, backup) = copy(version);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        let kept = SqliteStore::restore(&path, &backup).unwrap();
        assert_eq!(kept, None);
        drop(SqliteStore::open(&path).unwrap());
        let checked = SqliteStore::check(&path).unwrap();
        assert_eq!((checked.links, checked.flaws), (4, vec![]), "v{version}");
    }
}

#[test]
fn a_newer_state_is_refused_and_left_as_it_is() {
    let (_folder, path) = copy(1);
    let connection = rusqlite::Connection::open(&path).unwrap();
    let newer = SCHEMA + 1;
    connection
        .pragma_update(None, "user_version", newer)
        .unwrap();
    drop(connection);
    let before = std::fs::read(&path).unwrap();
    for opened in [SqliteStore::open(&path), SqliteStore::ask(&path)] {
        let refused = opened.unwrap_err();
        let says = refused.to_string();
        assert!(matches!(refused, StateError::Newer { found, .. } if found == newer));
        assert!(says.contains("run the newer version"), "{says}");
    }
    assert!(std::fs::read(&path).unwrap() == before);
}
