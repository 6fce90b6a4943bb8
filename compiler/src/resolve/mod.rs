//! Names: modules and what they use, schemas, paths.

pub(crate) mod fields;
pub(crate) mod maps;
pub(crate) mod meeting;
pub(crate) mod modules;
pub(crate) mod paths;
pub(crate) mod policies;
pub(crate) mod schemas;
pub(crate) mod scope;
pub(crate) mod tests;
pub(crate) mod value_maps;

use crate::diagnostics::{Code, Diagnostic, NOT_YET};
use crate::sources::Place;

/// Where diagnostics go.
#[derive(Debug, Default)]
pub(crate) struct Sink {
    list: Vec<Diagnostic>,
}

impl Sink {
    /// Keeps a diagnostic.
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.list.push(diagnostic);
    }

    /// Keeps a diagnostic without anything but its sentence, and its words at the place.
    pub(crate) fn say(
        &mut self,
        code: Code,
        place: Place,
        message: impl Into<String>,
        label: &str,
    ) {
        self.push(Diagnostic::new(code, place, message).label(label));
    }

    /// Something of the language that this version reads and can't compile.
    pub(crate) fn not_yet(&mut self, place: Place, what: &str) {
        self.push(
            Diagnostic::new(NOT_YET, place, format!("{what} isn't supported yet"))
                .label("read, and not compiled")
                .help("this version reads the whole language and compiles a part of it; take the item out for now"),
        );
    }

    pub(crate) fn into_list(self) -> Vec<Diagnostic> {
        self.list
    }
}
