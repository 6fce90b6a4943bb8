//! The dwmap command: parses arguments, joins the crates, prints.
//!
//! Standard output is data; all else goes to standard error.

mod alerts;
mod args;
mod commands;
mod exit;
mod manifest;
mod output;
mod progress;
#[cfg(feature = "compiler")]
mod project;
mod registration;
mod runtime;
mod signals;
mod systems;
#[cfg(feature = "compiler")]
mod testing;
mod unasked;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|info| {
        let told = info.to_string();
        // `println!` knows no gentler way to say that nobody takes what it prints.
        if told.contains("Broken pipe") {
            // Whoever reads our output (`head`, a pager) has seen enough.
            std::process::exit(0);
        }
        if let Some((_, why)) = told.split_once("failed printing to stdout: ") {
            let why = format!("standard output can't be written to: {why}");
            eprintln!("{}", exit::Failure::Configuration(why));
            std::process::exit(2);
        }
        eprintln!("{}", exit::Failure::Internal(told));
    }));
    let cli = args::Cli::parse();
    output::start_logging(cli.verbose);
    // A panic has been told by the hook; what it interrupted is safe, since state only ever commits whole.
    let outcome = std::panic::catch_unwind(|| commands::run(&cli));
    match outcome {
        Ok(outcome) => {
            if let Err(failure) = &outcome {
                eprintln!("{failure}");
            }
            exit::code(&outcome)
        }
        Err(_) => ExitCode::from(4),
    }
}
