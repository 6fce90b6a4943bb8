//! Seeded data.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a helper's failure is the test's"
)]

mod common;

use std::collections::HashMap;

use common::{Bench, send};
use serde_json::{Value as Json, json};

async fn rows(bench: &Bench, path: &str) -> Vec<Json> {
    let mut all = Vec::new();
    let mut next = Some(path.to_owned());
    let on_dataverse = !path.contains("cross-company");
    while let Some(url) = next {
        let request = if on_dataverse {
            bench.dv("GET", &url)
        } else {
            bench.fo("GET", &url)
        };
        let page = send(request).await.expect(200);
        all.extend(page.rows());
        next = page.json()["@odata.nextLink"].as_str().map(str::to_owned);
    }
    all
}

async fn both(bench: &Bench) -> (HashMap<String, Json>, HashMap<String, Json>) {
    let keyed = |rows: Vec<Json>, key: &str| {
        rows.into_iter()
            .map(|r| (r[key].as_str().unwrap().to_owned(), r))
            .collect()
    };
    (
        keyed(
            rows(bench, "CustomersV3?cross-company=true").await,
            "CustomerAccount",
        ),
        keyed(rows(bench, "accounts").await, "accountnumber"),
    )
}

#[tokio::test]
async fn customers_are_split_over_both_systems_and_overlap() {
    let bench = Bench::with(|c| (c.open, c.customers) = (true, Some(1_000))).await;
    let (erp, crm) = both(&bench).await;
    let shared: Vec<_> = erp.keys().filter(|k| crm.contains_key(*k)).collect();
    assert!(
        (450..=550).contains(&shared.len()),
        "{} of 1000 stand in both",
        shared.len()
    );
    assert_eq!(erp.len() + crm.len() - shared.len(), 1_000);
    let differs = |key: &&&String| {
        let (e, c) = (&erp[**key], &crm[**key]);
        e["OrganizationNumberOfEmployees"] != c["numberofemployees"]
            || e["CreditLimit"].as_f64() != c["creditlimit"].as_f64()
    };
    let differing = shared.iter().filter(differs).count();
    assert!(
        (30..=110).contains(&differing),
        "{differing} of {} differ in these two fields",
        shared.len()
    );
    let companies: Vec<_> = send(bench.dv(
        "GET",
        "cdm_companies?$select=cdm_companycode&$orderby=cdm_companycode",
    ))
    .await
    .column("cdm_companycode");
    assert_eq!(companies, ["demf", "usmf"]);
    for account in crm.values() {
        assert_ne!(account["_msdyn_company_value"], json!(null), "{account}");
        assert_ne!(
            account["_transactioncurrencyid_value"],
            json!(null),
            "{account}"
        );
    }
    let groups = rows(&bench, "CustomerGroups?cross-company=true").await;
    assert_eq!(groups.len(), 8, "four in each of two companies");
    // What is seeded satisfies the service's own rules.
    let one = erp.values().find(|c| c["dataAreaId"] == "usmf").unwrap();
    let path = format!(
        "CustomersV3(dataAreaId='usmf',CustomerAccount='{}')",
        one["CustomerAccount"].as_str().unwrap()
    );
    let again = json!({ "CustomerGroupId": one["CustomerGroupId"], "InvoiceAccount": one["InvoiceAccount"] });
    send(bench.fo("PATCH", &path).json(&again))
        .await
        .expect(204);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_data_and_another_does_not() {
    let mut found = Vec::new();
    for seed in [7, 7, 8] {
        let bench = Bench::with(|c| (c.open, c.customers, c.seed) = (true, Some(50), seed)).await;
        let (mut erp, _) = both(&bench).await;
        for row in erp.values_mut() {
            row.as_object_mut().unwrap().remove("@odata.etag");
        }
        found.push(erp);
    }
    assert_eq!(found[0], found[1]);
    assert_ne!(found[0], found[2]);
}

#[tokio::test]
async fn data_that_are_there_are_left_as_they_are() {
    let bench = Bench::with(|c| (c.open, c.customers) = (true, Some(20))).await;
    let (erp, crm) = both(&bench).await;
    let bench = bench
        .restart(|c| (c.customers, c.seed) = (Some(500), 9))
        .await;
    let (erp_after, crm_after) = both(&bench).await;
    assert_eq!((erp, crm), (erp_after, crm_after));
}
