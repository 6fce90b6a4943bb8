//! What stands around the services: tokens, faults, limits, restart, figures.

mod common;

use common::{Bench, send};
use dwmap_sandbox::{Config, Limits, SandboxError};
use serde_json::json;

fn form<'a>(secret: &'a str, grant: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("grant_type", grant),
        ("client_id", "app"),
        ("client_secret", secret),
        ("scope", "http://x/.default"),
    ]
}

fn encoded(form: &[(&str, &str)]) -> String {
    form.iter()
        .map(|(n, v)| format!("{n}={v}"))
        .collect::<Vec<_>>()
        .join("&")
}

#[tokio::test]
async fn requests_need_a_token() {
    let bench = Bench::with(|_| {}).await;
    let refused = send(bench.dv("GET", "accounts")).await;
    assert_eq!(refused.status, 401);
    assert!(refused.header("WWW-Authenticate").starts_with("Bearer "));
    for server in [bench.sandbox.dataverse(), bench.sandbox.finops()] {
        let url = format!("http://{server}/contoso.example.com/oauth2/v2.0/token");
        let post = |form: Vec<(&'static str, &'static str)>| {
            send(bench.client.post(&url).body(encoded(&form)))
        };
        let (status, code, reason) = post(form("wrong", "client_credentials")).await.error();
        assert_eq!((status, code.as_str()), (401, "invalid_client"));
        assert!(reason.starts_with("AADSTS7000215"), "{reason}");
        assert_eq!(
            post(form("sandbox-secret", "password")).await.error().1,
            "unsupported_grant_type"
        );
        let token = post(form("sandbox-secret", "client_credentials"))
            .await
            .expect(200)
            .json();
        assert_eq!(
            (&token["token_type"], &token["expires_in"]),
            (&json!("Bearer"), &json!(3599))
        );
        let token = token["access_token"].as_str().unwrap().to_owned();
        send(bench.dv("GET", "WhoAmI").bearer_auth(&token))
            .await
            .expect(200);
        send(bench.fo("GET", "CustomersV3").bearer_auth(&token))
            .await
            .expect(200);
        assert_eq!(
            send(bench.dv("GET", "accounts").bearer_auth("forged"))
                .await
                .status,
            401
        );
        send(
            bench
                .client
                .post(format!("http://{server}/sandbox/expire-tokens")),
        )
        .await
        .expect(204);
        assert_eq!(
            send(bench.dv("GET", "accounts").bearer_auth(&token))
                .await
                .status,
            401
        );
    }
}

#[tokio::test]
async fn data_survive_a_restart() {
    let bench = Bench::open().await;
    let id = bench.account("A", "kept").await;
    bench
        .customer("US-1", json!({ "OrganizationName": "kept" }))
        .await
        .expect(201);
    let before = send(bench.dv("GET", &format!("accounts({id})"))).await.text;
    let old = bench.sandbox.dataverse().to_string();
    let bench = bench.restart(|_| {}).await;
    let after = send(bench.dv("GET", &format!("accounts({id})"))).await.text;
    assert_eq!(
        after.replace(&bench.sandbox.dataverse().to_string(), &old),
        before,
        "values and versions"
    );
    let row = send(bench.fo(
        "GET",
        "CustomersV3(dataAreaId='usmf',CustomerAccount='US-1')",
    ))
    .await
    .json();
    assert_eq!(row["OrganizationName"], "kept");
    let bench = bench
        .restart(|config| {
            config.dataverse.entities[0]
                .fields
                .push(common::field("new", dwmap_plan::Type::Int32));
        })
        .await;
    let row = send(bench.dv("GET", &format!("accounts({id})")))
        .await
        .json();
    assert_eq!(
        (&row["name"], &row["new"]),
        (&json!("kept"), &json!(null)),
        "a schema may gain columns"
    );
}

