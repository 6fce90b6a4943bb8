//! The metadata service beside `/data`.
//!
//! Source: *Metadata endpoints* of the Finance & Operations documentation: `PublicEntities` with the properties of each
//! data entity, `PublicEnumerations` with the members of each enum. It tells no lengths of texts.

use dwmap_odata::{Key, Literal, Resource};
use dwmap_plan::{Access, Requirement};
use serde_json::{Value as Json, json};

use super::{Finops, errors};
use crate::http::{Call, Refusal, Reply};
use crate::model::{Column, Kind, Table};

/// The path of the service's root.
pub(super) const ROOT: &str = "/metadata/";
const NAMESPACE: &str = "Microsoft.Dynamics.DataEntities";

impl Finops {
    pub(super) fn metadata(&self, call: &Call, path: &str) -> Result<Reply, Refusal> {
        if call.method != "GET" {
            return Err(errors::method_not_allowed(call));
        }
        let not_there = || errors::no_such_resource(call);
        let resource: Resource = path.parse().map_err(|_| not_there())?;
        match (resource.set.as_str(), &resource.key) {
            ("PublicEntities", None) => {
                let filter = call.query.iter().find(|(name, _)| name == "$filter");
                let wanted = filter.map(|(_, filter)| set_of(filter).ok_or_else(not_there));
                let wanted = wanted.transpose()?;
                let tables = self.model.served();
                let tables = tables.filter(|t| wanted.as_ref().is_none_or(|w| t.set == *w));
                let values: Vec<Json> = tables.map(entity).collect();
                let body =
                    json!({ "@odata.context": context(call, "PublicEntities"), "value": values });
                Ok(Reply::json(200, body.to_string()))
            }
            ("PublicEnumerations", Some(Key::Single(Literal::Text(name)))) => {
                let mut enumeration = self.enumeration(name).ok_or_else(not_there)?;
                let what = "PublicEnumerations/$entity";
                enumeration["@odata.context"] = json!(context(call, what));
                Ok(Reply::json(200, enumeration.to_string()))
            }
            _ => Err(not_there()),
        }
    }

    fn enumeration(&self, name: &str) -> Option<Json> {
        let columns = self.model.served().flat_map(|t| &t.columns);
        let def = columns.into_iter().find_map(|c| match &c.kind {
            Kind::Enum(def) if def.name == name => Some(def),
            _ => None,
        })?;
        let members = def.members.iter().map(|m| {
            json!({ "Name": m.name, "Value": m.value, "LabelId": null, "ConfigurationEnabled": true })
        });
        Some(json!({ "Name": def.name, "LabelId": null, "Members": members.collect::<Vec<_>>() }))
    }
}

fn entity(table: &Table) -> Json {
    let properties = table.columns.iter().enumerate();
    let properties: Vec<Json> = properties
        .map(|(at, column)| property(column, table.key.contains(&at)))
        .collect();
    json!({
        "Name": table.set.strip_suffix('s').unwrap_or(&table.set),
        "EntitySetName": table.set,
        "LabelId": null,
        "IsReadOnly": false,
        "ConfigurationEnabled": true,
        "Properties": properties,
        "NavigationProperties": [],
        "PropertyGroups": [],
        "Actions": [],
    })
}

fn property(column: &Column, is_key: bool) -> Json {
    let (ty, data_type) = kind(&column.kind);
    json!({
        "Name": column.name,
        "TypeName": ty,
        "DataType": data_type,
        "LabelId": null,
        "IsKey": is_key,
        "IsMandatory": column.requirement == Requirement::Required,
        "ConfigurationEnabled": true,
        "AllowEdit": column.access == Access::ReadWrite && !is_key,
        "AllowEditOnCreate": column.access != Access::ReadOnly,
        "IsDimension": false,
        "DimensionRelation": null,
        "IsDynamicDimension": false,
        "DimensionLegalEntityProperty": null,
        "DimensionTypeProperty": null,
    })
}

/// The OData type and the type in X++.
fn kind(kind: &Kind) -> (String, &'static str) {
    let data_type = match kind {
        Kind::Text(_) => "String",
        Kind::Int32 => "Int32",
        Kind::Int64 => "Int64",
        Kind::Decimal { .. } | Kind::Float => "Real",
        Kind::Date => "Date",
        Kind::DateTime | Kind::LocalTime => "UtcDateTime",
        Kind::Guid | Kind::Lookup(_) | Kind::VirtualId(_) => "Guid",
        Kind::Enum(def) | Kind::Option(def) => {
            return (format!("{NAMESPACE}.{}", def.name), "Enum");
        }
        Kind::Bool => "Enum",
        Kind::Binary => "Container",
    };
    let edm = match kind {
        // Days travel as instants at noon.
        Kind::Date => "Edm.DateTimeOffset",
        other => other.edm(),
    };
    (edm.to_owned(), data_type)
}

/// The set in `EntitySetName eq 'CustomersV3'`.
fn set_of(filter: &str) -> Option<String> {
    let literal = filter.strip_prefix("EntitySetName eq ")?.trim();
    let text = literal.strip_prefix('\'')?.strip_suffix('\'')?;
    Some(text.replace("''", "'"))
}

fn context(call: &Call, what: &str) -> String {
    format!("{}{ROOT}$metadata#{what}", call.origin)
}
