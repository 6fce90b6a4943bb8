//! Definitions as the real services write them, which say more, and less, than a sandbox.
#![allow(clippy::unwrap_used, reason = "a panic is a failed test")]

mod common;

use std::sync::Arc;

use common::scripted::{Scripted, Step};
use common::{accounts, customers};
use dwmap_connect::{ConnectError, Connector, LiveEntity, LiveKind};
use dwmap_connectors::{Dataverse, DataverseConfig, Finops, FinopsConfig};
use dwmap_odata::batch::{Part, Response, render_responses};
use dwmap_plan::Access;

fn dataverse(url: &str) -> Arc<Dataverse> {
    Dataverse::connect(DataverseConfig::new("dv", url)).unwrap()
}

fn list(values: &str) -> String {
    format!(r#"{{"@odata.context":"…/$metadata#…","value":[{values}]}}"#)
}

/// The answer to a batch with these bodies.
fn batch(bodies: impl IntoIterator<Item = String>) -> Step {
    let part = |body: String| {
        let mut response = Response::new(200);
        response.body = body.into();
        Part::Single(response)
    };
    let parts: Vec<_> = bodies.into_iter().map(part).collect();
    let rendered = render_responses(&parts);
    let kind = format!("Content-Type: {}", rendered.content_type);
    Step::Answer(200, vec![kind], rendered.body)
}

const ACCOUNT: &str = r#"{"LogicalName":"account","EntitySetName":"accounts","ChangeTrackingEnabled":false,
    "IsOptimisticConcurrencyEnabled":true,"MetadataId":"70816501-edb9-4740-a16c-6a5efbc05d84"}"#;

/// An attribute as all types have it.
fn attribute(name: &str, kind: &str, of: &str, [read, create, update]: [bool; 3]) -> String {
    let of = if of.is_empty() {
        "null".to_owned()
    } else {
        format!("{of:?}")
    };
    format!(
        r##"{{"@odata.type":"#Microsoft.Dynamics.CRM.{kind}AttributeMetadata","LogicalName":"{name}","AttributeOf":{of},
            "AttributeType":"{kind}","IsValidForRead":{read},"IsValidForCreate":{create},"IsValidForUpdate":{update},
            "RequiredLevel":{{"Value":"None","CanBeChanged":true,"ManagedPropertyLogicalName":"x"}},"MetadataId":"…"}}"##
    )
}

async fn live(attributes: &[String], details: [&str; 10]) -> LiveEntity {
    let bodies = std::iter::once(attributes.join(",")).chain(details.map(str::to_owned));
    let server = Scripted::start([
        Step::json(200, list(ACCOUNT)),
        batch(bodies.map(|body| list(&body))),
    ])
    .await;
    let queries = [accounts()];
    let told = dataverse(&server.url).describe(&queries).await.unwrap();
    told.unwrap().remove(0).unwrap()
}

#[tokio::test]
async fn a_table_is_told_as_the_service_writes_it() {
    let all = [true, true, true];
    let attributes = [
        attribute("accountid", "Uniqueidentifier", "", [true, true, false]),
        attribute("name", "String", "", all),
        // Shown beside a look-up, and no column of its own.
        attribute("primarycontactidname", "String", "primarycontactid", all),
        attribute("primarycontactid", "Lookup", "", all),
        attribute("industrycode", "Picklist", "", all),
        attribute("statecode", "State", "", [true, false, true]),
        attribute("creditlimit", "Money", "", all),
        attribute("exchangerate", "Decimal", "", [true, false, false]),
        attribute("entityimage", "Virtual", "", all),
        attribute("secret", "String", "", [false, true, true]),
    ];
    let option = |value: i64, label: &str| {
        format!(
            r#"{{"Value":{value},"Label":{{"LocalizedLabels":[],"UserLocalizedLabel":{{"Label":"{label}","LanguageCode":1033}}}},"Color":null}}"#
        )
    };
    let global = format!(
        r#"{{"LogicalName":"industrycode","OptionSet":null,"GlobalOptionSet":{{"Options":[{}]}}}}"#,
        option(7, "Brokers")
    );
    let state = format!(
        r#"{{"LogicalName":"statecode","OptionSet":{{"Options":[{},{}]}},"GlobalOptionSet":null}}"#,
        option(0, "Active"),
        option(1, "Inactive")
    );
    let live = live(
        &attributes,
        [
            r#"{"LogicalName":"name","MaxLength":160},{"LogicalName":"primarycontactidname","MaxLength":100}"#,
            "",
            "",
            r#"{"LogicalName":"exchangerate","Precision":10,"MinValue":1e-10,"MaxValue":100000000000}"#,
            r#"{"LogicalName":"creditlimit","Precision":2,"PrecisionSource":2,"MinValue":0,"MaxValue":100000000000000}"#,
            "",
            r#"{"LogicalName":"primarycontactid","Targets":["contact"]}"#,
            &global,
            &state,
            "",
        ],
    )
    .await;
    assert_eq!(live.tracks_changes, Some(false));
    let field = |name: &str| live.field(name).unwrap_or_else(|| panic!("{name}"));
    assert_eq!(field("name").length_max, Some(160));
    assert_eq!(field("accountid").access, Some(Access::CreateOnly));
    let contact = LiveKind::Reference(vec!["contact".to_owned()]);
    assert_eq!(field("_primarycontactid_value").kind, contact);
    let options = |name: &str| -> Vec<i64> {
        let options = field(name).options.iter().flatten();
        options.map(|o| o.value).collect()
    };
    assert_eq!(
        options("industrycode"),
        [7],
        "a set of the whole environment"
    );
    assert_eq!(options("statecode"), [0, 1]);
    assert_eq!(field("statecode").access, Some(Access::ReadWrite));
    assert_eq!(field("creditlimit").scale, None, "the currency's decides");
    assert_eq!(field("exchangerate").scale, Some(10));
    assert_eq!(field("exchangerate").access, Some(Access::ReadOnly));
    assert_eq!(
        field("entityimage").kind,
        LiveKind::Other("virtual".to_owned())
    );
    for name in ["primarycontactidname", "secret", "primarycontactid"] {
        assert!(live.field(name).is_none(), "{name} can't be read");
    }
}

