//! Values that nobody asked for: checked by JSON's grammar, and left.

use super::{Cursor, RowError, RowProblem};

const DEPTH_MAX: u32 = 128;

/// The open arrays and objects: a bit each, set for an object.
#[derive(Default)]
struct Nesting {
    objects: u128,
    depth: u32,
}

impl Cursor<'_> {
    /// Any value.
    pub(super) fn skip(&mut self) -> Result<(), RowError> {
        let mut nesting = Nesting::default();
        loop {
            self.blanks();
            match self.peek() {
                Some(open @ (b'{' | b'[')) => {
                    if nesting.depth == DEPTH_MAX {
                        return Err(self.error(RowProblem::TooDeep));
                    }
                    self.at += 1;
                    let object = open == b'{';
                    nesting.objects = nesting.objects << 1 | u128::from(object);
                    nesting.depth += 1;
                    self.blanks();
                    if self.peek() != Some(if object { b'}' } else { b']' }) {
                        if object {
                            self.skip_key()?;
                        }
                        continue;
                    }
                }
                _ => self.skip_scalar()?,
            }
            if self.close(&mut nesting)? {
                return Ok(());
            }
        }
    }

    /// What stands behind a value: true at the end of the outermost one.
    fn close(&mut self, nesting: &mut Nesting) -> Result<bool, RowError> {
        while nesting.depth > 0 {
            self.blanks();
            let object = nesting.objects & 1 == 1;
            match (self.peek(), object) {
                (Some(b','), _) => {
                    self.at += 1;
                    if object {
                        self.blanks();
                        self.skip_key()?;
                    }
                    return Ok(false);
                }
                (Some(b'}'), true) | (Some(b']'), false) => {
                    self.at += 1;
                    nesting.objects >>= 1;
                    nesting.depth -= 1;
                }
                (_, true) => return Err(self.expected("a comma or a closing brace")),
                (_, false) => return Err(self.expected("a comma or a closing bracket")),
            }
        }
        Ok(true)
    }

    fn skip_key(&mut self) -> Result<(), RowError> {
        self.string()?;
        self.blanks();
        self.take(b':', "a colon")
    }

    fn skip_scalar(&mut self) -> Result<(), RowError> {
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.number().map(drop),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            _ => Err(self.expected("a value")),
        }
    }

    /// `true`, `false` or `null`.
    pub(super) fn word(&mut self, word: &'static str) -> Result<(), RowError> {
        if self.bytes[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(())
        } else {
            Err(self.expected(word))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn skips(json: &str) -> bool {
        let mut cursor = Cursor::new(json);
        cursor.skip().is_ok() && {
            cursor.blanks();
            cursor.at == json.len()
        }
    }

    #[test]
    fn nesting_is_bounded() {
        assert!(skips(&("[".repeat(128) + &"]".repeat(128))));
        assert!(!skips(&("[".repeat(129) + &"]".repeat(129))));
        assert!(!skips(&"[".repeat(100_000)));
    }

    proptest! {
        #[test]
        fn accepts_exactly_what_serde_accepts(json in r#"([\[\]{}:, ]|"a"|"\\n"|1|-0\.5e3|01|null|true|nul|"){0,14}"#) {
            prop_assert_eq!(skips(&json), serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{}", json);
        }
    }
}
