//! One meaning: the engine equals the reference semantics, the fast encoding equals the slow one, and the fused path
//! equals eval and encode, over random maps and random records.
#![allow(clippy::unwrap_used)]

mod support;

use dwmap_engine::{
    CellRef, EncodeError, LineMask, MapEngine, RowProblem, Scratch, WriteKind, testing,
};
use dwmap_plan::{MapPlan, Side, Value};
use dwmap_steps::semantics::{Slot, run};
use proptest::prelude::*;
use support::choices::Choices;
use support::{json, oracle, program};

const KINDS: [WriteKind; 2] = [WriteKind::Create, WriteKind::Update];

/// A random map and some records, from one stream of choices.
fn case(numbers: Vec<u32>) -> (MapPlan, Vec<String>) {
    let mut c = Choices::new(numbers);
    let map = program::map(&mut c);
    let records = (0..4)
        .map(|_| json::record(&mut c, &map.sides[0].program))
        .collect();
    (map, records)
}

/// What the reference semantics makes of a record; none where the record is refused.
fn reference(map: &MapPlan, record: &str, known: &testing::Known) -> Option<Vec<Slot>> {
    let program = &map.sides[0].program;
    let inputs = oracle::columns(record, program).ok()?;
    Some(run(program, &map.references, &inputs, known))
}

/// Two cells are the same only if they print the same: `1.0` and `1.00` are equal as values, and not here.
fn same(cell: CellRef<'_>, slot: &Slot) -> bool {
    format!("{:?}", cell.to_result()) == format!("{slot:?}")
}

fn known(complete: bool) -> testing::Known {
    if complete {
        testing::known()
    } else {
        testing::Known::default()
    }
}

fn streams() -> impl Strategy<Value = Vec<u32>> {
    proptest::collection::vec(any::<u32>(), 0..600)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_equals_the_reference(numbers in streams(), complete in any::<bool>()) {
        let (map, records) = case(numbers);
        let engine = MapEngine::new(&map).unwrap();
        let (known, mut scratch) = (known(complete), Scratch::default());
        for record in &records {
            let wanted = reference(&map, record, &known);
            let row = match (engine.eval(Side::Left, record.as_bytes(), &known, &mut scratch), &wanted) {
                (Ok(row), Some(_)) => row,
                (Err(e), None) => {
                    prop_assert_eq!(e.problem, RowProblem::NumberTooLong);
                    continue;
                }
                (Ok(_), None) => return Err(TestCaseError::fail(format!("{record} was read"))),
                (Err(e), Some(_)) => return Err(TestCaseError::fail(format!("{record}: {e}"))),
            };
            let (slots, outputs) = (wanted.unwrap(), &map.sides[0].program.outputs);
            let slot = |at: u16| &slots[usize::from(at)];
            for line in 0..program::LINES as u16 {
                for (cell, at) in [(row.own(line), outputs.own[usize::from(line)]), (row.out(line), outputs.out[usize::from(line)])] {
                    match at {
                        None => prop_assert_eq!(cell, CellRef::None),
                        Some(at) => prop_assert!(same(cell, slot(at)), "line {line}: {:?} where {:?} is wanted", cell, slot(at)),
                    }
                }
            }
            for (cell, at) in row.pair_key().zip(&outputs.pair_key).chain(row.record_key().zip(&outputs.record_key)) {
                prop_assert!(same(cell, slot(*at)));
            }
            let filter = outputs.filter.map_or(Ok(true), |at| slot(at).clone().map(|v| v == Value::Bool(true)));
            prop_assert_eq!(row.filter(), filter);
        }
    }

    #[test]
    fn fast_encoding_equals_slow_encoding(numbers in streams(), lines in any::<u8>()) {
        let (map, records) = case(numbers);
        let engine = MapEngine::new(&map).unwrap();
        let (known, mut scratch) = (known(true), Scratch::default());
        for record in &records {
            let Some(slots) = reference(&map, record, &known) else { continue };
            let outputs = &map.sides[0].program.outputs;
            let values: Vec<(u16, Value)> = (0..program::LINES as u16)
                .filter(|line| lines >> line & 1 == 1)
                .filter_map(|line| {
                    let slot = &slots[usize::from(outputs.out[usize::from(line)]?)];
                    Some((line, slot.clone().ok()?))
                })
                .collect();
            let mask: LineMask = values.iter().map(|(line, _)| *line).collect();
            let row = engine.eval(Side::Left, record.as_bytes(), &known, &mut scratch).unwrap();
            for kind in KINDS {
                let (mut fast, mut slow) = (b"[".to_vec(), b"[".to_vec());
                // An update holds a key only where one asks for its value by name.
                let key = |line: u16| kind == WriteKind::Update && map.lines[usize::from(line)].key;
                let values: Vec<_> = values.iter().filter(|(line, _)| !key(*line)).cloned().collect();
                let a = engine.encode(Side::Right, &row, &mask, kind, &mut fast);
                let b = engine.encode_values(Side::Right, &values, kind, &mut slow);
                prop_assert_eq!(a, b);
                prop_assert_eq!(String::from_utf8(fast).unwrap(), String::from_utf8(slow).unwrap());
            }
        }
    }

    #[test]
    fn the_fused_path_equals_encode_after_eval(numbers in streams(), complete in any::<bool>()) {
        let (map, records) = case(numbers);
        let engine = MapEngine::new(&map).unwrap();
        let known = known(complete);
        let (mut scratch, mut other) = (Scratch::default(), Scratch::default());
        for record in &records {
            for kind in KINDS {
                let (mut fused, mut plain) = (vec![], vec![]);
                let a = engine.fused(Side::Left, record.as_bytes(), &known, kind, &mut scratch, &mut fused);
                let b = engine.eval(Side::Left, record.as_bytes(), &known, &mut other);
                let (a, b) = match (a, b) {
                    (Ok(a), Ok(b)) => (a, b),
                    (a, b) => {
                        prop_assert_eq!(a.err(), b.err());
                        continue;
                    }
                };
                let outcome: Result<(), EncodeError> = if a.0.wants().next().is_some() || b.filter() == Ok(false) {
                    Ok(())
                } else {
                    engine.encode(Side::Right, &b, &LineMask::all(&map), kind, &mut plain)
                };
                prop_assert_eq!(a.1, outcome);
                prop_assert_eq!(String::from_utf8(fused).unwrap(), String::from_utf8(plain).unwrap());
                prop_assert_eq!(a.0.filter(), b.filter());
                prop_assert!(a.0.pair_key().eq(b.pair_key()));
            }
        }
    }

    #[test]
    fn damaged_records_never_panic(numbers in streams(), cut in any::<u16>(), byte in any::<u8>()) {
        let (map, records) = case(numbers);
        let engine = MapEngine::new(&map).unwrap();
        let (known, mut scratch) = (known(true), Scratch::default());
        for record in &records {
            let mut bytes = record.clone().into_bytes();
            let at = usize::from(cut) % bytes.len();
            bytes[at] = byte;
            let theirs = serde_json::from_slice::<serde_json::Value>(&bytes);
            if engine.eval(Side::Left, &bytes, &known, &mut scratch).is_ok() {
                prop_assert!(theirs.is_ok(), "{}", String::from_utf8_lossy(&bytes));
            }
            bytes.truncate(at);
            prop_assert!(engine.eval(Side::Left, &bytes, &known, &mut scratch).is_err());
        }
    }
}
