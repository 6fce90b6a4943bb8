//! What becomes of answers that no service should give, and of those that never come.
#![allow(clippy::unwrap_used, reason = "a panic is a failed test")]

mod common;

use std::time::Duration;

use common::scripted::{Scripted, Step};
use common::{accounts, create, customers, guid, id, update};
use dwmap_connect::{ConnectError, Connector, Cursor, Keys, Outcome, PageToken, WriteMode};
use dwmap_connectors::{Auth, Dataverse, DataverseConfig, Finops, FinopsConfig, Limits, Secret};
use dwmap_odata::batch::{Part, Response, render_responses};
use dwmap_plan::Value;
use std::sync::Arc;

fn quick() -> Limits {
    Limits {
        request_timeout: Duration::from_millis(500),
        attempts: 2,
        ..Limits::dataverse()
    }
}

fn connect(url: &str) -> Arc<Dataverse> {
    Dataverse::connect(DataverseConfig {
        limits: quick(),
        ..DataverseConfig::new("dv", url)
    })
    .unwrap()
}

fn connect_with_secret(url: &str) -> Arc<Dataverse> {
    Dataverse::connect(DataverseConfig {
        limits: quick(),
        auth: Auth::ClientCredentials {
            authority: url.to_owned(),
            tenant: "contoso".to_owned(),
            client_id: "dwmap".to_owned(),
            secret: Secret::new("s3cret&"),
        },
        ..DataverseConfig::new("dv", url)
    })
    .unwrap()
}

