//! Schema drift under a running process: what is hurt stands still and says where and why, the rest goes on, and when
//! the schema is mended all of it is back by itself.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use dwmap_tests::{Project, Sandbox, eventually};
use serde_json::{Value, json};

const MAPS: &str = "use std.fno
use std.dataverse as dv

map groups: fno.CustomerGroups <-> dv.msdyn_customergroups {
  key CustomerGroupId <-> msdyn_groupid

  Description               <-> msdyn_description
  IsSalesTaxIncludedInPrice <-> msdyn_issalestaxincludedinprice

  initial prefer fno
}

map currencies: fno.Currencies <-> dv.transactioncurrencies {
  key CurrencyCode <-> isocurrencycode

  Name   <-> currencyname
  Symbol <-> currencysymbol
  1       -> exchangerate  on create

  initial prefer fno
}
";
const GROUP: &str = "CustomerGroups(dataAreaId='usmf',CustomerGroupId='10')";
const EURO: &str = "Currencies(CurrencyCode='EUR')";

fn project(sandbox: &Sandbox) -> Project {
    let project = Project::new(sandbox, ["", ""]);
    let manifest = project.path().join("dwmap.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let text = text.replace("\"std.*\"", "\"maps.dwmap\"") + "drift_every = \"200ms\"\n";
    std::fs::write(&manifest, text).unwrap();
    project.write("maps.dwmap", MAPS);
    project
}

/// Mode and reason of a map.
fn standing(project: &Project, map: &str) -> (String, String) {
    let (_, status) = project.json(&["status", "--json"]);
    let maps = status["maps"].as_array().expect("maps");
    let found = maps.iter().find(|m| m["map"] == map).expect("the map");
    let text = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
    (text("mode"), text("reason"))
}

async fn stands(project: &Project, map: &str, mode: &str, reason: &str) -> String {
    let what = format!("{map} is {mode}: {reason}");
    eventually(&what, || async {
        let (is, why) = standing(project, map);
        let found = is == mode && why.contains(reason) && (reason.is_empty() == why.is_empty());
        found.then_some(why)
    })
    .await
}

async fn in_crm(sandbox: &Sandbox, set: &str, filter: &str, field: &str, value: &Value) {
    eventually(&format!("{field} of {set} is {value}"), || async {
        let rows = sandbox.dataverse().find(set, filter).await;
        let found = rows.iter().any(|row| row[field] == *value);
        found.then_some(())
    })
    .await;
}

const OF_GROUP: &str = "msdyn_groupid eq '10'";
const OF_EURO: &str = "isocurrencycode eq 'EUR'";

/// Both ways on which a running process comes to know of it: a feed that is refused, and a look at an interval.
#[tokio::test]
async fn a_line_stands_still_while_its_field_is_gone_and_comes_back() {
    let sandbox = Sandbox::start(3);
    let (crm, erp) = (sandbox.dataverse(), sandbox.finops());
    let project = project(&sandbox);
    assert_eq!(project.run(&["sync", "--once"]).status.code(), Some(0));
    let mut running = project.start(&["run", "--json"]);

    let gone =
        json!([{"entity": "msdyn_customergroups", "field": "msdyn_description", "gone": true}]);
    crm.alter(gone).await;
    let reason = stands(&project, "groups", "running", "R0502").await;
    assert!(
        reason.contains("Description") && reason.contains("(maps.dwmap:7:3)"),
        "{reason}"
    );

    // The rest of the map goes on, and so do other maps.
    let change = json!({"Description": "While it was gone", "IsSalesTaxIncludedInPrice": "Yes"});
    erp.change(GROUP, change).await;
    let field = "msdyn_issalestaxincludedinprice";
    in_crm(
        &sandbox,
        "msdyn_customergroups",
        OF_GROUP,
        field,
        &json!(true),
    )
    .await;
    erp.change(EURO, json!({"Name": "Euro!"})).await;
    let name = json!("Euro!");
    in_crm(
        &sandbox,
        "transactioncurrencies",
        OF_EURO,
        "currencyname",
        &name,
    )
    .await;

    // Mended, the line is back, with what has changed meanwhile.
    crm.alter(json!([])).await;
    stands(&project, "groups", "running", "").await;
    let value = json!("While it was gone");
    in_crm(
        &sandbox,
        "msdyn_customergroups",
        OF_GROUP,
        "msdyn_description",
        &value,
    )
    .await;
    assert!(running.is_running(), "drift ends nothing");
    assert_eq!(running.terminate(), Some(0));
    let (code, verified) = project.json(&["verify", "--json"]);
    assert_eq!((code, &verified["differences"]), (Some(0), &json!(0)));
}