#[tokio::test]
async fn a_refusal_and_nonsense_are_told_and_nothing_is_made_up() {
    let queries = [accounts()];
    let steps = [
        Step::error(403, "0x80040220", "missing prvReadEntity privilege"),
        Step::json(200, r#"{"value":"none"}"#),
        Step::json(200, list(ACCOUNT)),
        batch(vec!["<html>".to_owned(); 11]),
    ];
    let server = Scripted::start(steps).await;
    let system = dataverse(&server.url);
    let refused = system.describe(&queries).await.unwrap_err();
    assert!(
        matches!(refused, ConnectError::Unauthorised { .. }),
        "{refused}"
    );
    for _ in 0..2 {
        let nonsense = system.describe(&queries).await.unwrap_err();
        assert!(
            matches!(nonsense, ConnectError::Nonsense { .. }),
            "{nonsense}"
        );
    }
}

#[tokio::test]
async fn an_entity_of_the_erp_is_told_as_its_metadata_service_writes_it() {
    let property = |name: &str, ty: &str, data: &str, more: &str| {
        format!(
            r#"{{"Name":"{name}","TypeName":"{ty}","DataType":"{data}","LabelId":"@SYS1","IsKey":false,"IsMandatory":false,
                "ConfigurationEnabled":true,"AllowEdit":true,"AllowEditOnCreate":true,"IsDimension":false,"DimensionRelation":null{more}}}"#
        )
    };
    let plain = |name: &str, ty: &str, data: &str| property(name, ty, data, "");
    // A key that a number sequence may draw; and a field that a configuration key switches off.
    let key = plain("CustomerAccount", "Edm.String", "String")
        .replace(r#""IsKey":false"#, r#""IsKey":true"#)
        .replace(r#""AllowEdit":true"#, r#""AllowEdit":false"#)
        .replace(
            r#""AllowEditOnCreate":true"#,
            r#""AllowEditOnCreate":false"#,
        );
    let off = plain("BrazilianTax", "Edm.String", "String").replace(
        r#""ConfigurationEnabled":true"#,
        r#""ConfigurationEnabled":false"#,
    );
    let properties = [
        plain("dataAreaId", "Edm.String", "String"),
        key,
        off,
        plain(
            "OnHoldStatus",
            "Microsoft.Dynamics.DataEntities.CustVendorBlocked",
            "Enum",
        ),
        plain("CreditLimit", "Edm.Decimal", "Real"),
        plain("BirthDate", "Edm.DateTimeOffset", "Date"),
    ];
    let entity = format!(
        r#"{{"Name":"CustomerV3","EntitySetName":"CustomersV3","LabelId":"@x","IsReadOnly":false,"ConfigurationEnabled":true,
            "Properties":[{}],"NavigationProperties":[],"PropertyGroups":[],"Actions":[]}}"#,
        properties.join(",")
    );
    let members = r#"{"@odata.context":"…","Name":"CustVendorBlocked","LabelId":"@y","Members":[
        {"Name":"No","Value":0,"LabelId":"@a","ConfigurationEnabled":true},{"Name":"All","Value":2,"LabelId":"@b","ConfigurationEnabled":true}]}"#;
    let server = Scripted::start([Step::json(200, list(&entity)), Step::json(200, members)]).await;
    let system = Finops::connect(FinopsConfig::new("fno", &server.url)).unwrap();
    let mut query = customers();
    query.columns.push("OnHoldStatus".to_owned());
    let told = system.describe(&[query]).await.unwrap().unwrap();
    let live = told[0].as_ref().unwrap();
    let field = |name: &str| live.field(name).unwrap_or_else(|| panic!("{name}"));
    assert_eq!(field("CustomerAccount").access, Some(Access::CreateOnly));
    assert_eq!(field("CreditLimit").kind, LiveKind::Decimal);
    assert_eq!(field("BirthDate").kind, LiveKind::Date);
    let members: Vec<&str> = field("OnHoldStatus")
        .options
        .iter()
        .flatten()
        .map(|o| o.name.as_str())
        .collect();
    assert_eq!(members, ["No", "All"]);
    assert!(live.field("BrazilianTax").is_none(), "it is switched off");
    assert_eq!(field("CreditLimit").length_max, None);
    let asked = server.requests();
    assert!(
        asked[0].starts_with(
            "GET /metadata/PublicEntities?$filter=EntitySetName%20eq%20%27CustomersV3%27"
        ),
        "{}",
        asked[0]
    );
}
