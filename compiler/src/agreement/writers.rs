//! One writer for each field, and constants that agree with their filters.

use std::collections::BTreeMap;

use dwmap_plan::{CompareOp, Side, Value};

use crate::agreement::domain;
use crate::agreement::keys::name_on;
use crate::diagnostics::{AGAINST_FILTER, Diagnostic, LEAVES_ITSELF, TWO_MAPS_WRITE, TWO_WRITERS};
use crate::model::{Condition, Line, MapModel, Operand, Stage, Term};
use crate::resolve::Sink;
use crate::sources::Place;
use crate::types::context::{Context, MapContext};
use crate::types::table::in_words;

/// Two lines of a map that write one field.
pub(crate) fn within_map(map: &MapContext<'_>, lines: &[Line], sink: &mut Sink) {
    for side in Side::BOTH {
        let mut writers: BTreeMap<String, Place> = BTreeMap::new();
        for line in lines {
            if !line.flows_from(side.other()) {
                continue;
            }
            let Some(part) = name_on(map, line, side) else {
                continue;
            };
            let place = line.path_places[side.index()];
            let first = *writers.entry(part.name().to_owned()).or_insert(place);
            if first == place {
                continue;
            }
            let message = format!(
                "{} is written by two lines of this map, and the later would undo the earlier",
                part.name()
            );
            sink.push(
                Diagnostic::new(TWO_WRITERS, place, message)
                    .label("written again")
                    .related(first, "the first line that writes it")
                    .help("drop one, or give each a map with filters that exclude each other"),
            );
        }
    }
}

/// Constants that a map writes, and its filters.
pub(crate) fn against_filters(
    map: &MapContext<'_>,
    lines: &[Line],
    filters: &[Vec<(Condition, Place)>; 2],
    sink: &mut Sink,
) {
    for side in Side::BOTH {
        let fold = map.schema(side).shape.case_insensitive;
        for line in lines {
            let Operand::Field(field) = line.operand(side) else {
                continue;
            };
            if !line.flows_from(side.other()) {
                continue;
            }
            for (filter, place) in &filters[side.index()] {
                if !domain::mentions(filter, *field) {
                    continue;
                }
                let found = match line.operand(side.other()) {
                    Operand::Constant { value, .. } => {
                        let out = domain::holds(filter, *field, value, fold) == Some(false);
                        out.then(|| contradicts(map, line, side, value, *place))
                    }
                    _ if line.key => None,
                    _ => may_leave(line, side, filter, *field, fold)
                        .then(|| leaves(map, line, side, *place)),
                };
                if let Some(diagnostic) = found {
                    sink.push(diagnostic);
                    break;
                }
            }
        }
    }
}

fn contradicts(
    map: &MapContext<'_>,
    line: &Line,
    side: Side,
    value: &Value,
    filter: Place,
) -> Diagnostic {
    let typed = map.typed(side, line.operand(side));
    let message = format!(
        "this line writes {}, which `where {}` doesn't let through: each record would leave the map \
         by its own creation",
        in_words(value, &typed),
        map.name(side)
    );
    Diagnostic::new(
        AGAINST_FILTER,
        line.path_places[side.other().index()],
        message,
    )
    .label("shut out")
    .related(filter, "the filter")
    .help("write a value that the filter lets through, or widen the filter")
}

/// Whether a line can write a value that the filter shuts out; a table is gone through.
fn may_leave(line: &Line, side: Side, filter: &Condition, field: usize, fold: bool) -> bool {
    let forward = line.from() == side.other();
    let last = if forward {
        line.stages.last()
    } else {
        line.stages.first()
    };
    let Some(Stage::Table(table)) = last else {
        return true;
    };
    let (rows, otherwise) = if forward {
        (&table.forward, &table.else_forward)
    } else {
        (&table.backward, &table.else_backward)
    };
    let lets = |value: &Value| domain::holds(filter, field, value, fold) != Some(false);
    let null_passes = !rows.iter().any(|row| row.from.is_null()) && !lets(&Value::Null);
    let else_leaves = match otherwise {
        dwmap_plan::TableElse::Reject => false,
        dwmap_plan::TableElse::Keep => true,
        dwmap_plan::TableElse::Value(value) => !lets(value),
    };
    null_passes || else_leaves || rows.iter().any(|row| !lets(&row.to))
}

