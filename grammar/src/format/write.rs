//! Writes the tokens, line by line.

use super::indent::{Indent, LineStart, Style};
use super::marks::Marks;
use super::spacing;
use crate::tokens::{Token, TokenKind, Tokens};

/// The text that the tokens make with the marks' columns.
pub(super) fn write(tokens: Tokens<'_>, marks: &Marks) -> String {
    let source = tokens.source;
    let mut writer = Writer {
        source,
        marks,
        indent: Indent::default(),
        out: String::new(),
    };
    let lines = tokens.all.split(|token| token.kind == TokenKind::LineBreak);
    let mut empty = false;
    for line in lines {
        let line = without_last_semicolons(source, line);
        if line.is_empty() {
            empty = true;
            continue;
        }
        if empty && !writer.at_block_edge(&line) {
            writer.out.push('\n');
        }
        empty = false;
        writer.line(&line);
    }
    if source.contains("\r\n") {
        writer.out.replace('\n', "\r\n")
    } else {
        writer.out
    }
}

/// `;` ends an item as the line's end does.
fn without_last_semicolons(source: &str, line: &[Token]) -> Vec<Token> {
    let mut line = line.to_vec();
    let comment = line.pop_if(|token| token.kind == TokenKind::Comment);
    while line.pop_if(|token| token.is(source, ";")).is_some() {}
    line.extend(comment);
    line
}

struct Writer<'a> {
    source: &'a str,
    marks: &'a Marks,
    indent: Indent,
    out: String,
}

impl Writer<'_> {
    /// Whether no empty line belongs before this one: the file or a block begins or ends here.
    fn at_block_edge(&self, line: &[Token]) -> bool {
        let ends = line.first().is_some_and(|token| token.is(self.source, "}"));
        self.out.is_empty() || self.out.ends_with("{\n") || ends
    }

    fn line(&mut self, line: &[Token]) {
        let Some(first) = line.first() else { return };
        let begin = self.indent.of_line(self.line_start(first));
        let line_begin = self.out.len();
        self.out.extend(std::iter::repeat_n(' ', begin));
        for (at, token) in line.iter().enumerate() {
            if token.kind == TokenKind::Comment {
                self.comment(token, at, line_begin);
                continue;
            }
            if at > 0 {
                let blanks = self.blanks_before(line, at);
                self.out.extend(std::iter::repeat_n(' ', blanks));
            }
            self.out.push_str(&self.spelling(token));
            self.bracket(line, at, begin, line_begin);
        }
        self.out.push('\n');
    }

    fn line_start(&self, first: &Token) -> LineStart {
        let text = first.text(self.source);
        if first.kind == TokenKind::Comment || first.is_arrow() {
            LineStart::Item
        } else if matches!(text, "}" | ")" | "]") {
            LineStart::Close
        } else if self.marks.starts.contains(&first.span.start) {
            LineStart::Item
        } else {
            LineStart::Rest
        }
    }

    fn blanks_before(&self, line: &[Token], at: usize) -> usize {
        let token = &line[at];
        let previous = &line[at - 1];
        let solid = |token: &Token| {
            let around = self
                .marks
                .solid
                .partition_point(|span| span.end < token.span.end);
            self.marks
                .solid
                .get(around)
                .filter(|span| span.start <= token.span.start)
                .copied()
        };
        if let Some(span) = solid(token).filter(|span| span.start < token.span.start) {
            return usize::from(span.start > previous.span.start);
        }
        let before = at.checked_sub(2).map(|at| &line[at]);
        let usual = spacing::blanks(self.source, before, previous, token);
        self.marks
            .pads
            .get(&token.span.start)
            .copied()
            .unwrap_or(usual)
    }

    /// A token as it is written, but for blanks in it.
    fn spelling(&self, token: &Token) -> String {
        let text = token.text(self.source);
        if token.kind == TokenKind::Number {
            return text.replace([' ', '\t'], "");
        }
        text.to_owned()
    }

    /// A comment behind others keeps its column where it can, and has two blanks before it.
    fn comment(&mut self, token: &Token, at: usize, line_begin: usize) {
        if at > 0 {
            let column = self.out[line_begin..].chars().count();
            let source_line = self.source[..token.span.start]
                .rfind('\n')
                .map_or(0, |end| end + 1);
            let before = &self.source[source_line..token.span.start];
            let wanted = before.trim_start_matches('\u{feff}').chars().count();
            let blanks = wanted.saturating_sub(column).max(2);
            self.out.extend(std::iter::repeat_n(' ', blanks));
        }
        self.out.push_str(token.text(self.source).trim_end());
    }

    fn bracket(&mut self, line: &[Token], at: usize, begin: usize, line_begin: usize) {
        match line[at].text(self.source) {
            _ if line[at].kind != TokenKind::Symbol => {}
            opening @ ("{" | "(" | "[") => {
                let next = line
                    .get(at + 1)
                    .filter(|next| next.kind != TokenKind::Comment);
                let style = match (opening == "(" || self.is_hanging(&line[at]), next) {
                    (true, Some(_)) => Style::Hanging,
                    (true, None) => Style::Inset,
                    (false, _) => Style::Block,
                };
                let blank = usize::from(opening != "(");
                let column = self.out[line_begin..].chars().count() + blank;
                self.indent.open(style, begin, column);
            }
            "}" | ")" | "]" => self.indent.close(),
            _ => {}
        }
    }

    fn is_hanging(&self, token: &Token) -> bool {
        let at = self
            .marks
            .hanging
            .partition_point(|span| span.end < token.span.end);
        self.marks
            .hanging
            .get(at)
            .is_some_and(|span| span.start <= token.span.start)
    }
}
