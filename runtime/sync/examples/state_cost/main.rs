//! What a link costs in SQLite: bytes on disk, and how many a second are linked, found, marked and committed one by one.
//!
//! `tests/bench state [LINKS]` runs this with an optimised build. Each measurement is a process of its own, so that
//! its peak of memory is its own as well.
#![allow(clippy::unwrap_used)]

mod chart;
mod measure;

use std::path::PathBuf;
use std::process::Command;

use measure::{Measured, Order, measure};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [one, links, order] = &args[..]
        && one == "one"
    {
        let order = Order::ALL.into_iter().find(|o| o.name() == order);
        let measured = measure(links.parse().unwrap(), order.unwrap());
        println!("{}", measured.to_line());
        return;
    }
    let most = args.first().map_or(1_000_000, |n| n.parse().unwrap());
    let sizes: Vec<u64> = [10_000, 100_000, 1_000_000, 10_000_000]
        .into_iter()
        .filter(|n| *n < most)
        .chain([most])
        .collect();
    let mut all = Vec::new();
    println!(
        "| links | order | linked/s | found by pair, us | found by record, us | marked/s | cleared/s | single commits/s | bytes a link | of it bases | beyond | peak MB |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for links in sizes {
        for order in Order::ALL {
            let measured = apart(links, order);
            println!("{}", row(&measured));
            all.push(measured);
        }
    }
    if let Some(file) = args.get(1).map(PathBuf::from) {
        std::fs::write(&file, chart::of(&all)).unwrap();
        eprintln!("{}", file.display());
    }
}

/// Measures in a process of its own.
fn apart(links: u64, order: Order) -> Measured {
    let this = std::env::current_exe().unwrap();
    let args = ["one", &links.to_string(), order.name()];
    let output = Command::new(this).args(args).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    Measured::of_line(std::str::from_utf8(&output.stdout).unwrap())
}

fn row(m: &Measured) -> String {
    format!(
        "| {} | {} | {:.0} | {:.1} | {:.1} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} |",
        m.links,
        m.order.name(),
        m.linked,
        m.by_pair,
        m.by_record,
        m.marked,
        m.cleared,
        m.single,
        m.bytes,
        m.bases,
        m.bytes - m.bases,
        m.peak
    )
}
