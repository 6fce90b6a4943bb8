//! The commands, one a file.

#[cfg(feature = "compiler")]
mod build;
#[cfg(feature = "compiler")]
mod check;
#[cfg(feature = "compiler")]
mod demo;
mod deploy;
mod doctor;
mod errors;
#[cfg(feature = "compiler")]
mod explain;
#[cfg(feature = "compiler")]
mod fmt;
mod log;
#[cfg(feature = "compiler")]
mod new;
mod plan;
mod run;
#[cfg(feature = "compiler")]
mod sandbox;
mod state;
mod status;
mod steer;
mod sync;
#[cfg(feature = "compiler")]
mod test;
mod verify;
mod why;

#[cfg(feature = "compiler")]
pub(crate) use build::{Say, compile};

use dwmap_sync::Request;

use crate::args::{Cli, Command};
use crate::exit::{Failure, Outcome};

/// Runs the command that was asked for.
pub(crate) fn run(cli: &Cli) -> Outcome {
    match &cli.command {
        #[cfg(feature = "compiler")]
        Command::Demo(args) => wait(demo::run(args)),
        #[cfg(feature = "compiler")]
        Command::New(args) => new::run(&cli.project, args),
        #[cfg(feature = "compiler")]
        Command::Check(args) => check::run(cli, args),
        #[cfg(feature = "compiler")]
        Command::Build(args) => build::run(cli, args),
        #[cfg(feature = "compiler")]
        Command::Fmt(args) => fmt::run(&cli.project, args),
        #[cfg(feature = "compiler")]
        Command::Test(args) => wait(test::run(cli, args)),
        #[cfg(feature = "compiler")]
        Command::Explain(args) => explain::run(cli, args),
        #[cfg(feature = "compiler")]
        Command::Sandbox(args) => wait(sandbox::run(args)),
        Command::Plan(args) => wait(plan::run(cli, args)),
        Command::Sync(args) => wait(sync::run(cli, args)),
        Command::Run(args) => wait(run::run(cli, args)),
        Command::Verify(args) => wait(verify::run(cli, args)),
        Command::Doctor(args) => wait(doctor::run(cli, args)),
        Command::Status(args) => wait(status::run(cli, args)),
        Command::Errors(args) => wait(errors::run(cli, args)),
        Command::Log(args) => wait(log::run(cli, args)),
        Command::Why(args) => wait(why::run(cli, args)),
        Command::Approve(args) => wait(steer::maps(cli, args, |maps| Request::Approve { maps })),
        Command::Discard(args) => wait(steer::maps(cli, args, |maps| Request::Discard { maps })),
        Command::Pause(args) => wait(steer::maps(cli, args, |maps| Request::Pause { maps })),
        Command::Resume(args) => wait(steer::maps(cli, args, |maps| Request::Resume { maps })),
        Command::Reload(args) => wait(steer::maps(cli, args, |maps| Request::Reload { maps })),
        Command::Readonly(args) => wait(steer::readonly(cli, args)),
        Command::Hold(args) => wait(steer::hold(cli, args)),
        Command::Release(args) => wait(steer::record(cli, args, |record| Request::Release {
            record,
        })),
        Command::Link(args) => wait(steer::link(cli, args)),
        Command::Unlink(args) => wait(steer::record(cli, args, |record| Request::Unlink {
            record,
        })),
        Command::Backfill(args) => wait(steer::backfill(cli, args)),
        Command::State(args) => state::run(cli, args),
        Command::Deploy(args) => wait(deploy::run(cli, args)),
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
