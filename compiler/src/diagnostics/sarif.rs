//! For code scanning: SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format").

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Diagnostics, Severity, explain};
use crate::sources::{Place, Sources};

impl Diagnostics {
    /// All of them as a SARIF log with one run.
    pub fn sarif(&self) -> String {
        let codes: BTreeSet<&str> = self.list.iter().map(|d| d.code).collect();
        let rules: Vec<Value> = codes
            .iter()
            .map(|code| {
                let title = explain(code).map_or(*code, |page| page.title);
                json!({ "id": code, "shortDescription": { "text": title } })
            })
            .collect();
        let results: Vec<Value> = self
            .list
            .iter()
            .map(|d| {
                let related: Vec<Value> = d
                    .related
                    .iter()
                    .map(|label| {
                        let mut location = location(&self.sources, label.place);
                        location["message"] = json!({ "text": label.text });
                        location
                    })
                    .collect();
                json!({
                    "ruleId": d.code,
                    "level": match d.severity {
                        Severity::Error => "error",
                        Severity::Warning => "warning",
                    },
                    "message": { "text": d.message },
                    "locations": [location(&self.sources, d.primary.place)],
                    "relatedLocations": related,
                })
            })
            .collect();
        json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": "dwmap",
                    "version": env!("CARGO_PKG_VERSION"),
                    "rules": rules,
                } },
                "columnKind": "unicodeCodePoints",
                "results": results,
            }],
        })
        .to_string()
    }
}

fn location(sources: &Sources, place: Place) -> Value {
    let (start, end) = (sources.position(place), sources.end(place));
    json!({
        "physicalLocation": {
            "artifactLocation": { "uri": sources.get(place.file).path },
            "region": {
                "startLine": start.line,
                "startColumn": start.column,
                "endLine": end.line,
                "endColumn": end.column,
            },
        },
    })
}
