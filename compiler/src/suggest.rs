//! Did you mean …?

/// The candidate that is nearest to `name`, if one is near enough to have been meant.
///
/// Case is forgiven first; then the edit distance (with transpositions) may be a third of the name's length.
/// Of equally near candidates the first in the alphabet is taken, so that messages hold still.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let lower = name.to_lowercase();
    let limit = (name.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&lower, &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn listed<S: AsRef<str>>(items: &[S], last: &str) -> String {
    match items {
        [] => String::new(),
        [only] => only.as_ref().to_owned(),
        [first @ .., end] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} {last} {}", first.join(", "), end.as_ref())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let names = ["CreditLimit", "CreditRating", "name"];
        assert_eq!(nearest("CreditLimt", names), Some("CreditLimit"));
        assert_eq!(nearest("creditlimit", names), Some("CreditLimit"));
        assert_eq!(nearest("Telephone", names), None);
        assert_eq!(nearest("nmae", names), Some("name"));
    }

    #[test]
    fn lists_read_like_a_sentence() {
        assert_eq!(listed(&["a"], "and"), "a");
        assert_eq!(listed(&["a", "b", "c"], "or"), "a, b or c");
    }
}
