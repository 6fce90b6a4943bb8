//! The parser that pest makes of the grammar, and a handier way through its pairs.

use pest::iterators::Pair;

use crate::Span;

/// The parser of `dwmap.pest`.
#[derive(pest_derive::Parser)]
#[grammar = "dwmap.pest"]
pub(crate) struct Syntax;

/// One node of what pest gives.
pub(crate) type Node<'i> = Pair<'i, Rule>;

/// What the builders ask of a node.
pub(crate) trait NodeExt<'i>: Sized {
    /// Where it stands.
    fn place(&self) -> Span;
    /// Its first child of a rule.
    fn first(&self, rule: Rule) -> Option<Node<'i>>;
    /// Its children of a rule, in order.
    fn all(&self, rule: Rule) -> impl Iterator<Item = Node<'i>>;
    /// Whether it has a child of a rule.
    fn has(&self, rule: Rule) -> bool {
        self.first(rule).is_some()
    }
}

impl<'i> NodeExt<'i> for Node<'i> {
    /// Without the blanks that pest counts to a rule whose last part matched nothing.
    fn place(&self) -> Span {
        let span = self.as_span();
        let blanks = |at: char| at.is_ascii_whitespace();
        let start =
            span.start() + (span.as_str().len() - span.as_str().trim_start_matches(blanks).len());
        Span::new(
            start.min(span.end()),
            start.max(span.start() + span.as_str().trim_end_matches(blanks).len()),
        )
    }

    fn first(&self, rule: Rule) -> Option<Node<'i>> {
        self.clone()
            .into_inner()
            .find(|child| child.as_rule() == rule)
    }

    fn all(&self, rule: Rule) -> impl Iterator<Item = Node<'i>> {
        self.clone()
            .into_inner()
            .filter(move |child| child.as_rule() == rule)
    }
}
