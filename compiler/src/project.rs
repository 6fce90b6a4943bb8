//! What is compiled: files, a library for `use std.…`, and options.

use dwmap_plan::Overflow;

/// A source text and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path from the project's root, with forward slashes: `maps/customers.dwmap`.
    pub path: String,
    /// Its text.
    pub text: String,
}

impl SourceFile {
    /// A file of this path and text.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
        }
    }
}

/// Finds a library module (`std.fno`) by its path; what it gives is named by a path that messages show.
pub type Library = fn(&str) -> Option<SourceFile>;

/// What a project says about itself outside its maps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The project's name.
    pub name: String,
    /// What happens to values that are too long where neither map nor line says so.
    pub overflow: Overflow,
    /// Whether library modules show their warnings as well (the library's own tests ask for them).
    pub library_warnings: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            name: "project".to_owned(),
            overflow: Overflow::Reject,
            library_warnings: false,
        }
    }
}

/// A project: all that the compiler is given. It reads nothing else.
#[derive(Debug, Clone)]
pub struct Project {
    /// The project's own files, in any order.
    pub files: Vec<SourceFile>,
    /// Library modules that take part by name: `std.customers`.
    pub stock: Vec<String>,
    /// The library.
    pub library: Library,
    /// Options.
    pub options: Options,
}

impl Project {
    /// A project of these files, without a library.
    pub fn new(files: Vec<SourceFile>) -> Self {
        Self {
            files,
            stock: Vec::new(),
            library: |_| None,
            options: Options::default(),
        }
    }

    /// The same with a library.
    pub fn with_library(mut self, library: Library) -> Self {
        self.library = library;
        self
    }

    /// The same with these library modules taking part.
    pub fn with_stock(mut self, stock: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.stock = stock.into_iter().map(Into::into).collect();
        self
    }
}
