//! `dwmap new`: makes a project that checks, tests and runs against the sandbox as it stands.

use std::path::Path;

use crate::args;
use crate::exit::{Ended, Failure, Outcome, file_error};
use crate::output::plain;

/// What a new project holds, by path.
const FILES: &[(&str, &str)] = &[
    ("dwmap.toml", include_str!("../template/dwmap.toml")),
    (
        "maps/currencies.dwmap",
        include_str!("../template/currencies.dwmap"),
    ),
    (".gitignore", "/target\n.dwmap/\n"),
];

pub(crate) fn run(folder: &Path, args: &args::New) -> Outcome {
    let root = folder.join(&args.folder);
    let name = project_name(&root)?;
    let taken = |what: &str| {
        let place = plain(&root).display();
        Failure::Configuration(format!("{place} {what}; choose another folder"))
    };
    if root.is_file() {
        return Err(taken("is a file"));
    }
    if root.join("dwmap.toml").exists() {
        return Err(taken("is a project already"));
    }
    for (path, text) in FILES {
        let path = root.join(path);
        let parent = path.parent().unwrap_or(&root);
        std::fs::create_dir_all(parent).map_err(|e| file_error(parent, &e))?;
        let text = text.replace("{name}", &name);
        std::fs::write(&path, text).map_err(|e| file_error(&path, &e))?;
    }
    let shown = args.folder.display().to_string();
    let plain_word = |c: char| c.is_alphanumeric() || "-_./".contains(c);
    let typed = if shown.chars().all(plain_word) {
        shown.clone()
    } else {
        format!("'{}'", shown.replace('\'', "'\\''"))
    };
    println!(
        "made {shown}\n\nTry next:\n  cd {typed}\n  dwmap test\n  \
         dwmap sandbox --data .dwmap/sandbox --dataverse-port 7341 --finops-port 7342 --open &\n  \
         dwmap plan --env sandbox\n  dwmap sync --once --env sandbox"
    );
    Ok(Ended::Done)
}

/// The folder's name, made fit for a file's name.
fn project_name(root: &Path) -> Result<String, Failure> {
    // `dwmap new .` makes the folder that one stands in a project.
    let full = root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
    let name = full
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .ok_or_else(|| {
            Failure::Configuration(format!("{} names no folder to make", root.display()))
        })?;
    let fit = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') {
            c
        } else {
            '-'
        }
    };
    Ok(name.chars().map(fit).collect())
}
