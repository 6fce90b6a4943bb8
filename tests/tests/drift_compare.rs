//! What is found of a drifted schema, over all stock maps: each field that any of them touches, taken away or changed.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::collections::BTreeSet;

use dwmap_compiler::{Project, SourceFile};
use dwmap_connect::{LiveEntity, LiveField, LiveKind, LiveOption};
use dwmap_plan::{Access, Dialect, Entity, Field, Plan, Schema, Type, verify};
use dwmap_sync::drift::{Finding, LiveSystem, Stops, Wrong, compare, without};

/// All stock maps, compiled.
fn stock() -> Plan {
    let maps = dwmap_stdlib::modules()
        .iter()
        .filter(|module| module.kind == dwmap_stdlib::Kind::Maps)
        .map(|module| module.path);
    let library = |path: &str| {
        let module = dwmap_stdlib::module(path)?;
        Some(SourceFile::new(module.file(), module.source))
    };
    let project = Project::new(Vec::new())
        .with_library(library)
        .with_stock(maps);
    dwmap_compiler::build(&project)
        .expect("the stock maps compile")
        .0
}

/// Systems in which everything is as the schemas say.
fn living(plan: &Plan) -> Vec<LiveSystem> {
    let system = |schema: &Schema| -> LiveSystem {
        let entities = schema.entities.iter();
        entities
            .map(|e| (e.set_name().to_owned(), Some(entity(schema, e))))
            .collect()
    };
    plan.systems.iter().map(|s| system(&s.schema)).collect()
}

fn entity(schema: &Schema, entity: &Entity) -> LiveEntity {
    let fields = entity.fields.iter().map(|f| field(schema, f));
    let navs = entity.navs.iter().flat_map(|nav| &nav.via);
    let navs = navs.map(|via| LiveField::new(via, LiveKind::Reference(Vec::new())));
    let mut all: Vec<LiveField> = fields.collect();
    for nav in navs {
        all.retain(|f| f.wire != nav.wire || schema.dialect == Dialect::Finops);
        if !all.iter().any(|f| f.wire == nav.wire) {
            all.push(nav);
        }
    }
    LiveEntity {
        set: entity.set_name().to_owned(),
        fields: all,
        tracks_changes: Some(true),
        guards_versions: Some(true),
    }
}

fn field(schema: &Schema, field: &Field) -> LiveField {
    let choice = |name: &str| schema.enum_def(name).expect("it is declared");
    let kind = match &field.ty {
        Type::Text(_) => LiveKind::Text,
        Type::Bool => LiveKind::Bool,
        Type::Int32 => LiveKind::Int32,
        Type::Int64 => LiveKind::Int64,
        Type::Decimal(..) => LiveKind::Decimal,
        Type::Float64 => LiveKind::Float,
        Type::Date => LiveKind::Date,
        Type::DateTime | Type::LocalTime => LiveKind::DateTime,
        Type::Guid => LiveKind::Guid,
        Type::Enum(name) if choice(name).boolean && schema.dialect == Dialect::Dataverse => {
            LiveKind::Bool
        }
        Type::Enum(_) => LiveKind::Choice,
        Type::Binary => LiveKind::Binary,
    };
    let options = match (&field.ty, &kind) {
        (Type::Enum(name), LiveKind::Choice) => {
            let members = choice(name).members.iter();
            let option = |m: &dwmap_plan::Member| LiveOption {
                name: m.name.clone(),
                value: m.value,
            };
            Some(members.map(option).collect())
        }
        _ => None,
    };
    LiveField {
        length_max: match field.ty {
            Type::Text(length) => length,
            _ => None,
        },
        scale: match field.ty {
            Type::Decimal(_, scale) => Some(scale),
            _ => None,
        },
        access: Some(field.access),
        options,
        ..LiveField::new(field.wire_name(), kind)
    }
}

fn found(plan: &Plan, live: &[LiveSystem]) -> Vec<Finding> {
    let names: Vec<&str> = plan
        .systems
        .iter()
        .map(|s| s.schema.name.as_str())
        .collect();
    compare(plan, &names, live)
}

/// Every field of every entity, by the places of its system and set, and its own.
fn fields(live: &[LiveSystem]) -> Vec<(usize, String, usize)> {
    let mut all = Vec::new();
    for (system, sets) in live.iter().enumerate() {
        for (set, entity) in sets {
            let count = entity.as_ref().map_or(0, |e| e.fields.len());
            all.extend((0..count).map(|at| (system, set.clone(), at)));
        }
    }
    all
}

fn of<'a>(
    live: &'a mut [LiveSystem],
    (system, set, at): &(usize, String, usize),
) -> &'a mut LiveField {
    let entity = live[*system].get_mut(set).and_then(Option::as_mut);
    &mut entity.expect("it lives").fields[*at]
}

#[test]
fn nothing_is_found_where_all_is_as_the_schemas_say() {
    let plan = stock();
    assert_eq!(found(&plan, &living(&plan)), []);
    let unknown = vec![LiveSystem::new(); plan.systems.len()];
    assert_eq!(
        found(&plan, &unknown),
        [],
        "what isn't told isn't found fault with"
    );
}

