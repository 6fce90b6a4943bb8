//! What every home of the state must do: one suite, run against each.

use dwmap_plan::{Side, Value};

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

mod links;
mod log;
mod maps;
mod marks;
mod shelves;

/// A map of a store that is empty but for it.
async fn map(store: &dyn StateStore) -> MapId {
    store.map_id("customers").await.unwrap()
}

pub(super) fn pair(text: &str) -> PairKey {
    PairKey::new(&["usmf".into(), text.into()], &[true, true])
}

pub(super) fn record(text: &str) -> RecordId {
    RecordId::new(&[Value::from(text)], true)
}

pub(super) fn mark_id(map: MapId, text: &str) -> MarkId {
    MarkId {
        map,
        side: Side::Left,
        record: record(text),
    }
}

fn set(name: &str) -> Set {
    Set {
        system: "dv".to_owned(),
        set: name.to_owned(),
    }
}
