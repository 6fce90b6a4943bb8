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
        let manifest = format!(
            r#"[project]
name = "contoso"
maps = ["std.*"]

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
        );
        Self::of(&[("dwmap.toml", &manifest)])
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
