//! The hand-made map of customer groups, both ways.
#![allow(clippy::unwrap_used)]

use dwmap_engine::{
    Ask, Cell, Failure, LineMask, MapEngine, RowProblem, Scratch, Stop, WriteKind, testing,
};
use dwmap_plan::{Side, Value, verify};

fn body(target: Side, json: &str, kind: WriteKind) -> String {
    let map = testing::customer_groups();
    let engine = MapEngine::new(&map).unwrap();
    let (known, mut scratch, mut out) = (testing::known(), Scratch::default(), vec![]);
    let row = engine
        .eval(target.other(), json.as_bytes(), &known, &mut scratch)
        .unwrap();
    let all = LineMask::all(&map);
    engine.encode(target, &row, &all, kind, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_plan_passes_the_verifier() {
    verify::plan(&testing::plan()).unwrap();
}

#[test]
fn a_group_reaches_the_crm() {
    let json = r#"{"@odata.etag":"W/\"1\"", "CustomerGroupId":"30  ","PaymentTermId":"net30","dataAreaId":"USMF",
        "Description":"Gro\u00dfe \"K\u00fcrbisse\"","IsSalesTaxIncludedInPrice":"Yes"}"#;
    assert_eq!(
        body(Side::Right, json, WriteKind::Create),
        concat!(
            r#"{"msdyn_company@odata.bind":"/cdm_companies(11111111-1111-1111-1111-111111111111)","#,
            r#""msdyn_groupid":"30","msdyn_description":"Große \"Kürbisse\"","msdyn_issalestaxincluded":true,"#,
            r#""msdyn_paymenttermid@odata.bind":"/msdyn_paymentterms(22222222-2222-2222-2222-222222222222)"}"#
        )
    );
}

#[test]
fn a_group_reaches_the_erp() {
    let json = r#"{"msdyn_customergroupid":"00000000-0000-0000-0000-000000000001",
        "_msdyn_company_value":"11111111-1111-1111-1111-111111111111","msdyn_groupid":"30","msdyn_description":null,
        "msdyn_issalestaxincluded":null,"_msdyn_paymenttermid_value":"22222222-2222-2222-2222-222222222222"}"#;
    assert_eq!(
        body(Side::Left, json, WriteKind::Create),
        r#"{"dataAreaId":"usmf","CustomerGroupId":"30","Description":"","IsSalesTaxIncludedInPrice":"No","PaymentTermId":"Net30"}"#
    );
    assert_eq!(
        body(Side::Left, json, WriteKind::Update),
        r#"{"Description":"","IsSalesTaxIncludedInPrice":"No","PaymentTermId":"Net30"}"#
    );
}

#[test]
fn a_look_up_that_is_not_known_is_wanted_and_one_that_is_not_there_is_missing() {
    let engine = MapEngine::new(&testing::customer_groups()).unwrap();
    let json = br#"{"dataAreaId":"usmf","CustomerGroupId":"30","PaymentTermId":"Net99","IsSalesTaxIncludedInPrice":"Maybe"}"#;
    let mut scratch = Scratch::default();
    let key = vec![Value::from("usmf")];
    let ask = Ask::Find { reference: 0, key };
    let nothing = testing::Known::default();
    let row = engine
        .eval(Side::Left, json, &nothing, &mut scratch)
        .unwrap();
    assert_eq!(row.wants().collect::<Vec<_>>(), [&ask]);
    assert_eq!(row.to_row().out[0], Cell::Wanted(ask.clone()));

    let known = testing::known();
    let row = engine.eval(Side::Left, json, &known, &mut scratch).unwrap();
    assert_eq!(row.wants().count(), 0);
    let row = row.to_row();
    let key = vec![Value::Guid(testing::COMPANY_ID), Value::from("Net99")];
    assert_eq!(row.out[4], Cell::Missing(Ask::Find { reference: 1, key }));
    assert_eq!(row.out[3], Cell::Failed(Failure::UnknownMember));
    assert_eq!(
        row.pair_key,
        Ok(vec![Value::from("usmf"), Value::from("30")])
    );
}

#[test]
fn a_key_that_depends_on_a_missing_record_says_so() {
    let engine = MapEngine::new(&testing::customer_groups()).unwrap();
    let json =
        br#"{"msdyn_groupid":"30","_msdyn_company_value":"99999999-1111-1111-1111-111111111111"}"#;
    let (known, mut scratch) = (testing::known(), Scratch::default());
    let row = engine
        .eval(Side::Right, json, &known, &mut scratch)
        .unwrap();
    assert!(matches!(row.to_row().pair_key, Err(Stop::Missing(_))));
}

#[test]
fn damaged_records_are_errors_with_a_place() {
    let engine = MapEngine::new(&testing::customer_groups()).unwrap();
    let mut scratch = Scratch::default();
    let mut problem = |json: &[u8]| {
        let result = engine.eval(Side::Left, json, &testing::known(), &mut scratch);
        result.map(|_| ()).map_err(|e| (e.problem, e.at))
    };
    assert_eq!(problem(b"{}"), Ok(()));
    assert_eq!(problem(br#" { "x" : [ 1 , {} ] } "#), Ok(()));
    let cases: [(&[u8], RowProblem, usize); 8] = [
        (br#"{"x":1,"x":2}"#, RowProblem::DuplicateKey, 7),
        (
            br#"{"dataAreaId":"a","dataArea\u0049d":"b"}"#,
            RowProblem::DuplicateKey,
            18,
        ),
        (b"{\"x\":\"\xff\"}", RowProblem::NotUtf8, 6),
        (
            br#"{"Description":"\ud800"}"#,
            RowProblem::LoneSurrogate,
            16,
        ),
        (br#"{"x":NaN}"#, RowProblem::Expected("a value"), 5),
        (br#"{"x":1,}"#, RowProblem::Expected("a string"), 7),
        (br#"{"x":1} x"#, RowProblem::Expected("the record's end"), 8),
        (b"", RowProblem::Expected("an object"), 0),
    ];
    for (json, wanted, at) in cases {
        let text = String::from_utf8_lossy(json);
        assert_eq!(problem(json), Err((wanted, at)), "{text}");
    }
}
