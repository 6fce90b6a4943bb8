//! The demo, as the README tells people to run it.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use dwmap_tests::Project;
use serde_json::Value;

#[test]
fn the_demo_shows_every_scene_and_ends_without_a_difference() {
    let anywhere = Project::of(&[]);
    let (code, figures) = anywhere.json(&["demo", "--once", "--json", "--customers", "200"]);
    assert_eq!(code, Some(0), "{figures:#}");
    assert_eq!(figures["version"], 1);
    assert_eq!(figures["customers"], 200);
    assert_eq!(figures["differences"], 0);
    assert!(figures["rows_loaded"].as_u64() > Some(200), "{figures:#}");

    let scenes = figures["scenes"].as_array().expect("a list of scenes");
    assert!(scenes.len() >= 7, "{scenes:#?}");
    for scene in scenes {
        // A scene that isn't seen on the other side in time has no time.
        assert!(scene["ms"].is_u64(), "{scene:#}");
    }
    let outcome = |what: &str| {
        let scene = scenes
            .iter()
            .find(|s| s["what"].as_str().is_some_and(|w| w.contains(what)));
        scene
            .and_then(|s| s["outcome"].as_str())
            .unwrap_or_else(|| panic!("no scene of {what}: {scenes:#?}"))
    };
    assert!(outcome("at the same moment").contains("both sides"));
    assert!(outcome("no room").contains("R0101"));

    let verified = figures["verified"].as_array().expect("a list of maps");
    let customers = verified.iter().find(|v| v["map"] == "customers");
    let refused = customers.map(|v| &v["in_error_queue"]);
    assert_eq!(refused.and_then(Value::as_u64), Some(1), "{verified:#?}");
}

#[test]
fn the_demo_leaves_nothing_where_it_was_run() {
    let anywhere = Project::of(&[]);
    let output = anywhere.run(&["demo", "--once", "--customers", "20"]);
    assert!(output.status.success(), "{output:?}");
    let story = String::from_utf8(output.stdout).expect("the story is UTF-8");
    for word in [
        "dwmap plan",
        "dwmap sync --once",
        "dwmap run",
        "No difference.",
        "dwmap new",
    ] {
        assert!(story.contains(word), "no `{word}` in:\n{story}");
    }
    let left = std::fs::read_dir(anywhere.path()).expect("the folder reads");
    assert_eq!(left.count(), 0);
}
