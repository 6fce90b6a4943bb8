//! Rows that are put aside.

use dwmap_connect::Version;

use super::{pair, record};
use crate::state::*;

suite! {
    rows_that_are_put_aside_are_told_apart_by_shelf
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
