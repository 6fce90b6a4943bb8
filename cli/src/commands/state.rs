//! `dwmap state`: the file in which the runtime keeps what it knows.

use std::path::Path;

use dwmap_sync::SqliteStore;
use dwmap_sync::state::Checked;
use serde::Serialize;

use crate::args::{self, Cli, State};
use crate::exit::{Ended, Outcome};
use crate::{manifest, output, runtime};

/// The version of the JSON's shape.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    path: &'a Path,
    #[serde(flatten)]
    checked: &'a Checked,
}

pub(crate) fn run(cli: &Cli, args: &State) -> Outcome {
    let manifest = manifest::required(&cli.project, cli.env.as_deref())?;
    let path = runtime::state_path(&manifest)?;
    match args {
        State::Check(args) => check(&path, args),
        State::Backup(args) => backup(&path, &args.file),
        State::Restore(args) => restore(&path, &args.file),
        State::Compact => compact(&path),
    }
}

fn check(path: &Path, args: &args::StateCheck) -> Outcome {
    let checked = SqliteStore::check(path).map_err(runtime::state)?;
    let flaws = checked.flaws.len() as u64 + checked.unlisted;
    let shown = path.display();
    if args.json {
        output::json(&Report {
            version: VERSION,
            path,
            checked: &checked,
        })?;
    } else if flaws == 0 {
        println!(
            "{shown} is whole: {}, {}, {}, log of {}",
            output::count(checked.links, "link"),
            output::count(checked.marks, "mark"),
            output::count(checked.intents, "open write"),
            output::count(checked.entries, "line"),
        );
    } else {
        for flaw in &checked.flaws {
            println!("{}: {}", flaw.place, flaw.what);
        }
        println!("{}", output::count(flaws, "flaw"));
    }
    if flaws == 0 {
        return Ok(Ended::Done);
    }
    eprintln!(
        "Stop `dwmap run`, and put the newest backup in its place: `dwmap state restore FILE`. Without a backup, move \
         {shown} away: all records meet for the first time then, and only what doesn't agree is written. \
         `dwmap state --help` says what is forgotten with it."
    );
    Ok(Ended::Found)
}

fn backup(path: &Path, to: &Path) -> Outcome {
    let bytes = SqliteStore::backup(path, to).map_err(runtime::state)?;
    println!("{}: {}, checked", to.display(), output::bytes(bytes));
    Ok(Ended::Done)
}

fn restore(path: &Path, from: &Path) -> Outcome {
    let kept = SqliteStore::restore(path, from).map_err(runtime::state)?;
    println!("{} is what {} holds", path.display(), from.display());
    if let Some(kept) = kept {
        println!(
            "what was there is {} now; delete it when it is no longer needed",
            kept.display()
        );
    }
    Ok(Ended::Done)
}

fn compact(path: &Path) -> Outcome {
    let compacted = SqliteStore::compact(path).map_err(runtime::state)?;
    println!(
        "{}: {} before, {} now",
        path.display(),
        output::bytes(compacted.before),
        output::bytes(compacted.after)
    );
    if compacted.kept_scratch {
        println!("what a load that was stopped goes on with was kept");
    }
    Ok(Ended::Done)
}
