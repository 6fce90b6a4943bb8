//! Both sides: what they are asked, and how they are written.

use dwmap_plan::{
    Address, Columns, Company, Dialect, Overflow, Query, Repr, SidePlan, Value, WriteColumn,
    WritePlan, WriteRepr,
};

use super::forms::no_yes;
use super::programs::{crm_program, erp_program};

pub(super) fn erp_side() -> SidePlan {
    let program = erp_program();
    let wires: Vec<&str> = program.columns.iter().map(|c| c.wire.as_str()).collect();
    let key = [("dataAreaId", Repr::Text), ("CustomerGroupId", Repr::Text)];
    let q = query(address("CustomerGroups", Dialect::Finops, &key), &wires);
    let text = || WriteRepr::Column(Repr::Text);
    let empty = || Some(Value::from(""));
    SidePlan {
        system: 0,
        entity: "CustomerGroups".to_owned(),
        scan: q.clone(),
        changes: q.clone(),
        fetch: q,
        company: Some(Company::Column {
            wire: "dataAreaId".to_owned(),
        }),
        identity: None,
        write: write(
            vec![
                ("dataAreaId", text(), None),
                ("CustomerGroupId", text(), None),
                ("Description", text(), empty()),
                (
                    "IsSalesTaxIncludedInPrice",
                    WriteRepr::Column(Repr::EnumName(0)),
                    Some(Value::Int(0)),
                ),
                ("PaymentTermId", text(), empty()),
            ],
            &[
                ("dataAreaId", Repr::Text, 0),
                ("CustomerGroupId", Repr::Text, 1),
            ],
            true,
        ),
        program,
    }
}

pub(super) fn crm_side() -> SidePlan {
    let program = crm_program();
    let wires: Vec<&str> = program.columns.iter().map(|c| c.wire.as_str()).collect();
    let id = [("msdyn_customergroupid", Repr::Guid)];
    let q = query(
        address("msdyn_customergroups", Dialect::Dataverse, &id),
        &wires,
    );
    let bind = |set: &str| WriteRepr::Bind {
        set: set.to_owned(),
    };
    SidePlan {
        system: 1,
        entity: "msdyn_customergroups".to_owned(),
        scan: q.clone(),
        changes: q.clone(),
        fetch: q,
        company: Some(Company::Reference {
            wire: "_msdyn_company_value".to_owned(),
            reference: 0,
        }),
        identity: Some(0),
        write: write(
            vec![
                ("msdyn_company", bind("cdm_companies"), None),
                ("msdyn_groupid", WriteRepr::Column(Repr::Text), None),
                ("msdyn_description", WriteRepr::Column(Repr::Text), None),
                (
                    "msdyn_issalestaxincluded",
                    WriteRepr::Column(Repr::Bool),
                    None,
                ),
                ("msdyn_paymenttermid", bind("msdyn_paymentterms"), None),
            ],
            &[
                ("_msdyn_company_value", Repr::Guid, 0),
                ("msdyn_groupid", Repr::Text, 1),
            ],
            false,
        ),
        program,
    }
}

fn write(
    columns: Vec<(&str, WriteRepr, Option<Value>)>,
    key: &[(&str, Repr, u16)],
    natural: bool,
) -> WritePlan {
    WritePlan {
        columns: (0..)
            .zip(columns)
            .map(|(line, (wire, repr, null))| WriteColumn {
                line,
                wire: wire.to_owned(),
                repr,
                null,
                create_only: false,
            })
            .collect(),
        natural_key: Columns {
            parts: key
                .iter()
                .map(|(n, r, l)| ((*n).to_owned(), r.clone(), *l))
                .collect(),
        },
        natural_is_record_key: natural,
        overflow: Overflow::Reject,
        wants_row: true,
        enums: vec![no_yes()],
    }
}

pub(super) fn address(set: &str, dialect: Dialect, key: &[(&str, Repr)]) -> Address {
    Address {
        set: set.to_owned(),
        physical: set.to_owned(),
        dialect,
        key: key
            .iter()
            .map(|(n, r)| ((*n).to_owned(), r.clone()))
            .collect(),
    }
}

pub(super) fn query(address: Address, columns: &[&str]) -> Query {
    Query {
        columns: columns.iter().map(|c| (*c).to_owned()).collect(),
        order: address.key.iter().map(|(n, _)| n.clone()).collect(),
        address,
        filter: None,
        enums: vec![no_yes()],
    }
}
