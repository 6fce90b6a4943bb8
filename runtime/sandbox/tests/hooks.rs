//! Webhooks of Dataverse and data events of the ERP.

#![allow(clippy::unwrap_used, reason = "a helper's failure is the test's")]

mod common;

use common::{Bench, id_of, send};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// A receiver of hooks: gives the head of each request and its body.
struct Receiver {
    url: String,
    received: mpsc::UnboundedReceiver<(String, Json)>,
}

impl Receiver {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (sender, received) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let sender = sender.clone();
                tokio::spawn(async move {
                    let mut bytes = Vec::new();
                    let (head, body) = loop {
                        if stream.read_buf(&mut bytes).await.unwrap() == 0 {
                            return;
                        }
                        let text = String::from_utf8_lossy(&bytes).into_owned();
                        let Some((head, body)) = text.split_once("\r\n\r\n") else {
                            continue;
                        };
                        let head = head.to_ascii_lowercase();
                        let length: usize = head
                            .split("content-length: ")
                            .nth(1)
                            .unwrap()
                            .lines()
                            .next()
                            .unwrap()
                            .parse()
                            .unwrap();
                        if body.len() >= length {
                            break (head, serde_json::from_str(body).unwrap());
                        }
                    };
                    stream
                        .write_all(
                            b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
                        )
                        .await
                        .unwrap();
                    sender.send((head, body)).unwrap();
                });
            }
        });
        Self { url, received }
    }

    async fn next(&mut self) -> (String, Json) {
        self.received.recv().await.unwrap()
    }
}

/// Registers a hook as a real client does: endpoint, message, filter, step.
async fn register(bench: &Bench, url: &str, message: &str, attributes: &str) {
    let endpoint = json!({ "name": "hook", "url": url, "contract": 8, "authtype": 5,
        "authvalue": "<settings><setting name=\"x-key\" value=\"secret\" /></settings>" });
    let endpoint = id_of(
        &send(bench.dv("POST", "serviceendpoints").json(&endpoint))
            .await
            .expect(204),
    );
    let find = |path: String, id: &'static str| async move {
        send(bench.dv("GET", &path)).await.expect(200).rows()[0][id]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let message = find(
        format!("sdkmessages?$filter=name eq '{message}'"),
        "sdkmessageid",
    )
    .await;
    let filter = format!(
        "sdkmessagefilters?$filter=primaryobjecttypecode eq 'account' and _sdkmessageid_value eq {message}"
    );
    let filter = find(filter, "sdkmessagefilterid").await;
    let step = json!({ "name": "step", "stage": 40, "mode": 1, "filteringattributes": attributes,
        "sdkmessageid@odata.bind": format!("/sdkmessages({message})"),
        "sdkmessagefilterid@odata.bind": format!("/sdkmessagefilters({filter})"),
        "eventhandler_serviceendpoint@odata.bind": format!("/serviceendpoints({endpoint})") });
    send(bench.dv("POST", "sdkmessageprocessingsteps").json(&step))
        .await
        .expect(204);
}

fn attribute(event: &Json, name: &str) -> Json {
    let attributes = event["InputParameters"][0]["value"]["Attributes"]
        .as_array()
        .unwrap();
    attributes
        .iter()
        .find(|a| a["key"] == name)
        .map_or(Json::Null, |a| a["value"].clone())
}

