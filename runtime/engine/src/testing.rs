//! A plan made by hand, for tests of what runs plans: customer groups between Finance & Operations and Dataverse, with a
//! company, a key, a text, a NoYes that is a bool, and a reference within the company. Not part of the API.

use std::collections::HashSet;

use dwmap_plan::{
    Address, Agreement, Class, Column, Company, ConflictPolicy, DeletePolicy, Dialect, Entity,
    EnumDef, Fit, FitMode, InitialPolicy, KeyPart, LengthUnit, Line, LineId, MapPlan, Member,
    MissingPolicy, NullForm, Op, Outputs, Overflow, Plan, Policies, Program, Proof, Query,
    Reference, ReferenceKeyPart, Repr, Schema, Side, SidePlan, SlotId, SourcePlace, Storage,
    SystemPlan, Type, Value, WriteColumn, WriteKey, WritePlan, WriteRepr,
};
use dwmap_steps::semantics::{Lookup, References, values_equal};

/// The company's code in [`known`].
pub const COMPANY: &str = "usmf";
/// The company's identity in Dataverse in [`known`].
pub const COMPANY_ID: [u8; 16] = [0x11; 16];
/// The name of a payment term in [`known`].
pub const TERM: &str = "Net30";
/// Its identity in Dataverse.
pub const TERM_ID: [u8; 16] = [0x22; 16];

/// Referenced records by heart.
#[derive(Debug, Default)]
pub struct Known {
    records: Vec<(u16, Vec<Value>, Value)>,
    /// References whose records are all known: what isn't there is absent, not unknown.
    complete: HashSet<u16>,
}

impl Known {
    /// Adds a record with its key and identity.
    pub fn insert(&mut self, reference: u16, key: Vec<Value>, identity: Value) {
        self.records.push((reference, key, identity));
    }

    /// Says that nothing else is there.
    pub fn complete(&mut self, reference: u16) {
        self.complete.insert(reference);
    }

    fn answer<T>(&self, reference: u16, found: Option<T>) -> Lookup<T> {
        match found {
            Some(found) => Lookup::Found(found),
            None if self.complete.contains(&reference) => Lookup::Absent,
            None => Lookup::Unknown,
        }
    }
}

impl References for Known {
    fn find(&self, reference: u16, key: &[Value]) -> Lookup<&Value> {
        let same = |k: &[Value]| k.iter().zip(key).all(|(a, b)| values_equal(a, b, true));
        let found = self
            .records
            .iter()
            .find(|(r, k, _)| *r == reference && same(k));
        self.answer(reference, found.map(|(_, _, identity)| identity))
    }

    fn follow(&self, reference: u16, identity: &Value) -> Lookup<&[Value]> {
        let found = self
            .records
            .iter()
            .find(|(r, _, i)| *r == reference && i == identity);
        self.answer(reference, found.map(|(_, key, _)| key.as_slice()))
    }
}

/// One company and one payment term, and that there are no others.
pub fn known() -> Known {
    let mut known = Known::default();
    let company = Value::Guid(COMPANY_ID);
    known.insert(0, vec![Value::from(COMPANY)], company.clone());
    known.insert(1, vec![company, Value::from(TERM)], Value::Guid(TERM_ID));
    known.complete(0);
    known.complete(1);
    known
}

/// A storage form without conventions.
pub fn storage(max_len: Option<u32>) -> Storage {
    Storage {
        null: NullForm::default(),
        nullable: true,
        required: false,
        trim_end: false,
        max_len,
        unit: LengthUnit::Utf16,
        min: None,
        max: None,
        one_of: vec![],
    }
}

/// A text of Finance & Operations: blanks at its end go, empty is null; a key's is never null.
fn erp_text(max_len: u32, key: bool) -> Storage {
    let empty = (!key).then(|| Value::from(""));
    Storage {
        null: NullForm {
            read: empty.clone(),
            write: empty,
        },
        nullable: false,
        trim_end: true,
        ..storage(Some(max_len))
    }
}

/// A text of Dataverse: empty is null.
fn crm_text(max_len: u32) -> Storage {
    Storage {
        null: NullForm {
            read: Some(Value::from("")),
            write: None,
        },
        ..storage(Some(max_len))
    }
}

fn column(name: &str, ty: Type, repr: Repr, storage: Storage) -> Column {
    Column {
        name: name.to_owned(),
        wire: name.to_owned(),
        ty,
        repr,
        storage,
        sensitive: false,
    }
}

/// Writes a program op by op.
struct Writer {
    program: Program,
}

impl Writer {
    fn new(columns: Vec<Column>) -> Self {
        let slots = columns.iter().map(|c| c.ty.clone()).collect();
        Self {
            program: Program {
                columns,
                slots,
                enums: vec![no_yes()],
                ..Program::default()
            },
        }
    }

    fn slot(&mut self, ty: Type) -> SlotId {
        self.program.slots.push(ty);
        (self.program.slots.len() - 1) as SlotId
    }

    fn op(&mut self, ty: Type, op: impl FnOnce(SlotId) -> Op) -> SlotId {
        let dst = self.slot(ty);
        self.program.ops.push(op(dst));
        dst
    }

    /// A storage form.
    fn fit(&mut self, src: SlotId, ty: Type, storage: Storage, mode: FitMode) -> SlotId {
        let fit = self.program.fits.len() as u16;
        self.program.fits.push(Fit {
            ty: ty.clone(),
            storage,
            overflow: Overflow::Reject,
            mode,
        });
        self.op(ty, |dst| Op::Fit { dst, src, fit })
    }

    /// A column in its own storage form.
    fn read(&mut self, at: SlotId) -> SlotId {
        let Column { ty, storage, .. } = self.program.columns[usize::from(at)].clone();
        self.fit(at, ty, storage, FitMode::Read)
    }
}

