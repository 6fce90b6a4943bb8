//! What became of a write whose answer is lost.

use super::{Fault, TestBed, create, fill, is_applied, text_now, update, write};
use crate::{Guard, Keys, Outcome, Write, WriteMode};

async fn write_with(bed: &dyn TestBed, fault: Fault, writes: &[Write]) -> Vec<Outcome> {
    bed.fault(fault).await;
    write(bed, writes, WriteMode::Live).await
}

fn all_unknown(outcomes: &[Outcome]) -> bool {
    outcomes
        .iter()
        .all(|o| matches!(o, Outcome::Unknown { .. }))
}

/// The request may have been lost: nobody knows, nothing is sent again.
pub async fn a_lost_request_is_unknown(bed: &dyn TestBed) {
    let keys = fill(bed, 0..2).await;
    let writes = [
        update(bed, &keys[0], "ours", Guard::Exists),
        update(bed, &keys[1], "ours", Guard::Exists),
    ];
    for writes in [&writes[..1], &writes[..]] {
        let outcomes = write_with(bed, Fault::LostRequest, writes).await;
        assert!(all_unknown(&outcomes), "{outcomes:?}");
    }
    assert_eq!(text_now(bed, &keys[0]).await.as_deref(), Some("0"));
}

/// The answer may have been lost: nobody knows, and a create isn't made twice.
pub async fn a_lost_answer_is_unknown(bed: &dyn TestBed) {
    let writes = [create(bed, 1, "born"), create(bed, 2, "born")];
    for writes in [&writes[..1], &writes[1..]] {
        let outcomes = write_with(bed, Fault::LostAnswer, writes).await;
        assert!(all_unknown(&outcomes), "{outcomes:?}");
    }
    let natural = [1, 2].map(|n| bed.natural_key(n));
    let keys = Keys::Columns {
        columns: natural[0]
            .iter()
            .map(|(c, r, _)| (c.clone(), r.clone()))
            .collect(),
        values: natural
            .iter()
            .map(|k| k.iter().map(|p| p.2.clone()).collect())
            .collect(),
    };
    let rows = bed.connector().fetch(bed.query(), &keys).await.unwrap();
    assert_eq!(rows.len(), 2, "they were made, and once");
}

/// A system that is busy hasn't done anything: the connector waits as long as it is told, and sends again.
pub async fn a_throttled_write_is_applied(bed: &dyn TestBed) {
    let keys = fill(bed, 0..1).await;
    let writes = [update(bed, &keys[0], "ours", Guard::Exists)];
    let outcomes = write_with(bed, Fault::Busy, &writes).await;
    assert!(is_applied(&outcomes[0]), "{outcomes:?}");
    assert_eq!(text_now(bed, &keys[0]).await.as_deref(), Some("ours"));
}
