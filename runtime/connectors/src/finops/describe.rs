//! Entities as they live, by the metadata service beside `/data`.
//!
//! It tells no lengths of texts, and no change tracking: where the environment has a Dataverse beside it, the entity's
//! virtual table tells both.

use std::collections::BTreeMap;

use dwmap_connect::{ConnectError, LiveEntity, LiveField, LiveKind, LiveOption};
use dwmap_odata::url::encode;
use dwmap_odata::virtual_table;
use dwmap_plan::{Access, Query};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use serde::Deserialize;

use super::Finops;
use crate::dataverse::describe::{self, Table, parse};
use crate::odata::batch::odata_headers;
use crate::odata::{Request, Service};

/// Definitions that are asked for at once.
const ASKED_AT_ONCE: usize = 4;

#[derive(Deserialize)]
struct List<T> {
    value: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entity {
    #[serde(rename = "EntitySetName")]
    set: String,
    #[serde(default)]
    is_read_only: bool,
    properties: Vec<Property>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Property {
    name: String,
    type_name: String,
    data_type: Option<String>,
    #[serde(default)]
    is_key: bool,
    #[serde(default)]
    is_mandatory: bool,
    #[serde(default = "yes")]
    configuration_enabled: bool,
    #[serde(default = "yes")]
    allow_edit: bool,
    #[serde(default = "yes")]
    allow_edit_on_create: bool,
}

const fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Enumeration {
    members: Vec<Member>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Member {
    name: String,
    value: i64,
}

/// The entities as they live, in the order asked; none for one that isn't there.
pub(super) async fn describe(
    finops: &Finops,
    queries: &[Query],
) -> Result<Vec<Option<LiveEntity>>, ConnectError> {
    let service = &finops.service;
    let questions = queries.iter().map(|query| entity(service, query).boxed());
    let found = ask(questions.collect()).await?;
    let mut enums: BTreeMap<&str, Vec<LiveOption>> = BTreeMap::new();
    for (entity, query) in found.iter().zip(queries) {
        for property in entity.iter().flat_map(|e| &e.properties) {
            if let Some(name) = enum_name(property)
                && query.columns.contains(&property.name)
            {
                enums.insert(name, Vec::new());
            }
        }
    }
    let names: Vec<&str> = enums.keys().copied().collect();
    let questions = names.iter().map(|name| options(service, name).boxed());
    let members = ask(questions.collect()).await?;
    let enums: BTreeMap<&str, Vec<LiveOption>> = names.into_iter().zip(members).collect();
    let mut live: Vec<Option<LiveEntity>> = found
        .iter()
        .map(|entity| entity.as_ref().map(|e| live(e, &enums)))
        .collect();
    complete(finops, queries, &mut live).await?;
    Ok(live)
}

/// Asks several things, a few at once, in their order.
async fn ask<R>(
    questions: Vec<BoxFuture<'_, Result<R, ConnectError>>>,
) -> Result<Vec<R>, ConnectError> {
    stream::iter(questions)
        .buffered(ASKED_AT_ONCE)
        .try_collect()
        .await
}

async fn entity(service: &Service, query: &Query) -> Result<Option<Entity>, ConnectError> {
    let set = &query.address.set;
    let filter = format!("EntitySetName eq '{}'", set.replace('\'', "''"));
    let path = format!("metadata/PublicEntities?$filter={}", encode(&filter));
    let what = format!("read the metadata of {set}");
    let answer = service.read(&what, &get(service, &path)).await?;
    let list: List<Entity> = parse(service, &what, &answer)?;
    Ok(list.value.into_iter().find(|e| e.set == *set))
}

async fn options(service: &Service, name: &str) -> Result<Vec<LiveOption>, ConnectError> {
    let path = format!(
        "metadata/PublicEnumerations('{}')",
        encode(&name.replace('\'', "''"))
    );
    let what = format!("read the members of {name}");
    let answer = service.read(&what, &get(service, &path)).await?;
    let enumeration: Enumeration = parse(service, &what, &answer)?;
    let option = |m: Member| LiveOption {
        name: m.name,
        value: m.value,
    };
    Ok(enumeration.members.into_iter().map(option).collect())
}

fn get(service: &Service, path: &str) -> Request {
    let mut request = Request::get(service.beside(path));
    request.headers = odata_headers();
    request
}

/// `NoYes` for a property of the type `Microsoft.Dynamics.DataEntities.NoYes`.
fn enum_name(property: &Property) -> Option<&str> {
    let name = property
        .type_name
        .strip_prefix("Microsoft.Dynamics.DataEntities.")?;
    (property.data_type.as_deref() == Some("Enum")).then_some(name)
}

fn live(entity: &Entity, enums: &BTreeMap<&str, Vec<LiveOption>>) -> LiveEntity {
    // What a configuration key switches off is refused like what isn't there.
    let there = entity.properties.iter().filter(|p| p.configuration_enabled);
    LiveEntity {
        set: entity.set.clone(),
        fields: there
            .map(|p| LiveField {
                access: Some(access(entity, p)),
                required: p.is_mandatory,
                options: enum_name(p).and_then(|name| enums.get(name).cloned()),
                ..LiveField::new(&p.name, kind(p))
            })
            .collect(),
        tracks_changes: None,
        guards_versions: None,
    }
}

fn access(entity: &Entity, property: &Property) -> Access {
    match (property.allow_edit, property.allow_edit_on_create) {
        _ if entity.is_read_only => Access::ReadOnly,
        (true, _) => Access::ReadWrite,
        (false, true) => Access::CreateOnly,
        // A key that a number sequence draws may still be sent with a new record.
        (false, false) if property.is_key => Access::CreateOnly,
        (false, false) => Access::ReadOnly,
    }
}

fn kind(property: &Property) -> LiveKind {
    match (
        property.data_type.as_deref().unwrap_or_default(),
        property.type_name.as_str(),
    ) {
        ("Enum", _) => LiveKind::Choice,
        ("String", _) | (_, "Edm.String") => LiveKind::Text,
        ("Int32" | "Time", _) | (_, "Edm.Int32") => LiveKind::Int32,
        ("Int64", _) | (_, "Edm.Int64") => LiveKind::Int64,
        ("Real", _) | (_, "Edm.Decimal" | "Edm.Double") => LiveKind::Decimal,
        ("Date", _) => LiveKind::Date,
        ("UtcDateTime", _) | (_, "Edm.DateTimeOffset") => LiveKind::DateTime,
        ("Guid", _) | (_, "Edm.Guid") => LiveKind::Guid,
        ("Container", _) | (_, "Edm.Binary") => LiveKind::Binary,
        (_, "Edm.Boolean") => LiveKind::Bool,
        (_, other) => LiveKind::Other(other.to_owned()),
    }
}

/// What the virtual tables tell beyond the metadata service: lengths, and whether changes are tracked.
async fn complete(
    finops: &Finops,
    queries: &[Query],
    live: &mut [Option<LiveEntity>],
) -> Result<(), ConnectError> {
    let Some(dataverse) = &finops.changes_via else {
        return Ok(());
    };
    let named = queries.iter().map(|query| &query.address.physical);
    let names: Vec<String> = named.map(|n| virtual_table::logical_name(n)).collect();
    let tables: Vec<Table<'_>> = names.iter().map(|n| Table::LogicalName(n)).collect();
    let shown = describe::describe(dataverse.service(), &tables).await?;
    for ((entity, shown), query) in live.iter_mut().zip(shown).zip(queries) {
        let Some(entity) = entity else { continue };
        let Some(shown) = shown else {
            // Not enabled as a virtual table: what is read through it would fail.
            entity.tracks_changes = Some(false);
            continue;
        };
        entity.tracks_changes = shown
            .tracks_changes
            .filter(|_| finops.tracker(query).is_some());
        for field in &mut entity.fields {
            let column = shown.field(&virtual_table::column(&field.wire));
            field.length_max = column.and_then(|c| c.length_max);
        }
    }
    Ok(())
}
