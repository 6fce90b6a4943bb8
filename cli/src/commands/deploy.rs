//! `dwmap deploy`: the running process goes on with the maps as they are now.

use std::path::Path;

use dwmap_sync::Request;

use crate::args::{self, Cli, PlanSource};
use crate::commands::steer;
use crate::exit::{Ended, Failure, Outcome, file_error};
use crate::manifest;
use crate::runtime;
use crate::systems::{self, Need};

/// The plan that was deployed last, beside the state.
const FILE: &str = "deployed.dwplan";

pub(crate) async fn run(cli: &Cli, args: &args::Deploy) -> Outcome {
    let manifest = manifest::required(&cli.project, cli.env.as_deref())?;
    let source = PlanSource {
        plan: args.plan.clone(),
    };
    let Some(plan) = runtime::plan(cli, &source)? else {
        return Ok(Ended::Found);
    };
    // Whatever is wrong with it is better said here than by the process that runs.
    systems::connect(&manifest, &plan, Need::Names).await?;
    let state = runtime::state_path(&manifest)?;
    if !dwmap_sync::SqliteStore::is_worked_on(&state) {
        println!("nothing runs; the next `dwmap run` begins with these maps");
        return Ok(Ended::Done);
    }
    let file = state.parent().unwrap_or(Path::new(".")).join(FILE);
    let bytes = dwmap_plan::encode(&plan).map_err(|e| Failure::Internal(e.to_string()))?;
    std::fs::write(&file, bytes).map_err(|e| file_error(&file, &e))?;
    let plan = std::path::absolute(&file).map_err(|e| file_error(&file, &e))?;
    let answer = steer::ask_beside(&state, &Request::Deploy { plan }).await?;
    if let Some(answer) = answer {
        return steer::told(answer);
    }
    println!("the process has ended meanwhile; the next `dwmap run` begins with these maps");
    Ok(Ended::Done)
}
