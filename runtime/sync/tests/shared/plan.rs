//! The simulated map, built by hand: customers by company and number, with a line of each kind.
//!
//! ```text
//! map customers: erp.Customers <-> crm.accounts {
//!   key CustomerAccount <-> accountnumber
//!   where erp: PartyType == "Organization"
//!   Name        <-> name
//!   Alias       <-> searchname           | upper
//!   CreditLimit <-> creditlimit
//!   Terms       <-> terms
//!   City         -> city
//!   OnHold      <-> onhold
//!   Group       <-> group.code           on missing blank
//!   PartyType   <-  "Organization"       on create
//! }
//! ```

use dwmap_plan::{
    Address, Agreement, Class, Column, Columns, Company, CompareOp, ConflictPolicy, DeletePolicy,
    Dialect, Direction, Entity, EnumDef, Field, Fit, FitMode, InitialPolicy, KeyPart, LengthUnit,
    Line, LineId, MapPlan, Meeting, Member, MissingPolicy, NullForm, Op, Outputs, Overflow, Plan,
    Policies, Predicate, Program, Proof, Query, Reference, ReferenceKeyPart, Repr, Requirement,
    Schema, Side, SidePlan, SlotId, SourcePlace, StepCall, Storage, SystemPlan, Type, Value,
    WriteColumn, WritePlan, WriteRepr,
};

/// The sets of the map's two sides.
pub(crate) const MAIN: [&str; 2] = ["customers", "accounts"];
/// The codes of the groups there are, in every company.
pub(crate) const GROUPS: [&str; 3] = ["10", "20", "30"];
/// The code of a group that is referred to before it is there.
pub(crate) const LATE_GROUP: &str = "40";
/// The map's name.
pub(crate) const MAP: &str = "customers";

/// What differs from one such map to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Knobs {
    /// The lines besides the key, by their fields at the left. The filter stands on `PartyType`.
    pub(crate) lines: &'static [&'static str],
    /// Whose value wins where both sides changed.
    pub(crate) conflict: ConflictPolicy,
    /// Whose value wins at a first meeting.
    pub(crate) initial: Side,
    /// Whether deletes are carried over, by the side where they happened.
    pub(crate) deletes: [bool; 2],
    /// What is done with a reference to a group that isn't there.
    pub(crate) missing: MissingPolicy,
}

/// All lines besides the key.
pub(crate) const ALL_LINES: &[&str] = &[
    "Name",
    "Alias",
    "CreditLimit",
    "Terms",
    "City",
    "OnHold",
    "Group",
    "PartyType",
];

/// Instead of `Alias`: the same line without its step.
pub(crate) const PLAIN_ALIAS: &str = "Alias as it is";

/// A line: paths, types and what stands on it.
struct Spec {
    left: &'static str,
    right: &'static str,
    types: [Type; 2],
    kind: Kind,
}

#[derive(PartialEq, Eq, Clone, Copy)]
enum Kind {
    Key,
    Plain,
    Upper,
    OneWay,
    YesNo,
    Group,
    /// A constant at the right, written at the left at birth.
    Constant,
}

const TEXT: Type = Type::Text(Some(60));

