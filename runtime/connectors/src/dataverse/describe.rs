//! Tables as they live, by their definitions.
//!
//! Source: *Query table definitions using the Web API*: what only a derived type has (lengths, options) takes a cast.
//! Definitions and attributes of all tables go in one batch each.

use dwmap_connect::{ConnectError, LiveEntity, LiveField, LiveKind, LiveOption};
use dwmap_odata::url::encode;
use dwmap_plan::Access;
use serde::Deserialize;

use crate::odata::batch::{self, Read, odata_headers};
use crate::odata::transport::Answer;
use crate::odata::{Request, Service};

/// What all attributes have.
const COMMON: &str = "LogicalName,AttributeOf,AttributeType,IsValidForRead,IsValidForCreate,IsValidForUpdate,RequiredLevel";

/// The derived types of which more is wanted, and what.
const CASTS: &[(&str, &str)] = &[
    ("String", "$select=LogicalName,MaxLength"),
    ("Memo", "$select=LogicalName,MaxLength"),
    ("Integer", "$select=LogicalName,MinValue,MaxValue"),
    ("Decimal", "$select=LogicalName,Precision,MinValue,MaxValue"),
    (
        "Money",
        "$select=LogicalName,Precision,PrecisionSource,MinValue,MaxValue",
    ),
    ("DateTime", "$select=LogicalName,Format"),
    ("Lookup", "$select=LogicalName,Targets"),
    ("Picklist", OPTIONS),
    ("State", OPTIONS),
    ("Status", OPTIONS),
];
/// Where a column uses a set of the whole environment, the options stand there alone.
const OPTIONS: &str =
    "$select=LogicalName&$expand=OptionSet($select=Options),GlobalOptionSet($select=Options)";
/// A batch takes a thousand parts.
const TABLES_IN_BATCH: usize = 1_000 / (CASTS.len() + 1);

