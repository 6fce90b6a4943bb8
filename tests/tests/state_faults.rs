//! What becomes of a state whose disk is full or read-only, that is damaged, or that is gone: real processes and the real
//! refusals of the system. Each ends with one message that names the file and the next step, and nothing is lost.
#![cfg(unix)]
#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use dwmap_tests::{Project, Running, Sandbox, dwmap, eventually};
use serde_json::{Value, json};

/// What a command must end with, and what it must say on standard error.
#[track_caller]
fn ends(output: &Output, code: i32, says: &[&str]) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{told}");
    for words in says {
        assert!(told.contains(words), "no `{words}` in:\n{told}");
    }
    let errors = told.lines().filter(|line| line.starts_with("error: "));
    assert!(errors.count() <= 1, "{told}");
}

fn state(project: &Project) -> PathBuf {
    project.path().join(".dwmap/state.db")
}

fn sync(project: &Project) {
    ends(&project.run(&["sync", "--once"]), 0, &[]);
}

/// Nothing differs, and the state is whole.
#[track_caller]
fn whole(project: &Project) {
    let (code, verified) = project.json(&["verify", "--json"]);
    assert_eq!(code, Some(0), "{verified:#}");
    assert_eq!(verified["differences"], 0);
    ends(&project.run(&["state", "check"]), 0, &[]);
}

/// Customers of the ERP whose account in the CRM stands alone under its number.
async fn customers(sandbox: &Sandbox, n: usize) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (company, number) in sandbox.finops().customer_keys().await {
        if found.len() < n && sandbox.dataverse().accounts(&number).await.len() == 1 {
            found.push((company, number));
        }
    }
    assert_eq!(found.len(), n);
    found
}

/// Gives customers a credit limit in the ERP.
async fn edit(sandbox: &Sandbox, customers: &[(String, String)], limit: u32) {
    for (company, number) in customers {
        let fields = json!({ "CreditLimit": limit });
        sandbox
            .finops()
            .change_customer(company, number, fields)
            .await;
    }
}

/// How many of these have a credit limit in the CRM.
async fn with_limit(sandbox: &Sandbox, customers: &[(String, String)], limit: u32) -> usize {
    let mut n = 0;
    for (_, number) in customers {
        let accounts = sandbox.dataverse().accounts(number).await;
        n += usize::from(accounts[0]["creditlimit"].as_f64() == Some(f64::from(limit)));
    }
    n
}

/// `dwmap` as a user whom file modes stop: root they don't.
fn as_user(project: &Project, args: &[&str]) -> Output {
    const NOBODY: u32 = 65_534;
    let mut command = Command::new(dwmap());
    command.args(args).current_dir(project.path());
    if project.path().metadata().unwrap().uid() == 0 {
        command.uid(NOBODY).gid(NOBODY);
    }
    command.output().expect("dwmap runs as that user")
}

fn set_mode(path: &Path, mode: u32) {
    let mode = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(path, mode).unwrap();
}

#[tokio::test]
async fn where_nothing_can_be_written_work_stops_and_questions_are_answered() {
    let sandbox = Sandbox::start(20);
    let project = Project::new(&sandbox, ["", ""]);
    ends(&project.run(&["build"]), 0, &[]);
    sync(&project);
    let changed = customers(&sandbox, 2).await;
    edit(&sandbox, &changed, 4_321).await;

    let folder = project.path().join(".dwmap");
    let files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    set_mode(project.path(), 0o755);
    for file in &files {
        set_mode(file, 0o444);
    }
    let before = std::fs::read(state(&project)).unwrap();
    let plan = ["--plan", "target/contoso.dwplan"];
    for mode in [0o555, 0o777] {
        set_mode(&folder, mode);
        let work = [&["sync", "--once"][..], &plan].concat();
        let says = [
            ".dwmap/state.db can't be written to",
            "give this user the right",
        ];
        ends(&as_user(&project, &work), 2, &says);
        ends(&as_user(&project, &["state", "compact"]), 2, &says);
        let ask = [&["status"][..], &plan].concat();
        ends(&as_user(&project, &ask), 0, &[]);
        ends(&as_user(&project, &["state", "check"]), 0, &[]);
        let copies = tempfile::tempdir().unwrap();
        set_mode(copies.path(), 0o777);
        let copy = copies.path().join("copy.db");
        let backup = ["state", "backup", copy.to_str().unwrap()];
        ends(&as_user(&project, &backup), 0, &[]);
        assert!(std::fs::read(state(&project)).unwrap() == before);
    }
    assert_eq!(with_limit(&sandbox, &changed, 4_321).await, 0);

    for file in &files {
        set_mode(file, 0o644);
    }
    set_mode(&folder, 0o755);
    sync(&project);
    assert_eq!(with_limit(&sandbox, &changed, 4_321).await, 2);
    whole(&project);
}

/// Lets no file of a running process grow any more.
fn forbid_growth(process: &Running) {
    let pid = process.id().to_string();
    let args = ["--pid", &pid, "--fsize=4096:4096"];
    let set = Command::new("prlimit").args(args).status();
    assert!(set.expect("prlimit is there").success());
}

