//! Text archives for the command line: what is typed, what it must print, and the files that it works on, in one file.
//!
//! ```text
//! # Lines like this one, and blank ones, are for the reader.
//!
//! $ dwmap check
//! ! maps/a.dwmap:1:1 …
//! exit 1
//!
//! -- maps/a.dwmap --
//! use std.fno
//! ```
//!
//! Behind `$ ` stands a command for `sh`, in a fresh folder that holds the archive's files; `> ` begins a line of its
//! standard output, `! ` one of its standard error; `exit N` is its exit code, if that isn't 0. A command that ends in
//! ` &` is one of `dwmap` that stays, until the archive ends: it is waited for until it has printed its first line.
//! When that is a sandbox's, `FNO_URL` and `DATAVERSE_URL` lead there from then on.
//!
//! What differs from run to run is replaced by [`Archive::settle`], and nowhere else.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use crate::{Project, Running, dwmap};

/// An archive, as it was read.
#[derive(Debug)]
pub struct Archive {
    steps: Vec<Step>,
    /// What stands between the last output and the files.
    rest: String,
    /// The files, as they stand in the archive.
    files: String,
}

/// A command, and the lines for the reader above it.
#[derive(Debug)]
struct Step {
    notes: String,
    command: String,
}

/// What an archive's commands run in.
struct Stage {
    project: Project,
    processes: Vec<Running>,
    /// Addresses of servers, by the variable that holds them.
    addresses: Vec<(&'static str, String)>,
}

impl Archive {
    /// Reads an archive.
    pub fn read(text: &str) -> Self {
        let begin = text.lines().position(|line| name_of(line).is_some());
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let (script, files) = lines.split_at(begin.unwrap_or(lines.len()));
        let mut steps = Vec::new();
        let mut notes = String::new();
        for line in script {
            if let Some(command) = line.strip_prefix("$ ") {
                let (notes, command) = (std::mem::take(&mut notes), command.trim_end().to_owned());
                steps.push(Step { notes, command });
            } else if line.starts_with('#') || line.trim().is_empty() {
                notes.push_str(line);
            } else {
                let output = line.starts_with(['>', '!']) || line.starts_with("exit ");
                assert!(output && !steps.is_empty(), "what is this line? {line}");
            }
        }
        Self {
            steps,
            rest: notes,
            files: files.concat(),
        }
    }

    /// Runs its commands; gives the archive as it is with what they print now.
    pub fn run(&self) -> String {
        let mut stage = Stage {
            project: Project::of(&self.parts()),
            processes: Vec::new(),
            addresses: Vec::new(),
        };
        let mut text = String::new();
        for step in &self.steps {
            let _ = writeln!(text, "{}$ {}", step.notes, step.command);
            match step.command.strip_suffix(" &") {
                Some(command) => stage.start(command, &mut text),
                None => stage.run(&step.command, &mut text),
            }
        }
        text + &self.rest + &self.files
    }

    /// The files, by their paths.
    fn parts(&self) -> Vec<(&str, &str)> {
        let mut parts: Vec<(&str, &str)> = Vec::new();
        let mut from = 0;
        let mut at = 0;
        for line in self.files.split_inclusive('\n') {
            let end = at + line.len();
            if let Some(name) = name_of(line) {
                parts.push((name, ""));
                from = end;
            } else if let Some((_, text)) = parts.last_mut() {
                *text = &self.files[from..end];
            }
            at = end;
        }
        parts
    }
}

/// The path in `-- path --`.
fn name_of(line: &str) -> Option<&str> {
    line.trim_end().strip_prefix("-- ")?.strip_suffix(" --")
}

impl Stage {
    fn run(&self, command: &str, text: &mut String) {
        let folder = dwmap().parent().expect("the binary is in a folder");
        let path = std::env::var("PATH").unwrap_or_default();
        let output = Command::new("sh")
            .args(["-c", command])
            .current_dir(self.project.path())
            .env("PATH", format!("{}:{path}", folder.display()))
            .envs(self.addresses.iter().cloned())
            .output()
            .expect("sh runs");
        for (mark, bytes) in [('>', &output.stdout), ('!', &output.stderr)] {
            for line in self.settle(&String::from_utf8_lossy(bytes)).lines() {
                let _ = writeln!(text, "{}", format!("{mark} {line}").trim_end());
            }
        }
        match output.status.code() {
            Some(0) => {}
            Some(code) => {
                let _ = writeln!(text, "exit {code}");
            }
            None => text.push_str("exit by a signal\n"),
        }
    }

