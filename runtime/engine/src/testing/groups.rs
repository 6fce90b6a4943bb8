//! The map: its lines and references.

use dwmap_plan::{
    Agreement, Class, ConflictPolicy, DeletePolicy, Dialect, InitialPolicy, Line, LineId, MapPlan,
    Meeting, MissingPolicy, Policies, Proof, Reference, ReferenceKeyPart, Repr, Side, SourcePlace,
};

use super::sides::{address, crm_side, erp_side, query};

/// The map.
pub fn customer_groups() -> MapPlan {
    MapPlan {
        name: "customer_groups".to_owned(),
        doc: "Groups of customers.".to_owned(),
        sides: [erp_side(), crm_side()],
        lines: vec![
            line("dataAreaId", "msdyn_company.cdm_companycode", true, Some(0)),
            line("CustomerGroupId", "msdyn_groupid", true, None),
            line("Description", "msdyn_description", false, None),
            line(
                "IsSalesTaxIncludedInPrice",
                "msdyn_issalestaxincluded",
                false,
                None,
            ),
            line(
                "PaymentTermId",
                "msdyn_paymenttermid.msdyn_name",
                false,
                Some(1),
            ),
        ],
        references: vec![
            reference(
                "msdyn_company",
                "cdm_companies",
                "cdm_companyid",
                &[("cdm_companycode", Repr::Text, true)],
            ),
            reference(
                "msdyn_paymenttermid",
                "msdyn_paymentterms",
                "msdyn_paymenttermid",
                &[
                    ("_msdyn_company_value", Repr::Guid, true),
                    ("msdyn_name", Repr::Text, false),
                ],
            ),
        ],
        fold_pair_key: vec![true, true],
        meeting: Meeting::default(),
        policies: Policies {
            conflict: ConflictPolicy::Prefer(Side::Left),
            initial: InitialPolicy::Prefer(Side::Left),
            delete: [DeletePolicy::Delete, DeletePolicy::Ignore],
            leave: [DeletePolicy::Ignore, DeletePolicy::Ignore],
            creates: [true, true],
        },
        rank: 0,
        place: SourcePlace::default(),
    }
}

fn line(left: &str, right: &str, key: bool, reference: Option<u16>) -> Line {
    Line {
        id: LineId::of("customer_groups", left, right),
        text: format!("{left} <-> {right}"),
        place: SourcePlace {
            file: "customer_groups.dwmap".to_owned(),
            line: 1,
            column: 1,
        },
        left: left.to_owned(),
        right: right.to_owned(),
        to_right: true,
        to_left: true,
        key,
        on_create: false,
        normalise: false,
        agreement: Agreement {
            class: Class::Exact,
            proof: Proof::Proved,
        },
        references: [None, reference],
        missing: if key {
            MissingPolicy::Park
        } else {
            MissingPolicy::Blank
        },
        conflict: None,
        sensitive: false,
    }
}

fn reference(nav: &str, set: &str, identity: &str, key: &[(&str, Repr, bool)]) -> Reference {
    let mut columns = vec![identity];
    columns.extend(key.iter().map(|(wire, ..)| *wire));
    let key = key.iter().map(|(wire, repr, company)| ReferenceKeyPart {
        wire: (*wire).to_owned(),
        repr: repr.clone(),
        company: *company,
        fold: *repr == Repr::Text,
    });
    Reference {
        side: Side::Right,
        nav: nav.to_owned(),
        entity: set.to_owned(),
        fetch: query(
            address(set, Dialect::Dataverse, &[(identity, Repr::Guid)]),
            &columns,
        ),
        identity: identity.to_owned(),
        key: key.collect(),
        brought_by: None,
    }
}
