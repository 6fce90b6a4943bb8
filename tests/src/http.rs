//! Both systems as a person's own script would use them: plain HTTP, nothing of ours.

use std::time::Duration;

use reqwest::{Client, Method, Response};
use serde_json::Value;

/// Waits until a condition gives something, looking again and again for at most a minute.
pub async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut condition: impl FnMut() -> F,
) -> T {
    let found = tokio::time::timeout(Duration::from_secs(60), async {
        loop {
            if let Some(found) = condition().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    found
        .await
        .unwrap_or_else(|_| panic!("not within a minute: {what}"))
}

async fn send(client: &Client, method: Method, url: &str, body: Option<&Value>) -> Response {
    let mut request = client
        .request(method.clone(), url)
        .header("Accept", "application/json");
    if let Some(body) = body {
        request = request.json(body);
    }
    request
        .send()
        .await
        .unwrap_or_else(|e| panic!("{method} {url}: {e}"))
}

async fn json(response: Response) -> Value {
    let (url, status) = (response.url().clone(), response.status());
    let text = response.text().await.expect("an answer has a body");
    assert!(status.is_success(), "{url}: {status}: {text}");
    if text.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&text).expect("an answer is JSON")
    }
}

/// Alters the schema of the sandbox server that serves below this address.
async fn alter(client: &Client, base: &str, alterations: &Value) {
    let server = base
        .match_indices('/')
        .nth(2)
        .map_or(base, |(at, _)| &base[..at]);
    let url = format!("{server}/sandbox/schema");
    json(send(client, Method::PUT, &url, Some(alterations)).await).await;
}

/// The CRM.
#[derive(Debug, Clone)]
pub struct Dataverse {
    client: Client,
    base: String,
}

impl Dataverse {
    pub(crate) fn new(url: &str) -> Self {
        Self {
            client: Client::new(),
            base: format!("{url}/api/data/v9.2"),
        }
    }

    /// The rows of a set for which a filter holds.
    pub async fn find(&self, set: &str, filter: &str) -> Vec<Value> {
        let url = format!("{}/{set}?$filter={}", self.base, encode(filter));
        let answer = json(send(&self.client, Method::GET, &url, None).await).await;
        answer["value"].as_array().expect("a list of rows").clone()
    }

    /// The accounts of this number, in every company.
    pub async fn accounts(&self, number: &str) -> Vec<Value> {
        self.find("accounts", &format!("accountnumber eq '{number}'"))
            .await
    }

    /// Changes the account of this id.
    pub async fn change_account(&self, id: &str, fields: Value) {
        self.change("accounts", id, fields).await;
    }

    /// Changes the record of this id.
    pub async fn change(&self, set: &str, id: &str, fields: Value) {
        let url = format!("{}/{set}({id})", self.base);
        json(send(&self.client, Method::PATCH, &url, Some(&fields)).await).await;
    }

    /// Alters the schema, instead of what was altered before; an empty list brings it back.
    pub async fn alter(&self, alterations: Value) {
        alter(&self.client, &self.base, &alterations).await;
    }

    /// Makes a record; gives the status and the answer.
    pub async fn create(&self, set: &str, fields: Value) -> (u16, String) {
        let url = format!("{}/{set}", self.base);
        let response = send(&self.client, Method::POST, &url, Some(&fields)).await;
        (
            response.status().as_u16(),
            response.text().await.expect("an answer has a body"),
        )
    }

    /// All rows of a set, with these columns.
    pub async fn rows(&self, set: &str, columns: &str) -> Vec<Value> {
        all(
            &self.client,
            format!("{}/{set}?$select={columns}", self.base),
        )
        .await
    }

    /// How many rows a set has.
    pub async fn count(&self, set: &str) -> u64 {
        let column = if set == "accounts" {
            "accountnumber"
        } else {
            "createdon"
        };
        self.rows(set, column).await.len() as u64
    }
}

/// The ERP.
#[derive(Debug, Clone)]
pub struct Finops {
    client: Client,
    base: String,
}

impl Finops {
    pub(crate) fn new(url: &str) -> Self {
        Self {
            client: Client::new(),
            base: format!("{url}/data"),
        }
    }

    fn customer_url(&self, company: &str, account: &str) -> String {
        format!(
            "{}/CustomersV3(dataAreaId='{company}',CustomerAccount='{account}')?cross-company=true",
            self.base
        )
    }

    /// A customer, if there is one.
    pub async fn customer(&self, company: &str, account: &str) -> Option<Value> {
        let response = send(
            &self.client,
            Method::GET,
            &self.customer_url(company, account),
            None,
        )
        .await;
        if response.status().as_u16() == 404 {
            None
        } else {
            Some(json(response).await)
        }
    }

    /// Changes a customer.
    pub async fn change_customer(&self, company: &str, account: &str, fields: Value) {
        json(
            send(
                &self.client,
                Method::PATCH,
                &self.customer_url(company, account),
                Some(&fields),
            )
            .await,
        )
        .await;
    }

    /// Makes a record; gives the status and the answer.
    pub async fn create(&self, set: &str, fields: Value) -> (u16, String) {
        let url = format!("{}/{set}?cross-company=true", self.base);
        let response = send(&self.client, Method::POST, &url, Some(&fields)).await;
        (
            response.status().as_u16(),
            response.text().await.expect("an answer has a body"),
        )
    }

    /// Changes a record, by its set and key: `PaymentTerms(dataAreaId='usmf',Name='N30')`.
    pub async fn change(&self, record: &str, fields: Value) {
        let url = format!("{}/{record}?cross-company=true", self.base);
        json(send(&self.client, Method::PATCH, &url, Some(&fields)).await).await;
    }

    /// Alters the schema, instead of what was altered before; an empty list brings it back.
    pub async fn alter(&self, alterations: Value) {
        alter(&self.client, &self.base, &alterations).await;
    }

    /// Lets the server's answers go wrong by these rules, instead of those before.
    pub async fn fault(&self, rules: Value) {
        json(send(&self.client, Method::PUT, &self.faults_url(), Some(&rules)).await).await;
    }

    /// Whether every rule has had its effect as often as it said.
    pub async fn faults_are_over(&self) -> bool {
        let rules = json(send(&self.client, Method::GET, &self.faults_url(), None).await).await;
        let rules = rules.as_array().expect("a list of rules");
        rules.iter().all(|rule| rule["times"] == 0)
    }

    fn faults_url(&self) -> String {
        format!("{}/sandbox/faults", self.base.trim_end_matches("/data"))
    }

    /// Deletes a record, by its set and key: `PaymentTerms(dataAreaId='usmf',Name='N30')`.
    pub async fn delete(&self, record: &str) {
        let url = format!("{}/{record}?cross-company=true", self.base);
        let response = send(&self.client, Method::DELETE, &url, None).await;
        assert!(response.status().is_success(), "{}", response.status());
    }

    /// All customers of every company, with these columns.
    pub async fn customers(&self, columns: &str) -> Vec<Value> {
        let url = format!(
            "{}/CustomersV3?cross-company=true&$select={columns}",
            self.base
        );
        all(&self.client, url).await
    }

    /// The keys of all customers, in every company.
    pub async fn customer_keys(&self) -> Vec<(String, String)> {
        let rows = self.customers("dataAreaId,CustomerAccount").await;
        let keys = rows
            .iter()
            .map(|row| (text(row, "dataAreaId"), text(row, "CustomerAccount")));
        keys.collect()
    }
}

/// A text of a row that must have it.
pub(crate) fn text(row: &Value, name: &str) -> String {
    let text = row[name].as_str();
    text.unwrap_or_else(|| panic!("no {name} in {row}"))
        .to_owned()
}

/// The rows of all pages, from the first page's address on.
async fn all(client: &Client, first: String) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut next = Some(first);
    while let Some(url) = next {
        let mut page = json(send(client, Method::GET, &url, None).await).await;
        match page["value"].take() {
            Value::Array(more) => rows.extend(more),
            other => panic!("{url}: no list of rows but {other}"),
        }
        next = page["@odata.nextLink"].as_str().map(str::to_owned);
    }
    rows
}

/// Percent-encodes what stands behind `=` in a query.
fn encode(text: &str) -> String {
    text.bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}
