//! The stock maps check and build.

use dwmap_compiler::{Project, SourceFile, build, check};

fn library(path: &str) -> Option<SourceFile> {
    let module = dwmap_stdlib::module(path)?;
    Some(SourceFile::new(module.file(), module.source))
}

fn stock() -> Project {
    let maps = dwmap_stdlib::modules()
        .iter()
        .filter(|m| m.kind == dwmap_stdlib::Kind::Maps)
        .map(|m| m.path);
    Project::new(Vec::new())
        .with_library(library)
        .with_stock(maps)
}

#[test]
fn the_stock_maps_have_no_diagnostics() {
    let checked = check(&stock());
    let found: Vec<String> = checked
        .diagnostics
        .list
        .iter()
        .map(|d| {
            let sources = &checked.diagnostics.sources;
            let place = sources.source_place(d.primary.place);
            format!("{place} {} {}", d.code, d.message)
        })
        .collect();
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn the_stock_maps_build() {
    let (plan, _) = build(&stock()).unwrap();
    let names: Vec<String> = plan
        .maps
        .iter()
        .map(|m| format!("{} {}", m.rank, m.name))
        .collect();
    insta::assert_snapshot!(names.join("\n"));
}
