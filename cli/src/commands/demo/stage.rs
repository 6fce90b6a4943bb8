//! What the demo plays on: both systems, and a project that joins them.

use std::path::Path;

use dwmap_config::Manifest;
use dwmap_sandbox::{Config, Sandbox};
use tempfile::TempDir;

use super::http::Systems;
use crate::commands::sandbox;
use crate::exit::{Failure, file_error};
use crate::manifest;

/// Both systems and a project in a folder that goes with the demo.
pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    pub(crate) systems: Systems,
    pub(crate) manifest: Manifest,
    pub(crate) folder: TempDir,
}

impl Stage {
    /// Starts both servers and writes the project.
    pub(crate) async fn set(customers: usize) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new()
            .prefix("dwmap-demo-")
            .tempdir()
            .map_err(|e| file_error(&std::env::temp_dir(), &e))?;
        let [finops, dataverse] = sandbox::stock_schemas()?;
        let sandbox = dwmap_sandbox::start(Config {
            customers: Some(customers),
            open: true,
            ..Config::new(folder.path().join("sandbox"), dataverse, finops)
        })
        .await
        .map_err(sandbox::failure)?;
        let dataverse = format!("http://{}", sandbox.dataverse());
        let finops = format!("http://{}", sandbox.finops());
        let path = folder.path().join("dwmap.toml");
        write(&path, &manifest_text(&dataverse, &finops))?;
        Ok(Self {
            manifest: manifest::load(&path, None)?,
            systems: Systems::new(&dataverse, &finops),
            sandbox,
            folder,
        })
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|e| file_error(path, &e))
}

fn manifest_text(dataverse: &str, finops: &str) -> String {
    format!(
        r#"[project]
name = "demo"
maps = ["std.*"]

[systems.fno]
kind = "finops"
schema = "std.fno"
url = "{finops}"
auth = {{ kind = "none" }}
changes = {{ via = "dv" }}
hooks = {{ listen = "127.0.0.1:0" }}

[systems.dv]
kind = "dataverse"
schema = "std.dataverse"
url = "{dataverse}"
auth = {{ kind = "none" }}
hooks = {{ listen = "127.0.0.1:0" }}

[policy]
companies = ["usmf", "demf"]
"#
    )
}
