//! The container, the text form and the verifier, on a small plan made by hand.

use dwmap_plan::*;
use proptest::prelude::*;

fn storage() -> Storage {
    Storage {
        null: NullForm {
            read: Some("".into()),
            write: Some("".into()),
        },
        nullable: true,
        required: false,
        trim_end: true,
        max_len: Some(60),
        unit: LengthUnit::Utf16,
        min: None,
        max: None,
        one_of: vec![],
    }
}

fn column(name: &str, ty: Type, repr: Repr) -> Column {
    Column {
        name: name.into(),
        wire: name.into(),
        ty,
        repr,
        storage: storage(),
        sensitive: false,
    }
}

fn field(name: &str, ty: Type) -> Field {
    Field {
        name: name.into(),
        wire: None,
        ty,
        nullable: true,
        access: Access::ReadWrite,
        computed: false,
        requirement: Requirement::Optional,
        sensitive: false,
        one_of: vec![],
        min: None,
        max: None,
        inferred: true,
        null: NullForm::default(),
    }
}

fn side(system: u16, set: &str, code: &str, name: &str, dialect: Dialect) -> SidePlan {
    let address = Address {
        set: set.into(),
        physical: set.into(),
        dialect,
        key: vec![(code.into(), Repr::Text)],
    };
    let query = Query {
        address,
        columns: vec![code.into(), name.into()],
        filter: None,
        order: vec![code.into()],
        enums: vec![],
    };
    let text = Type::Text(Some(60));
    let fit = |mode| Fit {
        ty: text.clone(),
        storage: storage(),
        overflow: Overflow::Reject,
        mode,
    };
    let program = Program {
        columns: vec![
            column(code, text.clone(), Repr::Text),
            column(name, text.clone(), Repr::Text),
        ],
        slots: vec![text.clone(); 8]
            .into_iter()
            .chain([Type::Bool])
            .collect(),
        constants: vec!["999".into()],
        fits: vec![fit(FitMode::Read), fit(FitMode::Write)],
        ops: vec![
            Op::Fit {
                dst: 2,
                src: 0,
                fit: 0,
            },
            Op::Fit {
                dst: 3,
                src: 1,
                fit: 0,
            },
            Op::Fit {
                dst: 4,
                src: 2,
                fit: 1,
            },
            Op::Fit {
                dst: 5,
                src: 3,
                fit: 1,
            },
            Op::Const {
                dst: 6,
                constant: 0,
            },
            Op::Compare {
                dst: 8,
                op: CompareOp::Ne,
                left: 2,
                right: 6,
                fold: true,
            },
        ],
        outputs: Outputs {
            filter: Some(8),
            pair_key: vec![2],
            record_key: vec![0],
            own: vec![Some(2), Some(3)],
            out: vec![Some(4), Some(5)],
            ..Outputs::default()
        },
        ..Program::default()
    };
    let write = WritePlan {
        columns: vec![
            WriteColumn {
                line: 0,
                wire: code.into(),
                repr: WriteRepr::Column(Repr::Text),
                null: Some("".into()),
                create_only: true,
            },
            WriteColumn {
                line: 1,
                wire: name.into(),
                repr: WriteRepr::Column(Repr::Text),
                null: Some("".into()),
                create_only: false,
            },
        ],
        natural_key: Columns {
            parts: vec![(code.into(), Repr::Text, 0)],
        },
        natural_is_record_key: true,
        overflow: Overflow::Reject,
        wants_row: false,
        enums: vec![],
    };
    SidePlan {
        system,
        entity: set.into(),
        program,
        scan: query.clone(),
        changes: query.clone(),
        fetch: query,
        company: None,
        identity: None,
        write,
    }
}

