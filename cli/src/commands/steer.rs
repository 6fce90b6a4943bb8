//! `dwmap approve`, `dwmap pause` and `dwmap resume`: whether maps are worked on.

use std::sync::Arc;

use dwmap_sync::Silent;
use dwmap_sync::state::MapMode;

use crate::args::{Cli, Steer};
use crate::exit::{Ended, Failure, Outcome};
use crate::output;
use crate::runtime::{self, Ready, Setup};
use crate::systems::Need;

/// Lets go what the brake holds.
pub(crate) async fn approve(cli: &Cli, args: &Steer) -> Outcome {
    let Some(ready) = open(cli, args).await? else {
        return Ok(Ended::Found);
    };
    for map in &args.maps {
        let held = ready.runtime.approve(map).await.map_err(runtime::failure)?;
        let held = match held {
            0 => "nothing is held any more".to_owned(),
            some => format!("{} let go", output::count(some, "record")),
        };
        println!("{map}: {held}; the next `dwmap run` or `dwmap sync --once` goes on");
    }
    Ok(Ended::Done)
}

/// Stops work on maps.
pub(crate) async fn pause(cli: &Cli, args: &Steer) -> Outcome {
    let Some(ready) = open(cli, args).await? else {
        return Ok(Ended::Found);
    };
    for map in &args.maps {
        match mode(&ready, map).await? {
            MapMode::Paused => println!("{map} is paused already"),
            MapMode::Stopped | MapMode::Loading => {
                return Err(Failure::Configuration(format!(
                    "{map} isn't loaded yet, and only a loaded map can be paused; let it load first"
                )));
            }
            MapMode::Running | MapMode::Held | MapMode::Failed => {
                set(&ready, map, MapMode::Paused).await?;
                println!("{map}: paused; its changes are kept until `dwmap resume {map}`");
            }
        }
    }
    Ok(Ended::Done)
}

/// Goes on with maps.
pub(crate) async fn resume(cli: &Cli, args: &Steer) -> Outcome {
    let Some(ready) = open(cli, args).await? else {
        return Ok(Ended::Found);
    };
    for map in &args.maps {
        match mode(&ready, map).await? {
            MapMode::Paused | MapMode::Held | MapMode::Failed => {
                set(&ready, map, MapMode::Running).await?;
                println!("{map}: goes on with the next `dwmap run` or `dwmap sync --once`");
            }
            MapMode::Stopped | MapMode::Loading | MapMode::Running => {
                println!("{map} was neither paused nor held; there is nothing to do");
            }
        }
    }
    Ok(Ended::Done)
}

/// The state is opened as its worker: a process that runs has maps of its own in hand.
async fn open(cli: &Cli, args: &Steer) -> Result<Option<Ready>, Failure> {
    let setup = Setup::work(Need::Names, Arc::new(Silent));
    runtime::open(cli, &args.source, setup).await
}

async fn mode(ready: &Ready, map: &str) -> Result<MapMode, Failure> {
    ready.runtime.mode(map).await.map_err(runtime::failure)
}

async fn set(ready: &Ready, map: &str, mode: MapMode) -> Result<(), Failure> {
    let set = ready.runtime.set_mode(map, mode).await;
    set.map_err(runtime::failure)
}
