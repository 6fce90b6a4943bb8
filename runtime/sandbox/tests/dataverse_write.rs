//! Create, update, upsert and delete in Dataverse.

mod common;

use common::{Bench, id_of, send};
use serde_json::json;

#[tokio::test]
async fn a_created_row_is_read_back_as_the_service_stores_it() {
    let bench = Bench::open().await;
    let body = json!({ "accountnumber": "A-1", "name": "", "creditlimit": 10.005, "customertypecode": 3, "donotemail": true, "birthday": "2001-02-03" });
    let created = send(bench.dv("POST", "accounts").json(&body))
        .await
        .expect(204);
    assert!(created.text.is_empty());
    let row = send(bench.dv("GET", &format!("accounts({})", id_of(&created))))
        .await
        .expect(200)
        .json();
    assert_eq!(
        row["name"],
        json!(null),
        "an empty string is stored as null"
    );
    assert_eq!(
        row["creditlimit"].to_string(),
        "10.00",
        "money is rounded to its scale, half to even"
    );
    assert_eq!(
        (&row["customertypecode"], &row["statecode"]),
        (&json!(3), &json!(0))
    );
    assert_eq!(
        (&row["donotemail"], &row["birthday"]),
        (&json!(true), &json!("2001-02-03"))
    );
    assert!(row["@odata.etag"].as_str().unwrap().starts_with("W/\""));
    assert!(row["modifiedon"].as_str().unwrap().ends_with('Z'));
}

#[tokio::test]
async fn a_representation_comes_with_201_or_200() {
    let bench = Bench::open().await;
    let create = bench
        .dv("POST", "accounts?$select=name")
        .header("Prefer", "return=representation")
        .json(&json!({ "name": "a" }));
    let row = send(create).await.expect(201).json();
    assert_eq!((&row["name"], row.get("creditlimit")), (&json!("a"), None));
    let update = bench.dv(
        "PATCH",
        &format!(
            "accounts({})?$select=name",
            row["accountid"].as_str().unwrap()
        ),
    );
    let row = send(
        update
            .header("Prefer", "return=representation")
            .json(&json!({ "name": "b" })),
    )
    .await
    .expect(200)
    .json();
    assert_eq!(row["name"], json!("b"));
}

#[tokio::test]
async fn patch_upserts_by_id_and_by_alternate_key() {
    let bench = Bench::open().await;
    let company = bench.company("usmf").await;
    let id = "11111111-1111-1111-1111-111111111111";
    let created = send(
        bench
            .dv("PATCH", &format!("accounts({id})"))
            .json(&json!({ "name": "by id" })),
    )
    .await
    .expect(204);
    assert_eq!(id_of(&created), id);
    let by_key = format!("accounts(accountnumber='X-1',_msdyn_company_value={company})");
    let first = id_of(
        &send(bench.dv("PATCH", &by_key).json(&json!({ "name": "one" })))
            .await
            .expect(204),
    );
    let again = id_of(
        &send(
            bench
                .dv("PATCH", &by_key.replace("X-1", "x-1"))
                .json(&json!({ "name": "two" })),
        )
        .await
        .expect(204),
    );
    assert_eq!(first, again, "keys compare without case");
    let row = send(bench.dv("GET", &by_key)).await.expect(200).json();
    assert_eq!(
        (&row["name"], &row["accountnumber"]),
        (&json!("two"), &json!("X-1"))
    );
    assert_eq!(row["_msdyn_company_value"], json!(company));
}

#[tokio::test]
async fn look_ups_are_bound_by_id_or_alternate_key_and_cut_by_null() {
    let bench = Bench::open().await;
    let company = bench.company("usmf").await;
    let body = json!({ "name": "a", "msdyn_company@odata.bind": "/cdm_companies(cdm_companycode='USMF')" });
    let id = id_of(
        &send(bench.dv("POST", "accounts").json(&body))
            .await
            .expect(204),
    );
    let path = format!("accounts({id})");
    let read = || async {
        send(bench.dv("GET", &path)).await.expect(200).json()["_msdyn_company_value"].clone()
    };
    assert_eq!(read().await, json!(company));
    send(
        bench
            .dv("PATCH", &path)
            .json(&json!({ "msdyn_company@odata.bind": null })),
    )
    .await
    .expect(204);
    assert_eq!(read().await, json!(null));
    let absolute = bench.dv_url(&format!("cdm_companies({company})"));
    send(
        bench
            .dv("PATCH", &path)
            .json(&json!({ "msdyn_company@odata.bind": absolute })),
    )
    .await
    .expect(204);
    assert_eq!(read().await, json!(company));
    send(
        bench
            .dv("PATCH", &path)
            .json(&json!({ "msdyn_company": null })),
    )
    .await
    .expect(204);
    assert_eq!(read().await, json!(null));
    let missing = json!({ "msdyn_company@odata.bind": "/cdm_companies(cdm_companycode='zzzz')" });
    let (status, code, _) = send(bench.dv("PATCH", &path).json(&missing)).await.error();
    assert_eq!((status, code.as_str()), (404, "0x80060891"));
    let direct = json!({ "_msdyn_company_value": company });
    assert_eq!(
        send(bench.dv("PATCH", &path).json(&direct)).await.error().0,
        400
    );
}