#[tokio::test]
async fn a_narrowed_field_stops_its_line_only() {
    let sandbox = Sandbox::start(3);
    let project = project(&sandbox);
    assert_eq!(project.run(&["sync", "--once"]).status.code(), Some(0));

    let narrow =
        json!([{"entity": "transactioncurrencies", "field": "currencyname", "type": "string(20)"}]);
    sandbox.dataverse().alter(narrow).await;
    let change = json!({"Name": "Euro of today", "Symbol": "E"});
    sandbox.finops().change(EURO, change).await;
    let ended = project.run(&["sync", "--once"]);
    assert_eq!(ended.status.code(), Some(1), "it says so");
    let (mode, reason) = standing(&project, "currencies");
    assert_eq!(mode, "running");
    assert!(
        reason.contains("R0504") && reason.contains("maps.dwmap:16:3"),
        "{reason}"
    );
    let rows = sandbox
        .dataverse()
        .find("transactioncurrencies", OF_EURO)
        .await;
    assert_eq!(rows[0]["currencysymbol"], "E", "the other line went");
    assert_eq!(rows[0]["currencyname"], "Euro", "this one didn't");

    sandbox.dataverse().alter(json!([])).await;
    let ended = project.run(&["sync", "--once"]);
    assert_eq!(ended.status.code(), Some(0));
    let rows = sandbox
        .dataverse()
        .find("transactioncurrencies", OF_EURO)
        .await;
    assert_eq!(rows[0]["currencyname"], "Euro of today");
}

#[tokio::test]
async fn a_map_without_its_entity_fails_alone_and_comes_back() {
    let sandbox = Sandbox::start(3);
    let (crm, erp) = (sandbox.dataverse(), sandbox.finops());
    let project = project(&sandbox);
    // Gone before anything was loaded: the others load.
    let gone = json!([{"entity": "msdyn_customergroups", "gone": true}]);
    crm.alter(gone.clone()).await;
    assert_eq!(project.run(&["sync", "--once"]).status.code(), Some(1));
    let (mode, reason) = standing(&project, "groups");
    assert_eq!(mode, "failed");
    assert!(
        reason.contains("R0501") && reason.contains("maps.dwmap:4:5"),
        "{reason}"
    );
    assert_eq!(standing(&project, "currencies").0, "running");

    // Mended under a running process: it loads. Gone again under it: it fails, and the others go on.
    let mut running = project.start(&["run", "--json"]);
    crm.alter(json!([])).await;
    stands(&project, "groups", "running", "").await;
    crm.alter(gone).await;
    stands(&project, "groups", "failed", "R0501").await;
    erp.change(GROUP, json!({"Description": "While it was gone"}))
        .await;
    erp.change(EURO, json!({"Name": "Euro!"})).await;
    let name = json!("Euro!");
    in_crm(
        &sandbox,
        "transactioncurrencies",
        OF_EURO,
        "currencyname",
        &name,
    )
    .await;
    crm.alter(json!([])).await;
    stands(&project, "groups", "running", "").await;
    let value = json!("While it was gone");
    in_crm(
        &sandbox,
        "msdyn_customergroups",
        OF_GROUP,
        "msdyn_description",
        &value,
    )
    .await;
    assert_eq!(running.terminate(), Some(0));
}