fn plan() -> Plan {
    let line = |left: &str, right: &str, key| Line {
        id: LineId::of("currencies", left, right),
        text: format!("{left} <-> {right}"),
        place: SourcePlace {
            file: "maps/currencies.dwmap".into(),
            line: 5,
            column: 3,
        },
        left: left.into(),
        right: right.into(),
        to_right: true,
        to_left: true,
        key,
        on_create: false,
        normalise: false,
        agreement: Agreement {
            class: Class::Exact,
            proof: Proof::Proved,
        },
        references: [None, None],
        missing: MissingPolicy::Blank,
        conflict: None,
        sensitive: false,
    };
    let schema = |name: &str, dialect, set: &str, fields: [&str; 2]| SystemPlan {
        schema: Schema {
            name: name.into(),
            dialect,
            case_insensitive: true,
            enums: vec![EnumDef {
                name: "NoYes".into(),
                boolean: true,
                members: vec![Member {
                    name: "No".into(),
                    value: 0,
                }],
            }],
            entities: vec![Entity {
                name: set.into(),
                display: None,
                wire: None,
                physical: None,
                fields: fields
                    .iter()
                    .map(|f| field(f, Type::Text(Some(60))))
                    .collect(),
                key: vec![KeyPart::Field(fields[0].into())],
                alternate_keys: vec![],
                navs: vec![],
                striped_by: None,
                identity: None,
                modified: None,
            }],
        },
        binding: format!("std.{name}"),
        fingerprint: [7; 32],
    };
    Plan {
        name: "contoso".into(),
        compiler: "0.1.0".into(),
        systems: vec![
            schema(
                "fno",
                Dialect::Finops,
                "Currencies",
                ["CurrencyCode", "Name"],
            ),
            schema(
                "dv",
                Dialect::Dataverse,
                "transactioncurrencies",
                ["isocurrencycode", "currencyname"],
            ),
        ],
        maps: vec![MapPlan {
            name: "currencies".into(),
            doc: "Currencies.".into(),
            sides: [
                side(0, "Currencies", "CurrencyCode", "Name", Dialect::Finops),
                side(
                    1,
                    "transactioncurrencies",
                    "isocurrencycode",
                    "currencyname",
                    Dialect::Dataverse,
                ),
            ],
            lines: vec![
                line("CurrencyCode", "isocurrencycode", true),
                line("Name", "currencyname", false),
            ],
            references: vec![],
            fold_pair_key: vec![true],
            meeting: Meeting::default(),
            policies: Policies {
                conflict: ConflictPolicy::Prefer(Side::Left),
                initial: InitialPolicy::Prefer(Side::Left),
                delete: [DeletePolicy::Ignore, DeletePolicy::Delete],
                leave: [DeletePolicy::Ignore, DeletePolicy::Ignore],
                creates: [true, true],
            },
            rank: 0,
            place: SourcePlace::default(),
        }],
    }
}

#[test]
fn what_is_encoded_is_decoded() {
    let plan = plan();
    let bytes = encode(&plan).unwrap();
    let (header, back) = decode(&bytes).unwrap();
    assert_eq!(back, plan);
    assert_eq!(header.format, (FORMAT_MAJOR, FORMAT_MINOR));
    assert_eq!(bytes, encode(&back).unwrap());
}

#[test]
fn the_text_form_reads_back() {
    let plan = plan();
    let printed = text::print(&plan).unwrap();
    assert!(
        printed.contains("Compare"),
        "the program is printed: {printed}"
    );
    assert_eq!(text::parse(&printed).unwrap(), plan);
}

#[test]
fn a_wrong_text_names_the_place() {
    let printed = text::print(&plan()).unwrap().replacen("maps", "mops", 1);
    let error = text::parse(&printed).unwrap_err().to_string();
    assert!(error.contains("mops") && error.contains(':'), "{error}");
}

