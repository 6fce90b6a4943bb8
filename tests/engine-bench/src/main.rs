//! JSON to JSON of the stock customers map (61 lines), beside the same map by hand on `serde_json` and in VRL: equal
//! results first, then time.
//!
//! `cargo run --release --manifest-path tests/engine-bench/Cargo.toml [-- --check]`; with `--check` it exits 1 below a floor.

mod agree;
mod known;
mod peer;
mod records;
mod remap;

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use dwmap_engine::{LineMask, MapEngine, Scratch, WriteKind};
use dwmap_plan::{MapPlan, Side};
use known::Known;
use records::{KEYS, Order, customers};
use remap::Remap;

const RECORDS: usize = 100;
const ROUNDS: usize = 1000;

/// How many times as fast as each peer the fused path must be.
const FLOORS: [(Order, [f64; 2]); 2] =
    [(Order::Fixed, [2.0, 10.0]), (Order::Shuffled, [1.5, 10.0])];

/// Built by the build script.
const STOCK: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/stock.dwplan"));

fn customers_map() -> MapPlan {
    let (_, plan) = dwmap_plan::decode(STOCK).expect("the stock maps' plan is whole");
    let map = plan.maps.into_iter().find(|m| m.name == "customers");
    map.expect("there is a stock map of customers")
}

/// What is measured: appends a record's body.
type Transform<'a> = Box<dyn FnMut(&[u8], &mut Vec<u8>) + 'a>;

/// Who is measured: first the peers, then the engine's ways.
struct Contestants<'a>([(&'static str, Transform<'a>); 4]);

impl<'a> Contestants<'a> {
    fn new(engine: &'a MapEngine, known: &'a Known, scratches: &'a mut [Scratch; 2]) -> Self {
        let [a, b] = scratches;
        let mut remap = Remap::new(known).expect("the VRL program compiles");
        let all = LineMask::all(engine.map());
        let kind = WriteKind::Create;
        Self([
            (
                "by hand, serde_json",
                Box::new(|json, out| peer::transform(json, known, out).expect("a good customer")),
            ),
            (
                "by hand, VRL",
                Box::new(move |json, out| remap.transform(json, out).expect("a good customer")),
            ),
            (
                "engine, fused",
                Box::new(move |json, out| {
                    let done = engine.fused(Side::Left, json, known, kind, a, out);
                    done.expect("a good record").1.expect("a good customer");
                }),
            ),
            (
                "engine, eval and encode",
                Box::new(move |json, out| {
                    let row = engine.eval(Side::Left, json, known, b);
                    let row = row.expect("a good record");
                    let done = engine.encode(Side::Right, &row, &all, kind, out);
                    done.expect("a good customer");
                }),
            ),
        ])
    }

    /// What each makes of a record.
    fn bodies(&mut self, record: &[u8]) -> [Vec<u8>; 4] {
        self.0.each_mut().map(|(_, transform)| {
            let mut out = vec![];
            transform(record, &mut out);
            out
        })
    }

    /// The least time that each takes a record, in turn, so that a busy machine is busy for all of them.
    fn measure(&mut self, records: &[Vec<u8>]) -> [Duration; 4] {
        let mut best = [Duration::MAX; 4];
        let mut out = Vec::with_capacity(1 << 20);
        for _ in 0..ROUNDS {
            for ((_, transform), best) in self.0.iter_mut().zip(&mut best) {
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
}

fn main() -> ExitCode {
    let map = customers_map();
    let engine = MapEngine::new(&map).expect("the engine runs the stock maps");
    let known = Known::new(KEYS);
    let (mut below, mut rounded) = (false, 0);
    println!(
        "customers, {} lines: time a record, and how many times as fast as each peer",
        map.lines.len()
    );
    println!("keys       bytes  by                            ns   serde_json     VRL");
    for (order, floors) in FLOORS {
        let records = customers(&map.side(Side::Left).program, RECORDS, order);
        let mut scratches = [Scratch::default(), Scratch::default()];
        let mut contestants = Contestants::new(&engine, &known, &mut scratches);
        for record in &records {
            let bodies = contestants.bodies(record);
            rounded += agree::check(&bodies).unwrap_or_else(|e| panic!("not the same: {e}"));
        }
        let bytes = records.iter().map(Vec::len).sum::<usize>() / RECORDS;
        let times = contestants.measure(&records);
        for ((name, _), time) in contestants.0.iter().zip(&times) {
            let ratios = [times[0], times[1]].map(|peer| peer.as_secs_f64() / time.as_secs_f64());
            let [by_hand, vrl] = ratios;
            let nanos = time.as_nanos();
            println!(
                "{order:<9} {bytes:>6}  {name:<24} {nanos:>7}   {by_hand:>8.2} x {vrl:>6.2} x"
            );
            below |= name.ends_with("fused") && ratios.iter().zip(floors).any(|(r, f)| *r < f);
        }
    }
    println!(
        "VRL rounds {rounded} of {} credit limits to another cent: its numbers are binary",
        RECORDS * FLOORS.len()
    );
    if below && std::env::args().any(|a| a == "--check") {
        eprintln!("the fused path is below its floor");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
