//! No record allocates once the scratch has seen a few.
#![allow(clippy::unwrap_used)]

use std::alloc::System;

use dwmap_engine::{LineMask, Lookup, MapEngine, References, Scratch, WriteKind, testing};
use dwmap_plan::{Side, Value};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const ERP: &[&str] = &[
    r#"{"@odata.etag":"W/\"1\"","dataAreaId":"usmf","CustomerGroupId":"30","Description":"Major customers","IsSalesTaxIncludedInPrice":"Yes","PaymentTermId":"Net30"}"#,
    r#"{"PaymentTermId":"","CustomerGroupId":"40 ","Description":"\u00c4rger \"im\" Norden","IsSalesTaxIncludedInPrice":"No","dataAreaId":"usmf"}"#,
];
const CRM: &[&str] = &[
    r#"{"msdyn_customergroupid":"00000000-0000-0000-0000-000000000001","_msdyn_company_value":"11111111-1111-1111-1111-111111111111","msdyn_groupid":"30","msdyn_description":null,"msdyn_issalestaxincluded":true,"_msdyn_paymenttermid_value":"22222222-2222-2222-2222-222222222222","modifiedon":"2026-01-31T10:00:00Z"}"#,
];

/// Every company and every payment term is the same one, and is there: answers that allocate nothing.
struct Fixed {
    identities: [Value; 2],
    keys: [Vec<Value>; 2],
}

impl References for Fixed {
    fn find(&self, reference: u16, _: &[Value]) -> Lookup<&Value> {
        Lookup::Found(&self.identities[usize::from(reference)])
    }

    fn follow(&self, reference: u16, _: &Value) -> Lookup<&[Value]> {
        Lookup::Found(&self.keys[usize::from(reference)])
    }
}

fn fixed() -> Fixed {
    let identities = [testing::COMPANY_ID, testing::TERM_ID].map(Value::Guid);
    let company = vec![Value::from(testing::COMPANY)];
    let term = vec![identities[0].clone(), Value::from(testing::TERM)];
    Fixed {
        identities,
        keys: [company, term],
    }
}

/// How many times the work allocates after some rounds of it: the least of a few counts, since the thread that waits for
/// the test allocates too.
fn allocations(mut work: impl FnMut()) -> usize {
    (0..10).for_each(|_| work());
    let count = |_| {
        let region = Region::new(ALLOCATOR);
        (0..100).for_each(|_| work());
        let change = region.change();
        change.allocations + change.reallocations
    };
    (0..5).map(count).min().unwrap()
}

// One test, since the allocator counts for all threads.
#[test]
fn a_record_allocates_nothing() {
    let map = testing::customer_groups();
    let (engine, known, all) = (MapEngine::new(&map).unwrap(), fixed(), LineMask::all(&map));
    for (source, records) in [(Side::Left, ERP), (Side::Right, CRM)] {
        let (mut scratch, mut out) = (Scratch::default(), vec![]);
        let plain = allocations(|| {
            for record in records {
                out.clear();
                let row = engine
                    .eval(source, record.as_bytes(), &known, &mut scratch)
                    .unwrap();
                engine
                    .encode(source.other(), &row, &all, WriteKind::Create, &mut out)
                    .unwrap();
            }
        });
        let fused = allocations(|| {
            for record in records {
                out.clear();
                let done = engine.fused(
                    source,
                    record.as_bytes(),
                    &known,
                    WriteKind::Create,
                    &mut scratch,
                    &mut out,
                );
                done.unwrap().1.unwrap();
            }
        });
        assert_eq!((plain, fused), (0, 0), "from {source:?}");
    }
}