#[tokio::test]
async fn a_webhook_hears_of_committed_changes() {
    let bench = Bench::open().await;
    let mut receiver = Receiver::start().await;
    register(&bench, &receiver.url, "Update", "name").await;
    register(&bench, &receiver.url, "Delete", "").await;
    let id = bench.account("A", "a").await;
    let patch = |body: Json| send(bench.dv("PATCH", &format!("accounts({id})")).json(&body));
    patch(json!({ "description": "nobody asked for this one" }))
        .await
        .expect(204);
    patch(json!({ "name": "x".repeat(161) })).await.expect(400);
    patch(json!({ "name": "b", "customertypecode": 3 }))
        .await
        .expect(204);
    let (head, event) = receiver.next().await;
    for header in [
        "x-ms-dynamics-entity-name: account",
        "x-ms-dynamics-request-name: update",
        "x-key: secret",
    ] {
        assert!(head.contains(header), "{header} in {head}");
    }
    assert_eq!(
        (
            &event["MessageName"],
            &event["PrimaryEntityName"],
            &event["PrimaryEntityId"]
        ),
        (&json!("Update"), &json!("account"), &json!(id))
    );
    assert_eq!(
        (
            attribute(&event, "name"),
            &attribute(&event, "customertypecode")["Value"]
        ),
        (json!("b"), &json!(3))
    );
    assert_eq!(
        attribute(&event, "accountnumber"),
        json!(null),
        "only what changed"
    );
    assert!(
        attribute(&event, "modifiedon")
            .as_str()
            .unwrap()
            .starts_with("/Date(")
    );
    send(bench.dv("DELETE", &format!("accounts({id})")))
        .await
        .expect(204);
    let (_, event) = receiver.next().await;
    assert_eq!(
        (
            &event["MessageName"],
            &event["InputParameters"][0]["value"]["Id"]
        ),
        (&json!("Delete"), &json!(id))
    );
}

#[tokio::test]
async fn hooks_survive_a_restart_and_end_with_their_step() {
    let bench = Bench::open().await;
    let mut receiver = Receiver::start().await;
    register(&bench, &receiver.url, "Create", "").await;
    let bench = bench.restart(|_| {}).await;
    bench.account("A", "first").await;
    assert_eq!(attribute(&receiver.next().await.1, "name"), "first");
    let step = send(bench.dv("GET", "sdkmessageprocessingsteps"))
        .await
        .rows()[0]["sdkmessageprocessingstepid"]
        .as_str()
        .unwrap()
        .to_owned();
    send(bench.dv("DELETE", &format!("sdkmessageprocessingsteps({step})")))
        .await
        .expect(204);
    bench.account("B", "unheard").await;
    register(&bench, &receiver.url, "Create", "").await;
    bench.account("C", "heard").await;
    assert_eq!(attribute(&receiver.next().await.1, "name"), "heard");
}

#[tokio::test]
async fn data_events_carry_the_record_and_what_it_was() {
    let bench = Bench::open().await;
    let mut receiver = Receiver::start().await;
    let subscribe =
        json!({ "url": receiver.url, "entity": "CustomersV3", "headers": { "x-key": "secret" } });
    let admin = format!("http://{}/sandbox/data-events", bench.sandbox.finops());
    send(bench.client.post(&admin).json(&subscribe))
        .await
        .expect(204);
    bench
        .customer("US-1", json!({ "OrganizationName": "old" }))
        .await
        .expect(201);
    let (head, event) = receiver.next().await;
    assert!(head.contains("x-key: secret"), "{head}");
    assert_eq!(
        (&event["MessageName"], &event["PrimaryEntityName"]),
        (&json!("Create"), &json!("mserp_custcustomerv3entity"))
    );
    assert_eq!(
        (
            attribute(&event, "mserp_customeraccount"),
            attribute(&event, "mserp_releasedate")
        ),
        (json!("US-1"), json!(null))
    );
    let path = "CustomersV3(dataAreaId='usmf',CustomerAccount='US-1')";
    send(
        bench
            .fo("PATCH", path)
            .json(&json!({ "OrganizationName": "new" })),
    )
    .await
    .expect(204);
    let (_, event) = receiver.next().await;
    assert_eq!(attribute(&event, "mserp_organizationname"), "new");
    let before = event["PreEntityImages"][0]["value"]["Attributes"]
        .as_array()
        .unwrap();
    assert!(
        before.contains(&json!({ "key": "mserp_organizationname", "value": "old" })),
        "{before:?}"
    );
    send(bench.fo("DELETE", path)).await.expect(204);
    assert_eq!(receiver.next().await.1["MessageName"], "Delete");
}
