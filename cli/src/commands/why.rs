//! `dwmap why`: where a record stands, and why it did or didn't go.

use dwmap_sync::Why;
use serde::Serialize;

use crate::args::{self, Cli};
use crate::exit::{Ended, Failure, Outcome};
use crate::output;
use crate::runtime::{self, Setup};

/// The version of the JSON's shape.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Report {
    version: u32,
    #[serde(flatten)]
    why: Why,
}

pub(crate) async fn run(cli: &Cli, args: &args::Why) -> Outcome {
    let setup = Setup::question(Vec::new());
    let Some(ready) = runtime::open(cli, &args.source, setup).await? else {
        return Ok(Ended::Found);
    };
    let (ready, _) = runtime::fitted(ready).await?;
    let key = args.key.join(" ");
    let why = ready
        .runtime
        .why(&args.map, &key)
        .await
        .map_err(runtime::failure)?;
    let Some(why) = why else {
        return Err(Failure::Configuration(format!(
            "{} knows no record `{key}`: neither system has it, or its company takes no part. \
             The key is the left side's, with the company first: `usmf US-001`",
            args.map
        )));
    };
    if args.json {
        output::json(&Report {
            version: VERSION,
            why,
        })?;
    } else {
        print(&why);
    }
    Ok(Ended::Done)
}

fn print(why: &Why) {
    println!("{} {}: {}", why.map, why.record, why.link);
    for side in &why.sides {
        let found = match (side.found, side.inside) {
            (false, _) => "not there",
            (true, true) => "there, in the map",
            (true, false) => "there, outside the map's filter",
        };
        println!("  {}: {found}", side.system);
        if let Some(mark) = &side.mark {
            println!("    {mark}");
        }
        if let Some(error) = &side.error {
            println!("    {} ({}). {}", error.message, error.code, error.next);
        }
    }
    for sentence in &why.verdict {
        println!("{sentence}");
    }
    if !why.lines.is_empty() {
        let [left, right] = [&why.sides[0].system, &why.sides[1].system];
        let rows: Vec<Vec<String>> = why
            .lines
            .iter()
            .map(|line| {
                let [a, b] = &line.values;
                vec![line.line.clone(), a.clone(), b.clone(), line.says.clone()]
            })
            .collect();
        println!("\n{}", output::table(&["line", left, right, "says"], &rows));
    }
}
