//! Every line of the published map tables is in the stock maps, in its direction and with its values, and nothing else.
//!
//! `facts/lines.tsv` holds the published lines, `facts/deviations.tsv` those that are carried otherwise, with the reason.

use std::collections::{BTreeMap, BTreeSet};

use dwmap_grammar::tree::{
    Decl, Entity, EntityItem, Enum, Expr, ExprKind, Line, LiteralKind, Map, MapItem, RowValue,
    SchemaItem, StepKind, TypeKind, Value,
};

const LINES: &str = include_str!("../facts/lines.tsv");
const DEVIATIONS: &str = include_str!("../facts/deviations.tsv");

/// A line of a published table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fact {
    map: String,
    fno: String,
    direction: String,
    dataverse: String,
    transform: String,
}

impl Fact {
    fn all(tsv: &str) -> Vec<Self> {
        let rows = tsv.lines().filter(|row| !row.starts_with('#'));
        rows.map(|row| {
            let mut cells = row.split('\t').map(str::to_owned);
            let mut next = || cells.next().unwrap_or_default();
            Self {
                map: next(),
                fno: next(),
                direction: next(),
                dataverse: next(),
                transform: next(),
            }
        })
        .collect()
    }

    fn is_same_line(&self, other: &Self) -> bool {
        (&self.map, &self.fno, &self.dataverse) == (&other.map, &other.fno, &other.dataverse)
    }
}

/// The published lines, the deviations laid over them.
fn facts() -> Vec<Fact> {
    let deviations = Fact::all(DEVIATIONS);
    let carried = |fact: Fact| {
        deviations
            .iter()
            .find(|other| other.is_same_line(&fact))
            .cloned()
            .unwrap_or(fact)
    };
    Fact::all(LINES).into_iter().map(carried).collect()
}

/// All declarations of the stock modules.
fn declarations() -> Vec<Decl> {
    let parsed = dwmap_stdlib::modules().iter().map(|module| {
        let parsed = dwmap_grammar::parse(module.source);
        assert!(
            parsed.errors.is_empty(),
            "{}: {:#?}",
            module.path,
            parsed.errors
        );
        parsed.file.decls
    });
    parsed.flatten().collect()
}

/// What the schemas say of enums and fields, by name.
#[derive(Default)]
struct Schemas {
    enums: BTreeMap<String, Enum>,
    entities: BTreeMap<String, Entity>,
}

impl Schemas {
    fn of(decls: &[Decl]) -> Self {
        let mut schemas = Self::default();
        for decl in decls {
            let Decl::Schema(schema) = decl else { continue };
            for item in &schema.items {
                match item {
                    SchemaItem::Enum(it) => {
                        drop(schemas.enums.insert(it.name.text.clone(), it.clone()));
                    }
                    SchemaItem::Entity(it) => {
                        drop(schemas.entities.insert(it.name.text.clone(), it.clone()));
                    }
                    _ => {}
                }
            }
        }
        schemas
    }

    /// The enum of a field, where it is one.
    fn enum_of(&self, entity: &str, field: &str) -> Option<&Enum> {
        let items = &self.entities.get(entity)?.items;
        items.iter().find_map(|item| match item {
            EntityItem::Field(it) if it.name.text == field => match &it.ty.kind {
                TypeKind::Enum(name) => self.enums.get(&name.last()?.text),
                _ => None,
            },
            _ => None,
        })
    }
}

fn maps(decls: &[Decl]) -> BTreeMap<&str, &Map> {
    let maps = decls.iter().filter_map(|decl| match decl {
        Decl::Map(map) => Some((map.name.text.as_str(), map)),
        _ => None,
    });
    maps.collect()
}

fn lines(map: &Map) -> Vec<&Line> {
    let lines = map.items.iter().filter_map(|item| match item {
        MapItem::Key(line) | MapItem::Line(line) => Some(line),
        _ => None,
    });
    lines.collect()
}

fn path(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Path(path) => Some(path.text()),
        _ => None,
    }
}

fn entity(side: &dwmap_grammar::tree::Side) -> &str {
    side.entity.last().map_or("", |name| &name.text)
}

/// Checks one map's lines against facts.
struct Check<'a> {
    schemas: &'a Schemas,
    map: &'a Map,
}

