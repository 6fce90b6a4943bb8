//! The tables by which webhooks are registered, for schemas that don't declare them.
//!
//! Source: *Register a webhook* and *serviceendpoint*, *sdkmessageprocessingstep*, *sdkmessage*, *sdkmessagefilter* in
//! the table reference of Dataverse. Only the columns that matter to a webhook are there.

use dwmap_plan::{Access, Entity, Field, KeyPart, Nav, NullForm, Requirement, Schema, Type};

/// The schema with those of the registration tables that it lacks.
pub(crate) fn with_registration_tables(schema: &Schema) -> Schema {
    use Requirement::{Optional, Required};
    let text = Type::Text;
    let tables = [
        entity(
            "sdkmessages",
            "sdkmessage",
            &[("name", text(Some(256)), Optional)],
            &[],
        ),
        entity(
            "sdkmessagefilters",
            "sdkmessagefilter",
            &[("primaryobjecttypecode", text(Some(64)), Optional)],
            &[("sdkmessageid", "sdkmessages")],
        ),
        entity(
            "serviceendpoints",
            "serviceendpoint",
            &[
                ("name", text(Some(160)), Required),
                ("url", text(Some(2083)), Required),
                ("contract", Type::Int32, Required),
                ("authtype", Type::Int32, Optional),
                ("authvalue", text(Some(2083)), Optional),
            ],
            &[],
        ),
        entity(
            "sdkmessageprocessingsteps",
            "sdkmessageprocessingstep",
            &[
                ("name", text(Some(256)), Optional),
                ("stage", Type::Int32, Required),
                ("mode", Type::Int32, Required),
                ("rank", Type::Int32, Optional),
                ("filteringattributes", text(Some(100_000)), Optional),
            ],
            &[
                ("sdkmessageid", "sdkmessages"),
                ("sdkmessagefilterid", "sdkmessagefilters"),
                ("eventhandler", "serviceendpoints"),
            ],
        ),
    ];
    let mut schema = schema.clone();
    for table in tables {
        if schema.entity(&table.name).is_none() {
            schema.entities.push(table);
        }
    }
    schema
}

fn entity(
    set: &str,
    logical: &str,
    fields: &[(&str, Type, Requirement)],
    navs: &[(&str, &str)],
) -> Entity {
    let id = format!("{logical}id");
    let mut all = vec![field(&id, Type::Guid, Requirement::Filled)];
    all.extend(
        fields
            .iter()
            .map(|(name, ty, requirement)| field(name, ty.clone(), *requirement)),
    );
    Entity {
        name: set.to_owned(),
        display: None,
        wire: None,
        physical: Some(logical.to_owned()),
        fields: all,
        key: vec![KeyPart::Field(id)],
        alternate_keys: Vec::new(),
        navs: navs
            .iter()
            .map(|(name, target)| Nav {
                name: (*name).to_owned(),
                targets: vec![(*target).to_owned()],
                via: vec![format!("_{name}_value")],
            })
            .collect(),
        striped_by: None,
        identity: None,
        modified: None,
    }
}

fn field(name: &str, ty: Type, requirement: Requirement) -> Field {
    Field {
        name: name.to_owned(),
        wire: None,
        ty,
        nullable: true,
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
