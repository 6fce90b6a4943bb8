//! Maps: sides, company, lines, filters, policies, and the rules that hold for all of them together.

use dwmap_grammar::tree::{self, ExprKind, Ident, MapItem};
use dwmap_plan::{Agreement, Class, MissingPolicy, Overflow, Proof, Side};

use crate::agreement::keys::{self, Poisoned};
use crate::agreement::writers;
use crate::diagnostics::{Diagnostic, ONE_SIDE_STRIPED, SAME_SIDE_NAMES, TWICE};
use crate::model::{Condition, Line, Lookup, LookupPart, MapModel, MapSide, Operand, Stripe, Term};
use crate::resolve::Sink;
use crate::resolve::meeting;
use crate::resolve::policies::PolicyReader;
use crate::resolve::schemas::STRIPE;
use crate::resolve::scope::{DeclId, entity_of};
use crate::sources::Place;
use crate::types::context::{Context, MapContext};
use crate::types::filter::Filters;
use crate::types::line::{Lines, overflow_of};

/// Resolves a map; `None` where its sides make no sense, which has been said then.
pub(crate) fn resolve(
    project: &Context<'_>,
    id: DeclId,
    tree: &tree::Map,
    sink: &mut Sink,
) -> Option<MapModel> {
    let sides = sides(project, id.module, tree, sink)?;
    let map = MapContext {
        project: *project,
        module: id.module,
        sides: &sides,
    };
    let name = map.place(tree.name.span);
    let overflow = map_overflow(&map, tree, sink);
    let mut poisoned = Poisoned::new();
    let mut lines = lines(&map, tree, overflow, &mut poisoned, sink);
    let filters = filters(&map, tree, &lines, sink);
    let mut policies = PolicyReader::new(&map, tree.arrow, name);
    for item in &tree.items {
        policies.item(item, &mut lines, &poisoned, sink);
        not_yet(&map, item, sink);
    }
    let policies = policies.finish(overflow, sink);
    let creates = Side::BOTH.map(|side| lines.iter().any(|line| line.flows_from(side)));
    let keys = keys::find(&map, &lines, name, &poisoned, sink);
    keys::required(&map, &lines, creates, name, &poisoned, sink);
    let meeting = meeting::resolve(
        &map,
        tree,
        (&lines, &keys),
        policies.initial,
        &poisoned,
        sink,
    );
    writers::within_map(&map, &lines, sink);
    writers::against_filters(&map, &lines, &filters, sink);
    Some(MapModel {
        name: tree.name.text.clone(),
        doc: tree
            .doc
            .as_ref()
            .map(|d| d.text.clone())
            .unwrap_or_default(),
        place: name,
        lines,
        filters,
        policies,
        keys,
        creates,
        meeting,
        sides,
    })
}

fn sides(
    project: &Context<'_>,
    module: usize,
    tree: &tree::Map,
    sink: &mut Sink,
) -> Option<[MapSide; 2]> {
    let mut side = |it: &tree::Side| {
        let (schema, entity) = entity_of(
            project.names,
            project.schemas,
            project.schema_ids,
            module,
            &it.entity,
            sink,
        )?;
        let name = match &it.alias {
            Some(alias) => alias.text.clone(),
            None => it.entity.qualifier().last()?.text.clone(),
        };
        Some(MapSide {
            name,
            schema,
            entity,
            place: project.names.modules[module].place(it.span),
        })
    };
    let (left, right) = (side(&tree.left), side(&tree.right));
    let (left, right) = (left?, right?);
    if left.name == right.name {
        let message = format!("both sides of this map are called {}", left.name);
        sink.push(
            Diagnostic::new(SAME_SIDE_NAMES, right.place, message)
                .label("the same name")
                .related(left.place, "the first")
                .help("name the sides: `map m: a = dv.X <-> b = dv.Y`"),
        );
        return None;
    }
    for side in [&left, &right] {
        let entity = &project.schemas[side.schema].entities[side.entity];
        if entity.data.key.is_empty() && entity.key_place.is_some() {
            // Its key's names were unknown, and that has been said.
            return None;
        }
    }
    Some([left, right])
}

