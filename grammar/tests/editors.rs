//! The editors know the words of the language: no fewer, no others.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use serde_json::Value;

const PEST: &str = include_str!("../src/dwmap.pest");
const TEXTMATE: &str = include_str!("../editors/vscode/syntaxes/dwmap.tmLanguage.json");
const PACKAGE: &str = include_str!("../editors/vscode/package.json");
const LANGUAGE: &str = include_str!("../editors/vscode/language-configuration.json");

/// The words that stand in quotes in the grammar.
fn words_of_the_grammar() -> BTreeSet<String> {
    let rules = PEST
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let quoted = rules.flat_map(|line| line.split('"').skip(1).step_by(2));
    let is_word =
        |text: &&str| text.len() > 1 && text.starts_with(|c: char| c.is_ascii_lowercase());
    quoted.filter(is_word).map(str::to_owned).collect()
}

/// The words of one pattern: `\b(a|b|c)\b`.
fn words_of(textmate: &Value, pattern: &str) -> BTreeSet<String> {
    let text = textmate["repository"][pattern]["match"].as_str().unwrap();
    let list = text
        .strip_prefix("\\b(")
        .and_then(|rest| rest.strip_suffix(")\\b"))
        .unwrap();
    list.split('|').map(str::to_owned).collect()
}

#[test]
fn the_words_are_the_same() {
    let textmate: Value = serde_json::from_str(TEXTMATE).unwrap();
    let known: BTreeSet<String> = ["words", "types", "constants"]
        .iter()
        .flat_map(|pattern| words_of(&textmate, pattern))
        .collect();
    assert_eq!(known, words_of_the_grammar());
}

#[test]
fn what_the_grammar_includes_is_there() {
    let textmate: Value = serde_json::from_str(TEXTMATE).unwrap();
    for pattern in textmate["patterns"].as_array().unwrap() {
        let name = pattern["include"]
            .as_str()
            .and_then(|name| name.strip_prefix('#'))
            .unwrap();
        assert!(textmate["repository"].get(name).is_some(), "{name}");
    }
}

#[test]
fn the_extension_names_its_parts() {
    let package: Value = serde_json::from_str(PACKAGE).unwrap();
    let language: Value = serde_json::from_str(LANGUAGE).unwrap();
    let textmate: Value = serde_json::from_str(TEXTMATE).unwrap();
    let grammar = &package["contributes"]["grammars"][0];
    assert_eq!(grammar["scopeName"], textmate["scopeName"]);
    assert_eq!(grammar["path"], "./syntaxes/dwmap.tmLanguage.json");
    assert_eq!(
        package["contributes"]["languages"][0]["configuration"],
        "./language-configuration.json"
    );
    assert_eq!(language["comments"]["lineComment"], "//");
}
