//! Table definitions.
//!
//! Source: *Query table definitions using the Web API*, *EntityMetadata* and *AttributeMetadata* with its derived types:
//! properties of a derived type, and option sets, are only to be had by a cast.

use dwmap_odata::{Key, Literal, Resource};
use dwmap_plan::{Access, Requirement};
use serde_json::{Map, Value as Json, json};

use super::{Dataverse, ROOT, errors};
use crate::filter::Refused;
use crate::http::{Call, Refusal, Reply};
use crate::model::{Column, Kind, OPTION_BASE, Source, Table};
use crate::value;

/// The set of the definitions.
pub(super) const DEFINITIONS: &str = "EntityDefinitions";
/// The namespace of casts.
const NAMESPACE: &str = "Microsoft.Dynamics.CRM.";
/// The longest text of a single line: beyond it, a column is a memo.
const STRING_LENGTH_MAX: u32 = 4_000;
/// The longest memo.
const MEMO_LENGTH_MAX: u32 = 1_048_576;

impl Dataverse {
    /// `EntityDefinitions`, one of them, its attributes, or those of one type.
    pub(super) fn definitions(&self, call: &Call, resource: &Resource) -> Result<Reply, Refusal> {
        let Some(key) = &resource.key else {
            let wanted = option(call, "$filter").map(equals).transpose()?;
            let tables = self.model.served();
            let tables = tables.filter(|t| wanted.as_ref().is_none_or(|w| w.wants(t)));
            let values: Vec<Json> = tables.map(|t| selected(call, definition(t))).collect();
            return Ok(list(call, DEFINITIONS, values));
        };
        let name = match key {
            Key::Named(parts) => parts.iter().find(|(name, _)| name == "LogicalName"),
            Key::Single(_) => None,
        };
        let Some((_, Literal::Text(name))) = name else {
            return Err(errors::query(Refused(
                "The sandbox finds definitions by LogicalName alone.".to_owned(),
            )));
        };
        let table = self
            .model
            .by_logical_name(name)
            .filter(|t| self.model.table(&t.set).is_some())
            .ok_or_else(|| no_such_definition(name))?;
        let segments: Vec<&str> = resource.rest.iter().map(String::as_str).collect();
        let of_type = match segments[..] {
            [] => {
                let mut body = selected(call, definition(table));
                body["@odata.context"] = json!(context(call, "EntityDefinitions/$entity"));
                return Ok(Reply::json(200, body.to_string()));
            }
            ["Attributes"] => None,
            ["Attributes", cast] => Some(cast),
            _ => return Err(errors::malformed_path(&call.path)),
        };
        let attributes = table.columns.iter().map(|c| self.attribute(table, c));
        let wanted = |a: &Json| {
            let kind = a["@odata.type"].as_str().unwrap_or_default();
            of_type.is_none_or(|cast| kind.strip_prefix('#') == Some(cast))
        };
        let values = attributes.filter(wanted).map(|mut attribute| {
            // Options are a navigation of the derived type: without a cast they aren't there to be expanded.
            let expanded = of_type.is_some() && option(call, "$expand").is_some();
            if !expanded && let Some(attribute) = attribute.as_object_mut() {
                attribute.retain(|name, _| !name.ends_with("OptionSet"));
            }
            selected(call, attribute)
        });
        let what = format!("EntityDefinitions('{}')/Attributes", table.logical);
        Ok(list(call, &what, values.collect()))
    }

