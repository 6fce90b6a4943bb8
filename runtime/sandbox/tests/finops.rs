//! The OData service of Finance & Operations.

mod common;

use common::{Bench, send};
use serde_json::json;

const ONE: &str = "CustomersV3(dataAreaId='usmf',CustomerAccount='US-1')";

#[tokio::test]
async fn a_created_row_comes_back_with_blanks_and_defaults() {
    let bench = Bench::open().await;
    let group = json!({ "dataAreaId": "usmf", "CustomerGroupId": "30", "PaymentTermId": "Net30" });
    send(bench.fo("POST", "CustomerGroups").json(&group))
        .await
        .expect(201);
    let row = bench.customer("US-1", json!({ "OrganizationName": "Contoso   ", "dataAreaId": "USMF", "CreditLimit": 10.5, "BirthDate": "2001-02-03T12:00:00Z" })).await;
    assert!(
        row.header("Location")
            .ends_with("/data/CustomersV3(dataAreaId='usmf',CustomerAccount='US-1')")
    );
    let row = row.expect(201).json();
    assert_eq!(row["dataAreaId"], "usmf", "companies are in lower case");
    assert_eq!(
        row["OrganizationName"], "Contoso",
        "trailing blanks are dropped"
    );
    assert_eq!(
        (
            row["CreditLimit"].to_string(),
            &row["OrganizationNumberOfEmployees"]
        ),
        ("10.5".to_owned(), &json!(0))
    );
    assert_eq!(
        (&row["ReleaseDate"], &row["BirthDate"]),
        (
            &json!("1900-01-01T00:00:00Z"),
            &json!("2001-02-03T12:00:00Z")
        )
    );
    assert_eq!(
        (&row["OnHoldStatus"], &row["IsOneTimeCustomer"]),
        (&json!("No"), &json!("No"))
    );
    assert_eq!(
        (
            &row["InvoiceAccount"],
            &row["LanguageId"],
            &row["PaymentTerms"]
        ),
        (&json!("US-1"), &json!("en-us"), &json!("Net30"))
    );
}

#[tokio::test]
async fn a_number_sequence_gives_the_account() {
    let bench = Bench::open().await;
    let numbers = [
        bench.customer("", json!({})).await,
        bench.customer("", json!({})).await,
    ];
    let numbers: Vec<_> = numbers
        .into_iter()
        .map(|a| a.expect(201).json()["CustomerAccount"].clone())
        .collect();
    assert_eq!(numbers, ["C-000001", "C-000002"]);
}

#[tokio::test]
async fn patch_updates_and_does_not_create() {
    let bench = Bench::open().await;
    assert_eq!(
        send(
            bench
                .fo("PATCH", ONE)
                .json(&json!({ "OrganizationName": "x" }))
        )
        .await
        .error()
        .0,
        404
    );
    bench
        .customer(
            "US-1",
            json!({ "OrganizationName": "old", "CreditLimit": 5 }),
        )
        .await
        .expect(201);
    send(
        bench
            .fo("PATCH", &ONE.replace("US-1", "us-1"))
            .json(&json!({ "OrganizationName": "new", "OnHoldStatus": "Never" })),
    )
    .await
    .expect(204);
    let row = send(bench.fo("GET", ONE)).await.expect(200).json();
    assert_eq!(
        (
            &row["OrganizationName"],
            &row["OnHoldStatus"],
            &row["CreditLimit"]
        ),
        (&json!("new"), &json!("Never"), &json!(5))
    );
    send(
        bench
            .fo("PATCH", ONE)
            .json(&json!({ "OrganizationName": null })),
    )
    .await
    .expect(204);
    assert_eq!(
        send(bench.fo("GET", ONE)).await.json()["OrganizationName"],
        "",
        "null is stored as a blank"
    );
}

#[tokio::test]
async fn put_blanks_what_it_does_not_name_and_delete_removes() {
    let bench = Bench::open().await;
    bench
        .customer(
            "US-1",
            json!({ "OrganizationName": "old", "CreditLimit": 5 }),
        )
        .await
        .expect(201);
    send(
        bench
            .fo("PUT", ONE)
            .json(&json!({ "CustomerGroupId": "30", "OrganizationName": "put" })),
    )
    .await
    .expect(204);
    assert_eq!(
        send(bench.fo("GET", ONE)).await.json()["CreditLimit"],
        json!(0)
    );
    send(bench.fo("DELETE", ONE)).await.expect(204);
    assert_eq!(send(bench.fo("GET", ONE)).await.status, 404);
    assert_eq!(send(bench.fo("DELETE", ONE)).await.error().0, 404);
}

