//! What backups hold, what takes whose place, and what is given back.

use super::*;
use crate::key::{PairKey, RecordId};
use crate::state::{
    Change, Link, LinkState, LoadPhase, LoadProgress, MapMode, MapStatus, ScratchRow, StateStore,
};

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    (folder, path)
}

fn pair(n: usize) -> PairKey {
    PairKey::new(
        &["usmf".into(), format!("{n:08}").as_str().into()],
        &[true, true],
    )
}

async fn put(store: &SqliteStore, keys: std::ops::Range<usize>) {
    let map = store.map_id("customers").await.unwrap();
    let link = |n| Change::PutLink(Box::new(Link::new(map, pair(n), LinkState::Linked)));
    store.commit(keys.map(link).collect()).await.unwrap();
}

async fn linked(store: &SqliteStore) -> u64 {
    let map = store.map_id("customers").await.unwrap();
    store.counts(map).await.unwrap().linked
}

/// A load that has put a row aside and goes on with it.
async fn begin_load(store: &SqliteStore) {
    let map = store.map_id("vendors").await.unwrap();
    let row = ScratchRow {
        pair: pair(1),
        record: RecordId(pair(1).0),
        version: None,
        read: 1,
        json: vec![b'x'; 100_000],
    };
    store.scratch_put("load", vec![row]).await.unwrap();
    let load = LoadProgress {
        phase: LoadPhase::Rest,
        read: 1,
        ..LoadProgress::START
    };
    let status = MapStatus {
        mode: MapMode::Loading,
        reason: String::new(),
        load: Some(load),
    };
    let change = Change::SetStatus(map, status);
    store.commit(vec![change]).await.unwrap();
}

async fn phase(store: &SqliteStore) -> Option<LoadPhase> {
    let map = store.map_id("vendors").await.unwrap();
    let load = store.map_status(map).await.unwrap().load;
    load.map(|load| load.phase)
}

#[tokio::test]
async fn a_backup_is_made_beside_the_process_that_works_and_holds_what_was_committed() {
    let (folder, path) = folder();
    let works = SqliteStore::open(&path).unwrap();
    put(&works, 0..10).await;
    begin_load(&works).await;
    let to = folder.path().join("backup.db");
    let bytes = SqliteStore::backup(&path, &to).unwrap();
    assert_eq!(bytes, std::fs::metadata(&to).unwrap().len());
    put(&works, 10..20).await;
    assert_eq!(SqliteStore::check(&to).unwrap().links, 10);
    let opened = SqliteStore::open(&to).unwrap();
    assert_eq!(linked(&opened).await, 10);
    assert_eq!(phase(&opened).await, Some(LoadPhase::Gather));
    assert_eq!(phase(&works).await, Some(LoadPhase::Rest));
}

#[tokio::test]
async fn a_backup_overwrites_nothing_and_leaves_nothing_half_done() {
    let (folder, path) = folder();
    let to = folder.path().join("backup.db");
    let absent = SqliteStore::backup(&path, &to);
    assert!(matches!(absent, Err(StateError::Absent { .. })));
    let works = SqliteStore::open(&path).unwrap();
    put(&works, 0..10).await;
    for there in ["backup.db", "backup.db.part"] {
        let there = folder.path().join(there);
        std::fs::write(&there, "dear").unwrap();
        let refused = SqliteStore::backup(&path, &to).unwrap_err();
        assert!(matches!(&refused, StateError::Taken { path } if *path == there));
        assert_eq!(std::fs::read(&there).unwrap(), b"dear");
        std::fs::remove_file(&there).unwrap();
    }
    works
        .with(|c| Ok(c.execute_batch("UPDATE links SET bases = x'ff'")?))
        .unwrap();
    let refused = SqliteStore::backup(&path, &to);
    assert!(matches!(refused, Err(StateError::Damaged { .. })));
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name.to_string_lossy().starts_with("backup"))
        .collect();
    assert_eq!(left, [] as [&str; 0]);
}

