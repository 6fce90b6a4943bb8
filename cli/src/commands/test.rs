//! `dwmap test`: runs the `test` blocks.

use std::sync::Arc;

use serde::Serialize;

use crate::args::{self, Cli};
use crate::commands::build::{self, Say};
use crate::exit::{Ended, Outcome};
use crate::output::{self, count};
use crate::project;
use crate::testing::{self, TestResult};

/// The version of the JSON's shape.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Report {
    version: u32,
    passed: usize,
    failed: usize,
    tests: Vec<Ran>,
}

#[derive(Serialize)]
struct Ran {
    map: String,
    test: String,
    file: String,
    line: u32,
    passed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

pub(crate) async fn run(cli: &Cli, args: &args::Test) -> Outcome {
    let sources = project::read(&cli.project, cli.env.as_deref(), &args.paths)?;
    let Some(plan) = build::compile(&sources.project, Say::All)? else {
        return Ok(Ended::Found);
    };
    let plan = Arc::new(plan);
    let wanted = |text: &str| {
        args.filter
            .as_ref()
            .is_none_or(|f| text.contains(f.as_str()))
    };
    let mut results = Vec::new();
    for test in dwmap_compiler::check(&sources.project).model.tests {
        if wanted(&test.map) || wanted(&test.what) {
            results.push(testing::run(&plan, &test).await);
        }
    }
    let failed = results.iter().filter(|r| r.failed.is_some()).count();
    if args.json {
        output::json(&report(&results, failed))?;
    } else if results.is_empty() {
        eprintln!("{}", none(args.filter.as_deref()));
    } else {
        print(&results, failed);
    }
    Ok(if failed == 0 {
        Ended::Done
    } else {
        Ended::Found
    })
}

fn none(filter: Option<&str>) -> String {
    match filter {
        Some(text) => format!("no test whose map or title contains `{text}`"),
        None => "no tests; write a `test MAP \"TITLE\" { … }` block beside a map".to_owned(),
    }
}

fn report(results: &[TestResult], failed: usize) -> Report {
    Report {
        version: VERSION,
        passed: results.len() - failed,
        failed,
        tests: results
            .iter()
            .map(|r| Ran {
                map: r.map.clone(),
                test: r.what.clone(),
                file: r.place.file.clone(),
                line: r.place.line,
                passed: r.failed.is_none(),
                problem: r.failed.as_ref().map(ToString::to_string),
            })
            .collect(),
    }
}

fn print(results: &[TestResult], failed: usize) {
    for result in results {
        match &result.failed {
            None => println!("ok    {}: {}", result.map, result.what),
            Some(failed) => println!("FAIL  {}: {}\n  {failed}", result.map, result.what),
        }
    }
    let passed = (results.len() - failed) as u64;
    println!("\n{} passed, {failed} failed", count(passed, "test"));
}
