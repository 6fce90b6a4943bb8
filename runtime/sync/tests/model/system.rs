//! A side of the world as the runtime sees it.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use dwmap_connect::{
    Abilities, Budget, ChangeFeed, ChangePage, ConnectError, Connector, Cursor, Keys, Outcome,
    Page, PageToken, Row, Write, WriteMode,
};
use dwmap_plan::{Predicate, Query, Side};

use crate::scenario::Habits;
use crate::world::{EXECUTION_MAX, LAG_MAX, Request, Response, SYSTEMS, World};

/// A system.
pub(crate) struct ModelSystem {
    world: World,
    side: Side,
    habits: Habits,
}

impl ModelSystem {
    pub(crate) fn new(world: &World, side: Side) -> Self {
        let habits = world.state().scenario.sides[side.index()];
        Self {
            world: world.clone(),
            side,
            habits,
        }
    }

    fn call(&self, request: Request) -> Call {
        Call {
            world: self.world.clone(),
            side: self.side,
            request: Some(request),
            waits_for: None,
        }
    }
}

const MIXED_UP: &str = "an exchange answers what it was asked";

#[async_trait]
impl Connector for ModelSystem {
    fn name(&self) -> &str {
        SYSTEMS[self.side.index()]
    }

    fn abilities(&self, _: &Query) -> Abilities {
        Abilities {
            changes: if self.habits.tracked {
                ChangeFeed::Tracked
            } else {
                ChangeFeed::Sweep
            },
            guards_versions: self.habits.guards,
            business_logic: self.habits.tells_logic,
            folds_keys: false,
        }
    }

    fn budget(&self) -> Budget {
        Budget {
            concurrency: 4,
            write_batch: 10,
            fetch_batch: 10,
            page: 10,
            execution_max: EXECUTION_MAX,
            lag_max: if self.habits.lags {
                LAG_MAX
            } else {
                Duration::ZERO
            },
        }
    }

    async fn scan(
        &self,
        _: &Query,
        _: Option<&Predicate>,
        _: Option<&PageToken>,
    ) -> Result<Page, ConnectError> {
        match self.call(Request::Scan).await {
            Response::Scan(page) => Ok(page),
            Response::Failed(error) => Err(error),
            _ => unreachable!("{MIXED_UP}"),
        }
    }

    async fn changes(
        &self,
        _: &Query,
        cursor: Option<&Cursor>,
    ) -> Result<ChangePage, ConnectError> {
        match self.call(Request::Changes(cursor.cloned())).await {
            Response::Changes(page) => Ok(page),
            Response::Failed(error) => Err(error),
            _ => unreachable!("{MIXED_UP}"),
        }
    }

    async fn fetch(&self, query: &Query, keys: &Keys) -> Result<Vec<Row>, ConnectError> {
        let request = Request::Fetch {
            set: query.address.set.clone(),
            keys: keys.clone(),
        };
        match self.call(request).await {
            Response::Fetch(rows) => Ok(rows),
            Response::Failed(error) => Err(error),
            _ => unreachable!("{MIXED_UP}"),
        }
    }

    async fn write(&self, _: &Query, writes: &[Write], _: WriteMode) -> Vec<Outcome> {
        match self.call(Request::Write(writes.to_vec())).await {
            Response::Write(outcomes) => outcomes,
            _ => unreachable!("{MIXED_UP}"),
        }
    }
}

/// A request, until its answer is delivered.
struct Call {
    world: World,
    side: Side,
    request: Option<Request>,
    waits_for: Option<usize>,
}

impl Future for Call {
    type Output = Response;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Response> {
        let world = self.world.clone();
        let mut state = world.state();
        if let Some(request) = self.request.take() {
            self.waits_for = Some(state.send(self.side, request));
        }
        let Some(id) = self.waits_for else {
            return Poll::Pending;
        };
        if let Some(response) = state.take(id) {
            self.waits_for = None;
            return Poll::Ready(response);
        }
        state.listen(id, context.waker());
        Poll::Pending
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(id) = self.waits_for {
            self.world.state().hang_up(id);
        }
    }
}
