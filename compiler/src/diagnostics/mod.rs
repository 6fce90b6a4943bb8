//! Diagnostics: coded, placed in every file that has to do with them, and mended where that can be known.

mod codes;
mod fix;
mod github;
mod human;
mod json;
mod sarif;

pub(crate) use codes::*;
pub use codes::{Code, CodePage, all_codes, explain};
pub use dwmap_grammar::Safety;

use std::collections::BTreeSet;

use dwmap_grammar::SyntaxError;

use crate::sources::{FileId, Place, Sources};

/// How much a diagnostic weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Severity {
    /// Nothing is built.
    Error,
    /// Worth a look; the plan is built.
    Warning,
}

/// A place and a few words to stand at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub place: Place,
    /// What is there.
    pub text: String,
}

/// A change of texts that mends a mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// Whether it may be applied unasked.
    pub safety: Safety,
    /// What it does, in a few words.
    pub title: String,
    /// What is replaced by what.
    pub edits: Vec<(Place, String)>,
}

/// One mistake, or one thing worth a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its stable code.
    pub code: &'static str,
    /// How much it weighs.
    pub severity: Severity,
    /// A sentence that says what is wrong.
    pub message: String,
    /// Where, with a few words.
    pub primary: Label,
    /// Other places that have to do with it.
    pub related: Vec<Label>,
    /// A line that teaches.
    pub help: Option<String>,
    /// How it can be mended.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// A diagnostic of this code at this place. Codes that begin with `W` are warnings.
    pub(crate) fn new(code: Code, place: Place, message: impl Into<String>) -> Self {
        let severity = if code.id().starts_with('W') {
            Severity::Warning
        } else {
            Severity::Error
        };
        Self {
            code: code.id(),
            severity,
            message: message.into(),
            primary: Label {
                place,
                text: String::new(),
            },
            related: Vec::new(),
            help: None,
            fix: None,
        }
    }

    /// A few words at the primary place.
    pub(crate) fn label(mut self, text: impl Into<String>) -> Self {
        self.primary.text = text.into();
        self
    }

    /// Another place that has to do with it.
    pub(crate) fn related(mut self, place: Place, text: impl Into<String>) -> Self {
        self.related.push(Label {
            place,
            text: text.into(),
        });
        self
    }

    /// A line that teaches.
    pub(crate) fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// A fix that replaces what stands at one place.
    pub(crate) fn fix(
        mut self,
        safety: Safety,
        title: impl Into<String>,
        place: Place,
        text: impl Into<String>,
    ) -> Self {
        self.fix = Some(Fix {
            safety,
            title: title.into(),
            edits: vec![(place, text.into())],
        });
        self
    }

    /// The fix for a misspelt name, where one is known: replacing it by `meant`.
    pub(crate) fn meant(self, meant: Option<&str>, place: Place) -> Self {
        match meant {
            Some(meant) => self.fix(Safety::Safe, format!("did you mean {meant}?"), place, meant),
            None => self,
        }
    }

    fn is_syntax(&self) -> bool {
        self.code.starts_with('P')
    }

    /// A mistake in the syntax.
    pub(crate) fn syntax(file: FileId, error: SyntaxError) -> Self {
        let place = |span| Place { file, span };
        Self {
            code: error.code,
            severity: Severity::Error,
            message: error.message,
            primary: Label {
                place: place(error.span),
                text: error.label,
            },
            related: error
                .related
                .into_iter()
                .map(|(span, text)| Label {
                    place: place(span),
                    text,
                })
                .collect(),
            help: error.help,
            fix: error.fix.map(|fix| Fix {
                safety: fix.safety,
                title: fix.title,
                edits: fix
                    .edits
                    .into_iter()
                    .map(|(span, text)| (place(span), text))
                    .collect(),
            }),
        }
    }
}

/// All that was found, with the texts that it was found in.
#[derive(Debug, Clone, Default)]
pub struct Diagnostics {
    /// The texts.
    pub sources: Sources,
    /// What was found, in the order of files and places.
    pub list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Whether anything keeps a plan from being built.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|d| d.severity == Severity::Error)
    }

    /// Whether nothing was found at all.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many errors and how many warnings there are.
    pub fn counts(&self) -> (usize, usize) {
        let errors = self
            .list
            .iter()
            .filter(|d| d.severity == Severity::Error)
            .count();
        (errors, self.list.len() - errors)
    }

    /// Puts the list in the order of files and places, and drops repetitions. What can't be read poisons its line:
    /// nothing else is said of it.
    pub(crate) fn settle(&mut self) {
        let sources = &self.sources;
        let line = |d: &Diagnostic| (d.primary.place.file, sources.position(d.primary.place).line);
        let unread: BTreeSet<(FileId, usize)> = self
            .list
            .iter()
            .filter(|d| d.is_syntax())
            .map(line)
            .collect();
        self.list
            .retain(|d| d.is_syntax() || !unread.contains(&line(d)));
        self.list.sort_by(|a, b| {
            let key = |d: &Diagnostic| (d.primary.place.file, d.primary.place.span.start, d.code);
            key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
        });
        self.list.dedup();
    }
}
