//! The brake: a mass of deletes waits for a person, who lets them go from the command line.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use dwmap_tests::{Project, Sandbox};
use serde_json::{Value, json};

/// Terms of payment that are made for the test.
const TERMS: [&str; 3] = ["BRAKE1", "BRAKE2", "BRAKE3"];

fn sync(project: &Project) {
    let ended = project.run(&["sync", "--once"]);
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(0), "{told}");
}

/// Where the map of payment terms stands.
fn terms(project: &Project) -> Value {
    let (_, status) = project.json(&["status", "--json"]);
    let maps = status["maps"].as_array().expect("maps").clone();
    let found = maps.into_iter().find(|m| m["map"] == "payment_terms");
    found.expect("the map is there")
}

async fn in_crm(sandbox: &Sandbox) -> usize {
    let crm = sandbox.dataverse();
    let rows = crm.rows("msdyn_paymentterms", "msdyn_name").await;
    let ours = |row: &&Value| TERMS.iter().any(|term| row["msdyn_name"] == *term);
    rows.iter().filter(ours).count()
}

#[tokio::test]
async fn a_mass_of_deletes_waits_until_it_is_approved() {
    let sandbox = Sandbox::start(10);
    let project = Project::new(&sandbox, ["", ""]);
    let manifest = project.path().join("dwmap.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text + "delete_max = 2\n").unwrap();
    for name in TERMS {
        let fields = json!({ "dataAreaId": "usmf", "Name": name, "NumberOfDays": 3 });
        let (status, answer) = sandbox.finops().create("PaymentTerms", fields).await;
        assert_eq!(status, 201, "{answer}");
    }
    sync(&project);
    assert_eq!(in_crm(&sandbox).await, 3);

    for name in TERMS {
        let record = format!("PaymentTerms(dataAreaId='usmf',Name='{name}')");
        sandbox.finops().delete(&record).await;
    }
    sync(&project);
    assert_eq!(in_crm(&sandbox).await, 3, "nothing is deleted yet");
    let held = terms(&project);
    assert_eq!(
        (&held["mode"], &held["counts"]["held"]),
        (&json!("held"), &json!(3))
    );
    let reason = held["reason"].as_str().expect("a reason");
    assert!(reason.contains("`dwmap approve payment_terms`"), "{reason}");
    let (_, errors) = project.json(&["errors", "list", "--json"]);
    let codes: Vec<&Value> = errors["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["code"])
        .collect();
    assert_eq!(codes, ["R0409"; 3]);

    // Going on without a word on the deletes leads to the same stop.
    assert!(project.run(&["resume", "payment_terms"]).status.success());
    sync(&project);
    assert_eq!(in_crm(&sandbox).await, 3);

    let approved = project.run(&["approve", "payment_terms"]);
    let told = String::from_utf8_lossy(&approved.stdout).into_owned();
    assert!(
        told.starts_with("payment_terms: 3 records let go"),
        "{told}"
    );
    sync(&project);
    assert_eq!(in_crm(&sandbox).await, 0);
    assert_eq!(terms(&project)["mode"], "running");
}

#[test]
fn a_load_that_would_overwrite_too_much_is_not_begun() {
    let sandbox = Sandbox::start(200);
    let project = Project::new(&sandbox, ["", ""]);
    let (_, planned) = project.json(&["plan", "customers", "--json"]);
    let overwrite = planned["maps"][0]["overwrite"].as_u64().expect("a number");
    assert!(overwrite > 0, "{planned:#}");
    let manifest = project.path().join("dwmap.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let limit = format!("change_max = {}\n", overwrite - 1);
    std::fs::write(&manifest, text + &limit).unwrap();

    let customers = || {
        let (_, status) = project.json(&["status", "--json"]);
        let maps = status["maps"].as_array().expect("maps").clone();
        let found = maps.into_iter().find(|m| m["map"] == "customers");
        found.expect("the map is there")
    };
    sync(&project);
    let held = customers();
    assert_eq!(
        (&held["mode"], &held["counts"]["linked"]),
        (&json!("held"), &json!(0))
    );
    let reason = held["reason"].as_str().expect("a reason");
    assert!(
        reason.contains(&format!("would overwrite {overwrite} fields")),
        "{reason}"
    );
    assert!(project.run(&["resume", "customers"]).status.success());
    sync(&project);
    assert_eq!(customers()["mode"], "held", "it is weighed again");

    assert!(project.run(&["approve", "customers"]).status.success());
    sync(&project);
    let (_, verified) = project.json(&["verify", "--json"]);
    assert_eq!(verified["differences"], json!(0));
    assert_eq!(customers()["mode"], "running");
}

#[tokio::test]
async fn a_paused_map_keeps_its_changes() {
    let sandbox = Sandbox::start(10);
    let project = Project::new(&sandbox, ["", ""]);
    let early = project.run(&["pause", "payment_terms"]);
    assert_eq!(early.status.code(), Some(2), "it isn't loaded yet");
    sync(&project);
    assert!(project.run(&["pause", "payment_terms"]).status.success());
    let fields = json!({ "dataAreaId": "usmf", "Name": TERMS[0], "NumberOfDays": 3 });
    assert_eq!(sandbox.finops().create("PaymentTerms", fields).await.0, 201);
    sync(&project);
    assert_eq!(in_crm(&sandbox).await, 0);
    assert_eq!(terms(&project)["mode"], "paused");
    assert!(project.run(&["resume", "payment_terms"]).status.success());
    sync(&project);
    assert_eq!(in_crm(&sandbox).await, 1);
}