fn map_overflow(map: &MapContext<'_>, tree: &tree::Map, sink: &mut Sink) -> Overflow {
    let mut found: Option<(Overflow, Place)> = None;
    for item in &tree.items {
        let MapItem::Overflow(it) = item else {
            continue;
        };
        let place = map.place(it.span);
        if let Some((_, first)) = found {
            sink.push(
                Diagnostic::new(TWICE, place, "`overflow` is given twice")
                    .label("the second time")
                    .related(first, "the first time"),
            );
        }
        found = Some((overflow_of(it.policy), place));
    }
    found.map_or(map.project.options.overflow, |(overflow, _)| overflow)
}

/// Items that are read and can't be compiled yet.
fn not_yet(map: &MapContext<'_>, item: &MapItem, sink: &mut Sink) {
    let what = match item {
        MapItem::Exclusive(_) => "`exclusive`",
        MapItem::Dated(_) => "`dated`",
        MapItem::Company(_) => "`company`",
        MapItem::UpdateOnly(_) => "`update only`",
        MapItem::CreateOnly(_) => "`create … only`",
        MapItem::AlternativeTo(_) => "`alternative to`",
        MapItem::DisjointWith(_) => "`disjoint with`",
        MapItem::Gate(_) => "`gate`",
        MapItem::Window(_) => "`only` a time of day",
        MapItem::Priority(_) => "`priority`",
        MapItem::Key(_)
        | MapItem::Line(_)
        | MapItem::Where(_)
        | MapItem::Conflict(_)
        | MapItem::Delete(_)
        | MapItem::OnLeave(_)
        | MapItem::Initial(_)
        | MapItem::MatchBy(_)
        | MapItem::Probe(_)
        | MapItem::Overflow(_)
        // The grammar has said that these stand only in an extension.
        | MapItem::Replace(_)
        | MapItem::Drop(_)
        | MapItem::Bad(_) => return,
    };
    sink.not_yet(map.place(item.span()), what);
}

fn lines(
    map: &MapContext<'_>,
    tree: &tree::Map,
    overflow: Overflow,
    poisoned: &mut Poisoned,
    sink: &mut Sink,
) -> Vec<Line> {
    let reader = Lines {
        map,
        arrow: tree.arrow,
        overflow,
    };
    let (mut keys, mut others) = (Vec::new(), Vec::new());
    for item in &tree.items {
        let (line, list, key) = match item {
            MapItem::Key(line) => (line, &mut keys, true),
            MapItem::Line(line) => (line, &mut others, false),
            // A line that couldn't be read may have been any line.
            MapItem::Bad(span) => {
                let text = map.project.sources.text(map.place(*span));
                let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
                poisoned.extend(words.filter(|w| !w.is_empty()).map(str::to_owned));
                continue;
            }
            _ => continue,
        };
        match reader.resolve(line, key, sink) {
            Some(line) => list.push(line),
            None => {
                for expr in [&line.left, &line.right] {
                    poison(expr, poisoned);
                }
            }
        }
    }
    let company = company_line(map, tree, &keys, overflow, poisoned, sink);
    company.into_iter().chain(keys).chain(others).collect()
}

/// All names in an expression that didn't resolve.
fn poison(expr: &tree::Expr, poisoned: &mut Poisoned) {
    match &expr.kind {
        ExprKind::Path(path) => {
            poisoned.insert(path.text());
            poisoned.extend(path.segments.first().map(|s| s.text.clone()));
        }
        ExprKind::Tuple(paths) => poisoned.extend(paths.iter().map(tree::Path::text)),
        ExprKind::Call(call) => call.args.iter().for_each(|arg| poison(arg, poisoned)),
        _ => {
            poisoned.insert(String::new());
        }
    }
}

