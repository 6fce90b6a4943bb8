//! The tokens of a text: what the layout, the recovery and the formatter work on.

use pest::Parser as _;

use crate::Span;
use crate::syntax::{Rule, Syntax};

/// One token. Blanks are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Span,
}

/// The kinds of token; see `tokens` in the grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    LineBreak,
    Comment,
    /// A word or a name in backquotes.
    Word,
    String,
    /// A number, a date, an instant or a window of time.
    Number,
    Symbol,
    /// An arrow, in its right spelling or another.
    Arrow,
    /// A text without its closing quote.
    UnclosedString,
    /// A name without its closing backquote.
    UnclosedName,
    /// A text in quotes that aren't this language's.
    ForeignString,
    /// A name with letters that need backquotes.
    ForeignName,
    /// A character that begins no token.
    Stray,
}

impl Token {
    /// Its text.
    pub(crate) fn text<'s>(&self, source: &'s str) -> &'s str {
        self.span.of(source)
    }

    /// Whether it is this symbol or word.
    pub(crate) fn is(&self, source: &str, text: &str) -> bool {
        matches!(self.kind, TokenKind::Symbol | TokenKind::Word) && self.text(source) == text
    }

    /// Whether it carries meaning: no comment and no line break.
    pub(crate) fn is_significant(&self) -> bool {
        !matches!(self.kind, TokenKind::Comment | TokenKind::LineBreak)
    }

    /// Whether it is spelt in a way that is a mistake of its own.
    pub(crate) fn is_broken(&self) -> bool {
        matches!(
            self.kind,
            TokenKind::UnclosedString
                | TokenKind::UnclosedName
                | TokenKind::ForeignString
                | TokenKind::ForeignName
                | TokenKind::Stray
        )
    }

    /// Whether it is an arrow, right or wrong.
    pub(crate) fn is_arrow(&self) -> bool {
        self.kind == TokenKind::Arrow
    }
}

/// A text and its tokens, to be found by their offsets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tokens<'a> {
    pub(crate) source: &'a str,
    pub(crate) all: &'a [Token],
}

impl<'a> Tokens<'a> {
    /// How many tokens begin before an offset.
    fn count_before(self, offset: usize) -> usize {
        self.all.partition_point(|token| token.span.start < offset)
    }

    /// The tokens that begin before an offset.
    pub(crate) fn before(self, offset: usize) -> &'a [Token] {
        &self.all[..self.count_before(offset)]
    }

    /// The tokens that begin at an offset or behind it.
    pub(crate) fn from(self, offset: usize) -> &'a [Token] {
        &self.all[self.count_before(offset)..]
    }

    /// The tokens that begin in a span.
    pub(crate) fn within(self, span: Span) -> &'a [Token] {
        let first = self.count_before(span.start);
        &self.all[first..self.count_before(span.end).max(first)]
    }

    /// The first symbol of this kind in a span.
    pub(crate) fn symbol(self, span: Span, symbol: &str) -> Option<Span> {
        let mut within = self.within(span).iter();
        within
            .find(|token| token.is(self.source, symbol))
            .map(|token| token.span)
    }

    /// Whether the line of an offset begins there.
    pub(crate) fn begins_line(self, offset: usize) -> bool {
        self.before(offset)
            .last()
            .is_none_or(|token| token.kind == TokenKind::LineBreak)
    }

    /// Whether a line break stands in a span.
    pub(crate) fn has_line_break(self, span: Span) -> bool {
        self.within(span)
            .iter()
            .any(|token| token.kind == TokenKind::LineBreak)
    }

    /// Whether a line without any token stands in a span.
    pub(crate) fn has_empty_line(self, span: Span) -> bool {
        let mut pairs = self.within(span).windows(2);
        pairs.any(|pair| pair.iter().all(|token| token.kind == TokenKind::LineBreak))
    }
}

/// Splits a text. A byte order mark at its beginning is no token.
pub(crate) fn tokenize(source: &str) -> Vec<Token> {
    let body = source.trim_start_matches('\u{feff}');
    let offset = source.len() - body.len();
    // `tokens` takes any text: its last choice is any character.
    let Ok(pairs) = Syntax::parse(Rule::tokens, body) else {
        return Vec::new();
    };
    pairs
        .flat_map(pest::iterators::Pair::into_inner)
        .filter_map(|pair| {
            let kind = kind_of(pair.as_rule())?;
            let span = pair.as_span();
            let span = Span::new(span.start() + offset, span.end() + offset);
            Some(Token { kind, span })
        })
        .collect()
}

fn kind_of(rule: Rule) -> Option<TokenKind> {
    Some(match rule {
        Rule::line_break => TokenKind::LineBreak,
        Rule::comment => TokenKind::Comment,
        Rule::ident => TokenKind::Word,
        Rule::string => TokenKind::String,
        Rule::digits | Rule::date | Rule::datetime | Rule::window_token => TokenKind::Number,
        Rule::symbol => TokenKind::Symbol,
        Rule::right_arrow | Rule::wrong_arrow => TokenKind::Arrow,
        Rule::unclosed_string => TokenKind::UnclosedString,
        Rule::unclosed_name => TokenKind::UnclosedName,
        Rule::foreign_string => TokenKind::ForeignString,
        Rule::foreign_name => TokenKind::ForeignName,
        Rule::stray => TokenKind::Stray,
        _ => return None,
    })
}

/// Whether a text that begins with a quote ends with one that isn't escaped.
pub(crate) fn is_closed_text(text: &str) -> bool {
    let Some(inner) = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    else {
        return false;
    };
    let backslashes = inner.len() - inner.trim_end_matches('\\').len();
    backslashes % 2 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(source: &str) -> Vec<TokenKind> {
        tokenize(source).iter().map(|token| token.kind).collect()
    }

    #[test]
    fn arrows_are_one_token() {
        let source = "a<-1 b<->c x <- -1";
        let texts: Vec<&str> = tokenize(source)
            .iter()
            .map(|token| token.text(source))
            .collect();
        assert_eq!(
            texts,
            ["a", "<-", "1", "b", "<->", "c", "x", "<-", "-", "1"]
        );
    }

    #[test]
    fn broken_tokens_end_with_their_line() {
        assert_eq!(
            kinds("\"abc\nd"),
            [
                TokenKind::UnclosedString,
                TokenKind::LineBreak,
                TokenKind::Word
            ]
        );
        assert_eq!(
            kinds("`abc\nd"),
            [
                TokenKind::UnclosedName,
                TokenKind::LineBreak,
                TokenKind::Word
            ]
        );
        assert_eq!(
            kinds("'abc' “d”"),
            [TokenKind::ForeignString, TokenKind::ForeignString]
        );
    }

    #[test]
    fn a_comment_holds_quotes() {
        assert_eq!(
            kinds("a // don't \"\r\nb"),
            [
                TokenKind::Word,
                TokenKind::Comment,
                TokenKind::LineBreak,
                TokenKind::Word
            ]
        );
    }
}
