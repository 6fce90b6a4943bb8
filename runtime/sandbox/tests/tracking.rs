//! Change tracking of Dataverse's own tables and of virtual tables.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a helper's failure is the test's"
)]

mod common;

use common::{Answer, Bench, send};
use serde_json::json;

/// Reads a tracked collection to its end; gives the rows and the delta link.
async fn all(bench: &Bench, from: &str, page: usize) -> (Vec<serde_json::Value>, String) {
    let mut rows = Vec::new();
    let mut url = from.to_owned();
    loop {
        let prefer = format!("odata.track-changes,odata.maxpagesize={page}");
        let answer: Answer = send(bench.dv("GET", &url).header("Prefer", prefer))
            .await
            .expect(200);
        let json = answer.json();
        rows.extend(answer.rows());
        if let Some(delta) = json["@odata.deltaLink"].as_str() {
            return (rows, delta.to_owned());
        }
        json["@odata.nextLink"]
            .as_str()
            .expect("either link")
            .clone_into(&mut url);
    }
}

#[tokio::test]
async fn a_tracked_read_gives_all_rows_and_then_what_changed() {
    let bench = Bench::open().await;
    let mut ids = Vec::new();
    for at in 0..5 {
        ids.push(bench.account(&format!("A-{at}"), "old").await);
    }
    let (rows, delta) = all(&bench, "accounts?$select=name", 2).await;
    assert_eq!(rows.len(), 5);
    let (rows, delta) = all(&bench, &delta, 2).await;
    assert!(rows.is_empty(), "{rows:?}");

    send(
        bench
            .dv("PATCH", &format!("accounts({})", ids[1]))
            .json(&json!({ "name": "new" })),
    )
    .await
    .expect(204);
    let born = bench.account("A-9", "born").await;
    for id in [&ids[0], &ids[3]] {
        send(bench.dv("DELETE", &format!("accounts({id})")))
            .await
            .expect(204);
    }
    let fleeting = bench.account("A-8", "fleeting").await;
    send(bench.dv("DELETE", &format!("accounts({fleeting})")))
        .await
        .expect(204);

    for page in [1, 2, 50] {
        let (rows, _) = all(&bench, &delta, page).await;
        let changed: Vec<_> = rows
            .iter()
            .filter_map(|r| r["accountid"].as_str())
            .collect();
        assert_eq!(changed, [&ids[1], &born], "pages of {page}");
        let deleted: Vec<_> = rows
            .iter()
            .filter(|r| r["reason"] == "deleted")
            .filter_map(|r| r["id"].as_str())
            .collect();
        assert_eq!(
            deleted,
            [&ids[0], &ids[3], &fleeting],
            "pages of {page}: one that came and went is deleted too"
        );
    }
    let (_, later) = all(&bench, &delta, 50).await;
    assert!(all(&bench, &later, 50).await.0.is_empty());
}

#[tokio::test]
async fn a_row_that_is_there_again_is_no_deleted_one() {
    let bench = Bench::open().await;
    let id = bench.account("A", "a").await;
    let (_, delta) = all(&bench, "accounts", 10).await;
    send(bench.dv("DELETE", &format!("accounts({id})")))
        .await
        .expect(204);
    send(
        bench
            .dv("PATCH", &format!("accounts({id})"))
            .json(&json!({ "name": "again" })),
    )
    .await
    .expect(204);
    let (rows, _) = all(&bench, &delta, 10).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["name"], "again");
}

#[tokio::test]
async fn filters_are_refused() {
    let bench = Bench::open().await;
    for (option, value) in [
        ("$filter", "name eq 'a'"),
        ("$orderby", "name"),
        ("$expand", "msdyn_company"),
        ("$top", "3"),
    ] {
        let request = bench
            .dv("GET", "accounts")
            .query(&[(option, value)])
            .header("Prefer", "odata.track-changes");
        let (status, _, message) = send(request).await.error();
        assert_eq!(status, 400);
        assert_eq!(
            message,
            format!(
                "The \"{option}\" query parameter isn't supported when Change Tracking is enabled."
            )
        );
    }
}

