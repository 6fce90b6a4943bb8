//! Names, arrows, colons and doc comments.

use super::Builder;
use crate::syntax::{Node, NodeExt, Rule};
use crate::tree::{Arrow, Direction, Doc, Ident, Name};
use crate::{Span, mistakes};

impl Builder<'_> {
    pub(super) fn ident(&self, node: &Node<'_>) -> Ident {
        self.ident_at(node.place())
    }

    /// The name at a place of the source.
    fn ident_at(&self, span: Span) -> Ident {
        let text = span.of(self.source).trim_matches('`').to_owned();
        Ident { text, span }
    }

    pub(super) fn idents(&self, node: &Node<'_>) -> Vec<Ident> {
        node.all(Rule::ident)
            .map(|ident| self.ident(&ident))
            .collect()
    }

    /// A `dotted`.
    pub(super) fn name(&self, node: &Node<'_>) -> Name {
        Name {
            parts: self.idents(node),
            span: node.place(),
        }
    }

    /// A `module`, whose parts may hold a `-`.
    pub(super) fn module(&self, node: &Node<'_>) -> Name {
        let span = node.place();
        let mut start = span.start;
        let parts = span
            .of(self.source)
            .split('.')
            .map(|part| {
                let place = Span::new(start, start + part.len());
                start = place.end + 1;
                self.ident_at(place)
            })
            .collect();
        Name { parts, span }
    }

    /// The arrow among the children of a node; one in another spelling is reported.
    pub(super) fn arrow_of(&mut self, node: &Node<'_>) -> Option<Arrow> {
        let node = node.first(Rule::arrow)?;
        let span = node.place();
        let written = span.of(self.source);
        let direction = match written {
            "<->" | "<=>" | "<==>" | "<-->" | "↔" | "⇔" => Direction::Both,
            "<-" | "<--" | "←" => Direction::Left,
            _ => Direction::Right,
        };
        if node.has(Rule::wrong_arrow) {
            self.report(mistakes::wrong_arrow(span, written, direction.as_str()));
        }
        Some(Arrow { direction, span })
    }

    /// The arrow of a place where only one can stand.
    pub(super) fn fixed_arrow(
        &mut self,
        node: &Node<'_>,
        meant: Direction,
        place: &str,
    ) -> Option<Arrow> {
        let arrow = self.arrow_of(node)?;
        if arrow.direction != meant {
            self.report(mistakes::arrow_must_be(arrow.span, place, meant.as_str()));
        }
        Some(arrow)
    }

    /// Reports a colon that is missing, or is another sign, behind `before`.
    pub(super) fn colon(&mut self, node: &Node<'_>, before: Span) {
        let name = before.of(self.source).to_owned();
        if let Some(wrong) = node.first(Rule::wrong_colon) {
            self.report(mistakes::equals_for_colon(wrong.place(), &name));
        } else if node.has(Rule::missing_colon) {
            self.report(mistakes::missing_colon(before.end, &name));
        }
    }

    /// The `///` lines right above the line where something begins.
    pub(super) fn doc_above(&self, start: usize) -> Option<Doc> {
        let mut texts = Vec::new();
        let mut span: Option<Span> = None;
        let mut line = self.lines.line(start);
        while line > 1 {
            line -= 1;
            let at = self.lines.start_of(line);
            let raw = self.source.get(at..)?.lines().next().unwrap_or_default();
            let blank = |c: char| c.is_whitespace() || c == '\u{feff}';
            let text = raw.trim_matches(blank);
            let Some(words) = text
                .strip_prefix("///")
                .filter(|rest| !rest.starts_with('/'))
            else {
                break;
            };
            let begin = at + raw.len() - raw.trim_start_matches(blank).len();
            let place = Span::new(begin, begin + text.len());
            span = Some(span.map_or(place, |below| place.to(below)));
            texts.push(words.strip_prefix(' ').unwrap_or(words));
        }
        texts.reverse();
        span.map(|span| Doc {
            text: texts.join("\n"),
            span,
        })
    }
}
