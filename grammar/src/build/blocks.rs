//! Blocks in braces: whether they are closed, and the commas in them.

use super::Builder;
use crate::mistakes::{self, CutOff};
use crate::syntax::{Node, NodeExt, Rule};
use crate::tokens::TokenKind;
use crate::{Span, SyntaxError};

impl Builder<'_> {
    /// Reports a block that isn't closed; `what` names it: "The map customers".
    pub(super) fn closed(&mut self, node: &Node<'_>, what: &str) {
        let Some(cut) = node.first(Rule::unclosed) else {
            return;
        };
        let error = self.unclosed(node.place(), cut.as_span().start(), what);
        self.report(error);
    }

    /// Reports commas that are missing or too many in a list.
    pub(super) fn commas(&mut self, node: &Node<'_>) {
        for child in node.clone().into_inner() {
            match child.as_rule() {
                Rule::stray_comma | Rule::last_comma => {
                    self.report(mistakes::stray_comma(child.place()));
                }
                Rule::missing_comma => {
                    let start = child.as_span().start();
                    let entry = self.token_at(start).unwrap_or(Span::at(start));
                    self.report(mistakes::missing_comma(entry));
                }
                _ => {}
            }
        }
    }

    /// Reports an item that follows another on its line.
    pub(super) fn missing_end(&mut self, start: usize) {
        let before = self.tokens.before(start).iter().rev();
        let mut gap = before.take_while(|token| !token.is_significant());
        if gap.all(|token| token.kind != TokenKind::LineBreak) {
            let word = self.token_at(start).unwrap_or(Span::at(start));
            self.report(mistakes::missing_end(word));
        }
    }

    fn unclosed(&self, block: Span, cut: usize, what: &str) -> SyntaxError {
        let brace = self.opening_brace(block);
        let cut_off = self.cut_off(cut);
        let mend = self.closing_brace(brace, cut);
        mistakes::unclosed_block(brace, what, cut_off, mend)
    }

    /// The first brace or bracket of a block.
    fn opening_brace(&self, block: Span) -> Span {
        let mut tokens = self.tokens.from(block.start).iter();
        let brace = tokens.find(|token| token.is(self.source, "{") || token.is(self.source, "["));
        brace.map_or(Span::at(block.start), |token| token.span)
    }

    fn cut_off(&self, cut: usize) -> CutOff {
        let Some(next) = self
            .tokens
            .from(cut)
            .iter()
            .find(|token| token.is_significant())
        else {
            return CutOff::EndOfFile;
        };
        let what = match next.text(self.source) {
            word @ ("entity" | "enum") => format!("the next {word}"),
            "map" | "schema" | "valuemap" | "fn" | "iso" | "lines" | "test" | "extend" | "use" => {
                "the next declaration".to_owned()
            }
            other => format!("`{other}`"),
        };
        CutOff::By {
            what,
            span: next.span,
            line: self.lines.line(next.span.start),
        }
    }

    /// Where a closing brace belongs, and how it is written there: behind the last line of the block, under the line
    /// that opens it.
    fn closing_brace(&self, brace: Span, cut: usize) -> (usize, String) {
        let closing = if brace.of(self.source) == "[" {
            "]"
        } else {
            "}"
        };
        let mut before = self.tokens.before(cut).iter().rev();
        let last = before.find(|token| token.is_significant());
        let content_end = last.map_or(cut, |token| token.span.end).max(brace.end);
        if self.lines.line(content_end) == self.lines.line(brace.start)
            && self.lines.line(cut) == self.lines.line(brace.start)
        {
            return (content_end, format!(" {closing}"));
        }
        let line_start = self.lines.start_of(self.lines.line(brace.start));
        let line = self.source.get(line_start..).unwrap_or_default();
        let indent = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
        let rest = self.source.get(content_end..).unwrap_or_default();
        let line_end = content_end + rest.find(['\r', '\n']).unwrap_or(rest.len());
        (line_end, format!("\n{indent}{closing}"))
    }

    fn token_at(&self, start: usize) -> Option<Span> {
        let mut tokens = self.tokens.from(start).iter();
        tokens
            .find(|token| token.is_significant())
            .map(|token| token.span)
    }
}
