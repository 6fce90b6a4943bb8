//! `CreateMultiple`, `UpdateMultiple` and `UpsertMultiple`.
//!
//! Source: *Use bulk operation messages*: one transaction, one bad row fails all, and the error is the bad row's own,
//! without saying which.

use dwmap_odata::{Key, Resource};
use rusqlite::types::Value;
use serde_json::{Map, Value as Json};

use super::write::{Scope, id_text};
use super::{ROOT, bind, body, errors};
use crate::http::{Refusal, Reply};
use crate::model::Table;

const CRM: &str = "Microsoft.Dynamics.CRM.";

impl Scope<'_, '_> {
    /// `POST set/Microsoft.Dynamics.CRM.…Multiple`.
    pub(super) fn bulk(&mut self, table: &Table, action: &str) -> Result<Reply, Refusal> {
        let action = action.strip_prefix(CRM).unwrap_or(action);
        if !matches!(
            action,
            "CreateMultiple" | "UpdateMultiple" | "UpsertMultiple"
        ) {
            return Err(errors::no_such_set(action));
        }
        let mut object = body::object(&self.call.body)?;
        let Some(Json::Array(targets)) = object.remove("Targets") else {
            return Err(errors::malformed_body(
                "The parameter 'Targets' is missing.",
            ));
        };
        let mut ids = Vec::with_capacity(targets.len());
        for target in targets {
            let Json::Object(target) = target else {
                return Err(errors::malformed_body("A target must be an object."));
            };
            check_type(table, &target)?;
            let id = match action {
                "CreateMultiple" => self.insert(table, &target, &[])?.id,
                "UpdateMultiple" => self.target(table, &target, Missing::Refused)?,
                _ => self.target(table, &target, Missing::Created)?,
            };
            ids.push(id);
        }
        Ok(match action {
            "CreateMultiple" => {
                let ids: Vec<String> = ids.iter().map(id_text).collect();
                let context = format!(
                    "{}{ROOT}$metadata#{CRM}CreateMultipleResponse",
                    self.call.origin
                );
                Reply::json(
                    200,
                    serde_json::json!({ "@odata.context": context, "Ids": ids }).to_string(),
                )
            }
            _ => Reply::empty(204),
        })
    }

    fn target(
        &mut self,
        table: &Table,
        target: &Map<String, Json>,
        missing: Missing,
    ) -> Result<Value, Refusal> {
        let key = key_of(table, target)?;
        let found = match &key[..] {
            [] => None,
            key => table.locate(&self.writing.tx, key)?,
        };
        if found.is_none() && missing == Missing::Refused {
            return Err(if key.is_empty() {
                errors::not_a_key(table)
            } else {
                bind::missing(table, &key)
            });
        }
        Ok(self.put(table, target, &key, found)?.id)
    }
}

/// What becomes of a target that isn't there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    Created,
    Refused,
}

fn check_type(table: &Table, target: &Map<String, Json>) -> Result<(), Refusal> {
    let given = target
        .get("@odata.type")
        .and_then(Json::as_str)
        .map(|t| t.trim_start_matches('#'));
    let wanted = given
        .and_then(|t| t.strip_prefix(CRM))
        .is_some_and(|t| t.eq_ignore_ascii_case(&table.logical));
    if wanted {
        Ok(())
    } else {
        Err(errors::no_type(table))
    }
}

/// The key of a target: of its `@odata.id`, or its primary key in the body; none for a new one.
fn key_of(table: &Table, target: &Map<String, Json>) -> Result<Vec<(usize, Value)>, Refusal> {
    if let Some(url) = target.get("@odata.id").and_then(Json::as_str) {
        let path = url.rfind(ROOT).map_or(url, |at| &url[at + ROOT.len()..]);
        let resource: Resource = path.parse().map_err(|_| errors::malformed_path(url))?;
        let key = resource
            .key
            .filter(|_| resource.set.eq_ignore_ascii_case(&table.set))
            .ok_or_else(|| errors::not_a_key(table))?;
        return bind::key_values(table, &key);
    }
    match target
        .get(&table.columns[table.key[0]].name)
        .and_then(Json::as_str)
    {
        Some(id) => {
            let literal = id.parse().map_err(|_| errors::not_a_key(table))?;
            bind::key_values(table, &Key::Single(literal))
        }
        None => Ok(Vec::new()),
    }
}
