//! Hooks over real HTTP: who has no key isn't heard, and who is heard wakes the connector.
#![allow(clippy::unwrap_used, reason = "a panic is a failed test")]

mod common;

use common::scripted::{Scripted, Step};
use common::{accounts, customers};
use dwmap_connect::Connector;
use dwmap_connect::conformance::TestBed;
use dwmap_connectors::{
    Dataverse, DataverseConfig, Finops, FinopsConfig, HookError, HookServer, Secret,
};

const KEY: &str = "0123456789abcdef";

async fn server() -> HookServer {
    let address = "127.0.0.1:0".parse().unwrap();
    HookServer::bind(address, Secret::new(KEY)).await.unwrap()
}

async fn post(url: String, headers: &[(&str, &str)], body: &'static str) -> u16 {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.post(url).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_hook_wakes_the_connector_that_reads_its_entity() {
    let server = server().await;
    let feed = Step::json(
        200,
        r#"{"value":[],"@odata.deltaLink":"accounts?$deltatoken=1"}"#,
    );
    let system = Scripted::start([feed]).await;
    let dataverse = Dataverse::connect(DataverseConfig {
        hooks: Some(server.hooks("dv")),
        ..DataverseConfig::new("dv", &system.url)
    })
    .unwrap();
    dataverse.changes(&accounts(), None).await.unwrap();

    let url = server.target("test", "dv", None).url;
    let event =
        r#"{"MessageName":"Update","PrimaryEntityName":"account","PrimaryEntityId":"x","Depth":1}"#;
    assert_eq!(post(url.clone(), &[], event).await, 401);
    assert_eq!(post(format!("{url}?code=wrong"), &[], event).await, 401);
    assert_eq!(
        post(format!("{url}?code={KEY}"), &[], "nonsense").await,
        400
    );
    let other = format!("{}?code={KEY}", server.target("test", "nobody", None).url);
    assert_eq!(post(other, &[], event).await, 404);

    assert_eq!(post(format!("{url}?code={KEY}"), &[], event).await, 200);
    assert_eq!(dataverse.wake().await, ["accounts"]);

    // Above 256 KB the contents are left out, but not the headers.
    let headers = [
        ("x-dwmap-key", KEY),
        ("x-ms-dynamics-entity-name", "account"),
        ("x-ms-dynamics-msg-size-exceeded", "true"),
    ];
    assert_eq!(post(url, &headers, "").await, 200);
    assert_eq!(dataverse.wake().await, ["accounts"]);
}

#[tokio::test]
async fn a_port_in_use_and_a_weak_key_are_told() {
    let first = server().await;
    let taken = HookServer::bind(first.address(), Secret::new(KEY)).await;
    assert!(matches!(taken, Err(HookError::Bind { .. })), "{taken:?}");
    let weak = HookServer::bind("127.0.0.1:0".parse().unwrap(), Secret::new("short")).await;
    assert!(
        matches!(weak, Err(HookError::WeakKey { length: 5 })),
        "{weak:?}"
    );
}

#[tokio::test]
async fn a_webhook_is_registered_and_heard() {
    let bed = common::bed::dataverse_with_hooks(server().await).await;
    let query = bed.query().clone();
    let target = bed.hooks().target("dwmap test", "dv", None);
    assert!(!bed.connector.tells());
    // Once more changes nothing.
    for _ in 0..2 {
        bed.connector
            .register_hooks(&target, &[&query.address])
            .await
            .unwrap();
    }
    assert!(bed.connector.tells());
    bed.connector.changes(&query, None).await.unwrap();
    let key = bed.insert(1, "new").await;
    assert_eq!(bed.connector.wake().await, ["accounts"]);
    bed.remove(&key).await;
    assert_eq!(bed.connector.wake().await, ["accounts"]);
}

#[tokio::test]
async fn a_data_event_is_subscribed_to_and_heard() {
    let bed = common::bed::finops_with_hooks(server().await).await;
    let query = bed.query().clone();
    let target = bed.hooks().target("dwmap test", "fno", None);
    bed.connector
        .subscribe_data_events(&target, &[&query.address])
        .await
        .unwrap();
    assert!(bed.connector.tells());
    bed.connector.changes(&query, None).await.unwrap();
    bed.insert(1, "new").await;
    assert_eq!(bed.connector.wake().await, ["CustomersV3"]);
}

#[tokio::test]
async fn a_service_without_subscriptions_says_what_to_do() {
    let system = Scripted::start([Step::error(404, "", "No HTTP resource was found")]).await;
    let finops = Finops::connect(FinopsConfig::new("fno", &system.url)).unwrap();
    let target = server().await.target("dwmap test", "fno", None);
    let error = finops
        .subscribe_data_events(&target, &[&customers().address])
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("business events catalogue"), "{error}");
    assert!(!error.contains(KEY), "{error}");
}
