//! Both systems as anybody's script would use them: plain HTTP, nothing of ours.

use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use serde_json::Value;

use crate::exit::Failure;

/// How long a change may take before the demo says that it didn't arrive.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often the other side is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// The two systems.
pub(crate) struct Systems {
    client: Client,
    dataverse: String,
    finops: String,
}

/// What a system answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Systems {
    pub(crate) fn new(dataverse: &str, finops: &str) -> Self {
        Self {
            client: Client::new(),
            dataverse: format!("{dataverse}/api/data/v9.2"),
            finops: format!("{finops}/data"),
        }
    }

    async fn send(
        &self,
        method: Method,
        url: String,
        body: Option<&Value>,
    ) -> Result<Answer, Failure> {
        let unreachable = |e: reqwest::Error| Failure::Unreachable(format!("{url}: {e}"));
        let mut request = self.client.request(method, &url);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status().as_u16();
        let text = response.text().await.map_err(unreachable)?;
        Ok(Answer {
            status,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
        })
    }

    /// A request to the ERP, over all companies.
    pub(crate) async fn finops(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Answer, Failure> {
        let join = if path.contains('?') { '&' } else { '?' };
        let url = format!("{}/{path}{join}cross-company=true", self.finops);
        self.send(method, url, body.as_ref()).await
    }

    /// A request to the CRM.
    pub(crate) async fn dataverse(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Answer, Failure> {
        let url = format!("{}/{path}", self.dataverse);
        self.send(method, url, body.as_ref()).await
    }

    /// The accounts of this number.
    pub(crate) async fn accounts(&self, number: &str) -> Result<Vec<Value>, Failure> {
        let path = format!("accounts?$filter=accountnumber%20eq%20'{number}'");
        let answer = self.dataverse(Method::GET, &path, None).await?;
        Ok(answer.body["value"].as_array().cloned().unwrap_or_default())
    }

    /// A customer; none if it isn't there.
    pub(crate) async fn customer(&self, key: &Key) -> Result<Option<Value>, Failure> {
        let answer = self.finops(Method::GET, &key.path(), None).await?;
        Ok((answer.status == 200).then_some(answer.body))
    }
}

/// A customer's key in the ERP.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) company: String,
    pub(crate) account: String,
}

impl Key {
    pub(crate) fn path(&self) -> String {
        format!(
            "CustomersV3(dataAreaId='{}',CustomerAccount='{}')",
            self.company, self.account
        )
    }
}

/// Looks until a condition holds; says how long it took, or nothing if it never came.
pub(crate) async fn arrival<F: Future<Output = Result<bool, Failure>>>(
    mut there: impl FnMut() -> F,
) -> Result<Option<Duration>, Failure> {
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        if there().await? {
            return Ok(Some(started.elapsed()));
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(None)
}
