//! What is asked of the systems: a change that agrees already costs no request where the feed brings its row.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use dwmap_compiler::SourceFile;
use dwmap_connect::{
    Abilities, Budget, ChangePage, ConnectError, Connector, Cursor, Keys, Outcome, Page, PageToken,
    Row, Since, Write, WriteMode,
};
use dwmap_connectors::{Dataverse, DataverseConfig, Finops, FinopsConfig};
use dwmap_plan::{Plan, Predicate, Query, SystemPlan};
use dwmap_sync::{Options, Runtime, Silent, SqliteStore, SystemClock};
use dwmap_tests::Sandbox;
use serde_json::json;

/// What was asked of all systems, each kind with what it was about, and how often.
#[derive(Debug, Clone, Default)]
struct Asked(Arc<Mutex<BTreeMap<String, usize>>>);

impl Asked {
    fn note(&self, what: &str, query: &Query, n: usize) {
        let key = format!("{what} {}", query.address.set);
        *self.0.lock().unwrap().entry(key).or_default() += n;
    }

    /// What was asked since this was called last.
    fn take(&self) -> BTreeMap<String, usize> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A connector whose requests are counted.
struct Counted {
    inner: Arc<dyn Connector>,
    asked: Asked,
}

#[async_trait]
impl Connector for Counted {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn abilities(&self, query: &Query) -> Abilities {
        self.inner.abilities(query)
    }

    fn budget(&self) -> Budget {
        self.inner.budget()
    }

    async fn scan(
        &self,
        query: &Query,
        extra: Option<&Predicate>,
        from: Option<&PageToken>,
    ) -> Result<Page, ConnectError> {
        self.asked.note("scan", query, 1);
        self.inner.scan(query, extra, from).await
    }

    async fn changes(
        &self,
        query: &Query,
        cursor: Option<&Cursor>,
    ) -> Result<ChangePage, ConnectError> {
        self.inner.changes(query, cursor).await
    }

    async fn changes_of_each(&self, since: &[Since<'_>]) -> Vec<Result<ChangePage, ConnectError>> {
        self.inner.changes_of_each(since).await
    }

    async fn fetch(&self, query: &Query, keys: &Keys) -> Result<Vec<Row>, ConnectError> {
        self.asked.note("fetch", query, 1);
        self.inner.fetch(query, keys).await
    }

    async fn write(&self, query: &Query, writes: &[Write], mode: WriteMode) -> Vec<Outcome> {
        self.asked.note("write", query, writes.len());
        self.inner.write(query, writes, mode).await
    }
}

fn plan() -> Plan {
    let library =
        |path: &str| dwmap_stdlib::module(path).map(|m| SourceFile::new(m.file(), m.source));
    let maps = ["std.currencies", "std.customer_groups", "std.customers"];
    let project = dwmap_compiler::Project::new(vec![])
        .with_library(library)
        .with_stock(maps.map(str::to_owned));
    let (plan, _) = dwmap_compiler::build(&project).expect("the stock maps are right");
    plan
}

async fn runtime(sandbox: &Sandbox, asked: &Asked) -> Runtime {
    let config = DataverseConfig::new("dv", sandbox.dataverse_url());
    let dataverse = Dataverse::connect(config).unwrap();
    let config = FinopsConfig {
        changes_via: Some(Arc::clone(&dataverse)),
        ..FinopsConfig::new("fno", sandbox.finops_url())
    };
    let finops = Finops::connect(config).unwrap();
    let plan = plan();
    let counted = |system: &SystemPlan| {
        let inner: Arc<dyn Connector> = match &*system.binding {
            "std.dataverse" => dataverse.clone(),
            _ => finops.clone(),
        };
        let asked = asked.clone();
        let counted: Arc<dyn Connector> = Arc::new(Counted { inner, asked });
        (system.schema.name.clone(), counted)
    };
    let systems: BTreeMap<String, Arc<dyn Connector>> = plan.systems.iter().map(counted).collect();
    let options = Options {
        companies: vec!["usmf".to_owned()],
        ..Options::default()
    };
    let store = Arc::new(SqliteStore::in_memory().unwrap());
    let clock = Arc::new(SystemClock);
    let runtime = Runtime::new(
        Arc::new(plan),
        &systems,
        store,
        clock,
        Arc::new(Silent),
        options,
    );
    runtime.await.unwrap()
}

#[tokio::test]
async fn a_change_that_agrees_already_costs_no_request() {
    let sandbox = Sandbox::start(30);
    let (finops, dataverse) = (sandbox.finops(), sandbox.dataverse());
    let asked = Asked::default();
    let runtime = runtime(&sandbox, &asked).await;
    let sync = async || {
        runtime.sync_once().await.unwrap();
        asked.take()
    };
    let loaded = sync().await;
    assert!(
        loaded.keys().any(|what| what.starts_with("write ")),
        "{loaded:#?}"
    );
    sync().await;
    let quiet = sync().await;
    assert!(
        quiet.keys().all(|what| what.starts_with("scan ")),
        "{quiet:#?}"
    );

    let mut pairs = Vec::new();
    for (company, number) in finops.customer_keys().await {
        if company == "usmf"
            && let [account] = dataverse.accounts(&number).await.as_slice()
        {
            let id = account["accountid"].as_str().expect("an id").to_owned();
            pairs.push((number, id));
        }
    }
    assert!(pairs.len() >= 5, "{pairs:?}");

    // One side alone is carried over; its echo, which comes with the next look, costs nothing.
    for (number, _) in &pairs[..5] {
        let fields = json!({ "CreditLimit": 778 });
        finops.change_customer("usmf", number, fields).await;
    }
    let carried = sync().await;
    assert_eq!(carried.get("write accounts"), Some(&5), "{carried:#?}");
    assert_eq!(sync().await, quiet, "an echo costs nothing");

    // Nor does a user's edit that leaves everything as it was.
    let set = "transactioncurrencies";
    for row in dataverse
        .rows(set, "transactioncurrencyid,currencyname")
        .await
    {
        let id = row["transactioncurrencyid"].as_str().expect("an id");
        let fields = json!({ "currencyname": row["currencyname"] });
        dataverse.change(set, id, fields).await;
    }
    assert_eq!(sync().await, quiet, "what agrees costs nothing");

    // The ERP's feed names records and brings no rows: they are asked for together, and nothing is written.
    for (number, id) in &pairs[..5] {
        let fields = json!({ "CreditLimit": 779 });
        finops.change_customer("usmf", number, fields).await;
        let fields = json!({ "creditlimit": 779 });
        dataverse.change_account(id, fields).await;
    }
    let met = sync().await;
    assert_eq!(met.get("fetch CustomersV3"), Some(&1), "{met:#?}");
    assert!(
        !met.keys().any(|what| what.starts_with("write ")),
        "{met:#?}"
    );
    assert_eq!(sync().await, quiet);
}
