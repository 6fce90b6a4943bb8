//! The texts that take part, and places in them.

use std::fmt;

use dwmap_grammar::{LineIndex, Position, Span};
use dwmap_plan::SourcePlace;

/// A source text, by its index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub(crate) u32);

/// A place in a source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The text.
    pub file: FileId,
    /// The bytes in it.
    pub span: Span,
}

/// A text that takes part.
#[derive(Clone)]
pub struct Source {
    /// Its path, as messages show it.
    pub path: String,
    /// Its text.
    pub text: String,
    /// Whether it is of the library, and not the project's own.
    pub library: bool,
    lines: LineIndex,
}

impl fmt::Debug for Source {
    /// By its path: a text of thousands of lines helps nobody in a debugger.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Source").field(&self.path).finish()
    }
}

/// All texts that take part.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    list: Vec<Source>,
}

impl Sources {
    pub(crate) fn add(&mut self, path: String, text: String, library: bool) -> FileId {
        let id = FileId(self.list.len() as u32);
        let lines = LineIndex::new(&text);
        self.list.push(Source {
            path,
            text,
            library,
            lines,
        });
        id
    }

    /// The text.
    pub fn get(&self, file: FileId) -> &Source {
        &self.list[file.0 as usize]
    }

    /// What stands at a place.
    pub fn text(&self, place: Place) -> &str {
        place.span.of(&self.get(place.file).text)
    }

    /// Line and column at which a place begins.
    pub fn position(&self, place: Place) -> Position {
        let source = self.get(place.file);
        source.lines.position(&source.text, place.span.start)
    }

    /// Line and column behind a place.
    pub fn end(&self, place: Place) -> Position {
        let source = self.get(place.file);
        source.lines.position(&source.text, place.span.end)
    }

    /// The place as a plan keeps it.
    pub fn source_place(&self, place: Place) -> SourcePlace {
        let position = self.position(place);
        SourcePlace {
            file: self.get(place.file).path.clone(),
            line: position.line as u32,
            column: position.column as u32,
        }
    }
}
