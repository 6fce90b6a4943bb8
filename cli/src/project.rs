//! Finds a project and reads its sources: the compiler does no I/O, so this does it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use dwmap_compiler::{Options, Project, SourceFile};
use dwmap_config::{Manifest, MapSource, Overflow};

use crate::exit::{Failure, file_error};
use crate::manifest;
use crate::output::plain;

/// A project's folder, its manifest where it has one, and what is to be compiled.
pub(crate) struct Sources {
    /// The folder to which paths are relative.
    pub(crate) root: PathBuf,
    /// What the compiler is given.
    pub(crate) project: Project,
}

/// Reads the files named (or, without any, the maps of the manifest) and all that they use.
pub(crate) fn read(
    folder: &Path,
    env: Option<&str>,
    paths: &[PathBuf],
) -> Result<Sources, Failure> {
    let manifest = manifest::find(folder)
        .map(|path| manifest::load(&path, env))
        .transpose()?;
    let root = manifest
        .as_ref()
        .map_or_else(|| folder.to_path_buf(), |m| m.root.clone());
    let entries = if paths.is_empty() {
        let manifest = manifest.as_ref().ok_or_else(|| manifest::missing(folder))?;
        manifest
            .map_files()
            .map_err(|e| Failure::Configuration(e.to_string()))?
    } else {
        source_files(paths)?
    };
    let project = Project::new(closure(&root, entries)?)
        .with_library(library)
        .with_stock(if paths.is_empty() {
            stock(manifest.as_ref())?
        } else {
            Vec::new()
        });
    let project = Project {
        options: options(manifest.as_ref(), &root),
        ..project
    };
    Ok(Sources { root, project })
}

/// A stock module, as the compiler asks for it.
pub(crate) fn library(path: &str) -> Option<SourceFile> {
    dwmap_stdlib::module(path).map(|module| SourceFile::new(module.file(), module.source))
}

/// The stock modules that a manifest names; `std.*` is all that declare maps.
fn stock(manifest: Option<&Manifest>) -> Result<Vec<String>, Failure> {
    let all = || {
        let maps = dwmap_stdlib::modules().iter();
        maps.filter(|m| m.kind == dwmap_stdlib::Kind::Maps)
            .map(|m| m.path.to_owned())
    };
    let mut modules = Vec::new();
    for source in manifest.into_iter().flat_map(|m| &m.project.maps) {
        match source {
            MapSource::Files { .. } => {}
            MapSource::Stock { module, .. } if module == "std.*" => modules.extend(all()),
            MapSource::Stock { module, .. } if dwmap_stdlib::module(module).is_some() => {
                modules.push(module.clone());
            }
            MapSource::Stock { module, place } => {
                return Err(Failure::Configuration(format!(
                    "{place}: there is no stock module {module}; there are {}, and \"std.*\" is all of them",
                    all().collect::<Vec<_>>().join(", ")
                )));
            }
        }
    }
    Ok(modules)
}

fn options(manifest: Option<&Manifest>, root: &Path) -> Options {
    let folder_name = root
        .canonicalize()
        .ok()
        .and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    Options {
        name: manifest.map_or_else(
            || folder_name.unwrap_or_else(|| "project".to_owned()),
            |m| m.project.name.clone(),
        ),
        overflow: match manifest.map(|m| m.policy.overflow) {
            Some(Overflow::Truncate) => dwmap_plan::Overflow::Truncate,
            Some(Overflow::Reject) | None => dwmap_plan::Overflow::Reject,
        },
        ..Options::default()
    }
}

/// The source files among paths: files as they are, folders with all that is below them.
pub(crate) fn source_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        let metadata = std::fs::metadata(path).map_err(|e| file_error(path, &e))?;
        if metadata.is_dir() {
            walk(path, &mut files)?;
        } else {
            files.push(path.clone());
        }
    }
    for file in &mut files {
        *file = plain(file).to_path_buf();
    }
    Ok(files)
}

/// Collects the `.dwmap` files below a folder, in the order of their names; hidden folders and `target` are left out.
fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let entries = std::fs::read_dir(folder).map_err(|e| file_error(folder, &e))?;
    let mut paths: Vec<PathBuf> = entries
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| file_error(folder, &e))?
        .into_iter()
        .map(|e| e.path())
        .collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if !name.starts_with('.') && name != "target" {
                walk(&path, files)?;
            }
        } else if path.extension().is_some_and(|e| e == "dwmap") {
            files.push(path);
        }
    }
    Ok(())
}

/// The entries and all project files that they use, each once.
fn closure(root: &Path, entries: Vec<PathBuf>) -> Result<Vec<SourceFile>, Failure> {
    let mut next = entries;
    let mut seen = BTreeSet::new();
    let mut files = Vec::new();
    next.reverse();
    while let Some(path) = next.pop() {
        let shown = relative(root, &path);
        if !seen.insert(shown.clone()) {
            continue;
        }
        let text = read_text(&path)?;
        let parsed = dwmap_grammar::parse(&text);
        let uses = parsed.file.uses.iter();
        next.extend(uses.filter_map(|used| module_file(root, &used.module.text())));
        files.push(SourceFile::new(shown, text));
    }
    Ok(files)
}

/// Where a module's file is, if it is one of the project and exists. What isn't found is the compiler's to report.
fn module_file(root: &Path, module: &str) -> Option<PathBuf> {
    if module.starts_with("std.") {
        return None;
    }
    let path = module.replace('.', "/");
    [path.clone(), path.replace('_', "-")]
        .iter()
        .map(|path| root.join(format!("{path}.dwmap")))
        .find(|path| path.is_file())
}

/// The path as messages show it: from the root, with forward slashes.
fn relative(root: &Path, path: &Path) -> String {
    let full = |p: &Path| p.canonicalize().unwrap_or_else(|_| p.to_path_buf());
    let (root, path) = (full(root), full(path));
    let shown = path.strip_prefix(&root).unwrap_or(&path);
    shown.to_string_lossy().replace('\\', "/")
}

/// Reads a source file, which must be UTF-8.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    let bytes = std::fs::read(path).map_err(|e| file_error(path, &e))?;
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        let line = e.as_bytes()[..at].split(|b| *b == b'\n').count();
        Failure::Configuration(format!(
            "{}:{line}: byte {at} is not UTF-8; save the file as UTF-8",
            path.display()
        ))
    })
}