fn specs(knobs: &Knobs) -> Vec<Spec> {
    let spec = |left, right, types, kind| Spec {
        left,
        right,
        types,
        kind,
    };
    let no_yes = Type::Enum("NoYes".into());
    let all = vec![
        spec("dataAreaId", "company", [TEXT; 2], Kind::Key),
        spec("CustomerAccount", "accountnumber", [TEXT; 2], Kind::Key),
        spec("Name", "name", [TEXT; 2], Kind::Plain),
        spec("Alias", "searchname", [TEXT; 2], Kind::Upper),
        spec(
            "CreditLimit",
            "creditlimit",
            [Type::Decimal(18, 4), Type::Decimal(18, 2)],
            Kind::Plain,
        ),
        spec("Terms", "terms", [TEXT; 2], Kind::Plain),
        spec("City", "city", [TEXT; 2], Kind::OneWay),
        spec("OnHold", "onhold", [no_yes, Type::Bool], Kind::YesNo),
        spec("Group", "_group_value", [TEXT, Type::Guid], Kind::Group),
        spec("PartyType", "Organization", [TEXT; 2], Kind::Constant),
    ];
    let plain_alias = knobs.lines.contains(&PLAIN_ALIAS);
    let chosen = |s: &Spec| s.kind == Kind::Key || knobs.lines.contains(&s.left);
    let plain = |s: &mut Spec| {
        if plain_alias && s.kind == Kind::Upper {
            s.kind = Kind::Plain;
            return true;
        }
        false
    };
    let mut all = all;
    all.retain_mut(|s| plain(s) || chosen(s));
    all
}

impl Kind {
    const fn flows_from(self, side: Side) -> bool {
        match side {
            Side::Left => !matches!(self, Self::Constant),
            Side::Right => !matches!(self, Self::OneWay),
        }
    }
}

fn no_yes() -> EnumDef {
    let member = |name: &str, value| Member {
        name: name.into(),
        value,
    };
    EnumDef {
        name: "NoYes".into(),
        boolean: true,
        members: vec![member("No", 0), member("Yes", 1)],
    }
}

fn repr(ty: &Type) -> Repr {
    match ty {
        Type::Decimal(p, s) => Repr::Decimal(*p, *s),
        Type::Bool => Repr::Bool,
        Type::Enum(_) => Repr::EnumName(0),
        Type::Guid => Repr::Guid,
        _ => Repr::Text,
    }
}

/// How a side stores a type: the ERP has no nulls and drops trailing blanks.
fn storage(side: Side, ty: &Type, key: bool) -> Storage {
    let null = match (side, ty) {
        _ if key => NullForm::default(),
        (Side::Left, Type::Text(_)) => NullForm {
            read: Some("".into()),
            write: Some("".into()),
        },
        (Side::Left, Type::Decimal(..)) => NullForm {
            read: None,
            write: Some(Value::Decimal(dwmap_plan::Decimal::ZERO)),
        },
        (Side::Left, Type::Enum(_)) => NullForm {
            read: None,
            write: Some(Value::Int(0)),
        },
        _ => NullForm::default(),
    };
    Storage {
        null,
        nullable: !key,
        required: key,
        trim_end: side == Side::Left && matches!(ty, Type::Text(_)),
        max_len: match ty {
            Type::Text(n) => *n,
            _ => None,
        },
        unit: LengthUnit::Utf16,
        min: None,
        max: None,
        one_of: vec![],
    }
}

/// Straight-line code under construction.
#[derive(Default)]
struct Builder {
    program: Program,
}

impl Builder {
    fn slot(&mut self, ty: &Type) -> SlotId {
        self.program.slots.push(ty.clone());
        self.program.slots.len() as SlotId - 1
    }

    fn column(&mut self, side: Side, wire: &str, ty: &Type, key: bool) -> SlotId {
        self.program.columns.push(Column {
            name: wire.into(),
            wire: wire.into(),
            ty: ty.clone(),
            repr: repr(ty),
            storage: storage(side, ty, key),
            sensitive: false,
        });
        self.slot(ty)
    }

    fn fit(&mut self, src: SlotId, side: Side, ty: &Type, key: bool, mode: FitMode) -> SlotId {
        let fit = self.program.fits.len() as u16;
        self.program.fits.push(Fit {
            ty: ty.clone(),
            storage: storage(side, ty, key),
            overflow: Overflow::Reject,
            mode,
        });
        let dst = self.slot(ty);
        self.program.ops.push(Op::Fit { dst, src, fit });
        dst
    }

    fn constant(&mut self, value: Value) -> SlotId {
        let constant = self.program.constants.len() as u16;
        self.program.constants.push(value);
        let dst = self.slot(&TEXT);
        self.program.ops.push(Op::Const { dst, constant });
        dst
    }