#[tokio::test]
async fn conditions_guard_writes() {
    let bench = Bench::open().await;
    let id = bench.account("A-1", "one").await;
    let path = format!("accounts({id})");
    let etag = send(bench.dv("GET", &path)).await.json()["@odata.etag"]
        .as_str()
        .unwrap()
        .to_owned();
    let patch = |header: &'static str, value: String, path: String| {
        send(
            bench
                .dv("PATCH", &path)
                .header(header, value)
                .json(&json!({ "name": "x" })),
        )
    };
    patch("If-Match", etag.clone(), path.clone())
        .await
        .expect(204);
    let (status, code, message) = patch("If-Match", etag.clone(), path.clone()).await.error();
    assert_eq!((status, code.as_str()), (412, "0x80060882"));
    assert_eq!(
        message,
        "The version of the existing record doesn't match the RowVersion property provided."
    );
    assert_eq!(
        send(bench.dv("DELETE", &path).header("If-Match", etag))
            .await
            .status,
        412
    );
    let missing = "accounts(22222222-2222-2222-2222-222222222222)".to_owned();
    let (status, code, message) = patch("If-Match", "*".to_owned(), missing.clone())
        .await
        .error();
    assert_eq!((status, code.as_str()), (404, "0x80040217"));
    assert_eq!(
        message,
        "account With Id = 22222222-2222-2222-2222-222222222222 Does Not Exist"
    );
    let (status, code, message) = patch("If-None-Match", "*".to_owned(), path.clone())
        .await
        .error();
    assert_eq!(
        (status, code.as_str(), message.as_str()),
        (
            412,
            "0x80040237",
            "A record with matching key values already exists."
        )
    );
    patch("If-None-Match", "*".to_owned(), missing)
        .await
        .expect(204);
}

#[tokio::test]
async fn a_deleted_row_is_gone_and_leaves_no_look_up() {
    let bench = Bench::open().await;
    let payer = bench.account("P", "payer").await;
    let body =
        json!({ "name": "a", "msdyn_billingaccount@odata.bind": format!("/accounts({payer})") });
    let id = id_of(
        &send(bench.dv("POST", "accounts").json(&body))
            .await
            .expect(204),
    );
    send(bench.dv("DELETE", &format!("accounts({payer})")))
        .await
        .expect(204);
    assert_eq!(
        send(bench.dv("DELETE", &format!("accounts({payer})")))
            .await
            .error()
            .0,
        404
    );
    let row = send(bench.dv("GET", &format!("accounts({id})")))
        .await
        .expect(200)
        .json();
    assert_eq!(row["_msdyn_billingaccount_value"], json!(null));
}

#[tokio::test]
async fn what_does_not_fit_is_refused_in_the_services_words() {
    let bench = Bench::open().await;
    let cases = [
        (
            json!({ "nonsense": 1 }),
            400,
            "0x80048d19",
            "The property 'nonsense' does not exist on type 'Microsoft.Dynamics.CRM.account'",
        ),
        (
            json!({ "accountnumber": "x".repeat(21) }),
            400,
            "0x80044331",
            "The length of the 'accountnumber' attribute of the 'account' entity exceeded the maximum allowed length of '20'.",
        ),
        (
            json!({ "accountnumber": "\u{1F600}".repeat(11) }),
            400,
            "0x80044331",
            "exceeded the maximum allowed length of '20'",
        ),
        (
            json!({ "customertypecode": 99 }),
            400,
            "0x8004431a",
            "The value 99 of 'customertypecode' on record of type 'account' is outside the valid range. Accepted Values: 1,3",
        ),
        (
            json!({ "creditlimit": -1 }),
            400,
            "0x80044330",
            "outside the valid range",
        ),
        (
            json!({ "numberofemployees": "many" }),
            400,
            "0x80048d19",
            "Cannot convert the value",
        ),
        (
            json!({ "merged": true }),
            400,
            "0x80040203",
            "cannot be set",
        ),
    ];
    for (body, status, code, message) in cases {
        let error = send(bench.dv("POST", "accounts").json(&body)).await.error();
        assert_eq!(
            (error.0, error.1.as_str()),
            (status, code),
            "{body}: {}",
            error.2
        );
        assert!(error.2.contains(message), "{body}: {}", error.2);
    }
    assert_eq!(
        send(bench.dv("POST", "transactioncurrencies").json(&json!({})))
            .await
            .error()
            .1,
        "0x80040203"
    );
    assert_eq!(
        send(bench.dv("POST", "accounts").body("{")).await.error().0,
        400
    );
    assert_eq!(
        send(bench.dv("POST", "nonsense").json(&json!({})))
            .await
            .error()
            .0,
        404
    );
    assert_eq!(send(bench.dv("PUT", "accounts")).await.error().0, 405);
    assert!(
        send(bench.dv("GET", "accounts")).await.rows().is_empty(),
        "nothing of it was stored"
    );
}