    fn start(&mut self, command: &str, text: &mut String) {
        let mut words = command.split_whitespace();
        assert_eq!(words.next(), Some("dwmap"), "{command} & can't stay");
        let mut command = Command::new(dwmap());
        let addresses = self.addresses.iter().cloned();
        command.args(words).envs(addresses);
        let mut process = Running::of(command.current_dir(self.project.path()));
        let line = process.line().expect("it says something");
        for (name, before, after) in [
            ("DATAVERSE_URL", "dataverse=", "/api/data/v9.2/"),
            ("FNO_URL", "finops=", "/data/"),
        ] {
            let mut words = line.split_whitespace();
            let url = words.find_map(|word| word.strip_prefix(before)?.strip_suffix(after));
            self.addresses.extend(url.map(|url| (name, url.to_owned())));
        }
        let _ = writeln!(text, "> {}", self.settle(&line));
        self.processes.push(process);
    }

    /// Puts words in the place of whatever differs from run to run: `[FOLDER]`, `[FNO_URL]` and `[DATAVERSE_URL]` for
    /// where it runs, `[VERSION]`, `[TIME]` for how long something took, `[MOMENT]` for when it was.
    fn settle(&self, text: &str) -> String {
        let mut text = text.replace(&*full(self.project.path()), "[FOLDER]");
        for (name, url) in &self.addresses {
            text = text.replace(url, &format!("[{name}]"));
        }
        let text = text.replace(
            concat!("dwmap ", env!("CARGO_PKG_VERSION")),
            "dwmap [VERSION]",
        );
        without_times(&text)
    }
}

fn full(folder: &Path) -> String {
    let folder = folder.canonicalize().expect("the folder is there");
    folder.to_string_lossy().into_owned()
}

/// Replaces `12 ms`, `1.5 s` and `"seconds": 1.5` by `[TIME]`, `2026-01-31T12:00:00.000Z` and `"since": 1` by
/// `[MOMENT]`.
fn without_times(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let all_of = |of: &str| from.find(|c: char| !c.is_ascii_digit() && !of.contains(c));
        let number = &from[..all_of(".").unwrap_or(from.len())];
        let moment = &from[..all_of("-T:.Z").unwrap_or(from.len())];
        let unit = |unit: &str| {
            let after = from[number.len()..].strip_prefix(unit);
            after.is_some_and(|after| !after.starts_with(char::is_alphanumeric))
        };
        let within_word = before.ends_with(|c: char| c.is_alphanumeric() || "-_".contains(c));
        let taken = if moment.len() >= 20 && moment.contains('T') && moment.ends_with('Z') {
            out.push_str("[MOMENT]");
            moment
        } else if !within_word && (unit(" ms") || unit(" s")) {
            let unit = if unit(" ms") { " ms" } else { " s" };
            out.push_str("[TIME]");
            &from[..number.len() + unit.len()]
        } else if before.ends_with("\"seconds\": ") {
            out.push_str("[TIME]");
            number
        } else if before.ends_with("\"since\": ") {
            out.push_str("[MOMENT]");
            number
        } else {
            out.push_str(number);
            number
        };
        rest = &from[taken.len()..];
    }
    out + rest
}

/// The lines in which two texts differ, between what they begin and end with in common.
pub fn difference(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let begin = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[begin..], &new[begin..]);
    let ends = old.iter().rev().zip(new.iter().rev());
    let end = ends.take_while(|(a, b)| a == b).count();
    let mut text = format!("from line {} on:\n", begin + 1);
    for (sign, lines) in [('-', old), ('+', new)] {
        for line in &lines[..lines.len() - end] {
            let _ = writeln!(text, "{sign} {line}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_times_are_replaced() {
        let text = "done in 1.5 s, 2 min 5 s; 12 ms. US-001 has 3 sheets; \"seconds\": 0.25,\n2026-01-31T12:00:00.000Z x";
        assert_eq!(
            without_times(text),
            "done in [TIME], 2 min [TIME]; [TIME]. US-001 has 3 sheets; \"seconds\": [TIME],\n[MOMENT] x"
        );
    }

    #[test]
    fn an_archive_holds_what_is_typed_and_the_files() {
        let text = "# Notes\n$ cat a/b\n> one\n\n-- a/b --\none\n-- c --\n";
        let archive = Archive::read(text);
        assert_eq!(archive.steps[0].command, "cat a/b");
        assert_eq!(archive.parts(), [("a/b", "one\n"), ("c", "")]);
        assert_eq!(archive.run(), text);
    }

    #[test]
    fn a_difference_is_shown_where_it_is() {
        let shown = difference("a\nb\nc\n", "a\nx\ny\nc\n");
        assert_eq!(shown, "from line 2 on:\n- b\n+ x\n+ y\n");
    }
}
