//! Writes, their guards and their outcomes.

use super::{
    TestBed, create, delete, fill, is_applied, observe, text_now, text_of, update, version_now,
    write, write_one,
};
use crate::{Guard, Outcome, Version, WriteMode};

/// A text that no column under test holds.
fn too_long() -> String {
    "x".repeat(5_000)
}

/// A create makes a record and tells the key by which it is found.
pub async fn a_create_tells_its_key(bed: &dyn TestBed) {
    for (n, mode) in [(1, WriteMode::Live), (2, WriteMode::Bulk)] {
        let mut outcomes = write(
            bed,
            &[create(bed, n, "one"), create(bed, n + 10, "two")],
            mode,
        )
        .await;
        for (outcome, text) in outcomes.drain(..).zip(["one", "two"]) {
            let Outcome::Applied { key: Some(key), .. } = outcome else {
                panic!("a create tells its key: {outcome:?}")
            };
            assert_eq!(text_now(bed, &key).await.as_deref(), Some(text));
        }
    }
}

/// A create whose key is taken is a conflict, and changes nothing.
pub async fn a_create_never_overwrites(bed: &dyn TestBed) {
    let key = bed.insert(1, "theirs").await;
    for mode in [WriteMode::Live, WriteMode::Bulk] {
        let writes = [create(bed, 1, "ours")];
        assert_eq!(
            write(bed, &writes, mode).await,
            [Outcome::Conflict],
            "{mode:?}"
        );
        assert_eq!(text_now(bed, &key).await.as_deref(), Some("theirs"));
    }
}

/// An update of a record that isn't there is a conflict, and makes none.
pub async fn an_update_never_creates(bed: &dyn TestBed) {
    let key = bed.missing_key();
    for mode in [WriteMode::Live, WriteMode::Bulk] {
        let writes = [update(bed, &key, "ours", Guard::Exists)];
        assert_eq!(
            write(bed, &writes, mode).await,
            [Outcome::Conflict],
            "{mode:?}"
        );
        assert!(observe(bed, &key).await.is_none());
    }
}

/// An update guarded by a version passes by that version alone.
pub async fn a_stale_version_is_a_conflict(bed: &dyn TestBed) {
    let key = bed.insert(1, "first").await;
    let stale = version_now(bed, &key).await;
    bed.edit(&key, "theirs").await;
    let current = version_now(bed, &key).await;
    assert_ne!(stale, current, "an edit makes a new version");
    for mode in [WriteMode::Live, WriteMode::Bulk] {
        let writes = [update(bed, &key, "ours", Guard::Version(stale.clone()))];
        assert_eq!(
            write(bed, &writes, mode).await,
            [Outcome::Conflict],
            "{mode:?}"
        );
        assert_eq!(text_now(bed, &key).await.as_deref(), Some("theirs"));
    }
    let outcome = write_one(
        bed,
        update(bed, &key, "ours", Guard::Version(current.clone())),
    )
    .await;
    assert!(is_applied(&outcome), "{outcome:?}");
    assert_eq!(text_now(bed, &key).await.as_deref(), Some("ours"));
    assert_ne!(
        version_now(bed, &key).await,
        current,
        "a write makes a new version"
    );
}

/// A delete is guarded like an update, and one of a record that isn't there is a conflict.
pub async fn a_delete_is_guarded(bed: &dyn TestBed) {
    let key = bed.insert(1, "first").await;
    let stale = version_now(bed, &key).await;
    bed.edit(&key, "second").await;
    assert_eq!(
        write_one(bed, delete(&key, Guard::Version(stale))).await,
        Outcome::Conflict
    );
    let current = version_now(bed, &key).await;
    let outcome = write_one(bed, delete(&key, Guard::Version(current))).await;
    assert!(is_applied(&outcome), "{outcome:?}");
    assert!(observe(bed, &key).await.is_none());
    assert_eq!(
        write_one(bed, delete(&key, Guard::Exists)).await,
        Outcome::Conflict
    );
}

