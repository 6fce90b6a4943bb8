//! A map that gains a line: the records that are linked already get the new line's values, and nothing else is written.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use dwmap_tests::{Project, Sandbox};
use serde_json::Value;

/// A map of customer groups; the line of the description says where the other lines go.
fn groups(lines: &str) -> String {
    format!(
        "use std.fno
use std.dataverse as dv

map groups: fno.CustomerGroups <-> dv.msdyn_customergroups {{
  key CustomerGroupId <-> msdyn_groupid
{lines}
  initial prefer fno
}}
"
    )
}

const DESCRIPTION: &str = "  Description <-> msdyn_description\n";

fn sync(project: &Project) -> Value {
    let (code, report) = project.json(&["sync", "--once", "--json"]);
    assert_eq!(code, Some(0), "{report:#}");
    report["maps"]["groups"].clone()
}

async fn descriptions(sandbox: &Sandbox) -> Vec<Value> {
    let rows = sandbox
        .dataverse()
        .rows("msdyn_customergroups", "msdyn_groupid,msdyn_description")
        .await;
    rows.into_iter()
        .map(|row| row["msdyn_description"].clone())
        .collect()
}

#[tokio::test]
async fn a_line_that_is_added_reaches_what_is_linked() {
    let sandbox = Sandbox::start(3);
    let project = Project::new(&sandbox, ["", ""]);
    let manifest = project.path().join("dwmap.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replace("\"std.*\"", "\"groups.dwmap\"")).unwrap();
    for row in sandbox
        .dataverse()
        .rows("msdyn_customergroups", "msdyn_customergroupid")
        .await
    {
        let id = row["msdyn_customergroupid"].as_str().unwrap();
        let blank = serde_json::json!({ "msdyn_description": null });
        sandbox
            .dataverse()
            .change("msdyn_customergroups", id, blank)
            .await;
    }

    project.write("groups.dwmap", &groups(""));
    sync(&project);
    assert!(descriptions(&sandbox).await.iter().all(Value::is_null));

    project.write("groups.dwmap", &groups(DESCRIPTION));
    sync(&project);
    let filled = descriptions(&sandbox).await;
    assert!(
        filled.len() > 3 && filled.iter().all(Value::is_string),
        "{filled:?}"
    );
    let (code, verified) = project.json(&["verify", "--json"]);
    assert_eq!(
        (code, &verified["differences"]),
        (Some(0), &Value::from(0)),
        "{verified:#}"
    );

    // The same again, said at another place: nothing to do.
    project.write(
        "groups.dwmap",
        &groups(&format!("\n  // why\n{DESCRIPTION}")),
    );
    let again = sync(&project);
    assert_eq!(
        again,
        Value::Null,
        "the map did nothing that could be reported"
    );
}
