//! Rings of maps: agreement isn't transitive, so where a value can come back round, every line has to be exact.

use std::collections::{BTreeMap, VecDeque};

use dwmap_plan::{Class, Side};

use crate::agreement::keys::name_on;
use crate::agreement::writers::context_of;
use crate::diagnostics::{Diagnostic, INEXACT_LOOP};
use crate::model::{Line, MapModel};
use crate::resolve::Sink;
use crate::types::context::Context;

/// A field of an entity of a schema.
type Node = (usize, usize, String);

/// A two-way line, by map and index, and where it leads.
struct Edge {
    to: Node,
    map: usize,
    line: usize,
}

/// Reports every line that isn't exact and lies on a ring of three or more fields.
pub(crate) fn check(project: &Context<'_>, maps: &[MapModel], sink: &mut Sink) {
    let graph = graph(project, maps);
    for (from, edges) in &graph {
        for edge in edges {
            let line = &maps[edge.map].lines[edge.line];
            // Each line stands in the graph both ways, and is looked at once.
            if line.agreement.class == Class::Exact || *from > edge.to {
                continue;
            }
            if let Some(way) = way_round(&graph, from, &edge.to) {
                sink.push(inexact(project, maps, from, edge, &way));
            }
        }
    }
}

fn graph(project: &Context<'_>, maps: &[MapModel]) -> BTreeMap<Node, Vec<Edge>> {
    let mut graph: BTreeMap<Node, Vec<Edge>> = BTreeMap::new();
    for (at, map) in maps.iter().enumerate() {
        let context = context_of(project, map);
        for (index, line) in map.lines.iter().enumerate() {
            if line.key || !(line.to_left && line.to_right) {
                continue;
            }
            let node = |side: Side| {
                let place = &map.sides[side.index()];
                let part = name_on(&context, line, side)?;
                Some((place.schema, place.entity, part.name().to_owned()))
            };
            let (Some(left), Some(right)) = (node(Side::Left), node(Side::Right)) else {
                continue;
            };
            for (from, to) in [(left.clone(), right.clone()), (right, left)] {
                graph.entry(from).or_default().push(Edge {
                    to,
                    map: at,
                    line: index,
                });
            }
        }
    }
    graph
}

/// The shortest way from a field to its neighbour that doesn't take the direct one, by (map, line).
fn way_round(
    graph: &BTreeMap<Node, Vec<Edge>>,
    from: &Node,
    to: &Node,
) -> Option<Vec<(usize, usize)>> {
    let mut came: BTreeMap<&Node, (&Node, (usize, usize))> = BTreeMap::new();
    let mut open = VecDeque::from([from]);
    while let Some(at) = open.pop_front() {
        for edge in graph.get(at).into_iter().flatten() {
            let direct = at == from && edge.to == *to;
            if direct || edge.to == *from || came.contains_key(&edge.to) {
                continue;
            }
            came.insert(&edge.to, (at, (edge.map, edge.line)));
            open.push_back(&edge.to);
        }
    }
    let mut way = Vec::new();
    let mut at = to;
    while at != from {
        let (before, edge) = came.get(at)?;
        way.push(*edge);
        at = before;
    }
    way.reverse();
    Some(way)
}

fn inexact(
    project: &Context<'_>,
    maps: &[MapModel],
    from: &Node,
    edge: &Edge,
    way: &[(usize, usize)],
) -> Diagnostic {
    let line = &maps[edge.map].lines[edge.line];
    let system = |node: &Node| project.schemas[node.0].shape.name.clone();
    let names: Vec<&str> = way
        .iter()
        .map(|(map, _)| maps[*map].name.as_str())
        .collect();
    let message = format!(
        "{} runs in a ring: from {} to {} by {}, and round by {}; {} isn't exact, so a change could go \
         round without end",
        from.2,
        system(from),
        system(&edge.to),
        maps[edge.map].name,
        crate::suggest::listed(&names, "and"),
        what(line)
    );
    let place = line.steps_place.unwrap_or(line.place);
    let mut diagnostic = Diagnostic::new(INEXACT_LOOP, place, message)
        .label("not exact")
        .help("make one of the maps one-way, or this line exact");
    for (map, index) in way {
        let line = &maps[*map].lines[*index];
        diagnostic = diagnostic.related(line.place, format!("on the ring: {}", maps[*map].name));
    }
    diagnostic
}

fn what(line: &Line) -> &'static str {
    if line.steps_place.is_some() {
        "this step"
    } else {
        "storing it"
    }
}
