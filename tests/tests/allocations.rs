//! The stock map of customers, all 61 lines of it: once the scratch has seen a few records, none allocates, neither way.
#![allow(clippy::unwrap_used)]

use std::alloc::System;
use std::fmt::Write;

use dwmap_compiler::{Project, SourceFile, build};
use dwmap_engine::{LineMask, Lookup, MapEngine, References, Scratch, WriteKind};
use dwmap_plan::{Column, MapPlan, Reference, Repr, Side, Value};
use dwmap_stdlib::Kind;
use rand::prelude::*;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const RECORDS: usize = 300;
/// Records of each reference.
const KNOWN: usize = 3;

fn customers() -> MapPlan {
    let library =
        |path: &str| dwmap_stdlib::module(path).map(|m| SourceFile::new(m.file(), m.source));
    let modules = dwmap_stdlib::modules().iter();
    let stock = modules.filter(|m| m.kind == Kind::Maps).map(|m| m.path);
    let project = Project::new(vec![]).with_library(library).with_stock(stock);
    let maps = build(&project).unwrap().0.maps;
    maps.into_iter().find(|m| m.name == "customers").unwrap()
}

/// The text part of a referenced record's key.
fn text(at: usize) -> String {
    format!("k-{at}")
}

fn text_part(key: &[Value]) -> Option<&Value> {
    key.iter().find(|part| matches!(part, Value::Text(_)))
}

/// The identity of a referenced record: the same in every company.
fn identity(reference: usize, at: usize) -> u128 {
    (reference as u128) << 64 | at as u128
}

fn guid(id: u128) -> String {
    let hex = format!("{id:032x}");
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32].map(|group| &hex[group]);
    format!("\"{}\"", groups.join("-"))
}

/// Referenced records, for each reference: identity and key. Its answers allocate nothing.
struct Known(Vec<Vec<(Value, Vec<Value>)>>);

impl Known {
    fn new(references: &[Reference]) -> Self {
        let record = |r: usize, at: usize| {
            let parts = references[r].key.iter();
            let key = parts.map(|part| match part.repr {
                Repr::Text => Value::Text(text(at)),
                _ => Value::Guid(identity(0, 0).to_be_bytes()),
            });
            let identity = Value::Guid(identity(r, at).to_be_bytes());
            (identity, key.collect())
        };
        let records = |r| (0..KNOWN).map(|at| record(r, at)).collect();
        Self((0..references.len()).map(records).collect())
    }
}

impl References for Known {
    fn find(&self, reference: u16, key: &[Value]) -> Lookup<&Value> {
        let mut records = self.0[usize::from(reference)].iter();
        let found = records.find(|(_, k)| text_part(k) == text_part(key));
        found.map_or(Lookup::Absent, |(identity, _)| Lookup::Found(identity))
    }

    fn follow(&self, reference: u16, identity: &Value) -> Lookup<&[Value]> {
        let mut records = self.0[usize::from(reference)].iter();
        let found = records.find(|(i, _)| i == identity);
        found.map_or(Lookup::Absent, |(_, key)| Lookup::Found(key))
    }
}

/// Values that suit a side's columns, with their keys in an order of their own in every other record.
struct Records<'a> {
    map: &'a MapPlan,
    side: Side,
    random: StdRng,
}

