//! The fixed words of the command line: others script against them.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use dwmap_tests::{Project, Running, Sandbox, eventually};
use serde_json::{Value, json};

fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn the_sandbox_says_that_it_is_ready_and_its_data_survive_a_restart() {
    let mut sandbox = Sandbox::start(5);
    let ready = format!(
        "ready dataverse={}/api/data/v9.2/ finops={}/data/",
        sandbox.dataverse_url(),
        sandbox.finops_url()
    );
    assert_eq!(sandbox.ready(), ready);
    let finops = sandbox.finops();
    let (company, account) = finops.customer_keys().await.remove(0);
    let fields = json!({ "CreditLimit": 4242 });
    finops.change_customer(&company, &account, fields).await;

    assert_eq!(sandbox.process().terminate(), Some(0));
    assert_eq!(sandbox.process().line(), None, "it prints one line");

    sandbox.restart();
    let customer = sandbox.finops().customer(&company, &account).await;
    assert_eq!(customer.expect("it is there")["CreditLimit"], 4242);
}

#[test]
fn a_plan_is_the_same_bytes_wherever_it_is_built() {
    let built = || {
        let around = Project::of(&[]);
        assert!(around.run(&["new", "contoso"]).status.success());
        let manifest = std::fs::read_to_string(around.path().join("contoso/dwmap.toml"));
        let manifest = manifest.expect("the manifest reads");
        let stock = manifest.replace("maps/*.dwmap", "std.*");
        around.write("contoso/dwmap.toml", &stock);
        let output = around.run(&["-C", "contoso", "build", "-o", "out/a.dwplan"]);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(said(&output.stdout), "out/a.dwplan\n");
        std::fs::read(around.path().join("out/a.dwplan")).expect("the plan is there")
    };
    assert!(built() == built(), "the same inputs gave other bytes");
}

#[tokio::test]
async fn a_refused_record_is_listed_explained_and_heals_at_its_source() {
    let sandbox = Sandbox::start(20);
    let project = Project::new(&sandbox, ["", ""]);
    let (code, planned) = project.json(&["plan", "--json"]);
    assert_eq!((code, &planned["version"]), (Some(0), &json!(1)));
    assert!(project.run(&["build"]).status.success());
    let plan = ["--plan", "target/contoso.dwplan"];
    let with_plan = |args: &[&str]| project.run(&[args, &plan[..]].concat());
    let read = |args: &[&str]| project.json(&[args, &["--json"], &plan[..]].concat());

    let (code, synced) = read(&["sync", "--once"]);
    assert_eq!((code, &synced["version"]), (Some(0), &json!(1)));
    assert!(
        synced["maps"]["customers"]["read"][0].as_u64() > Some(0),
        "{synced:#}"
    );
    assert_eq!(
        read(&["errors", "list"]),
        (Some(0), json!({ "version": 1, "errors": [] }))
    );

    // A country of more characters than the ERP has room for.
    let crm = sandbox.dataverse();
    let (company, number) = sandbox.finops().customer_keys().await.remove(0);
    let account = crm.accounts(&number).await.remove(0);
    let id = account["accountid"].as_str().expect("an id");
    crm.change_account(id, json!({ "address1_country": "Kingdom of the Isles" }))
        .await;
    assert_eq!(with_plan(&["sync", "--once"]).status.code(), Some(0));

    let (code, listed) = read(&["errors", "list"]);
    assert_eq!(code, Some(1), "{listed:#}");
    let error = &listed["errors"][0];
    assert_eq!(
        (&error["map"], &error["code"]),
        (&json!("customers"), &json!("R0101"))
    );
    assert_eq!(error["record"], format!("{company} {number}"));
    assert!(
        error["place"]
            .as_str()
            .is_some_and(|p| p.starts_with("std/customers.dwmap:"))
    );
    let name = error["id"].as_str().expect("a name");
    let shown = with_plan(&["errors", "show", name]);
    assert_eq!(shown.status.code(), Some(0));
    assert!(
        said(&shown.stdout).contains("Kingdom of the Isles"),
        "{shown:?}"
    );

    let (code, one) = read(&["errors", "show", name]);
    assert_eq!(
        (code, &one["version"], &one["id"]),
        (Some(0), &json!(1), &json!(name))
    );
    let (code, why) = read(&["why", "customers", &company, &number]);
    assert_eq!((code, &why["version"]), (Some(0), &json!(1)));
    assert!(why.to_string().contains("R0101"), "{why:#}");
    let (code, verified) = read(&["verify"]);
    assert_eq!(
        (code, &verified["version"], &verified["differences"]),
        (Some(0), &json!(1), &json!(0))
    );
    let customers = of_map(&verified, "customers");
    assert_eq!(customers["in_error_queue"], 1, "{customers:#}");

    // Trying again without a correction changes nothing; a correction at the source needs no trying.
    assert_eq!(with_plan(&["errors", "retry", name]).status.code(), Some(0));
    assert_eq!(with_plan(&["sync", "--once"]).status.code(), Some(0));
    assert_eq!(read(&["errors", "list"]).0, Some(1));
    crm.change_account(id, json!({ "address1_country": "NZ" }))
        .await;
    assert_eq!(with_plan(&["sync", "--once"]).status.code(), Some(0));
    assert_eq!(read(&["errors", "list"]).0, Some(0));
    let customer = sandbox.finops().customer(&company, &number).await;
    assert_eq!(
        customer.expect("it is there")["DeliveryAddressCountryRegionISOCode"],
        "NZ"
    );

    // One that nobody will correct is discarded, with a reason.
    crm.change_account(id, json!({ "address1_country": "Kingdom of the Isles" }))
        .await;
    assert_eq!(with_plan(&["sync", "--once"]).status.code(), Some(0));
    let (_, listed) = read(&["errors", "list"]);
    let name = listed["errors"][0]["id"].as_str().expect("a name");
    assert_eq!(
        with_plan(&["errors", "discard", name]).status.code(),
        Some(2),
        "it wants a reason"
    );
    let discarded = with_plan(&["errors", "discard", name, "--reason", "known"]);
    assert_eq!(discarded.status.code(), Some(0), "{discarded:?}");
    assert_eq!(read(&["errors", "list"]).0, Some(0));

    let (code, status) = read(&["status"]);
    assert_eq!((code, &status["version"]), (Some(0), &json!(1)));
    let customers = of_map(&status, "customers");
    assert_eq!(
        (&customers["mode"], &customers["counts"]["failed"]),
        (&json!("running"), &json!(0))
    );
}

