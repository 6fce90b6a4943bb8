//! Scans.

use std::collections::BTreeSet;

use dwmap_plan::{Predicate, TextTest};

use super::{PAGE, TestBed, fill, text_of, with_texts};
use crate::Row;

async fn scan(bed: &dyn TestBed, extra: Option<&Predicate>) -> (Vec<Row>, usize) {
    let mut rows = Vec::new();
    let mut pages = 0;
    let mut from = None;
    loop {
        let page = bed
            .connector()
            .scan(bed.query(), extra, from.as_ref())
            .await
            .unwrap();
        assert!(page.rows.len() <= PAGE, "a page holds {PAGE} rows at most");
        rows.extend(page.rows);
        pages += 1;
        match page.next {
            Some(next) => from = Some(next),
            None => return (rows, pages),
        }
    }
}

/// Every record is in a scan, once, also where some come and go while it is read.
pub async fn a_scan_is_whole_and_without_doubles(bed: &dyn TestBed) {
    let total = 3 * PAGE as u32 + 5;
    let keys = fill(bed, 0..total).await;
    let first = bed.connector().scan(bed.query(), None, None).await.unwrap();
    let gone = text_of(bed, &first.rows[0]);
    bed.remove(&keys[gone.parse::<usize>().unwrap()]).await;
    bed.insert(total, &total.to_string()).await;
    let mut texts: Vec<String> = first.rows.iter().map(|r| text_of(bed, r)).collect();
    let mut from = first.next;
    while let Some(token) = from {
        let page = bed
            .connector()
            .scan(bed.query(), None, Some(&token))
            .await
            .unwrap();
        texts.extend(page.rows.iter().map(|r| text_of(bed, r)));
        from = page.next;
    }
    let distinct: BTreeSet<&String> = texts.iter().collect();
    assert_eq!(distinct.len(), texts.len(), "no record twice: {texts:?}");
    for n in 0..total {
        assert!(
            distinct.contains(&n.to_string()),
            "record {n} is missing: {texts:?}"
        );
    }
    let (rows, pages) = scan(bed, None).await;
    assert_eq!(rows.len(), total as usize);
    assert!(pages >= 4, "{total} rows on {pages} pages");
    let abilities = bed.connector().abilities(bed.query());
    assert!(
        rows.iter()
            .all(|r| r.version.is_some() == abilities.guards_versions),
        "rows have versions where versions can be guarded"
    );
}

/// A further condition narrows a scan; one that nothing can pass leaves nothing.
pub async fn a_scan_can_be_narrowed(bed: &dyn TestBed) {
    fill(bed, 0..4).await;
    let tricky = ["O'Neil & Söhne", "100% + 5_*[x]", "a/b?c#d"];
    for (at, text) in tricky.iter().enumerate() {
        bed.insert(10 + at as u32, text).await;
    }
    let texts = async |predicate: &Predicate| {
        let rows = scan(bed, Some(predicate)).await.0;
        rows.iter()
            .map(|r| text_of(bed, r))
            .collect::<BTreeSet<_>>()
    };
    let wanted = |texts: &[&str]| {
        texts
            .iter()
            .map(|t| (*t).to_owned())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(
        texts(&with_texts(bed, &["1", "3", "7"])).await,
        wanted(&["1", "3"])
    );
    for text in tricky {
        assert_eq!(texts(&with_texts(bed, &[text])).await, wanted(&[text]));
    }
    let alike = bed.insert(20, "100x + 5y").await;
    let contains = |text: &str| Predicate::Text {
        column: bed.text_column().to_owned(),
        test: TextTest::Contains,
        value: text.to_owned(),
    };
    let one = wanted(&[tricky[1]]);
    assert_eq!(texts(&contains("00% + 5_")).await, one, "no wildcards");
    bed.remove(&alike).await;
    let not = Predicate::Not(Box::new(with_texts(bed, &["0", "1", "2"])));
    let mut others = tricky.to_vec();
    others.push("3");
    assert_eq!(texts(&not).await, wanted(&others));
    assert_eq!(texts(&Predicate::Any(Vec::new())).await, wanted(&[]));
}
