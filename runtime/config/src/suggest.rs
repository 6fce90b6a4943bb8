//! Did you mean …?

use std::fmt;

/// What could stand in the place of a word that isn't known. Shown as the end of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    /// The one that was probably meant.
    pub suggestion: Option<String>,
    /// All of them, in the order in which they are best read.
    pub known: Vec<String>,
}

impl Choices {
    /// What could stand for `word`.
    pub(crate) fn of<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<String> = known.into_iter().map(str::to_owned).collect();
        Self {
            suggestion: closest(word, &known).cloned(),
            known,
        }
    }
}

impl fmt::Display for Choices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(word) = &self.suggestion {
            return write!(f, "did you mean `{word}`?");
        }
        match self.known.as_slice() {
            [] => f.write_str("there is none"),
            [only] => write!(f, "there is only `{only}`"),
            known => write!(f, "there are `{}`", known.join("`, `")),
        }
    }
}

/// The one that `word` most likely stands for: close by edit distance, or none.
fn closest<'a>(word: &str, known: &'a [String]) -> Option<&'a String> {
    let limit = (word.chars().count() / 3).max(1);
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_offered_and_a_stranger_is_not() {
        let offer = |word| Choices::of(word, ["tenant", "client_id"]).to_string();
        assert_eq!(offer("tennant"), "did you mean `tenant`?");
        assert_eq!(offer("clientid"), "did you mean `client_id`?");
        assert_eq!(offer("colour"), "there are `tenant`, `client_id`");
        assert_eq!(Choices::of("x", []).to_string(), "there is none");
    }
}
