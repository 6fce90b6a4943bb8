//! `dwmap explain`: a code's page, or what a map means.

use crate::args::{self, Cli};
use crate::commands::build::{self, Say};
use crate::exit::{Ended, Failure, Outcome};
use crate::project;

pub(crate) fn run(cli: &Cli, args: &args::Explain) -> Outcome {
    let code = args.what.to_uppercase();
    if let Some(page) = dwmap_compiler::diagnostics::explain(&code) {
        println!("{}", page.page.trim_end());
        return Ok(Ended::Done);
    }
    if let Some(refusal) = dwmap_steps::code(&code) {
        println!(
            "# {}: {}\n\n{}\n\n{}",
            refusal.code, refusal.title, refusal.meaning, refusal.next_step
        );
        return Ok(Ended::Done);
    }
    if let Some(known) = dwmap_sync::codes::code(&code) {
        println!(
            "# {}: {}\n\n{}\n\n{}",
            known.code, known.title, known.meaning, known.next_step
        );
        return Ok(Ended::Done);
    }
    let sources = project::read(&cli.project, cli.env.as_deref(), &[]).map_err(|failure| {
        if looks_like_a_code(&code) {
            unknown_code(&code)
        } else {
            failure
        }
    })?;
    let Some(mut plan) = build::compile(&sources.project, Say::Mistakes)? else {
        return Ok(Ended::Found);
    };
    let Some(text) = dwmap_compiler::explain_map(&plan, &args.what) else {
        if looks_like_a_code(&code) {
            return Err(unknown_code(&code));
        }
        let maps: Vec<&str> = plan.maps.iter().map(|m| m.name.as_str()).collect();
        return Err(Failure::Configuration(format!(
            "there is no map {}; this project has {}",
            args.what,
            maps.join(", ")
        )));
    };
    if args.plan {
        plan.maps.retain(|m| m.name == args.what);
        let text = dwmap_plan::text::print(&plan).map_err(|e| Failure::Internal(e.to_string()))?;
        println!("{text}");
    } else {
        print!("{text}");
    }
    Ok(Ended::Done)
}

/// A letter and four digits.
fn looks_like_a_code(text: &str) -> bool {
    text.len() == 5
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text[1..].bytes().all(|b| b.is_ascii_digit())
}

fn unknown_code(code: &str) -> Failure {
    Failure::Configuration(format!(
        "there is no code {code}; codes stand in brackets behind each message, such as N0105 or R0102"
    ))
}
