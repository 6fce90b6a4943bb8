//! Marks: when they are due, what clears them, what they wait for.

use dwmap_plan::Side;

use super::{map, mark_id, record, set};
use crate::state::*;

suite! {
    marks_wait_for_their_time_and_go_by_age
    marks_wait_no_longer_and_no_shorter_than_they_may
    a_pass_clears_no_mark_that_came_meanwhile
    what_was_missing_wakes_those_that_wait_for_it
    missing_records_are_paged_within_their_set
    errors_are_paged_over_all_maps
    failed_parked_and_held_marks_are_let_go_by_cause_or_one_by_one
    a_persons_word_outlives_what_it_was_said_for
}

async fn marks_wait_for_their_time_and_go_by_age(store: &dyn StateStore) {
    let map = map(store).await;
    let mark = |key: &str, generation, not_before| Change::Mark {
        id: mark_id(map, key),
        generation,
        not_before: Moment(not_before),
    };
    assert_eq!(store.next_due(map).await.unwrap(), None);
    let marks = vec![mark("A", 9, 0), mark("B", 3, 0), mark("C", 4, 50)];
    store.commit(marks).await.unwrap();
    let keys = async |now, limit| {
        let due = store.due_marks(map, Moment(now), limit).await.unwrap();
        let generations = due.iter().map(|mark| mark.generation);
        generations.collect::<Vec<_>>()
    };
    assert_eq!(keys(49, 10).await, [3, 9]);
    assert_eq!(keys(50, 10).await, [3, 4, 9]);
    assert_eq!(keys(50, 2).await, [3, 4]);
    assert_eq!(store.next_due(map).await.unwrap(), Some(Moment(0)));
    // A mark that is there moves on, and never back.
    store.commit(vec![mark("A", 2, 70)]).await.unwrap();
    let records = [record("A"), record("Z")];
    let found = store.marks_of(map, Side::Left, &records).await.unwrap();
    let mut moved = Mark::changed(mark_id(map, "A"), 9);
    moved.not_before = Moment(70);
    assert_eq!(found, [Some(moved), None]);
    let other_side = store.marks_of(map, Side::Right, &records).await.unwrap();
    assert_eq!(other_side, [None, None]);
}

async fn marks_wait_no_longer_and_no_shorter_than_they_may(store: &dyn StateStore) {
    let map = map(store).await;
    let mark = |key: &str, not_before| Change::Mark {
        id: mark_id(map, key),
        generation: 1,
        not_before: Moment(not_before),
    };
    let bounds = Change::Wait {
        map,
        earliest: Moment(20),
        latest: Moment(60),
    };
    let marks = vec![mark("A", 0), mark("B", 10), mark("C", 40), mark("D", 900)];
    store.commit(marks).await.unwrap();
    store.commit(vec![bounds]).await.unwrap();
    let records = ["A", "B", "C", "D"].map(record);
    let found = store.marks_of(map, Side::Left, &records).await.unwrap();
    let waits = found.into_iter().flatten().map(|mark| mark.not_before.0);
    assert_eq!(waits.collect::<Vec<_>>(), [0, 20, 40, 60]);
}