/// The company is a part of the key of every striped entity, and no map repeats it.
fn company_line(
    map: &MapContext<'_>,
    tree: &tree::Map,
    keys: &[Line],
    overflow: Overflow,
    poisoned: &mut Poisoned,
    sink: &mut Sink,
) -> Option<Line> {
    let stripes = Side::BOTH.map(|side| map.stripe(side));
    let said = tree.items.iter().any(|i| matches!(i, MapItem::Company(_)));
    let (left, right) = match stripes {
        [None, None] => return None,
        [Some(left), Some(right)] => (left, right),
        [left, _] => {
            // Without the company no key is whole.
            poisoned.insert(String::new());
            let known = Side::BOTH
                .into_iter()
                .all(|side| !map.entity(side).poisoned.contains(STRIPE));
            if !said && known {
                let striped = if left.is_some() {
                    Side::Left
                } else {
                    Side::Right
                };
                sink.push(one_side_striped(map, tree, striped));
            }
            return None;
        }
    };
    let operands = [
        company_operand(map, Side::Left, left)?,
        company_operand(map, Side::Right, right)?,
    ];
    if keys.iter().any(|line| line.operands == operands) {
        return None;
    }
    let place = map.place(tree.name.span);
    let paths = Side::BOTH.map(|side| {
        let path = map.entity(side).data.striped_by.clone();
        path.unwrap_or_default().join(".")
    });
    let direction = tree.arrow.direction;
    Some(Line {
        place,
        text: format!("{} {} {}", paths[0], direction.as_str(), paths[1]),
        steps_place: None,
        paths,
        path_places: [place; 2],
        operands,
        to_right: direction.writes_right(),
        to_left: direction.writes_left(),
        key: true,
        completed: true,
        generated: None,
        on_create: false,
        stages: Vec::new(),
        normalise: false,
        missing: MissingPolicy::Park,
        overflow,
        conflict: None,
        agreement: Agreement {
            class: Class::Exact,
            proof: Proof::Proved,
        },
    })
}

fn one_side_striped(map: &MapContext<'_>, tree: &tree::Map, striped: Side) -> Diagnostic {
    let (with, without) = (map.shown(striped), map.shown(striped.other()));
    let message = format!(
        "{with} is striped by company and {without} is not: the map must say whose records these are"
    );
    let pair = map.place(tree.left.span.to(tree.right.span));
    let mut diagnostic = Diagnostic::new(ONE_SIDE_STRIPED, pair, message)
        .label("one with companies, one without")
        .help("`company \"usmf\"`, or `company each`");
    if let Some(place) = map.entity(striped).striped_place {
        diagnostic = diagnostic.related(place, "striped here");
    }
    diagnostic
}

/// The path to a side's company.
pub(crate) fn company_operand(map: &MapContext<'_>, side: Side, stripe: Stripe) -> Option<Operand> {
    match stripe {
        Stripe::Field(at) => Some(Operand::Field(at)),
        Stripe::Nav { nav, target, field } => {
            company_lookup(map.schema(side), nav, target, field).map(Operand::Lookup)
        }
    }
}

/// The reference to the company's record, by the key that its code alone makes.
pub(crate) fn company_lookup(
    schema: &crate::model::SchemaModel,
    nav: usize,
    target: usize,
    field: usize,
) -> Option<Lookup> {
    let entity = &schema.entities[target];
    let name = &entity.field(field).name;
    let key = entity
        .keys()
        .find(|(_, parts, _)| matches!(parts, [only] if only.name() == name))
        .map(|(name, ..)| name.to_owned())?;
    Some(Lookup {
        nav,
        target,
        field,
        key,
        parts: vec![LookupPart::Named],
    })
}

fn filters(
    map: &MapContext<'_>,
    tree: &tree::Map,
    lines: &[Line],
    sink: &mut Sink,
) -> [Vec<(Condition, Place)>; 2] {
    let mut filters: [Vec<(Condition, Place)>; 2] = [Vec::new(), Vec::new()];
    for item in &tree.items {
        let MapItem::Where(it) = item else { continue };
        let Some(side) = map.side_named(&it.side, sink) else {
            continue;
        };
        let reader = Filters { map, side };
        if let Some(condition) = reader.condition(&it.filter, sink) {
            filters[side.index()].push((condition, map.place(it.span)));
        }
    }
    constant_keys(lines, &mut filters);
    filters
}

/// A constant key part filters its side.
fn constant_keys(lines: &[Line], filters: &mut [Vec<(Condition, Place)>; 2]) {
    for line in lines.iter().filter(|line| line.key) {
        for side in Side::BOTH {
            let (Operand::Field(at), Operand::Constant { value, .. }) =
                (line.operand(side), line.operand(side.other()))
            else {
                continue;
            };
            let is = Condition::Compare(Term::Field(*at), dwmap_plan::CompareOp::Eq, value.clone());
            let known = filters[side.index()].iter().any(|(c, _)| *c == is);
            if !known && !value.is_null() {
                filters[side.index()].push((is, line.place));
            }
        }
    }
}

/// Whether a path's name is one that didn't resolve elsewhere.
pub(crate) fn is_poisoned(path: &tree::Path, poisoned: &Poisoned) -> bool {
    let first = |s: &Ident| poisoned.contains(&s.text);
    poisoned.contains(&path.text()) || path.segments.first().is_some_and(first)
}
