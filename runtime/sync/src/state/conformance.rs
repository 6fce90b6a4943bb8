//! What every home of the state must do: one suite, run against each.

use dwmap_connect::{Cursor, PageToken, Version};
use dwmap_plan::{LineId, Side, Value};

use super::*;

/// Runs every test of the suite against a home of its own kind.
macro_rules! suite {
    ($($test:ident)*) => {
        suite! { sqlite SqliteStore::in_memory().unwrap(); $($test)* }
        suite! { in_memory memory::MemoryStore::default(); $($test)* }
    };
    ($home:ident $store:expr; $($test:ident)*) => {
        mod $home {
            use super::*;

            $(#[tokio::test]
            async fn $test() {
                super::$test(&$store).await;
            })*
        }
    };
}

suite! {
    links_are_found_by_pair_and_by_either_record
    lines_that_say_something_else_mark_every_pair_once
    a_record_belongs_to_one_link_only
    a_commit_is_made_whole_or_not_at_all
    a_pass_clears_no_mark_that_came_meanwhile
    neighbours_in_order_come_before_those_that_rest
    what_was_missing_wakes_those_that_wait_for_it
    a_record_is_claimed_by_one_link_also_where_it_is_the_pair_key_of_another
    a_link_is_replaced_dropped_and_paged_in_order
    maps_have_a_number_and_a_standing
    sequence_numbers_only_grow
    marks_wait_for_their_time_and_go_by_age
    errors_are_paged_over_all_maps
    failed_parked_and_held_marks_are_let_go_by_cause_or_one_by_one
    intents_come_back_as_they_were
    a_feed_has_a_cursor_and_names_for_records
    everything_is_counted
    the_log_is_read_newest_first
    the_log_loses_what_is_too_old_and_what_is_too_much_and_says_so
    rows_that_are_put_aside_are_told_apart_by_shelf
    missing_records_are_paged_within_their_set
}

