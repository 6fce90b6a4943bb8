//! `dwmap status`: where each map stands.

use dwmap_plan::Value;
use dwmap_sync::display;
use dwmap_sync::state::{LogCut, MapMode};
use serde::Serialize;

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
    /// Neither system is written to.
    readonly: bool,
    maps: Vec<dwmap_sync::MapState>,
}

pub(crate) async fn run(cli: &Cli, args: &args::Status) -> Outcome {
    let setup = Setup::question_to_state();
    let Some(ready) = runtime::open(cli, &args.source, setup).await? else {
        return Ok(Ended::Found);
    };
    let maps = ready.runtime.status().await.map_err(runtime::failure)?;
    let log_cut = ready.runtime.log_cut().await.map_err(runtime::failure)?;
    let readonly = ready.runtime.is_readonly().await;
    let readonly = readonly.map_err(runtime::failure)?;
    if args.json {
        output::json(&Report {
            version: VERSION,
            log_cut,
            readonly,
            maps,
        })?;
        return Ok(Ended::Done);
    }
    let head = [
        "map", "state", "links", "changed", "waiting", "failed", "held",
    ];
    let rows: Vec<Vec<String>> = maps
        .iter()
        .map(|map| {
            let counts = [
                map.counts.linked,
                map.counts.changed,
                map.counts.parked,
                map.counts.failed,
                map.counts.held,
            ];
            let state = format!("{:?}", map.mode).to_lowercase();
            let counts = counts.iter().map(ToString::to_string);
            [map.map.clone(), state].into_iter().chain(counts).collect()
        })
        .collect();
    println!("{}", output::table(&head, &rows));
    if readonly {
        println!("neither system is written to; `dwmap readonly off` ends that");
    }
    if maps.iter().any(|map| map.mode == MapMode::Stopped) {
        println!(
            "a stopped map hasn't been loaded yet; `dwmap sync --once` or `dwmap run` loads it"
        );
    }
    for map in maps.iter().filter(|map| !map.reason.is_empty()) {
        println!("{}: {}", map.map, map.reason);
    }
    tell_cut(log_cut);
    Ok(Ended::Done)
}

/// Says what the log no longer has.
pub(super) fn tell_cut(log_cut: Option<LogCut>) {
    if let Some(cut) = log_cut {
        let entries = output::count_as(cut.entries, "entry", "entries");
        let until = display(&Value::DateTime(cut.until.0 * 1_000));
        println!(
            "the log is whole from {until} on: {entries} until then went by `keep_log` and `keep_log_size` of [state]"
        );
    }
}
