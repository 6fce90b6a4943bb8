//! Exit codes, and the errors that lead to them.

use std::fmt;
use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;

use crate::output::plain;

/// How a command that did its work ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// 0: done, and nothing to say.
    Done,
    /// 1: it found something: diagnostics, differences, failed tests, errors in the queue.
    Found,
}

/// Why a command could not do its work. The message names the place and the next step.
#[derive(Debug)]
pub(crate) enum Failure {
    /// 2: wrong usage or configuration; files and plans that can't be read among them.
    Configuration(String),
    /// 3: a system could not be reached, or refused the credentials.
    Unreachable(String),
    /// 4: a bug.
    Internal(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configuration(message) | Self::Unreachable(message) => {
                write!(f, "error: {message}")
            }
            Self::Internal(message) => write!(
                f,
                "internal error: {message}\nThis is a bug in dwmap. Please report it with the command that you ran, \
                 the version (`dwmap --version`) and this message."
            ),
        }
    }
}

/// What a command returns.
pub(crate) type Outcome = Result<Ended, Failure>;

/// The process's exit code.
pub(crate) fn code(outcome: &Outcome) -> ExitCode {
    ExitCode::from(match outcome {
        Ok(Ended::Done) => 0,
        Ok(Ended::Found) => 1,
        Err(Failure::Configuration(_)) => 2,
        Err(Failure::Unreachable(_)) => 3,
        Err(Failure::Internal(_)) => 4,
    })
}

/// A configuration error about a file: `error: maps/x.dwmap: there is no such file`.
pub(crate) fn file_error(path: &Path, error: &std::io::Error) -> Failure {
    let why = match error.kind() {
        ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
            "there is a file where a folder must be".to_owned()
        }
        ErrorKind::IsADirectory => "there is a folder where a file must be".to_owned(),
        ErrorKind::PermissionDenied => "this user lacks the right to it".to_owned(),
        _ => error.to_string(),
    };
    Failure::Configuration(format!("{}: {why}", plain(path).display()))
}
