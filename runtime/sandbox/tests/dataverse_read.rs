//! Reading from Dataverse.

mod common;

use common::{Bench, id_of, send};
use serde_json::json;

async fn with_accounts(n: usize) -> Bench {
    let bench = Bench::open().await;
    for at in 0..n {
        bench
            .account(&format!("A-{at:02}"), &format!("Account {at}"))
            .await;
    }
    bench
}

#[tokio::test]
async fn pages_go_on_by_next_link_and_hold_every_row_once() {
    let bench = with_accounts(7).await;
    for order in [
        "",
        "&$orderby=name desc",
        "&$orderby=description,accountid desc",
    ] {
        let mut seen = Vec::new();
        let mut next = Some(format!("accounts?$select=accountnumber{order}"));
        while let Some(url) = next {
            let page = send(
                bench
                    .dv("GET", &url)
                    .header("Prefer", "odata.maxpagesize=3"),
            )
            .await
            .expect(200);
            assert_eq!(page.header("Preference-Applied"), "odata.maxpagesize=3");
            seen.extend(page.column("accountnumber"));
            next = page.json()["@odata.nextLink"].as_str().map(str::to_owned);
        }
        assert_eq!(seen.len(), 7, "{order}");
        seen.sort_by_key(ToString::to_string);
        seen.dedup();
        assert_eq!(seen.len(), 7, "{order}");
    }
}

#[tokio::test]
async fn top_count_and_order() {
    let bench = with_accounts(5).await;
    let page = send(bench.dv(
        "GET",
        "accounts?$select=name&$orderby=accountnumber desc&$top=2&$count=true",
    ))
    .await
    .expect(200);
    assert_eq!(page.column("name"), ["Account 4", "Account 3"]);
    assert_eq!(page.json()["@odata.count"], 5);
    assert_eq!(page.json().get("@odata.nextLink"), None);
    assert_eq!(
        send(bench.dv("GET", "accounts/$count"))
            .await
            .expect(200)
            .text,
        "5"
    );
}

#[tokio::test]
async fn filters_select_rows() {
    let bench = with_accounts(3).await;
    let company = bench.company("usmf").await;
    let bound = json!({ "accountnumber": "B", "name": "O'Neil & Söhne", "creditlimit": 12.5, "donotemail": true,
        "msdyn_company@odata.bind": format!("/cdm_companies({company})") });
    send(bench.dv("POST", "accounts").json(&bound))
        .await
        .expect(204);
    let cases = [
        ("name eq 'account 1'", 1),
        ("name ne 'Account 1'", 3),
        ("accountnumber gt 'A-00' and accountnumber le 'A-02'", 2),
        ("contains(name,'SÖHNE')", 1),
        ("startswith(name,'o''neil &')", 1),
        ("endswith(name,'2') or endswith(name,'0')", 2),
        ("not contains(name,'Account')", 1),
        ("creditlimit eq 12.50", 1),
        ("creditlimit gt 12.499", 1),
        ("creditlimit eq null", 3),
        ("creditlimit ne null", 1),
        ("not (creditlimit gt 1)", 3),
        ("donotemail eq true", 1),
        ("msdyn_company/cdm_companycode eq 'USMF'", 1),
        ("statecode eq 0 and modifiedon gt 2020-01-01T00:00:00Z", 4),
        (
            "Microsoft.Dynamics.CRM.In(PropertyName='accountnumber',PropertyValues=['a-01','A-02','x'])",
            2,
        ),
    ];
    for (filter, wanted) in cases {
        let rows = send(bench.dv("GET", "accounts").query(&[("$filter", filter)]))
            .await
            .expect(200)
            .rows();
        assert_eq!(rows.len(), wanted, "{filter}");
    }
    let by_id = format!("_msdyn_company_value eq {company}");
    assert_eq!(
        send(bench.dv("GET", "accounts").query(&[("$filter", by_id)]))
            .await
            .rows()
            .len(),
        1
    );
}

#[tokio::test]
async fn what_the_service_does_not_have_is_refused() {
    let bench = with_accounts(1).await;
    let cases = [
        ("accounts?$skip=1", "Skip Clause is not supported in CRM"),
        (
            "accounts?$select=nonsense",
            "Could not find a property named 'nonsense'",
        ),
        (
            "accounts?$filter=nonsense eq 1",
            "Could not find a property named 'nonsense'",
        ),
        ("accounts?$filter=name eq 1", "incompatible types"),
        (
            "accounts?$filter=name in ('a','b')",
            "The operator 'in' is not supported",
        ),
        ("accounts?$filter=name eq", "Syntax error"),
        ("accounts?$search=x", "'$search' is not supported"),
        ("accounts?$top=x", "non-negative integer"),
        ("accounts?$skiptoken=zz", "malformed"),
        ("accounts?$expand=nonsense", "Could not find a property"),
    ];
    for (path, message) in cases {
        let error = send(bench.dv("GET", path)).await.error();
        assert_eq!(error.0, 400, "{path}");
        assert!(error.2.contains(message), "{path}: {}", error.2);
    }
    assert_eq!(
        send(bench.dv("GET", "accounts(55555555-5555-5555-5555-555555555555)"))
            .await
            .error()
            .1,
        "0x80040217"
    );
    assert_eq!(send(bench.dv("GET", "nonsense")).await.error().0, 404);
}

#[tokio::test]
async fn expands_look_ups_and_shows_formatted_values() {
    let bench = Bench::open().await;
    let company = bench.company("usmf").await;
    let body = json!({ "accountnumber": "A", "customertypecode": 3, "msdyn_company@odata.bind": format!("/cdm_companies({company})") });
    let id = id_of(&send(bench.dv("POST", "accounts").json(&body)).await);
    let path = format!(
        "accounts({id})?$select=accountnumber,customertypecode,_msdyn_company_value&$expand=msdyn_company($select=cdm_companycode),msdyn_billingaccount"
    );
    let row = send(
        bench
            .dv("GET", &path)
            .header("Prefer", "odata.include-annotations=\"*\""),
    )
    .await
    .expect(200)
    .json();
    assert_eq!(row["msdyn_company"]["cdm_companycode"], "usmf");
    assert_eq!(row["msdyn_company"]["cdm_companyid"], json!(company));
    assert_eq!(row["msdyn_billingaccount"], json!(null));
    assert_eq!(
        row["customertypecode@OData.Community.Display.V1.FormattedValue"],
        "Customer"
    );
    assert_eq!(
        row["_msdyn_company_value@Microsoft.Dynamics.CRM.lookuplogicalname"],
        "cdm_company"
    );
}

#[tokio::test]
async fn an_unchanged_row_is_not_sent_again() {
    let bench = Bench::open().await;
    let path = format!("accounts({})", bench.account("A", "a").await);
    let etag = send(bench.dv("GET", &path)).await.header("ETag").to_owned();
    let again = send(bench.dv("GET", &path).header("If-None-Match", etag)).await;
    assert_eq!((again.status, again.text.as_str()), (304, ""));
}
