//! How both services compare texts: without case, and without trailing blanks.
//!
//! Source (~): the default collations of their databases; "Filter rows using OData: all filters are case insensitive".

use std::cmp::Ordering;

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

/// The collation's name in SQL.
pub(crate) const NAME: &str = "service";
/// The function that folds a text for `LIKE` and `instr`.
pub(crate) const FOLD: &str = "service_fold";

/// Makes collation and function known to a connection.
pub(crate) fn register(connection: &Connection) -> rusqlite::Result<()> {
    connection.create_collation(NAME, compare)?;
    connection.create_scalar_function(
        FOLD,
        1,
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC,
        |context| Ok(context.get_raw(0).as_str_or_null().ok().flatten().map(fold)),
    )
}

/// The text by which it is compared.
pub(crate) fn fold(text: &str) -> String {
    text.trim_end_matches(' ')
        .chars()
        .flat_map(char::to_lowercase)
        .collect()
}

/// The services' order.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_end_matches(' '), b.trim_end_matches(' '));
    if a.is_ascii() && b.is_ascii() {
        return a
            .bytes()
            .map(|b| b.to_ascii_lowercase())
            .cmp(b.bytes().map(|b| b.to_ascii_lowercase()));
    }
    a.chars()
        .flat_map(char::to_lowercase)
        .cmp(b.chars().flat_map(char::to_lowercase))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn case_and_trailing_blanks_make_no_difference() {
        assert_eq!(compare("MÜLLER  ", "müller"), Ordering::Equal);
        assert_eq!(compare("US-010", "us-011"), Ordering::Less);
        assert_eq!(compare(" a", "a"), Ordering::Less);
    }

    proptest! {
        #[test]
        fn it_is_an_order(a in "[a-cA-CäÄ ]{0,4}", b in "[a-cA-CäÄ ]{0,4}", c in "[a-cA-CäÄ ]{0,4}") {
            prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
            if compare(&a, &b).is_le() && compare(&b, &c).is_le() {
                prop_assert!(compare(&a, &c).is_le());
            }
        }
    }
}
