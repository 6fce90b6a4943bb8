//! Many keys as few `$filter`s: what rows have in common is said once, and no filter grows beyond what a URL holds.

use std::collections::{BTreeMap, BTreeSet};

use dwmap_odata::url::encode;
use dwmap_plan::{Repr, Value};

use super::filter::Writer;
use super::value::Unfit;

/// How long a filter may grow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Bytes, percent-encoded.
    pub(crate) length_max: usize,
    /// Rows.
    pub(crate) rows_max: usize,
}

/// Filters that together find the rows whose `columns` hold one of `values`.
///
/// Rows differ mostly in one column, such as the account number, and share the rest, such as the company:
/// `a eq 'usmf' and (b eq '1' or b eq '2')`.
pub(crate) fn filters(
    writer: Writer<'_>,
    columns: &[(String, Repr)],
    values: &[Vec<Value>],
    bounds: Bounds,
) -> Result<Vec<String>, Unfit> {
    let mut rows = Vec::with_capacity(values.len());
    for row in values {
        let terms = columns.iter().zip(row).map(|((column, repr), value)| {
            if value.is_null() {
                return Err(Unfit(format!("a key of {column} is null")));
            }
            writer.equals(column, repr, value)
        });
        rows.push(terms.collect::<Result<Vec<String>, _>>()?);
    }
    let Some(own) = most_varied(columns.len(), &rows) else {
        return Ok(Vec::new());
    };
    let mut groups: BTreeMap<Vec<String>, BTreeSet<String>> = BTreeMap::new();
    for mut terms in rows {
        let term = terms.remove(own);
        groups.entry(terms).or_default().insert(term);
    }
    let mut packer = Packer::new(bounds);
    for (shared, terms) in groups {
        let shared = shared.join(" and ");
        for term in terms {
            packer.add(&shared, term);
        }
        packer.end_group(&shared);
    }
    Ok(packer.finish())
}

/// The column in which the rows differ most.
fn most_varied(columns: usize, rows: &[Vec<String>]) -> Option<usize> {
    let distinct = |at: &usize| rows.iter().map(|r| &r[*at]).collect::<BTreeSet<_>>().len();
    // Of equal ones the last, which in a key is the finest.
    (0..columns).max_by_key(distinct)
}

struct Packer {
    bounds: Bounds,
    filters: Vec<String>,
    /// The filter that is being filled: finished groups, joined.
    current: String,
    length: usize,
    rows: usize,
    /// The terms of the group that is being filled.
    terms: Vec<String>,
}

/// What a group's parentheses, `and` and the `or` before it take, encoded.
const GROUP_LENGTH: usize = 24;
/// What ` or ` takes, encoded.
const OR_LENGTH: usize = 8;

impl Packer {
    const fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            filters: Vec::new(),
            current: String::new(),
            length: 0,
            rows: 0,
            terms: Vec::new(),
        }
    }

    fn add(&mut self, shared: &str, term: String) {
        let opens = |packer: &Self| {
            if packer.terms.is_empty() {
                encode(shared).len() + GROUP_LENGTH
            } else {
                0
            }
        };
        let own = encode(&term).len() + OR_LENGTH;
        let full = self.rows > 0
            && (self.length + opens(self) + own > self.bounds.length_max
                || self.rows >= self.bounds.rows_max);
        if full {
            self.end_group(shared);
            self.end_filter();
        }
        self.length += opens(self) + own;
        self.rows += 1;
        self.terms.push(term);
    }

    fn end_group(&mut self, shared: &str) {
        if self.terms.is_empty() {
            return;
        }
        let terms = std::mem::take(&mut self.terms);
        let any = terms.join(" or ");
        let group = match (shared.is_empty(), terms.len()) {
            (true, _) => any,
            (false, 1) => format!("({shared} and {any})"),
            (false, _) => format!("({shared} and ({any}))"),
        };
        if !self.current.is_empty() {
            self.current.push_str(" or ");
        }
        self.current.push_str(&group);
    }

    fn end_filter(&mut self) {
        if !self.current.is_empty() {
            self.filters.push(std::mem::take(&mut self.current));
        }
        self.length = 0;
        self.rows = 0;
    }

    fn finish(mut self) -> Vec<String> {
        self.end_filter();
        self.filters
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dwmap_plan::Dialect;
    use proptest::prelude::*;

    const WRITER: Writer<'_> = Writer {
        dialect: Dialect::Finops,
        enums: &[],
    };
    const WIDE: Bounds = Bounds {
        length_max: 8000,
        rows_max: 100,
    };

    fn columns(names: &[&str]) -> Vec<(String, Repr)> {
        let column = |n: &&str| ((*n).to_owned(), Repr::Text);
        names.iter().map(column).collect()
    }

    fn keys(rows: &[&[&str]]) -> Vec<Vec<Value>> {
        let key = |row: &&[&str]| row.iter().map(|v| Value::from(*v)).collect();
        rows.iter().map(key).collect()
    }

    #[test]
    fn what_is_shared_is_said_once() {
        let keys = keys(&[
            &["usmf", "1"],
            &["usmf", "2"],
            &["demf", "1"],
            &["usmf", "1"],
        ]);
        let filters = filters(WRITER, &columns(&["co", "no"]), &keys, WIDE).unwrap();
        assert_eq!(
            filters,
            ["(co eq 'demf' and no eq '1') or (co eq 'usmf' and (no eq '1' or no eq '2'))"]
        );
    }

    #[test]
    fn one_column_needs_no_parentheses() {
        let filters = filters(WRITER, &columns(&["a"]), &keys(&[&["1"], &["2"]]), WIDE).unwrap();
        assert_eq!(filters, ["a eq '1' or a eq '2'"]);
    }

    #[test]
    fn no_keys_no_filters_and_null_is_no_key() {
        assert!(
            filters(WRITER, &columns(&["a"]), &[], WIDE)
                .unwrap()
                .is_empty()
        );
        assert!(filters(WRITER, &columns(&["a"]), &[vec![Value::Null]], WIDE).is_err());
    }

    proptest! {
        #[test]
        fn every_key_is_in_one_filter_within_the_bounds(
            rows in proptest::collection::btree_set(("[a-c]", "[ -~]{1,12}"), 1..60),
            length_max in 120_usize..600,
            rows_max in 1_usize..20,
        ) {
            let values: Vec<_> = rows
                .iter()
                .map(|(a, b)| vec![Value::from(a.as_str()), Value::from(b.as_str())])
                .collect();
            let bounds = Bounds { length_max, rows_max };
            let filters = filters(WRITER, &columns(&["co", "no"]), &values, bounds).unwrap();
            for filter in &filters {
                prop_assert!(encode(filter).len() <= length_max, "{filter}");
            }
            for (_, number) in &rows {
                let literal = dwmap_odata::Literal::text(number.as_str()).to_string();
                let (eq, ge) = (format!("no eq {literal}"), format!("no ge {literal}"));
                prop_assert!(filters.iter().any(|f| f.contains(&eq) || f.contains(&ge)));
            }
        }
    }
}