#[tokio::test]
async fn tokens_expire() {
    let bench = Bench::open().await;
    bench.account("A", "a").await;
    let (_, delta) = all(&bench, "accounts", 10).await;
    let expire = format!(
        "http://{}/sandbox/expire-delta-tokens",
        bench.sandbox.dataverse()
    );
    send(bench.client.post(expire)).await.expect(204);
    assert_eq!(send(bench.dv("GET", &delta)).await.error().1, "0x80044352");
    let (_, fresh) = all(&bench, "accounts", 10).await;
    send(bench.dv("GET", &fresh)).await.expect(200);
    let bench = bench
        .restart(|config| config.token_life = std::time::Duration::ZERO)
        .await;
    let path = &fresh[fresh.find("accounts").unwrap()..];
    assert_eq!(
        send(bench.dv("GET", path)).await.error().1,
        "0x80044352",
        "tokens grow old"
    );
    assert_eq!(
        send(bench.dv("GET", "accounts?$deltatoken=nonsense"))
            .await
            .error()
            .0,
        400
    );
}

#[tokio::test]
async fn the_erps_entities_are_tracked_as_virtual_tables() {
    let bench = Bench::open().await;
    bench.customer("US-1", json!({ "OrganizationName": "Contoso", "OnHoldStatus": "Never", "ReleaseDate": "1900-01-01T00:00:00Z" })).await.expect(201);
    let (rows, delta) = all(&bench, "mserp_custcustomerv3entities", 10).await;
    let row = &rows[0];
    assert_eq!(row["mserp_primaryfield"], "usmf|US-1");
    assert_eq!(
        (&row["mserp_organizationname"], &row["mserp_paymentterms"]),
        (&json!("Contoso"), &json!(null))
    );
    assert_eq!(row["mserp_releasedate"], json!(null), "1900-01-01 is null");
    assert_eq!(
        row["mserp_onholdstatus"], 200_000_003,
        "the fourth member, whose integer in the ERP is 5"
    );
    let id = row["mserp_custcustomerv3entityid"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(id.starts_with("00000001-0000-0000-"), "{id}");

    send(
        bench
            .fo(
                "PATCH",
                "CustomersV3(dataAreaId='usmf',CustomerAccount='US-1')",
            )
            .json(&json!({ "OrganizationName": "New" })),
    )
    .await
    .expect(204);
    let (rows, delta) = all(&bench, &delta, 10).await;
    assert_eq!(rows[0]["mserp_organizationname"], "New");
    send(bench.fo(
        "DELETE",
        "CustomersV3(dataAreaId='usmf',CustomerAccount='US-1')",
    ))
    .await
    .expect(204);
    let (rows, _) = all(&bench, &delta, 10).await;
    assert_eq!(
        (&rows[0]["id"], &rows[0]["reason"]),
        (&json!(id), &json!("deleted"))
    );
}

#[tokio::test]
async fn virtual_tables_are_read_by_id_and_filter_and_not_written() {
    let bench = Bench::open().await;
    for account in ["US-1", "US-2"] {
        bench
            .customer(
                account,
                json!({ "OrganizationName": account, "OnHoldStatus": "All" }),
            )
            .await
            .expect(201);
    }
    let path = "mserp_custcustomerv3entities?$select=mserp_customeraccount,mserp_onholdstatus";
    let filtered = send(bench.dv("GET", &format!("{path}&$filter=mserp_organizationname eq 'us-2' and mserp_onholdstatus eq 200000002")).header("Prefer", "odata.include-annotations=*")).await.expect(200);
    assert_eq!(filtered.column("mserp_customeraccount"), ["US-2"]);
    assert_eq!(
        filtered.rows()[0]["mserp_onholdstatus@OData.Community.Display.V1.FormattedValue"],
        "All"
    );
    let id = filtered.rows()[0]["mserp_custcustomerv3entityid"]
        .as_str()
        .unwrap()
        .to_owned();
    let one = send(bench.dv("GET", &format!("mserp_custcustomerv3entities({id})")))
        .await
        .expect(200)
        .json();
    assert_eq!(one["mserp_customeraccount"], "US-2");
    let mut pages = Vec::new();
    let mut next = Some(path.to_owned());
    while let Some(url) = next {
        let page = send(
            bench
                .dv("GET", &url)
                .header("Prefer", "odata.maxpagesize=1"),
        )
        .await
        .expect(200);
        pages.extend(page.column("mserp_customeraccount"));
        next = page.json()["@odata.nextLink"].as_str().map(str::to_owned);
    }
    assert_eq!(pages, ["US-1", "US-2"]);
    assert_eq!(
        send(
            bench
                .dv("PATCH", &format!("mserp_custcustomerv3entities({id})"))
                .json(&json!({}))
        )
        .await
        .error()
        .0,
        405
    );
}
