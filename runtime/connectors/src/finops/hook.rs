//! Subscribes to data events.
//!
//! In the service itself a person does this, in the business events catalogue (*data-events*): endpoint `HTTPS`, the
//! hook's address, the events of each entity. The sandbox takes the same as a request.

use dwmap_connect::ConnectError;
use dwmap_plan::Address;
use serde_json::json;

use super::Finops;
use crate::odata::service::Failure;
use crate::odata::transport::Method;
use crate::odata::{Repeat, Request, Unfit};
use crate::wake::KEY_HEADER;
use crate::{HookTarget, Hooks};

const WHAT: &str = "subscribe to data events";

impl Finops {
    /// Has a sandbox post its data events of these entities to `target`. The service itself has no such request: the
    /// error says then what a person has to do.
    pub async fn subscribe_data_events(
        &self,
        target: &HookTarget,
        entities: &[&Address],
    ) -> Result<(), ConnectError> {
        let url = self.service.beside("sandbox/data-events");
        for entity in entities {
            let body = json!({
                "url": target.url,
                "entity": entity.set,
                "headers": { KEY_HEADER: target.key.reveal() },
            });
            let body = body.to_string();
            let request = Request::with_body(Method::POST, url.clone(), "application/json", body);
            let answer = self
                .service
                .send(&request, Repeat::Unsafe)
                .await
                .map_err(Failure::into_error)?;
            match answer.status {
                200..=299 => {}
                404 => return Err(self.by_hand(target)),
                _ => return Err(self.service.error(WHAT, &answer)),
            }
        }
        self.hooks.iter().for_each(Hooks::registered);
        Ok(())
    }

    fn by_hand(&self, target: &HookTarget) -> ConnectError {
        Unfit(format!(
            "the business events catalogue is filled by hand: add the HTTPS endpoint {} there, with the hooks' key as `code`, and subscribe it to the data events of the mapped entities; until then changes are found by looking",
            target.url
        ))
        .error(self.service.system(), WHAT)
    }
}
