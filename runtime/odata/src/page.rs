//! The envelope of a collection, its rows left as they stand.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::Nonsense;

/// One page of a collection.
///
/// ```
/// let body = br#"{"@odata.context":"","value":[{"a":1}],"@odata.nextLink":"http://h/next"}"#;
/// let page = dwmap_odata::Page::parse(body).unwrap();
/// assert_eq!(page.rows[0].get(), r#"{"a":1}"#);
/// assert_eq!(page.next_link.as_deref(), Some("http://h/next"));
/// ```
#[derive(Debug, Deserialize)]
pub struct Page<'a> {
    /// The rows, each as its JSON text.
    #[serde(rename = "value", borrow)]
    pub rows: Vec<&'a RawValue>,
    /// Where the next page is.
    #[serde(rename = "@odata.nextLink", borrow, default)]
    pub next_link: Option<Cow<'a, str>>,
    /// Where later changes are: on the last page of a tracked read.
    #[serde(rename = "@odata.deltaLink", borrow, default)]
    pub delta_link: Option<Cow<'a, str>>,
    /// The number of rows in all, where it was asked for (Dataverse counts to 5,000 only).
    #[serde(rename = "@odata.count", default)]
    pub count: Option<i64>,
}

impl<'a> Page<'a> {
    /// Reads the body of an answer; anything but a collection is described.
    pub fn parse(body: &'a [u8]) -> Result<Self, Nonsense> {
        serde_json::from_slice(body).map_err(|e| Nonsense::of(body, e))
    }
}

/// A deleted row, as a delta link gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted<'a> {
    /// Its primary key, a GUID in text.
    pub id: Cow<'a, str>,
    /// `deleted`, or `changed` where it left what is read.
    pub reason: Cow<'a, str>,
}

#[derive(Deserialize)]
struct DeletedWire<'a> {
    #[serde(rename = "@odata.context", borrow)]
    context: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    reason: Option<Cow<'a, str>>,
}

/// The deleted row that this entry of a delta stands for; `None` for an ordinary row.
pub fn deleted(row: &RawValue) -> Option<Deleted<'_>> {
    // Almost all rows are ordinary; a look for the word is cheaper than reading each of them twice.
    memchr::memmem::find(row.get().as_bytes(), b"$deletedEntity")?;
    let wire: DeletedWire<'_> = serde_json::from_str(row.get()).ok()?;
    wire.context.ends_with("$deletedEntity").then(|| Deleted {
        id: wire.id,
        reason: wire.reason.unwrap_or(Cow::Borrowed("deleted")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tells_deleted_rows_from_others() {
        let body = br#"{"value":[
            {"name":"mentions $deletedEntity","accountid":"1"},
            {"@odata.context":"http://h/api/data/v9.2/$metadata#accounts/$deletedEntity","id":"2f","reason":"deleted"}
        ],"@odata.deltaLink":"http://h/d"}"#;
        let page = Page::parse(body).unwrap();
        assert_eq!(deleted(page.rows[0]), None);
        assert_eq!(deleted(page.rows[1]).unwrap().id, "2f");
        assert_eq!(page.delta_link.as_deref(), Some("http://h/d"));
    }

    #[test]
    fn a_web_page_is_no_page() {
        assert!(matches!(Page::parse(b"<html>"), Err(Nonsense::Html { .. })));
        assert!(Page::parse(br#"{"value":[{"a":1}"#).is_err(), "cut short");
        assert!(
            Page::parse(br#"{"error":{}}"#).is_err(),
            "an error with status 200"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_described(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Page::parse(&body);
        }
    }
}