impl Records<'_> {
    fn record(&mut self) -> String {
        let program = &self.map.side(self.side).program;
        let mut columns: Vec<&Column> = program.columns.iter().collect();
        if self.random.random() {
            columns.shuffle(&mut self.random);
        }
        let mut json = r#"{"@odata.etag":"W/\"1\"""#.to_owned();
        for column in columns {
            let value = self.value(column);
            write!(json, r#","{}":{value}"#, column.wire).unwrap();
        }
        json + "}"
    }

    fn value(&mut self, column: &Column) -> String {
        if let Some(reference) = self.reference(column) {
            return self.referenced(reference, column);
        }
        let (random, enums) = (&mut self.random, &self.map.side(self.side).program.enums);
        let mut member = |at: &u16| enums[usize::from(*at)].members.choose(random).unwrap();
        match (column.wire.as_str(), &column.repr) {
            ("PartyType", _) => r#""Organization""#.to_owned(),
            ("customertypecode", _) => "3".to_owned(),
            ("CustomerAccount" | "accountnumber", _) => {
                format!("\"US-{}\"", random.random_range(0..100))
            }
            ("address1_country" | "address2_country", _) => r#""FR""#.to_owned(),
            (_, Repr::EnumName(at)) => format!("\"{}\"", member(at).name),
            (_, Repr::EnumInt(at)) => member(at).value.to_string(),
            (_, Repr::Bool) => random.random::<bool>().to_string(),
            (_, Repr::Int32) => random.random_range(0..500).to_string(),
            (_, Repr::Decimal(..)) => format!("{:.3}", random.random_range(0.0..90.0)),
            (_, Repr::Guid) => guid(random.random()),
            (_, Repr::DateTime) => {
                format!("\"2026-01-31T10:{:02}:00Z\"", random.random_range(0..60))
            }
            ("SalesMemo" | "description", Repr::Text) => {
                format!(
                    "\"{}\"",
                    r"Ring \u0022first\u0022 \ud83d\ude00 ".repeat(random.random_range(0..3))
                )
            }
            (_, Repr::Text) => {
                let texts = ["", " ", "Lyon", "Zürich ", r"K\u00f6ln", r#"\"A\" \/ B"#];
                format!("\"{}\"", texts.choose(random).unwrap())
            }
            (wire, repr) => panic!("no values for {wire}, {repr:?}"),
        }
    }

    /// The reference that a column stands for.
    fn reference(&self, column: &Column) -> Option<usize> {
        let (lines, references) = (&self.map.lines, &self.map.references);
        match self.side {
            Side::Left => {
                let line = lines.iter().find(|l| l.left == column.name)?;
                line.references[Side::Right.index()].map(usize::from)
            }
            Side::Right => {
                let wire = |r: &Reference| format!("_{}_value", r.nav);
                references.iter().position(|r| wire(r) == column.wire)
            }
        }
    }

    fn referenced(&mut self, reference: usize, column: &Column) -> String {
        let blank = reference > 0 && self.random.random_ratio(1, 8);
        let at = self.random.random_range(0..KNOWN);
        match column.repr {
            Repr::Text if blank => "\"\"".to_owned(),
            Repr::Text => format!("\"{}\"", text(at)),
            _ if blank => "null".to_owned(),
            _ => guid(identity(reference, at)),
        }
    }
}

fn allocations(work: impl FnOnce()) -> usize {
    let region = Region::new(ALLOCATOR);
    work();
    let change = region.change();
    change.allocations + change.reallocations
}

/// What it takes at first, and then: the least of a few counts, since the thread that waits for the test allocates too.
fn cold_and_warm(mut work: impl FnMut()) -> (usize, usize) {
    let cold = allocations(&mut work);
    let warm = (0..3).map(|_| allocations(&mut work)).min().unwrap();
    (cold, warm)
}

// One test, since the allocator counts for all threads.
#[test]
fn a_customer_allocates_nothing() {
    let map = customers();
    let (engine, all) = (MapEngine::new(&map).unwrap(), LineMask::all(&map));
    let known = Known::new(&map.references);
    for side in [Side::Left, Side::Right] {
        let random = StdRng::seed_from_u64(7);
        let mut records = Records {
            map: &map,
            side,
            random,
        };
        let records: Vec<String> = (0..RECORDS).map(|_| records.record()).collect();
        let (mut scratch, mut out) = (Scratch::default(), vec![]);
        let kind = WriteKind::Create;
        // A record with a value that the other side doesn't take is refused, and that allocates nothing either.
        let mut written = [0; 2];
        let eval_and_encode = cold_and_warm(|| {
            written[0] = 0;
            for record in &records {
                out.clear();
                let row = engine.eval(side, record.as_bytes(), &known, &mut scratch);
                let row = row.unwrap();
                assert_eq!((row.filter(), row.wants().next()), (Ok(true), None));
                let done = engine.encode(side.other(), &row, &all, kind, &mut out);
                written[0] += usize::from(done.is_ok());
            }
        });
        let fused = cold_and_warm(|| {
            written[1] = 0;
            for record in &records {
                out.clear();
                let json = record.as_bytes();
                let done = engine.fused(side, json, &known, kind, &mut scratch, &mut out);
                written[1] += usize::from(done.unwrap().1.is_ok());
            }
        });
        let [encoded, fused_too] = written;
        assert!(
            encoded > RECORDS / 2 && fused_too == encoded,
            "from {side:?}: {written:?} written"
        );
        for (way, (cold, warm)) in [("eval and encode", eval_and_encode), ("fused", fused)] {
            assert_ne!(cold, 0, "the first records make room: {way} from {side:?}");
            assert_eq!(warm, 0, "{RECORDS} records: {way} from {side:?}");
        }
    }
}