#[tokio::test]
async fn faults_come_on_demand() {
    let bench = Bench::open().await;
    let create = |fault: &'static str| {
        bench
            .dv("POST", "accounts")
            .header("x-sandbox-fault", fault)
            .json(&json!({ "name": "a" }))
    };
    let limited = send(create("status=429;retry-after=7")).await;
    assert_eq!((limited.status, limited.header("Retry-After")), (429, "7"));
    assert_eq!(send(create("status=503")).await.status, 503);
    let count = || async { send(bench.dv("GET", "accounts/$count")).await.text };
    assert!(create("drop=before").send().await.is_err());
    assert_eq!(count().await, "0");
    assert!(create("drop=after").send().await.is_err());
    assert_eq!(count().await, "1", "committed, though nobody was told");
    send(create("latency=1")).await.expect(204);
}

#[tokio::test]
async fn rules_make_faults_for_requests_that_match() {
    let bench = Bench::open().await;
    let url = format!("http://{}/sandbox/faults", bench.sandbox.dataverse());
    let rules =
        json!([{ "method": "PATCH", "path": "accounts", "fault": "status=500", "times": 2 }]);
    send(bench.client.post(&url).json(&rules)).await.expect(204);
    let id = bench.account("A", "a").await;
    let patch = || async {
        send(
            bench
                .dv("PATCH", &format!("accounts({id})"))
                .json(&json!({})),
        )
        .await
        .status
    };
    assert_eq!(
        [patch().await, patch().await, patch().await],
        [500, 500, 204]
    );
    assert_eq!(send(bench.client.get(&url)).await.json()[0]["times"], 0);
    let wrong = send(bench.client.post(&url).json(&json!([{ "fault": "burn" }])))
        .await
        .error();
    assert!(wrong.2.contains("`burn` is no fault"), "{}", wrong.2);
}

#[tokio::test]
async fn limits_hold_when_they_are_switched_on() {
    let limits = Limits {
        requests: 3,
        ..Limits::PUBLISHED
    };
    let bench = Bench::with(|config| (config.open, config.limits) = (true, Some(limits))).await;
    for _ in 0..3 {
        send(bench.dv("GET", "accounts")).await.expect(200);
    }
    let refused = send(bench.dv("GET", "accounts")).await;
    assert!(refused.header("Retry-After").parse::<u64>().unwrap() <= 300);
    let (status, code, message) = refused.error();
    assert_eq!((status, code.as_str()), (429, "0x80072322"));
    assert_eq!(
        message,
        "Number of requests exceeded the limit of 3 over time window of 300 seconds."
    );
    send(bench.fo("GET", "CustomersV3")).await.expect(200);
}

#[tokio::test]
async fn each_server_counts_what_it_does() {
    let bench = Bench::open().await;
    for _ in 0..3 {
        send(bench.dv("GET", "accounts")).await.expect(200);
    }
    assert_eq!(
        (
            bench.sandbox.dataverse_stats().requests,
            bench.sandbox.finops_stats().requests
        ),
        (3, 0)
    );
    assert!(!bench.sandbox.dataverse_stats().busy.is_zero());
    let url = format!("http://{}/sandbox/stats", bench.sandbox.dataverse());
    assert_eq!(send(bench.client.get(url)).await.json()["requests"], 3);
}

#[tokio::test]
async fn a_start_that_cannot_be_says_why() {
    let bench = Bench::open().await;
    let dir = tempfile::tempdir().unwrap();
    let config = |dir: &std::path::Path| Config::new(dir, common::dataverse(), common::finops());
    let mut taken = config(dir.path());
    taken.finops_port = bench.sandbox.finops().port();
    let error = dwmap_sandbox::start(taken).await.err().unwrap();
    assert!(matches!(error, SandboxError::Listen { .. }), "{error}");
    assert!(error.to_string().contains("choose another port"), "{error}");
    let file = dir.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let error = dwmap_sandbox::start(config(&file)).await.err().unwrap();
    assert!(matches!(error, SandboxError::DataDir { .. }), "{error}");
    // A directory of its own: SQLite would mend the file from the journal of the first start.
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("finops.db"),
        "this is no database, and long enough to be taken for one".repeat(40),
    )
    .unwrap();
    let error = dwmap_sandbox::start(config(dir.path()))
        .await
        .err()
        .unwrap();
    assert!(matches!(error, SandboxError::Database { .. }), "{error}");
    let mut wrong = config(dir.path());
    wrong.finops.entities[0].key.clear();
    let error = dwmap_sandbox::start(wrong).await.err().unwrap();
    assert!(matches!(error, SandboxError::Schema(_)), "{error}");
}
