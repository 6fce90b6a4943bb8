//! `dwmap run`: keeps both systems the same until it is stopped.

use std::sync::Arc;

use dwmap_plan::Side;
use dwmap_sync::{Event, Observer};
use serde_json::json;

use crate::args::{self, Cli};
use crate::exit::{Ended, Failure, Outcome};
use crate::manifest;
use crate::progress::Progress;
use crate::runtime::{self, Setup};
use crate::systems::Need;
use crate::{output, signals};

pub(crate) async fn run(cli: &Cli, args: &args::Run) -> Outcome {
    let observer: Arc<dyn Observer> = if args.json {
        Arc::new(Lines)
    } else {
        Arc::new(Story(Progress::new()))
    };
    let setup = Setup::work(Need::Hooks, observer);
    let manifest = manifest::required(&cli.project, cli.env.as_deref())?;
    let Some(mut plan) = runtime::plan(cli, &args.source)? else {
        return Ok(Ended::Found);
    };
    let mut ready = runtime::join(&manifest, plan.clone(), setup.clone()).await?;
    // What ends first: the work, which only an error or another plan ends, or a signal.
    let stopped = async {
        if let Err(failure) = signals::until_stopped().await {
            eprintln!("{failure}");
        }
    };
    let mut stopped = std::pin::pin!(stopped);
    eprintln!("running; stop with Ctrl-C");
    loop {
        let ran = ready.runtime.run(stopped.as_mut()).await;
        let file = match ran {
            Ok(dwmap_sync::Ended::Replaced(file)) => file,
            ended => {
                if let Err(error) = &ended {
                    ready.ended(error);
                }
                ready.finish().await;
                ended.map_err(runtime::failure)?;
                break;
            }
        };
        // Its listeners for hooks go first: the next ones take their ports.
        let state = ready.finish().await;
        let join = |plan| runtime::join_state(&manifest, plan, setup.clone(), Arc::clone(&state));
        let next = async {
            let next = runtime::read_plan(&file)?;
            Ok((join(next.clone()).await?, next))
        };
        ready = match next.await {
            Ok((ready, next)) => {
                plan = next;
                eprintln!("goes on with the plan that was deployed");
                ready
            }
            Err(failure) => {
                let failure: Failure = failure;
                eprintln!("{failure}; goes on with the plan that it had");
                join(plan.clone()).await?
            }
        };
    }
    eprintln!("stopped; all that was seen is kept, and the next run goes on from here");
    Ok(Ended::Done)
}

/// A line for people for whatever happens to a record.
struct Story(Progress);

impl Observer for Story {
    fn event(&self, event: &Event) {
        self.0.event(event);
        match event {
            Event::Activity {
                map,
                record,
                kind,
                side,
                detail,
                ..
            } => println!("{}", told(map, record, *kind, *side, detail)),
            Event::Error { map, report } => println!(
                "{map} {}: {} ({}). {}",
                report.record, report.message, report.code, report.next
            ),
            Event::Load { .. }
            | Event::Captured { .. }
            | Event::Mode { .. }
            | Event::Trouble { .. } => {}
        }
    }
}

/// `customers usmf US-001: updated right (CreditLimit)`.
pub(crate) fn told(
    map: &str,
    record: &str,
    kind: dwmap_sync::state::ActivityKind,
    side: Option<Side>,
    detail: &str,
) -> String {
    let word = serde_json::to_value(kind)
        .ok()
        .and_then(|v| Some(v.as_str()?.replace('_', " ")))
        .unwrap_or_default();
    let side = match side {
        Some(Side::Left) => " left",
        Some(Side::Right) => " right",
        None => "",
    };
    let detail = if detail.is_empty() {
        String::new()
    } else {
        format!(" ({detail})")
    };
    format!("{map} {record}: {word}{side}{detail}")
}

/// Each event as a line of JSON.
struct Lines;

impl Observer for Lines {
    fn event(&self, event: &Event) {
        let side = |side: &Option<Side>| side.map(|s| format!("{s:?}").to_lowercase());
        let line = match event {
            Event::Load { map, phase, counts } => json!({
                "event": "load", "map": map, "phase": format!("{phase:?}").to_lowercase(),
                "read": counts.read, "met": counts.met, "created": counts.created, "refused": counts.refused,
            }),
            Event::Captured {
                system,
                set,
                changes,
            } => {
                json!({ "event": "captured", "system": system, "set": set, "changes": changes })
            }
            Event::Activity {
                map,
                record,
                kind,
                side: on,
                detail,
                at,
            } => json!({
                "event": "activity", "map": map, "record": record, "kind": kind, "side": side(on),
                "detail": detail, "at": at,
            }),
            Event::Error { map, report } => {
                json!({ "event": "error", "map": map, "error": report })
            }
            Event::Mode { map, mode, reason } => {
                json!({ "event": "mode", "map": map, "mode": mode, "reason": reason })
            }
            Event::Trouble {
                system, message, ..
            } => json!({ "event": "trouble", "system": system, "message": message }),
        };
        if output::json_line(&line).is_err() {
            tracing::warn!("an event can't be written as JSON");
        }
    }
}
