//! The map as a plan, with its two systems.

use dwmap_plan::{
    Access, Dialect, Entity, Field, KeyPart, NullForm, Plan, Requirement, Schema, SystemPlan, Type,
};

use super::forms::no_yes;
use super::groups::customer_groups;

/// A plan with that map alone.
pub fn plan() -> Plan {
    Plan {
        name: "groups".to_owned(),
        compiler: "by hand".to_owned(),
        systems: vec![
            system(
                "fno",
                Dialect::Finops,
                "CustomerGroups",
                &["dataAreaId", "CustomerGroupId"],
            ),
            system(
                "dv",
                Dialect::Dataverse,
                "msdyn_customergroups",
                &["msdyn_customergroupid"],
            ),
        ],
        maps: vec![customer_groups()],
    }
}

fn system(name: &str, dialect: Dialect, entity: &str, key: &[&str]) -> SystemPlan {
    SystemPlan {
        binding: name.to_owned(),
        schema: Schema {
            name: name.to_owned(),
            dialect,
            case_insensitive: true,
            enums: vec![no_yes()],
            entities: vec![Entity {
                name: entity.to_owned(),
                display: None,
                wire: None,
                physical: None,
                fields: key.iter().map(|k| field(k)).collect(),
                key: key
                    .iter()
                    .map(|k| KeyPart::Field((*k).to_owned()))
                    .collect(),
                alternate_keys: vec![],
                navs: vec![],
                striped_by: None,
                identity: None,
                modified: None,
            }],
        },
        fingerprint: [0; 32],
    }
}

fn field(name: &str) -> Field {
    Field {
        name: name.to_owned(),
        wire: None,
        ty: Type::Text(None),
        nullable: false,
        access: Access::CreateOnly,
        computed: false,
        requirement: Requirement::Required,
        sensitive: false,
        one_of: vec![],
        min: None,
        max: None,
        inferred: false,
        null: NullForm::default(),
    }
}
