//! For GitHub's workflow runs: one annotation a line.

use std::fmt::Write;

use super::{Diagnostics, Severity};

impl Diagnostics {
    /// All of them as workflow commands: `::error file=…,line=…::message`.
    pub fn github(&self) -> String {
        let mut text = String::new();
        for d in &self.list {
            let level = match d.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            let start = self.sources.position(d.primary.place);
            let end = self.sources.end(d.primary.place);
            let message = match &d.help {
                Some(help) => format!("{}\n{help}", d.message),
                None => d.message.clone(),
            };
            // Writing to a string can't fail.
            let _ = writeln!(
                text,
                "::{level} file={},line={},col={},endLine={},endColumn={},title={}::{}",
                property(&self.sources.get(d.primary.place.file).path),
                start.line,
                start.column,
                end.line,
                end.column,
                d.code,
                data(&message)
            );
        }
        text
    }
}

/// Escapes a message, as the workflow commands' documentation asks.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes a property's value.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
