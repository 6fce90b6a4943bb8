//! The OData service of Finance & Operations.

mod errors;
mod events;
mod metadata;
mod read;
mod rules;
mod write;

use std::sync::Arc;

use dwmap_odata::{Key, Resource};
use rusqlite::types::Value;

use crate::http::batch::{self, Execute, References};
use crate::http::{Call, Fault, Refusal, Reply, Serving};
use crate::landscape::{Handle, Which};
use crate::model::{Model, Table};
use crate::notify::{Event, Notifier};
use crate::store::{Store, Writing};
use crate::value;

/// The path of the service's root.
pub(crate) const ROOT: &str = "/data/";

/// The service.
pub(crate) struct Finops {
    pub model: Arc<Model>,
    pub store: Arc<Store>,
    /// The same tables as Dataverse shows them: data events carry their columns.
    pub shown: Arc<Model>,
    pub notifier: Arc<Notifier>,
    /// The company of a user who names none, in lower case.
    pub company: String,
    pub landscape: Handle,
}

impl Finops {
    fn table(&self, call: &Call, set: &str) -> Result<(usize, &Table), Refusal> {
        self.model
            .table(set)
            .ok_or_else(|| errors::no_such_resource(call))
    }

    /// The columns of a complete key with their values.
    fn key_values(call: &Call, table: &Table, key: &Key) -> Result<Vec<(usize, Value)>, Refusal> {
        let parts = match key {
            Key::Named(parts) => parts,
            Key::Single(literal) if table.key.len() == 1 => {
                let value = value::from_literal(&table.columns[table.key[0]].kind, literal);
                return value
                    .map(|v| vec![(table.key[0], v)])
                    .ok_or_else(|| errors::no_such_resource(call));
            }
            Key::Single(_) => return Err(errors::incomplete_key(table)),
        };
        if parts.len() != table.key.len() {
            return Err(errors::incomplete_key(table));
        }
        let find = |at: &usize| {
            let column = &table.columns[*at];
            let literal = parts
                .iter()
                .find(|(n, _)| n.eq_ignore_ascii_case(&column.name))
                .map(|(_, l)| l)?;
            value::from_literal(&column.kind, literal).map(|v| (*at, v))
        };
        table
            .key
            .iter()
            .map(find)
            .collect::<Option<_>>()
            .ok_or_else(|| errors::incomplete_key(table))
    }

    /// Whether this row may be seen: those of other companies only across companies.
    ///
    /// Source: *Open Data Protocol*, "Cross-company behavior".
    fn visible(&self, call: &Call, table: &Table, key: &[(usize, Value)]) -> bool {
        let across = call
            .query
            .iter()
            .any(|(n, v)| n == "cross-company" && v.eq_ignore_ascii_case("true"));
        let own = |value: &Value| matches!(value, Value::Text(text) if text.eq_ignore_ascii_case(&self.company));
        across
            || table.company.is_none_or(|at| {
                key.iter()
                    .all(|(column, value)| *column != at || own(value))
            })
    }

    fn handle(&self, call: &Call) -> Result<Reply, Refusal> {
        if let Some(path) = call.path.strip_prefix(metadata::ROOT) {
            return self.metadata(call, path);
        }
        if call.method == "GET" {
            return self.get(call);
        }
        let mut events = Vec::new();
        let reply = self
            .store
            .write(|writing| self.change(writing, call, &mut events))?;
        self.notifier.notify(events);
        Ok(reply)
    }

    fn change(
        &self,
        writing: &mut Writing<'_>,
        call: &Call,
        events: &mut Vec<Event>,
    ) -> Result<Reply, Refusal> {
        let resource: Resource = call
            .path
            .parse()
            .map_err(|_| errors::no_such_resource(call))?;
        let (at, table) = self.table(call, &resource.set)?;
        if !resource.rest.is_empty() {
            return Err(errors::no_such_resource(call));
        }
        let mut scope = write::Scope {
            service: self,
            writing,
            events,
            call,
            at,
            table,
        };
        match (call.method.as_str(), &resource.key) {
            ("POST", None) => scope.create(),
            ("PATCH", Some(key)) => scope.update(key, write::Rest::Kept),
            ("PUT", Some(key)) => scope.update(key, write::Rest::Blanked),
            ("DELETE", Some(key)) => scope.delete(key),
            _ => Err(errors::method_not_allowed(call)),
        }
    }
}

impl Execute for Finops {
    const OPERATIONS_MAX: usize = 5_000;
    const ROOT: &'static str = ROOT;

    fn execute(&self, call: &Call) -> Reply {
        self.handle(call).unwrap_or_else(Reply::from)
    }

    fn execute_all(
        &self,
        calls: &[Call],
        ids: &[Option<String>],
    ) -> Result<Vec<Reply>, (usize, Reply)> {
        let mut events = Vec::new();
        let mut at = 0;
        let done = self.store.write(|writing| {
            let mut references = References::default();
            let mut replies = Vec::with_capacity(calls.len());
            for (n, call) in calls.iter().enumerate() {
                at = n;
                let reply = self.change(writing, &references.resolve(call, ROOT), &mut events)?;
                references.note(ids[n].as_deref(), &reply);
                replies.push(reply);
            }
            Ok::<_, Refusal>(replies)
        });
        let replies = done.map_err(|refusal| (at, refusal.into()))?;
        self.notifier.notify(events);
        Ok(replies)
    }
}

impl Serving for Finops {
    fn root(&self) -> &'static str {
        ROOT
    }

    fn serves_beside(&self, path: &str) -> bool {
        path.starts_with(metadata::ROOT)
    }

    fn call(&self, call: &Call, fault: &Fault) -> Reply {
        if call.path == "$batch" && call.method == "POST" {
            return batch::run(self, call, fault.batch_fail).unwrap_or_else(Reply::from);
        }
        self.execute(call)
    }

    fn admin(&self, call: &Call) -> Reply {
        let done = match (call.method.as_str(), call.path.as_str()) {
            ("GET", "data-events") => self.show_subscriptions(),
            ("POST", "data-events") => self.add_subscription(call),
            ("DELETE", "data-events") => self.remove_subscriptions(),
            ("GET", "schema") => Ok(Reply::json(200, self.landscape.show(Which::Finops))),
            ("PUT", "schema") => self
                .landscape
                .alter(Which::Finops, &call.body)
                .map(|()| Reply::empty(204)),
            _ => Err(Refusal::new(
                404,
                "",
                "The sandbox has: faults, stats, schema, expire-tokens, data-events.",
            )),
        };
        done.unwrap_or_else(Reply::from)
    }
}