    /// An op whose result goes to a new slot.
    fn op(&mut self, ty: &Type, make: impl FnOnce(SlotId) -> Op) -> SlotId {
        let dst = self.slot(ty);
        self.program.ops.push(make(dst));
        dst
    }

    /// What a line makes of its own value for the other side, before that side's storage form.
    fn through(&mut self, side: Side, spec: &Spec, own: SlotId, company: SlotId) -> SlotId {
        let to = &spec.types[side.other().index()];
        match (spec.kind, side) {
            (Kind::Upper, _) => {
                let direction = match side {
                    Side::Left => Direction::Forward,
                    Side::Right => Direction::Backward,
                };
                self.op(to, |dst| Op::Step {
                    dst,
                    src: own,
                    step: 0,
                    direction,
                })
            }
            (Kind::YesNo, Side::Left) => self.op(to, |dst| Op::EnumToBool { dst, src: own }),
            (Kind::YesNo, Side::Right) => self.op(to, |dst| Op::BoolToEnum { dst, src: own }),
            (Kind::Group, Side::Left) => self.op(to, |dst| Op::Find {
                dst,
                reference: 0,
                key: vec![company, own],
            }),
            (Kind::Group, Side::Right) => self.op(to, |dst| Op::Follow {
                dst,
                src: own,
                reference: 0,
                part: 1,
            }),
            _ => own,
        }
    }
}

fn program(side: Side, knobs: &Knobs) -> Program {
    let specs = specs(knobs);
    let mut b = Builder::default();
    b.program.steps.push(StepCall {
        name: "upper".into(),
        args: vec![],
    });
    if side == Side::Left {
        b.program.enums.push(no_yes());
    }
    let id = (side == Side::Right).then(|| b.column(side, "accountid", &Type::Guid, true));
    let has_column = |s: &Spec| side == Side::Left || s.kind != Kind::Constant;
    let columns: Vec<Option<SlotId>> = specs
        .iter()
        .map(|s| {
            let wire = if side == Side::Left { s.left } else { s.right };
            let ty = &s.types[side.index()];
            has_column(s).then(|| b.column(side, wire, ty, s.kind == Kind::Key))
        })
        .collect();
    let mut outputs = Outputs::default();
    for (spec, column) in specs.iter().zip(columns) {
        let key = spec.kind == Kind::Key;
        let own = column.map(|c| b.fit(c, side, &spec.types[side.index()], key, FitMode::Read));
        let company = outputs.own.first().copied().flatten().or(own);
        let out = spec.kind.flows_from(side).then(|| {
            let value = match (own, company) {
                (Some(own), Some(company)) => b.through(side, spec, own, company),
                _ => b.constant("Organization".into()),
            };
            let to = side.other();
            b.fit(value, to, &spec.types[to.index()], key, FitMode::Write)
        });
        outputs.own.push(own);
        outputs.out.push(out);
    }
    let keys: Vec<SlotId> = match side {
        Side::Left => outputs.own[..2].iter().copied().flatten().collect(),
        Side::Right => outputs.out[..2].iter().copied().flatten().collect(),
    };
    outputs.company = keys.first().copied();
    outputs.record_key = match id {
        Some(id) => vec![id],
        None => keys.clone(),
    };
    outputs.pair_key = keys;
    let party = specs.iter().position(|s| s.kind == Kind::Constant);
    if side == Side::Left
        && let Some(party) = party.and_then(|at| outputs.own[at])
    {
        let organization = b.constant("Organization".into());
        outputs.filter = Some(b.op(&Type::Bool, |dst| Op::Compare {
            dst,
            op: CompareOp::Eq,
            left: party,
            right: organization,
            fold: false,
        }));
    }
    b.program.outputs = outputs;
    b.program
}

