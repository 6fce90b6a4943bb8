//! The schemas of the systems under test.

use dwmap_plan::{
    Access, AlternateKey, Dialect, Entity, Field, KeyPart, NullForm, Requirement, Schema, Type,
    Value,
};

fn field(name: &str, ty: Type, requirement: Requirement) -> Field {
    Field {
        name: name.to_owned(),
        wire: None,
        ty,
        nullable: false,
        access: Access::ReadWrite,
        computed: false,
        requirement,
        sensitive: false,
        one_of: Vec::new(),
        min: None,
        max: None,
        inferred: false,
        null: NullForm::default(),
    }
}

fn entity(name: &str, physical: &str, key: &[&str], fields: Vec<Field>) -> Entity {
    Entity {
        name: name.to_owned(),
        display: None,
        wire: None,
        physical: Some(physical.to_owned()),
        fields,
        key: key
            .iter()
            .map(|k| KeyPart::Field((*k).to_owned()))
            .collect(),
        alternate_keys: Vec::new(),
        navs: Vec::new(),
        striped_by: None,
        identity: None,
        modified: None,
    }
}

fn schema(name: &str, dialect: Dialect, entity: Entity) -> Schema {
    Schema {
        name: name.to_owned(),
        dialect,
        case_insensitive: true,
        enums: Vec::new(),
        entities: vec![entity],
    }
}

pub fn dataverse() -> Schema {
    let fields = vec![
        field("accountid", Type::Guid, Requirement::Filled),
        field("name", Type::Text(Some(100)), Requirement::Optional),
        field("accountnumber", Type::Text(Some(20)), Requirement::Optional),
    ];
    let mut accounts = entity("accounts", "account", &["accountid"], fields);
    accounts.identity = Some("accountid".to_owned());
    accounts.alternate_keys.push(AlternateKey {
        name: "byNumber".to_owned(),
        parts: vec![KeyPart::Field("accountnumber".to_owned())],
    });
    schema("dv", Dialect::Dataverse, accounts)
}

pub fn finops() -> Schema {
    let text = |name: &str, length| {
        let mut field = field(name, Type::Text(Some(length)), Requirement::Optional);
        field.null = NullForm {
            read: Some(Value::from("")),
            write: Some(Value::from("")),
        };
        field
    };
    let fields = vec![
        text("dataAreaId", 4),
        text("CustomerAccount", 20),
        text("OrganizationName", 100),
    ];
    let key = ["dataAreaId", "CustomerAccount"];
    let mut customers = entity("CustomersV3", "CustCustomerV3Entity", &key, fields);
    customers.striped_by = Some(vec!["dataAreaId".to_owned()]);
    schema("fno", Dialect::Finops, customers)
}