#[tokio::test]
async fn a_disk_that_fills_up_under_run_stops_it_and_nothing_is_lost() {
    let sandbox = Sandbox::start(20);
    let project = Project::new(&sandbox, ["", ""]);
    sync(&project);
    let changed = customers(&sandbox, 6).await;
    let script = "trap '' XFSZ; exec \"$1\" run --json 2>told";
    let mut run = Running::of(
        Command::new("bash")
            .args(["-c", script, "run"])
            .arg(dwmap())
            .current_dir(project.path()),
    );
    edit(&sandbox, &changed[..3], 4_321).await;
    eventually("the first edits", || async {
        let done = with_limit(&sandbox, &changed[..3], 4_321).await;
        (done == 3).then_some(())
    })
    .await;
    forbid_growth(&run);
    // The log of writes has room to be overwritten, so some edits may pass before it must grow.
    let mut limit = 5_000;
    while run.is_running() {
        limit += 1;
        edit(&sandbox, &changed, limit).await;
    }
    assert_eq!(run.ended(), Some(2));
    let told = std::fs::read_to_string(project.path().join("told")).unwrap();
    assert!(told.contains(".dwmap/state.db"), "{told}");
    assert!(
        told.contains("nothing that was committed is lost"),
        "{told}"
    );
    edit(&sandbox, &changed[3..], 9_999).await;
    sync(&project);
    assert_eq!(with_limit(&sandbox, &changed[..3], limit).await, 3);
    assert_eq!(with_limit(&sandbox, &changed[3..], 9_999).await, 3);
    whole(&project);
}

#[tokio::test]
async fn a_file_that_is_cut_short_is_told_and_a_backup_goes_on_from_where_it_was() {
    let sandbox = Sandbox::start(20);
    let project = Project::new(&sandbox, ["", ""]);
    sync(&project);
    ends(&project.run(&["state", "backup", "copy.db"]), 0, &[]);
    let changed = customers(&sandbox, 4).await;
    edit(&sandbox, &changed[..2], 4_321).await;
    sync(&project);
    edit(&sandbox, &changed[2..], 4_322).await;

    let file = std::fs::File::options().write(true).open(state(&project));
    let file = file.unwrap();
    let size = file.metadata().unwrap().len();
    file.set_len(size / 2 - 100).unwrap();
    let says = [
        "the state is damaged (.dwmap/state.db: ",
        "dwmap state restore FILE",
        "move the file away",
    ];
    ends(&project.run(&["sync", "--once"]), 2, &says);
    ends(&project.run(&["run"]), 2, &says);
    let check = project.run(&["state", "check"]);
    ends(&check, 1, &["dwmap state restore FILE"]);
    assert_eq!(with_limit(&sandbox, &changed[2..], 4_322).await, 0);

    ends(&project.run(&["state", "restore", "copy.db"]), 0, &[]);
    sync(&project);
    assert_eq!(with_limit(&sandbox, &changed[..2], 4_321).await, 2);
    assert_eq!(with_limit(&sandbox, &changed[2..], 4_322).await, 2);
    whole(&project);
}

#[tokio::test]
async fn backups_made_while_run_works_take_the_place_of_what_a_kill_leaves() {
    let sandbox = Sandbox::start(20);
    let project = Project::new(&sandbox, ["", ""]);
    sync(&project);
    let changed = customers(&sandbox, 4).await;
    let mut run = project.start(&["run", "--json"]);
    for (n, limit) in (4_001..4_006).enumerate() {
        edit(&sandbox, &changed, limit).await;
        let copy = format!("copy-{n}.db");
        ends(&project.run(&["state", "backup", &copy]), 0, &[]);
    }
    eventually("the last edits", || async {
        let done = with_limit(&sandbox, &changed, 4_005).await;
        (done == 4).then_some(())
    })
    .await;
    // What it committed last is in the write-ahead log alone, which must not be taken for that of the backup.
    run.kill();
    assert!(project.path().join(".dwmap/state.db-wal").exists());
    for copy in ["copy-4.db", "copy-0.db"] {
        ends(&project.run(&["state", "restore", copy]), 0, &[]);
        std::fs::remove_file(project.path().join(".dwmap/state.db.replaced")).unwrap();
        sync(&project);
        assert_eq!(with_limit(&sandbox, &changed, 4_005).await, 4, "{copy}");
        whole(&project);
    }
}

/// What `sync --once` did, all maps together: records met, created, and updated.
fn done(project: &Project) -> [u64; 3] {
    let (code, report) = project.json(&["sync", "--once", "--json"]);
    assert_eq!(code, Some(0), "{report:#}");
    let maps = report["maps"].as_object().expect("maps");
    let number = |value: &Value| value.as_u64().expect("a number");
    let mut all = [0; 3];
    for map in maps.values() {
        all[0] += number(&map["met"]);
        let created = map["created"].as_array().expect("two sides");
        all[1] += created.iter().map(number).sum::<u64>();
        all[2] += number(&map["updated"]);
    }
    all
}

#[tokio::test]
async fn without_its_state_a_project_writes_only_what_does_not_agree() {
    let sandbox = Sandbox::start(50);
    let project = Project::new(&sandbox, ["", ""]);
    let first = done(&project);
    assert!(first[0] > 0 && first[1] > 0, "{first:?}");
    whole(&project);

    std::fs::remove_dir_all(project.path().join(".dwmap")).unwrap();
    let [met, created, updated] = done(&project);
    assert_eq!(met, first[0] + first[1], "all pairs meet");
    assert_eq!([created, updated], [0, 0]);

    let changed = customers(&sandbox, 3).await;
    std::fs::remove_dir_all(project.path().join(".dwmap")).unwrap();
    edit(&sandbox, &changed, 4_321).await;
    let [_, created, updated] = done(&project);
    assert_eq!([created, updated], [0, 3]);
    assert_eq!(with_limit(&sandbox, &changed, 4_321).await, 3);
    whole(&project);
}