fn address(side: Side) -> Address {
    let text = |wire: &str| (wire.to_owned(), Repr::Text);
    Address {
        set: MAIN[side.index()].into(),
        physical: MAIN[side.index()].into(),
        dialect: [Dialect::Finops, Dialect::Dataverse][side.index()],
        key: match side {
            Side::Left => vec![text("dataAreaId"), text("CustomerAccount")],
            Side::Right => vec![("accountid".into(), Repr::Guid)],
        },
    }
}

fn query(side: Side, program: &Program, filter: Option<Predicate>) -> Query {
    Query {
        address: address(side),
        columns: program.columns.iter().map(|c| c.wire.clone()).collect(),
        filter,
        order: vec![],
        enums: program.enums.clone(),
    }
}

fn side_plan(side: Side, knobs: &Knobs) -> SidePlan {
    let program = program(side, knobs);
    let pushed_down = program
        .outputs
        .filter
        .is_some()
        .then(|| Predicate::Compare {
            column: "PartyType".into(),
            repr: Repr::Text,
            op: CompareOp::Eq,
            value: "Organization".into(),
        });
    SidePlan {
        system: side.index() as u16,
        entity: MAIN[side.index()].into(),
        scan: query(side, &program, pushed_down),
        changes: query(side, &program, None),
        fetch: query(side, &program, None),
        company: Some(Company::Column {
            wire: ["dataAreaId", "company"][side.index()].into(),
        }),
        identity: None,
        write: write_plan(side, knobs),
        program,
    }
}

fn write_plan(side: Side, knobs: &Knobs) -> WritePlan {
    let specs = specs(knobs);
    let mut columns = vec![];
    for (line, spec) in specs.iter().enumerate() {
        if !spec.kind.flows_from(side.other()) {
            continue;
        }
        let ty = &spec.types[side.index()];
        let (wire, repr) = match (spec.kind, side) {
            (Kind::Group, Side::Right) => (
                "group",
                WriteRepr::Bind {
                    set: "groups".into(),
                },
            ),
            _ => (
                [spec.left, spec.right][side.index()],
                WriteRepr::Column(repr(ty)),
            ),
        };
        columns.push(WriteColumn {
            line: line as u16,
            wire: wire.into(),
            repr,
            null: storage(side, ty, spec.kind == Kind::Key).null.write,
            create_only: spec.kind == Kind::Key,
        });
    }
    let part = |line: usize| {
        let spec = &specs[line];
        let wire = [spec.left, spec.right][side.index()];
        (wire.to_owned(), Repr::Text, line as u16)
    };
    WritePlan {
        columns,
        natural_key: Columns {
            parts: vec![part(0), part(1)],
        },
        natural_is_record_key: side == Side::Left,
        overflow: Overflow::Reject,
        wants_row: false,
        enums: if side == Side::Left {
            vec![no_yes()]
        } else {
            vec![]
        },
    }
}

fn groups() -> Reference {
    let columns = ["groupid", "company", "code"];
    let part = |wire: &str, company| ReferenceKeyPart {
        wire: wire.into(),
        repr: Repr::Text,
        company,
        fold: false,
    };
    Reference {
        side: Side::Right,
        nav: "group".into(),
        entity: "groups".into(),
        fetch: Query {
            address: Address {
                set: "groups".into(),
                physical: "groups".into(),
                dialect: Dialect::Dataverse,
                key: vec![("groupid".into(), Repr::Guid)],
            },
            columns: columns.map(str::to_owned).to_vec(),
            filter: None,
            order: vec![],
            enums: vec![],
        },
        identity: "groupid".into(),
        key: vec![part("company", true), part("code", false)],
        brought_by: None,
    }
}

