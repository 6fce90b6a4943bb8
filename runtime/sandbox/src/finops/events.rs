//! Data events: who wants to hear of which entity.
//!
//! Source: *Data events*. Real subscriptions are made in the business events catalogue; here a JSON body at
//! `/sandbox/data-events` does it: `{"url": "…", "entity": "CustomersV3", "headers": {"x-key": "…"}}`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Finops;
use crate::http::{Call, Refusal, Reply};
use crate::notify::Subscription;
use crate::store;

/// Where the subscriptions are kept.
const SETTING: &str = "data_events";

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    url: String,
    /// An entity's set name; all without one.
    #[serde(default)]
    entity: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

impl Finops {
    /// Reads the kept subscriptions again.
    pub(crate) fn load_subscriptions(&self) -> Result<(), Refusal> {
        let subscriptions = self.wanted()?.into_iter().map(|wanted| Subscription {
            url: wanted.url,
            headers: wanted.headers.into_iter().collect(),
            message: None,
            entity: wanted
                .entity
                .and_then(|set| self.model.table(&set))
                .map(|(at, _)| self.shown.tables[at].logical.clone()),
            attributes: Vec::new(),
        });
        self.notifier.subscribe(subscriptions.collect());
        Ok(())
    }

    pub(super) fn show_subscriptions(&self) -> Result<Reply, Refusal> {
        Ok(Reply::json(
            200,
            serde_json::to_vec(&self.wanted()?).unwrap_or_default(),
        ))
    }

    pub(super) fn add_subscription(&self, call: &Call) -> Result<Reply, Refusal> {
        let new: Wanted =
            serde_json::from_slice(&call.body).map_err(|e| Refusal::new(400, "", e.to_string()))?;
        if let Some(set) = &new.entity
            && self.model.table(set).is_none()
        {
            return Err(Refusal::new(
                400,
                "",
                format!("There is no entity {set} in the schema."),
            ));
        }
        let mut all = self.wanted()?;
        // The same subscription again changes its headers.
        all.retain(|w| w.url != new.url || w.entity != new.entity);
        all.push(new);
        self.keep(&all)
    }

    pub(super) fn remove_subscriptions(&self) -> Result<Reply, Refusal> {
        self.keep(&[])
    }

    fn keep(&self, wanted: &[Wanted]) -> Result<Reply, Refusal> {
        let json = serde_json::to_string(wanted).unwrap_or_default();
        self.store.write(|writing| {
            store::set_setting(&writing.tx, SETTING, &json).map_err(Refusal::from)
        })?;
        self.load_subscriptions()?;
        Ok(Reply::empty(204))
    }

    fn wanted(&self) -> Result<Vec<Wanted>, Refusal> {
        let json = self
            .store
            .read(|connection| store::setting(connection, SETTING).map_err(Refusal::from))?;
        Ok(json
            .and_then(|json| serde_json::from_str(&json).ok())
            .unwrap_or_default())
    }
}