/// A map of a store that is empty but for it.
async fn map(store: &dyn StateStore) -> MapId {
    store.map_id("customers").await.unwrap()
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

async fn links_are_found_by_pair_and_by_either_record(store: &dyn StateStore) {
    let map = map(store).await;
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

async fn lines_that_say_something_else_mark_every_pair_once(store: &dyn StateStore) {
    let map = map(store).await;
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

async fn a_record_belongs_to_one_link_only(store: &dyn StateStore) {
    let map = map(store).await;
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

async fn a_commit_is_made_whole_or_not_at_all(store: &dyn StateStore) {
    let map = map(store).await;
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

async fn neighbours_in_order_come_before_those_that_rest(store: &dyn StateStore) {
    let map = map(store).await;
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

fn set(name: &str) -> Set {
    Set {
        system: "dv".to_owned(),
        set: name.to_owned(),
    }
}

async fn a_record_is_claimed_by_one_link_also_where_it_is_the_pair_key_of_another(
    store: &dyn StateStore,
) {
    let map = map(store).await;
    for side in Side::BOTH {
        let [a, b] = ["a", "b"].map(|key| format!("{side:?} {key}"));
        let mut by_key = Link::new(map, pair(&a), LinkState::Linked);
        by_key.sides[side.index()].record = Some(RecordId(pair(&a).0));
        let mut by_column = Link::new(map, pair(&b), LinkState::Linked);
        by_column.sides[side.index()].record = Some(RecordId(pair(&a).0));
        let [by_key, by_column] = [by_key, by_column].map(Box::new).map(Change::PutLink);
        for [first, second] in [[&by_key, &by_column], [&by_column, &by_key]] {
            store.commit(vec![first.clone()]).await.unwrap();
            store.commit(vec![first.clone()]).await.unwrap();
            let refused = store.commit(vec![second.clone()]).await;
            assert!(matches!(refused, Err(StateError::Claimed { .. })));
            let drop = [&a, &b].map(|key| Change::DropLink(map, pair(key)));
            store.commit(drop.into()).await.unwrap();
        }
    }
}

async fn a_link_is_replaced_dropped_and_paged_in_order(store: &dyn StateStore) {
    let map = map(store).await;
    let links = ["C", "A", "B"].map(|key| Link::new(map, pair(key), LinkState::Linked));
    let put = |link: &Link| Change::PutLink(Box::new(link.clone()));
    store.commit(links.iter().map(put).collect()).await.unwrap();
    let mut new = links[1].clone();
    let base = Base {
        sides: [Some(Value::Int(1)), None],
        pending: Some(Side::Right),
    };
    new.bases = Bases::new(vec![(LineId(9), base)]);
    new.sides[0].version = Some(Version("1".to_owned()));
    new.moved = 5;
    let drop = Change::DropLink(map, pair("B"));
    store.commit(vec![put(&new), drop]).await.unwrap();
    let page = store.links_page(map, None, 10).await.unwrap();
    assert_eq!(page, [new, links[0].clone()]);
    let page = store.links_page(map, None, 1).await.unwrap();
    assert_eq!(page.len(), 1);
    let rest = store.links_page(map, Some(&page[0].pair), 10).await;
    assert_eq!(rest.unwrap(), [links[0].clone()]);
    let other = store.map_id("vendors").await.unwrap();
    assert_eq!(store.links_page(other, None, 10).await.unwrap(), []);
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
    let release = |id, generation, approved| Change::Release {
        map,
        id,
        cause: Cause::Held,
        generation,
        approved,
    };
    let one = release(Some(mark_id(map, "B")), 7, false);
    store.commit(vec![one]).await.unwrap();
    let due = store.due_marks(map, Moment(0), 10).await.unwrap();
    assert_eq!(due, [Mark::changed(mark_id(map, "B"), 7)]);
    store.commit(vec![release(None, 8, true)]).await.unwrap();
    let due = store.due_marks(map, Moment(0), 10).await.unwrap();
    let approved: Vec<bool> = due.iter().map(|mark| mark.approved).collect();
    assert_eq!(approved, [false, true, true]);
    let discard = Change::Discard(mark_id(map, "D"));
    store.commit(vec![discard]).await.unwrap();
    assert_eq!(store.errors(None, None, 10).await.unwrap(), []);
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

fn entry(map: MapId, at: i64, key: &str, kind: ActivityKind) -> Activity {
    Activity {
        at: Moment(at),
        map,
        pair: pair(key),
        record: key.to_owned(),
        kind,
        side: (kind == ActivityKind::Deleted).then_some(Side::Right),
        detail: format!("at {at}"),
    }
}

async fn the_log_is_read_newest_first(store: &dyn StateStore) {
    let map = map(store).await;
    let entries = [
        entry(map, 1, "A", ActivityKind::Created),
        entry(map, 2, "B", ActivityKind::Deleted),
        entry(map, 3, "A", ActivityKind::Deactivated),
        entry(map, 4, "A", ActivityKind::Discarded),
    ];
    let log = |entry: &Activity| Change::Log(Box::new(entry.clone()));
    store
        .commit(entries.iter().map(log).collect())
        .await
        .unwrap();
    let [a, b, c, d] = entries;
    let all = store.activity(map, None, 3).await.unwrap();
    assert_eq!(all, [d.clone(), c.clone(), b]);
    let of_pair = store.activity(map, Some(&pair("A")), 10).await.unwrap();
    assert_eq!(of_pair, [d, c, a]);
    let deletes = async |since| store.deletes_since(map, Moment(since)).await.unwrap();
    assert_eq!((deletes(0).await, deletes(2).await), (2, 1));
    let other = store.map_id("vendors").await.unwrap();
    assert_eq!(store.activity(other, None, 10).await.unwrap(), []);
}

async fn the_log_loses_what_is_too_old_and_what_is_too_much_and_says_so(store: &dyn StateStore) {
    let map = map(store).await;
    assert_eq!(store.log_cut().await.unwrap(), None);
    let entries = (0..10).map(|at| entry(map, at, "A", ActivityKind::Created));
    let log = entries.map(|entry| Change::Log(Box::new(entry)));
    store.commit(log.collect()).await.unwrap();
    let trim = async |before, bytes, keep_from, limit| {
        let retention = Retention {
            before: Moment(before),
            bytes,
            keep_from: Moment(keep_from),
        };
        store.trim_log(&retention, limit).await.unwrap()
    };
    let left = async || {
        let left = store.activity(map, None, 100).await.unwrap();
        left.last().map(|oldest| (left.len(), oldest.at.0))
    };
    assert_eq!(trim(0, u64::MAX, 0, 100).await, 0);
    assert_eq!(store.log_cut().await.unwrap(), None);
    // By age, a few at once.
    assert_eq!(trim(3, u64::MAX, 0, 2).await, 2);
    assert_eq!(trim(3, u64::MAX, 0, 2).await, 1);
    assert_eq!(trim(3, u64::MAX, 0, 2).await, 0);
    assert_eq!(left().await, Some((7, 3)));
    let cut = |until, entries| {
        let until = Moment(until);
        Some(LogCut { until, entries })
    };
    assert_eq!(store.log_cut().await.unwrap(), cut(2, 3));
    // By size: each entry takes as much as any other.
    let one = 2 * pair("A").0.len() as u64 + 1 + 4 + LogCut::ENTRY_BYTES;
    assert_eq!(trim(0, 7 * one, 100, 100).await, 0);
    assert_eq!(trim(0, 7 * one - 1, 100, 100).await, 1);
    assert_eq!(trim(0, 5 * one, 100, 100).await, 1);
    assert_eq!(left().await, Some((5, 5)));
    // But not what is too new for that.
    assert_eq!(trim(0, 0, 7, 100).await, 2);
    assert_eq!(left().await, Some((3, 7)));
    assert_eq!(store.log_cut().await.unwrap(), cut(6, 7));
    let newer = entry(map, 50, "A", ActivityKind::Created);
    store
        .commit(vec![Change::Log(Box::new(newer))])
        .await
        .unwrap();
    assert_eq!(trim(100, 0, 0, 100).await, 4);
    assert_eq!(left().await, None);
    assert_eq!(store.log_cut().await.unwrap(), cut(50, 11));
}

async fn rows_that_are_put_aside_are_told_apart_by_shelf(store: &dyn StateStore) {
    let row = |key: &str, of: &str, json: &[u8]| ScratchRow {
        pair: pair(key),
        record: record(of),
        version: Some(Version("v".to_owned())),
        read: 4,
        json: json.to_vec(),
    };
    let rows = vec![
        row("B", "b", b"1"),
        row("A", "a", b"2"),
        row("B", "c", b"3"),
    ];
    let doubled = store.scratch_put("one", rows).await.unwrap();
    assert_eq!(doubled, [pair("B")], "the first keeps its place");
    let again = vec![row("A", "a", b"4")];
    assert_eq!(store.scratch_put("one", again).await.unwrap(), []);
    let other = vec![row("A", "z", b"5")];
    assert_eq!(store.scratch_put("two", other).await.unwrap(), []);
    let both = [row("A", "a", b"4"), row("B", "b", b"1")];
    let page = async |after: Option<PairKey>, limit| {
        let after = after.as_ref();
        store.scratch_page("one", after, limit).await.unwrap()
    };
    assert_eq!(page(None, 10).await, both);
    assert_eq!(page(None, 1).await, both[..1]);
    assert_eq!(page(Some(pair("A")), 10).await, both[1..]);
    let pairs = [pair("Z"), pair("A")];
    let found = store.scratch_get("one", &pairs).await.unwrap();
    assert_eq!(found, [None, Some(both[0].clone())]);
    store.scratch_drop("one", &pairs).await.unwrap();
    assert_eq!(page(None, 10).await, both[1..]);
    store.scratch_clear("one").await.unwrap();
    assert_eq!(page(None, 10).await, []);
    let left = store.scratch_page("two", None, 10).await.unwrap();
    assert_eq!(left, [row("A", "z", b"5")]);
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