#[tokio::test]
async fn etags_guard_writes() {
    let bench = Bench::open().await;
    let etag = bench.customer("US-1", json!({})).await.json()["@odata.etag"]
        .as_str()
        .unwrap()
        .to_owned();
    let patch = |etag: String| {
        send(
            bench
                .fo("PATCH", ONE)
                .header("If-Match", etag)
                .json(&json!({ "OrganizationName": "x" })),
        )
    };
    patch(etag.clone()).await.expect(204);
    assert_eq!(patch(etag).await.error().0, 412);
    patch("*".to_owned()).await.expect(204);
}

#[tokio::test]
async fn companies_are_isolated() {
    let bench = Bench::open().await;
    bench.customer("US-1", json!({})).await.expect(201);
    send(
        bench
            .fo("POST", "CustomerGroups")
            .json(&json!({ "dataAreaId": "demf", "CustomerGroupId": "30" })),
    )
    .await
    .expect(201);
    bench
        .customer("DE-1", json!({ "dataAreaId": "demf" }))
        .await
        .expect(201);
    let accounts = |query: &'static str| {
        let bench = &bench;
        async move {
            send(bench.fo("GET", &format!("CustomersV3?{query}")))
                .await
                .expect(200)
                .column("CustomerAccount")
        }
    };
    assert_eq!(accounts("").await, ["US-1"]);
    assert_eq!(accounts("cross-company=true").await, ["DE-1", "US-1"]);
    assert_eq!(
        accounts("cross-company=true&$filter=dataAreaId eq 'DEMF'").await,
        ["DE-1"]
    );
    let german = "CustomersV3(dataAreaId='demf',CustomerAccount='DE-1')";
    assert_eq!(send(bench.fo("GET", german)).await.status, 404);
    send(bench.fo("GET", &format!("{german}?cross-company=true")))
        .await
        .expect(200);
    assert_eq!(
        send(bench.fo("PATCH", german).json(&json!({})))
            .await
            .status,
        404
    );
    send(
        bench
            .fo("PATCH", &format!("{german}?cross-company=true"))
            .json(&json!({})),
    )
    .await
    .expect(204);
}

#[tokio::test]
async fn filters_have_the_services_own_operators() {
    let bench = Bench::open().await;
    bench.customer("US-1", json!({ "OrganizationName": "Contoso Retail", "OnHoldStatus": "All", "CreditLimit": 10 })).await.expect(201);
    bench.customer("US-2", json!({ "OrganizationName": "Fabrikam", "IsOneTimeCustomer": "Yes", "CreditLimit": 25.5 })).await.expect(201);
    let cases = [
        (
            "OnHoldStatus eq Microsoft.Dynamics.DataEntities.CustVendorBlocked'All'",
            vec!["US-1"],
        ),
        (
            "IsOneTimeCustomer ne Microsoft.Dynamics.DataEntities.NoYes'Yes'",
            vec!["US-1"],
        ),
        ("OrganizationName eq '*retail*'", vec!["US-1"]),
        ("OrganizationName eq 'fabrikam'", vec!["US-2"]),
        (
            "CreditLimit add 5 gt 20 or CustomerAccount eq 'x'",
            vec!["US-2"],
        ),
        ("CreditLimit mod 10 eq 0", vec!["US-1"]),
        (
            "CustomerAccount gt 'us-1' and dataAreaId eq 'usmf'",
            vec!["US-2"],
        ),
        ("ReleaseDate eq 1900-01-01T00:00:00Z", vec!["US-1", "US-2"]),
    ];
    for (filter, wanted) in cases {
        let found = send(bench.fo("GET", "CustomersV3").query(&[("$filter", filter)]))
            .await
            .expect(200)
            .column("CustomerAccount");
        assert_eq!(found, wanted, "{filter}");
    }
    let refused = [
        "CustomerAccount in ('US-1')",
        "contains(OrganizationName,'x')",
        "OnHoldStatus eq 'All'",
        "OnHoldStatus gt Microsoft.Dynamics.DataEntities.CustVendorBlocked'No'",
        "OnHoldStatus eq Microsoft.Dynamics.DataEntities.CustVendorBlocked'Nonsense'",
        "Nonsense eq 1",
    ];
    for filter in refused {
        assert_eq!(
            send(bench.fo("GET", "CustomersV3").query(&[("$filter", filter)]))
                .await
                .error()
                .0,
            400,
            "{filter}"
        );
    }
}

