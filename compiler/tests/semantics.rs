//! The stock maps' own tests, run by the reference semantics on the programs alone: no engine, no runtime.

#![allow(
    clippy::unwrap_used,
    reason = "a test's helpers may fail like the test itself"
)]

mod common;

use std::cell::RefCell;
use std::collections::BTreeMap;

use common::stock;
use dwmap_compiler::model::{TestCell, TestModel, TestOutcome, TestRecord, TestTarget};
use dwmap_compiler::{build, check};
use dwmap_plan::{MapPlan, Plan, Side, Value};
use dwmap_steps::semantics::{Lookup, References, Slot, run, values_equal};

/// A world in which every record that is asked for exists, once.
#[derive(Default)]
struct World<'a> {
    /// By entity and key.
    records: RefCell<BTreeMap<String, &'static [Value; 1]>>,
    /// The keys, by identity.
    keys: RefCell<BTreeMap<[u8; 16], &'static [Value]>>,
    map: Option<&'a MapPlan>,
}

impl World<'_> {
    /// The identity of the record of an entity with this key. Tests are short, and so is what they keep for good.
    fn record(&self, entity: &str, key: &[Value]) -> &'static Value {
        let name = format!("{entity} {key:?}").to_lowercase();
        let mut records = self.records.borrow_mut();
        let next = records.len() as u8 + 1;
        let record = records.entry(name).or_insert_with(|| {
            let identity = [next; 16];
            let key: &'static [Value] = Box::leak(key.to_vec().into_boxed_slice());
            self.keys.borrow_mut().insert(identity, key);
            Box::leak(Box::new([Value::Guid(identity)]))
        });
        &record[0]
    }

    fn entity(&self, reference: u16) -> &str {
        &self.map.unwrap().references[usize::from(reference)].entity
    }
}

impl References for World<'_> {
    fn find(&self, reference: u16, key: &[Value]) -> Lookup<&Value> {
        Lookup::Found(self.record(self.entity(reference), key))
    }

    fn follow(&self, _: u16, identity: &Value) -> Lookup<&[Value]> {
        let Value::Guid(identity) = identity else {
            return Lookup::Absent;
        };
        let found = self.keys.borrow().get(identity).copied();
        found.map_or(Lookup::Absent, Lookup::Found)
    }
}

struct Runner<'a> {
    map: &'a MapPlan,
    world: World<'a>,
}

impl Runner<'_> {
    /// The company's record that a test's record names.
    fn company(&self, record: &TestRecord) -> Option<&'static Value> {
        record.cells.iter().find_map(|cell| {
            let company = cell.path.ends_with("cdm_companycode") || cell.path == "dataAreaId";
            company.then(|| {
                self.world
                    .record("cdm_companies", std::slice::from_ref(&cell.value))
            })
        })
    }

    /// The identity that a look-up's cell stands for, on its side.
    fn identity(&self, side: Side, cell: &TestCell, company: Option<&Value>) -> Value {
        let TestTarget::Lookup { nav, entity, .. } = &cell.target else {
            panic!("{} is no look-up", cell.path);
        };
        if cell.value.is_null() {
            return Value::Null;
        }
        let reference = self
            .map
            .references
            .iter()
            .find(|r| r.side == side && r.nav == *nav && r.entity == *entity)
            .unwrap_or_else(|| panic!("{} is no reference of {}", cell.path, self.map.name));
        let key: Vec<Value> = reference
            .key
            .iter()
            .map(|part| {
                if part.company {
                    company.cloned().unwrap_or(Value::Null)
                } else {
                    cell.value.clone()
                }
            })
            .collect();
        self.world.record(entity, &key).clone()
    }

    fn run(&self, edit: &TestRecord) -> Vec<Slot> {
        let program = &self.map.side(edit.side).program;
        let company = self.company(edit);
        let inputs: Vec<Slot> = program
            .columns
            .iter()
            .map(|column| {
                let cell = edit.cells.iter().find(|cell| match &cell.target {
                    TestTarget::Column { wire, .. } => *wire == column.wire,
                    TestTarget::Lookup { via, .. } => *via == column.wire,
                });
                Ok(match cell.map(|cell| (cell, &cell.target)) {
                    None => Value::Null,
                    Some((cell, TestTarget::Column { .. })) => cell.value.clone(),
                    Some((cell, TestTarget::Lookup { .. })) => {
                        self.identity(edit.side, cell, company)
                    }
                })
            })
            .collect();
        run(program, &self.map.references, &inputs, &self.world)
    }

    /// What differs from the outcome.
    fn outcome(&self, edit: &TestRecord, outcome: &TestOutcome) -> Option<String> {
        let slots = self.run(edit);
        let outputs = &self.map.side(edit.side).program.outputs;
        let inside = outputs
            .filter
            .is_none_or(|slot| slots[usize::from(slot)] == Ok(Value::Bool(true)));
        match outcome {
            TestOutcome::Filtered => inside.then(|| "it is in the map".to_owned()),
            TestOutcome::Record(record) | TestOutcome::Exactly(record) if inside => {
                let company = self.company(record).or_else(|| self.company(edit));
                record
                    .cells
                    .iter()
                    .find_map(|cell| self.differs(edit.side, &slots, cell, company))
            }
            TestOutcome::Rejects(_) => None,
            _ => Some("it is not in the map".to_owned()),
        }
    }

    fn differs(
        &self,
        from: Side,
        slots: &[Slot],
        cell: &TestCell,
        company: Option<&Value>,
    ) -> Option<String> {
        let to = self.map.side(from.other());
        let (wire, wanted) = match &cell.target {
            TestTarget::Column { wire, .. } => (wire, cell.value.clone()),
            TestTarget::Lookup { nav, .. } => (nav, self.identity(from.other(), cell, company)),
        };
        // What no line writes is the system's own.
        let column = to.write.columns.iter().find(|c| c.wire == *wire)?;
        let outputs = &self.map.side(from).program.outputs;
        let slot = outputs.out[usize::from(column.line)].unwrap();
        let got = &slots[usize::from(slot)];
        // A value that stands for null is null.
        let null = |value: &Value| value.is_null() || Some(value) == column.null.as_ref();
        let same = matches!(got, Ok(got) if values_equal(got, &wanted, true) || (null(got) && null(&wanted)));
        (!same).then(|| format!("{}: {got:?} instead of {wanted:?}", cell.path))
    }
}

fn failure(plan: &Plan, test: &TestModel) -> Option<String> {
    let map = plan.maps.iter().find(|m| m.name == test.map).unwrap();
    let runner = Runner {
        map,
        world: World {
            map: Some(map),
            ..World::default()
        },
    };
    test.steps.iter().find_map(|step| {
        let ([edit], Some(outcome)) = (step.edits.as_slice(), &step.outcome) else {
            return None;
        };
        // A record that is missing on purpose is the runtime's matter.
        if !edit.missing.is_empty() {
            return None;
        }
        if let TestOutcome::Record(record) | TestOutcome::Exactly(record) = outcome
            && !record.missing.is_empty()
        {
            return None;
        }
        runner.outcome(edit, outcome)
    })
}

#[test]
fn the_stock_tests_hold_for_the_programs() {
    let (plan, _) = build(&stock()).unwrap();
    let tests = check(&stock()).model.tests;
    assert!(tests.len() > 30, "only {} tests", tests.len());
    let failed: Vec<String> = tests
        .iter()
        .filter_map(|test| {
            let problem = failure(&plan, test)?;
            Some(format!("{} \"{}\": {problem}", test.map, test.what))
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
