//! What is printed: JSON for programs, tables and progress for people.

use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::exit::Failure;

/// Prints a value as one JSON document on standard output.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|e| Failure::Internal(e.to_string()))?;
    println!("{text}");
    Ok(())
}

/// Prints a value as one line of JSON on standard output.
pub(crate) fn json_line(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(|e| Failure::Internal(e.to_string()))?;
    println!("{text}");
    Ok(())
}

/// Sends the log to standard error: warnings, with `-v` what is done, with `-vv` everything.
pub(crate) fn start_logging(verbose: u8) {
    let level = match verbose {
        0 => tracing::Level::WARN,
        1 => tracing::Level::INFO,
        _ => tracing::Level::DEBUG,
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_ansi(colours(&std::io::stderr()))
        .with_target(false)
        .init();
}

/// Whether a stream wants colours: a terminal, and NO_COLOR isn't set.
pub(crate) fn colours(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// A table for people: columns as wide as they must be, numbers to the right.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = head
        .iter()
        .enumerate()
        .map(|(i, title)| {
            let cells = rows.iter().filter_map(|row| row.get(i));
            cells
                .map(|cell| cell.chars().count())
                .chain([title.chars().count()])
                .max()
                .unwrap_or(0)
        })
        .collect();
    let numeric: Vec<bool> = (0..head.len())
        .map(|i| {
            rows.iter()
                .filter_map(|row| row.get(i))
                .all(|cell| cell.is_empty() || cell.starts_with(|c: char| c.is_ascii_digit()))
        })
        .collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells
            .enumerate()
            .map(|(i, cell)| {
                let width = widths.get(i).copied().unwrap_or(0);
                if numeric.get(i).copied().unwrap_or(false) && i > 0 {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:<width$}")
                }
            })
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut text = line(&mut head.iter().copied());
    for row in rows {
        text.push('\n');
        text.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    text
}

/// A path as people write it: `maps/a.dwmap`, not `./maps/a.dwmap`.
pub(crate) fn plain(path: &Path) -> &Path {
    match path.strip_prefix(".") {
        Ok(rest) if !rest.as_os_str().is_empty() => rest,
        _ => path,
    }
}

/// `1 record`, `2 records`.
pub(crate) fn count(n: u64, what: &str) -> String {
    count_as(n, what, &format!("{what}s"))
}

/// `1 entry`, `2 entries`.
pub(crate) fn count_as(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// `999 bytes`, `12 kB`, `3.4 MB`, `1.2 GB`.
pub(crate) fn bytes(n: u64) -> String {
    match n {
        0..1_000 => format!("{n} bytes"),
        1_000..1_000_000 => format!("{} kB", n.div_ceil(1_000)),
        1_000_000..1_000_000_000 => format!("{:.1} MB", n as f64 / 1e6),
        _ => format!("{:.1} GB", n as f64 / 1e9),
    }
}

/// `850 ms`, `12.3 s`, `2 min 5 s`.
pub(crate) fn duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..60_000 => format!("{:.1} s", duration.as_secs_f64()),
        _ => format!("{} min {} s", millis / 60_000, millis / 1_000 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_line_up() {
        let rows = vec![
            vec!["customers".to_owned(), "2000".to_owned()],
            vec!["terms".to_owned(), "7".to_owned()],
        ];
        assert_eq!(
            table(&["map", "rows"], &rows),
            "map        rows\ncustomers  2000\nterms         7"
        );
    }

    #[test]
    fn sizes_read_well() {
        let sizes = [999, 1_001, 12_340_000, 1_200_000_000].map(bytes);
        assert_eq!(sizes, ["999 bytes", "2 kB", "12.3 MB", "1.2 GB"]);
    }

    #[test]
    fn durations_read_well() {
        let text = |millis| duration(Duration::from_millis(millis));
        assert_eq!(text(850), "850 ms");
        assert_eq!(text(12_340), "12.3 s");
        assert_eq!(text(125_000), "2 min 5 s");
    }
}
