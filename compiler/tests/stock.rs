//! The stock maps check and build.

mod common;

use common::stock;
use dwmap_compiler::{build, check, explain_map};
use dwmap_plan::Side;

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

#[test]
fn the_customers_map_reads_well() {
    let (plan, _) = build(&stock()).unwrap();
    insta::assert_snapshot!(explain_map(&plan, "customers").unwrap());
}

/// What binds the plan to the real services: names on the wire, keys, and how references are written.
#[test]
fn customers_are_addressed_as_the_services_want() {
    let (plan, _) = build(&stock()).unwrap();
    let map = plan.maps.iter().find(|m| m.name == "customers").unwrap();
    let (fno, dv) = (map.side(Side::Left), map.side(Side::Right));
    assert_eq!(fno.scan.address.physical, "CustCustomerV3Entity");
    assert_eq!(dv.scan.address.physical, "account");
    let key = |side: &dwmap_plan::SidePlan| -> Vec<String> {
        let parts = side.write.natural_key.parts.iter();
        parts.map(|(wire, ..)| wire.clone()).collect()
    };
    assert_eq!(key(fno), ["dataAreaId", "CustomerAccount"]);
    assert_eq!(key(dv), ["accountnumber", "_msdyn_company_value"]);
    assert!(fno.write.natural_is_record_key && !dv.write.natural_is_record_key);
    assert_eq!(
        map.lines[0].text,
        "dataAreaId <-> msdyn_company.cdm_companycode"
    );
    assert_eq!(fno.program.outputs.pair_key.len(), 2);
}

#[test]
fn equal_texts_make_equal_bytes() {
    let once = dwmap_plan::encode(&build(&stock()).unwrap().0).unwrap();
    let mut again = stock();
    again.stock.reverse();
    let again = dwmap_plan::encode(&build(&again).unwrap().0).unwrap();
    assert!(once == again);
}