    fn attribute(&self, table: &Table, column: &Column) -> Json {
        let name = logical_name(column);
        let (kind, mut own) = self.kind(table, column, name);
        let writable = match (&column.kind, column.access) {
            // A look-up's own column is only read; it is written by its navigation.
            (Kind::Lookup(_), _) | (_, Access::ReadWrite) => (true, true),
            (_, Access::CreateOnly) => (true, false),
            (_, Access::ReadOnly) => (false, false),
        };
        let required = match column.requirement {
            Requirement::Optional => "None",
            Requirement::Recommended => "Recommended",
            Requirement::Filled => "SystemRequired",
            Requirement::Required => "ApplicationRequired",
        };
        let common = json!({
            "@odata.type": format!("#{NAMESPACE}{kind}AttributeMetadata"),
            "LogicalName": name,
            "AttributeOf": null,
            "SchemaName": name,
            "EntityLogicalName": table.logical,
            "AttributeType": kind,
            "AttributeTypeName": { "Value": format!("{kind}Type") },
            "IsCustomAttribute": name.contains('_'),
            "IsPrimaryId": table.key.iter().any(|at| table.columns[*at].name == column.name),
            "IsValidForRead": true,
            "IsValidForCreate": writable.0,
            "IsValidForUpdate": writable.1,
            "RequiredLevel": { "Value": required, "CanBeChanged": true },
        });
        if let Json::Object(common) = common {
            own.extend(common);
        }
        Json::Object(own)
    }

    /// The type's name, and what only this type has.
    fn kind(
        &self,
        table: &Table,
        column: &Column,
        name: &str,
    ) -> (&'static str, Map<String, Json>) {
        let number = |value: &Option<dwmap_plan::Value>| {
            let text = value.as_ref().map(value::show_plan);
            text.and_then(|text| serde_json::from_str::<Json>(&text).ok())
        };
        let bounds = |more: Json| {
            let mut own = object(more);
            for (key, value) in [("MinValue", &column.min), ("MaxValue", &column.max)] {
                if let Some(number) = number(value) {
                    own.insert(key.to_owned(), number);
                }
            }
            own
        };
        let choice = |options: Vec<(String, i64)>| {
            let kind = match name {
                "statecode" => "State",
                "statuscode" => "Status",
                _ => "Picklist",
            };
            let options: Vec<Json> = options.into_iter().map(option_of).collect();
            let set = json!({ "GlobalOptionSet": null, "OptionSet": { "Name": format!("{}_{name}", table.logical), "Options": options } });
            (kind, object(set))
        };
        match &column.kind {
            Kind::Text(Some(length)) if *length <= STRING_LENGTH_MAX => {
                ("String", object(json!({ "MaxLength": length })))
            }
            Kind::Text(length) => {
                let length = length.unwrap_or(MEMO_LENGTH_MAX);
                ("Memo", object(json!({ "MaxLength": length })))
            }
            Kind::Bool => ("Boolean", Map::new()),
            Kind::Int32 => ("Integer", bounds(json!({}))),
            Kind::Int64 => ("BigInt", Map::new()),
            Kind::Decimal { scale, .. } => ("Decimal", bounds(json!({ "Precision": scale }))),
            Kind::Float => ("Double", Map::new()),
            Kind::Date => (
                "DateTime",
                object(
                    json!({ "Format": "DateOnly", "DateTimeBehavior": { "Value": "DateOnly" } }),
                ),
            ),
            Kind::DateTime => (
                "DateTime",
                object(
                    json!({ "Format": "DateAndTime", "DateTimeBehavior": { "Value": "UserLocal" } }),
                ),
            ),
            Kind::LocalTime => (
                "DateTime",
                object(
                    json!({ "Format": "DateAndTime", "DateTimeBehavior": { "Value": "TimeZoneIndependent" } }),
                ),
            ),
            Kind::Guid | Kind::VirtualId(_) => ("Uniqueidentifier", Map::new()),
            Kind::Binary => ("Virtual", Map::new()),
            Kind::Enum(def) => choice(
                def.members
                    .iter()
                    .map(|m| (m.name.clone(), m.value))
                    .collect(),
            ),
            Kind::Option(def) => {
                let members = def.members.iter().zip(OPTION_BASE..);
                choice(members.map(|(m, value)| (m.name.clone(), value)).collect())
            }
            Kind::Lookup(nav) => {
                let targets = table.navs.get(*nav).map_or(&[][..], |nav| &nav.targets);
                let targets: Vec<&str> = targets
                    .iter()
                    .map(|at| self.model.tables[*at].logical.as_str())
                    .collect();
                ("Lookup", object(json!({ "Targets": targets })))
            }
        }
    }
}

