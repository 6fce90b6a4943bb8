//! Patterns of file names: `*` and `?` within a name, `**` for any number of folders.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A folder that couldn't be listed, and why.
pub(crate) struct ListError {
    pub(crate) path: PathBuf,
    pub(crate) source: io::Error,
}

/// The files below `root` that match, in the order of their names. A folder that isn't there holds none.
pub(crate) fn files(root: &Path, pattern: &str) -> Result<Vec<PathBuf>, ListError> {
    let parts: Vec<&str> = pattern.split('/').filter(|part| *part != ".").collect();
    let mut found = Vec::new();
    walk(root, &parts, &mut found)?;
    found.sort();
    found.dedup();
    Ok(found)
}

fn walk(folder: &Path, parts: &[&str], found: &mut Vec<PathBuf>) -> Result<(), ListError> {
    let Some((part, rest)) = parts.split_first() else {
        return Ok(());
    };
    if *part == "**" {
        walk(folder, rest, found)?;
    }
    for path in list(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_folder = path.is_dir();
        if *part == "**" {
            // What is hidden (`.git`, `.dwmap`) holds no maps.
            if is_folder && !name.starts_with('.') {
                walk(&path, parts, found)?;
            }
        } else if matches(part, &name) {
            if is_folder {
                walk(&path, rest, found)?;
            } else if rest.is_empty() {
                found.push(path);
            }
        }
    }
    Ok(())
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, ListError> {
    let failed = |source| ListError {
        path: folder.to_owned(),
        source,
    };
    match fs::read_dir(folder) {
        Ok(entries) => entries
            .map(|entry| entry.map(|entry| entry.path()).map_err(failed))
            .collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failed(error)),
    }
}

/// Whether a name matches: the last `*` takes one character more each time the rest doesn't fit.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                last_star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match &mut last_star {
                Some((star, taken)) => {
                    *taken += 1;
                    (p, n) = (*star + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (pattern, name) in [
            ("*.dwmap", "a.dwmap"),
            ("*", ""),
            ("a?c", "abc"),
            ("*a*b", "xaab"),
            ("ab", "ab"),
            ("a**", "a"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("*.dwmap", "a.txt"),
            ("a?c", "ac"),
            ("", "a"),
            ("*a*b", "xaabc"),
            ("ab", "abc"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn folders() {
        let root = tempfile::tempdir().unwrap();
        for file in [
            "maps/b.dwmap",
            "maps/a.dwmap",
            "maps/deep/c.dwmap",
            "maps/.hidden/d.dwmap",
            "maps/notes.txt",
        ] {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let found = |pattern: &str| -> Vec<String> {
            let files = files(root.path(), pattern).unwrap_or_default();
            files
                .iter()
                .map(|file| {
                    file.strip_prefix(root.path())
                        .unwrap()
                        .to_string_lossy()
                        .replace('\\', "/")
                })
                .collect()
        };
        assert_eq!(found("maps/*.dwmap"), ["maps/a.dwmap", "maps/b.dwmap"]);
        assert_eq!(found("./maps/a.dwmap"), ["maps/a.dwmap"]);
        assert_eq!(
            found("maps/**/*.dwmap"),
            ["maps/a.dwmap", "maps/b.dwmap", "maps/deep/c.dwmap"]
        );
        assert!(found("nowhere/*.dwmap").is_empty());
    }
}
