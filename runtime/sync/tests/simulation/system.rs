//! A model system as the runtime sees it: a [`Connector`] over virtual time.

use std::time::Duration;

use async_trait::async_trait;
use dwmap_connect::{
    Abilities, Budget, ChangeFeed, ChangePage, ConnectError, Connector, Cursor, Keys, Outcome,
    Page, PageToken, Row, Write, WriteMode,
};
use dwmap_plan::{Predicate, Query, Side};

use rand::Rng;

use crate::network::{Request, Response};
use crate::plan::MAIN;
use crate::scenario::Habits;
use crate::world::World;

/// A side of the world.
pub(crate) struct ModelSystem {
    world: World,
    side: Side,
    name: &'static str,
    habits: Habits,
}

impl ModelSystem {
    pub(crate) fn new(world: &World, side: Side) -> Self {
        let state = world.state();
        let (name, habits) = (state.system_name(side), state.scenario.habits[side.index()]);
        drop(state);
        Self {
            world: world.clone(),
            side,
            name,
            habits,
        }
    }
}

const MIXED_UP: &str = "an exchange answers what it was asked";

#[async_trait]
impl Connector for ModelSystem {
    fn name(&self) -> &str {
        self.name
    }

    fn abilities(&self, _: &Query) -> Abilities {
        let logic = self.habits.logic;
        Abilities {
            changes: if self.habits.tracked {
                ChangeFeed::Tracked
            } else {
                ChangeFeed::Sweep
            },
            guards_versions: self.habits.guards_versions,
            business_logic: logic.defaults_terms || logic.marks_names || logic.unmarks_names,
            folds_keys: false,
        }
    }

    fn budget(&self) -> Budget {
        Budget {
            concurrency: 4,
            write_batch: 3,
            fetch_batch: 5,
            page: self.habits.page,
            execution_max: self.habits.execution_max,
            lag_max: self.habits.lag_max,
        }
    }

    async fn scan(
        &self,
        query: &Query,
        extra: Option<&Predicate>,
        from: Option<&PageToken>,
    ) -> Result<Page, ConnectError> {
        let request = Request::Scan(query.clone(), extra.cloned(), from.cloned());
        match self.world.call(self.side, request).await {
            Response::Scan(page) => page,
            _ => unreachable!("{MIXED_UP}"),
        }
    }

    async fn changes(
        &self,
        query: &Query,
        cursor: Option<&Cursor>,
    ) -> Result<ChangePage, ConnectError> {
        let request = Request::Changes(query.clone(), cursor.cloned());
        match self.world.call(self.side, request).await {
            Response::Changes(page) => page,
            _ => unreachable!("{MIXED_UP}"),
        }
    }

    async fn fetch(&self, query: &Query, keys: &Keys) -> Result<Vec<Row>, ConnectError> {
        let request = Request::Fetch(query.clone(), keys.clone());
        match self.world.call(self.side, request).await {
            Response::Fetch(rows) => rows,
            _ => unreachable!("{MIXED_UP}"),
        }
    }

    async fn write(&self, query: &Query, writes: &[Write], mode: WriteMode) -> Vec<Outcome> {
        let request = Request::Write(query.clone(), writes.to_vec(), mode);
        match self.world.call(self.side, request).await {
            Response::Write(outcomes) => outcomes,
            _ => unreachable!("{MIXED_UP}"),
        }
    }

    async fn wake(&self) -> Vec<String> {
        if !self.habits.hooks {
            std::future::pending::<()>().await;
        }
        let pause = self.world.state().rng.random_range(50..3_000);
        self.world.sleep(Duration::from_millis(pause)).await;
        vec![MAIN[self.side.index()].to_owned()]
    }
}
