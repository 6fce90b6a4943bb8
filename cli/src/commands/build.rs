//! `dwmap build`: compiles the project's maps to a plan.

use std::path::{Path, PathBuf};

use dwmap_compiler::BuildError;
use dwmap_plan::Plan;

use crate::args::{self, Cli, Format};
use crate::commands::check;
use crate::exit::{Ended, Failure, Outcome, file_error};
use crate::output::{count, plain};
use crate::project;

pub(crate) fn run(cli: &Cli, args: &args::Build) -> Outcome {
    let sources = project::read(&cli.project, cli.env.as_deref(), &[])?;
    let Some(plan) = compile(&sources.project, Say::All)? else {
        return Ok(Ended::Found);
    };
    let usual = || {
        let target = sources.root.join("target");
        plain(&target.join(format!("{}.dwplan", plan.name))).to_path_buf()
    };
    let path = args.output.clone().unwrap_or_else(usual);
    write(&path, &plan)?;
    eprintln!(
        "built {} from {}",
        path.display(),
        count(plan.maps.len() as u64, "map")
    );
    println!("{}", path.display());
    Ok(Ended::Done)
}

/// What of the diagnostics is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Say {
    /// All that is found: whoever compiles wants to know.
    All,
    /// Mistakes alone: whoever runs maps that compile has been told the rest.
    Mistakes,
}

/// Compiles, printing what is found; none if there are mistakes.
pub(crate) fn compile(
    project: &dwmap_compiler::Project,
    say: Say,
) -> Result<Option<Plan>, Failure> {
    match dwmap_compiler::build(project) {
        Ok((plan, found)) => {
            if say == Say::All {
                check::print(&found, Format::Human);
            }
            Ok(Some(plan))
        }
        Err(BuildError::Mistakes(found)) => {
            check::print(&found, Format::Human);
            Ok(None)
        }
        Err(error @ BuildError::Refused(_)) => Err(Failure::Internal(error.to_string())),
    }
}

/// Writes beside, then renames: a plan is whole or not there.
fn write(path: &Path, plan: &Plan) -> Result<(), Failure> {
    let bytes = dwmap_plan::encode(plan).map_err(|e| Failure::Internal(e.to_string()))?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| file_error(folder, &e))?;
    }
    let beside = PathBuf::from(format!("{}.new", path.display()));
    std::fs::write(&beside, bytes).map_err(|e| file_error(&beside, &e))?;
    std::fs::rename(&beside, path).map_err(|e| file_error(path, &e))
}
