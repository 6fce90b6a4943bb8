//! The words of the command line. Others script against them, so they hold still.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Keeps two business systems the same, both ways.
#[derive(Debug, Parser)]
#[command(name = "dwmap", version, about, max_term_width = 100, after_help = EXIT_CODES, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// The project's folder, or a folder within it.
    #[arg(
        long,
        short = 'C',
        global = true,
        default_value = ".",
        value_name = "DIR",
        hide_default_value = true
    )]
    pub(crate) project: PathBuf,
    /// The environment of the manifest to use (`[env.NAME]`).
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) env: Option<String>,
    /// Say more on standard error; twice for everything.
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What stands below every help text.
const EXIT_CODES: &str = "Exit codes: 0 done; 1 found something (diagnostics, differences, failed tests); \
2 wrong usage or configuration; 3 a system could not be reached; 4 an internal error.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[cfg(feature = "compiler")]
    /// Show the whole thing in a minute: two sandbox systems, stock maps, load, live sync both ways.
    Demo(Demo),
    #[cfg(feature = "compiler")]
    /// Make a new project.
    New(New),
    #[cfg(feature = "compiler")]
    /// Check maps and schemas.
    Check(Check),
    #[cfg(feature = "compiler")]
    /// Compile the project's maps to a plan.
    Build(Build),
    #[cfg(feature = "compiler")]
    /// Format source files.
    Fmt(Fmt),
    #[cfg(feature = "compiler")]
    /// Run the `test` blocks.
    Test(Test),
    #[cfg(feature = "compiler")]
    /// Explain an error code, or a map of the project.
    Explain(Explain),
    #[cfg(feature = "compiler")]
    /// Start the two emulated systems.
    Sandbox(Sandbox),
    /// Show what a load would do, writing nothing.
    Plan(DryRun),
    /// Bring both systems up to date and end; or one record, whatever the policies say.
    Sync(Sync),
    /// Keep both systems the same until stopped.
    Run(Run),
    /// Compare both systems, record by record.
    Verify(Verify),
    /// Try each system, and hold the schemas against what lives there.
    Doctor(Doctor),
    /// Show where each map stands.
    Status(Status),
    /// Show and handle the error queue.
    #[command(subcommand)]
    Errors(Errors),
    /// Tell where a record stands, and why it did or didn't go.
    Why(Why),
    /// What happened, newest first: of all maps, of one, or of one record.
    Log(Log),
    /// Let go what the brake holds: the deletes of a map that were too many, or that couldn't be confirmed.
    Approve(Steer),
    /// Give up what the brake holds: its deletes don't go across, a load isn't begun.
    Discard(Steer),
    /// Stop working on maps; their changes are kept.
    Pause(Steer),
    /// Go on with maps that were paused, or held by the brake.
    Resume(Steer),
    /// Check, back up, restore or compact the state: the file in which it is kept what was agreed.
    #[command(subcommand, after_long_help = STATE)]
    State(State),
    /// Load maps anew: every record meets its partner once more, and only what doesn't agree is written.
    Reload(Steer),
    /// Write to neither system, or write again; changes are seen and kept meanwhile.
    Readonly(Readonly),
    /// Do nothing about a record until it is released.
    Hold(Hold),
    /// Go on with a record that was held.
    Release(Record),
    /// Forget that two records are a pair; both stay.
    Unlink(Record),
    /// Pair two records by hand, where no key and no other field tells that they belong together.
    Link(Link),
    /// Look at linked records once more, though nothing told of them.
    Backfill(Backfill),
    /// Let the running process go on with the maps as they are now, without a stop.
    Deploy(Deploy),
}

/// What stands below `dwmap state --help`.
const STATE: &str = "\
The state says which records belong together, what both sides held when they last agreed, what is to be looked at, \
what went wrong, and what was done. It is the file that [state] url of dwmap.toml names; `-wal`, `-shm`, `.lock` and \
`.scratch` beside it belong to it.

Copy it with `dwmap state backup`, also while `dwmap run` works: cp would miss what is still in `-wal`.

It may be deleted while nothing runs. No record is lost by that: with the next run all records meet for the first \
time, and only what doesn't agree is written. What is forgotten:
  - who changed what: an edit that hadn't gone over yet is decided by the map's `initial`, not by its `conflict`
  - deletes that hadn't gone over yet: such a record comes back from the other side
  - the log, pauses, and what was approved or discarded
After `dwmap state restore` the log, pauses and approvals since the backup are forgotten, and all that changed since then \
is looked at again: where both sides differ from what the backup knows, the map's `conflict` decides.";

