//! What is wrong with a text, in its reader's words.

use std::fmt;

use crate::Span;

/// One mistake in the syntax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// The stable code, `P0001` and up.
    pub code: &'static str,
    /// A sentence that says what is wrong.
    pub message: String,
    /// Where.
    pub span: Span,
    /// A few words to stand at the span.
    pub label: String,
    /// Other places that have to do with it, each with a few words.
    pub related: Vec<(Span, String)>,
    /// How it can be mended, where that can be known.
    pub fix: Option<Fix>,
    /// A line that teaches, where there is more to say.
    pub help: Option<String>,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for SyntaxError {}

/// A change of the text that mends a mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// Whether it may be applied unasked.
    pub safety: Safety,
    /// What it does, in a few words.
    pub title: String,
    /// What is replaced by what, in order; the spans don't overlap.
    pub edits: Vec<(Span, String)>,
}

/// Whether a fix is certain to be what was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Safety {
    /// `--fix` applies it.
    Safe,
    /// Shown, and left to the reader.
    Suggestion,
}

impl Fix {
    /// The text with this fix in it.
    pub fn apply(&self, source: &str) -> String {
        let mut mended = String::with_capacity(source.len() + 16);
        let mut from = 0;
        for (span, text) in &self.edits {
            mended.push_str(Span::new(from, span.start).of(source));
            mended.push_str(text);
            from = span.end;
        }
        mended.push_str(Span::new(from, source.len()).of(source));
        mended
    }
}

impl SyntaxError {
    pub(crate) fn new(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            span,
            label: String::new(),
            related: Vec::new(),
            fix: None,
            help: None,
        }
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub(crate) fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, label.into()));
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// A fix of one edit.
    pub(crate) fn fix(
        mut self,
        safety: Safety,
        title: impl Into<String>,
        span: Span,
        text: impl Into<String>,
    ) -> Self {
        self.fix = Some(Fix {
            safety,
            title: title.into(),
            edits: vec![(span, text.into())],
        });
        self
    }
}
