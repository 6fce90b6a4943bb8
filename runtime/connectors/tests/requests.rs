//! What goes over the wire, as snapshots: to be compared with the services' public documentation by reading.
#![allow(clippy::unwrap_used, reason = "a panic is a failed test")]

mod common;

use std::fmt::Write as _;

use common::scripted::{Scripted, Step};
use common::{accounts, create, customers, id, update};
use dwmap_connect::{Connector, Cursor, Guard, Keys, Since, Version, Write, WriteKind, WriteMode};
use dwmap_connectors::{Dataverse, DataverseConfig, Finops, FinopsConfig};
use dwmap_odata::batch::{Part, Response, render_responses};
use dwmap_plan::{CompareOp, Predicate, Repr, Value};

/// Heads and bodies of all requests, without what differs from run to run or says nothing.
fn shown(server: &Scripted) -> String {
    let mut out = String::new();
    let host = server.url.trim_start_matches("http://");
    for request in server.requests() {
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let first = lines.next().unwrap_or_default();
        let url = dwmap_odata::url::decode(first).unwrap();
        let _ = writeln!(out, "{}", url.replace(host, "HOST"));
        let mut headers: Vec<&str> = lines
            .filter(|line| {
                let name = line.split(':').next().unwrap_or_default();
                !["host", "user-agent", "content-length"].contains(&name)
            })
            .collect();
        headers.sort_unstable();
        let _ = writeln!(
            out,
            "{}\n\n{}\n",
            headers.join("\n"),
            body.replace("\r\n", "\n")
        );
    }
    out
}

fn batch(statuses: &[u16]) -> Step {
    let parts: Vec<_> = statuses
        .iter()
        .map(|s| Part::Single(Response::new(*s)))
        .collect();
    let rendered = render_responses(&parts);
    let kind = format!("Content-Type: {}", rendered.content_type);
    Step::Answer(200, vec![kind], rendered.body)
}

fn writes(key: Vec<Value>, body: &'static str) -> Vec<Write> {
    let version = Guard::Version(Version("W/\"915244\"".to_owned()));
    let mut guarded = update(key.clone(), body);
    guarded.guard = version.clone();
    guarded.wants_row = true;
    let deleted = Write {
        kind: WriteKind::Delete { key },
        guard: version,
        natural_key: Vec::new(),
        wants_row: false,
    };
    vec![create(body), guarded, deleted]
}

#[tokio::test]
async fn dataverse() {
    let empty = || Step::json(200, r#"{"value":[]}"#);
    let delta = r#"{"value":[],"@odata.deltaLink":"accounts?$deltatoken=2"}"#;
    let server = Scripted::start([
        empty(),
        empty(),
        Step::json(200, delta),
        Step::json(200, delta),
        batch(&[200, 200]),
        batch(&[204, 200, 204]),
        Step::json(200, r#"{"Ids":[]}"#),
        Step::json(204, ""),
    ])
    .await;
    let dataverse = Dataverse::connect(DataverseConfig::new("dv", &server.url)).unwrap();
    let mut query = accounts();
    query.filter = Some(Predicate::Compare {
        column: "name".to_owned(),
        repr: Repr::Text,
        op: CompareOp::Ne,
        value: Value::from("O'Neil & Sons"),
    });
    dataverse.scan(&query, None, None).await.unwrap();
    let query = accounts();
    dataverse
        .fetch(&query, &Keys::Record(vec![id(1), id(2)]))
        .await
        .unwrap();
    dataverse.changes(&query, None).await.unwrap();
    let cursor = Cursor("accounts?$deltatoken=1".to_owned());
    dataverse.changes(&query, Some(&cursor)).await.unwrap();
    let since = Since {
        query: &query,
        cursor: Some(&cursor),
    };
    dataverse.changes_of_each(&[since, since]).await;
    let body = r#"{"name":"x"}"#;
    dataverse
        .write(&query, &writes(id(1), body), WriteMode::Live)
        .await;
    dataverse
        .write(&query, &[create(body), create(body)], WriteMode::Bulk)
        .await;
    let updates = [update(id(1), body), update(id(2), body)];
    dataverse.write(&query, &updates, WriteMode::Bulk).await;
    insta::assert_snapshot!(shown(&server));
}

#[tokio::test]
async fn finops() {
    let page = r#"{"value":[{"dataAreaId":"usmf","CustomerAccount":"US-001"}],"@odata.nextLink":"CustomersV3?$skip=1"}"#;
    let empty = || Step::json(200, r#"{"value":[]}"#);
    let server = Scripted::start([
        Step::json(200, page),
        empty(),
        empty(),
        batch(&[204, 200, 204]),
        batch(&[204, 200, 204]),
    ])
    .await;
    let finops = Finops::connect(FinopsConfig::new("fno", &server.url)).unwrap();
    let query = customers();
    let first = finops.scan(&query, None, None).await.unwrap();
    finops
        .scan(&query, None, first.next.as_ref())
        .await
        .unwrap();
    let key = |n: &str| vec![Value::from("usmf"), Value::from(n)];
    let keys = Keys::Record(vec![key("US-001"), key("US-002")]);
    finops.fetch(&query, &keys).await.unwrap();
    let body = r#"{"OrganizationName":"x"}"#;
    for mode in [WriteMode::Live, WriteMode::Bulk] {
        finops
            .write(&query, &writes(key("US-001"), body), mode)
            .await;
    }
    insta::assert_snapshot!(shown(&server));
}
