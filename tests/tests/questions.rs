//! What can be asked while `dwmap run` works, and what can't be done beside it.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use dwmap_tests::{Project, Sandbox, eventually};
use serde_json::{Value, json};

#[tokio::test]
async fn questions_are_answered_truly_while_run_works() {
    let sandbox = Sandbox::start(10);
    let project = Project::new(&sandbox, ["", ""]);
    assert!(project.run(&["build"]).status.success());
    let plan = ["--plan", "target/contoso.dwplan"];
    let ask = |args: &[&str]| project.json(&[args, &["--json"], &plan[..]].concat());
    let mut running = project.start(&[&["run", "--json"][..], &plan].concat());
    running.line().expect("it works");

    let customers = eventually("all is loaded", || async {
        let (code, status) = ask(&["status"]);
        assert_eq!(code, Some(0), "{status:#}");
        let maps = status["maps"].as_array().expect("a list of maps").clone();
        let at_rest = |m: &Value| m["mode"] == "running" && m["counts"]["changed"] == 0;
        let all = maps.iter().all(at_rest);
        let customers = maps.into_iter().find(|m| m["map"] == "customers");
        customers.filter(|_| all)
    })
    .await;
    assert!(customers["counts"]["linked"].as_u64() > Some(0));
    assert_eq!(ask(&["errors", "list"]).0, Some(0));
    let (code, planned) = ask(&["plan", "customers"]);
    assert_eq!(
        (code, &planned["maps"][0]["create"]),
        (Some(0), &json!([0, 0]))
    );
    let (code, verified) = ask(&["verify"]);
    assert_eq!((code, &verified["differences"]), (Some(0), &json!(0)));

    // A country of more characters than the ERP has room for.
    let (company, number) = sandbox.finops().customer_keys().await.remove(0);
    let crm = sandbox.dataverse();
    let account = crm.accounts(&number).await.remove(0);
    let id = account["accountid"].as_str().expect("an id");
    let country = |text: &str| json!({ "address1_country": text });
    crm.change_account(id, country("Kingdom of the Isles"))
        .await;
    let error = eventually("it is refused", || async {
        let (_, listed) = ask(&["errors", "list"]);
        listed["errors"].get(0).cloned()
    })
    .await;
    let name = error["id"].as_str().expect("a name");
    assert_eq!(ask(&["errors", "show", name]).1["code"], "R0101");
    let (code, why) = ask(&["why", "customers", &company, &number]);
    assert_eq!(code, Some(0));
    assert!(why.to_string().contains("Kingdom of the Isles"), "{why:#}");

    // Whoever would work on it as well is told who does.
    for args in [&["sync", "--once"][..], &["run"]] {
        let refused = project.run(&[args, &plan].concat());
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(2), "{args:?}: {told}");
        assert!(
            told.contains("another process works on the state"),
            "{told}"
        );
    }

    // All this has not disturbed it.
    crm.change_account(id, country("NZ")).await;
    eventually("it heals", || async {
        (ask(&["errors", "list"]).0 == Some(0)).then_some(())
    })
    .await;
    assert!(running.is_running());
    assert_eq!(running.terminate(), Some(0));
}

#[test]
fn a_question_begins_no_state() {
    let sandbox = Sandbox::start(3);
    let project = Project::new(&sandbox, ["", ""]);
    for args in [&["status"][..], &["errors", "list"], &["plan"]] {
        assert_eq!(project.run(args).status.code(), Some(0), "{args:?}");
    }
    assert!(!project.path().join(".dwmap").exists());
}
