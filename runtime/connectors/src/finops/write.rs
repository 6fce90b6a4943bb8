//! Rows as requests of their own, alone or in a `$batch`, where the service takes writes only in change sets.
//!
//! A change set is one transaction. Live rows have one each, so that one row's refusal takes no other with it. A load
//! puts several into one, for a commit costs more than a row; the rows of a set that is refused are sent again, each
//! in a set of its own.

use dwmap_connect::{Guard, RecordKey, Write, WriteKind, WriteMode};
use dwmap_odata::batch::{Request, Response};
use dwmap_odata::{ErrorBody, Key, Resource, Url};
use dwmap_plan::{Dialect, Query, Value};

use crate::odata::batch::Framing;
use crate::odata::outcome::Words;
use crate::odata::row;
use crate::odata::value::{self, Unfit, literal};

/// Rows of data entities.
pub(super) struct Rows {
    change_set_rows: usize,
}

impl Rows {
    pub(super) const fn of(mode: WriteMode) -> Self {
        Self {
            change_set_rows: match mode {
                WriteMode::Live => 1,
                WriteMode::Bulk => 50,
            },
        }
    }
}

impl Framing for Rows {
    fn frame(&self, query: &Query, write: &Write) -> Result<Request, Unfit> {
        let mut request = match &write.kind {
            WriteKind::Create { body } => {
                Request::new("POST", Url::set(&query.address.set)).json(body.clone())
            }
            WriteKind::Update { key, body } => {
                Request::new("PATCH", record(query, key)?).json(body.clone())
            }
            WriteKind::Delete { key } => Request::new("DELETE", record(query, key)?),
        };
        if !matches!(write.kind, WriteKind::Create { .. }) {
            request = match &write.guard {
                Guard::Version(version) => request.header("If-Match", &version.0),
                // Neither PATCH nor DELETE creates: a record that isn't there is a 404.
                Guard::Exists | Guard::Absent => request,
            };
        }
        let prefer = match (&write.kind, write.wants_row) {
            (WriteKind::Delete { .. }, _) => return Ok(request),
            (_, true) => "return=representation",
            (_, false) => "return=minimal",
        };
        Ok(request.header("Prefer", prefer))
    }

    fn change_set_rows(&self) -> Option<usize> {
        Some(self.change_set_rows)
    }
}

fn record(query: &Query, key: &RecordKey) -> Result<Url, Unfit> {
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
        .map(|((_, repr), value)| literal(value, repr, &query.enums, Dialect::Finops))
        .collect::<Result<Vec<_>, _>>()?;
    let names = columns.iter().map(|(name, _)| name.as_str());
    Ok(Url::set(&query.address.set)
        .key(names.zip(literals))
        .option("cross-company", "true"))
}

impl Words for Rows {
    fn is_conflict(&self, write: &Write, status: u16, error: &ErrorBody) -> bool {
        match write.kind {
            WriteKind::Create { .. } => {
                status == 409 || error.reason().to_lowercase().contains("already exists")
            }
            WriteKind::Update { .. } | WriteKind::Delete { .. } => status == 404,
        }
    }

    /// The key may come from a number sequence, so the answer is asked first.
    fn born(&self, query: &Query, write: &Write, response: &Response) -> Option<RecordKey> {
        let columns = &query.address.key;
        row::key(&response.body, columns, &query.enums)
            .or_else(|| {
                let link = response
                    .header_value("OData-EntityId")
                    .or_else(|| response.header_value("Location"))?;
                key_in_link(link, query)
            })
            .or_else(|| {
                let sent = |name: &String| {
                    let part = write.natural_key.iter().find(|(wire, _, _)| wire == name)?;
                    Some(part.2.clone()).filter(|value| !value.is_null())
                };
                columns.iter().map(|(name, _)| sent(name)).collect()
            })
    }
}

/// The key in `https://…/data/CustomersV3(dataAreaId='usmf',CustomerAccount='US-001')`.
fn key_in_link(link: &str, query: &Query) -> Option<RecordKey> {
    let at = link.find(&format!("/{}(", query.address.set))?;
    let path = link[at + 1..].split('?').next()?;
    let resource: Resource = path.parse().ok()?;
    let columns = &query.address.key;
    match (resource.key?, columns.as_slice()) {
        (Key::Single(literal), [(_, repr)]) => {
            Some(vec![value::of_literal(&literal, repr, &query.enums)?])
        }
        (Key::Named(parts), _) => columns
            .iter()
            .map(|(name, repr)| {
                let (_, literal) = parts.iter().find(|(part, _)| part == name)?;
                value::of_literal(literal, repr, &query.enums)
            })
            .collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dwmap_connect::Version;
    use dwmap_plan::{Address, Repr};

    fn query() -> Query {
        Query {
            address: Address {
                set: "CustomersV3".to_owned(),
                physical: "CustCustomerV3Entity".to_owned(),
                dialect: Dialect::Finops,
                key: vec![
                    ("dataAreaId".to_owned(), Repr::Text),
                    ("CustomerAccount".to_owned(), Repr::Text),
                ],
            },
            columns: vec!["Name".to_owned()],
            filter: None,
            order: Vec::new(),
            enums: Vec::new(),
        }
    }

    #[test]
    fn an_update_is_addressed_by_the_whole_key() {
        let write = Write {
            kind: WriteKind::Update {
                key: vec![Value::from("usmf"), Value::from("A/1 'x'")],
                body: bytes::Bytes::from_static(b"{}"),
            },
            guard: Guard::Version(Version("W/\"1\"".to_owned())),
            natural_key: Vec::new(),
            wants_row: true,
        };
        let request = Rows::of(WriteMode::Live).frame(&query(), &write).unwrap();
        assert_eq!(
            request.url,
            "CustomersV3(dataAreaId='usmf',CustomerAccount='A%2F1%20''x''')?cross-company=true"
        );
        assert_eq!(request.header_value("if-match"), Some("W/\"1\""));
        assert_eq!(
            request.header_value("prefer"),
            Some("return=representation")
        );
    }

    #[test]
    fn the_key_that_was_drawn_is_in_the_link() {
        let link = "https://h/data/CustomersV3(dataAreaId='usmf',CustomerAccount='US%2F000042')";
        assert_eq!(
            key_in_link(link, &query()),
            Some(vec![Value::from("usmf"), Value::from("US/000042")])
        );
        for wrong in [
            "",
            "https://h/data/CustomersV3",
            "/CustomersV3(dataAreaId='x')",
        ] {
            assert_eq!(key_in_link(wrong, &query()), None, "{wrong}");
        }
    }
}