#[tokio::test]
async fn keys_are_unique() {
    let bench = Bench::open().await;
    let company = bench.company("usmf").await;
    let bind = format!("/cdm_companies({company})");
    let body = |number: &str| json!({ "accountnumber": number, "msdyn_company@odata.bind": bind });
    send(bench.dv("POST", "accounts").json(&body("K-1")))
        .await
        .expect(204);
    let (status, code, message) = send(bench.dv("POST", "accounts").json(&body("k-1")))
        .await
        .error();
    assert_eq!((status, code.as_str()), (412, "0x80060892"));
    assert!(message.contains("accountnumber"), "{message}");
    let id = "33333333-3333-3333-3333-333333333333";
    send(
        bench
            .dv("POST", "accounts")
            .json(&json!({ "accountid": id })),
    )
    .await
    .expect(204);
    assert_eq!(
        send(
            bench
                .dv("POST", "accounts")
                .json(&json!({ "accountid": id }))
        )
        .await
        .error()
        .1,
        "0x80040237"
    );
    // Keys with a null part are not held unique.
    for _ in 0..2 {
        send(
            bench
                .dv("POST", "accounts")
                .json(&json!({ "accountnumber": "K-1" })),
        )
        .await
        .expect(204);
    }
}

#[tokio::test]
async fn undeclared_keys_are_refused() {
    let bench = Bench::open().await;
    for key in [
        "accounts(name='x')",
        "accounts(accountnumber='x')",
        "accounts(1)",
    ] {
        let (status, _, message) = send(bench.dv("PATCH", key).json(&json!({}))).await.error();
        assert_eq!(status, 400);
        assert!(message.starts_with("The key in the request URI is not valid for resource 'Microsoft.Dynamics.CRM.account'"), "{message}");
    }
}

#[tokio::test]
async fn bulk_messages_are_one_transaction() {
    let bench = Bench::open().await;
    let company = bench.company("usmf").await;
    let target = |number: &str, name: &str| {
        json!({
            "@odata.type": "Microsoft.Dynamics.CRM.account",
            "@odata.id": format!("accounts(accountnumber='{number}',_msdyn_company_value={company})"),
            "name": name,
        })
    };
    let upsert = |targets: Vec<serde_json::Value>| {
        send(
            bench
                .dv("POST", "accounts/Microsoft.Dynamics.CRM.UpsertMultiple")
                .json(&json!({ "Targets": targets })),
        )
    };
    upsert(vec![target("B-1", "one"), target("B-2", "two")])
        .await
        .expect(204);
    upsert(vec![target("B-2", "new"), target("B-3", "three")])
        .await
        .expect(204);
    let names = |order: &'static str| {
        let bench = &bench;
        async move {
            send(bench.dv("GET", &format!("accounts?$select=name&$orderby={order}")))
                .await
                .column("name")
        }
    };
    assert_eq!(names("accountnumber").await, ["one", "new", "three"]);
    let (status, code, message) =
        upsert(vec![target("B-4", "four"), target("B-5", &"x".repeat(161))])
            .await
            .error();
    assert_eq!((status, code.as_str()), (400, "0x80044331"));
    assert!(
        !message.contains("B-5"),
        "the error doesn't say which row: {message}"
    );
    assert_eq!(
        names("accountnumber").await.len(),
        3,
        "one bad row undoes all"
    );
    let mut untyped = target("B-6", "six");
    untyped.as_object_mut().unwrap().remove("@odata.type");
    assert_eq!(upsert(vec![untyped]).await.error().0, 400);
}

#[tokio::test]
async fn create_multiple_answers_ids_in_order_and_update_multiple_creates_nothing() {
    let bench = Bench::open().await;
    let row =
        |name: &str| json!({ "@odata.type": "#Microsoft.Dynamics.CRM.account", "name": name });
    let created = send(
        bench
            .dv("POST", "accounts/Microsoft.Dynamics.CRM.CreateMultiple")
            .json(&json!({ "Targets": [row("a"), row("b")] })),
    )
    .await
    .expect(200)
    .json();
    let ids = created["Ids"].as_array().unwrap();
    let first = send(bench.dv("GET", &format!("accounts({})", ids[0].as_str().unwrap())))
        .await
        .json();
    assert_eq!(first["name"], "a");
    let mut update = row("changed");
    update["accountid"] = ids[1].clone();
    send(
        bench
            .dv("POST", "accounts/Microsoft.Dynamics.CRM.UpdateMultiple")
            .json(&json!({ "Targets": [update.clone()] })),
    )
    .await
    .expect(204);
    update["accountid"] = json!("44444444-4444-4444-4444-444444444444");
    assert_eq!(
        send(
            bench
                .dv("POST", "accounts/Microsoft.Dynamics.CRM.UpdateMultiple")
                .json(&json!({ "Targets": [update] }))
        )
        .await
        .error()
        .0,
        404
    );
}
