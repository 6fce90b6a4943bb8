//! The log, and what goes of it.

use dwmap_plan::Side;

use super::{map, pair};
use crate::state::*;

suite! {
    the_log_is_read_newest_first
    the_log_loses_what_is_too_old_and_what_is_too_much_and_says_so
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