fn leaves(map: &MapContext<'_>, line: &Line, side: Side, filter: Place) -> Diagnostic {
    let message = format!(
        "this line writes a field that `where {}` looks at: a record can leave the map by the map's own write",
        map.name(side)
    );
    Diagnostic::new(LEAVES_ITSELF, line.path_places[side.index()], message)
        .label("looked at by the filter")
        .related(filter, "the filter")
        .help("filter both sides by what corresponds, or make the line one-way")
}

/// Two maps that write one field of one entity from one system.
pub(crate) fn across_maps(project: &Context<'_>, maps: &[MapModel], sink: &mut Sink) {
    type Target = (usize, usize, usize, String);
    let mut writers: BTreeMap<Target, Vec<(usize, usize)>> = BTreeMap::new();
    for (at, map) in maps.iter().enumerate() {
        for side in Side::BOTH {
            let context = context_of(project, map);
            for (index, line) in map.lines.iter().enumerate() {
                if line.key || !line.flows_from(side.other()) {
                    continue;
                }
                let Some(part) = name_on(&context, line, side) else {
                    continue;
                };
                let (to, from) = (&map.sides[side.index()], &map.sides[side.other().index()]);
                let target = (to.schema, to.entity, from.schema, part.name().to_owned());
                writers.entry(target).or_default().push((at, index));
            }
        }
    }
    let mut said = std::collections::BTreeSet::new();
    for (target, lines) in &writers {
        for (at, (first_map, first_line)) in lines.iter().enumerate() {
            for (second_map, second_line) in &lines[at + 1..] {
                if first_map == second_map || !said.insert((*first_map, *second_map)) {
                    continue;
                }
                let (first, second) = (&maps[*first_map], &maps[*second_map]);
                if apart(project, first, second, target.0, target.1) {
                    continue;
                }
                sink.push(two_maps(
                    project,
                    (first, &first.lines[*first_line]),
                    (second, &second.lines[*second_line]),
                    target,
                ));
            }
        }
    }
}

fn two_maps(
    project: &Context<'_>,
    (first, first_line): (&MapModel, &Line),
    (second, second_line): (&MapModel, &Line),
    target: &(usize, usize, usize, String),
) -> Diagnostic {
    let entity = &project.schemas[target.0].entities[target.1].data.name;
    let message = format!(
        "{entity}.{} is written by the maps {} and {}, and their filters don't exclude each other",
        target.3, first.name, second.name
    );
    Diagnostic::new(TWO_MAPS_WRITE, second_line.place, message)
        .label(format!("written by {}", second.name))
        .related(first_line.place, format!("and by {}", first.name))
        .help("let the maps' `where` exclude each other, or take the line out of one of them")
}

pub(crate) fn context_of<'a>(project: &Context<'a>, map: &'a MapModel) -> MapContext<'a> {
    MapContext {
        project: *project,
        module: 0,
        sides: &map.sides,
    }
}

/// Whether no record of the target (or of one common source) can be in both maps.
fn apart(project: &Context<'_>, a: &MapModel, b: &MapModel, schema: usize, entity: usize) -> bool {
    let of = |map: &MapModel, schema: usize, entity: usize| -> Option<Condition> {
        let side = Side::BOTH.into_iter().find(|side| {
            let s = &map.sides[side.index()];
            s.schema == schema && s.entity == entity
        })?;
        Some(lets_through(map, side))
    };
    let disjoint =
        |schema: usize, entity: usize| match (of(a, schema, entity), of(b, schema, entity)) {
            (Some(x), Some(y)) => {
                domain::disjoint(&x, &y, project.schemas[schema].shape.case_insensitive)
            }
            _ => false,
        };
    let others = a.sides.iter().map(|side| (side.schema, side.entity));
    disjoint(schema, entity) || others.into_iter().any(|(s, e)| disjoint(s, e))
}

/// A side's filter; constants that the map writes there count as its discriminator.
fn lets_through(map: &MapModel, side: Side) -> Condition {
    let mut all: Vec<Condition> = map.filters[side.index()]
        .iter()
        .map(|(condition, _)| condition.clone())
        .collect();
    for line in &map.lines {
        if let (Operand::Field(at), Operand::Constant { value, .. }) =
            (line.operand(side), line.operand(side.other()))
            && line.flows_from(side.other())
            && !value.is_null()
        {
            let is = Condition::Compare(Term::Field(*at), CompareOp::Eq, value.clone());
            all.push(is);
        }
    }
    Condition::All(all)
}
