//! Whatever is broken in a state is found at its place.

use std::path::PathBuf;

use super::*;

/// A state with something of everything, in a folder of its own.
fn state() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let stored = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/states/v1.sqlite");
    std::fs::copy(stored, &path).unwrap();
    drop(SqliteStore::open(&path).unwrap());
    (folder, path)
}

/// What is found once this was done to a state.
fn found_after(sql: &str) -> Vec<Flaw> {
    let (_folder, path) = state();
    let connection = Connection::open(&path).unwrap();
    assert!(connection.execute(sql, []).unwrap() > 0, "{sql}");
    drop(connection);
    SqliteStore::check(&path).unwrap().flaws
}

#[test]
fn a_sound_state_has_no_flaw() {
    let (_folder, path) = state();
    let sound = Checked {
        schema: SCHEMA,
        links: 4,
        marks: 5,
        intents: 4,
        entries: 16,
        flaws: Vec::new(),
        unlisted: 0,
    };
    assert_eq!(SqliteStore::check(&path).unwrap(), sound);
}

#[test]
fn whatever_is_broken_is_found_at_its_place() {
    let unreadable = "what is stored of it can't be read";
    let broken = [
        (
            "UPDATE maps SET mode = 9 WHERE id = 1",
            "map customers",
            "where it stands can't be read",
        ),
        (
            "UPDATE maps SET load_phase = 9 WHERE id = 2",
            "map vendors",
            "where it stands can't be read",
        ),
        (
            "DELETE FROM maps WHERE name = 'customers'",
            "link of map 1 usmf us-001",
            "its map isn't known",
        ),
        (
            "DELETE FROM layouts WHERE id = 1",
            "link customers usmf us-001",
            "nothing says of which lines its bases are",
        ),
        (
            "UPDATE links SET left_record = (SELECT pair FROM links WHERE flags & 1 LIMIT 1) WHERE state = 2",
            "link customers usmf us-003",
            "another link has its left record as well",
        ),
        (
            "UPDATE links SET moved = 1001 WHERE state = 1",
            "link customers usmf us-001",
            "its bases moved at a sequence number that nobody has taken yet",
        ),
        (
            "UPDATE links SET state = 9 WHERE state = 2",
            "link customers usmf us-003",
            unreadable,
        ),
        (
            "UPDATE links SET bases = x'ff' WHERE state = 1",
            "link customers usmf us-001",
            unreadable,
        ),
        (
            "UPDATE links SET bases = 'text' WHERE state = 1",
            "link customers usmf us-001",
            unreadable,
        ),
        (
            "UPDATE links SET pair = x'ff' WHERE state = 2",
            "link customers [ff]",
            unreadable,
        ),
        (
            "UPDATE links SET left_record = x'ff' WHERE state = 2",
            "link customers usmf us-003",
            unreadable,
        ),
        (
            "UPDATE marks SET cause = 9 WHERE cause = 4",
            "mark customers us-014",
            unreadable,
        ),
        (
            "UPDATE marks SET error = '{' WHERE cause = 3",
            "mark customers us-012",
            unreadable,
        ),
        (
            "UPDATE marks SET missing_key = NULL WHERE cause = 2",
            "mark customers us-013",
            "it is parked, and nothing says on what",
        ),
        (
            "UPDATE marks SET generation = 5000 WHERE cause = 0",
            "mark customers us-010",
            "its generation is a sequence number that nobody has taken yet",
        ),
        (
            "UPDATE marks SET map = 77 WHERE cause = 0",
            "mark of map 77 us-010",
            "its map isn't known",
        ),
        (
            "UPDATE intents SET lines = x'00' WHERE kind = 1",
            "intent customers usmf us-022",
            unreadable,
        ),
        (
            "UPDATE intents SET kind = 9 WHERE kind = 1",
            "intent customers usmf us-022",
            unreadable,
        ),
        (
            "UPDATE activity SET kind = 99 WHERE kind = 3",
            "log customers usmf us-001",
            unreadable,
        ),
        (
            "UPDATE feed_ids SET record = x'ff' WHERE of_set = (SELECT id FROM sets WHERE system = 'dv')",
            "feed accounts of dv",
            "a record that it names can't be read",
        ),
        (
            "DELETE FROM sets WHERE system = 'dv'",
            "feed ? of ?",
            "a record is named by a set that isn't known",
        ),
        (
            "DELETE FROM meta WHERE name = 'sequence'",
            "file",
            "the sequence number is lost",
        ),
    ];
    for (sql, place, what) in broken {
        let flaw = Flaw {
            place: place.to_owned(),
            what: what.to_owned(),
        };
        let found = found_after(sql);
        assert!(found.contains(&flaw), "{sql}: {found:#?}");
    }
}

#[test]
fn flaws_beyond_a_number_are_counted() {
    let (_folder, path) = state();
    let connection = Connection::open(&path).unwrap();
    let many = "WITH n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 150)
        INSERT INTO activity (at, map, pair, record, kind, detail) SELECT n, 77, x'', '', 0, '' FROM n";
    connection.execute(many, []).unwrap();
    drop(connection);
    let found = SqliteStore::check(&path).unwrap();
    assert_eq!((found.flaws.len(), found.unlisted), (LISTED_MAX, 50));
}

#[test]
fn a_page_that_is_damaged_is_found() {
    let (_folder, path) = state();
    let pages = std::fs::read(&path).unwrap().len() / 4096;
    for page in 1..pages {
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[page * 4096..(page + 1) * 4096].fill(0xa5);
        let damaged = path.with_extension("damaged");
        std::fs::write(&damaged, bytes).unwrap();
        let found = SqliteStore::check(&damaged).unwrap();
        assert_ne!(found.flaws, [], "page {page}");
    }
}

#[test]
fn what_is_no_state_has_a_flaw_and_no_state_at_all_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    assert!(matches!(
        SqliteStore::check(&path),
        Err(StateError::Absent { .. })
    ));
    std::fs::write(&path, vec![7; 8192]).unwrap();
    let found = SqliteStore::check(&path).unwrap();
    assert!(
        found.flaws[0]
            .what
            .contains("state.db: file is not a database"),
        "{found:?}"
    );
}
