//! Rows of an answer: slices of its body, with their versions.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use dwmap_connect::{ConnectError, RecordKey, Row, Version};
use dwmap_odata::{Page, page};
use dwmap_plan::{EnumDef, Repr};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::service::Service;
use super::transport::Answer;
use super::value;

const ETAG: &str = "@odata.etag";

/// A page as it came.
pub(crate) struct Rows {
    pub(crate) entries: Vec<Entry>,
    /// Links, as the system wrote them.
    pub(crate) next: Option<String>,
    pub(crate) delta: Option<String>,
}

/// What stands in a page.
pub(crate) enum Entry {
    Row(Row),
    /// A deleted record, by its id.
    Deleted(String),
}

impl Entry {
    pub(crate) fn into_row(self) -> Option<Row> {
        match self {
            Self::Row(row) => Some(row),
            Self::Deleted(_) => None,
        }
    }
}

impl Rows {
    /// Reads the body of an answer. Rows share its buffer.
    pub(crate) fn read(
        service: &Service,
        what: &str,
        answer: &Answer,
    ) -> Result<Self, ConnectError> {
        let body = &answer.body;
        let page = Page::parse(body).map_err(|problem| service.nonsense(what, problem))?;
        let entries = page
            .rows
            .iter()
            .map(|raw| match page::deleted(raw) {
                Some(deleted) => Entry::Deleted(deleted.id.into_owned()),
                None => Entry::Row(Row {
                    json: body.slice_ref(raw.get().as_bytes()),
                    version: version(raw.get()),
                }),
            })
            .collect();
        Ok(Self {
            entries,
            next: page.next_link.map(Cow::into_owned),
            delta: page.delta_link.map(Cow::into_owned),
        })
    }

    pub(crate) fn into_rows(self) -> Vec<Row> {
        self.entries
            .into_iter()
            .filter_map(Entry::into_row)
            .collect()
    }
}

/// A single row that is an answer's whole body; none if that isn't a JSON object.
pub(crate) fn single(body: &Bytes) -> Option<Row> {
    let raw: &RawValue = serde_json::from_slice(body).ok()?;
    raw.get().starts_with('{').then(|| Row {
        json: body.slice_ref(raw.get().as_bytes()),
        version: version(raw.get()),
    })
}

/// The version of a row. Both services write it first, so that the rest needn't be read.
fn version(row: &str) -> Option<Version> {
    const FIRST: &str = "{\"@odata.etag\":";
    if let Some(rest) = row.strip_prefix(FIRST) {
        let mut json = serde_json::Deserializer::from_str(rest);
        return String::deserialize(&mut json).ok().map(Version);
    }
    let etag = pick(row, &[ETAG])?.pop()??;
    serde_json::from_str(etag.get()).ok().map(Version)
}

/// The values of some columns of a row, in the order of `names`; none if it isn't a JSON object.
pub(crate) fn pick<'r>(row: &'r str, names: &[&str]) -> Option<Vec<Option<&'r RawValue>>> {
    let mut json = serde_json::Deserializer::from_str(row);
    json.deserialize_map(Picker { names }).ok()
}

struct Picker<'n> {
    names: &'n [&'n str],
}

impl<'de> Visitor<'de> for Picker<'_> {
    type Value = Vec<Option<&'de RawValue>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = vec![None; self.names.len()];
        while let Some(Name(name)) = map.next_key()? {
            match self.names.iter().position(|n| *n == name) {
                Some(at) => found[at] = Some(map.next_value()?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// The record key of a row; none if a part of it is missing or not of its form.
pub(crate) fn key(row: &[u8], columns: &[(String, Repr)], enums: &[EnumDef]) -> Option<RecordKey> {
    let row = std::str::from_utf8(row).ok()?;
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let values = pick(row, &names)?;
    columns
        .iter()
        .zip(values)
        .map(|((_, repr), raw)| value::read(raw?, repr, enums).filter(|v| !v.is_null()))
        .collect()
}

/// The names of a JSON object's members; none of what isn't one.
pub(crate) fn names(body: &[u8]) -> Vec<String> {
    let members = serde_json::from_slice::<std::collections::BTreeMap<String, &RawValue>>(body);
    members.map(|m| m.into_keys().collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dwmap_plan::Value;

    #[test]
    fn a_version_is_found_wherever_it_stands() {
        let wanted = Some(Version("W/\"915244\"".to_owned()));
        assert_eq!(version(r#"{"@odata.etag":"W/\"915244\"","a":1}"#), wanted);
        assert_eq!(
            version(r#"{"a":1, "@odata.etag" : "W/\"915244\""}"#),
            wanted
        );
        assert_eq!(version(r#"{"a":1}"#), None);
        assert_eq!(version("[]"), None);
    }

    #[test]
    fn a_key_needs_all_its_parts() {
        let columns = [("a".to_owned(), Repr::Text), ("n".to_owned(), Repr::Int32)];
        let read = |row: &str| key(row.as_bytes(), &columns, &[]);
        assert_eq!(
            read(r#"{"n":2,"x":{"a":"no"},"a":"b"}"#),
            Some(vec![Value::from("b"), Value::Int(2)])
        );
        for wrong in [
            r#"{"a":"b"}"#,
            r#"{"a":"b","n":null}"#,
            r#"{"a":"b","n":"x"}"#,
            "3",
            "{",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_single_row_is_a_slice_of_the_answer() {
        let body = Bytes::from_static(b" {\"a\":1}\n");
        assert_eq!(single(&body).unwrap().json, "{\"a\":1}");
        assert!(single(&Bytes::from_static(b"[1]")).is_none());
        assert!(single(&Bytes::new()).is_none());
    }
}