/// Where the plan comes from.
#[derive(Debug, Args)]
pub(crate) struct PlanSource {
    /// A compiled plan to run, instead of compiling the project's maps.
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// End by itself once everything has been shown; 0 only if `verify` found no difference.
    #[arg(long)]
    pub(crate) once: bool,
    /// How many customers to seed.
    #[arg(long, default_value_t = 2_000, value_name = "N")]
    pub(crate) customers: usize,
    /// Print the figures as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// The folder to make.
    pub(crate) folder: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Files or folders; the project's maps if none is named.
    pub(crate) paths: Vec<PathBuf>,
    /// How diagnostics are printed.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
    /// Apply the safe fixes.
    #[arg(long)]
    pub(crate) fix: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Human,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// Annotations for GitHub Actions.
    Github,
}

#[derive(Debug, Args)]
pub(crate) struct Build {
    /// Where the plan goes; `target/NAME.dwplan` if not said.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Fmt {
    /// Files or folders; all of the project's sources if none is named. `-` reads standard input and writes standard output.
    pub(crate) paths: Vec<PathBuf>,
    /// Change nothing; exit with 1 if something would change.
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Files or folders; the project's maps if none is named.
    pub(crate) paths: Vec<PathBuf>,
    /// Only tests whose map or title contains this.
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,
    /// Print the results as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// An error code (T0107) or a map (customers).
    pub(crate) what: String,
    /// Print the whole compiled plan in its text form.
    #[arg(long)]
    pub(crate) plan: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Sandbox {
    /// Dataverse's port; any free one if 0.
    #[arg(long, default_value_t = 0, value_name = "P")]
    pub(crate) dataverse_port: u16,
    /// The ERP's port; any free one if 0.
    #[arg(long, default_value_t = 0, value_name = "Q")]
    pub(crate) finops_port: u16,
    /// Where the data are kept.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// The seed of the data.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) seed: u64,
    /// How many customers to seed.
    #[arg(
        long,
        default_value_t = 200,
        value_name = "N",
        conflicts_with = "empty"
    )]
    pub(crate) customers: usize,
    /// Seed nothing.
    #[arg(long)]
    pub(crate) empty: bool,
    /// Want no token.
    #[arg(long)]
    pub(crate) open: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DryRun {
    #[command(flatten)]
    pub(crate) source: PlanSource,
    /// Only these maps.
    pub(crate) maps: Vec<String>,
    /// Print the result as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Sync {
    #[command(flatten)]
    pub(crate) source: PlanSource,
    /// Load where due, then everything pending both ways, then end.
    #[arg(long, required_unless_present = "record", conflicts_with = "record")]
    pub(crate) once: bool,
    /// The map, and the record's key as on the left side: `customers usmf US-001`.
    #[arg(value_name = "MAP KEY", num_args = 2..)]
    pub(crate) record: Vec<String>,
    /// The system whose values win, whatever the map's policies say; this decides a conflict, too.
    #[arg(long, value_name = "SYSTEM", requires = "record")]
    pub(crate) from: Option<String>,
    /// Print the result as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) source: PlanSource,
    /// Print each event as a line of JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) source: PlanSource,
    /// Only these maps.
    pub(crate) maps: Vec<String>,
    /// Print the result as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Mend what differs: `policy`, as the maps' policies say, or `prefer SYSTEM`, so that this system's values win. What
    /// stands in the error queue, or differs by a rule, is left.
    #[arg(long, value_names = ["policy|prefer", "SYSTEM"], num_args = 1..=2, conflicts_with = "json")]
    pub(crate) repair: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) source: PlanSource,
    /// Write what the systems have beyond the schemas as a patch of schemas and maps.
    #[arg(long, conflicts_with = "json")]
    pub(crate) propose: bool,
    /// Print the result as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) source: PlanSource,
    /// Print the result as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Errors {
    /// List what stands in the queue.
    List(ErrorsList),
    /// Show one error in full.
    Show(ErrorsOne),
    /// Try again with the next pass.
    Retry(ErrorsSome),
    /// Give up on an error, with a reason for the log.
    Discard(ErrorsDiscard),
}