#[test]
fn moving_a_line_changes_the_content_and_not_the_meaning() {
    let one = plan();
    let mut two = plan();
    two.maps[0].lines[0].place.line += 7;
    let mut three = plan();
    three.maps[0].lines[1].to_left = false;
    let [one, two, three] = [one, two, three].map(|p| peek(&encode(&p).unwrap()).unwrap());
    assert_ne!(one.content, two.content);
    assert_eq!(one.semantic, two.semantic);
    assert_ne!(one.semantic, three.semantic);
}

#[test]
fn damage_is_told_apart() {
    let bytes = encode(&plan()).unwrap();
    let message = |bytes: &[u8]| decode(bytes).unwrap_err().to_string();
    assert!(message(b"").contains("not a compiled plan"));
    assert!(message(b"<html>").contains("not a compiled plan"));
    assert!(message(&bytes[..bytes.len() - 1]).contains("was cut"));
    assert!(message(&bytes[..20]).contains("was cut"));
    let mut altered = bytes.clone();
    *altered.last_mut().unwrap() ^= 1;
    assert!(message(&altered).contains("altered"));
    let mut newer = bytes;
    newer[8] = 9;
    assert!(message(&newer).contains("upgrade dwmap"));
}

type Break = fn(&mut Plan);

#[test]
fn a_plan_that_makes_no_sense_is_refused() {
    let breaks: [(&str, Break); 10] = [
        ("system 9 doesn't exist", |p| p.maps[0].sides[0].system = 9),
        ("no entity", |p| {
            p.maps[0].sides[0].entity = "Nothing".into();
        }),
        ("slot 7 is read before", |p| {
            p.maps[0].sides[0].program.outputs.own[0] = Some(7);
        }),
        ("slot 99 is read before", |p| {
            p.maps[0].sides[0].program.ops[0] = Op::Fit {
                dst: 2,
                src: 99,
                fit: 0,
            }
        }),
        ("written twice", |p| {
            p.maps[0].sides[0].program.ops[1] = Op::Fit {
                dst: 2,
                src: 1,
                fit: 0,
            }
        }),
        ("fit 5 doesn't exist", |p| {
            p.maps[0].sides[0].program.ops[0] = Op::Fit {
                dst: 2,
                src: 0,
                fit: 5,
            }
        }),
        ("constant 1 doesn't exist", |p| {
            p.maps[0].sides[0].program.ops[4] = Op::Const {
                dst: 6,
                constant: 1,
            }
        }),
        ("line 8 doesn't exist", |p| {
            p.maps[0].sides[1].write.columns[0].line = 8;
        }),
        ("is a bool where a", |p| {
            p.maps[0].sides[0].program.ops.push(Op::Text {
                dst: 7,
                test: TextTest::Contains,
                src: 8,
                what: 2,
                fold: false,
            });
        }),
        ("2 lines, 1 cells", |p| {
            p.maps[0].sides[0].program.outputs.own.pop();
        }),
    ];
    for (wanted, damage) in breaks {
        let mut plan = plan();
        damage(&mut plan);
        let error = verify::plan(&plan).unwrap_err().to_string();
        assert!(error.contains(wanted), "wanted `{wanted}`, got `{error}`");
        let error = decode(&encode(&plan).unwrap()).unwrap_err();
        assert!(matches!(error, DecodeError::Refused(_)), "{error}");
    }
}

proptest! {
    /// A hostile body with a right hash is refused or verified, and never panics.
    #[test]
    fn mutated_plans_never_panic(at in 0_usize..4096, with in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = encode(&plan()).unwrap();
        let body_len = bytes.len() - 84;
        let at = 84 + at % body_len;
        if cut { bytes.truncate(at) } else { bytes[at] = with }
        let hash = *blake3::hash(&bytes[84..]).as_bytes();
        let length = (bytes.len() as u64 - 84).to_le_bytes();
        bytes[12..44].copy_from_slice(&hash);
        bytes[76..84].copy_from_slice(&length);
        if let Ok((_, plan)) = decode(&bytes) {
            prop_assert_eq!(verify::plan(&plan), Ok(()));
        }
    }
}
