//! `dwmap sync`: loads where due, then everything pending both ways, then ends; or one record alone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use dwmap_sync::{Observer, RecordName, Request};
use serde::Serialize;

use crate::args::{self, Cli};
use crate::commands::steer;
use crate::exit::{Ended, Outcome};
use crate::output;
use crate::progress::{Done, Progress};
use crate::runtime::{self, Setup};
use crate::systems::Need;

/// The version of the JSON's shape.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Report {
    version: u32,
    seconds: f64,
    maps: BTreeMap<String, Done>,
}

pub(crate) async fn run(cli: &Cli, args: &args::Sync) -> Outcome {
    match args.record.split_first() {
        Some((map, key)) => one(cli, args, map, key).await,
        None => all(cli, args).await,
    }
}

/// Brings one record in order.
async fn one(cli: &Cli, args: &args::Sync, map: &str, key: &[String]) -> Outcome {
    let request = Request::Sync {
        record: RecordName {
            map: map.to_owned(),
            key: key.join(" "),
        },
        from: args.from.clone(),
    };
    steer::ask(cli, &args.source, Need::Answers, &request).await
}

async fn all(cli: &Cli, args: &args::Sync) -> Outcome {
    let progress = Arc::new(Progress::new());
    let observer = Arc::clone(&progress) as Arc<dyn Observer>;
    let setup = Setup::work(Need::Answers, observer);
    let Some(ready) = runtime::open(cli, &args.source, setup).await? else {
        return Ok(Ended::Found);
    };
    let started = Instant::now();
    let synced = ready.runtime.sync_once().await;
    progress.finish();
    let standing = ready.runtime.status().await;
    let took = started.elapsed();
    ready.finish().await;
    synced.map_err(runtime::failure)?;
    let standing = standing.map_err(runtime::failure)?;
    let maps = progress.done();
    let counts = standing.iter().map(|map| &map.counts);
    let queued = counts.map(|c| c.failed + c.parked + c.held).sum();
    if args.json {
        output::json(&Report {
            version: VERSION,
            seconds: took.as_secs_f64(),
            maps,
        })?;
    } else {
        if maps.is_empty() {
            println!("nothing was to be brought over");
        } else {
            println!("{}", table(&maps));
        }
        eprintln!("done in {}", output::duration(took));
        if queued > 0 {
            let queued = output::count(queued, "record");
            eprintln!("{queued} in the error queue; `dwmap errors list` shows what is wrong");
        }
    }
    let drifted = standing.iter().any(|map| map.reason.starts_with("R05"));
    Ok(if drifted { Ended::Found } else { Ended::Done })
}

/// What was done, map by map.
pub(crate) fn table(maps: &BTreeMap<String, Done>) -> String {
    let head = [
        "map", "read", "met", "created", "updated", "refused", "waiting",
    ];
    let both = |counts: [u64; 2]| format!("{} + {}", counts[0], counts[1]);
    let rows: Vec<Vec<String>> = maps
        .iter()
        .map(|(map, done)| {
            vec![
                map.clone(),
                both(done.read),
                done.met.to_string(),
                both(done.created),
                done.updated.to_string(),
                done.refused.to_string(),
                done.parked.to_string(),
            ]
        })
        .collect();
    output::table(&head, &rows)
}