async fn a_pass_clears_no_mark_that_came_meanwhile(store: &dyn StateStore) {
    let map = map(store).await;
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

async fn what_was_missing_wakes_those_that_wait_for_it(store: &dyn StateStore) {
    let map = map(store).await;
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

async fn missing_records_are_paged_within_their_set(store: &dyn StateStore) {
    let map = map(store).await;
    let missing = |name: &str, reference, key: u8| Missing {
        set: set(name),
        reference,
        key: vec![3, key],
    };
    let all = [
        missing("accounts", (0, 1), 2),
        missing("accounts", (0, 2), 1),
        missing("accounts", (1, 0), 1),
        missing("contacts", (0, 0), 1),
    ];
    let parked = all.iter().chain(&all[..1]).zip(["A", "B", "C", "D", "E"]);
    let parked = parked.map(|(missing, key)| {
        let mut mark = Mark::changed(mark_id(map, key), 1);
        mark.cause = Cause::Parked;
        mark.missing = Some(missing.clone());
        Change::Settle {
            mark: Box::new(mark),
            seen: 1,
        }
    });
    store.commit(parked.collect()).await.unwrap();
    let sets = store.missing_sets().await.unwrap();
    assert_eq!(sets, [set("accounts"), set("contacts")]);
    let page = async |after, limit| {
        let accounts = set("accounts");
        store.missing(&accounts, after, limit).await.unwrap()
    };
    assert_eq!(page(None, 10).await, all[..3]);
    assert_eq!(page(Some(&all[0]), 1).await, all[1..2]);
    assert_eq!(page(Some(&all[2]), 1).await, []);
}

async fn errors_are_paged_over_all_maps(store: &dyn StateStore) {
    let maps = [map(store).await, store.map_id("vendors").await.unwrap()];
    let mut all = Vec::new();
    for map in maps {
        for (key, cause) in [
            ("A", Cause::Failed),
            ("B", Cause::Held),
            ("C", Cause::Retry),
        ] {
            let mut mark = Mark::changed(mark_id(map, key), 1);
            mark.cause = cause;
            // What is tried again is an error only if it says what was wrong.
            if cause == Cause::Retry && map == maps[1] {
                mark.error = Some(Box::default());
            }
            all.push(mark);
        }
    }
    let settle = |mark: &Mark| Change::Settle {
        mark: Box::new(mark.clone()),
        seen: 1,
    };
    store
        .commit(all.iter().map(settle).collect())
        .await
        .unwrap();
    all.remove(2);
    assert_eq!(store.errors(None, None, 10).await.unwrap(), all);
    assert_eq!(
        store.errors(Some(maps[1]), None, 10).await.unwrap(),
        all[2..]
    );
    let page = store.errors(None, Some(&all[0].id), 2).await.unwrap();
    assert_eq!(page, all[1..3]);
}

async fn failed_parked_and_held_marks_are_let_go_by_cause_or_one_by_one(store: &dyn StateStore) {
    let map = map(store).await;
    let settle = |key: &str, cause| {
        let mut mark = Mark::changed(mark_id(map, key), 1);
        mark.cause = cause;
        mark.tries = 4;
        Change::Settle {
            mark: Box::new(mark),
            seen: 1,
        }
    };
    let held = ["A", "B", "C"].map(|key| settle(key, Cause::Held));
    store.commit(held.into()).await.unwrap();
    store
        .commit(vec![settle("D", Cause::Failed)])
        .await
        .unwrap();
    let release = |id, generation, word| Change::Release {
        map,
        id,
        cause: Cause::Held,
        generation,
        word,
    };
    let one = release(Some(mark_id(map, "B")), 7, None);
    store.commit(vec![one]).await.unwrap();
    let due = store.due_marks(map, Moment(0), 10).await.unwrap();
    assert_eq!(due, [Mark::changed(mark_id(map, "B"), 7)]);
    store
        .commit(vec![release(None, 8, Some(Word::LetGo))])
        .await
        .unwrap();
    let due = store.due_marks(map, Moment(0), 10).await.unwrap();
    let words: Vec<Option<Word>> = due.iter().map(|mark| mark.word).collect();
    assert_eq!(words, [None, Some(Word::LetGo), Some(Word::LetGo)]);
    let discard = Change::Discard(mark_id(map, "D"));
    store.commit(vec![discard]).await.unwrap();
    assert_eq!(store.errors(None, None, 10).await.unwrap(), []);
}

async fn a_persons_word_outlives_what_it_was_said_for(store: &dyn StateStore) {
    let map = map(store).await;
    let say = |key: &str, cause, word| {
        let mut mark = Mark::changed(mark_id(map, key), 5);
        mark.cause = cause;
        mark.word = Some(word);
        Change::Say(Box::new(mark))
    };
    let from = Word::From(Side::Right);
    let said = [
        say("A", Cause::Held, Word::Hold),
        say("B", Cause::Changed, from),
        say("C", Cause::Changed, Word::LetGo),
    ];
    store.commit(said.into()).await.unwrap();
    let word = async |key: &str| {
        let records = [record(key)];
        let marks = store.marks_of(map, Side::Left, &records).await.unwrap();
        let mark = marks.into_iter().flatten().next().unwrap();
        (mark.cause, mark.word)
    };
    assert_eq!(word("B").await, (Cause::Changed, Some(from)));
    // They change: what is held stays so, and whose values win was said of others.
    let change = |key: &str| Change::Mark {
        id: mark_id(map, key),
        generation: 6,
        not_before: Moment(0),
    };
    let changed = ["A", "B", "C"].map(change);
    store.commit(changed.into()).await.unwrap();
    // The brake lets go what it holds, and no more.
    let release = Change::Release {
        map,
        id: None,
        cause: Cause::Held,
        generation: 7,
        word: None,
    };
    // A pass that was under way clears what it saw, and no more.
    let clear = Change::Clear {
        id: mark_id(map, "A"),
        seen: 4,
    };
    store.commit(vec![release, clear]).await.unwrap();
    assert_eq!(word("A").await, (Cause::Held, Some(Word::Hold)));
    assert_eq!(word("B").await, (Cause::Changed, None));
    assert_eq!(word("C").await, (Cause::Changed, Some(Word::LetGo)));
}
