//! What the tests share: the two small schemas of the pages, and the pages' examples.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "each test uses a part of it, and a test's helpers may fail like the test itself"
)]

use dwmap_compiler::diagnostics::CodePage;
use dwmap_compiler::{Project, SourceFile};

/// The schemas of the pages' examples.
pub(crate) fn library(path: &str) -> Option<SourceFile> {
    let text = match path {
        "erp" => include_str!("../../src/diagnostics/pages/erp.dwmap"),
        "crm" => include_str!("../../src/diagnostics/pages/crm.dwmap"),
        _ => return None,
    };
    Some(SourceFile::new(format!("{path}.dwmap"), text))
}

/// The stock library.
pub(crate) fn stock_library(path: &str) -> Option<SourceFile> {
    let module = dwmap_stdlib::module(path)?;
    Some(SourceFile::new(module.file(), module.source))
}

/// All stock maps.
pub(crate) fn stock() -> Project {
    let maps = dwmap_stdlib::modules()
        .iter()
        .filter(|m| m.kind == dwmap_stdlib::Kind::Maps)
        .map(|m| m.path);
    Project::new(Vec::new())
        .with_library(stock_library)
        .with_stock(maps)
}

/// The `n`th example of a page.
pub(crate) fn example(page: &CodePage, n: usize) -> &'static str {
    let block = page.page.split("```dwmap\n").nth(n + 1).expect(page.code);
    block.split("```").next().unwrap()
}

/// An example's files: it is one, or says `// file: PATH` where each begins.
fn files(example: &str) -> Vec<SourceFile> {
    if !example.starts_with("// file: ") {
        return vec![SourceFile::new("main.dwmap", example)];
    }
    let parts = example.split("// file: ").skip(1);
    parts
        .map(|part| {
            let (path, text) = part.split_once('\n').unwrap();
            SourceFile::new(path, text)
        })
        .collect()
}

/// A project of an example.
pub(crate) fn project(example: &str) -> Project {
    Project::new(files(example)).with_library(library)
}
