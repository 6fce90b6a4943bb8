//! Scans and fetches.

use std::collections::BTreeSet;

use dwmap_connect::{ConnectError, Keys, Page, PageToken, Row};
use dwmap_odata::Url;
use dwmap_plan::{CompareOp, Dialect, Predicate, Query, Repr, Value};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::odata::batch::odata_headers;
use crate::odata::filter::{Filter, Writer};
use crate::odata::keys::{self, Bounds};
use crate::odata::row::{self, Rows};
use crate::odata::{Request, Service, Unfit};

/// Keys in one filter.
const ROWS_MAX: usize = 100;
/// Filters of one fetch that are asked at once.
const FETCHES_AT_ONCE: usize = 4;

/// A page token that continues after a key.
const AFTER_KEY: &str = "after:";
/// A page token that continues by the service's own link.
const BY_LINK: &str = "link:";

pub(super) fn writer(query: &Query) -> Writer<'_> {
    Writer {
        dialect: Dialect::Finops,
        enums: &query.enums,
    }
}

/// Without `cross-company` only the caller's own company is seen.
fn url(query: &Query, columns: &str) -> Url {
    Url::set(&query.address.set)
        .option("cross-company", "true")
        .option("$select", columns)
}

fn get(service: &Service, relative: &str) -> Request {
    let mut request = Request::get(service.url(relative));
    request.headers = odata_headers();
    request
}

pub(super) async fn scan(
    service: &Service,
    query: &Query,
    extra: Option<&Predicate>,
    from: Option<&PageToken>,
) -> Result<Page, ConnectError> {
    let what = format!("read {}", query.address.set);
    let token = from.map(|t| t.0.as_str());
    if let Some(link) = token.and_then(|t| t.strip_prefix(BY_LINK)) {
        return by_link(service, &what, link).await;
    }
    let wanted: Vec<Predicate> = query.filter.iter().chain(extra).cloned().collect();
    if let Some(columns) = range_columns(query) {
        return by_range(service, &what, query, wanted, &columns, token).await;
    }
    let url = url(query, &select(query));
    let Some(url) = filtered(service, &what, query, &wanted, url)? else {
        return Ok(Page::default());
    };
    let url = match query.order.as_slice() {
        [] => url,
        order => url.option("$orderby", &order.join(",")),
    };
    by_link(service, &what, url.as_str()).await
}

/// The columns by whose values a scan can go on: the key's, if the order wanted is one of theirs and all of them can
/// be ordered. The service's own paging counts rows, and drifts when some are inserted meanwhile.
fn range_columns(query: &Query) -> Option<Vec<(String, Repr)>> {
    let key = &query.address.key;
    let ordered: Vec<(String, Repr)> = if query.order.is_empty() {
        key.clone()
    } else {
        let part = |name: &String| key.iter().find(|(column, _)| column == name).cloned();
        query.order.iter().map(part).collect::<Option<_>>()?
    };
    let names: BTreeSet<&String> = ordered.iter().map(|(name, _)| name).collect();
    let whole = names.len() == key.len();
    let orderable = |repr: &Repr| !matches!(repr, Repr::EnumName(_) | Repr::Bool | Repr::Binary);
    (whole && !ordered.is_empty() && ordered.iter().all(|(_, r)| orderable(r))).then_some(ordered)
}

/// The columns wanted, and those of the key, by which a scan goes on.
fn select(query: &Query) -> String {
    let mut columns: Vec<&str> = query.columns.iter().map(String::as_str).collect();
    for (column, _) in &query.address.key {
        if !columns.contains(&column.as_str()) {
            columns.push(column);
        }
    }
    columns.join(",")
}

/// The URL with the filter; none if no row can pass it.
fn filtered(
    service: &Service,
    what: &str,
    query: &Query,
    wanted: &[Predicate],
    url: Url,
) -> Result<Option<Url>, ConnectError> {
    let filter = writer(query)
        .filter(&Predicate::All(wanted.to_vec()))
        .map_err(|unfit| unfit.error(service.system(), what))?;
    Ok(match filter {
        Filter::Nothing => None,
        Filter::Everything => Some(url),
        Filter::When(filter) => Some(url.option("$filter", &filter)),
    })
}

async fn by_link(service: &Service, what: &str, relative: &str) -> Result<Page, ConnectError> {
    let answer = service.read(what, &get(service, relative)).await?;
    let mut rows = Rows::read(service, what, &answer)?;
    let next = service.follow(what, relative, rows.next.take())?;
    Ok(Page {
        rows: rows.into_rows(),
        next: next.map(|link| PageToken(format!("{BY_LINK}{link}"))),
    })
}

