//! Steering a process that works: what is asked of it is done by it, between two batches.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use dwmap_tests::{Project, Sandbox, eventually};
use serde_json::{Value, json};

#[tokio::test]
async fn a_running_process_is_steered_by_map_and_by_record() {
    let sandbox = Sandbox::start(5);
    let project = Project::new(&sandbox, ["", ""]);
    assert!(project.run(&["build"]).status.success());
    let plan = ["--plan", "target/contoso.dwplan"];
    let mut running = project.start(&[&["run", "--json"][..], &plan].concat());
    running.line().expect("it works");
    let ask = |args: &[&str]| project.json(&[args, &["--json"], &plan[..]].concat());
    eventually("all is loaded", || async {
        let maps = ask(&["status"]).1["maps"].as_array().unwrap().clone();
        let at_rest = |m: &Value| m["mode"] == "running" && m["counts"]["changed"] == 0;
        maps.iter().all(at_rest).then_some(())
    })
    .await;
    let said = |args: &[&str]| {
        let output = project.run(&[args, &plan].concat());
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{args:?}: {said}{told}");
        said
    };

    let (company, number) = sandbox.finops().customer_keys().await.remove(0);
    let key = [company.as_str(), number.as_str()];
    let crm = sandbox.dataverse();
    let account = crm.accounts(&number).await.remove(0);
    let id = account["accountid"].as_str().expect("an id").to_owned();
    let street = |text: &str| json!({ "address1_city": text });
    let city = || async {
        let customer = sandbox.finops().customer(&company, &number).await;
        customer.expect("it is there").to_string()
    };

    // What is held stays as it is, and is listed; released, it goes on from what both sides hold then.
    let held = said(&[&["hold", "customers"][..], &key, &["--reason", "a merger"]].concat());
    assert!(held.contains("is held"), "{held}");
    crm.change_account(&id, street("Heldtown")).await;
    let listed = eventually("it is listed", || async {
        let (_, listed) = ask(&["errors", "list", "--code", "R0411"]);
        listed["errors"].get(0).cloned()
    })
    .await;
    assert!(listed.to_string().contains("a merger"), "{listed:#}");
    assert!(!city().await.contains("Heldtown"));
    said(&[&["release", "customers"][..], &key].concat());
    eventually("it went", || async {
        city().await.contains("Heldtown").then_some(())
    })
    .await;

    // Nothing is written while it is read-only, and nothing lost.
    said(&["readonly", "on"]);
    crm.change_account(&id, street("Quietville")).await;
    eventually("it was seen", || async {
        let maps = ask(&["status"]).1["maps"].as_array().unwrap().clone();
        let marked = maps.iter().any(|m| m["counts"]["changed"] != 0);
        marked.then_some(())
    })
    .await;
    assert!(city().await.contains("Heldtown"));
    said(&["readonly", "off"]);
    eventually("it went", || async {
        city().await.contains("Quietville").then_some(())
    })
    .await;

    // One record, by one side's word; one map; all maps; a plan that says the same.
    let synced = said(&[&["sync", "customers"][..], &key, &["--from", "dv"]].concat());
    assert!(synced.contains("in order"), "{synced}");
    assert!(said(&["pause", "customers"]).contains("paused"));
    crm.change_account(&id, street("Pauseton")).await;
    let paused = project.run(&[&["sync", "customers"][..], &key, &plan].concat());
    let why = String::from_utf8_lossy(&paused.stderr).into_owned();
    assert_eq!(paused.status.code(), Some(2), "{why}");
    assert!(
        why.contains("`dwmap resume customers` comes first"),
        "{why}"
    );
    assert!(city().await.contains("Quietville"));
    assert!(said(&["resume", "customers"]).contains("resumed"));
    eventually("it went", || async {
        city().await.contains("Pauseton").then_some(())
    })
    .await;
    assert!(said(&["backfill", "customers"]).contains("will be looked at"));
    assert!(running.is_running());
    let deployed = said_without(&project, &["deploy", "target/contoso.dwplan"]);
    assert!(deployed.contains("goes on with them"), "{deployed}");
    crm.change_account(&id, street("Nextburg")).await;
    eventually("the next plan works", || async {
        city().await.contains("Nextburg").then_some(())
    })
    .await;
    assert!(running.is_running());
    assert_eq!(running.terminate(), Some(0));
    assert_eq!(ask(&["verify"]).1["differences"], json!(0));

    // Where no process works, the command does it itself, and holds to what was said.
    said(&["readonly", "on"]);
    assert_eq!(ask(&["status"]).1["readonly"], json!(true));
    crm.change_account(&id, street("Lastville")).await;
    let refused = project.run(&[&["sync", "customers"][..], &key, &plan].concat());
    assert_eq!(refused.status.code(), Some(2));
    assert!(city().await.contains("Nextburg"));
    said(&["readonly", "off"]);
    let synced = said(&[&["sync", "customers"][..], &key].concat());
    assert!(synced.contains("updated"), "{synced}");
    assert!(city().await.contains("Lastville"));
}

fn said_without(project: &Project, args: &[&str]) -> String {
    let output = project.run(args);
    assert_eq!(output.status.code(), Some(0), "{args:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
