//! The `RemoteExecutionContext` in JSON.
//!
//! Source: *Use webhooks to create external handlers for server events* and its example of a request's body.

use std::io::Write as _;

use rusqlite::types::Value;

use super::Message;
use crate::clock;
use crate::model::{Kind, Model, Service, Table};
use crate::value;

const CONTRACTS: &str = "http://schemas.microsoft.com/xrm/2011/Contracts";

/// A change of a row that was committed.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub message: Message,
    /// The entity's logical name.
    pub entity: String,
    pub id: String,
    pub correlation: String,
    /// The columns that changed.
    pub changed: Vec<String>,
    /// The changed attributes, as the elements of a JSON array.
    attributes: Vec<u8>,
    /// The attributes before, as the elements of a JSON array; empty where there is no image.
    before: Vec<u8>,
    /// Microseconds since 1970.
    at: i64,
}

/// How much of the row goes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contents {
    Whole,
    LeftOut,
}

impl Event {
    /// A change of these columns of a row.
    pub(crate) fn of_row(
        model: &Model,
        table: &Table,
        message: Message,
        id: &Value,
        changes: &[(usize, Value)],
    ) -> Self {
        let mut id_json = Vec::new();
        value::write_json(
            &mut id_json,
            Service::Dataverse,
            &table.columns[table.key[0]].kind,
            id.into(),
        );
        Self {
            message,
            entity: table.logical.clone(),
            id: String::from_utf8_lossy(&id_json)
                .trim_matches('"')
                .to_owned(),
            correlation: value::guid_text(&clock::new_id()),
            changed: changes
                .iter()
                .map(|(at, _)| table.columns[*at].name.clone())
                .collect(),
            attributes: attributes(model, table, changes),
            before: Vec::new(),
            at: clock::now_micros(),
        }
    }

    /// Adds the row as it was before.
    pub(crate) fn with_image(
        mut self,
        model: &Model,
        table: &Table,
        row: &[(usize, Value)],
    ) -> Self {
        self.before = attributes(model, table, row);
        self
    }

    pub(super) fn context(&self, contents: Contents) -> Vec<u8> {
        let nobody = "00000000-0000-0000-0000-000000000001";
        let at = format!("/Date({})/", self.at / 1000);
        let mut out = Vec::with_capacity(1_500 + self.attributes.len() + self.before.len());
        let _ = write!(
            out,
            "{{\"BusinessUnitId\":\"{nobody}\",\"CorrelationId\":\"{}\",\"Depth\":1,\"InitiatingUserId\":\"{nobody}\",\"InputParameters\":[",
            self.correlation
        );
        let whole = contents == Contents::Whole;
        if whole {
            out.extend_from_slice(b"{\"key\":\"Target\",\"value\":");
            self.target(&mut out);
            out.push(b'}');
        }
        let _ = write!(
            out,
            "],\"IsExecutingOffline\":false,\"IsInTransaction\":false,\"IsOfflinePlayback\":false,\"IsolationMode\":1,\"MessageName\":\"{}\",\"Mode\":1,\"OperationCreatedOn\":\"{at}\",\"OperationId\":\"{}\",\"OrganizationId\":\"{nobody}\",\"OrganizationName\":\"sandbox\",\"OutputParameters\":[],\"ParentContext\":null,\"PostEntityImages\":[],\"PreEntityImages\":[",
            self.message.name(),
            self.correlation,
        );
        if whole && !self.before.is_empty() {
            out.extend_from_slice(b"{\"key\":\"PreImage\",\"value\":");
            self.entity(&mut out, &self.before);
            out.push(b'}');
        }
        let _ = write!(
            out,
            "],\"PrimaryEntityId\":\"{}\",\"PrimaryEntityName\":\"{}\",\"RequestId\":\"{}\",\"SecondaryEntityName\":\"none\",\"SharedVariables\":[],\"Stage\":40,\"UserId\":\"{nobody}\"}}",
            self.id, self.entity, self.correlation,
        );
        out
    }

    /// The row, or only a reference to it where it is gone.
    fn target(&self, out: &mut Vec<u8>) {
        if self.message == Message::Delete {
            let _ = write!(
                out,
                "{{\"__type\":\"EntityReference:{CONTRACTS}\",\"Id\":\"{}\",\"KeyAttributes\":[],\"LogicalName\":\"{}\",\"Name\":null,\"RowVersion\":null}}",
                self.id, self.entity
            );
        } else {
            self.entity(out, &self.attributes);
        }
    }

    fn entity(&self, out: &mut Vec<u8>, attributes: &[u8]) {
        let _ = write!(out, "{{\"__type\":\"Entity:{CONTRACTS}\",\"Attributes\":[");
        out.extend_from_slice(attributes);
        let _ = write!(
            out,
            "],\"EntityState\":null,\"FormattedValues\":[],\"Id\":\"{}\",\"KeyAttributes\":[],\"LogicalName\":\"{}\",\"RelatedEntities\":[],\"RowVersion\":null}}",
            self.id, self.entity
        );
    }
}

fn attributes(model: &Model, table: &Table, values: &[(usize, Value)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (at, value) in values {
        let column = &table.columns[*at];
        if !out.is_empty() {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"key\":");
        let name = match &column.kind {
            // In the platform a look-up is known by its navigation.
            Kind::Lookup(nav) => &table.navs[*nav].name,
            _ => &column.name,
        };
        value::write_text(&mut out, name.as_bytes());
        out.extend_from_slice(b",\"value\":");
        write_value(&mut out, model, table, &column.kind, value);
        out.push(b'}');
    }
    out
}

fn write_value(out: &mut Vec<u8>, model: &Model, table: &Table, kind: &Kind, value: &Value) {
    match (kind, value) {
        (Kind::DateTime | Kind::LocalTime, Value::Integer(micros)) => {
            let _ = write!(out, "\"\\/Date({})\\/\"", micros.div_euclid(1000));
        }
        (Kind::Date, Value::Integer(days)) => {
            let _ = write!(out, "\"\\/Date({})\\/\"", days * 86_400_000);
        }
        (Kind::Enum(_) | Kind::Option(_), Value::Integer(n)) => {
            let _ = write!(
                out,
                "{{\"__type\":\"OptionSetValue:{CONTRACTS}\",\"Value\":{n}}}"
            );
        }
        (Kind::Lookup(nav), Value::Blob(_)) => {
            let logical = table.navs[*nav]
                .targets
                .first()
                .map_or("", |t| model.tables[*t].logical.as_str());
            let _ = write!(out, "{{\"__type\":\"EntityReference:{CONTRACTS}\",\"Id\":");
            value::write_json(out, Service::Dataverse, kind, value.into());
            let _ = write!(
                out,
                ",\"KeyAttributes\":[],\"LogicalName\":\"{logical}\",\"Name\":null,\"RowVersion\":null}}"
            );
        }
        _ => value::write_json(out, Service::Dataverse, kind, value.into()),
    }
}
