//! Plans that the process goes on with: the same map with a line less, or with one that says something else.

use std::path::{Path, PathBuf};

use dwmap_plan::{LineId, Plan};

use crate::lines::LINES;
use crate::plan::{ALL_LINES, Knobs, plan};

/// The lines of each plan, besides the key; the first is the whole one, which everything ends with.
const VARIANTS: [&[&str]; 4] = [
    ALL_LINES,
    &[
        "Name",
        "Alias",
        "CreditLimit",
        "City",
        "OnHold",
        "Group",
        "PartyType",
    ],
    &["Name", "Alias", "Terms", "OnHold", "Group", "PartyType"],
    &[
        "Name",
        crate::plan::PLAIN_ALIAS,
        "CreditLimit",
        "Terms",
        "City",
        "OnHold",
        "Group",
        "PartyType",
    ],
];

/// How many there are.
pub(crate) const COUNT: usize = VARIANTS.len();

/// A plan of a map.
pub(crate) fn variant(knobs: &Knobs, at: usize) -> Plan {
    plan(&Knobs {
        lines: VARIANTS[at],
        ..*knobs
    })
}

/// The lines, by their places among those that users edit, that a plan has and another hasn't, or has otherwise.
pub(crate) fn new_lines(knobs: &Knobs, from: usize, to: usize) -> Vec<usize> {
    let meanings = |at: usize| -> Vec<(String, LineId)> {
        let map = &variant(knobs, at).maps[0];
        let lefts = map.lines.iter().map(|line| line.left.clone());
        lefts.zip(map.meanings()).collect()
    };
    let (before, after) = (meanings(from), meanings(to));
    let new = after.iter().filter(|line| !before.contains(line));
    new.filter_map(|(left, _)| {
        LINES
            .iter()
            .position(|line| line.column(dwmap_plan::Side::Left) == left)
    })
    .collect()
}

/// The file of a plan, for a process that is told to go on with it.
pub(crate) fn file(knobs: &Knobs, at: usize) -> PathBuf {
    let bytes = dwmap_plan::encode(&variant(knobs, at)).unwrap();
    let name = format!("{}-{at}.plan", &blake3::hash(&bytes).to_hex()[..16]);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if !path.exists() {
        // Other scenarios may want it at the same time.
        let draft = tempfile::NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        std::fs::write(draft.path(), &bytes).unwrap();
        draft.persist(&path).unwrap();
    }
    path
}

/// Which plan a file holds.
pub(crate) fn of_file(path: &Path) -> usize {
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let at = stem.and_then(|stem| stem.rsplit_once('-')?.1.parse().ok());
    at.unwrap_or_else(|| panic!("{} is no plan of ours", path.display()))
}

#[test]
fn each_plan_is_sound_and_says_something_else() {
    let knobs = crate::scenario::Scenario::named("calm").knobs();
    for at in 0..COUNT {
        let plan = variant(&knobs, at);
        let bytes = dwmap_plan::encode(&plan).unwrap();
        assert_eq!(dwmap_plan::decode(&bytes).unwrap().1, plan);
        assert_eq!(new_lines(&knobs, at, 0).is_empty(), at == 0);
    }
}
