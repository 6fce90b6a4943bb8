//! The two sandbox systems as beds of the conformance suite, with plain HTTP as the second way in.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use dwmap_connect::conformance::{Fault, PAGE, TestBed};
use dwmap_connect::{Connector, RecordKey};
use dwmap_connectors::{Dataverse, DataverseConfig, Finops, FinopsConfig, HookServer, Limits};
use dwmap_odata::Literal;
use dwmap_plan::{Query, Repr, Value};
use dwmap_sandbox::{Config, Sandbox};
use serde_json::{Value as Json, json};

use super::{accounts, customers, id, schema};

/// Both systems, running over files of their own.
pub struct Systems {
    pub sandbox: Sandbox,
    _data: tempfile::TempDir,
    http: reqwest::Client,
}

pub async fn systems() -> Systems {
    systems_with(|config| config.open = true).await
}

/// The same, set up differently.
pub async fn systems_with(set_up: impl FnOnce(&mut Config)) -> Systems {
    let data = tempfile::tempdir().unwrap();
    let mut config = Config::new(data.path(), schema::dataverse(), schema::finops());
    set_up(&mut config);
    Systems {
        sandbox: dwmap_sandbox::start(config).await.unwrap(),
        _data: data,
        http: reqwest::Client::builder().no_proxy().build().unwrap(),
    }
}

impl Systems {
    pub fn dataverse(&self) -> String {
        format!("http://{}", self.sandbox.dataverse())
    }

    pub fn finops(&self) -> String {
        format!("http://{}", self.sandbox.finops())
    }

    pub async fn send(&self, method: reqwest::Method, url: String, body: Option<Json>) -> Json {
        let mut request = self
            .http
            .request(method, &url)
            .header("Prefer", "return=representation");
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "{url}: {status}: {text}");
        serde_json::from_str(&text).unwrap_or(Json::Null)
    }

    async fn fault(&self, url: &str, fault: Fault) {
        let fault = match fault {
            Fault::LostRequest => "drop=before",
            Fault::LostAnswer => "drop=after",
            Fault::Busy => "status=429;retry-after=0",
        };
        // Writes are POSTs, PATCHes and DELETEs; everything else of the suite is a GET.
        let rules: Vec<Json> = ["POST", "PATCH", "DELETE"]
            .iter()
            .map(|method| json!({"method": method, "fault": fault, "times": 1}))
            .collect();
        let url = format!("{url}/sandbox/faults");
        self.send(reqwest::Method::PUT, url, Some(json!(rules)))
            .await;
    }

    pub async fn alter(&self, url: &str, alterations: Json) {
        let url = format!("{url}/sandbox/schema");
        self.send(reqwest::Method::PUT, url, Some(alterations))
            .await;
    }

    async fn expire_cursors(&self) {
        let url = format!("{}/sandbox/expire-delta-tokens", self.dataverse());
        self.send(reqwest::Method::POST, url, None).await;
    }
}

fn small_pages(limits: Limits) -> Limits {
    Limits {
        page: PAGE,
        ..limits
    }
}

pub struct DataverseBed {
    pub systems: Systems,
    pub connector: Arc<Dataverse>,
    server: Option<HookServer>,
    query: Query,
}

pub async fn dataverse() -> DataverseBed {
    dataverse_of(None).await
}

pub async fn dataverse_with_hooks(server: HookServer) -> DataverseBed {
    dataverse_of(Some(server)).await
}

async fn dataverse_of(server: Option<HookServer>) -> DataverseBed {
    let systems = systems().await;
    let connector = Dataverse::connect(DataverseConfig {
        limits: small_pages(Limits::dataverse()),
        hooks: server.as_ref().map(|s| s.hooks("dv")),
        ..DataverseConfig::new("dv", systems.dataverse())
    })
    .unwrap();
    DataverseBed {
        systems,
        connector,
        server,
        query: accounts(),
    }
}

impl DataverseBed {
    pub fn hooks(&self) -> &HookServer {
        self.server.as_ref().unwrap()
    }

    fn url(&self, key: Option<&RecordKey>) -> String {
        let set = format!("{}/api/data/v9.2/accounts", self.systems.dataverse());
        match key.map(Vec::as_slice) {
            Some([Value::Guid(id)]) => format!("{set}({})", Literal::Guid(*id)),
            _ => set,
        }
    }
}

#[async_trait]
impl TestBed for DataverseBed {
    fn connector(&self) -> &dyn Connector {
        self.connector.as_ref()
    }

    fn query(&self) -> &Query {
        &self.query
    }