fn lines(knobs: &Knobs) -> Vec<Line> {
    let line = |(at, spec): (usize, Spec)| {
        let group = spec.kind == Kind::Group;
        let class = match spec.kind {
            Kind::OneWay | Kind::Constant => Class::OneWay,
            Kind::Upper => Class::Canonical,
            Kind::Plain if spec.types[0] != spec.types[1] => Class::Canonical,
            _ => Class::Exact,
        };
        Line {
            id: LineId::of(MAP, spec.left, spec.right),
            text: format!("{} .. {}", spec.left, spec.right),
            place: SourcePlace {
                file: "maps/customers.dwmap".into(),
                line: at as u32 + 2,
                column: 3,
            },
            left: spec.left.into(),
            right: spec.right.into(),
            to_right: spec.kind.flows_from(Side::Left),
            to_left: spec.kind.flows_from(Side::Right),
            key: spec.kind == Kind::Key,
            on_create: spec.kind == Kind::Constant,
            normalise: false,
            agreement: Agreement {
                class,
                proof: Proof::Proved,
            },
            references: [None, group.then_some(0)],
            missing: knobs.missing,
            conflict: None,
            sensitive: false,
        }
    };
    specs(knobs).into_iter().enumerate().map(line).collect()
}

fn schema(side: Side, knobs: &Knobs) -> Schema {
    let field = |name: &str, ty: &Type| Field {
        name: name.into(),
        wire: None,
        ty: ty.clone(),
        nullable: true,
        access: dwmap_plan::Access::ReadWrite,
        computed: false,
        requirement: Requirement::Optional,
        sensitive: false,
        one_of: vec![],
        min: None,
        max: None,
        inferred: false,
        null: NullForm::default(),
    };
    let entity = |name: &str, fields: Vec<Field>, key: &[&str]| Entity {
        name: name.into(),
        display: None,
        wire: None,
        physical: None,
        fields,
        key: key.iter().map(|k| KeyPart::Field((*k).into())).collect(),
        alternate_keys: vec![],
        navs: vec![],
        striped_by: None,
        identity: None,
        modified: None,
    };
    let columns = program(side, knobs).columns;
    let fields = columns.iter().map(|c| field(&c.name, &c.ty)).collect();
    let mut entities = vec![match side {
        Side::Left => entity(MAIN[0], fields, &["dataAreaId", "CustomerAccount"]),
        Side::Right => entity(MAIN[1], fields, &["accountid"]),
    }];
    if side == Side::Right {
        let fields = vec![
            field("groupid", &Type::Guid),
            field("company", &TEXT),
            field("code", &TEXT),
        ];
        entities.push(entity("groups", fields, &["groupid"]));
    }
    Schema {
        name: ["erp", "crm"][side.index()].into(),
        dialect: address(side).dialect,
        case_insensitive: false,
        enums: if side == Side::Left {
            vec![no_yes()]
        } else {
            vec![]
        },
        entities,
    }
}

/// The plan with one such map.
pub(crate) fn plan(knobs: &Knobs) -> Plan {
    let carry = |yes: bool| {
        if yes {
            DeletePolicy::Delete
        } else {
            DeletePolicy::Ignore
        }
    };
    let map = MapPlan {
        name: MAP.into(),
        doc: String::new(),
        sides: Side::BOTH.map(|side| side_plan(side, knobs)),
        lines: lines(knobs),
        references: vec![groups()],
        fold_pair_key: vec![true, false],
        meeting: Meeting::default(),
        policies: Policies {
            conflict: knobs.conflict,
            initial: InitialPolicy::Prefer(knobs.initial),
            delete: knobs.deletes.map(carry),
            leave: [DeletePolicy::Ignore, DeletePolicy::Ignore],
            creates: [true; 2],
        },
        rank: 0,
        place: SourcePlace::default(),
    };
    let plan = Plan {
        name: "simulation".into(),
        compiler: "by hand".into(),
        systems: Side::BOTH
            .map(|side| SystemPlan {
                binding: ["erp", "crm"][side.index()].into(),
                schema: schema(side, knobs),
                fingerprint: [0; 32],
            })
            .to_vec(),
        maps: vec![map],
    };
    dwmap_plan::verify::plan(&plan).unwrap_or_else(|e| panic!("the simulated plan is wrong: {e}"));
    plan
}
