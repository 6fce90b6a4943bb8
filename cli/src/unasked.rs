//! A system that a command doesn't ask: the state alone answers, so that neither address nor secret is needed.

use std::time::Duration;

use async_trait::async_trait;
use dwmap_connect::{
    Abilities, Budget, ChangeFeed, ChangePage, ConnectError, Connector, Cursor, Keys, Outcome,
    Page, PageToken, Row, Write, WriteMode,
};
use dwmap_plan::{Predicate, Query};

/// A system of which only the name is known.
pub(crate) struct Unasked(pub(crate) String);

impl Unasked {
    fn error(&self) -> ConnectError {
        ConnectError::Unreachable {
            system: self.0.clone(),
            url: "its address".to_owned(),
            message: "this command has no connection to it".to_owned(),
        }
    }
}

#[async_trait]
impl Connector for Unasked {
    fn name(&self) -> &str {
        &self.0
    }

    fn abilities(&self, _: &Query) -> Abilities {
        Abilities {
            changes: ChangeFeed::Sweep,
            guards_versions: false,
            business_logic: false,
            folds_keys: false,
        }
    }

    fn budget(&self) -> Budget {
        Budget {
            concurrency: 1,
            write_batch: 1,
            fetch_batch: 1,
            page: 1,
            execution_max: Duration::ZERO,
            lag_max: Duration::ZERO,
        }
    }

    async fn scan(
        &self,
        _: &Query,
        _: Option<&Predicate>,
        _: Option<&PageToken>,
    ) -> Result<Page, ConnectError> {
        Err(self.error())
    }

    async fn changes(&self, _: &Query, _: Option<&Cursor>) -> Result<ChangePage, ConnectError> {
        Err(self.error())
    }

    async fn fetch(&self, _: &Query, _: &Keys) -> Result<Vec<Row>, ConnectError> {
        Err(self.error())
    }

    async fn write(&self, _: &Query, writes: &[Write], _: WriteMode) -> Vec<Outcome> {
        let message = self.error().to_string();
        let refused = Outcome::Transient {
            after: None,
            message,
        };
        vec![refused; writes.len()]
    }
}
