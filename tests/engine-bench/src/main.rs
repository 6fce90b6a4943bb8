//! JSON to JSON of the stock customers map (61 lines), beside a hand-written peer: equal bytes first, then time.
//!
//! `cargo run --release --manifest-path tests/engine-bench/Cargo.toml [-- --check]`; with `--check` it exits 1 below a floor.

mod known;
mod peer;
mod records;

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use dwmap_compiler::{Project, SourceFile, build};
use dwmap_engine::{LineMask, MapEngine, Scratch, WriteKind};
use dwmap_plan::{MapPlan, Side};
use dwmap_stdlib::Kind;
use known::Known;
use records::{KEYS, Order, customers};

const RECORDS: usize = 100;
const ROUNDS: usize = 1000;

fn customers_map() -> MapPlan {
    let library =
        |path: &str| dwmap_stdlib::module(path).map(|m| SourceFile::new(m.file(), m.source));
    let stock = dwmap_stdlib::modules()
        .iter()
        .filter(|m| m.kind == Kind::Maps);
    let project = Project::new(Vec::new())
        .with_library(library)
        .with_stock(stock.map(|m| m.path));
    let (plan, _) = build(&project).expect("the stock maps build");
    let map = plan.maps.into_iter().find(|m| m.name == "customers");
    map.expect("there is a stock map of customers")
}

/// What is measured: appends a record's body.
type Transform<'a> = Box<dyn FnMut(&[u8], &mut Vec<u8>) + 'a>;

/// The least time that each takes a record, in turn, so that a busy machine is busy for all of them.
fn measure(transforms: &mut [(&'static str, Transform<'_>)], records: &[Vec<u8>]) -> Vec<Duration> {
    let mut best = vec![Duration::MAX; transforms.len()];
    let mut out = Vec::with_capacity(1 << 20);
    for _ in 0..ROUNDS {
        for ((_, transform), best) in transforms.iter_mut().zip(&mut best) {
            let start = Instant::now();
            for record in records {
                out.clear();
                transform(black_box(record), &mut out);
                black_box(&out);
            }
            *best = (*best).min(start.elapsed() / records.len() as u32);
        }
    }
    best
}

fn main() -> ExitCode {
    let map = customers_map();
    let engine = MapEngine::new(&map).expect("the engine runs the stock maps");
    let (known, all) = (Known::new(KEYS), LineMask::all(&map));
    let mut below = false;
    println!("customers, {} lines: time a record", map.lines.len());
    println!("keys       bytes  by                             ns    ratio");
    for (order, floor) in [(Order::Fixed, 2.0), (Order::Shuffled, 1.5)] {
        let records = customers(&map.side(Side::Left).program, RECORDS, order);
        let (mut a, mut b) = (Scratch::default(), Scratch::default());
        let mut transforms: Vec<(&str, Transform<'_>)> = vec![
            (
                "hand-written, serde_json",
                Box::new(|json, out| peer::transform(json, &known, out).expect("a good customer")),
            ),
            (
                "engine, fused",
                Box::new(|json, out| {
                    let kind = WriteKind::Create;
                    let done = engine.fused(Side::Left, json, &known, kind, &mut a, out);
                    done.expect("a good record").1.expect("a good customer");
                }),
            ),
            (
                "engine, eval and encode",
                Box::new(|json, out| {
                    let row = engine
                        .eval(Side::Left, json, &known, &mut b)
                        .expect("a good record");
                    let done = engine.encode(Side::Right, &row, &all, WriteKind::Create, out);
                    done.expect("a good customer");
                }),
            ),
        ];
        same_bytes(&mut transforms, &records);
        let bytes = records.iter().map(Vec::len).sum::<usize>() / RECORDS;
        let order = if order == Order::Fixed {
            "in order"
        } else {
            "shuffled"
        };
        let times = measure(&mut transforms, &records);
        for ((name, _), time) in transforms.iter().zip(&times) {
            let ratio = times[0].as_secs_f64() / time.as_secs_f64();
            let nanos = time.as_nanos();
            println!("{order:<9} {bytes:>6}  {name:<25} {nanos:>7}  {ratio:>5.2} x");
            below |= name.ends_with("fused") && ratio < floor;
        }
    }
    if below && std::env::args().any(|a| a == "--check") {
        eprintln!("the fused path is below its floor");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn same_bytes(transforms: &mut [(&'static str, Transform<'_>)], records: &[Vec<u8>]) {
    for record in records {
        let bodies: Vec<String> = transforms
            .iter_mut()
            .map(|(_, transform)| {
                let mut out = vec![];
                transform(record, &mut out);
                String::from_utf8_lossy(&out).into_owned()
            })
            .collect();
        assert!(
            bodies.iter().all(|b| *b == bodies[0]),
            "not the same:\n{}",
            bodies.join("\n")
        );
    }
}