/// A table by which of its names it is found.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Table<'a> {
    Set(&'a str),
    LogicalName(&'a str),
}

#[derive(Deserialize)]
struct List<T> {
    value: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    logical_name: String,
    entity_set_name: Option<String>,
    change_tracking_enabled: Option<bool>,
    is_optimistic_concurrency_enabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    logical_name: String,
    #[serde(rename = "AttributeType")]
    kind: Option<String>,
    /// The attribute that this one only shows (the name of a look-up's record): no column of the Web API.
    #[serde(rename = "AttributeOf")]
    shown_of: Option<String>,
    is_valid_for_read: Option<bool>,
    is_valid_for_create: Option<bool>,
    is_valid_for_update: Option<bool>,
    required_level: Option<RequiredLevel>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RequiredLevel {
    value: String,
}

/// What one of the casts tells of an attribute.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Detail {
    logical_name: String,
    max_length: Option<u32>,
    precision: Option<u8>,
    /// 0 for the attribute's own; else the currency's or the organisation's decides.
    precision_source: Option<i32>,
    min_value: Option<serde_json::Number>,
    max_value: Option<serde_json::Number>,
    format: Option<String>,
    targets: Option<Vec<String>>,
    option_set: Option<OptionSet>,
    global_option_set: Option<OptionSet>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OptionSet {
    #[serde(default)]
    options: Vec<Choice>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Choice {
    value: i64,
    label: Option<Label>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Label {
    user_localized_label: Option<LocalizedLabel>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LocalizedLabel {
    label: String,
}

/// The tables as they live, in the order asked; none for one that isn't there.
pub(crate) async fn describe(
    service: &Service,
    tables: &[Table<'_>],
) -> Result<Vec<Option<LiveEntity>>, ConnectError> {
    let definitions = definitions(service, tables).await?;
    let mut entities = Vec::with_capacity(tables.len());
    for chunk in definitions.chunks(TABLES_IN_BATCH) {
        let reads: Vec<Read> = chunk
            .iter()
            .flatten()
            .flat_map(|d| attribute_reads(service, d))
            .collect();
        let mut answers = batch::read(service, &reads).await.into_iter();
        let mut reads = reads.iter();
        for definition in chunk {
            entities.push(match definition {
                None => None,
                Some(definition) => {
                    let answers: Vec<_> = answers.by_ref().take(1 + CASTS.len()).collect();
                    let reads: Vec<_> = reads.by_ref().take(1 + CASTS.len()).collect();
                    Some(entity(service, definition, &reads, answers)?)
                }
            });
        }
    }
    Ok(entities)
}

async fn definitions(
    service: &Service,
    tables: &[Table<'_>],
) -> Result<Vec<Option<Definition>>, ConnectError> {
    const SELECT: &str =
        "LogicalName,EntitySetName,ChangeTrackingEnabled,IsOptimisticConcurrencyEnabled";
    let mut found = Vec::with_capacity(tables.len());
    for chunk in tables.chunks(1_000) {
        let reads: Vec<Read> = chunk
            .iter()
            .map(|table| {
                let (property, name) = match table {
                    Table::Set(name) => ("EntitySetName", name),
                    Table::LogicalName(name) => ("LogicalName", name),
                };
                let filter = format!("{property} eq '{}'", name.replace('\'', "''"));
                let filter = encode(&filter);
                Read {
                    what: format!("read the definition of {name}"),
                    request: get(
                        service,
                        &format!("EntityDefinitions?$filter={filter}&$select={SELECT}"),
                    ),
                }
            })
            .collect();
        let answers = batch::read(service, &reads).await;
        for (read, answer) in reads.iter().zip(answers) {
            let list: List<Definition> = parse(service, &read.what, &answer?)?;
            found.push(list.value.into_iter().next());
        }
    }
    Ok(found)
}

/// The attributes, then the casts in their order.
fn attribute_reads(service: &Service, definition: &Definition) -> Vec<Read> {
    let name = encode(&definition.logical_name.replace('\'', "''"));
    let path = format!("EntityDefinitions(LogicalName='{name}')/Attributes");
    let all = format!("{path}?$select={COMMON}");
    let casts = CASTS.iter().map(|(kind, options)| {
        format!("{path}/Microsoft.Dynamics.CRM.{kind}AttributeMetadata?{options}")
    });
    std::iter::once(all)
        .chain(casts)
        .map(|relative| Read {
            what: format!("read the definition of {}", definition.logical_name),
            request: get(service, &relative),
        })
        .collect()
}

fn entity(
    service: &Service,
    definition: &Definition,
    reads: &[&Read],
    answers: Vec<Result<Answer, ConnectError>>,
) -> Result<LiveEntity, ConnectError> {
    let mut attributes = Vec::new();
    let mut details = Vec::new();
    for (at, (read, answer)) in reads.iter().zip(answers).enumerate() {
        let answer = answer?;
        if at == 0 {
            attributes = parse::<List<Attribute>>(service, &read.what, &answer)?.value;
        } else {
            details.extend(parse::<List<Detail>>(service, &read.what, &answer)?.value);
        }
    }
    let mut fields: Vec<LiveField> = attributes
        .into_iter()
        .filter(|a| a.is_valid_for_read != Some(false) && a.shown_of.is_none())
        .map(field)
        .collect();
    for detail in details {
        let wire = lookup_wire(&detail.logical_name);
        let is_it = |f: &&mut LiveField| {
            f.wire
                == if matches!(f.kind, LiveKind::Reference(_)) {
                    wire.as_str()
                } else {
                    detail.logical_name.as_str()
                }
        };
        if let Some(field) = fields.iter_mut().find(is_it) {
            refine(field, detail);
        }
    }
    Ok(LiveEntity {
        set: definition.entity_set_name.clone().unwrap_or_default(),
        fields,
        tracks_changes: definition.change_tracking_enabled,
        guards_versions: definition.is_optimistic_concurrency_enabled,
    })
}

/// The column by which a look-up is read.
fn lookup_wire(logical_name: &str) -> String {
    format!("_{logical_name}_value")
}

fn field(attribute: Attribute) -> LiveField {
    let kind = match attribute.kind.as_deref().unwrap_or_default() {
        "String" | "Memo" | "EntityName" => LiveKind::Text,
        "Boolean" => LiveKind::Bool,
        "Integer" => LiveKind::Int32,
        "BigInt" => LiveKind::Int64,
        "Decimal" | "Money" => LiveKind::Decimal,
        "Double" => LiveKind::Float,
        "DateTime" => LiveKind::DateTime,
        "Uniqueidentifier" => LiveKind::Guid,
        "Picklist" | "State" | "Status" => LiveKind::Choice,
        "Lookup" | "Customer" | "Owner" => LiveKind::Reference(Vec::new()),
        other => LiveKind::Other(other.to_lowercase()),
    };
    let wire = match kind {
        LiveKind::Reference(_) => lookup_wire(&attribute.logical_name),
        _ => attribute.logical_name,
    };
    let access = match (attribute.is_valid_for_create, attribute.is_valid_for_update) {
        (_, Some(true)) => Some(Access::ReadWrite),
        (Some(true), Some(false)) => Some(Access::CreateOnly),
        (Some(false), Some(false)) => Some(Access::ReadOnly),
        _ => None,
    };
    // What the system itself requires, it fills.
    let required = attribute
        .required_level
        .is_some_and(|level| level.value == "ApplicationRequired");
    LiveField {
        access,
        required,
        ..LiveField::new(wire, kind)
    }
}

fn refine(field: &mut LiveField, detail: Detail) {
    field.length_max = detail.max_length.or(field.length_max);
    if detail.precision_source.unwrap_or(0) == 0 {
        field.scale = detail.precision.or(field.scale);
    }
    field.min = detail.min_value.map(|n| n.to_string()).or(field.min.take());
    field.max = detail.max_value.map(|n| n.to_string()).or(field.max.take());
    if detail.format.as_deref() == Some("DateOnly") {
        field.kind = LiveKind::Date;
    }
    if let (LiveKind::Reference(targets), Some(told)) = (&mut field.kind, detail.targets) {
        *targets = told;
    }
    let sets = [detail.option_set, detail.global_option_set];
    let told = |set: &OptionSet| !set.options.is_empty();
    if let Some(set) = sets.into_iter().flatten().find(told) {
        let option = |choice: Choice| LiveOption {
            name: choice
                .label
                .and_then(|l| l.user_localized_label)
                .map_or_else(|| choice.value.to_string(), |l| l.label),
            value: choice.value,
        };
        field.options = Some(set.options.into_iter().map(option).collect());
    }
}

fn get(service: &Service, relative: &str) -> Request {
    let mut request = Request::get(service.url(relative));
    request.headers = odata_headers();
    request
}

pub(crate) fn parse<T: serde::de::DeserializeOwned>(
    service: &Service,
    what: &str,
    answer: &Answer,
) -> Result<T, ConnectError> {
    serde_json::from_slice(&answer.body).map_err(|e| service.nonsense(what, e))
}