/// Each field is there because a map touches it, so that its end hurts; and what is left of the plan runs without it.
#[test]
fn each_field_that_is_gone_hurts_and_the_rest_of_the_plan_stays_whole() {
    let plan = stock();
    let whole = living(&plan);
    let mut hurt_lines = 0;
    for place in fields(&whole) {
        let mut live = whole.clone();
        let wire = of(&mut live, &place).wire.clone();
        let (system, set, at) = &place;
        if let Some(Some(entity)) = live[*system].get_mut(set) {
            entity.fields.remove(*at);
        }
        let findings = found(&plan, &live);
        for finding in &findings {
            assert_eq!(finding.wrong, Wrong::FieldGone, "{finding:?}");
            assert_eq!(finding.field.as_ref(), Some(&wire), "{finding:?}");
            assert!(finding.place.contains(".dwmap:"), "{finding:?}");
        }
        let once: BTreeSet<_> = findings.iter().map(|f| (&f.map, &f.line)).collect();
        assert_eq!(
            once.len(),
            findings.len(),
            "each is told once: {findings:?}"
        );
        let cut = without(&plan, &findings);
        verify::plan(&cut).unwrap_or_else(|e| panic!("{set}.{wire}: {e}"));
        let lines = findings.iter().filter(|f| f.stops == Stops::Line).count();
        let left = |plan: &Plan| plan.maps.iter().map(|m| m.lines.len()).sum::<usize>();
        assert_eq!(left(&plan) - left(&cut), lines, "{set}.{wire}");
        hurt_lines += lines;
        if !findings.is_empty() {
            for map in &cut.maps {
                for side in map
                    .sides
                    .iter()
                    .filter(|s| usize::from(s.system) == *system)
                {
                    for query in [&side.scan, &side.changes, &side.fetch] {
                        let asks = query.address.set == *set && query.columns.contains(&wire);
                        assert!(!asks, "{} still asks for {set}.{wire}", map.name);
                    }
                }
            }
        }
    }
    assert!(hurt_lines > 200, "{hurt_lines}");
}

/// What only reads isn't hurt by a field that takes less, or can't be written; what writes is.
#[test]
fn only_lines_that_write_a_field_are_hurt_where_it_takes_less() {
    let plan = stock();
    let whole = living(&plan);
    let mut seen = BTreeSet::new();
    // Every fourth field is enough to see each kind.
    for place in fields(&whole).into_iter().step_by(4) {
        let changes: [fn(&mut LiveField) -> bool; 4] = [
            |f| {
                f.length_max.take().is_some_and(|length| {
                    f.length_max = Some(length - 1);
                    true
                })
            },
            |f| {
                f.scale.take().is_some_and(|scale| {
                    f.scale = Some(scale.saturating_sub(1));
                    scale > 0
                })
            },
            |f| {
                let was = f.access.replace(Access::ReadOnly);
                was != Some(Access::ReadOnly)
            },
            |f| {
                f.options
                    .as_mut()
                    .is_some_and(|options| options.pop().is_some())
            },
        ];
        for change in changes {
            let mut live = whole.clone();
            if !change(of(&mut live, &place)) {
                continue;
            }
            for finding in found(&plan, &live) {
                seen.insert(finding.code);
                let map = plan.maps.iter().find(|m| m.name == finding.map).unwrap();
                let Some(text) = &finding.line else { continue };
                let line = map.lines.iter().find(|l| l.text.trim() == text).unwrap();
                let writes = map.sides.iter().enumerate().any(|(at, side)| {
                    usize::from(side.system) == place.0
                        && side.scan.address.set == place.1
                        && if at == 1 { line.to_right } else { line.to_left }
                });
                assert!(writes, "{finding:?}");
            }
        }
    }
    assert_eq!(
        seen.into_iter().collect::<Vec<_>>(),
        ["R0504", "R0505", "R0506"]
    );
}

/// A text where a number was is found by whoever reads or writes it.
#[test]
fn a_field_of_another_kind_hurts_whoever_touches_it() {
    let plan = stock();
    let whole = living(&plan);
    // Every fourth field is enough to see each kind.
    for place in fields(&whole).into_iter().step_by(4) {
        let mut live = whole.clone();
        let gone = {
            let mut live = whole.clone();
            if let Some(Some(entity)) = live[place.0].get_mut(&place.1) {
                entity.fields.remove(place.2);
            }
            found(&plan, &live).len()
        };
        let field = of(&mut live, &place);
        if matches!(field.kind, LiveKind::Reference(_)) {
            continue;
        }
        field.kind = LiveKind::Binary;
        let findings = found(&plan, &live);
        assert_eq!(findings.len(), gone, "{place:?}");
        assert!(findings.iter().all(|f| f.wrong == Wrong::OtherKind));
    }
}

/// The ERP's name of a currency has 60 characters: the CRM's may shrink to that, and no further.
#[test]
fn a_field_that_still_takes_all_that_comes_hurts_nobody() {
    let plan = stock();
    let whole = living(&plan);
    let place = fields(&whole)
        .into_iter()
        .find(|place| {
            place.1 == "transactioncurrencies"
                && of(&mut whole.clone(), place).wire == "currencyname"
        })
        .expect("the stock maps write it");
    let with = |length| {
        let mut live = whole.clone();
        of(&mut live, &place).length_max = Some(length);
        found(&plan, &live)
    };
    assert_eq!(with(60), []);
    let findings = with(59);
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(
        (findings[0].wrong, findings[0].stops),
        (Wrong::Narrowed, Stops::Line)
    );
}
