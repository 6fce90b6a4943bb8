//! References to records that no map of the project brings.

use std::collections::BTreeMap;

use dwmap_plan::Side;

use crate::diagnostics::{Diagnostic, NOT_BROUGHT};
use crate::model::{Line, MapModel, Operand};
use crate::resolve::Sink;
use crate::suggest::listed;
use crate::types::context::Context;

/// Warns once a map, naming all entities that it refers to in vain.
pub(crate) fn check(project: &Context<'_>, maps: &[MapModel], sink: &mut Sink) {
    for map in maps {
        let mut missing: BTreeMap<&str, &Line> = BTreeMap::new();
        for line in &map.lines {
            for side in Side::BOTH {
                let Operand::Lookup(lookup) = line.operand(side) else {
                    continue;
                };
                let schema = map.sides[side.index()].schema;
                if !line.flows_from(side.other()) || is_brought(maps, schema, lookup.target) {
                    continue;
                }
                let entity = &project.schemas[schema].entities[lookup.target].data.name;
                missing.entry(entity).or_insert(line);
            }
        }
        if missing.is_empty() {
            continue;
        }
        let names: Vec<&str> = missing.keys().copied().collect();
        let message = format!(
            "{} refers to records that no map here brings: those of {}",
            map.name,
            listed(&names, "and")
        );
        let mut diagnostic = Diagnostic::new(NOT_BROUGHT, map.place, message)
            .label("refers to them")
            .help(
                "let the map that brings them take part, or see that they are there by other means",
            );
        for (entity, line) in missing.iter().filter(|(_, line)| !line.completed) {
            diagnostic = diagnostic.related(line.place, format!("to {entity}"));
        }
        sink.push(diagnostic);
    }
}

fn is_brought(maps: &[MapModel], schema: usize, entity: usize) -> bool {
    maps.iter().any(|map| {
        Side::BOTH.into_iter().any(|side| {
            let place = &map.sides[side.index()];
            place.schema == schema && place.entity == entity && map.creates[side.other().index()]
        })
    })
}
