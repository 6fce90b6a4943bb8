//! A project as a person would write it, against a running sandbox.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::{Running, Sandbox, dwmap};

/// A project in a folder of its own, removed when dropped.
#[derive(Debug)]
pub struct Project {
    folder: TempDir,
}

impl Project {
    /// A project of all stock maps that joins both servers of a sandbox. `more` is added to the systems' tables:
    /// first the ERP's, then the CRM's.
    pub fn new(sandbox: &Sandbox, more: [&str; 2]) -> Self {
        let manifest = manifest(sandbox, "std.*", more);
        Self::of(&[("dwmap.toml", &manifest)])
    }

    /// A project of one map of one's own, `maps/one.dwmap`, that joins both servers of a sandbox: checked, and in step. Its
    /// systems give a write a second to land, so that one without an answer is settled soon.
    pub fn of_map(sandbox: &Sandbox, map: &str) -> Self {
        let soon = "execution_max = \"1s\"";
        let manifest = manifest(sandbox, "maps/*.dwmap", [soon, soon]);
        let project = Self::of(&[("dwmap.toml", &manifest), ("maps/one.dwmap", map)]);
        project.done(&["check"]);
        project.done(&["sync", "--once"]);
        project
    }

    /// A project of these files.
    pub fn of(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let project = Self { folder };
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    /// Writes a file of the project.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a file has a folder"))
            .expect("a folder can be made");
        std::fs::write(path, text).expect("a file can be written");
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs `dwmap` in it to the end.
    pub fn run(&self, args: &[&str]) -> Output {
        Command::new(dwmap())
            .args(args)
            .current_dir(self.path())
            .output()
            .expect("dwmap runs")
    }

    /// Runs `dwmap` in it, which must find nothing wrong; gives what it prints.
    pub fn done(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{args:?}: {said}{told}");
        said
    }

    /// Starts `dwmap` in it.
    pub fn start(&self, args: &[&str]) -> Running {
        Running::start(self.path(), args)
    }

    /// Runs `dwmap` in it; gives its exit code and the JSON that it prints.
    pub fn json(&self, args: &[&str]) -> (Option<i32>, Value) {
        let output = self.run(args);
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let value = serde_json::from_str(&printed).unwrap_or_else(|e| {
            panic!(
                "{args:?} printed no JSON ({e}): {printed}\n{}",
                String::from_utf8_lossy(&output.stderr)
            )
        });
        (output.status.code(), value)
    }
}

/// The manifest of a project of these maps that joins both servers of a sandbox, with more for their tables.
fn manifest(sandbox: &Sandbox, maps: &str, more: [&str; 2]) -> String {
    format!(
        r#"[project]
name = "contoso"
maps = ["{maps}"]

[systems.fno]
kind = "finops"
schema = "std.fno"
url = "{}"
auth = {{ kind = "none" }}
changes = {{ via = "dv" }}
{}

[systems.dv]
kind = "dataverse"
schema = "std.dataverse"
url = "{}"
auth = {{ kind = "none" }}
{}

[state]
url = "sqlite:.dwmap/state.db"

[policy]
companies = ["usmf", "demf"]
"#,
        sandbox.finops_url(),
        more[0],
        sandbox.dataverse_url(),
        more[1]
    )
}