fn no_yes() -> EnumDef {
    let member = |name: &str, value| Member {
        name: name.to_owned(),
        value,
    };
    EnumDef {
        name: "NoYes".to_owned(),
        boolean: true,
        members: vec![member("No", 0), member("Yes", 1)],
    }
}

fn no_yes_storage() -> Storage {
    Storage {
        null: NullForm {
            read: None,
            write: Some(Value::Int(0)),
        },
        nullable: false,
        ..storage(None)
    }
}

const CODE: Type = Type::Text(Some(4));
const GROUP: Type = Type::Text(Some(10));
const DESCRIPTION: Type = Type::Text(Some(60));

fn no_yes_type() -> Type {
    Type::Enum("NoYes".to_owned())
}

fn erp_program() -> Program {
    let mut w = Writer::new(vec![
        column("dataAreaId", CODE, Repr::Text, erp_text(4, true)),
        column("CustomerGroupId", GROUP, Repr::Text, erp_text(10, true)),
        column("Description", DESCRIPTION, Repr::Text, erp_text(60, false)),
        column(
            "IsSalesTaxIncludedInPrice",
            no_yes_type(),
            Repr::EnumName(0),
            no_yes_storage(),
        ),
        column("PaymentTermId", GROUP, Repr::Text, erp_text(10, false)),
    ]);
    let own: Vec<SlotId> = (0..5).map(|at| w.read(at)).collect();
    let company = w.op(Type::Guid, |dst| Op::Find {
        dst,
        reference: 0,
        key: vec![own[0]],
    });
    let group = w.fit(own[1], GROUP, crm_text(10), FitMode::Write);
    let description = w.fit(own[2], Type::Text(Some(100)), crm_text(100), FitMode::Write);
    let tax = w.op(Type::Bool, |dst| Op::EnumToBool { dst, src: own[3] });
    let tax = w.fit(tax, Type::Bool, storage(None), FitMode::Write);
    let term = w.op(Type::Guid, |dst| Op::Find {
        dst,
        reference: 1,
        key: vec![company, own[4]],
    });
    w.program.outputs = Outputs {
        pair_key: vec![own[0], own[1]],
        record_key: vec![own[0], own[1]],
        company: Some(own[0]),
        own: own.iter().copied().map(Some).collect(),
        out: [company, group, description, tax, term].map(Some).to_vec(),
        ..Outputs::default()
    };
    w.program
}

fn crm_program() -> Program {
    let mut w = Writer::new(vec![
        column(
            "msdyn_customergroupid",
            Type::Guid,
            Repr::Guid,
            storage(None),
        ),
        column(
            "_msdyn_company_value",
            Type::Guid,
            Repr::Guid,
            storage(None),
        ),
        column("msdyn_groupid", GROUP, Repr::Text, crm_text(10)),
        column(
            "msdyn_description",
            Type::Text(Some(100)),
            Repr::Text,
            crm_text(100),
        ),
        column(
            "msdyn_issalestaxincluded",
            Type::Bool,
            Repr::Bool,
            storage(None),
        ),
        column(
            "_msdyn_paymenttermid_value",
            Type::Guid,
            Repr::Guid,
            storage(None),
        ),
        column("modifiedon", Type::DateTime, Repr::DateTime, storage(None)),
    ]);
    let (group, description, tax) = (w.read(2), w.read(3), w.read(4));
    let follow = |w: &mut Writer, src, reference, part| {
        w.op(Type::Text(None), |dst| Op::Follow {
            dst,
            src,
            reference,
            part,
        })
    };
    let code = follow(&mut w, 1, 0, 0);
    let code = w.fit(code, CODE, erp_text(4, true), FitMode::Write);
    let out_group = w.fit(group, GROUP, erp_text(10, true), FitMode::Write);
    let out_description = w.fit(
        description,
        DESCRIPTION,
        erp_text(60, false),
        FitMode::Write,
    );
    let out_tax = w.op(no_yes_type(), |dst| Op::BoolToEnum { dst, src: tax });
    let out_tax = w.fit(out_tax, no_yes_type(), no_yes_storage(), FitMode::Write);
    let term = follow(&mut w, 5, 1, 1);
    let out_term = w.fit(term, GROUP, erp_text(10, false), FitMode::Write);
    w.program.outputs = Outputs {
        pair_key: vec![code, out_group],
        record_key: vec![0],
        company: Some(code),
        modified: Some(6),
        own: [1, group, description, tax, 5].map(Some).to_vec(),
        out: [code, out_group, out_description, out_tax, out_term]
            .map(Some)
            .to_vec(),
        ..Outputs::default()
    };
    w.program
}

fn address(set: &str, dialect: Dialect, key: &[(&str, Repr)]) -> Address {
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

fn query(address: Address, columns: &[&str]) -> Query {
    Query {
        columns: columns.iter().map(|c| (*c).to_owned()).collect(),
        order: address.key.iter().map(|(n, _)| n.clone()).collect(),
        address,
        filter: None,
        enums: vec![no_yes()],
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
        natural_key: WriteKey {
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

fn erp_side() -> SidePlan {
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

fn crm_side() -> SidePlan {
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

fn field(name: &str) -> dwmap_plan::Field {
    dwmap_plan::Field {
        name: name.to_owned(),
        wire: None,
        ty: Type::Text(None),
        nullable: false,
        access: dwmap_plan::Access::CreateOnly,
        computed: false,
        requirement: dwmap_plan::Requirement::Required,
        sensitive: false,
        one_of: vec![],
        min: None,
        max: None,
        inferred: false,
        null: NullForm::default(),
    }
}

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