    fn text_column(&self) -> &'static str {
        "name"
    }

    fn body(&self, n: u32, text: &str) -> Bytes {
        json!({"accountnumber": format!("US-{n:03}"), "name": text})
            .to_string()
            .into()
    }

    fn natural_key(&self, n: u32) -> Vec<(String, Repr, Value)> {
        let number = Value::Text(format!("US-{n:03}"));
        vec![("accountnumber".to_owned(), Repr::Text, number)]
    }

    fn missing_key(&self) -> RecordKey {
        id(99)
    }

    async fn insert(&self, n: u32, text: &str) -> RecordKey {
        let body = json!({"accountnumber": format!("US-{n:03}"), "name": text});
        let row = self
            .systems
            .send(reqwest::Method::POST, self.url(None), Some(body))
            .await;
        let id = dwmap_odata::literal::parse_guid(row["accountid"].as_str().unwrap());
        vec![Value::Guid(id.unwrap())]
    }

    async fn edit(&self, key: &RecordKey, text: &str) {
        let url = self.url(Some(key));
        self.systems
            .send(reqwest::Method::PATCH, url, Some(json!({"name": text})))
            .await;
    }

    async fn remove(&self, key: &RecordKey) {
        self.systems
            .send(reqwest::Method::DELETE, self.url(Some(key)), None)
            .await;
    }

    async fn fault(&self, fault: Fault) {
        self.systems.fault(&self.systems.dataverse(), fault).await;
    }

    async fn expire_cursors(&self) {
        self.systems.expire_cursors().await;
    }

    async fn narrow_text(&self, length: u32) {
        let ty = format!("string({length})");
        let narrow = json!([{"entity": "accounts", "field": "name", "type": ty}]);
        self.systems.alter(&self.systems.dataverse(), narrow).await;
    }

    async fn drop_text(&self) {
        let gone = json!([{"entity": "accounts", "field": "name", "gone": true}]);
        self.systems.alter(&self.systems.dataverse(), gone).await;
    }
}

pub struct FinopsBed {
    pub systems: Systems,
    pub connector: Arc<Finops>,
    server: Option<HookServer>,
    query: Query,
}

/// With a linked Dataverse, through whose virtual tables it tells its changes.
pub async fn finops() -> FinopsBed {
    finops_of(None).await
}

pub async fn finops_with_hooks(server: HookServer) -> FinopsBed {
    finops_of(Some(server)).await
}

async fn finops_of(server: Option<HookServer>) -> FinopsBed {
    let systems = systems().await;
    let linked = Dataverse::connect(DataverseConfig {
        limits: small_pages(Limits::dataverse()),
        ..DataverseConfig::new("dv", systems.dataverse())
    })
    .unwrap();
    let connector = Finops::connect(FinopsConfig {
        limits: small_pages(Limits::finops()),
        changes_via: Some(linked),
        hooks: server.as_ref().map(|s| s.hooks("fno")),
        ..FinopsConfig::new("fno", systems.finops())
    })
    .unwrap();
    FinopsBed {
        systems,
        connector,
        server,
        query: customers(),
    }
}

/// Records stand in two companies, by turns.
fn company(n: u32) -> &'static str {
    if n.is_multiple_of(2) { "usmf" } else { "demf" }
}

impl FinopsBed {
    pub fn hooks(&self) -> &HookServer {
        self.server.as_ref().unwrap()
    }

    fn url(&self, key: Option<&RecordKey>) -> String {
        let set = dwmap_odata::Url::set("CustomersV3");
        let url = match key.map(Vec::as_slice) {
            Some([Value::Text(company), Value::Text(account)]) => set.key([
                ("dataAreaId", Literal::text(company.as_str())),
                ("CustomerAccount", Literal::text(account.as_str())),
            ]),
            _ => set,
        };
        let url = url.option("cross-company", "true");
        format!("{}/data/{url}", self.systems.finops())
    }
}

#[async_trait]
impl TestBed for FinopsBed {
    fn connector(&self) -> &dyn Connector {
        self.connector.as_ref()
    }

    fn query(&self) -> &Query {
        &self.query
    }

    fn text_column(&self) -> &'static str {
        "OrganizationName"
    }

    fn body(&self, n: u32, text: &str) -> Bytes {
        let account = format!("US-{n:03}");
        json!({"dataAreaId": company(n), "CustomerAccount": account, "OrganizationName": text})
            .to_string()
            .into()
    }

    fn natural_key(&self, n: u32) -> Vec<(String, Repr, Value)> {
        let part = |name: &str, value: Value| (name.to_owned(), Repr::Text, value);
        vec![
            part("dataAreaId", Value::from(company(n))),
            part("CustomerAccount", Value::Text(format!("US-{n:03}"))),
        ]
    }

    fn missing_key(&self) -> RecordKey {
        vec![Value::from("usmf"), Value::from("nobody")]
    }

    async fn insert(&self, n: u32, text: &str) -> RecordKey {
        let body: Json = serde_json::from_slice(&self.body(n, text)).unwrap();
        self.systems
            .send(reqwest::Method::POST, self.url(None), Some(body))
            .await;
        self.natural_key(n)
            .into_iter()
            .map(|(_, _, value)| value)
            .collect()
    }

    async fn edit(&self, key: &RecordKey, text: &str) {
        let body = json!({"OrganizationName": text});
        self.systems
            .send(reqwest::Method::PATCH, self.url(Some(key)), Some(body))
            .await;
    }

    async fn remove(&self, key: &RecordKey) {
        self.systems
            .send(reqwest::Method::DELETE, self.url(Some(key)), None)
            .await;
    }

    async fn fault(&self, fault: Fault) {
        self.systems.fault(&self.systems.finops(), fault).await;
    }

    async fn expire_cursors(&self) {
        self.systems.expire_cursors().await;
    }

    async fn narrow_text(&self, length: u32) {
        let ty = format!("string({length})");
        let narrow = json!([{"entity": "CustomersV3", "field": "OrganizationName", "type": ty}]);
        self.systems.alter(&self.systems.finops(), narrow).await;
    }

    async fn drop_text(&self) {
        let gone = json!([{"entity": "CustomersV3", "field": "OrganizationName", "gone": true}]);
        self.systems.alter(&self.systems.finops(), gone).await;
    }
}
