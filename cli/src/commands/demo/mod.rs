//! `dwmap demo`: the whole thing in a minute.

mod http;
mod scenes;
mod stage;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use dwmap_plan::Plan;
use dwmap_sync::state::ErrorReport;
use dwmap_sync::{Event, Observer, Verified};
use serde::Serialize;
use tokio::sync::Notify;

use crate::args;
use crate::commands::{build, plan as dry_run, sync, verify};
use crate::exit::{Ended, Failure, Outcome};
use crate::output;
use crate::progress::{Done, Progress};
use crate::runtime::{self, Ready, Setup};
use crate::systems::Need;
use crate::{project, signals};
use scenes::Scene;
use stage::Stage;

/// The version of the JSON's shape.
const VERSION: u32 = 1;

/// What `--json` prints.
#[derive(Serialize)]
struct Figures {
    version: u32,
    customers: usize,
    maps: usize,
    lines: usize,
    build_ms: u128,
    load_ms: u128,
    rows_loaded: u64,
    rows_per_second: f64,
    load: std::collections::BTreeMap<String, Done>,
    scenes: Vec<Scene>,
    differences: u64,
    verified: Vec<Verified>,
}

/// Tells the story: to standard output, or beside the JSON to standard error.
#[derive(Clone, Copy)]
pub(crate) struct Teller {
    aside: bool,
}

impl Teller {
    pub(crate) fn say(self, text: &str) {
        if self.aside {
            eprintln!("{text}");
        } else {
            println!("{text}");
        }
    }
}

pub(crate) async fn run(args: &args::Demo) -> Outcome {
    let teller = Teller { aside: args.json };
    teller.say("Two systems that hold the same customers, on this machine:");
    let stage = Stage::set(args.customers).await?;
    teller.say(&format!(
        "  ERP  Finance & Operations  http://{}/data/\n  CRM  Dataverse             http://{}/api/data/v9.2/\n  \
         {} customers, split over and overlapping between both, in the companies usmf and demf",
        stage.sandbox.finops(),
        stage.sandbox.dataverse(),
        args.customers
    ));
    let (plan, build_time) = compile(teller, &stage)?;
    let (maps, lines) = (
        plan.maps.len(),
        plan.maps.iter().map(|m| m.lines.len()).sum(),
    );

    let watcher = Arc::new(Watcher::new());
    let observer = Arc::clone(&watcher) as Arc<dyn Observer>;
    let setup = Setup::work(Need::Hooks, observer);
    let ready = runtime::join(&stage.manifest, plan, setup).await?;
    let load_time = load(teller, &ready, &watcher).await?;
    let loaded = watcher.progress.done();
    let (scenes, verified) = live(teller, args, &stage, &ready, &watcher).await?;

    let differences = verify::differences(&verified);
    let rows: u64 = loaded.values().map(|d| d.read[0] + d.read[1]).sum();
    if args.json {
        output::json(&Figures {
            version: VERSION,
            customers: args.customers,
            maps,
            lines,
            build_ms: build_time.as_millis(),
            load_ms: load_time.as_millis(),
            rows_loaded: rows,
            rows_per_second: rows as f64 / load_time.as_secs_f64(),
            load: loaded,
            scenes,
            differences,
            verified,
        })?;
    }
    stage.sandbox.stop().await;
    Ok(if differences == 0 {
        Ended::Done
    } else {
        Ended::Found
    })
}

fn compile(teller: Teller, stage: &Stage) -> Result<(Plan, Duration), Failure> {
    let started = Instant::now();
    let sources = project::read(stage.folder.path(), None, &[])?;
    let Some(plan) = build::compile(&sources.project, build::Say::Mistakes)? else {
        return Err(Failure::Internal("the stock maps don't check".to_owned()));
    };
    let took = started.elapsed();
    let lines: usize = plan.maps.iter().map(|m| m.lines.len()).sum();
    teller.say(&format!(
        "\nThe stock maps, checked against both schemas and compiled in {}: {} maps, {lines} lines.",
        output::duration(took),
        plan.maps.len()
    ));
    Ok((plan, took))
}

