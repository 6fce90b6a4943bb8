//! The archives in `tests/corpus/cli`: each command of the binary, as a person types it and reads what it says.
//! `REWRITE=1 cargo test -p dwmap-tests --test corpus` accepts what is printed now; review it like code.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use dwmap_tests::{Archive, difference};

/// Archives that run at the same time.
const WORKERS: usize = 2;

/// Runs an archive; says where it differs from what its commands print, unless that is accepted.
fn run(path: &Path, rewrite: bool) -> Option<String> {
    let text = std::fs::read_to_string(path).expect("an archive reads");
    let now = Archive::read(&text).run();
    if now == text {
        return None;
    }
    if rewrite {
        std::fs::write(path, now).expect("an archive can be written");
        return None;
    }
    Some(format!("{}\n{}", path.display(), difference(&text, &now)))
}

#[test]
fn the_command_line_says_what_the_archives_hold() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/cli");
    let entries = std::fs::read_dir(folder).expect("the archives are there");
    let mut paths: Vec<PathBuf> = entries.map(|e| e.expect("it reads").path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    let only = std::env::var("ONLY").unwrap_or_default();
    paths.retain(|path| path.to_string_lossy().contains(&only));
    let rewrite = std::env::var_os("REWRITE").is_some_and(|value| value == "1");

    let next = Mutex::new(paths.iter());
    let differing = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let path = next.lock().expect("no worker failed").next();
                    let Some(path) = path else { break };
                    let differs = run(path, rewrite);
                    differing.lock().expect("no worker failed").extend(differs);
                }
            });
        }
    });
    let differing = differing.into_inner().expect("no worker failed");
    assert!(
        differing.is_empty(),
        "{}\nREWRITE=1 accepts this.",
        differing.join("\n")
    );
}
