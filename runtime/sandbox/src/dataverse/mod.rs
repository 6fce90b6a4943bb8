//! The Dataverse Web API.

mod bind;
mod body;
mod bulk;
mod errors;
mod hooks;
mod metadata;
mod read;
mod tracking;
mod write;

use std::sync::Arc;
use std::time::Duration;

use dwmap_odata::Resource;

use crate::http::batch::{self, Execute, References};
use crate::http::{Call, Fault, Refusal, Reply, Serving};
use crate::landscape::{Handle, Which};
use crate::model::{Model, Source, Table};
use crate::notify::{Event, Notifier};
use crate::store::{Store, Writing};

/// The path of the service's root.
pub(crate) const ROOT: &str = "/api/data/v9.2/";
/// Rows a page: *Query data using the Web API*, "Limits".
const PAGE_ROWS_MAX: u64 = 5_000;
/// How far `$count` counts: the same page.
const COUNT_MAX: u64 = 5_000;

/// The ERP behind the virtual tables.
pub(crate) struct Erp {
    pub model: Arc<Model>,
    pub store: Arc<Store>,
}

/// The service.
pub(crate) struct Dataverse {
    pub model: Model,
    pub store: Arc<Store>,
    pub erp: Erp,
    pub notifier: Arc<Notifier>,
    /// How long delta tokens are good for: own tables, virtual tables.
    pub token_life: (Duration, Duration),
    pub landscape: Handle,
}

impl Dataverse {
    /// Makes what webhooks are registered by, and reads those that are.
    pub(crate) fn prepare_hooks(&self) -> Result<(), Refusal> {
        self.store
            .write(|writing| hooks::prepare(&self.model, writing))?;
        self.load_hooks()
    }

    /// Reads the registered webhooks again.
    fn load_hooks(&self) -> Result<(), Refusal> {
        let subscriptions = self
            .store
            .read(|connection| hooks::registered(&self.model, connection))?;
        self.notifier.subscribe(subscriptions);
        Ok(())
    }

    fn table(&self, set: &str) -> Result<&Table, Refusal> {
        self.model
            .table(set)
            .map(|(_, table)| table)
            .ok_or_else(|| errors::no_such_set(set))
    }

    /// The file in which a table's rows are.
    fn store_of(&self, table: &Table) -> &Store {
        match table.source {
            Source::Own => &self.store,
            Source::Virtual(_) => &self.erp.store,
        }
    }

    fn resource(call: &Call) -> Result<Resource, Refusal> {
        call.path
            .parse()
            .map_err(|_| errors::malformed_path(&call.path))
    }

    fn handle(&self, call: &Call) -> Result<Reply, Refusal> {
        if call.method == "GET" {
            return self.get(call);
        }
        let mut events = Vec::new();
        let reply = self
            .store
            .write(|writing| self.change(writing, call, &References::default(), &mut events))?;
        self.committed(events)?;
        Ok(reply)
    }

    /// What a committed write sets off.
    fn committed(&self, events: Vec<Event>) -> Result<(), Refusal> {
        if events
            .iter()
            .any(|event| hooks::is_registration(&event.entity))
        {
            self.load_hooks()?;
        }
        self.notifier.notify(events);
        Ok(())
    }

    fn change(
        &self,
        writing: &mut Writing<'_>,
        call: &Call,
        references: &References,
        events: &mut Vec<Event>,
    ) -> Result<Reply, Refusal> {
        let resource = Self::resource(call)?;
        let table = self.table(&resource.set)?;
        if table.source != Source::Own {
            return Err(errors::read_only_table(table));
        }
        let mut scope = write::Scope {
            service: self,
            writing,
            references,
            events,
            call,
        };
        match (call.method.as_str(), &resource.key, &resource.rest[..]) {
            ("POST", None, []) => scope.create(table),
            ("PATCH", Some(key), []) => scope.upsert(table, key),
            ("DELETE", Some(key), []) => scope.delete(table, key),
            ("POST", None, [action]) => scope.bulk(table, action),
            _ => Err(errors::method_not_allowed(&call.method)),
        }
    }
}

impl Execute for Dataverse {
    const OPERATIONS_MAX: usize = 1_000;
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
                let call = references.resolve(call, ROOT);
                let reply = self.change(writing, &call, &references, &mut events)?;
                references.note(ids[n].as_deref(), &reply);
                replies.push(reply);
            }
            Ok::<_, Refusal>(replies)
        });
        let replies = done.map_err(|refusal| (at, refusal.into()))?;
        self.committed(events)
            .map_err(|refusal| (at, Reply::from(refusal)))?;
        Ok(replies)
    }
}

impl Serving for Dataverse {
    fn root(&self) -> &'static str {
        ROOT
    }

    fn call(&self, call: &Call, fault: &Fault) -> Reply {
        if call.path == "$batch" && call.method == "POST" {
            return batch::run(self, call, fault.batch_fail).unwrap_or_else(Reply::from);
        }
        self.execute(call)
    }

    fn admin(&self, call: &Call) -> Reply {
        match (call.method.as_str(), call.path.as_str()) {
            ("POST", "expire-delta-tokens") => match self.expire_delta_tokens() {
                Ok(()) => Reply::empty(204),
                Err(refusal) => refusal.into(),
            },
            ("GET", "schema") => Reply::json(200, self.landscape.show(Which::Dataverse)),
            ("PUT", "schema") => match self.landscape.alter(Which::Dataverse, &call.body) {
                Ok(()) => Reply::empty(204),
                Err(refusal) => refusal.into(),
            },
            _ => Refusal::new(
                404,
                "",
                "The sandbox has: faults, stats, schema, expire-tokens, expire-delta-tokens.",
            )
            .into(),
        }
    }
}
