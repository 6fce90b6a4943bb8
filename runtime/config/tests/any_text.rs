//! Whatever stands in the file: a manifest, or a mistake with its place in it. Never a panic.

use std::path::Path;

use dwmap_config::Manifest;
use proptest::prelude::*;

const EXAMPLE: &str = include_str!("../example.toml");

/// The example with one piece taken out and another put in.
fn mangled() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        Just("\"".to_owned()),
        Just("[env.test]\n".to_owned()),
        Just("= { kind = \"none\" }\n".to_owned()),
        Just("99999999999999999999".to_owned()),
        Just("1979-05-27".to_owned()),
        Just(String::new()),
    ];
    let length = EXAMPLE.chars().count();
    (0..length, 0..60_usize, piece).prop_map(|(at, taken, piece)| {
        let before = EXAMPLE.chars().take(at);
        let after = EXAMPLE.chars().skip(at + taken);
        before.chain(piece.chars()).chain(after).collect()
    })
}

proptest! {
    #[test]
    fn a_manifest_or_a_mistake_with_its_place(text in prop_oneof![mangled(), any::<String>()]) {
        if let Err(error) = Manifest::parse(Path::new("dwmap.toml"), &text, None) {
            let Some(place) = error.place() else {
                return Err(TestCaseError::fail(error.to_string()));
            };
            let line = text.split('\n').nth(place.line - 1);
            prop_assert!(line.is_some(), "{error}");
            let width = line.unwrap_or_default().chars().count();
            prop_assert!((1..=width + 1).contains(&place.column), "{error}");
        }
    }
}
