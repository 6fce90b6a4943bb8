//! Changes of an entity, read from its virtual table in the linked Dataverse environment: keys only, since that table's
//! columns have other names and forms than the entity's.

use dwmap_connect::{Change, ChangePage, ConnectError, Since};
use dwmap_odata::literal::parse_guid;
use dwmap_odata::{time, virtual_table};
use dwmap_plan::{Address, Dialect, Query, Repr, Value};

use crate::dataverse::changes::{TrackedPage, deleted_id, page, pages};
use crate::odata::Service;
use crate::odata::row::{self, Entry};
use crate::odata::value;

pub(super) async fn changes(
    dataverse: &Service,
    since: Since<'_>,
) -> Result<ChangePage, ConnectError> {
    let tracked = virtual_query(&since.query.address);
    let asked = Since {
        query: &tracked,
        ..since
    };
    let page = page(dataverse, asked).await?;
    change_page(dataverse, since.query, &tracked, page)
}

pub(super) async fn changes_of_each(
    dataverse: &Service,
    since: &[Since<'_>],
) -> Vec<Result<ChangePage, ConnectError>> {
    let tracked: Vec<Query> = since
        .iter()
        .map(|since| virtual_query(&since.query.address))
        .collect();
    let asked: Vec<Since<'_>> = tracked
        .iter()
        .zip(since)
        .map(|(query, since)| Since { query, ..*since })
        .collect();
    let pages = pages(dataverse, &asked).await;
    let each = pages.into_iter().zip(since).zip(&tracked);
    each.map(|((page, since), tracked)| change_page(dataverse, since.query, tracked, page?))
        .collect()
}

fn change_page(
    dataverse: &Service,
    query: &Query,
    tracked: &Query,
    page: TrackedPage,
) -> Result<ChangePage, ConnectError> {
    let what = format!("read the changes of {}", tracked.address.set);
    let change = |entry: Entry| match entry {
        Entry::Deleted(id) => Ok(Change::Deleted {
            key: None,
            feed_id: Some(deleted_id(dataverse, &what, &id)?),
        }),
        Entry::Row(row) => changed(query, tracked, &row.json)
            .ok_or_else(|| dataverse.nonsense(&what, "a changed row without its key")),
    };
    Ok(ChangePage {
        changes: page
            .entries
            .into_iter()
            .map(change)
            .collect::<Result<_, _>>()?,
        next: page.next,
        more: page.more,
    })
}

/// The key columns of an entity's virtual table.
fn virtual_query(entity: &Address) -> Query {
    let id = virtual_table::id_column(&entity.physical);
    let key = entity
        .key
        .iter()
        .map(|(name, _)| virtual_table::column(name));
    Query {
        columns: key.chain([id.clone()]).collect(),
        address: Address {
            set: virtual_table::set_name(&entity.physical),
            physical: virtual_table::logical_name(&entity.physical),
            dialect: Dialect::Dataverse,
            key: vec![(id, Repr::Guid)],
        },
        filter: None,
        order: Vec::new(),
        enums: Vec::new(),
    }
}

fn changed(query: &Query, tracked: &Query, row: &[u8]) -> Option<Change> {
    let names: Vec<&str> = tracked.columns.iter().map(String::as_str).collect();
    let mut values = row::pick(std::str::from_utf8(row).ok()?, &names)?;
    let id: String = serde_json::from_str(values.pop()??.get()).ok()?;
    let key = query
        .address
        .key
        .iter()
        .zip(values)
        .map(
            |((_, repr), raw)| match value::read(raw?, repr, &query.enums)? {
                Value::Null => blank(repr),
                value => Some(value),
            },
        );
    Some(Change::Changed {
        key: key.collect::<Option<_>>()?,
        feed_id: Some(Value::Guid(parse_guid(&id)?)),
        row: None,
    })
}

/// What the entity holds where its virtual table shows null.
fn blank(repr: &Repr) -> Option<Value> {
    let never = time::days(1900, 1, 1)?;
    match repr {
        Repr::Text => Some(Value::from("")),
        Repr::Int32 | Repr::Int64 => Some(Value::Int(0)),
        Repr::Date | Repr::DateNoon => Some(Value::Date(never)),
        Repr::DateTime => Some(Value::DateTime(i64::from(never) * 86_400_000_000)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_read_in_the_entitys_own_forms() {
        let address = Address {
            set: "Rates".to_owned(),
            physical: "RateEntity".to_owned(),
            dialect: Dialect::Finops,
            key: vec![
                ("dataAreaId".to_owned(), Repr::Text),
                ("ValidFrom".to_owned(), Repr::DateNoon),
            ],
        };
        let tracked = virtual_query(&address);
        assert_eq!(tracked.address.set, "mserp_rateentities");
        assert_eq!(
            tracked.columns,
            ["mserp_dataareaid", "mserp_validfrom", "mserp_rateentityid"]
        );
        let query = Query {
            address,
            columns: Vec::new(),
            filter: None,
            order: Vec::new(),
            enums: Vec::new(),
        };
        let row = br#"{"@odata.etag":"W/\"1\"","mserp_dataareaid":"usmf","mserp_validfrom":null,
            "mserp_rateentityid":"0000000a-0000-0000-0000-00000000000b"}"#;
        let Some(Change::Changed { key, feed_id, row }) = changed(&query, &tracked, row) else {
            panic!("a change");
        };
        assert_eq!(key, [Value::from("usmf"), Value::Date(-25_567)]);
        assert!(matches!(feed_id, Some(Value::Guid(_))));
        assert!(row.is_none());
    }
}
