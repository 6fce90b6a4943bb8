//! From text to tree.

use pest::Parser as _;

use crate::build::Builder;
use crate::recover::{lexical_errors, too_deep};
use crate::syntax::{Rule, Syntax};
use crate::tokens::{Tokens, tokenize};
use crate::tree::{Decl, File};
use crate::{Span, SyntaxError, layout, mistakes};

/// What came of a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parsed {
    /// The tree of what could be read.
    pub file: File,
    /// The mistakes, in the order of the text; empty where all could be read.
    pub errors: Vec<SyntaxError>,
}

/// Reads a text. It always gives a tree, of what could be read, and never panics.
///
/// ```
/// let parsed = dwmap_grammar::parse("lines order_lines of orders by OrderNumber");
/// assert!(parsed.errors.is_empty());
/// assert!(matches!(parsed.file.decls[..], [dwmap_grammar::tree::Decl::Lines(_)]));
/// ```
pub fn parse(source: &str) -> Parsed {
    let tokens = tokenize(source);
    let free = layout::free_breaks(source, &tokens);
    if let Some(error) = too_deep(source, &tokens, &free) {
        return unreadable(source, error);
    }
    let mut errors = lexical_errors(source, &tokens);
    let text = layout::lay_out(source, &tokens, &free);
    let file = Syntax::parse(Rule::file, &text)
        .ok()
        .and_then(|mut pairs| pairs.next());
    let Some(node) = file else {
        // `file` takes any text, so this is out of reach; a text that can't be read is a better answer than a panic.
        return unreadable(
            source,
            mistakes::unreadable_declaration(Span::new(0, source.len()), &[]),
        );
    };
    let (file, found) = Builder::new(Tokens {
        source,
        all: &tokens,
    })
    .file(&node);
    errors.extend(found);
    errors.sort_by_key(|error| (error.span.start, error.span.end));
    Parsed { file, errors }
}

fn unreadable(source: &str, error: SyntaxError) -> Parsed {
    let file = File {
        uses: Vec::new(),
        decls: vec![Decl::Bad(Span::new(0, source.len()))],
    };
    Parsed {
        file,
        errors: vec![error],
    }
}