fn definition(table: &Table) -> Json {
    let id = table.key.first().map(|at| table.columns[*at].name.as_str());
    json!({
        "LogicalName": table.logical,
        "SchemaName": table.logical,
        "EntitySetName": table.set,
        "PrimaryIdAttribute": id,
        "ChangeTrackingEnabled": table.tracked,
        // Versions of virtual tables are the other system's.
        "IsOptimisticConcurrencyEnabled": table.source == Source::Own,
        "TableType": if table.source == Source::Own { "Standard" } else { "Virtual" },
    })
}

/// `parentaccountid` for `_parentaccountid_value`.
fn logical_name(column: &Column) -> &str {
    let name = column.name.as_str();
    match &column.kind {
        Kind::Lookup(_) => name
            .strip_prefix('_')
            .and_then(|name| name.strip_suffix("_value"))
            .unwrap_or(name),
        _ => name,
    }
}

fn option_of((label, value): (String, i64)) -> Json {
    let label = json!({ "Label": label, "LanguageCode": 1033 });
    json!({ "Value": value, "Label": { "LocalizedLabels": [label], "UserLocalizedLabel": label } })
}

fn object(value: Json) -> Map<String, Json> {
    match value {
        Json::Object(map) => map,
        _ => Map::new(),
    }
}

/// What a filter asks for: the sandbox takes one comparison, as a client with one table in mind sends it.
enum Wanted {
    Set(String),
    Name(String),
}

impl Wanted {
    fn wants(&self, table: &Table) -> bool {
        match self {
            Self::Set(set) => table.set == *set,
            Self::Name(name) => table.logical == *name,
        }
    }
}

fn equals(filter: &str) -> Result<Wanted, Refusal> {
    let refused = || {
        errors::query(Refused(format!(
            "The sandbox filters definitions by EntitySetName eq 'x' or LogicalName eq 'x' alone, not by {filter}."
        )))
    };
    let (name, literal) = filter.split_once(" eq ").ok_or_else(refused)?;
    let text = literal
        .trim()
        .strip_prefix('\'')
        .and_then(|t| t.strip_suffix('\''));
    let text = text.ok_or_else(refused)?.replace("''", "'");
    match name.trim() {
        "EntitySetName" => Ok(Wanted::Set(text)),
        "LogicalName" => Ok(Wanted::Name(text)),
        _ => Err(refused()),
    }
}

fn option<'a>(call: &'a Call, name: &str) -> Option<&'a str> {
    let found = call.query.iter().find(|(n, _)| n == name);
    found.map(|(_, value)| value.as_str())
}

/// What `$select` and `$expand` leave. Navigations come only where they are expanded.
fn selected(call: &Call, value: Json) -> Json {
    let Some(select) = option(call, "$select") else {
        return value;
    };
    let wanted: Vec<&str> = select.split(',').map(str::trim).collect();
    let kept = object(value).into_iter().filter(|(name, _)| {
        name.starts_with('@') || name.ends_with("OptionSet") || wanted.contains(&name.as_str())
    });
    Json::Object(kept.collect())
}

fn context(call: &Call, what: &str) -> String {
    format!("{}{ROOT}$metadata#{what}", call.origin)
}

fn list(call: &Call, what: &str, values: Vec<Json>) -> Reply {
    let body = json!({ "@odata.context": context(call, what), "value": values });
    Reply::json(200, body.to_string())
}

/// Source (~): what the service says of a logical name that it doesn't know.
fn no_such_definition(name: &str) -> Refusal {
    Refusal::new(
        404,
        "0x80060888",
        format!("Could not find an entity with name '{name}' in the metadata."),
    )
}
