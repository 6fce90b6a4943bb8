//! `dwmap plan`: what a load would do, writing nothing.

use dwmap_sync::Planned;
use serde::Serialize;

use crate::args::{self, Cli};
use crate::exit::{Ended, Outcome};
use crate::output;
use crate::runtime::{self, Setup};

/// The version of the JSON's shape.
const VERSION: u32 = 1;
/// Samples that are shown for each map.
const SAMPLES_SHOWN: usize = 3;

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    maps: &'a [Planned],
}

pub(crate) async fn run(cli: &Cli, args: &args::DryRun) -> Outcome {
    let setup = Setup::question(args.maps.clone());
    let Some(ready) = runtime::open(cli, &args.source, setup).await? else {
        return Ok(Ended::Found);
    };
    let (ready, _) = runtime::fitted(ready).await?;
    let planned = ready.runtime.plan().await.map_err(runtime::failure)?;
    if args.json {
        output::json(&Report {
            version: VERSION,
            maps: &planned,
        })?;
    } else {
        println!("{}", table(&planned));
        samples(&planned);
        println!("\n{}", next(&planned));
    }
    Ok(Ended::Done)
}

/// What follows from a plan.
fn next(planned: &[Planned]) -> &'static str {
    let writes = |map: &Planned| {
        let counts = [map.create, map.update, map.remove];
        counts.iter().flatten().any(|&n| n > 0)
    };
    if planned.iter().any(writes) {
        "Nothing was written. `dwmap sync --once` does it."
    } else {
        "Nothing is to be written."
    }
}

/// What would be done, map by map; the systems' names stand in the head.
pub(crate) fn table(planned: &[Planned]) -> String {
    let systems = planned
        .first()
        .map_or_else(Default::default, |p| p.systems.clone());
    let [left, right] = &systems;
    let head = [
        "map".to_owned(),
        format!("read {left}"),
        format!("read {right}"),
        format!("create in {left}"),
        format!("create in {right}"),
        format!("update {left}"),
        format!("update {right}"),
        "agree".to_owned(),
        "refuse".to_owned(),
    ];
    let rows: Vec<Vec<String>> = planned
        .iter()
        .map(|map| {
            let counts = [
                map.read[0],
                map.read[1],
                map.create[0],
                map.create[1],
                map.update[0],
                map.update[1],
                map.agree,
                map.refused,
            ];
            let counts = counts.iter().map(ToString::to_string);
            std::iter::once(map.map.clone()).chain(counts).collect()
        })
        .collect();
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    output::table(&head, &rows)
}

fn samples(planned: &[Planned]) {
    for map in planned.iter().filter(|map| !map.samples.is_empty()) {
        println!("\n{}, for example:", map.map);
        for sample in map.samples.iter().take(SAMPLES_SHOWN) {
            let what = format!("{:?}", sample.what).to_lowercase();
            println!(
                "  {what} in {}: {}  {}",
                sample.system, sample.record, sample.detail
            );
        }
    }
}
