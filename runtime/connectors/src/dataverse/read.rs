//! Scans and fetches.

use dwmap_connect::{ConnectError, Keys, Page, PageToken, Row};
use dwmap_odata::Url;
use dwmap_plan::{Dialect, Predicate, Query};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::odata::batch::odata_headers;
use crate::odata::filter::{Filter, Writer};
use crate::odata::keys::{self, Bounds};
use crate::odata::row::Rows;
use crate::odata::{Request, Service};

/// A query may have 500 conditions in all; a key has more than one part.
const ROWS_MAX: usize = 150;
/// Filters of one fetch that are asked at once.
const FETCHES_AT_ONCE: usize = 4;

pub(super) fn writer(query: &Query) -> Writer<'_> {
    Writer {
        dialect: Dialect::Dataverse,
        enums: &query.enums,
    }
}

/// A GET of something below the root, in pages.
pub(super) fn paged(service: &Service, relative: &str, prefer: &str) -> Request {
    let mut request = Request::get(service.url(relative));
    request.headers = odata_headers();
    let page = service.limits().page;
    request.header("prefer", format!("{prefer}odata.maxpagesize={page}"))
}

pub(super) fn select(query: &Query) -> Url {
    Url::set(&query.address.set).option("$select", &query.columns.join(","))
}

pub(super) async fn scan(
    service: &Service,
    query: &Query,
    extra: Option<&Predicate>,
    from: Option<&PageToken>,
) -> Result<Page, ConnectError> {
    let what = format!("read {}", query.address.set);
    let relative = if let Some(PageToken(token)) = from {
        token.clone()
    } else {
        let wanted = query.filter.iter().chain(extra).cloned().collect();
        let filter = writer(query)
            .filter(&Predicate::All(wanted))
            .map_err(|unfit| unfit.error(service.system(), &what))?;
        let mut url = select(query);
        match filter {
            Filter::Nothing => return Ok(Page::default()),
            Filter::Everything => {}
            Filter::When(filter) => url = url.option("$filter", &filter),
        }
        url.option("$orderby", &order(query)).into()
    };
    let answer = service.read(&what, &paged(service, &relative, "")).await?;
    let mut rows = Rows::read(service, &what, &answer)?;
    let next = service.follow(&what, &relative, rows.next.take())?;
    Ok(Page {
        rows: rows.into_rows(),
        next: next.map(PageToken),
    })
}

/// The order asked for, or that of the primary key, which is a stable one.
fn order(query: &Query) -> String {
    if query.order.is_empty() {
        let key = query.address.key.iter().map(|(column, _)| column.as_str());
        key.collect::<Vec<_>>().join(",")
    } else {
        query.order.join(",")
    }
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
    let url = select(query);
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
            let relative: String = url.clone().option("$filter", &filter).into();
            all_pages(service, what, relative).await
        })
        .buffered(FETCHES_AT_ONCE)
        .try_collect::<Vec<_>>()
        .await?;
    Ok(fetched.into_iter().flatten().collect())
}

async fn all_pages(service: &Service, what: &str, first: String) -> Result<Vec<Row>, ConnectError> {
    let mut rows = Vec::new();
    let mut next = Some(first);
    while let Some(relative) = next {
        let answer = service.read(what, &paged(service, &relative, "")).await?;
        let mut page = Rows::read(service, what, &answer)?;
        next = service.follow(what, &relative, page.next.take())?;
        rows.append(&mut page.into_rows());
    }
    Ok(rows)
}
