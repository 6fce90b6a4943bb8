//! `dwmap fmt`: formats source files.

use std::io::Read;
use std::path::Path;

use crate::args;
use crate::exit::{Ended, Failure, Outcome, file_error};
use crate::output::count;
use crate::{manifest, project};

pub(crate) fn run(folder: &Path, args: &args::Fmt) -> Outcome {
    if args.paths == [Path::new("-")] {
        return standard_input(args.check);
    }
    let paths = if args.paths.is_empty() {
        let manifest = manifest::find(folder).ok_or_else(|| manifest::missing(folder))?;
        let root = manifest.parent().filter(|p| !p.as_os_str().is_empty());
        vec![root.unwrap_or(Path::new(".")).to_path_buf()]
    } else {
        args.paths.clone()
    };
    let mut ended = Ended::Done;
    for path in project::source_files(&paths)? {
        let text = project::read_text(&path)?;
        match dwmap_grammar::format(&text) {
            Ok(formatted) if formatted == text => {}
            Ok(_) if args.check => {
                println!("{}", path.display());
                ended = Ended::Found;
            }
            Ok(formatted) => {
                std::fs::write(&path, formatted).map_err(|e| file_error(&path, &e))?;
                eprintln!("formatted {}", path.display());
            }
            Err(errors) => {
                eprintln!(
                    "{}: left as it is: {} that `dwmap check` shows",
                    path.display(),
                    count(errors.len() as u64, "syntax error")
                );
                ended = Ended::Found;
            }
        }
    }
    Ok(ended)
}

fn standard_input(check: bool) -> Outcome {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|e| Failure::Configuration(format!("standard input: {e}")))?;
    match dwmap_grammar::format(&text) {
        Ok(formatted) if check => Ok(if formatted == text {
            Ended::Done
        } else {
            Ended::Found
        }),
        Ok(formatted) => {
            print!("{formatted}");
            Ok(Ended::Done)
        }
        Err(errors) => {
            print!("{text}");
            eprintln!(
                "standard input: left as it is: {}",
                count(errors.len() as u64, "syntax error")
            );
            Ok(Ended::Found)
        }
    }
}
