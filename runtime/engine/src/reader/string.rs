//! JSON strings: found many bytes at a time, decoded only where they hold an escape.

use super::{Cursor, RowError, RowProblem};

/// A string's content, between its quotes.
#[derive(Clone, Copy)]
pub(super) struct Token {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) escaped: bool,
}

/// How many bytes are looked at before the first branch: most texts are shorter, so that the branch is foreseen.
const STRIDE: usize = 32;

/// Whether a byte is a quote, a backslash or a control character.
#[inline]
const fn is_special(b: u8) -> bool {
    b == b'"' || b == b'\\' || b < 0x20
}

/// A bit for each byte that is special, the first byte's the lowest.
#[inline]
fn specials(bytes: &[u8; STRIDE]) -> u32 {
    // Flags of a byte each are made for many at once; the product moves eight of them side by side.
    let mut flags = [0; STRIDE];
    for (flag, b) in flags.iter_mut().zip(bytes) {
        *flag = u8::from(*b == b'"') | u8::from(*b == b'\\') | u8::from(*b < 0x20);
    }
    let words = flags.as_chunks::<8>().0.iter().zip([0, 8, 16, 24]);
    words.fold(0, |bits, (word, shift)| {
        let side_by_side = u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        bits | (side_by_side as u32) << shift
    })
}

/// The next quote, backslash or control character from `at` on, or the end.
#[inline]
fn next_special(bytes: &[u8], mut at: usize) -> usize {
    let (chunks, rest) = bytes.get(at..).unwrap_or_default().as_chunks::<STRIDE>();
    for chunk in chunks {
        let found = specials(chunk);
        if found != 0 {
            return at + found.trailing_zeros() as usize;
        }
        at += STRIDE;
    }
    let special = rest.iter().position(|b| is_special(*b));
    at + special.unwrap_or(rest.len())
}

impl Cursor<'_> {
    /// A string, from its opening quote on.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Token, RowError> {
        if let Some(token) = self.plain_string() {
            return Ok(token);
        }
        self.any_string()
    }

    /// A string without an escape; where there is none, nothing is taken.
    #[inline]
    pub(super) fn plain_string(&mut self) -> Option<Token> {
        if self.peek() != Some(b'"') {
            return None;
        }
        let from = self.at + 1;
        let to = next_special(self.bytes, from);
        (self.bytes.get(to) == Some(&b'"')).then(|| {
            self.at = to + 1;
            let escaped = false;
            Token { from, to, escaped }
        })
    }

    fn any_string(&mut self) -> Result<Token, RowError> {
        self.take(b'"', "a string")?;
        let from = self.at;
        let mut escaped = false;
        loop {
            self.at = next_special(self.bytes, self.at);
            match self.peek() {
                Some(b'"') => {
                    let to = self.at;
                    self.at += 1;
                    return Ok(Token { from, to, escaped });
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => {
                    return Err(self.expected("an escape in place of a control character"));
                }
                None => return Err(self.expected("a closing quote")),
            }
        }
    }

    /// An escape, from its backslash on: the character that it stands for.
    fn escape(&mut self) -> Result<char, RowError> {
        let kind = self.bytes.get(self.at + 1).copied();
        let simple = match kind {
            Some(c @ (b'"' | b'\\' | b'/')) => c,
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => return self.unicode_escape(),
            _ => return Err(self.expected("an escape that JSON knows")),
        };
        self.at += 2;
        Ok(char::from(simple))
    }

    /// `\uXXXX`, or two of them for a character beyond 16 bits.
    fn unicode_escape(&mut self) -> Result<char, RowError> {
        let high = self.hex(self.at + 2)?;
        let code = match high {
            0xD800..0xDC00 if self.bytes.get(self.at + 6..self.at + 8) == Some(b"\\u") => {
                let low = self.hex(self.at + 8)?;
                if !(0xDC00..0xE000).contains(&low) {
                    return Err(self.error(RowProblem::LoneSurrogate));
                }
                self.at += 6;
                0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00)
            }
            code => code,
        };
        let c = char::from_u32(code).ok_or_else(|| self.error(RowProblem::LoneSurrogate))?;
        self.at += 6;
        Ok(c)
    }

    fn hex(&self, at: usize) -> Result<u32, RowError> {
        let digits = self
            .bytes
            .get(at..at + 4)
            .ok_or_else(|| self.expected("four hexadecimal digits"))?;
        digits.iter().try_fold(0, |code, digit| {
            let digit = char::from(*digit)
                .to_digit(16)
                .ok_or_else(|| self.expected("four hexadecimal digits"))?;
            Ok(code << 4 | digit)
        })
    }

    /// Appends the decoded content of a string that has been read already.
    pub(super) fn decode(&self, token: Token, into: &mut String) -> Result<(), RowError> {
        let mut inner = Cursor {
            text: self.text,
            bytes: &self.bytes[..token.to],
            at: token.from,
        };
        loop {
            let from = inner.at;
            inner.at = next_special(inner.bytes, from);
            into.push_str(inner.slice(from, inner.at));
            if inner.at >= token.to {
                return Ok(());
            }
            into.push(inner.escape()?);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(json: &str) -> Result<String, RowError> {
        let mut cursor = Cursor::new(json);
        let token = cursor.string()?;
        let mut text = String::new();
        cursor.decode(token, &mut text)?;
        Ok(text)
    }

    #[test]
    fn lone_surrogates_and_bad_escapes_are_errors() {
        for json in [r#""\ud800""#, r#""\udc00""#, r#""\ud800\u0041""#] {
            assert_eq!(
                read(json).map_err(|e| e.problem),
                Err(RowProblem::LoneSurrogate),
                "{json}"
            );
        }
        for json in [
            r#""\x""#,
            r#""\u12""#,
            "\"a\nb\"",
            r#""abc"#,
            "\"abcdefghij\u{1}\"",
        ] {
            assert!(read(json).is_err(), "{json}");
        }
        assert_eq!(read(r#""\ud83d\ude00\n""#).unwrap(), "😀\n");
    }

    proptest! {
        #[test]
        fn reads_what_serde_writes(text in any::<String>()) {
            prop_assert_eq!(read(&serde_json::to_string(&text).unwrap()).unwrap(), text);
        }

        #[test]
        fn accepts_what_serde_accepts(json in r#""[a\\\\"u0-9dD\n\u{e9}]{0,12}"?"#) {
            let ours = read(&json).ok();
            if let Ok(theirs) = serde_json::from_str::<String>(&json) {
                prop_assert_eq!(ours, Some(theirs));
            }
        }
    }
}
