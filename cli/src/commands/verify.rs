//! `dwmap verify`: do both systems agree, record by record?

use dwmap_sync::{Request, Verified};
use serde::Serialize;

use crate::args::{self, Cli};
use crate::commands::steer;
use crate::exit::{Ended, Failure, Outcome};
use crate::output;
use crate::runtime::{self, Setup};
use crate::systems::Need;

/// The version of the JSON's shape.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    differences: u64,
    maps: &'a [Verified],
}

pub(crate) async fn run(cli: &Cli, args: &args::Verify) -> Outcome {
    if !args.repair.is_empty() {
        let request = repair(args)?;
        return steer::ask(cli, &args.source, Need::Answers, &request).await;
    }
    let setup = Setup::question(args.maps.clone());
    let Some(ready) = runtime::open(cli, &args.source, setup).await? else {
        return Ok(Ended::Found);
    };
    let (ready, drifted) = runtime::fitted(ready).await?;
    let verified = ready.runtime.verify(None).await.map_err(runtime::failure)?;
    let differences = differences(&verified);
    if args.json {
        output::json(&Report {
            version: VERSION,
            differences,
            maps: &verified,
        })?;
    } else {
        println!("{}", table(&verified));
        list(&verified);
        println!("{}", output::count(differences, "difference"));
    }
    Ok(if differences == 0 && !drifted {
        Ended::Done
    } else {
        Ended::Found
    })
}

/// What `--repair` asks for. A map may stand behind its word, too: `--repair policy customers`.
fn repair(args: &args::Verify) -> Result<Request, Failure> {
    let words: Vec<&str> = args.repair.iter().map(String::as_str).collect();
    let (prefer, more) = match words[..] {
        ["policy"] => (None, None),
        ["policy", map] => (None, Some(map)),
        ["prefer", system] => (Some(system.to_owned()), None),
        _ => {
            return Err(Failure::Configuration(format!(
                "`--repair {}` says nothing; it is `--repair policy`, or `--repair prefer SYSTEM`",
                words.join(" ")
            )));
        }
    };
    let maps = args.maps.iter().cloned().chain(more.map(str::to_owned));
    Ok(Request::Repair {
        maps: maps.collect(),
        prefer,
    })
}

/// The differences of all maps that no rule and no error explains.
pub(crate) fn differences(verified: &[Verified]) -> u64 {
    verified.iter().map(|map| map.differences).sum()
}

/// What was compared, map by map.
pub(crate) fn table(verified: &[Verified]) -> String {
    let head = [
        "map",
        "pairs",
        "differences",
        "in error queue",
        "by rule",
        "out of scope",
    ];
    let rows: Vec<Vec<String>> = verified
        .iter()
        .map(|map| {
            let counts = [
                map.pairs,
                map.differences,
                map.in_error_queue,
                map.by_rule,
                map.out_of_scope,
            ];
            let counts = counts.iter().map(ToString::to_string);
            std::iter::once(map.map.clone()).chain(counts).collect()
        })
        .collect();
    output::table(&head, &rows)
}

fn list(verified: &[Verified]) {
    for map in verified {
        for difference in &map.listed {
            let what = match (&difference.field, &difference.only_in) {
                (Some(field), _) => format!(
                    "{} = {}, {} = {}  ({})",
                    field.paths[0], field.values[0], field.paths[1], field.values[1], field.place
                ),
                (None, Some(system)) => format!("only in {system}"),
                (None, None) => "no partner".to_owned(),
            };
            println!("{} {}: {what}", map.map, difference.record);
        }
    }
}
