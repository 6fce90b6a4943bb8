//! Shows what a run does while it does it, and keeps count.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dwmap_plan::Side;
use dwmap_sync::state::{ActivityKind, LoadPhase, MapMode};
use dwmap_sync::{Event, LoadCounts, Observer};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// How often progress is written where there is no terminal.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// What was done to one map's records.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Done {
    /// Rows that a load read, at the left and at the right.
    pub(crate) read: [u64; 2],
    /// Records created at the left and at the right.
    pub(crate) created: [u64; 2],
    /// Records whose fields were written.
    pub(crate) updated: u64,
    /// Records that met and agreed, or were brought to agree.
    pub(crate) met: u64,
    /// Records of companies that don't take part.
    pub(crate) out_of_scope: u64,
    /// Records that were refused.
    pub(crate) refused: u64,
    /// Records that wait for another.
    pub(crate) parked: u64,
}

/// Tells people, on standard error, and counts.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    state: Mutex<State>,
}

struct State {
    done: BTreeMap<String, Done>,
    loads: BTreeMap<String, LoadCounts>,
    started: Instant,
    logged: Instant,
}

impl Progress {
    /// A bar on a terminal; a line now and then in a log.
    pub(crate) fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self {
            bar,
            state: Mutex::new(State::new()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Counts are all that a panic elsewhere could leave half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was done, by map.
    pub(crate) fn done(&self) -> BTreeMap<String, Done> {
        self.state().done.clone()
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn tell(&self, text: String, at_once: bool) {
        if let Some(bar) = &self.bar {
            bar.set_message(text);
            bar.tick();
        } else {
            let mut state = self.state();
            if at_once || state.logged.elapsed() >= LOG_EVERY {
                state.logged = Instant::now();
                eprintln!("{text}");
            }
        }
    }
}

impl State {
    fn new() -> Self {
        Self {
            done: BTreeMap::new(),
            loads: BTreeMap::new(),
            started: Instant::now(),
            logged: Instant::now(),
        }
    }

    fn map(&mut self, name: &str) -> &mut Done {
        self.done.entry(name.to_owned()).or_default()
    }

    fn count(&mut self, event: &Event) {
        match event {
            Event::Load { map, counts, .. } => {
                // Counts are of the whole load so far: what is new since the last time is added.
                let before = self.loads.insert(map.clone(), *counts).unwrap_or_default();
                let done = self.map(map);
                done.read = counts.read;
                done.met = counts.met;
                done.out_of_scope = counts.out_of_scope;
                done.updated += counts.updated - before.updated;
                done.refused += counts.refused - before.refused;
                done.parked += counts.parked - before.parked;
                for side in 0..2 {
                    done.created[side] += counts.created[side] - before.created[side];
                }
            }
            Event::Activity {
                map, kind, side, ..
            } => {
                let done = self.map(map);
                let at = side.map_or(0, Side::index);
                match kind {
                    ActivityKind::Created => done.created[at] += 1,
                    ActivityKind::Updated => done.updated += 1,
                    ActivityKind::Refused => done.refused += 1,
                    ActivityKind::Parked => done.parked += 1,
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn rows(&self) -> u64 {
        self.loads.values().map(|c| c.read[0] + c.read[1]).sum()
    }
}

impl Observer for Progress {
    fn event(&self, event: &Event) {
        let (rows, elapsed) = {
            let mut state = self.state();
            state.count(event);
            (state.rows(), state.started.elapsed())
        };
        match event {
            Event::Load { map, phase, counts } => {
                let rate = rows as f64 / elapsed.as_secs_f64().max(0.001);
                let doing = match phase {
                    LoadPhase::Gather => "reading",
                    LoadPhase::Join => "joining",
                    LoadPhase::Rest => "creating the rest of",
                    LoadPhase::Done => "loaded",
                };
                let text = format!(
                    "{doing} {map}: {} rows read, {} met, {} created, {} refused  ({rate:.0} rows/s)",
                    counts.read[0] + counts.read[1],
                    counts.met,
                    counts.created[0] + counts.created[1],
                    counts.refused
                );
                self.tell(text, false);
            }
            Event::Trouble {
                system, message, ..
            } => self.tell(format!("{system}: {message}; trying again"), true),
            Event::Mode { map, mode, reason } => self.tell(stands(map, *mode, reason), true),
            Event::Captured { .. } | Event::Activity { .. } | Event::Error { .. } => {}
        }
    }
}

/// How a map stands from now on.
fn stands(map: &str, mode: MapMode, reason: &str) -> String {
    let works = matches!(mode, MapMode::Running | MapMode::Loading);
    match (works, reason) {
        (true, "") => format!("{map} is worked on as a whole again"),
        (true, why) => format!("{map} is worked on in part: {why}"),
        (false, why) => format!("{map} is {}: {why}", format!("{mode:?}").to_lowercase()),
    }
}
