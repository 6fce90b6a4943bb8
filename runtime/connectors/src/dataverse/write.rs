//! Rows as requests of their own: guarded by `If-Match`, alone or in a `$batch`.

use dwmap_connect::{Guard, RecordKey, Write, WriteKind};
use dwmap_odata::batch::{Request, Response};
use dwmap_odata::literal::parse_guid;
use dwmap_odata::{ErrorBody, Key, Literal, Resource, Url};
use dwmap_plan::{Dialect, Query, Repr, Value};

use crate::odata::batch::Framing;
use crate::odata::outcome::Words;
use crate::odata::row;
use crate::odata::value::{Unfit, literal};

/// `ObjectDoesNotExist`.
const NOT_THERE: &str = "0x80040217";
/// `DuplicateRecord`, and `DuplicateRecordEntityKey` for alternate keys.
const DUPLICATES: [&str; 2] = ["0x80040237", "0x80060892"];

/// Rows of Dataverse tables.
pub(super) struct Rows;

impl Framing for Rows {
    fn frame(&self, query: &Query, write: &Write) -> Result<Request, Unfit> {
        let set = Url::set(&query.address.set);
        let mut request = match &write.kind {
            WriteKind::Create { body } => {
                Request::new("POST", with_select(set, query, write)).json(body.clone())
            }
            WriteKind::Update { key, body } => {
                let url = with_select(with_key(set, query, key)?, query, write);
                let request = Request::new("PATCH", url).json(body.clone());
                match &write.guard {
                    Guard::Version(version) => request.header("If-Match", &version.0),
                    Guard::Exists => request.header("If-Match", "*"),
                    Guard::Absent => request.header("If-None-Match", "*"),
                }
            }
            WriteKind::Delete { key } => {
                let request = Request::new("DELETE", with_key(set, query, key)?);
                match &write.guard {
                    Guard::Version(version) => request.header("If-Match", &version.0),
                    // A row that isn't there is told by a 404.
                    Guard::Exists | Guard::Absent => request,
                }
            }
        };
        if write.wants_row && !matches!(write.kind, WriteKind::Delete { .. }) {
            request = request.header("Prefer", "return=representation");
        }
        Ok(request)
    }

    fn change_set_rows(&self) -> Option<usize> {
        None
    }
}

fn with_select(url: Url, query: &Query, write: &Write) -> String {
    if write.wants_row {
        url.option("$select", &query.columns.join(",")).into()
    } else {
        url.into()
    }
}

fn with_key(url: Url, query: &Query, key: &RecordKey) -> Result<Url, Unfit> {
    let columns = &query.address.key;
    if columns.len() != key.len() || key.iter().any(Value::is_null) {
        return Err(Unfit(format!(
            "a key of {} needs {} values that aren't null",
            query.address.set,
            columns.len()
        )));
    }
    let literals = columns
        .iter()
        .zip(key)
        .map(|((_, repr), value)| literal(value, repr, &query.enums, Dialect::Dataverse))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(match (columns.as_slice(), literals.as_slice()) {
        ([(_, Repr::Guid)], [id]) => url.id(id),
        _ => url.key(columns.iter().map(|(name, _)| name.as_str()).zip(literals)),
    })
}

impl Words for Rows {
    fn is_conflict(&self, write: &Write, status: u16, error: &ErrorBody) -> bool {
        if DUPLICATES.contains(&error.code.as_str()) {
            return matches!(write.kind, WriteKind::Create { .. });
        }
        let own = match &write.kind {
            WriteKind::Create { .. } => return false,
            WriteKind::Update { key, .. } | WriteKind::Delete { key } => key,
        };
        // A look-up's target that isn't there is a 404 with the same code: the message names whose id it means.
        let named: Vec<Value> = guids(error.reason()).collect();
        let is_own = named.is_empty() || named.iter().any(|id| own.contains(id));
        (status == 404 || error.code == NOT_THERE) && is_own
    }

    fn born(&self, query: &Query, _write: &Write, response: &Response) -> Option<RecordKey> {
        let told = response
            .header_value("OData-EntityId")
            .or_else(|| response.header_value("Location"))
            .and_then(id_in_link);
        told.map(|id| vec![id])
            .or_else(|| row::key(&response.body, &query.address.key, &query.enums))
    }
}

/// The id in `https://…/accounts(00000000-…)`.
fn id_in_link(link: &str) -> Option<Value> {
    let resource: Resource = link.rsplit('/').next()?.parse().ok()?;
    match resource.key? {
        Key::Single(Literal::Guid(id)) => Some(Value::Guid(id)),
        _ => None,
    }
}

/// The GUIDs that a message names.
fn guids(message: &str) -> impl Iterator<Item = Value> + '_ {
    message
        .split(|c: char| !(c.is_ascii_hexdigit() || c == '-'))
        .filter_map(parse_guid)
        .map(Value::Guid)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0000000a-0000-0000-0000-00000000000b";

    fn id() -> Value {
        Value::Guid(parse_guid(ID).unwrap())
    }

    fn update() -> Write {
        Write {
            kind: WriteKind::Update {
                key: vec![id()],
                body: bytes::Bytes::from_static(b"{}"),
            },
            guard: Guard::Exists,
            natural_key: Vec::new(),
            wants_row: false,
        }
    }

    #[test]
    fn the_id_is_in_the_link() {
        let link = format!("https://h/api/data/v9.2/accounts({ID})");
        assert_eq!(id_in_link(&link), Some(id()));
        for wrong in ["", "accounts", "https://h/accounts(name='x')", "x(1)"] {
            assert_eq!(id_in_link(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_missing_row_is_a_conflict_and_a_missing_target_is_not() {
        let says = |message: &str| {
            let error = ErrorBody::new(NOT_THERE, message);
            Rows.is_conflict(&update(), 404, &error)
        };
        assert!(says(&format!("account With Id = {ID} Does Not Exist")));
        assert!(says("Resource not found"));
        let other = "0000000a-0000-0000-0000-0000000000ff";
        assert!(!says(&format!(
            "msdyn_vendor With Id = {other} Does Not Exist"
        )));
    }
}
