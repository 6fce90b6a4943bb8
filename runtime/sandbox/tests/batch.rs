//! `$batch` on both servers.

#![allow(clippy::unwrap_used, reason = "a helper's failure is the test's")]

mod common;

use common::{Answer, Bench, send};
use dwmap_odata::batch::{self, Part, Request, Response};
use reqwest::RequestBuilder;
use serde_json::json;

async fn run(request: RequestBuilder, parts: &[Part<Request>]) -> Vec<Part<Response>> {
    let rendered = batch::render_requests(parts);
    let answer: Answer = send(
        request
            .header("Content-Type", rendered.content_type)
            .body(rendered.body),
    )
    .await
    .expect(200);
    batch::parse_responses(answer.header("Content-Type"), &answer.text.clone().into()).unwrap()
}

fn single(part: &Part<Response>) -> &Response {
    match part {
        Part::Single(response) => response,
        Part::ChangeSet(_) => panic!("a single answer was expected"),
    }
}

fn post(set: &str, body: serde_json::Value) -> Request {
    Request::new("POST", set).json(body.to_string())
}

#[tokio::test]
async fn it_stops_at_the_first_failure_unless_told_to_go_on() {
    let bench = Bench::open().await;
    let parts = [
        Part::Single(post("accounts", json!({ "accountnumber": "1" }))),
        Part::Single(post("accounts", json!({ "nonsense": 1 }))),
        Part::Single(post(
            "/api/data/v9.2/accounts",
            json!({ "accountnumber": "2" }),
        )),
        Part::Single(Request::new(
            "GET",
            format!(
                "{}?$select=accountnumber&$orderby=accountnumber",
                bench.dv_url("accounts")
            ),
        )),
    ];
    let answers = run(bench.dv("POST", "$batch"), &parts).await;
    assert_eq!(
        answers.iter().map(|a| single(a).status).collect::<Vec<_>>(),
        [204, 400]
    );
    let answers = run(
        bench
            .dv("POST", "$batch")
            .header("Prefer", "odata.continue-on-error"),
        &parts,
    )
    .await;
    assert_eq!(
        answers.iter().map(|a| single(a).status).collect::<Vec<_>>(),
        [204, 400, 204, 200]
    );
    let rows: serde_json::Value = serde_json::from_slice(&single(&answers[3]).body).unwrap();
    assert_eq!(
        rows["value"].as_array().unwrap().len(),
        3,
        "the first one was there before"
    );
}

#[tokio::test]
async fn each_part_has_its_own_condition() {
    let bench = Bench::open().await;
    let id = bench.account("A", "a").await;
    let etag = send(bench.dv("GET", &format!("accounts({id})")))
        .await
        .header("ETag")
        .to_owned();
    let patch = || {
        Part::Single(
            Request::new("PATCH", format!("accounts({id})"))
                .header("If-Match", etag.clone())
                .json(r#"{"name":"b"}"#),
        )
    };
    let answers = run(
        bench
            .dv("POST", "$batch")
            .header("Prefer", "odata.continue-on-error"),
        &[patch(), patch()],
    )
    .await;
    assert_eq!(
        answers.iter().map(|a| single(a).status).collect::<Vec<_>>(),
        [204, 412]
    );
}

#[tokio::test]
async fn a_change_set_is_atomic_and_refers_to_its_own_rows() {
    let bench = Bench::open().await;
    let set = |name: String| {
        Part::ChangeSet(vec![
            post("cdm_companies", json!({ "cdm_companycode": "usmf" })).content_id("1"),
            post(
                "accounts",
                json!({ "name": name, "msdyn_company@odata.bind": "$1" }),
            )
            .content_id("2"),
            Request::new("PATCH", "$2")
                .json(r#"{"accountnumber":"by reference"}"#)
                .content_id("3"),
        ])
    };
    let failed = run(bench.dv("POST", "$batch"), &[set("x".repeat(161))]).await;
    assert_eq!(
        (
            single(&failed[0]).status,
            single(&failed[0]).content_id.as_deref()
        ),
        (400, Some("2"))
    );
    assert!(
        send(bench.dv("GET", "cdm_companies"))
            .await
            .rows()
            .is_empty(),
        "nothing of it was stored"
    );
    let done = run(bench.dv("POST", "$batch"), &[set("good".to_owned())]).await;
    let Part::ChangeSet(answers) = &done[0] else {
        panic!("{done:?}")
    };
    assert_eq!(
        answers
            .iter()
            .map(|a| a.content_id.as_deref())
            .collect::<Vec<_>>(),
        [Some("1"), Some("2"), Some("3")]
    );
    let row = send(bench.dv(
        "GET",
        "accounts?$select=name,accountnumber&$filter=msdyn_company/cdm_companycode eq 'usmf'",
    ))
    .await
    .rows()[0]
        .clone();
    assert_eq!(
        (&row["name"], &row["accountnumber"]),
        (&json!("good"), &json!("by reference"))
    );
    let reading = Part::ChangeSet(vec![Request::new("GET", "accounts")]);
    let rendered = batch::render_requests(&[reading]);
    let refused = send(
        bench
            .dv("POST", "$batch")
            .header("Content-Type", rendered.content_type)
            .body(rendered.body),
    )
    .await;
    assert_eq!(refused.error().0, 400);
}

#[tokio::test]
async fn the_erp_takes_change_sets_too() {
    let bench = Bench::open().await;
    let group = |id: &str| {
        post(
            "CustomerGroups",
            json!({ "dataAreaId": "usmf", "CustomerGroupId": id }),
        )
    };
    let customer = |account: &str, group: &str| {
        post(
            "CustomersV3",
            json!({ "dataAreaId": "usmf", "CustomerAccount": account, "CustomerGroupId": group }),
        )
    };
    let parts = [
        Part::ChangeSet(vec![group("10"), customer("US-1", "10")]),
        Part::ChangeSet(vec![group("20"), customer("US-2", "99")]),
        Part::Single(
            Request::new(
                "PATCH",
                "/data/CustomersV3(dataAreaId='usmf',CustomerAccount='US-1')",
            )
            .json(r#"{"OrganizationName":"x"}"#),
        ),
    ];
    let answers = run(
        bench
            .fo("POST", "$batch")
            .header("Prefer", "odata.continue-on-error"),
        &parts,
    )
    .await;
    assert!(matches!(&answers[0], Part::ChangeSet(set) if set.iter().all(|r| r.status == 201)));
    assert_eq!(
        (single(&answers[1]).status, single(&answers[2]).status),
        (400, 204)
    );
    assert_eq!(
        send(bench.fo("GET", "CustomerGroups"))
            .await
            .column("CustomerGroupId"),
        ["10"]
    );
}

#[tokio::test]
async fn a_batch_has_its_limit_and_its_form() {
    let bench = Bench::open().await;
    let many: Vec<_> = (0..1_001)
        .map(|_| Part::Single(Request::new("GET", "accounts")))
        .collect();
    let rendered = batch::render_requests(&many);
    let refused = send(
        bench
            .dv("POST", "$batch")
            .header("Content-Type", rendered.content_type)
            .body(rendered.body),
    )
    .await
    .error();
    assert!(refused.2.contains("too many parts"), "{}", refused.2);
    assert_eq!(
        send(
            bench
                .dv("POST", "$batch")
                .header("Content-Type", "text/plain")
                .body("x")
        )
        .await
        .error()
        .0,
        400
    );
}
