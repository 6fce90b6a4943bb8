//! The commands, one a file.

#[cfg(feature = "compiler")]
mod build;
#[cfg(feature = "compiler")]
mod check;
#[cfg(feature = "compiler")]
mod explain;
#[cfg(feature = "compiler")]
mod fmt;
#[cfg(feature = "compiler")]
mod new;
#[cfg(feature = "compiler")]
mod sandbox;

use crate::args::{Cli, Command};
use crate::exit::{Failure, Outcome};

/// Runs the command that was asked for.
pub(crate) fn run(cli: &Cli) -> Outcome {
    match &cli.command {
        #[cfg(feature = "compiler")]
        Command::New(args) => new::run(&cli.project, args),
        #[cfg(feature = "compiler")]
        Command::Check(args) => check::run(cli, args),
        #[cfg(feature = "compiler")]
        Command::Build(args) => build::run(cli, args),
        #[cfg(feature = "compiler")]
        Command::Fmt(args) => fmt::run(&cli.project, args),
        #[cfg(feature = "compiler")]
        Command::Explain(args) => explain::run(cli, args),
        #[cfg(feature = "compiler")]
        Command::Sandbox(args) => wait(sandbox::run(args)),
        _ => Err(Failure::Internal("not there yet".to_owned())),
    }
}

/// Runs a command that talks to systems.
fn wait(command: impl Future<Output = Outcome>) -> Outcome {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::Configuration(format!("no threads can be started: {e}")))?
        .block_on(command)
}
