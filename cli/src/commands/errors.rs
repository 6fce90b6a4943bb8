//! `dwmap errors`: the error queue.

use dwmap_sync::{ErrorEntry, ErrorFilter, ErrorGroup, Request};
use serde::Serialize;

use crate::args::{self, Cli, Errors};
use crate::commands::steer;
use crate::exit::{Ended, Failure, Outcome};
use crate::output;
use crate::runtime::{self, Ready, Setup};
use crate::systems::Need;

/// The version of the JSON's shape.
const VERSION: u32 = 1;

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

#[derive(Serialize)]
struct Groups {
    version: u32,
    groups: Vec<ErrorGroup>,
}

pub(crate) async fn run(cli: &Cli, args: &Errors) -> Outcome {
    match args {
        Errors::List(args) => list(cli, args).await,
        Errors::Show(args) => show(cli, args).await,
        Errors::Retry(args) => {
            let errors = meant(args);
            steer::ask(
                cli,
                &args.source,
                Need::Names,
                &Request::RetryErrors { errors },
            )
            .await
        }
        Errors::Discard(args) => {
            let errors = meant(&args.which);
            let reason = args.reason.clone();
            let request = Request::DiscardErrors { errors, reason };
            steer::ask(cli, &args.which.source, Need::Names, &request).await
        }
    }
}

fn filter(of: &args::ErrorsOf) -> ErrorFilter {
    ErrorFilter {
        names: Vec::new(),
        map: of.map.clone(),
        code: of.code.clone(),
        record: of.record.clone(),
        message: of.message.clone(),
    }
}

fn meant(args: &args::ErrorsSome) -> ErrorFilter {
    ErrorFilter {
        names: args.ids.clone(),
        ..filter(&args.of)
    }
}

/// Opens the state for a question.
async fn asked(cli: &Cli, source: &args::PlanSource) -> Result<Option<Ready>, Failure> {
    runtime::open(cli, source, Setup::question_to_state()).await
}

fn entry(error: &ErrorEntry) -> Entry {
    Entry {
        id: error.name(),
        map: error.map.clone(),
        system: error.system.clone(),
        cause: format!("{:?}", error.cause).to_lowercase(),
        report: error.report.clone(),
    }
}

async fn list(cli: &Cli, args: &args::ErrorsList) -> Outcome {
    let Some(ready) = asked(cli, &args.source).await? else {
        return Ok(Ended::Found);
    };
    let filter = filter(&args.of);
    if args.groups {
        let groups = ready.runtime.error_groups(&filter).await;
        return list_groups(groups.map_err(runtime::failure)?, args.json);
    }
    let found = ready
        .runtime
        .errors(&filter, args.limit.saturating_add(1))
        .await;
    let mut found = found.map_err(runtime::failure)?;
    let more = found.len() > args.limit;
    found.truncate(args.limit);
    let empty = found.is_empty();
    if args.json {
        output::json(&Report {
            version: VERSION,
            errors: found.iter().map(entry).collect(),
        })?;
    } else if empty {
        println!("{}", nothing(&filter));
    } else {
        let rows: Vec<Vec<String>> = found
            .iter()
            .map(|error| {
                let report = &error.report;
                vec![
                    error.name(),
                    error.map.clone(),
                    report.record.clone(),
                    report.code.clone(),
                    report.message.clone(),
                ]
            })
            .collect();
        let head = ["name", "map", "record", "code", "what is wrong"];
        println!("{}", output::table(&head, &rows));
    }
    if more {
        eprintln!(
            "these are the first {}; `--groups` shows all of them by cause, `--limit N` more of them",
            args.limit
        );
    }
    Ok(if empty { Ended::Done } else { Ended::Found })
}

fn nothing(filter: &ErrorFilter) -> &'static str {
    if *filter == ErrorFilter::default() {
        "the error queue is empty"
    } else {
        "no error is like that; `dwmap errors list` shows all"
    }
}

fn list_groups(groups: Vec<ErrorGroup>, json: bool) -> Outcome {
    let empty = groups.is_empty();
    if json {
        output::json(&Groups {
            version: VERSION,
            groups,
        })?;
    } else if empty {
        println!("no error stands in the queue");
    } else {
        let rows: Vec<Vec<String>> = groups
            .iter()
            .map(|group| {
                vec![
                    group.records.to_string(),
                    group.map.clone(),
                    group.code.clone(),
                    group.message.clone(),
                    group.example.clone(),
                ]
            })
            .collect();
        let head = ["records", "map", "code", "what is wrong", "one of them"];
        println!("{}", output::table(&head, &rows));
        println!("`dwmap errors retry --map MAP --code CODE` tries those of a cause again");
    }
    Ok(if empty { Ended::Done } else { Ended::Found })
}

async fn show(cli: &Cli, args: &args::ErrorsOne) -> Outcome {
    let Some(ready) = asked(cli, &args.source).await? else {
        return Ok(Ended::Found);
    };
    let filter = ErrorFilter {
        names: vec![args.id.clone()],
        ..ErrorFilter::default()
    };
    let found = ready.runtime.errors(&filter, 1).await;
    let found = found.map_err(runtime::failure)?;
    let Some(error) = found.first() else {
        return Err(Failure::Configuration(format!(
            "there is no error {}; `dwmap errors list` shows those there are",
            args.id
        )));
    };
    if args.json {
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
