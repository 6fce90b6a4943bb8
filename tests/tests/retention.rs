//! How long the log is kept: what is too old or too much goes, and that it went is told.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::path::Path;

use dwmap_tests::{Project, Sandbox};

/// A state with a log from January 2026: one that an older version left behind.
fn with_old_log(project: &Project) {
    let stored = "../runtime/sync/tests/states/v1.sqlite";
    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join(stored);
    std::fs::create_dir_all(project.path().join(".dwmap")).unwrap();
    std::fs::copy(stored, project.path().join(".dwmap/state.db")).unwrap();
}

/// Syncs with a log that is kept so; gives the entries that are left, and what `status` says of it.
fn kept(project: &Project, manifest: &str, keep: &str) -> (u64, String) {
    let url = "url = \"sqlite:.dwmap/state.db\"";
    assert!(manifest.contains(url));
    let manifest = manifest.replace(url, &format!("{url}\n{keep}"));
    project.write("dwmap.toml", &manifest);
    let synced = project.run(&["sync", "--once"]);
    assert!(synced.status.success(), "{synced:?}");
    let (_, checked) = project.json(&["state", "check", "--json"]);
    let status = project.run(&["status"]);
    let told = String::from_utf8_lossy(&status.stdout).into_owned();
    let told = told.lines().find(|line| line.contains("the log"));
    let entries = checked["entries"].as_u64().expect("a number");
    (entries, told.unwrap_or_default().to_owned())
}

#[test]
fn what_is_too_old_or_too_much_goes_and_status_says_so() {
    let sandbox = Sandbox::start(5);
    let project = Project::new(&sandbox, ["", ""]);
    let manifest = std::fs::read_to_string(project.path().join("dwmap.toml")).unwrap();
    let manifest = manifest.replace("\"std.*\"", "\"std.currencies\"");
    let gone = "the log is whole from 2026-01-31T12:00:15Z on: 16 entries until then went by `keep_log` and \
                `keep_log_size` of [state]";

    for keep in [
        "keep_log = \"30d\"",
        "keep_log = \"36500d\"\nkeep_log_size = \"0kB\"",
    ] {
        with_old_log(&project);
        let (before, told) = kept(&project, &manifest, "keep_log = \"36500d\"");
        assert!(before >= 16, "{before}");
        assert_eq!(told, "");
        let (left, told) = kept(&project, &manifest, keep);
        assert_eq!((left, &*told), (before - 16, gone), "{keep}");
        let (_, status) = project.json(&["status", "--json"]);
        assert_eq!(status["log_cut"]["entries"], 16);
        std::fs::remove_dir_all(project.path().join(".dwmap")).unwrap();
    }
}
