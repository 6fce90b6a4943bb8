//! `dwmap check`: checks maps and schemas.

use dwmap_compiler::diagnostics::Diagnostics;

use crate::args::{self, Cli, Format};
use crate::exit::{Ended, Failure, Outcome, file_error};
use crate::output::{colours, count};
use crate::project::{self, Sources};

pub(crate) fn run(cli: &Cli, args: &args::Check) -> Outcome {
    let read = || project::read(&cli.project, cli.env.as_deref(), &args.paths);
    let mut sources = read()?;
    let mut found = dwmap_compiler::check(&sources.project).diagnostics;
    if args.fix && fix(&sources, &found)? {
        sources = read()?;
        found = dwmap_compiler::check(&sources.project).diagnostics;
    }
    print(&found, args.format);
    if args.format == Format::Human && found.is_empty() {
        let files = sources.project.files.len() + sources.project.stock.len();
        eprintln!("{} checked, nothing to say", count(files as u64, "module"));
    }
    Ok(ended(&found))
}

/// Warnings don't fail a check; they are printed.
pub(crate) fn ended(found: &Diagnostics) -> Ended {
    if found.has_errors() {
        Ended::Found
    } else {
        Ended::Done
    }
}

/// Prints diagnostics. For people they go to standard error, like every compiler's; for programs they are data.
pub(crate) fn print(found: &Diagnostics, format: Format) {
    match format {
        Format::Human if found.is_empty() => {}
        Format::Human => eprint!("{}", found.human(colours(&std::io::stderr()))),
        Format::Json => println!("{}", found.json()),
        Format::Sarif => println!("{}", found.sarif()),
        Format::Github => print!("{}", found.github()),
    }
}

/// Applies the safe fixes to the project's own files; says whether there were any.
fn fix(sources: &Sources, found: &Diagnostics) -> Result<bool, Failure> {
    let fixed = found.apply_fixes();
    for file in &fixed {
        let path = sources.root.join(&file.path);
        std::fs::write(&path, &file.text).map_err(|e| file_error(&path, &e))?;
        eprintln!("mended {}", file.path);
    }
    Ok(!fixed.is_empty())
}
