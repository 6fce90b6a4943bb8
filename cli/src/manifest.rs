//! Finds and loads `dwmap.toml`.

use std::path::{Path, PathBuf};

use dwmap_config::Manifest;

use crate::exit::Failure;
use crate::output::plain;

/// The manifest of the folder or of the nearest one above it.
pub(crate) fn find(folder: &Path) -> Option<PathBuf> {
    let full = folder.canonicalize().ok()?;
    let above = full
        .ancestors()
        .map(|folder| folder.join("dwmap.toml"))
        .find(|path| path.is_file())?;
    // A path below the folder that was named reads better in messages than a canonical one.
    let named = folder.join("dwmap.toml");
    Some(if named.is_file() {
        plain(&named).to_path_buf()
    } else {
        above
    })
}

/// Loads a manifest.
pub(crate) fn load(path: &Path, env: Option<&str>) -> Result<Manifest, Failure> {
    Manifest::load(path, env).map_err(|e| Failure::Configuration(e.to_string()))
}

/// Finds and loads the manifest that a command can't do without.
pub(crate) fn required(folder: &Path, env: Option<&str>) -> Result<Manifest, Failure> {
    load(&find(folder).ok_or_else(|| missing(folder))?, env)
}

/// There is none.
pub(crate) fn missing(folder: &Path) -> Failure {
    if !folder.is_dir() {
        return Failure::Configuration(format!("there is no folder {}", folder.display()));
    }
    Failure::Configuration(format!(
        "no dwmap.toml in {} or above it; make a project with `dwmap new NAME`, or name a folder with -C DIR",
        folder.display()
    ))
}
