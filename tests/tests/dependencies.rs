//! Holds the rules of `deny.toml` for every dependency: its licence, its source, and the crates that are banned.

#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::path::Path;

use cargo_metadata::MetadataCommand;

struct Rules {
    licences: Vec<String>,
    banned: Vec<String>,
}

fn rules() -> Rules {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deny.toml");
    let text = std::fs::read_to_string(path).expect("deny.toml is there");
    let table: toml::Table = text.parse().expect("deny.toml is TOML");
    let texts = |value: &toml::Value| {
        value
            .as_array()
            .expect("a list")
            .iter()
            .map(|v| v.as_str().expect("a text").to_owned())
            .collect()
    };
    Rules {
        licences: texts(&table["licenses"]["allow"]),
        banned: table["bans"]["deny"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|b| b["name"].as_str().expect("a name").to_owned())
            .collect(),
    }
}

/// Whether an SPDX expression is satisfied: `OR` binds weaker than `AND`, parentheses group, `/` is an old `OR`.
fn satisfied(expression: &str, allowed: &[String]) -> bool {
    let expression = expression.replace('/', " OR ");
    let tokens: Vec<String> = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    fn any(tokens: &[String], at: &mut usize, allowed: &[String]) -> bool {
        let mut result = all(tokens, at, allowed);
        while tokens.get(*at).is_some_and(|t| t == "OR") {
            *at += 1;
            result |= all(tokens, at, allowed);
        }
        result
    }
    fn all(tokens: &[String], at: &mut usize, allowed: &[String]) -> bool {
        let mut result = one(tokens, at, allowed);
        while tokens.get(*at).is_some_and(|t| t == "AND") {
            *at += 1;
            result &= one(tokens, at, allowed);
        }
        result
    }
    fn one(tokens: &[String], at: &mut usize, allowed: &[String]) -> bool {
        let Some(token) = tokens.get(*at) else {
            return false;
        };
        *at += 1;
        if token == "(" {
            let result = any(tokens, at, allowed);
            *at += 1;
            return result;
        }
        let mut licence = token.clone();
        if tokens.get(*at).is_some_and(|t| t == "WITH") {
            licence = format!(
                "{licence} WITH {}",
                tokens.get(*at + 1).map_or("", String::as_str)
            );
            *at += 2;
        }
        allowed.contains(&licence)
    }
    any(&tokens, &mut 0, allowed)
}

#[test]
fn every_dependency_has_an_allowed_licence_and_source() {
    let rules = rules();
    let metadata = MetadataCommand::new()
        .exec()
        .expect("cargo metadata resolves the lock file");
    for package in &metadata.packages {
        let licence = package.license.as_deref().unwrap_or("(none)");
        assert!(
            satisfied(licence, &rules.licences),
            "{} {} is under {licence}, which deny.toml doesn't allow",
            package.name,
            package.version
        );
        assert!(
            !rules.banned.contains(&package.name.to_string()),
            "{} is banned by deny.toml",
            package.name
        );
        if let Some(source) = &package.source {
            assert!(
                source.repr.starts_with("registry+"),
                "{} comes from {source} instead of the registry",
                package.name
            );
        }
    }
}

#[test]
fn expressions_are_understood() {
    let allowed = [
        "MIT".to_owned(),
        "Apache-2.0 WITH LLVM-exception".to_owned(),
    ];
    for (expression, wanted) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0 AND MIT", false),
        ("(GPL-3.0 OR MIT) AND MIT", true),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("GPL-2.0/MIT", true),
        ("", false),
    ] {
        assert_eq!(satisfied(expression, &allowed), wanted, "{expression}");
    }
}