fn token(text: &str) -> Step {
    let body = format!(r#"{{"token_type":"Bearer","expires_in":3599,"access_token":"{text}"}}"#);
    Step::json(200, body)
}

fn page(rows: &str) -> Step {
    Step::json(200, format!(r#"{{"@odata.context":"x","value":[{rows}]}}"#))
}

fn row(n: u8) -> String {
    format!(
        r#"{{"@odata.etag":"W/\"{n}\"","accountid":"{}","name":"n"}}"#,
        guid(n)
    )
}

/// An answer to a batch with these statuses.
fn batch(statuses: &[u16]) -> Step {
    let parts: Vec<_> = statuses
        .iter()
        .map(|s| Part::Single(Response::new(*s)))
        .collect();
    let rendered = render_responses(&parts);
    let kind = format!("Content-Type: {}", rendered.content_type);
    Step::Answer(200, vec![kind], rendered.body)
}

const NAME: &str = r#"{"name":"x"}"#;

#[tokio::test]
async fn a_web_page_is_nonsense_with_its_first_line() {
    let server = Scripted::start([Step::html(200, "<!DOCTYPE html>\n<title>Sign in")]).await;
    let error = connect(&server.url)
        .scan(&accounts(), None, None)
        .await
        .unwrap_err();
    assert!(matches!(error, ConnectError::Nonsense { .. }), "{error}");
    let told = error.to_string();
    assert!(
        told.contains("<!DOCTYPE html>") && told.contains("[systems.dv]"),
        "{told}"
    );
}

#[tokio::test]
async fn json_cut_short_is_nonsense() {
    let server = Scripted::start([Step::json(200, r#"{"value":[{"a":1}"#)]).await;
    let error = connect(&server.url)
        .scan(&accounts(), None, None)
        .await
        .unwrap_err();
    assert!(matches!(error, ConnectError::Nonsense { .. }), "{error}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let step = Step::html(302, "").head("Location: https://login.example/");
    let server = Scripted::start([step]).await;
    let error = connect(&server.url)
        .scan(&accounts(), None, None)
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("a redirect to https://login.example/"),
        "{error}"
    );
}

#[tokio::test]
async fn a_link_elsewhere_is_not_followed() {
    let body = r#"{"value":[],"@odata.nextLink":"https://evil.example/api/data/v9.2/accounts"}"#;
    let server = Scripted::start([Step::json(200, body)]).await;
    let error = connect(&server.url)
        .scan(&accounts(), None, None)
        .await
        .unwrap_err();
    assert!(matches!(error, ConnectError::Nonsense { .. }), "{error}");
}

#[tokio::test]
async fn a_read_is_tried_again_when_its_answer_is_cut() {
    let cut = Step::Cut(Box::new(page(&row(1))), 10);
    let server = Scripted::start([cut, page(&row(1))]).await;
    let page = connect(&server.url)
        .scan(&accounts(), None, None)
        .await
        .unwrap();
    assert_eq!(page.rows.len(), 1);
    assert_eq!(page.rows[0].version.as_ref().unwrap().0, "W/\"1\"");
    assert_eq!(page.rows[0].json, row(1).as_bytes());
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_server_that_is_down_is_unreachable() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", server.local_addr().unwrap());
    drop(server);
    let dataverse = connect(&url);
    let error = dataverse.scan(&accounts(), None, None).await.unwrap_err();
    assert!(
        matches!(error, ConnectError::Unreachable { .. }) && error.is_transient(),
        "{error}"
    );
    let outcomes = dataverse
        .write(&accounts(), &[create(NAME), create(NAME)], WriteMode::Live)
        .await;
    assert!(
        outcomes
            .iter()
            .all(|o| matches!(o, Outcome::Transient { .. })),
        "nothing was sent: {outcomes:?}"
    );
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let refused = || Step::error(401, "0x80040220", "The token has expired.");
    let server = Scripted::start([token("one"), refused(), token("two"), page(&row(1))]).await;
    let dataverse = connect_with_secret(&server.url);
    assert_eq!(
        dataverse
            .scan(&accounts(), None, None)
            .await
            .unwrap()
            .rows
            .len(),
        1
    );
    let requests = server.requests();
    assert!(requests[0].contains("client_secret=s3cret%26"));
    assert!(requests[1].contains("authorization: Bearer one"));
    assert!(requests[3].contains("authorization: Bearer two"));

    let server = Scripted::start([token("one"), refused(), token("two"), refused()]).await;
    let error = connect_with_secret(&server.url)
        .scan(&accounts(), None, None)
        .await
        .unwrap_err();
    assert!(
        matches!(error, ConnectError::Unauthorised { .. }),
        "{error}"
    );
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn a_token_is_asked_for_once() {
    let server = Scripted::start([token("one"), page(""), page("")]).await;
    let dataverse = connect_with_secret(&server.url);
    for _ in 0..2 {
        dataverse.scan(&accounts(), None, None).await.unwrap();
    }
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn wrong_credentials_are_told_in_the_services_words() {
    let body = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided."}"#;
    let server = Scripted::start([Step::json(401, body)]).await;
    let error = connect_with_secret(&server.url)
        .scan(&accounts(), None, None)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, ConnectError::Unauthorised { message, .. } if message.starts_with("AADSTS7000215")),
        "{error}"
    );
    assert!(!error.to_string().contains("s3cret"));
}

#[tokio::test]
async fn a_throttled_call_waits_and_goes_on() {
    let busy = Step::error(429, "0x80072322", "Number of requests exceeded").head("Retry-After: 0");
    let server = Scripted::start([busy.clone(), page(&row(1)), busy, batch(&[204, 204])]).await;
    let dataverse = connect(&server.url);
    assert_eq!(
        dataverse
            .scan(&accounts(), None, None)
            .await
            .unwrap()
            .rows
            .len(),
        1
    );
    let writes = [update(id(1), NAME), update(id(2), NAME)];
    let outcomes = dataverse.write(&accounts(), &writes, WriteMode::Live).await;
    assert!(
        outcomes
            .iter()
            .all(|o| matches!(o, Outcome::Applied { .. })),
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn who_must_wait_long_is_told_how_long() {
    let busy =
        || Step::error(429, "0x80072321", "Combined execution time").head("Retry-After: 300");
    let server = Scripted::start([busy()]).await;
    let dataverse = connect(&server.url);
    let error = dataverse.scan(&accounts(), None, None).await.unwrap_err();
    assert_eq!(
        error.retry_after(),
        Some(Duration::from_secs(300)),
        "{error}"
    );
    let outcomes = dataverse
        .write(&accounts(), &[create(NAME)], WriteMode::Live)
        .await;
    let [
        Outcome::Transient {
            after: Some(after), ..
        },
    ] = outcomes.as_slice()
    else {
        panic!("{outcomes:?}")
    };
    assert!(*after > Duration::from_secs(200));
    assert_eq!(server.requests().len(), 1, "nobody pushes meanwhile");
}

#[tokio::test]
async fn a_write_without_an_answer_is_unknown_and_not_sent_again() {
    for step in [
        Step::Drop,
        Step::Stall,
        Step::html(502, "<html>Bad gateway"),
        Step::html(503, "<html>Service unavailable"),
        Step::html(200, "<html>Sign in"),
    ] {
        for count in [1, 2] {
            for mode in [WriteMode::Live, WriteMode::Bulk] {
                let server = Scripted::start([step.clone()]).await;
                let writes = vec![create(NAME); count];
                let outcomes = connect(&server.url).write(&accounts(), &writes, mode).await;
                assert_eq!(outcomes.len(), count);
                assert!(
                    outcomes
                        .iter()
                        .all(|o| matches!(o, Outcome::Unknown { .. })),
                    "{outcomes:?}"
                );
                assert_eq!(server.requests().len(), 1);
            }
        }
    }
}

#[tokio::test]
async fn of_a_batch_cut_short_the_answered_rows_are_known() {
    let Step::Answer(_, _, body) = batch(&[204, 204, 204]) else {
        unreachable!()
    };
    let cut = Step::Cut(Box::new(batch(&[204, 204, 204])), body.len() * 2 / 3);
    let server = Scripted::start([cut]).await;
    let writes = [1, 2, 3].map(|n| update(id(n), NAME));
    let outcomes = connect(&server.url)
        .write(&accounts(), &writes, WriteMode::Live)
        .await;
    assert!(
        matches!(outcomes[0], Outcome::Applied { .. }),
        "{outcomes:?}"
    );
    assert!(
        matches!(outcomes[2], Outcome::Unknown { .. }),
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn a_batch_that_is_too_long_is_halved() {
    let server = Scripted::start([
        Step::error(413, "0x80048306", "Too long"),
        batch(&[204, 412]),
        batch(&[204, 204]),
    ])
    .await;
    let writes = [1, 2, 3, 4].map(|n| update(id(n), NAME));
    let outcomes = connect(&server.url)
        .write(&accounts(), &writes, WriteMode::Live)
        .await;
    let told: Vec<bool> = outcomes
        .iter()
        .map(|o| matches!(o, Outcome::Applied { .. }))
        .collect();
    assert_eq!(told, [true, false, true, true]);
    assert_eq!(outcomes[1], Outcome::Conflict);
}

#[tokio::test]
async fn a_bulk_write_that_is_refused_finds_the_row() {
    let server = Scripted::start([
        Step::error(400, "0x80044331", "A validation error occurred."),
        batch(&[204, 204]),
    ])
    .await;
    let writes = [create(NAME), create(NAME)];
    let outcomes = connect(&server.url)
        .write(&accounts(), &writes, WriteMode::Bulk)
        .await;
    assert!(
        outcomes
            .iter()
            .all(|o| matches!(o, Outcome::Applied { .. })),
        "{outcomes:?}"
    );
    let requests = server.requests();
    assert!(requests[0].contains("/accounts/Microsoft.Dynamics.CRM.CreateMultiple"));
    assert!(requests[0].contains(r#"{"@odata.type":"Microsoft.Dynamics.CRM.account","name":"x"}"#));
    assert!(requests[1].contains("/$batch"));
}

#[tokio::test]
async fn a_bulk_create_names_its_rows() {
    let body = format!(r#"{{"Ids":["{}","{}"]}}"#, guid(1), guid(2));
    let server = Scripted::start([Step::json(200, body)]).await;
    let writes = [create(NAME), create(NAME)];
    let outcomes = connect(&server.url)
        .write(&accounts(), &writes, WriteMode::Bulk)
        .await;
    let keys: Vec<_> = outcomes
        .into_iter()
        .map(|o| match o {
            Outcome::Applied { key, .. } => key,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(keys, [Some(id(1)), Some(id(2))]);
}

#[tokio::test]
async fn an_expired_cursor_is_told() {
    let expired = Step::error(
        400,
        "0x80044352",
        "Version stamp associated with the client has expired. Please perform a full sync.",
    );
    let server = Scripted::start([expired, page(&row(1))]).await;
    let dataverse = connect(&server.url);
    let cursor = Cursor("accounts?$deltatoken=1".to_owned());
    let error = dataverse
        .changes(&accounts(), Some(&cursor))
        .await
        .unwrap_err();
    assert!(
        matches!(error, ConnectError::CursorExpired { .. }),
        "{error}"
    );
    let error = dataverse.changes(&accounts(), None).await.unwrap_err();
    assert!(
        error.to_string().contains("switch change tracking on"),
        "{error}"
    );
}

#[tokio::test]
async fn feeds_that_are_read_together_fail_alone() {
    let delta = |n: u8| {
        let mut response = Response::new(200);
        response.body =
            format!(r#"{{"value":[],"@odata.deltaLink":"accounts?$deltatoken={n}"}}"#).into();
        response
    };
    let mut refused = Response::new(403);
    refused.body = dwmap_odata::ErrorBody::new("0x80040220", "missing prvReadAccount")
        .render()
        .into();
    let rendered = render_responses(&[delta(7), refused, delta(9)].map(Part::Single));
    let kind = format!("Content-Type: {}", rendered.content_type);
    let answer = Step::Answer(200, vec![kind], rendered.body.clone());
    let cut = Step::Cut(Box::new(answer.clone()), rendered.body.len() - 40);
    let alone = |n: u8| {
        Step::json(
            200,
            format!(r#"{{"value":[],"@odata.deltaLink":"accounts?$deltatoken={n}"}}"#),
        )
    };
    let no_batch = Step::error(405, "0x80060888", "Batch isn't supported here");
    let steps = [answer, cut.clone(), cut, no_batch];
    let server = Scripted::start(steps.into_iter().chain([1, 2, 3].map(alone))).await;
    let dataverse = connect(&server.url);
    let query = accounts();
    let cursor = Cursor("accounts?$deltatoken=1".to_owned());
    let since = [dwmap_connect::Since {
        query: &query,
        cursor: Some(&cursor),
    }; 3];

    let pages = dataverse.changes_of_each(&since).await;
    assert_eq!(pages[0].as_ref().unwrap().next.0, "accounts?$deltatoken=7");
    assert!(
        matches!(&pages[1], Err(ConnectError::Unauthorised { message, .. }) if message == "missing prvReadAccount"),
        "{:?}",
        pages[1]
    );
    assert_eq!(pages[2].as_ref().unwrap().next.0, "accounts?$deltatoken=9");

    for page in dataverse.changes_of_each(&since).await {
        let error = page.unwrap_err();
        assert!(error.is_transient(), "cut off twice: {error}");
    }
    let pages = dataverse.changes_of_each(&since).await;
    let all: Vec<bool> = pages.iter().map(Result::is_ok).collect();
    assert_eq!(
        all, [true; 3],
        "a service without batches is asked one by one: {pages:?}"
    );
}

#[tokio::test]
async fn finance_and_operations_refuses_in_its_inner_error() {
    let body = r#"{"error":{"code":"","message":"An error has occurred.","innererror":{
        "message":"Write failed for table row of type 'CustCustomerV3Entity'. Infolog: Error: OrganizationName must be filled in."}}}"#;
    let taken = r#"{"error":{"code":"","message":"An error has occurred.","innererror":{"message":"The record already exists."}}}"#;
    let server = Scripted::start([Step::json(500, body), Step::json(400, taken)]).await;
    let finops = Finops::connect(FinopsConfig {
        limits: quick(),
        ..FinopsConfig::new("fno", &server.url)
    })
    .unwrap();
    let write = create(r#"{"OrganizationName":""}"#);
    let outcomes = finops
        .write(&customers(), std::slice::from_ref(&write), WriteMode::Live)
        .await;
    let [Outcome::Rejected(refusal)] = outcomes.as_slice() else {
        panic!("{outcomes:?}")
    };
    assert_eq!(refusal.field.as_deref(), Some("OrganizationName"));
    assert!(refusal.message.starts_with("Write failed for table row"));
    let outcomes = finops.write(&customers(), &[write], WriteMode::Live).await;
    assert_eq!(outcomes, [Outcome::Conflict]);
}

#[tokio::test]
async fn a_filter_the_service_cannot_say_is_refused_before_it_is_sent() {
    let server = Scripted::start([]).await;
    let finops = Finops::connect(FinopsConfig::new("fno", &server.url)).unwrap();
    let null = Keys::Record(vec![vec![Value::from("usmf"), Value::Null]]);
    assert!(finops.fetch(&customers(), &null).await.is_err());
    let token = PageToken("after:[]".to_owned());
    assert!(finops.scan(&customers(), None, Some(&token)).await.is_err());
    assert!(server.requests().is_empty());
}