/// The row that comes back is the one that is there, version and all.
pub async fn a_row_comes_back_where_it_is_wanted(bed: &dyn TestBed) {
    let mut creates = create(bed, 1, "born");
    creates.wants_row = true;
    let Outcome::Applied {
        key: Some(key),
        row: Some(row),
        version,
    } = write_one(bed, creates).await
    else {
        panic!("a created row comes back")
    };
    let seen = observe(bed, &key).await.unwrap();
    assert_eq!(text_of(bed, &row), "born");
    assert_eq!(version, seen.version, "its version is told");

    let mut updates = update(bed, &key, "grown", Guard::Exists);
    updates.wants_row = true;
    let Outcome::Applied {
        row: Some(row),
        version,
        ..
    } = write_one(bed, updates).await
    else {
        panic!("an updated row comes back")
    };
    let seen = observe(bed, &key).await.unwrap();
    assert_eq!(text_of(bed, &row), "grown");
    assert_eq!(version, seen.version);
    assert_ne!(version, None);
}

/// One request, and each row its own fate; nothing that is refused hinders what isn't.
pub async fn each_row_of_a_batch_has_its_outcome(bed: &dyn TestBed) {
    let keys = fill(bed, 0..4).await;
    let missing = bed.missing_key();
    let stale = Guard::Version(Version("W/\"1234567890\"".to_owned()));
    let too_long = too_long();
    let writes = [
        create(bed, 10, "born"),
        update(bed, &keys[0], "ours", stale),
        update(bed, &keys[1], &too_long, Guard::Exists),
        update(bed, &missing, "ours", Guard::Exists),
        delete(&keys[2], Guard::Exists),
        create(bed, 0, "taken"),
        update(bed, &keys[3], "ours", Guard::Exists),
    ];
    let outcomes = write(bed, &writes, WriteMode::Live).await;
    let Outcome::Rejected(refusal) = &outcomes[2] else {
        panic!("a value too long is refused: {:?}", outcomes[2])
    };
    assert!(
        !refusal.message.is_empty() && !refusal.code.is_empty(),
        "{refusal:?}"
    );
    if let Some(field) = &refusal.field {
        assert_eq!(field, bed.text_column());
    }
    for applied in [0, 4, 6] {
        assert!(
            is_applied(&outcomes[applied]),
            "{applied}: {:?}",
            outcomes[applied]
        );
    }
    for conflict in [1, 3, 5] {
        assert_eq!(outcomes[conflict], Outcome::Conflict, "{conflict}");
    }
    assert_eq!(text_now(bed, &keys[0]).await.as_deref(), Some("0"));
    assert_eq!(text_now(bed, &keys[1]).await.as_deref(), Some("1"));
    assert_eq!(text_now(bed, &keys[2]).await, None);
    assert_eq!(text_now(bed, &keys[3]).await.as_deref(), Some("ours"));
}

/// Also where the system's bulk operations are all or nothing.
pub async fn a_bulk_write_has_an_outcome_for_each_row(bed: &dyn TestBed) {
    bed.insert(17, "taken").await;
    let too_long = too_long();
    let text = |n| if n == 42 { too_long.as_str() } else { "born" };
    let creates: Vec<_> = (0..150).map(|n| create(bed, n, text(n))).collect();
    let outcomes = write(bed, &creates, WriteMode::Bulk).await;
    let mut keys = Vec::new();
    for (n, outcome) in outcomes.into_iter().enumerate() {
        match (n, outcome) {
            (17, outcome) => assert_eq!(outcome, Outcome::Conflict),
            (42, outcome) => assert!(matches!(outcome, Outcome::Rejected(_)), "{outcome:?}"),
            (_, Outcome::Applied { key: Some(key), .. }) => keys.push(key),
            (_, outcome) => panic!("row {n}: {outcome:?}"),
        }
    }
    let updates: Vec<_> = keys
        .iter()
        .enumerate()
        .map(|(n, key)| {
            let text = if n == 99 { too_long.as_str() } else { "grown" };
            update(bed, key, text, Guard::Exists)
        })
        .collect();
    let outcomes = write(bed, &updates, WriteMode::Bulk).await;
    for (n, (key, outcome)) in keys.iter().zip(outcomes).enumerate() {
        assert_eq!(is_applied(&outcome), n != 99, "row {n}: {outcome:?}");
        let wanted = if n == 99 { "born" } else { "grown" };
        assert_eq!(text_now(bed, key).await.as_deref(), Some(wanted));
    }
}
