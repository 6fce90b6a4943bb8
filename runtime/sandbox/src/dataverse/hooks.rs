//! Webhooks, as they are registered by rows of `serviceendpoints` and `sdkmessageprocessingsteps`.
//!
//! Source: *Register a webhook*: the endpoint's contract is 8 (webhook); its authentication is by header pairs (5),
//! a key in the query (4) or query pairs (6), the pairs as XML in `authvalue`.

use rusqlite::Connection;
use rusqlite::types::Value;

use crate::http::Refusal;
use crate::model::{Model, Source, Table};
use crate::notify::{Message, Subscription};
use crate::store::Writing;

const WEBHOOK: i64 = 8;
const WEBHOOK_KEY: i64 = 4;
const HEADER_PAIRS: i64 = 5;
const QUERY_PAIRS: i64 = 6;

/// Whether a table is one of those by which webhooks are registered.
pub(super) fn is_registration(logical: &str) -> bool {
    matches!(
        logical,
        "serviceendpoint" | "sdkmessageprocessingstep" | "sdkmessage" | "sdkmessagefilter"
    )
}

/// Adds the messages and filters that registrations name: one message each for what happens to a row, and for each a
/// filter a table, under ids that stay the same.
pub(super) fn prepare(model: &Model, writing: &mut Writing<'_>) -> Result<(), Refusal> {
    let (Some(messages), Some(filters)) = (
        model.by_logical_name("sdkmessage"),
        model.by_logical_name("sdkmessagefilter"),
    ) else {
        return Ok(());
    };
    for (n, message) in [Message::Create, Message::Update, Message::Delete]
        .into_iter()
        .enumerate()
    {
        let id = fixed_id(n as u32 + 1, 0);
        add(
            writing,
            messages,
            &id,
            &[("name", Value::Text(message.name().to_owned()))],
        )?;
        for (at, table) in model
            .tables
            .iter()
            .enumerate()
            .filter(|(_, t)| t.source == Source::Own)
        {
            let values = [
                ("primaryobjecttypecode", Value::Text(table.logical.clone())),
                ("_sdkmessageid_value", id.clone()),
            ];
            add(
                writing,
                filters,
                &fixed_id(n as u32 + 1, at as u32 + 1),
                &values,
            )?;
        }
    }
    Ok(())
}

fn add(
    writing: &mut Writing<'_>,
    table: &Table,
    id: &Value,
    values: &[(&str, Value)],
) -> Result<(), Refusal> {
    let key = table.key[0];
    let found = table.locate(&writing.tx, &[(key, id.clone())])?;
    let values: Vec<(usize, Value)> = values
        .iter()
        .filter_map(|(name, value)| Some((table.column(name)?, value.clone())))
        .collect();
    if let Some(located) = found {
        // A schema that has changed since may have another table at this place.
        let row = table.row(&writing.tx, located.record)?;
        if values.iter().any(|(at, value)| row[*at] != *value) {
            writing.update(table, located.record, &values)?;
        }
        return Ok(());
    }
    let mut row = vec![Value::Null; table.columns.len()];
    row[key] = id.clone();
    for (at, value) in values {
        row[at] = value;
    }
    writing.insert(table, &row)?;
    Ok(())
}

fn fixed_id(message: u32, table: u32) -> Value {
    let mut id = [0; 16];
    id[0] = 0x5d;
    id[8..12].copy_from_slice(&message.to_be_bytes());
    id[12..].copy_from_slice(&table.to_be_bytes());
    Value::Blob(id.to_vec())
}

/// The webhooks that are registered.
pub(super) fn registered(
    model: &Model,
    connection: &Connection,
) -> Result<Vec<Subscription>, Refusal> {
    let tables = [
        "serviceendpoint",
        "sdkmessageprocessingstep",
        "sdkmessage",
        "sdkmessagefilter",
    ];
    let Some([endpoint, step, message, filter]) = tables
        .iter()
        .map(|t| model.by_logical_name(t).map(|t| t.sql_name.as_str()))
        .collect::<Option<Vec<_>>>()
        .and_then(|t| <[&str; 4]>::try_from(t).ok())
    else {
        return Ok(Vec::new());
    };
    let sql = format!(
        "SELECT e.url, e.authtype, e.authvalue, m.name, f.primaryobjecttypecode, s.filteringattributes, e.contract
         FROM {step} s JOIN {endpoint} e ON e.serviceendpointid = s._eventhandler_value
         LEFT JOIN {message} m ON m.sdkmessageid = s._sdkmessageid_value
         LEFT JOIN {filter} f ON f.sdkmessagefilterid = s._sdkmessagefilterid_value"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([])?;
    let mut subscriptions = Vec::new();
    while let Some(row) = rows.next()? {
        if row.get::<_, Option<i64>>(6)? != Some(WEBHOOK) {
            continue;
        }
        let url: String = row.get(0)?;
        let value: String = row.get::<_, Option<String>>(2)?.unwrap_or_default();
        let (url, headers) = authenticated(
            url,
            row.get::<_, Option<i64>>(1)?.unwrap_or_default(),
            &value,
        );
        let attributes: Option<String> = row.get(5)?;
        subscriptions.push(Subscription {
            url,
            headers,
            message: row.get(3)?,
            entity: row.get(4)?,
            attributes: attributes
                .iter()
                .flat_map(|a| a.split(','))
                .map(|a| a.trim().to_owned())
                .filter(|a| !a.is_empty())
                .collect(),
        });
    }
    Ok(subscriptions)
}

/// The URL and headers by which the sandbox shows who it is.
fn authenticated(url: String, kind: i64, value: &str) -> (String, Vec<(String, String)>) {
    let and = if url.contains('?') { '&' } else { '?' };
    match kind {
        WEBHOOK_KEY => (
            format!("{url}{and}code={}", dwmap_odata::url::encode(value)),
            Vec::new(),
        ),
        HEADER_PAIRS => (url, pairs(value)),
        QUERY_PAIRS => {
            let query: Vec<String> = pairs(value)
                .iter()
                .map(|(n, v)| {
                    format!(
                        "{}={}",
                        dwmap_odata::url::encode(n),
                        dwmap_odata::url::encode(v)
                    )
                })
                .collect();
            (format!("{url}{and}{}", query.join("&")), Vec::new())
        }
        _ => (url, Vec::new()),
    }
}

/// `<settings><setting name="x" value="y"/></settings>`.
fn pairs(xml: &str) -> Vec<(String, String)> {
    let attribute = |element: &str, name: &str| {
        let rest = element.split_once(&format!("{name}=\""))?.1;
        let text = rest.split_once('"')?.0;
        Some(
            text.replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&apos;", "'")
                .replace("&amp;", "&"),
        )
    };
    xml.split("<setting ")
        .skip(1)
        .filter_map(|element| Some((attribute(element, "name")?, attribute(element, "value")?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authenticates_as_registered() {
        let xml = r#"<settings><setting name="x-key" value="a&amp;b" /></settings>"#;
        let pair = vec![("x-key".to_owned(), "a&b".to_owned())];
        assert_eq!(
            authenticated("http://h/x".to_owned(), HEADER_PAIRS, xml),
            ("http://h/x".to_owned(), pair)
        );
        assert_eq!(
            authenticated("http://h/x".to_owned(), WEBHOOK_KEY, "k y").0,
            "http://h/x?code=k%20y"
        );
        assert_eq!(
            authenticated("http://h/x?a=1".to_owned(), QUERY_PAIRS, xml).0,
            "http://h/x?a=1&x-key=a%26b"
        );
    }
}
