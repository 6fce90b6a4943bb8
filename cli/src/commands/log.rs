//! `dwmap log`: what happened, newest first.

use dwmap_sync::LogEntry;
use dwmap_sync::state::LogCut;
use serde::Serialize;

use super::status;
use crate::args::{self, Cli};
use crate::exit::{Ended, Outcome};
use crate::output;
use crate::runtime::{self, Setup};

/// The version of the JSON's shape.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Report {
    version: u32,
    /// What the log no longer has.
    log_cut: Option<LogCut>,
    entries: Vec<LogEntry>,
}

pub(crate) async fn run(cli: &Cli, args: &args::Log) -> Outcome {
    let setup = Setup::question_to_state();
    let Some(ready) = runtime::open(cli, &args.source, setup).await? else {
        return Ok(Ended::Found);
    };
    let key = (!args.key.is_empty()).then(|| args.key.join(" "));
    let entries = ready
        .runtime
        .history(args.map.as_deref(), key.as_deref(), args.limit)
        .await
        .map_err(runtime::failure)?;
    let log_cut = ready.runtime.log_cut().await.map_err(runtime::failure)?;
    if args.json {
        output::json(&Report {
            version: VERSION,
            log_cut,
            entries,
        })?;
        return Ok(Ended::Done);
    }
    for entry in &entries {
        println!("{}", in_words(entry));
    }
    if entries.is_empty() {
        println!("nothing happened that the log still has");
    }
    status::tell_cut(log_cut);
    Ok(Ended::Done)
}

fn in_words(entry: &LogEntry) -> String {
    let kind = format!("{:?}", entry.kind).to_lowercase();
    let system = entry.system.as_ref();
    let system = system.map_or_else(String::new, |system| format!(" {system}"));
    let detail = match entry.detail.as_str() {
        "" => String::new(),
        detail => format!(": {detail}"),
    };
    let LogEntry {
        at, map, record, ..
    } = entry;
    format!("{at} {map} {record}: {kind}{system}{detail}")
}
