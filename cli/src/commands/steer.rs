//! What is asked of the process that works on the state: by map, by record, and of the whole.
//!
//! Where no process works, it is done here; where one does, it is asked to, and its answer is waited for.

use std::path::Path;
use std::time::{Duration, Instant};

use dwmap_sync::state::{Desk, RequestId};
use dwmap_sync::{Answer, Clock, RecordName, Request, SystemClock};

use crate::args::{self, Cli, PlanSource, Steer, Switch};
use crate::exit::{Ended, Failure, Outcome};
use crate::runtime::{self, Opened};
use crate::systems::Need;

/// How often an answer is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// After how many looks it is asked whether the process is still there.
const ENDED_EVERY: u32 = 10;
/// How long it may take until the process takes a request up.
const TAKEN_UP_WITHIN: Duration = Duration::from_secs(30);
/// How long it may take to do what is asked.
const DONE_WITHIN: Duration = Duration::from_secs(600);

/// Asks something about maps.
pub(crate) async fn maps(
    cli: &Cli,
    args: &Steer,
    request: impl FnOnce(Vec<String>) -> Request,
) -> Outcome {
    ask(cli, &args.source, Need::Names, &request(args.maps.clone())).await
}

/// Asks something about a record.
pub(crate) async fn record(
    cli: &Cli,
    args: &args::Record,
    request: impl FnOnce(RecordName) -> Request,
) -> Outcome {
    let name = RecordName {
        map: args.map.clone(),
        key: args.key.join(" "),
    };
    ask(cli, &args.source, Need::Answers, &request(name)).await
}

pub(crate) async fn readonly(cli: &Cli, args: &args::Readonly) -> Outcome {
    let on = args.what == Switch::On;
    ask(cli, &args.source, Need::Names, &Request::Readonly { on }).await
}

pub(crate) async fn hold(cli: &Cli, args: &args::Hold) -> Outcome {
    let reason = args.reason.clone();
    record(cli, &args.record, |record| Request::Hold { record, reason }).await
}

pub(crate) async fn link(cli: &Cli, args: &args::Link) -> Outcome {
    let request = Request::Link {
        map: args.map.clone(),
        left: args.left.clone(),
        right: args.right.clone(),
    };
    ask(cli, &args.source, Need::Answers, &request).await
}

pub(crate) async fn backfill(cli: &Cli, args: &args::Backfill) -> Outcome {
    let request = Request::Backfill {
        map: args.map.clone(),
        lines: args.lines.clone(),
        keys: args.keys.clone(),
    };
    ask(cli, &args.source, Need::Answers, &request).await
}

/// Asks, and prints what came of it.
pub(crate) async fn ask(cli: &Cli, source: &PlanSource, need: Need, request: &Request) -> Outcome {
    loop {
        let answer = match runtime::open_to_work(cli, source, need).await? {
            Opened::Mistakes => return Ok(Ended::Found),
            Opened::Ready(ready) => {
                let served = ready.runtime.serve(request).await;
                Some(served.map_err(runtime::failure)?)
            }
            Opened::Busy(state) => ask_beside(&state, request).await?,
        };
        if let Some(answer) = answer {
            return told(answer);
        }
    }
}

/// Prints an answer.
pub(crate) fn told(answer: Answer) -> Outcome {
    for line in &answer.said {
        println!("{line}");
    }
    match answer.refused {
        Some(why) => Err(Failure::Configuration(why)),
        None => Ok(Ended::Done),
    }
}

/// Asks the process that works on this state. None if it has ended before it took the request up.
pub(crate) async fn ask_beside(state: &Path, request: &Request) -> Result<Option<Answer>, Failure> {
    let desk = Desk::open(state).map_err(runtime::state)?;
    let text = serde_json::to_string(request).map_err(|e| Failure::Internal(e.to_string()))?;
    let id = desk
        .post(&text, SystemClock.now())
        .map_err(runtime::state)?;
    let asked = Instant::now();
    let mut looks = 0_u32;
    loop {
        // Asked before the answer is looked for: a process that is gone answers no more.
        looks += 1;
        let gone = looks.is_multiple_of(ENDED_EVERY) && ended(state);
        if let Some(answer) = desk.fetch(id).map_err(runtime::state)? {
            let answer = serde_json::from_str(&answer);
            return answer.map(Some).map_err(|e| {
                Failure::Configuration(format!(
                    "the running process answered what this version can't read ({e}); both must be of one version"
                ))
            });
        }
        if asked.elapsed() > TAKEN_UP_WITHIN && withdrawn(&desk, id)? {
            return Err(Failure::Configuration(format!(
                "another process works on the state in {}, and doesn't take up what is asked of it; \
                 `dwmap sync --once` doesn't, so wait for its end, or stop the process",
                state.display()
            )));
        }
        if asked.elapsed() > DONE_WITHIN {
            return Err(Failure::Configuration(
                "the running process took it up, and isn't done yet; `dwmap status` tells when it is"
                    .to_owned(),
            ));
        }
        if gone && withdrawn(&desk, id)? {
            return Ok(None);
        }
        if gone {
            return Err(Failure::Configuration(
                "the process ended while it did what was asked; `dwmap status` tells how far it came"
                    .to_owned(),
            ));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn withdrawn(desk: &Desk, id: RequestId) -> Result<bool, Failure> {
    desk.withdraw(id).map_err(runtime::state)
}

/// Whether nobody works on the state any more.
fn ended(state: &Path) -> bool {
    !dwmap_sync::SqliteStore::is_worked_on(state)
}
