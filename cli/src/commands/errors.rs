//! `dwmap errors`: the error queue.

use std::sync::Arc;

use dwmap_sync::state::MarkId;
use dwmap_sync::{ErrorEntry, Runtime, Silent};
use serde::Serialize;

use crate::args::{self, Cli, Errors};
use crate::exit::{Ended, Failure, Outcome};
use crate::output;
use crate::runtime::{self, Setup};
use crate::systems::Need;

/// The version of the JSON's shape.
const VERSION: u32 = 1;
/// Errors that are listed at most.
const LISTED_MAX: usize = 10_000;

#[derive(Serialize)]
struct Report {
    version: u32,
    errors: Vec<Entry>,
}

/// One error, as `show` prints it.
#[derive(Serialize)]
struct One {
    version: u32,
    #[serde(flatten)]
    error: Entry,
}

/// An error with the name by which commands take it.
#[derive(Serialize)]
struct Entry {
    id: String,
    map: String,
    system: String,
    cause: String,
    #[serde(flatten)]
    report: dwmap_sync::state::ErrorReport,
}

pub(crate) async fn run(cli: &Cli, args: &Errors) -> Outcome {
    let ask = Setup::question_to_state;
    // A process that runs has marks of its own in hand: a pass that is under way would undo what was said to it here.
    let act = || Setup::work(Need::Names, Arc::new(Silent));
    let (source, setup) = match args {
        Errors::List(args) => (&args.source, ask()),
        Errors::Show(args) => (&args.source, ask()),
        Errors::Retry(args) => (&args.source, act()),
        Errors::Discard(args) => (&args.source, act()),
    };
    let Some(ready) = runtime::open(cli, source, setup).await? else {
        return Ok(Ended::Found);
    };
    let runtime = &ready.runtime;
    let all = runtime
        .errors(None, LISTED_MAX)
        .await
        .map_err(runtime::failure)?;
    match args {
        Errors::List(args) => list(&all, args.json),
        Errors::Show(args) => show(find(&all, &args.id)?, args.json),
        Errors::Retry(args) => retry(runtime, &all, args).await,
        Errors::Discard(args) => {
            let ids = vec![find(&all, &args.id)?.id.clone()];
            runtime
                .discard(ids, &args.reason)
                .await
                .map_err(runtime::failure)?;
            println!("discarded; the record is looked at again when it changes");
            Ok(Ended::Done)
        }
    }
}

/// A short name that stays the same as long as the error stands.
fn name(id: &MarkId) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&id.map.0.to_le_bytes());
    hasher.update(&[id.side.index() as u8]);
    hasher.update(&id.record.0);
    let hex = hasher.finalize().to_hex();
    hex[..8].to_owned()
}

fn find<'a>(all: &'a [ErrorEntry], wanted: &str) -> Result<&'a ErrorEntry, Failure> {
    all.iter().find(|e| name(&e.id) == wanted).ok_or_else(|| {
        Failure::Configuration(format!(
            "there is no error {wanted}; `dwmap errors list` shows those there are"
        ))
    })
}

fn entry(error: &ErrorEntry) -> Entry {
    Entry {
        id: name(&error.id),
        map: error.map.clone(),
        system: error.system.clone(),
        cause: format!("{:?}", error.cause).to_lowercase(),
        report: error.report.clone(),
    }
}

fn list(all: &[ErrorEntry], json: bool) -> Outcome {
    if json {
        output::json(&Report {
            version: VERSION,
            errors: all.iter().map(entry).collect(),
        })?;
    } else if all.is_empty() {
        println!("the error queue is empty");
    } else {
        let rows: Vec<Vec<String>> = all
            .iter()
            .map(|error| {
                let report = &error.report;
                vec![
                    name(&error.id),
                    error.map.clone(),
                    report.record.clone(),
                    report.code.clone(),
                    report.message.clone(),
                ]
            })
            .collect();
        println!(
            "{}",
            output::table(&["name", "map", "record", "code", "what is wrong"], &rows)
        );
    }
    Ok(if all.is_empty() {
        Ended::Done
    } else {
        Ended::Found
    })
}

fn show(error: &ErrorEntry, json: bool) -> Outcome {
    if json {
        output::json(&One {
            version: VERSION,
            error: entry(error),
        })?;
        return Ok(Ended::Done);
    }
    let report = &error.report;
    println!("{} {}  [{}]", error.map, report.record, report.code);
    println!("{}", report.message);
    let facts = [
        ("field", report.field.clone()),
        ("line", report.line.clone()),
        ("written at", report.place.clone()),
        ("left", report.values[0].clone()),
        ("right", report.values[1].clone()),
        (
            "the system said",
            report
                .target
                .as_ref()
                .map(|(code, text)| format!("{text} ({code})")),
        ),
    ];
    for (what, value) in facts {
        if let Some(value) = value {
            println!("  {what:<16} {value}");
        }
    }
    println!("{}", report.next);
    Ok(Ended::Done)
}

async fn retry(runtime: &Runtime, all: &[ErrorEntry], args: &args::ErrorsSome) -> Outcome {
    let ids: Vec<MarkId> = if args.all {
        all.iter().map(|e| e.id.clone()).collect()
    } else {
        let found = args.ids.iter().map(|id| Ok(find(all, id)?.id.clone()));
        found.collect::<Result<_, Failure>>()?
    };
    let count = ids.len() as u64;
    runtime.retry(ids).await.map_err(runtime::failure)?;
    println!(
        "{} will be tried again by the next `dwmap sync --once` or `dwmap run`",
        output::count(count, "record")
    );
    Ok(Ended::Done)
}
