//! `dwmap doctor`: each system tried, and the schemas held against what lives there.

mod look;
#[cfg(feature = "compiler")]
mod patch;
#[cfg(feature = "compiler")]
mod propose;

use std::fmt::Write as _;

use dwmap_plan::Plan;
use dwmap_sync::drift::{self, Addition, Finding, Stops};
use futures_util::future;
use serde::Serialize;

use self::look::{Remark, System, look};
use crate::args::{self, Cli};
use crate::exit::{Ended, Failure, Outcome};
use crate::systems::{self, Need};
use crate::{manifest, output, runtime};

/// The version of the JSON's shape.
const VERSION: u32 = 1;
/// Names of an entity's fields beyond the schema that are listed for people.
const LISTED_MAX: usize = 8;

#[derive(Serialize)]
struct Report {
    version: u32,
    systems: Vec<System>,
    remarks: Vec<Remark>,
    drift: Vec<Finding>,
    additions: Vec<Beyond>,
}

/// Something in a system that its schema doesn't declare.
#[derive(Serialize)]
struct Beyond {
    /// The system's place in the plan.
    #[serde(skip)]
    #[cfg_attr(
        not(feature = "compiler"),
        allow(dead_code, reason = "it is for patches")
    )]
    at: usize,
    system: String,
    #[serde(flatten)]
    addition: Addition,
}

pub(crate) async fn run(cli: &Cli, args: &args::Doctor) -> Outcome {
    let manifest = manifest::required(&cli.project, cli.env.as_deref())?;
    let Some(plan) = runtime::plan(cli, &args.source)? else {
        return Ok(Ended::Found);
    };
    let systems = systems::connect(&manifest, &plan, Need::Answers).await?;
    let asked = systems.connectors.iter().enumerate();
    let looks = asked.map(|(index, connector)| look(&plan, index, connector.as_ref()));
    let (systems, remarks): (Vec<System>, Vec<Vec<Remark>>) =
        future::join_all(looks).await.into_iter().unzip();
    let names: Vec<&str> = systems.iter().map(|s| s.name.as_str()).collect();
    let live: Vec<_> = systems.iter().map(|s| s.live.clone()).collect();
    let drift = drift::compare(&plan, &names, &live);
    let additions = additions(cli, args, &plan, &systems)?;
    let report = Report {
        version: VERSION,
        remarks: remarks.into_iter().flatten().collect(),
        systems,
        drift,
        additions,
    };
    let hurts = report.drift.iter().any(stops) || report.remarks.iter().any(|r| r.hurts);
    if args.propose {
        propose(cli, &plan, &report)?;
    } else if args.json {
        output::json(&report)?;
    } else {
        print!("{}", text(&report));
    }
    Ok(if hurts { Ended::Found } else { Ended::Done })
}

/// What lives in the systems beyond their schemas, which stand in the project whole; a plan holds only a part of them.
#[cfg(feature = "compiler")]
fn additions(
    cli: &Cli,
    args: &args::Doctor,
    plan: &Plan,
    systems: &[System],
) -> Result<Vec<Beyond>, Failure> {
    if args.source.plan.is_some() {
        return Ok(Vec::new());
    }
    let whole = propose::Whole::read(cli, plan)?;
    let mut found = Vec::new();
    for (at, (schema, system)) in whole.schemas.iter().zip(systems).enumerate() {
        let Some(schema) = schema else { continue };
        // Of entities that are only looked up, nobody maps more fields.
        let own = system.entities.iter();
        let live = own.filter_map(|entity| system.live.get(&entity.set)?.clone());
        let additions = drift::additions(schema, &live.collect::<Vec<_>>());
        found.extend(additions.into_iter().map(|addition| Beyond {
            at,
            system: system.name.clone(),
            addition,
        }));
    }
    Ok(found)
}

#[cfg(not(feature = "compiler"))]
fn additions(_: &Cli, _: &args::Doctor, _: &Plan, _: &[System]) -> Result<Vec<Beyond>, Failure> {
    Ok(Vec::new())
}