/// Which errors are meant: those that all of this is true of.
#[derive(Debug, Args)]
pub(crate) struct ErrorsOf {
    /// Only those of this map.
    #[arg(long, value_name = "MAP")]
    pub(crate) map: Option<String>,
    /// Only those of this code.
    #[arg(long, value_name = "CODE")]
    pub(crate) code: Option<String>,
    /// Only those of records whose name contains this.
    #[arg(long, value_name = "TEXT")]
    pub(crate) record: Option<String>,
    /// Only those whose message contains this.
    #[arg(long, value_name = "TEXT")]
    pub(crate) message: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ErrorsList {
    #[command(flatten)]
    pub(crate) source: PlanSource,
    #[command(flatten)]
    pub(crate) of: ErrorsOf,
    /// Those of one cause as one line, the most frequent first.
    #[arg(long)]
    pub(crate) groups: bool,
    /// How many at most.
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    pub(crate) limit: usize,
    /// Print the result as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ErrorsOne {
    #[command(flatten)]
    pub(crate) source: PlanSource,
    /// The name from `errors list`.
    pub(crate) id: String,
    /// Print the result as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ErrorsSome {
    #[command(flatten)]
    pub(crate) source: PlanSource,
    /// Names from `errors list`.
    #[arg(required_unless_present_any = ["all", "map", "code", "record", "message"])]
    pub(crate) ids: Vec<String>,
    #[command(flatten)]
    pub(crate) of: ErrorsOf,
    /// All of them.
    #[arg(long, conflicts_with = "ids")]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ErrorsDiscard {
    #[command(flatten)]
    pub(crate) which: ErrorsSome,
    /// Why they need nothing more.
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) reason: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum State {
    /// Look whether it is whole: the file, and all that must hold between what stands in it. Goes beside `dwmap run`.
    Check(StateCheck),
    /// Copy it as it stands at this moment into one new file, and check the copy. Goes beside `dwmap run`.
    Backup(StateBackup),
    /// Put a backup in its place, and keep what was there. Nothing may run.
    Restore(StateRestore),
    /// Give back disk that it no longer uses. Nothing may run; it needs as much free disk again for a while.
    Compact,
}

#[derive(Debug, Args)]
pub(crate) struct StateCheck {
    /// Print the result as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StateBackup {
    /// The file to make. One that is there is not overwritten.
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct StateRestore {
    /// A file that `dwmap state backup` made. It is left as it is.
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Steer {
    #[command(flatten)]
    pub(crate) source: PlanSource,
    /// The maps.
    #[arg(required_unless_present = "all")]
    pub(crate) maps: Vec<String>,
    /// All maps, in the order in which they depend on one another.
    #[arg(long, conflicts_with = "maps")]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Readonly {
    #[command(flatten)]
    pub(crate) source: PlanSource,
    /// Whether nothing is written.
    #[arg(value_enum)]
    pub(crate) what: Switch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    /// Neither system is written to.
    On,
    /// Both are written to again.
    Off,
}

#[derive(Debug, Args)]
pub(crate) struct Record {
    #[command(flatten)]
    pub(crate) source: PlanSource,
    /// The map.
    pub(crate) map: String,
    /// The record's key as on the left side, with the company first where there is one: `usmf US-001`.
    #[arg(required = true)]
    pub(crate) key: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Hold {
    #[command(flatten)]
    pub(crate) record: Record,
    /// Why, for those who find it held.
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct Backfill {
    #[command(flatten)]
    pub(crate) source: PlanSource,
    /// The map.
    pub(crate) map: String,
    /// A line, by either of its paths, that meets for the first time once more: by `initial`, not by what was in order
    /// before. May be given again.
    #[arg(long = "line", value_name = "PATH")]
    pub(crate) lines: Vec<String>,
    /// A record's key, in quotes where it has several parts: `"usmf US-001"`. May be given again; all linked records if
    /// none is.
    #[arg(long = "key", value_name = "KEY")]
    pub(crate) keys: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Link {
    #[command(flatten)]
    pub(crate) source: PlanSource,
    /// The map.
    pub(crate) map: String,
    /// The left side's record: its system's own key, or its key in the map, in quotes where it has several parts.
    pub(crate) left: String,
    /// The right side's record, likewise.
    pub(crate) right: String,
}

#[derive(Debug, Args)]
pub(crate) struct Deploy {
    /// The compiled plan; if none is named, the project's maps are compiled.
    pub(crate) plan: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Log {
    #[command(flatten)]
    pub(crate) source: PlanSource,
    /// Only this map.
    pub(crate) map: Option<String>,
    /// Only this record, by its key as on the left side; the company may be left out.
    pub(crate) key: Vec<String>,
    /// How many entries at most.
    #[arg(long, default_value_t = 50)]
    pub(crate) limit: usize,
    /// Print the result as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Why {
    #[command(flatten)]
    pub(crate) source: PlanSource,
    /// The map.
    pub(crate) map: String,
    /// The record's key as on the left side, with the company first where there is one: `usmf US-001`.
    #[arg(required = true)]
    pub(crate) key: Vec<String>,
    /// Print the result as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
