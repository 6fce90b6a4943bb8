//! `dwmap run`: keeps both systems the same until it is stopped.

use std::sync::Arc;

use dwmap_plan::Side;
use dwmap_sync::{Event, Observer};
use serde_json::json;

use crate::args::{self, Cli};
use crate::exit::{Ended, Outcome};
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
    let Some(ready) = runtime::open(cli, &args.source, setup).await? else {
        return Ok(Ended::Found);
    };
    // What ends first: the work, which only an error ends, or a signal.
    let stopped = async {
        if let Err(failure) = signals::until_stopped().await {
            eprintln!("{failure}");
        }
    };
    eprintln!("running; stop with Ctrl-C");
    let ended = ready.runtime.run(stopped).await;
    ready.finish().await;
    ended.map_err(runtime::failure)?;
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
