//! From pest's nodes to the tree.
//!
//! One file for each part of the language, in the order of the grammar. What the grammar took although it is wrong
//! (`wrong_…`, `missing_…`) is reported here and read as what was meant; `bad_…` goes to [`recover`](crate::recover).

mod blocks;
mod expr;
mod literals;
mod map;
mod names;
mod schema;
mod table;
mod test;

use crate::recover::{Place, Recovery};
use crate::syntax::{Node, NodeExt, Rule};
use crate::tokens::{Token, Tokens};
use crate::tree::{Decl, File, Use};
use crate::{LineIndex, Span, SyntaxError};

/// Builds the tree of one text and gathers its mistakes.
pub(crate) struct Builder<'s> {
    source: &'s str,
    lines: LineIndex,
    tokens: Tokens<'s>,
    errors: Vec<SyntaxError>,
}

impl<'s> Builder<'s> {
    pub(crate) fn new(tokens: Tokens<'s>) -> Self {
        let source = tokens.source;
        Self {
            source,
            lines: LineIndex::new(source),
            tokens,
            errors: Vec::new(),
        }
    }

    /// The tree of a `file`, and the mistakes in it.
    pub(crate) fn file(mut self, node: &Node<'_>) -> (File, Vec<SyntaxError>) {
        let mut file = File::default();
        for child in node.clone().into_inner() {
            match child.as_rule() {
                Rule::EOI => {}
                Rule::use_ => file.uses.extend(self.use_(&child)),
                _ => {
                    let decl = self.decl(&child);
                    file.decls.push(decl.unwrap_or(Decl::Bad(child.place())));
                }
            }
        }
        (file, self.errors)
    }

    fn decl(&mut self, node: &Node<'_>) -> Option<Decl> {
        Some(match node.as_rule() {
            Rule::schema => Decl::Schema(self.schema(node)?),
            Rule::extend_schema => Decl::ExtendSchema(self.extend_schema(node)?),
            Rule::valuemap => Decl::ValueMap(self.value_map(node)?),
            Rule::extend_valuemap => Decl::ExtendValueMap(self.extend_value_map(node)?),
            Rule::fn_ => Decl::Function(self.function(node)?),
            Rule::iso => Decl::Iso(self.iso(node)?),
            Rule::map => Decl::Map(self.map(node)?),
            Rule::extend_map => Decl::ExtendMap(self.extend_map(node)?),
            Rule::lines => Decl::Lines(self.line_items(node)?),
            Rule::test => Decl::Test(self.test(node)?),
            Rule::bad_map => self.bad_map(node),
            _ => Decl::Bad(self.bad(node, Place::File)),
        })
    }

    fn use_(&mut self, node: &Node<'_>) -> Option<Use> {
        Some(Use {
            module: self.module(&node.first(Rule::module)?),
            alias: node.first(Rule::ident).map(|alias| self.ident(&alias)),
            span: node.place(),
        })
    }

    fn report(&mut self, error: SyntaxError) {
        self.errors.push(error);
    }

    /// Reports what is wrong with a `bad_…` node and gives its place. A broken token is one mistake, also where it
    /// makes its whole item unreadable.
    fn bad(&mut self, node: &Node<'_>, place: Place) -> Span {
        let span = node.place();
        let line = self.lines.start_of(self.lines.line(span.start));
        if !self.has_broken_token(Span::new(line, span.end)) {
            let recovery = Recovery {
                lines: &self.lines,
                tokens: self.tokens,
            };
            let error = recovery.diagnose(span, place);
            self.report(error);
        }
        span
    }

    fn has_broken_token(&self, span: Span) -> bool {
        self.tokens.within(span).iter().any(Token::is_broken)
    }
}