fn of_map<'a>(report: &'a Value, map: &str) -> &'a Value {
    let maps = report["maps"].as_array().expect("a list of maps");
    let found = maps.iter().find(|m| m["map"] == map);
    found.unwrap_or_else(|| panic!("no {map} in {report:#}"))
}

#[tokio::test]
async fn run_keeps_both_in_step_from_a_plan_and_ends_cleanly() {
    let sandbox = Sandbox::start(10);
    let project = Project::new(&sandbox, ["", ""]);
    assert!(project.run(&["build"]).status.success());
    let mut running = project.start(&["run", "--json", "--plan", "target/contoso.dwplan"]);
    event(&mut running);

    let (company, number) = sandbox.finops().customer_keys().await.remove(0);
    let fields = json!({ "DeliveryAddressCity": "Lakeside" });
    sandbox
        .finops()
        .change_customer(&company, &number, fields)
        .await;
    let crm = sandbox.dataverse();
    eventually("the account has the city", || async {
        let accounts = crm.accounts(&number).await;
        accounts
            .iter()
            .any(|a| a["address1_city"] == "Lakeside")
            .then_some(())
    })
    .await;
    assert_eq!(running.terminate(), Some(0));
    while running
        .line()
        .is_some_and(|line| serde_json::from_str::<Value>(&line).is_ok())
    {}
    assert_eq!(running.line(), None, "each line is JSON");
}

/// The next event of a `run --json`.
fn event(running: &mut Running) -> Value {
    let line = running.line().expect("it says what happens");
    serde_json::from_str(&line).unwrap_or_else(|e| panic!("{line}: {e}"))
}

#[tokio::test]
async fn hooks_are_registered_once_their_system_answers() {
    let mut sandbox = Sandbox::start(5);
    // Without hooks, each side would be looked at but once within the time of this test.
    let more = "hooks = { listen = \"127.0.0.1:0\" }\npoll = \"1h\"";
    let project = Project::new(&sandbox, [more; 2]);
    assert!(project.run(&["sync", "--once"]).status.success());
    let (company, number) = sandbox.finops().customer_keys().await.remove(0);
    sandbox.process().kill();
    let mut running = project.start(&["run", "--json"]);
    while event(&mut running)["event"] != "trouble" {}
    sandbox.restart();

    let (erp, crm) = (&sandbox.finops(), &sandbox.dataverse());
    eventually("the CRM has been asked for hooks of accounts", || async {
        let filter = "name eq 'dwmap contoso: Update of account'";
        let steps = crm.find("sdkmessageprocessingsteps", filter).await;
        (!steps.is_empty()).then_some(())
    })
    .await;
    let account = crm.accounts(&number).await.remove(0);
    let id = account["accountid"].as_str().expect("an id");
    let (company, number) = (&company, &number);
    // The look that failed at first may find one of these; the others come because a hook tells of them.
    for city in ["Harbour", "Lakeside", "Hillside"] {
        crm.change_account(id, json!({ "address1_city": city }))
            .await;
        eventually("the ERP has the city", || async {
            let customer = erp.customer(company, number).await?;
            (customer["DeliveryAddressCity"] == city).then_some(())
        })
        .await;
    }
    assert_eq!(running.terminate(), Some(0));
}
