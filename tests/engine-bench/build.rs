//! Builds the stock maps' plan beforehand: the engine is given a plan, as it is in production, and what the compiler
//! asks of `serde_json` (numbers of any length) doesn't change the `serde_json` of those who are measured.

use dwmap_compiler::{Project, SourceFile, build};
use dwmap_stdlib::Kind;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let library =
        |path: &str| dwmap_stdlib::module(path).map(|m| SourceFile::new(m.file(), m.source));
    let modules = dwmap_stdlib::modules().iter();
    let stock = modules.filter(|m| m.kind == Kind::Maps).map(|m| m.path);
    let project = Project::new(vec![]).with_library(library).with_stock(stock);
    let (plan, _) = build(&project).expect("the stock maps build");
    let bytes = dwmap_plan::encode(&plan).expect("a plan that can be encoded");
    let folder = std::env::var("OUT_DIR").expect("cargo sets it");
    std::fs::write(format!("{folder}/stock.dwplan"), bytes).expect("cargo made the folder");
}
