//! Registers a webhook (*use-webhooks*, *register-web-hook*): a row of `serviceendpoints`, and for each table and
//! message a row of `sdkmessageprocessingsteps`.
//!
//! The steps are asynchronous: a hook must never fail or slow a user's save.

use dwmap_connect::ConnectError;
use dwmap_odata::{Literal, Url};
use dwmap_plan::Address;
use serde_json::{Value as Json, json};

use super::Dataverse;
use super::read::paged;
use crate::odata::batch::odata_headers;
use crate::odata::service::Failure;
use crate::odata::transport::Method;
use crate::odata::{Repeat, Request};
use crate::{HookTarget, Hooks};

const WHAT: &str = "register a webhook";
const MESSAGES: [&str; 3] = ["Create", "Update", "Delete"];

// The option values of the registration tables.
const CONTRACT_WEBHOOK: u8 = 8;
const AUTH_WEBHOOK_KEY: u8 = 4;
const STAGE_POST_OPERATION: u8 = 40;
const MODE_ASYNCHRONOUS: u8 = 1;

impl Dataverse {
    /// Has the environment post a hook to `target` when a row of one of these tables is made, changed or deleted.
    /// What is registered already stays; its address and key are brought up to date.
    pub async fn register_hooks(
        &self,
        target: &HookTarget,
        tables: &[&Address],
    ) -> Result<(), ConnectError> {
        let endpoint = self.endpoint(target).await?;
        for message in MESSAGES {
            let message_id = self
                .find("sdkmessages", "sdkmessageid", &equals("name", message))
                .await?
                .ok_or_else(|| self.absent(&format!("the message {message}")))?;
            for table in tables {
                self.step(target, &endpoint, (message, &message_id), &table.physical)
                    .await?;
            }
        }
        self.hooks.iter().for_each(Hooks::registered);
        Ok(())
    }

    async fn endpoint(&self, target: &HookTarget) -> Result<String, ConnectError> {
        const SET: &str = "serviceendpoints";
        let body = json!({
            "name": target.name,
            "url": target.url,
            "contract": CONTRACT_WEBHOOK,
            "authtype": AUTH_WEBHOOK_KEY,
            "authvalue": target.key.reveal(),
        });
        let known = || async {
            let filter = equals("name", &target.name);
            self.find(SET, "serviceendpointid", &filter).await
        };
        if let Some(id) = known().await? {
            let url = format!("{SET}({id})");
            self.send(Method::PATCH, &url, &body).await?;
            return Ok(id);
        }
        self.send(Method::POST, SET, &body).await?;
        known()
            .await?
            .ok_or_else(|| self.absent("the endpoint just made"))
    }

    async fn step(
        &self,
        target: &HookTarget,
        endpoint: &str,
        (message, message_id): (&str, &str),
        table: &str,
    ) -> Result<(), ConnectError> {
        const SET: &str = "sdkmessageprocessingsteps";
        let name = format!("{}: {message} of {table}", target.name);
        let id = "sdkmessageprocessingstepid";
        if self.find(SET, id, &equals("name", &name)).await?.is_some() {
            return Ok(());
        }
        let filter = format!(
            "{} and _sdkmessageid_value eq {message_id}",
            equals("primaryobjecttypecode", table)
        );
        let filter_id = self
            .find("sdkmessagefilters", "sdkmessagefilterid", &filter)
            .await?
            .ok_or_else(|| self.absent(&format!("{message} of the table {table}")))?;
        let body = json!({
            "name": name,
            "stage": STAGE_POST_OPERATION,
            "mode": MODE_ASYNCHRONOUS,
            "rank": 1,
            "sdkmessageid@odata.bind": format!("/sdkmessages({message_id})"),
            "sdkmessagefilterid@odata.bind": format!("/sdkmessagefilters({filter_id})"),
            "eventhandler_serviceendpoint@odata.bind": format!("/serviceendpoints({endpoint})"),
        });
        self.send(Method::POST, SET, &body).await
    }

    /// The id of the first row that the filter finds.
    async fn find(
        &self,
        set: &str,
        id: &str,
        filter: &str,
    ) -> Result<Option<String>, ConnectError> {
        let url: String = Url::set(set)
            .option("$select", id)
            .option("$filter", filter)
            .into();
        let answer = self
            .service
            .read(WHAT, &paged(&self.service, &url, ""))
            .await?;
        let page: Json = serde_json::from_slice(&answer.body).map_err(|e| {
            self.service
                .nonsense(WHAT, dwmap_odata::Nonsense::of(&answer.body, e))
        })?;
        Ok(page["value"][0][id].as_str().map(str::to_owned))
    }

    async fn send(&self, method: Method, url: &str, body: &Json) -> Result<(), ConnectError> {
        let url = self.service.url(url);
        let mut request = Request::with_body(method, url, "application/json", body.to_string());
        request.headers.extend(odata_headers());
        let answer = self
            .service
            .send(&request, Repeat::Unsafe)
            .await
            .map_err(Failure::into_error)?;
        match answer.status {
            200..=299 => Ok(()),
            _ => Err(self.service.error(WHAT, &answer)),
        }
    }

    fn absent(&self, what: &str) -> ConnectError {
        crate::odata::Unfit(format!(
            "{what} isn't there; changes are found without hooks as well, only later"
        ))
        .error(self.service.system(), WHAT)
    }
}

fn equals(column: &str, text: &str) -> String {
    format!("{column} eq {}", Literal::text(text))
}
