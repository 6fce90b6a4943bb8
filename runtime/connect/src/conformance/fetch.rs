//! Fetches.

use std::collections::BTreeSet;

use super::{TestBed, fill, text_of};
use crate::Keys;

async fn texts(bed: &dyn TestBed, keys: &Keys) -> Vec<String> {
    let rows = bed.connector().fetch(bed.query(), keys).await.unwrap();
    let mut texts: Vec<String> = rows.iter().map(|r| text_of(bed, r)).collect();
    texts.sort();
    texts
}

/// By record key: those that exist, once each; those that don't are left out.
pub async fn fetch_finds_what_exists(bed: &dyn TestBed) {
    let keys = fill(bed, 0..3).await;
    let wanted = vec![
        keys[2].clone(),
        bed.missing_key(),
        keys[0].clone(),
        keys[2].clone(),
    ];
    assert_eq!(texts(bed, &Keys::Record(wanted)).await, ["0", "2"]);
    assert!(texts(bed, &Keys::Record(Vec::new())).await.is_empty());
    assert!(
        texts(bed, &Keys::Record(vec![bed.missing_key()]))
            .await
            .is_empty()
    );
}

/// By other columns: the natural key, and a text with everything in it that a URL could trip over.
pub async fn fetch_finds_by_columns(bed: &dyn TestBed) {
    fill(bed, 0..3).await;
    let tricky = "O'Neil & Söhne 100% + 5_*[x] /?#";
    bed.insert(7, tricky).await;
    let by_natural_key = |numbers: &[u32]| {
        let columns = bed
            .natural_key(0)
            .into_iter()
            .map(|(c, r, _)| (c, r))
            .collect();
        let value = |n: &u32| bed.natural_key(*n).into_iter().map(|(_, _, v)| v).collect();
        Keys::Columns {
            columns,
            values: numbers.iter().map(value).collect(),
        }
    };
    assert_eq!(texts(bed, &by_natural_key(&[1, 2, 99])).await, ["1", "2"]);
    let by_text = Keys::Columns {
        columns: vec![(bed.text_column().to_owned(), dwmap_plan::Repr::Text)],
        values: vec![vec![tricky.into()], vec!["0".into()]],
    };
    assert_eq!(texts(bed, &by_text).await, ["0", tricky]);
}

/// More keys than a URL or a page holds.
pub async fn many_keys_are_fetched(bed: &dyn TestBed) {
    let keys = fill(bed, 0..700).await;
    let found = texts(bed, &Keys::Record(keys)).await;
    let distinct: BTreeSet<&String> = found.iter().collect();
    assert_eq!((found.len(), distinct.len()), (700, 700));
}
