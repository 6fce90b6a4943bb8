//! The shape of an entity.

use dwmap_plan::Query;

use super::TestBed;
use crate::{LiveEntity, LiveKind};

async fn live(bed: &dyn TestBed) -> LiveEntity {
    described(bed, bed.query()).await.expect("the entity lives")
}

async fn described(bed: &dyn TestBed, query: &Query) -> Option<LiveEntity> {
    let described = bed.connector().describe(std::slice::from_ref(query)).await;
    let described = described.unwrap().expect("the system can tell");
    let [entity] = &described[..] else {
        panic!("one question, one answer: {described:?}");
    };
    entity.clone()
}

/// Every column of the query is there, under the name by which it is read; of texts it is told how long they may be.
pub async fn a_living_entity_is_described(bed: &dyn TestBed) {
    let live = live(bed).await;
    assert_eq!(live.set, bed.query().address.set);
    for column in &bed.query().columns {
        assert!(live.field(column).is_some(), "{column} of {live:?}");
    }
    let text = live.field(bed.text_column()).expect("the text column");
    assert_eq!(text.kind, LiveKind::Text);
    assert!(
        matches!(text.length_max, None | Some(100)),
        "{:?}",
        text.length_max
    );
}

/// An entity that isn't there is told apart from a system that can't be asked, and others are told beside it.
pub async fn a_missing_entity_is_told(bed: &dyn TestBed) {
    let mut missing = bed.query().clone();
    "NoSuchThings".clone_into(&mut missing.address.set);
    let queries = [missing, bed.query().clone()];
    let described = bed.connector().describe(&queries).await.unwrap();
    let described = described.expect("the system can tell");
    assert!(described[0].is_none(), "{described:?}");
    assert!(described[1].is_some(), "{described:?}");
}

/// What is changed in the system is seen by the next question.
pub async fn a_changed_field_is_seen(bed: &dyn TestBed) {
    bed.narrow_text(40).await;
    let narrow = live(bed).await;
    let text = narrow.field(bed.text_column()).expect("it is still there");
    assert!(
        matches!(text.length_max, None | Some(40)),
        "{:?}",
        text.length_max
    );
    bed.drop_text().await;
    assert!(live(bed).await.field(bed.text_column()).is_none());
}
