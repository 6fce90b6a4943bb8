//! Links: found, replaced, claimed by one alone.

use dwmap_connect::Version;
use dwmap_plan::{LineId, Side, Value};

use super::{map, mark_id, pair, record};
use crate::state::*;

suite! {
    links_are_found_by_pair_and_by_either_record
    a_link_is_replaced_dropped_and_paged_in_order
    a_record_belongs_to_one_link_only
    a_record_is_claimed_by_one_link_also_where_it_is_the_pair_key_of_another
    a_commit_is_made_whole_or_not_at_all
    neighbours_in_order_come_before_those_that_rest
    lines_that_say_something_else_mark_every_pair_once
}

async fn links_are_found_by_pair_and_by_either_record(store: &dyn StateStore) {
    let map = map(store).await;
    let mut link = Link::new(map, pair("A"), LinkState::Linked);
    link.sides[0].record = Some(RecordId(pair("A").0));
    link.sides[1].record = Some(record("guid-a"));
    link.sides[1].fresh_from = Some(Moment(7));
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

async fn a_link_is_replaced_dropped_and_paged_in_order(store: &dyn StateStore) {
    let map = map(store).await;
    let links = ["C", "A", "B"].map(|key| Link::new(map, pair(key), LinkState::Linked));
    let put = |link: &Link| Change::PutLink(Box::new(link.clone()));
    store.commit(links.iter().map(put).collect()).await.unwrap();
    let mut new = links[1].clone();
    let base = Base {
        sides: [Some(Value::Int(1)), None],
        pending: Some(Side::Right),
        written: Some(Side::Left),
        bounces: 2,
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
