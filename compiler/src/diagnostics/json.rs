//! For programs: JSON, of a shape that is versioned.

use serde_json::{Value, json};

use super::{Diagnostics, Safety, Severity};
use crate::sources::{Place, Sources};

/// The version of the shape; raised when something that was there changes its meaning.
const VERSION: u32 = 1;

impl Diagnostics {
    /// All of them as one JSON document: `{"version", "errors", "warnings", "diagnostics": […]}`.
    pub fn json(&self) -> String {
        let (errors, warnings) = self.counts();
        let list: Vec<Value> = self
            .list
            .iter()
            .map(|d| {
                json!({
                    "code": d.code,
                    "severity": match d.severity {
                        Severity::Error => "error",
                        Severity::Warning => "warning",
                    },
                    "message": d.message,
                    "label": d.primary.text,
                    "place": place(&self.sources, d.primary.place),
                    "related": d.related.iter().map(|label| json!({
                        "label": label.text,
                        "place": place(&self.sources, label.place),
                    })).collect::<Vec<_>>(),
                    "help": d.help,
                    "fix": d.fix.as_ref().map(|fix| json!({
                        "title": fix.title,
                        "safe": fix.safety == Safety::Safe,
                        "edits": fix.edits.iter().map(|(at, text)| json!({
                            "place": place(&self.sources, *at),
                            "text": text,
                        })).collect::<Vec<_>>(),
                    })),
                })
            })
            .collect();
        json!({
            "version": VERSION,
            "errors": errors,
            "warnings": warnings,
            "diagnostics": list,
        })
        .to_string()
    }
}

/// Lines and columns count from 1, columns in characters; offsets are bytes.
pub(super) fn place(sources: &Sources, place: Place) -> Value {
    let (start, end) = (sources.position(place), sources.end(place));
    json!({
        "file": sources.get(place.file).path,
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
        "start": place.span.start,
        "end": place.span.end,
    })
}