async fn load(teller: Teller, ready: &Ready, watcher: &Watcher) -> Result<Duration, Failure> {
    teller.say("\nWhat a load would do (`dwmap plan`; nothing is written):\n");
    let planned = ready.runtime.plan().await.map_err(runtime::failure)?;
    teller.say(&indented(&dry_run::table(&planned)));

    teller.say("\nLoading (`dwmap sync --once`):\n");
    let started = Instant::now();
    let synced = ready.runtime.sync_once().await;
    watcher.progress.finish();
    synced.map_err(runtime::failure)?;
    let took = started.elapsed();
    let done = watcher.progress.done();
    teller.say(&indented(&sync::table(&done)));
    let rows: u64 = done.values().map(|d| d.read[0] + d.read[1]).sum();
    teller.say(&format!(
        "\n  {rows} rows of both systems joined in {}",
        output::duration(took)
    ));
    Ok(took)
}

/// Keeps both in step while things happen on both sides, then compares them.
async fn live(
    teller: Teller,
    args: &args::Demo,
    stage: &Stage,
    ready: &Ready,
    watcher: &Watcher,
) -> Result<(Vec<Scene>, Vec<Verified>), Failure> {
    let stop = Notify::new();
    let play = async {
        teller.say("\nLive (`dwmap run`). Somebody changes records, by plain HTTP:\n");
        let scenes = scenes::play(teller, &stage.systems, watcher).await;
        if !args.once && scenes.is_ok() {
            invite(teller, stage);
            signals::until_stopped().await?;
        }
        stop.notify_one();
        scenes
    };
    let work = async {
        ready
            .runtime
            .run(stop.notified())
            .await
            .map_err(runtime::failure)
    };
    let (scenes, worked) = tokio::join!(play, work);
    worked?;
    let scenes = scenes?;

    // What came in while it was stopping is still brought over, so that the comparison is of two systems at rest.
    ready.runtime.sync_once().await.map_err(runtime::failure)?;
    teller.say("\nDo both agree, record by record (`dwmap verify`)?\n");
    let verified = ready.runtime.verify(None).await.map_err(runtime::failure)?;
    teller.say(&indented(&verify::table(&verified)));
    let differences = verify::differences(&verified);
    let refused: u64 = verified.iter().map(|v| v.in_error_queue).sum();
    teller.say(&format!(
        "\n  {}{}",
        match differences {
            0 => "No difference.".to_owned(),
            n => output::count(n, "difference"),
        },
        match refused {
            0 => String::new(),
            n => format!(
                " {} in the error queue, with cause and next step (`dwmap errors list`).",
                output::count(n, "record")
            ),
        }
    ));
    teller.say(
        "\nNext: `dwmap new contoso` makes a project of your own, `dwmap explain customers` shows what a map means,\n\
         `dwmap sandbox` starts both systems to try things on, `dwmap --help` lists the rest.",
    );
    Ok((scenes, verified))
}

/// What a person can do while both are kept in step.
fn invite(teller: Teller, stage: &Stage) {
    teller.say(&format!(
        "\nBoth are kept in step until you press Ctrl-C. Change something yourself, and look at the other side:\n\n  \
         curl -X PATCH -H 'content-type: application/json' -d '{{\"CreditLimit\": 12345}}' \\\n    \
         \"http://{erp}/data/CustomersV3(dataAreaId='usmf',CustomerAccount='DEMO-1')?cross-company=true\"\n  \
         curl \"http://{crm}/api/data/v9.2/accounts?\\$select=name,creditlimit&\\$filter=accountnumber%20eq%20'DEMO-1'\"",
        erp = stage.sandbox.finops(),
        crm = stage.sandbox.dataverse()
    ));
}

fn indented(text: &str) -> String {
    text.lines()
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Watches what the runtime does, for the scenes to tell.
pub(crate) struct Watcher {
    pub(crate) progress: Progress,
    errors: Mutex<Vec<ErrorReport>>,
}

impl Watcher {
    fn new() -> Self {
        Self {
            progress: Progress::new(),
            errors: Mutex::default(),
        }
    }

    /// The refusal of a record, if there was one.
    pub(crate) fn refusal(&self, record: &str) -> Option<ErrorReport> {
        let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        errors.iter().rfind(|e| e.record.contains(record)).cloned()
    }
}

impl Observer for Watcher {
    fn event(&self, event: &Event) {
        self.progress.event(event);
        if let Event::Error { report, .. } = event {
            let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
            errors.push((**report).clone());
        }
    }
}
