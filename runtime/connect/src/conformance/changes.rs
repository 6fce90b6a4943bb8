//! Change feeds: truth, resumable, deletes included. A connector that only sweeps says so and passes by.

use std::collections::{BTreeSet, HashMap};

use dwmap_plan::Value;

use super::{PAGE, TestBed, create, fill, is_applied, observe, text_of, write_one};
use crate::{Change, ChangeFeed, ConnectError, Cursor, RecordKey, Since};

fn tracks(bed: &dyn TestBed) -> bool {
    bed.connector().abilities(bed.query()).changes == ChangeFeed::Tracked
}

/// Reads until there is no more for now.
async fn read(bed: &dyn TestBed, from: Option<&Cursor>) -> (Vec<Change>, Cursor) {
    let mut changes = Vec::new();
    let mut cursor = from.cloned();
    loop {
        let page = bed
            .connector()
            .changes(bed.query(), cursor.as_ref())
            .await
            .unwrap();
        changes.extend(page.changes);
        if !page.more {
            return (changes, page.next);
        }
        cursor = Some(page.next);
    }
}

/// The records changed, and those deleted by key or by the id that the feed told before.
fn told(
    changes: &[Change],
    ids: &mut HashMap<String, RecordKey>,
) -> (BTreeSet<String>, BTreeSet<String>) {
    let name = |key: &RecordKey| format!("{key:?}");
    let id_name = |id: &Option<Value>| format!("{id:?}");
    let (mut changed, mut deleted) = (BTreeSet::new(), BTreeSet::new());
    for change in changes {
        match change {
            Change::Changed { key, feed_id, .. } => {
                assert!(!key.is_empty(), "a change tells its key");
                if feed_id.is_some() {
                    ids.insert(id_name(feed_id), key.clone());
                }
                changed.insert(name(key));
            }
            Change::Deleted { key: Some(key), .. } => {
                deleted.insert(name(key));
            }
            Change::Deleted { key: None, feed_id } => {
                // A record that came and went between two looks was never told: there is nothing to be done for it.
                if let Some(key) = ids.get(&id_name(feed_id)) {
                    deleted.insert(name(key));
                }
            }
        }
    }
    (changed, deleted)
}

fn names(keys: &[RecordKey]) -> BTreeSet<String> {
    keys.iter().map(|key| format!("{key:?}")).collect()
}

/// Without a cursor every record is told, over as many pages as it takes.
pub async fn every_row_is_in_the_first_read(bed: &dyn TestBed) {
    if !tracks(bed) {
        return;
    }
    let keys = fill(bed, 0..2 * PAGE as u32 + 3).await;
    let (changes, _) = read(bed, None).await;
    assert_eq!(told(&changes, &mut HashMap::new()).0, names(&keys));
    for change in &changes {
        if let Change::Changed {
            key,
            row: Some(row),
            ..
        } = change
        {
            let seen = observe(bed, key).await.unwrap();
            assert_eq!(
                text_of(bed, row),
                text_of(bed, &seen),
                "the feed's row is the record's"
            );
            assert_eq!(row.version, seen.version);
        }
    }
}

/// A cursor sees what was done after it, whoever did it, and nothing else.
pub async fn a_new_cursor_sees_what_comes_after_it(bed: &dyn TestBed) {
    if !tracks(bed) {
        return;
    }
    let keys = fill(bed, 0..5).await;
    let (_, cursor) = read(bed, None).await;
    let (changes, cursor) = read(bed, Some(&cursor)).await;
    assert!(changes.is_empty(), "nothing was done: {changes:?}");

    bed.edit(&keys[3], "theirs").await;
    let new = bed.insert(50, "new").await;
    let outcome = write_one(bed, create(bed, 51, "ours")).await;
    assert!(is_applied(&outcome), "{outcome:?}");
    let (changes, cursor) = read(bed, Some(&cursor)).await;
    let (changed, deleted) = told(&changes, &mut HashMap::new());
    assert!(
        changed.is_superset(&names(&[keys[3].clone(), new])),
        "{changed:?}"
    );
    assert_eq!(
        (changed.len(), deleted.len()),
        (3, 0),
        "our own write among them"
    );
    assert!(read(bed, Some(&cursor)).await.0.is_empty());
}

/// A cursor that was used may be used again: a crash before its successor was kept loses nothing.
pub async fn changes_can_be_read_again(bed: &dyn TestBed) {
    if !tracks(bed) {
        return;
    }
    let (_, cursor) = read(bed, None).await;
    let keys = fill(bed, 0..2 * PAGE as u32).await;
    let (first, _) = read(bed, Some(&cursor)).await;
    bed.edit(&keys[0], "later").await;
    let (again, _) = read(bed, Some(&cursor)).await;
    let ids = &mut HashMap::new();
    assert_eq!(told(&first, ids).0, names(&keys));
    assert_eq!(told(&again, ids).0, names(&keys));
}

/// Several questions at once are answered as each would be alone, in their order, expired cursors among them.
pub async fn changes_of_several_are_told_apart(bed: &dyn TestBed) {
    if !tracks(bed) {
        return;
    }
    let (_, expired) = read(bed, None).await;
    bed.expire_cursors().await;
    let (_, old) = read(bed, None).await;
    let keys = fill(bed, 0..2).await;
    let (_, new) = read(bed, Some(&old)).await;
    let since = [&old, &expired, &new].map(|cursor| Since {
        query: bed.query(),
        cursor: Some(cursor),
    });
    let pages = bed.connector().changes_of_each(&since).await;
    let [Ok(all), Err(error), Ok(nothing)] = pages.as_slice() else {
        panic!("{pages:?}");
    };
    assert_eq!(told(&all.changes, &mut HashMap::new()).0, names(&keys));
    assert!(
        matches!(error, ConnectError::CursorExpired { .. }),
        "{error}"
    );
    assert!(nothing.changes.is_empty());
}

/// Deletes are told, also of records that came after the cursor.
pub async fn deletes_are_told(bed: &dyn TestBed) {
    if !tracks(bed) {
        return;
    }
    let keys = fill(bed, 0..4).await;
    let mut ids = HashMap::new();
    let (changes, cursor) = read(bed, None).await;
    told(&changes, &mut ids);
    bed.remove(&keys[1]).await;
    bed.remove(&keys[2]).await;
    let brief = bed.insert(9, "brief").await;
    bed.remove(&brief).await;
    let (changes, cursor) = read(bed, Some(&cursor)).await;
    let (changed, deleted) = told(&changes, &mut ids);
    assert!(changed.is_empty(), "{changed:?}");
    assert!(deleted.is_superset(&names(&keys[1..3])), "{deleted:?}");
    assert!(read(bed, Some(&cursor)).await.0.is_empty());
}

/// A cursor that the system no longer knows is told as such, and a first read works again.
pub async fn an_expired_cursor_is_told(bed: &dyn TestBed) {
    if !tracks(bed) {
        return;
    }
    let keys = fill(bed, 0..2).await;
    let (_, cursor) = read(bed, None).await;
    bed.expire_cursors().await;
    let error = bed
        .connector()
        .changes(bed.query(), Some(&cursor))
        .await
        .unwrap_err();
    assert!(
        matches!(error, ConnectError::CursorExpired { .. }),
        "{error}"
    );
    assert!(!error.is_transient());
    let (changes, _) = read(bed, None).await;
    assert_eq!(told(&changes, &mut HashMap::new()).0, names(&keys));
}
