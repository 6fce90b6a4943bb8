//! The dwmap command: parses arguments, joins the crates, prints.
//!
//! Standard output is data; all else goes to standard error.

mod args;
mod commands;
mod exit;
mod manifest;
mod output;
mod progress;
#[cfg(feature = "compiler")]
mod project;
mod runtime;
mod signals;
mod systems;
#[cfg(feature = "compiler")]
mod testing;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|info| {
        let told = info.to_string();
        if told.contains("Broken pipe") {
            // Whoever reads our output (`head`, a pager) has seen enough; `println!` knows no gentler way.
            std::process::exit(0);
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