impl Check<'_> {
    /// What is wrong with the way that a fact is carried; nothing where it is right.
    fn fact(&self, fact: &Fact) -> Result<(), String> {
        let line = lines(self.map).into_iter().find(|line| {
            let left = fact.fno == "-"
                || path(&line.left).is_some_and(|path| path.eq_ignore_ascii_case(&fact.fno));
            let right = fact.dataverse == "-"
                || path(&line.right).is_some_and(|path| path == fact.dataverse);
            left && right && line.arrow.direction.as_str() == fact.direction
        });
        let line = line.ok_or("isn't there")?;
        match fact.transform.split_once(": ") {
            None => Ok(()),
            Some(("default", value)) => self.constant(fact, line, value),
            Some(("valuemap", "no=False, yes=True")) => self.truth(fact, line),
            Some(("valuemap", rows)) => rows
                .split(", ")
                .filter_map(|row| row.split_once('='))
                .try_for_each(|(name, wire)| self.row(fact, line, name, wire)),
            Some((other, _)) => Err(format!("has a transform of the unknown kind {other:?}")),
        }
    }

    /// The constant itself, or the member whose name (F&O) or number (Dataverse) it is.
    fn constant(&self, fact: &Fact, line: &Line, wanted: &str) -> Result<(), String> {
        let to_dataverse = fact.fno == "-";
        let constant = if to_dataverse {
            &line.left
        } else {
            &line.right
        };
        let found = match &constant.kind {
            ExprKind::Literal(literal) => match &literal.kind {
                LiteralKind::String(text) | LiteralKind::Number(text) => text.clone(),
                LiteralKind::Bool(value) => (if *value { "True" } else { "False" }).to_owned(),
                other => format!("{other:?}"),
            },
            ExprKind::Path(member) if to_dataverse => {
                let options = self
                    .schemas
                    .enum_of(entity(&self.map.right), &fact.dataverse)
                    .ok_or("is no option set")?;
                let member = options
                    .members
                    .iter()
                    .find(|it| it.name.text == member.text())
                    .ok_or("is no member")?;
                member.value.value.to_string()
            }
            ExprKind::Path(member) => member.text(),
            other => format!("{other:?}"),
        };
        if found == wanted {
            Ok(())
        } else {
            Err(format!("writes {found}"))
        }
    }

    /// NoYes and a truth value convert by themselves: no step may be in the way.
    fn truth(&self, fact: &Fact, line: &Line) -> Result<(), String> {
        let field = path(&line.left).unwrap_or_default();
        let members = self
            .schemas
            .enum_of(entity(&self.map.left), &field)
            .ok_or("is no enum in the ERP")?;
        if members.as_bool.is_none()
            || self
                .schemas
                .enum_of(entity(&self.map.right), &fact.dataverse)
                .is_some()
        {
            return Err("isn't a truth value on both sides".to_owned());
        }
        if line.steps.is_empty() {
            Ok(())
        } else {
            Err("has a step".to_owned())
        }
    }

    /// A row of a value map: the ERP's member of that name goes with the option of that number, because they are namesakes
    /// or by a row of the line's own.
    fn row(&self, fact: &Fact, line: &Line, name: &str, wire: &str) -> Result<(), String> {
        let field = path(&line.left).unwrap_or_default();
        let members = self
            .schemas
            .enum_of(entity(&self.map.left), &field)
            .ok_or("is no enum in the ERP")?;
        let left = members
            .members
            .iter()
            .map(|it| &it.name.text)
            .find(|it| it.eq_ignore_ascii_case(name));
        let left = left.ok_or_else(|| format!("has no member {name} in the ERP"))?;
        let options = self
            .schemas
            .enum_of(entity(&self.map.right), &fact.dataverse)
            .ok_or("is no option set")?;
        let right = options
            .members
            .iter()
            .find(|it| it.value.value.to_string() == wire)
            .map(|it| &it.name.text);
        let right = right.ok_or_else(|| format!("has no option {wire}"))?;
        let steps = line.steps.iter().any(|step| match &step.kind {
            StepKind::Named(step) => {
                let by_name = step.name.text() == "same_name" && left == right;
                by_name
                    || step
                        .table
                        .as_ref()
                        .is_some_and(|table| has_row(table, left, right))
            }
            StepKind::Table(table) => has_row(table, left, right),
        });
        if steps {
            Ok(())
        } else {
            Err(format!("doesn't pair {left} with {right}"))
        }
    }
}