#[tokio::test]
async fn pages_go_on_by_skip_and_nothing_is_tracked() {
    let bench = Bench::open().await;
    for n in 0..5 {
        bench
            .customer(&format!("US-{n}"), json!({}))
            .await
            .expect(201);
    }
    let get = |url: String| {
        send(
            bench
                .fo("GET", &url)
                .header("Prefer", "odata.maxpagesize=2,odata.track-changes"),
        )
    };
    let mut next = Some("CustomersV3?$select=CustomerAccount&$count=true".to_owned());
    let mut seen = Vec::new();
    while let Some(url) = next {
        let page = get(url).await.expect(200);
        assert_eq!(
            (
                page.json()["@odata.count"].clone(),
                page.json().get("@odata.deltaLink")
            ),
            (json!(5), None)
        );
        seen.extend(page.column("CustomerAccount"));
        next = page.json()["@odata.nextLink"].as_str().map(str::to_owned);
        assert!(
            next.as_ref().is_none_or(|url| url.contains("$skip=")),
            "{next:?}"
        );
    }
    assert_eq!(seen, ["US-0", "US-1", "US-2", "US-3", "US-4"]);
    let top = get(
        "CustomersV3?$select=CustomerAccount&$orderby=CustomerAccount desc&$top=3&$skip=1"
            .to_owned(),
    )
    .await;
    assert_eq!(top.column("CustomerAccount"), ["US-3", "US-2"]);
    assert!(
        top.json()["@odata.nextLink"]
            .as_str()
            .unwrap()
            .ends_with("$skip=3&$top=1")
    );
}

#[tokio::test]
async fn what_does_not_fit_is_refused_with_an_infolog() {
    let bench = Bench::open().await;
    bench.customer("US-1", json!({})).await.expect(201);
    let duplicate = bench.customer("us-1", json!({})).await.error();
    assert_eq!(duplicate.0, 400);
    assert!(
        duplicate.2.contains("The record already exists."),
        "{}",
        duplicate.2
    );
    let cases = [
        (
            json!({ "OrganizationName": "x".repeat(101) }),
            "Write failed for table row of type 'CustCustomerV3Entity'. Infolog: Error: The value of field 'OrganizationName' is too long",
        ),
        (
            json!({ "CustomerGroupId": "" }),
            "Field 'CustomerGroupId' must be filled in.",
        ),
        (
            json!({ "CustomerGroupId": "99" }),
            "The value '99' in field 'CustomerGroupId' is not found in the related table 'CustomerGroups'.",
        ),
        (
            json!({ "InvoiceAccount": "US-9" }),
            "is not found in the related table 'CustomersV3'",
        ),
        (
            json!({ "OnHoldStatus": "Nonsense" }),
            "its members are No,Invoice,All,Never",
        ),
        (
            json!({ "OnHoldStatus": 2 }),
            "Cannot convert the literal '2'",
        ),
        (
            json!({ "PartyType": "Robot" }),
            "its members are Person,Organization",
        ),
        (
            json!({ "Nonsense": 1 }),
            "The property 'Nonsense' does not exist",
        ),
    ];
    for (body, message) in cases {
        let error = bench.customer("US-2", body.clone()).await.error();
        assert_eq!(error.0, 400, "{body}");
        assert!(error.2.contains(message), "{body}: {}", error.2);
    }
    for path in ["CustomersV3('US-1')", "CustomersV3(dataAreaId='usmf')"] {
        assert_eq!(
            send(bench.fo("GET", path)).await.error().0,
            400,
            "keys are complete: {path}"
        );
    }
    assert_eq!(send(bench.fo("GET", "Nonsense")).await.error().0, 404);
}
