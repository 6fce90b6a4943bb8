//! For people: miette's pictures. The only place that knows of it.

use std::fmt;

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode, SourceSpan,
};

use super::{Diagnostic, Diagnostics, Label, Safety, Severity};
use crate::sources::{FileId, Place, Sources};

/// How wide a message may be.
const WIDTH: usize = 100;

/// Whether text goes to a terminal that shows colours.
fn theme(colours: bool) -> GraphicalTheme {
    if colours {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    }
}

impl Diagnostics {
    /// All of them as text, for people; a line that counts them stands at the end.
    pub fn human(&self, colours: bool) -> String {
        let handler = GraphicalReportHandler::new_themed(theme(colours))
            .with_width(WIDTH)
            .with_links(false);
        let mut text = String::new();
        for diagnostic in &self.list {
            let picture = Picture::new(&self.sources, diagnostic);
            let mut one = String::new();
            // Writing to a string fails only if a source is gone, and those are kept beside.
            let _ = handler.render_report(&mut one, &picture);
            // Places in other texts need no headline of their own.
            text.push_str(&one.replace("Advice: \n", ""));
            text.push('\n');
        }
        text.push_str(&self.summary());
        text
    }

    /// `2 errors, 1 warning`
    fn summary(&self) -> String {
        let many = |count: usize, what: &str| match count {
            0 => None,
            1 => Some(format!("1 {what}")),
            n => Some(format!("{n} {what}s")),
        };
        let (errors, warnings) = self.counts();
        let parts = [many(errors, "error"), many(warnings, "warning")];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if parts.is_empty() {
            String::new()
        } else {
            format!("{}\n", parts.join(", "))
        }
    }
}

/// A diagnostic as miette sees it: one text with its labels; what lies in other texts follows below.
#[derive(Debug)]
struct Picture {
    code: Option<String>,
    severity: miette::Severity,
    message: String,
    source: NamedSource<String>,
    labels: Vec<LabeledSpan>,
    help: Option<String>,
    others: Vec<Picture>,
}

impl Picture {
    fn new(sources: &Sources, diagnostic: &Diagnostic) -> Self {
        let file = diagnostic.primary.place.file;
        let mut labels = vec![label(&diagnostic.primary, true)];
        let mut others: Vec<(FileId, Vec<&Label>)> = Vec::new();
        for related in &diagnostic.related {
            if related.place.file == file {
                labels.push(label(related, false));
                continue;
            }
            match others.iter_mut().find(|(f, _)| *f == related.place.file) {
                Some((_, labels)) => labels.push(related),
                None => others.push((related.place.file, vec![related])),
            }
        }
        let others = others
            .into_iter()
            .map(|(file, labels)| Self::elsewhere(sources, file, &labels))
            .collect();
        Self {
            code: Some(diagnostic.code.to_owned()),
            severity: match diagnostic.severity {
                Severity::Error => miette::Severity::Error,
                Severity::Warning => miette::Severity::Warning,
            },
            message: diagnostic.message.clone(),
            source: named(sources, file),
            labels,
            help: help(diagnostic),
            others,
        }
    }

    /// Places in another text.
    fn elsewhere(sources: &Sources, file: FileId, labels: &[&Label]) -> Self {
        Self {
            code: None,
            severity: miette::Severity::Advice,
            message: format!("see {}", sources.get(file).path),
            source: named(sources, file),
            labels: labels.iter().map(|l| label(l, false)).collect(),
            help: None,
            others: Vec::new(),
        }
    }
}

fn named(sources: &Sources, file: FileId) -> NamedSource<String> {
    let source = sources.get(file);
    NamedSource::new(&source.path, source.text.clone())
}

fn span(place: Place) -> SourceSpan {
    (place.span.start, place.span.len()).into()
}

fn label(label: &Label, primary: bool) -> LabeledSpan {
    let text = (!label.text.is_empty()).then(|| label.text.clone());
    if primary {
        LabeledSpan::new_primary_with_span(text, span(label.place))
    } else {
        LabeledSpan::new_with_span(text, span(label.place))
    }
}

/// What teaches, and how it can be mended.
fn help(diagnostic: &Diagnostic) -> Option<String> {
    let fix = diagnostic.fix.as_ref().map(|fix| match fix.safety {
        Safety::Safe => format!("{} (--fix does it)", fix.title),
        Safety::Suggestion => fix.title.clone(),
    });
    match (&diagnostic.help, fix) {
        (Some(help), Some(fix)) => Some(format!("{fix}\n{help}")),
        (Some(help), None) => Some(help.clone()),
        (None, fix) => fix,
    }
}

impl fmt::Display for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Picture {}

impl miette::Diagnostic for Picture {
    fn code(&self) -> Option<Box<dyn fmt::Display + '_>> {
        let code = self.code.as_ref()?;
        Some(Box::new(code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn help(&self) -> Option<Box<dyn fmt::Display + '_>> {
        let help = self.help.as_ref()?;
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }

    fn related(&self) -> Option<Box<dyn Iterator<Item = &dyn miette::Diagnostic> + '_>> {
        if self.others.is_empty() {
            return None;
        }
        let others = self.others.iter();
        Some(Box::new(others.map(|it| it as &dyn miette::Diagnostic)))
    }
}
