//! `conflict add`: what both sides changed of a number counts, once, against both servers.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use dwmap_tests::{Project, Sandbox, eventually};
use serde_json::{Value, json};

fn project(sandbox: &Sandbox) -> Project {
    let map = r#"use std.fno
use std.dataverse as dv

map limits: fno.CustomersV3 <-> dv.accounts {
  key CustomerAccount <-> accountnumber

  where fno: PartyType == "Organization"
  where dv:  customertypecode == Customer

  OrganizationName  <-> name
  CreditLimit       <-> creditlimit
  CustomerGroupId   <-> msdyn_customergroupid.msdyn_groupid
  SalesCurrencyCode <-> transactioncurrencyid.isocurrencycode
  Customer           -> customertypecode  on create
  PartyType         <-  "Organization"    on create
  LanguageId        <-  "en-us"           on create

  conflict CreditLimit add
  initial prefer fno
}
"#;
    Project::of_map(sandbox, map)
}

#[allow(clippy::cast_possible_truncation)]
fn millionths(number: f64) -> i64 {
    (number * 1e6).round() as i64
}

/// A pair, and what both of its records hold.
struct Pair<'a> {
    sandbox: &'a Sandbox,
    company: String,
    number: String,
    id: String,
}

impl<'a> Pair<'a> {
    async fn of(sandbox: &'a Sandbox) -> Self {
        for (company, number) in sandbox.finops().customer_keys().await {
            let found = sandbox.dataverse().accounts(&number).await;
            if let [account] = &found[..] {
                let id = account["accountid"].as_str().unwrap().to_owned();
                return Self {
                    sandbox,
                    company,
                    number,
                    id,
                };
            }
        }
        panic!("no customer has an account");
    }

    async fn set(&self, erp: f64, crm: f64) {
        self.set_erp(erp).await;
        let limit = json!({ "creditlimit": crm });
        self.sandbox
            .dataverse()
            .change_account(&self.id, limit)
            .await;
    }

    async fn set_erp(&self, limit: f64) {
        let limit = json!({ "CreditLimit": limit });
        let finops = self.sandbox.finops();
        finops
            .change_customer(&self.company, &self.number, limit)
            .await;
    }

    /// In millionths.
    async fn held(&self) -> [i64; 2] {
        let customer = self
            .sandbox
            .finops()
            .customer(&self.company, &self.number)
            .await;
        let account = self
            .sandbox
            .dataverse()
            .accounts(&self.number)
            .await
            .remove(0);
        let number = |value: &Value| millionths(value.as_f64().expect("a number"));
        [
            number(&customer.unwrap()["CreditLimit"]),
            number(&account["creditlimit"]),
        ]
    }

    /// Waits until both hold this.
    async fn both_hold(&self, limit: f64) {
        eventually(&format!("both hold {limit}"), || async {
            (self.held().await == [millionths(limit); 2]).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn both_changes_count_and_none_twice() {
    let sandbox = Sandbox::start(5);
    let project = project(&sandbox);
    let pair = Pair::of(&sandbox).await;
    pair.set_erp(1000.0).await;
    project.done(&["sync", "--once"]);
    pair.both_hold(1000.0).await;

    pair.set(1200.0, 1500.5).await;
    project.done(&["sync", "--once"]);
    assert_eq!(pair.held().await, [1700.5, 1700.5].map(millionths));
    let key = [pair.company.as_str(), pair.number.as_str()];
    let log = project.done(&[&["log", "limits"][..], &key].concat());
    assert!(log.contains("both changes count"), "{log}");
    let of_all = project.done(&["log", "--limit", "1"]);
    assert!(log.contains(of_all.trim_end()), "{of_all} of {log}");

    // The answer of one of the two writes is lost, before and after it took hold.
    for (fault, limits, sum) in [
        ("drop=after", [1800.5, 1600.5], 1700.5),
        ("drop=before", [1701.5, 1702.5], 1703.5),
    ] {
        pair.set(limits[0], limits[1]).await;
        let rules =
            json!([{ "method": "PATCH", "path": "CustomersV3", "fault": fault, "times": 1 }]);
        sandbox.finops().fault(rules).await;
        let running = project.start(&["run", "--json"]);
        pair.both_hold(sum).await;
        assert!(sandbox.finops().faults_are_over().await, "{fault}");
        drop(running);
        // What the process left open is settled before anybody edits again: an edit over a write without an answer can't
        // be told from one beside it.
        project.done(&["sync", "--once"]);
    }
    assert_eq!(pair.held().await, [1703.5, 1703.5].map(millionths));
    project.done(&["verify"]);
}

#[tokio::test]
async fn a_sum_that_a_side_cannot_hold_exactly_waits_for_a_person() {
    let sandbox = Sandbox::start(5);
    let project = project(&sandbox);
    let pair = Pair::of(&sandbox).await;
    pair.set_erp(1000.0).await;
    project.done(&["sync", "--once"]);
    pair.both_hold(1000.0).await;

    // The ERP counts six places, the CRM fewer.
    pair.set(1_000.000_001, 1500.0).await;
    project.run(&["sync", "--once"]);
    assert_eq!(pair.held().await, [1_000.000_001, 1500.0].map(millionths));
    let (_, listed) = project.json(&["errors", "list", "--code", "R0407", "--json"]);
    assert_eq!(listed["errors"].as_array().unwrap().len(), 1, "{listed:#}");
    let key = [pair.company.as_str(), pair.number.as_str()];
    project.done(&[&["sync", "limits"][..], &key, &["--from", "dv"]].concat());
    pair.both_hold(1500.0).await;
}

#[tokio::test]
async fn what_differs_and_nobody_looks_at_is_mended_by_verify() {
    let sandbox = Sandbox::start(5);
    let project = project(&sandbox);
    let pair = Pair::of(&sandbox).await;
    let mend = async |repair: &[&str], limit: f64| {
        // A conflict that a person decides, given up: nothing looks at it any more.
        let [erp, crm] = [1_000.000_001, 1_500.0].map(|n| n + limit);
        pair.set(erp, crm).await;
        project.run(&["sync", "--once"]);
        project.done(&["errors", "discard", "--code", "R0407", "--reason", "a test"]);
        let (code, found) = project.json(&["verify", "--json"]);
        assert_eq!(
            (code, &found["differences"]),
            (Some(1), &json!(1)),
            "{found:#}"
        );
        let said = project.done(&[&["verify", "--repair"][..], repair].concat());
        assert!(said.contains("1 record will be mended"), "{said}");
        project.done(&["sync", "--once"]);
        project.done(&["verify"]);
        let said = project.done(&[&["verify", "--repair"][..], repair].concat());
        assert!(said.contains("nothing differs"), "{said}");
    };
    mend(&["prefer", "dv"], 0.0).await;
    assert_eq!(pair.held().await, [1500.0, 1500.0].map(millionths));
    mend(&["prefer", "fno"], 1000.0).await;
    assert_eq!(pair.held().await[0], millionths(2_000.000_001));
    let nonsense = project.run(&["verify", "--repair", "everything"]);
    assert_eq!(nonsense.status.code(), Some(2), "{nonsense:?}");
}
