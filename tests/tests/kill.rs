//! `kill -9` at random moments, against the real binary and both servers. The bench runs the same loop longer.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use dwmap_tests::{Kills, Survived};

fn whole(survived: &Survived) {
    assert!(survived.edits > 0, "{survived:#?}");
    assert_eq!(survived.differences, 0, "{survived:#?}");
    assert_eq!(survived.refused, 0, "{survived:#?}");
    assert!(survived.doubled.is_empty(), "{survived:#?}");
    assert!(survived.lost.is_empty(), "{survived:#?}");
}

#[tokio::test]
async fn nothing_is_lost_or_doubled_when_the_process_that_syncs_is_killed() {
    let kills = Kills {
        customers: 300,
        of_sync: 8,
        of_sandbox: 0,
        of_stalls: 0,
        seed: 7,
    };
    whole(&kills.run().await);
}

#[tokio::test]
async fn nothing_is_lost_or_doubled_when_the_servers_are_killed() {
    let kills = Kills {
        customers: 60,
        of_sync: 0,
        of_sandbox: 3,
        of_stalls: 0,
        seed: 11,
    };
    whole(&kills.run().await);
}

#[tokio::test]
async fn nothing_is_lost_or_doubled_when_the_servers_stop_answering() {
    let kills = Kills {
        customers: 60,
        of_sync: 0,
        of_sandbox: 0,
        of_stalls: 4,
        seed: 13,
    };
    whole(&kills.run().await);
}
