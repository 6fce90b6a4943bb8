//! Puts a text into its usual form.
//!
//! The formatter works on tokens: it never adds, drops, splits or joins one, nor a line, but for `;` at a line's end
//! and blank lines. What it sets is what stands between tokens: blanks by [`spacing`], indentation by [`indent`], and
//! columns by [`columns`], of which the tree tells it ([`marks`]). So it can't change what a text means, nor lose a comment.

mod columns;
mod indent;
mod marks;
mod runs;
mod spacing;
mod write;

use crate::tokens::{Tokens, tokenize};
use crate::{SyntaxError, parse};

/// The text in its usual form: the arrows of adjoining lines under each other, items indented by two blanks, at most
/// one empty line in a row. Formatting twice is formatting once.
///
/// # Errors
/// The mistakes of a text that can't be read whole; such a text is better mended first.
///
/// ```
/// let text = "valuemap Sex: text<->text {\n\"M\"<->\"male\"\n\"F\" ->   \"female\"\n}";
/// let formatted = dwmap_grammar::format(text)?;
/// assert_eq!(formatted, "valuemap Sex: text <-> text {\n  \"M\" <-> \"male\"\n  \"F\"  -> \"female\"\n}\n");
/// # Ok::<(), Vec<dwmap_grammar::SyntaxError>>(())
/// ```
pub fn format(source: &str) -> Result<String, Vec<SyntaxError>> {
    let parsed = parse(source);
    if !parsed.errors.is_empty() {
        return Err(parsed.errors);
    }
    let tokens = tokenize(source);
    let tokens = Tokens {
        source,
        all: &tokens,
    };
    let marks = marks::Marks::of(tokens, &parsed.file);
    Ok(write::write(tokens, &marks))
}