/// Writes what is beyond the schemas as a patch on standard output; what hurts goes to standard error.
#[cfg(feature = "compiler")]
fn propose(cli: &Cli, plan: &Plan, report: &Report) -> Result<(), Failure> {
    eprint!("{}", text(report));
    let whole = propose::Whole::read(cli, plan)?;
    let proposal = propose::propose(plan, &whole, &report.additions);
    for note in proposal.notes {
        eprintln!("{note}");
    }
    print!("{}", proposal.patch);
    Ok(())
}

#[cfg(not(feature = "compiler"))]
fn propose(_: &Cli, _: &Plan, _: &Report) -> Result<(), Failure> {
    Err(Failure::Configuration(
        "this is the runner without a compiler, which has no sources to propose changes of"
            .to_owned(),
    ))
}

/// The report for people.
fn text(report: &Report) -> String {
    let mut text = String::new();
    for system in &report.systems {
        let what = if system.answers {
            let entities = output::count_as(system.entities.len() as u64, "entity", "entities");
            format!("answers; {entities} looked at")
        } else {
            "doesn't answer".to_owned()
        };
        let _ = writeln!(text, "{}: {what}", system.name);
    }
    let hurting: Vec<&Remark> = report.remarks.iter().filter(|r| r.hurts).collect();
    if !hurting.is_empty() || report.drift.iter().any(stops) {
        text.push_str("\nWhat hurts:\n");
    }
    for remark in hurting {
        about(&mut text, remark);
    }
    for finding in report.drift.iter().filter(|f| stops(f)) {
        drifted(&mut text, finding);
    }
    let notes: Vec<&Remark> = report.remarks.iter().filter(|r| !r.hurts).collect();
    let guessed: Vec<&Finding> = report.drift.iter().filter(|f| !stops(f)).collect();
    if !notes.is_empty() || !guessed.is_empty() {
        text.push_str("\nGood to know:\n");
    }
    for remark in notes {
        about(&mut text, remark);
    }
    for finding in guessed {
        drifted(&mut text, finding);
    }
    beyond(&mut text, &report.additions);
    text
}

/// Whether a line or a map stands still for it.
fn stops(finding: &Finding) -> bool {
    finding.stops != Stops::Nothing
}

fn drifted(text: &mut String, finding: &Finding) {
    let what = finding.line.as_ref().unwrap_or(&finding.map);
    let _ = writeln!(
        text,
        "  {}: {what}: {} ({})\n    {}",
        finding.place, finding.message, finding.code, finding.next
    );
}

fn about(text: &mut String, remark: &Remark) {
    let _ = writeln!(text, "  {}: {}", remark.system, remark.message);
    if !remark.next.is_empty() {
        let _ = writeln!(text, "    {}", remark.next);
    }
}

/// What the systems have that their schemas don't say, by entity.
fn beyond(text: &mut String, additions: &[Beyond]) {
    if additions.is_empty() {
        return;
    }
    text.push_str("\nBeyond the schemas (`dwmap doctor --propose` writes it as a patch):\n");
    for of_set in additions.chunk_by(|a, b| a.addition.set == b.addition.set) {
        let named = of_set.iter().take(LISTED_MAX).map(|one| {
            let Addition {
                field,
                options,
                declared,
                ..
            } = &one.addition;
            match (options.as_slice(), declared) {
                ([], Some(declared)) => format!("{field} {declared}"),
                ([], None) => field.clone(),
                (some, _) => format!("{field} with {}", some.join(", ")),
            }
        });
        let named: Vec<String> = named.collect();
        let more = match of_set.len().saturating_sub(LISTED_MAX) {
            0 => String::new(),
            n => format!(", and {n} more (--json lists them)"),
        };
        let first = &of_set[0];
        let _ = writeln!(
            text,
            "  {} of {}: {}{more}",
            first.addition.set,
            first.system,
            named.join(", ")
        );
    }
}
