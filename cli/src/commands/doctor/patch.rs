//! A unified diff of lines that are put into a text, or make a new one.

use std::fmt::Write as _;

/// Lines around a change, as `diff -u` shows them.
const CONTEXT: usize = 3;

/// Lines that are put into a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Insertion {
    /// Behind how many of its lines.
    pub(super) after: usize,
    /// The lines.
    pub(super) lines: Vec<String>,
}

/// The diff of a file that gains lines.
pub(super) fn into_file(path: &str, text: &str, mut insertions: Vec<Insertion>) -> String {
    insertions.sort_by_key(|insertion| insertion.after);
    let old: Vec<&str> = text.lines().collect();
    let mut diff = format!("--- a/{path}\n+++ b/{path}\n");
    let mut added = 0;
    // Changes whose surroundings touch stand in one hunk.
    for hunk in insertions.chunk_by(|a, b| b.after - a.after <= 2 * CONTEXT) {
        let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else {
            continue;
        };
        let from = first.after.saturating_sub(CONTEXT);
        let to = (last.after + CONTEXT).min(old.len());
        let new: usize = hunk.iter().map(|i| i.lines.len()).sum();
        let _ = writeln!(
            diff,
            "@@ -{},{} +{},{} @@",
            from + 1,
            to - from,
            from + 1 + added,
            to - from + new
        );
        added += new;
        let mut at = from;
        for insertion in hunk {
            kept(&mut diff, &old[at..insertion.after]);
            at = insertion.after;
            for line in &insertion.lines {
                let _ = writeln!(diff, "+{line}");
            }
        }
        kept(&mut diff, &old[at..to]);
    }
    diff
}

/// The diff of a file that isn't there yet.
pub(super) fn new_file(path: &str, lines: &[String]) -> String {
    let mut diff = format!(
        "--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{} @@\n",
        lines.len()
    );
    for line in lines {
        let _ = writeln!(diff, "+{line}");
    }
    diff
}

fn kept(diff: &mut String, lines: &[&str]) {
    for line in lines {
        let _ = writeln!(diff, " {line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn insertions_near_one_another_share_a_hunk() {
        let text = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n";
        let put = |after, line: &str| Insertion {
            after,
            lines: vec![line.to_owned()],
        };
        let diff = into_file("f", text, vec![put(14, "c"), put(2, "a"), put(4, "b")]);
        let expected = "--- a/f\n+++ b/f\n@@ -1,7 +1,9 @@\n 1\n 2\n+a\n 3\n 4\n+b\n 5\n 6\n 7\n\
                        @@ -12,5 +14,6 @@\n 12\n 13\n 14\n+c\n 15\n 16\n";
        assert_eq!(diff, expected);
    }
}