async fn by_range(
    service: &Service,
    what: &str,
    query: &Query,
    mut wanted: Vec<Predicate>,
    columns: &[(String, Repr)],
    token: Option<&str>,
) -> Result<Page, ConnectError> {
    if let Some(token) = token {
        let last = token.strip_prefix(AFTER_KEY).and_then(|json| {
            let values: Vec<Value> = serde_json::from_str(json).ok()?;
            (values.len() == columns.len()).then_some(values)
        });
        let last = last.ok_or_else(|| {
            Unfit("the page token is none of this scan; begin it anew".to_owned())
                .error(service.system(), what)
        })?;
        wanted.push(beyond(columns, &last));
    }
    let page = service.limits().page;
    let order: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let Some(url) = filtered(service, what, query, &wanted, url(query, &select(query)))? else {
        return Ok(Page::default());
    };
    let url = url
        .option("$orderby", &order.join(","))
        .option("$top", &page.to_string());
    let answer = service.read(what, &get(service, url.as_str())).await?;
    let mut rows = Rows::read(service, what, &answer)?;
    // The service may send fewer rows than asked for, and then a link.
    let linked = rows.next.take().is_some();
    let rows = rows.into_rows();
    let next = match rows.last() {
        Some(last) if linked || rows.len() >= page => {
            let key = row::key(&last.json, columns, &query.enums)
                .ok_or_else(|| service.nonsense(what, "a row without its key"))?;
            let json = serde_json::to_string(&key).map_err(|e| service.nonsense(what, e))?;
            Some(PageToken(format!("{AFTER_KEY}{json}")))
        }
        _ => None,
    };
    Ok(Page { rows, next })
}

/// The rows behind a key: `a > x or (a = x and b > y)`.
fn beyond(columns: &[(String, Repr)], last: &[Value]) -> Predicate {
    let compare = |at: usize, op| Predicate::Compare {
        column: columns[at].0.clone(),
        repr: columns[at].1.clone(),
        op,
        value: last[at].clone(),
    };
    let alternative = |at: usize| {
        let equal = (0..at).map(|before| compare(before, CompareOp::Eq));
        Predicate::All(equal.chain([compare(at, CompareOp::Gt)]).collect())
    };
    Predicate::Any((0..columns.len()).map(alternative).collect())
}

pub(super) async fn fetch(
    service: &Service,
    query: &Query,
    keys: &Keys,
) -> Result<Vec<Row>, ConnectError> {
    let what = format!("fetch from {}", query.address.set);
    let (columns, values) = match keys {
        Keys::Record(keys) => (&query.address.key, keys),
        Keys::Columns { columns, values } => (columns, values),
    };
    let url = url(query, &query.columns.join(","));
    let bounds = Bounds {
        length_max: service
            .limits()
            .url_length_max
            .saturating_sub(service.url(url.as_str()).len() + "&$filter=".len()),
        rows_max: ROWS_MAX,
    };
    let filters = keys::filters(writer(query), columns, values, bounds)
        .map_err(|unfit| unfit.error(service.system(), &what))?;
    let (what, url) = (&what, &url);
    let fetched = stream::iter(filters)
        .map(|filter| async move {
            let mut rows = Vec::new();
            let mut next = Some(url.clone().option("$filter", &filter).to_string());
            while let Some(relative) = next {
                let mut page = by_link(service, what, &relative).await?;
                rows.append(&mut page.rows);
                next = page
                    .next
                    .and_then(|t| t.0.strip_prefix(BY_LINK).map(str::to_owned));
            }
            Ok(rows)
        })
        .buffered(FETCHES_AT_ONCE)
        .try_collect::<Vec<_>>()
        .await?;
    Ok(fetched.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use dwmap_plan::Address;

    fn query(key: &[(&str, Repr)], order: &[&str]) -> Query {
        Query {
            address: Address {
                set: "Things".to_owned(),
                physical: "ThingEntity".to_owned(),
                dialect: Dialect::Finops,
                key: key
                    .iter()
                    .map(|(n, r)| ((*n).to_owned(), r.clone()))
                    .collect(),
            },
            columns: vec!["Name".to_owned()],
            filter: None,
            order: order.iter().map(|o| (*o).to_owned()).collect(),
            enums: Vec::new(),
        }
    }

    #[test]
    fn a_scan_goes_on_behind_its_last_key() {
        let query = query(&[("co", Repr::Text), ("no", Repr::Int32)], &[]);
        let columns = range_columns(&query).unwrap();
        let beyond = beyond(&columns, &[Value::from("usmf"), Value::Int(7)]);
        assert_eq!(
            writer(&query).filter(&beyond).unwrap(),
            Filter::When("co gt 'usmf' or (co eq 'usmf' and no gt 7)".to_owned())
        );
    }

    #[test]
    fn only_what_can_be_ordered_makes_a_range() {
        let text = ("a", Repr::Text);
        let member = ("e", Repr::EnumName(0));
        let names = |q: &Query| range_columns(q).map(|c| c.into_iter().map(|(n, _)| n).collect());
        let wanted: Option<Vec<String>> = Some(vec!["b".to_owned(), "a".to_owned()]);
        let both = [text.clone(), ("b", Repr::Text)];
        assert_eq!(names(&query(&both, &["b", "a"])), wanted);
        assert_eq!(names(&query(&both, &["b"])), None, "not the whole key");
        assert_eq!(names(&query(&both, &["Name"])), None);
        assert_eq!(names(&query(&[text, member], &[])), None);
    }
}