fn has_row(table: &dwmap_grammar::tree::Table, left: &str, right: &str) -> bool {
    let is = |value: &RowValue, name: &str| matches!(value, RowValue::Value(Value::Member(it)) if it.name.text == name);
    table.rows.iter().any(|row| {
        row.arrow.direction.as_str() == "<->" && is(&row.left, left) && is(&row.right, right)
    })
}

#[test]
fn every_published_line_is_carried() {
    let decls = declarations();
    let schemas = Schemas::of(&decls);
    let maps = maps(&decls);
    let wrong: Vec<String> = facts()
        .iter()
        .filter_map(|fact| {
            let found = match maps.get(fact.map.as_str()) {
                Some(map) => Check {
                    schemas: &schemas,
                    map,
                }
                .fact(fact),
                None => Err("is of no map".to_owned()),
            };
            let problem = found.err()?;
            Some(format!(
                "{}: {} {} {} {problem}",
                fact.map, fact.fno, fact.direction, fact.dataverse
            ))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn no_line_is_of_our_own_making() {
    let decls = declarations();
    let mut published: BTreeMap<String, usize> = BTreeMap::new();
    for fact in facts() {
        *published.entry(fact.map).or_default() += 1;
    }
    let carried: BTreeMap<String, usize> = maps(&decls)
        .into_iter()
        .map(|(name, map)| (name.to_owned(), lines(map).len()))
        .collect();
    assert_eq!(carried, published);
    assert_eq!(carried["customers"], 61);
    assert_eq!(carried["vendors"], 90);
}

#[test]
fn every_deviation_is_of_a_published_line_and_has_a_reason() {
    let published = Fact::all(LINES);
    for row in DEVIATIONS.lines().filter(|row| !row.starts_with('#')) {
        let reason = row.split('\t').nth(5).unwrap_or_default();
        assert!(reason.len() > 20, "{row}");
        for deviation in Fact::all(row) {
            let line = published.iter().find(|fact| fact.is_same_line(&deviation));
            assert!(line.is_some_and(|line| *line != deviation), "{row}");
        }
    }
}

#[test]
fn every_map_is_tested_both_ways() {
    let decls = declarations();
    let mut tested: BTreeMap<&str, (usize, BTreeSet<&str>)> = BTreeMap::new();
    for decl in &decls {
        let Decl::Test(test) = decl else { continue };
        let Some(map) = test.map.last() else { continue };
        let (count, sides) = tested.entry(&map.text).or_default();
        *count += 1;
        sides.extend(
            test.steps
                .iter()
                .flat_map(|step| &step.edits)
                .map(|edit| edit.side.text.as_str()),
        );
    }
    for (name, map) in maps(&decls) {
        let (count, sides) = tested.get(name).cloned().unwrap_or_default();
        let wanted = if name == "customers" { 6 } else { 2 };
        assert!(count >= wanted, "{name} has {count} tests");
        let both = map.arrow.direction.writes_left();
        assert!(
            sides.contains("fno") && (sides.contains("dv") || !both),
            "{name} is tested from {sides:?}"
        );
    }
}

#[test]
fn every_reference_leads_to_what_a_stock_map_brings() {
    let decls = declarations();
    let schemas = Schemas::of(&decls);
    let maps = maps(&decls);
    let brought: BTreeSet<&str> = maps.values().map(|map| entity(&map.right)).collect();
    for (name, map) in &maps {
        let items = &schemas.entities[entity(&map.right)].items;
        for line in lines(map) {
            let Some(path) = path(&line.right) else {
                continue;
            };
            let Some((nav, _)) = path.split_once('.') else {
                continue;
            };
            let targets = items.iter().find_map(|item| match item {
                EntityItem::Nav(it) if it.name.text == nav => Some(&it.targets),
                _ => None,
            });
            let targets = targets.unwrap_or_else(|| panic!("{name}: {nav} is no navigation"));
            assert!(
                targets
                    .iter()
                    .all(|target| brought.contains(target.text.as_str())),
                "{name}: nothing brings {nav}"
            );
        }
    }
}

#[test]
fn every_module_stands_as_the_formatter_writes_it() {
    for module in dwmap_stdlib::modules() {
        let formatted = dwmap_grammar::format(module.source).unwrap();
        assert_eq!(formatted, module.source, "{}: run `dwmap fmt`", module.path);
    }
}