#[tokio::test]
async fn a_backup_takes_the_place_of_a_state_which_is_kept() {
    let (folder, path) = folder();
    let to = folder.path().join("backup.db");
    let works = SqliteStore::open(&path).unwrap();
    put(&works, 0..10).await;
    SqliteStore::backup(&path, &to).unwrap();
    put(&works, 10..20).await;
    let locked = SqliteStore::restore(&path, &to);
    assert!(matches!(locked, Err(StateError::Locked { .. })));
    // As `kill -9` leaves it: what was committed last is in the write-ahead log alone.
    let killed = folder.path().join("killed.db");
    for ending in ["", "-wal"] {
        std::fs::copy(beside(&path, ending), beside(&killed, ending)).unwrap();
    }
    drop(works);
    let kept = SqliteStore::restore(&killed, &to).unwrap().unwrap();
    let restored = SqliteStore::open(&killed).unwrap();
    assert_eq!(linked(&restored).await, 10);
    assert_eq!(linked(&SqliteStore::open(&kept).unwrap()).await, 20);
    drop(restored);
    let refused = SqliteStore::restore(&killed, &to);
    assert!(matches!(refused, Err(StateError::Taken { .. })));

    let nowhere = folder.path().join("none/state.db");
    assert_eq!(SqliteStore::restore(&nowhere, &to).unwrap(), None);
    assert_eq!(linked(&SqliteStore::open(&nowhere).unwrap()).await, 10);
}

#[tokio::test]
async fn a_damaged_backup_replaces_nothing() {
    let (folder, path) = folder();
    put(&SqliteStore::open(&path).unwrap(), 0..10).await;
    let before = std::fs::read(&path).unwrap();
    let from = folder.path().join("backup.db");
    std::fs::write(&from, vec![7; 8192]).unwrap();
    let refused = SqliteStore::restore(&path, &from);
    assert!(matches!(refused, Err(StateError::Damaged { .. })));
    assert!(std::fs::read(&path).unwrap() == before);
}

#[tokio::test]
async fn a_state_is_compacted_by_whoever_is_alone_with_it() {
    let (_folder, path) = folder();
    let works = SqliteStore::open(&path).unwrap();
    let locked = SqliteStore::compact(&path);
    assert!(matches!(locked, Err(StateError::Locked { .. })));
    put(&works, 0..5_000).await;
    let map = works.map_id("customers").await.unwrap();
    let drops = (10..5_000).map(|n| Change::DropLink(map, pair(n)));
    works.commit(drops.collect()).await.unwrap();
    begin_load(&works).await;
    drop(works);
    let compacted = SqliteStore::compact(&path).unwrap();
    assert!(compacted.after * 2 < compacted.before, "{compacted:?}");
    assert!(compacted.kept_scratch);

    let works = SqliteStore::open(&path).unwrap();
    assert_eq!(linked(&works).await, 10);
    assert_eq!(phase(&works).await, Some(LoadPhase::Rest));
    let row = works.scratch_page("load", None, 10).await.unwrap();
    assert_eq!(row.len(), 1);
    let vendors = works.map_id("vendors").await.unwrap();
    let done = Change::SetStatus(vendors, MapStatus::default());
    works.commit(vec![done]).await.unwrap();
    drop(works);
    let compacted = SqliteStore::compact(&path).unwrap();
    assert!(!compacted.kept_scratch);
    assert!(!beside(&path, ".scratch").exists());
    assert_eq!(SqliteStore::check(&path).unwrap().flaws, []);
}

#[tokio::test]
async fn a_load_begins_anew_where_its_rows_are_lost_or_damaged() {
    for damage in [false, true] {
        let (_folder, path) = folder();
        let works = SqliteStore::open(&path).unwrap();
        begin_load(&works).await;
        drop(works);
        let scratch = beside(&path, ".scratch");
        assert_eq!(
            phase(&SqliteStore::open(&path).unwrap()).await,
            Some(LoadPhase::Rest)
        );
        if damage {
            std::fs::write(&scratch, vec![7; 8192]).unwrap();
        } else {
            std::fs::remove_file(&scratch).unwrap();
        }
        let works = SqliteStore::open(&path).unwrap();
        assert_eq!(
            phase(&works).await,
            Some(LoadPhase::Gather),
            "damage {damage}"
        );
        let rows = works.scratch_page("load", None, 10).await.unwrap();
        assert_eq!(rows, []);
    }
}
