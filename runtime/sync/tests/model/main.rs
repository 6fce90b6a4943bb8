//! The model.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod explore;
mod process;
mod scenario;
#[path = "../shared/mod.rs"]
mod shared;
mod steps;
mod system;
mod table;
mod trace;
mod world;

use dwmap_sync::Rules;

use crate::explore::explore;
use crate::shared::{lines, oracle, plan, wire, words};
use crate::steps::Protocol;

#[test]
fn every_scenario_keeps_every_promise() {
    let limit = std::env::var("DWMAP_MODEL_LIMIT").map_or(2_000_000, |n| n.parse().unwrap());
    let only = std::env::var("DWMAP_MODEL_ONLY").ok();
    for scenario in scenario::ALL {
        if only
            .as_deref()
            .is_some_and(|only| !scenario.name.contains(only))
        {
            continue;
        }
        let began = std::time::Instant::now();
        let report = explore(&Protocol::new(scenario, Rules::default()), limit);
        println!(
            "{}: {} states, {} steps, depth {}, {} rests, complete {}, {:?}",
            scenario.name,
            report.states,
            report.steps,
            report.depth,
            report.rests,
            report.complete,
            began.elapsed()
        );
        if let Some((what, story)) = report.broken {
            println!("{}", story.join("\n"));
            println!("BROKEN {}: {what}", scenario.name);
        }
    }
}
