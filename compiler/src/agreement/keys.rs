//! Keys of a map: which declared key its key lines make, and what a birth needs besides.

use std::collections::BTreeSet;

use dwmap_plan::{KeyPart, Requirement, Side};

use crate::diagnostics::{Diagnostic, KEY_INCOMPLETE, NO_KEY_LINE, REQUIRED_UNWRITTEN};
use crate::model::{Key, Line, Operand};
use crate::resolve::Sink;
use crate::resolve::paths::key_in_words;
use crate::sources::Place;
use crate::types::context::MapContext;

/// Names that lines mention which didn't resolve: nothing more is said of them.
pub(crate) type Poisoned = BTreeSet<String>;

/// The name of the field or navigation that a line writes or reads on a side.
pub(crate) fn name_on(map: &MapContext<'_>, line: &Line, side: Side) -> Option<KeyPart> {
    let entity = map.entity(side);
    match line.operand(side) {
        Operand::Field(at) => Some(KeyPart::Field(entity.field(*at).name.clone())),
        Operand::Lookup(lookup) => Some(KeyPart::Nav(entity.nav(lookup.nav).name.clone())),
        Operand::Constant { .. } | Operand::Concat(_) => None,
    }
}

/// The declared key that the key lines make on each side.
pub(crate) fn find(
    map: &MapContext<'_>,
    lines: &[Line],
    name: Place,
    poisoned: &Poisoned,
    sink: &mut Sink,
) -> [Option<Key>; 2] {
    let written = lines.iter().any(|line| line.key && !line.completed);
    if !written && poisoned.is_empty() {
        sink.push(
            Diagnostic::new(
                NO_KEY_LINE,
                name,
                "the map doesn't say by what records are paired",
            )
            .label("no `key` line")
            .help("name the fields that tell records apart on both sides: `key A <-> b`"),
        );
        return [None, None];
    }
    let found = Side::BOTH.map(|side| key_of(map, lines, side));
    let wanting = |side: &Side| {
        let written = lines.iter().any(|line| line.flows_from(side.other()));
        found[side.index()].is_none() && written
    };
    let wanting: Vec<Side> = Side::BOTH.into_iter().filter(wanting).collect();
    if let (Some(side), true) = (wanting.first(), poisoned.is_empty() && written) {
        sink.push(incomplete(map, lines, *side, wanting.len() == 2));
    }
    found
}

fn key_of(map: &MapContext<'_>, lines: &[Line], side: Side) -> Option<Key> {
    let held: Vec<(usize, KeyPart)> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| line.key)
        .filter_map(|(at, line)| Some((at, name_on(map, line, side)?)))
        .collect();
    map.entity(side)
        .keys()
        .enumerate()
        .find_map(|(at, (name, parts, _))| {
            if parts.len() != held.len() || parts.is_empty() {
                return None;
            }
            let lines: Option<Vec<usize>> = parts
                .iter()
                .map(|part| held.iter().find(|(_, h)| h == part).map(|(line, _)| *line))
                .collect();
            Some(Key {
                name: name.to_owned(),
                primary: at == 0,
                lines: lines?,
            })
        })
}

/// `both`: the other side has no key either, which is the same mistake.
fn incomplete(map: &MapContext<'_>, lines: &[Line], side: Side, both: bool) -> Diagnostic {
    let key_lines: Vec<&Line> = lines.iter().filter(|l| l.key && !l.completed).collect();
    let parts: Vec<KeyPart> = lines
        .iter()
        .filter(|line| line.key)
        .filter_map(|line| name_on(map, line, side))
        .collect();
    let names: Vec<&str> = parts.iter().map(KeyPart::name).collect();
    let message = if names.is_empty() {
        format!("the key lines name nothing of {}", map.shown(side))
    } else {
        format!(
            "{} is no declared key of {}, so its records can't be told apart by it",
            crate::suggest::listed(&names, "and"),
            map.shown(side)
        )
    };
    let place = key_lines
        .first()
        .map_or(map.sides[side.index()].place, |line| {
            line.path_places[side.index()]
        });
    let mut diagnostic = Diagnostic::new(KEY_INCOMPLETE, place, message).label("not a whole key");
    let sides = [Some(side), both.then_some(side.other())];
    for side in sides.into_iter().flatten() {
        for (name, parts, place) in map.entity(side).keys() {
            diagnostic = diagnostic.related(place, key_in_words(name, parts));
        }
    }
    diagnostic
        .help("add `key` lines until they make one of its keys, exactly; the company is completed")
}

/// A record can only be born with all that its system requires.
pub(crate) fn required(
    map: &MapContext<'_>,
    lines: &[Line],
    creates: [bool; 2],
    name: Place,
    poisoned: &Poisoned,
    sink: &mut Sink,
) {
    for side in Side::BOTH {
        if !creates[side.other().index()] {
            continue;
        }
        let entity = map.entity(side);
        for (at, field) in entity.data.fields.iter().enumerate() {
            let written = lines.iter().any(|line| {
                line.flows_from(side.other()) && *line.operand(side) == Operand::Field(at)
            });
            if field.requirement != Requirement::Required
                || written
                || poisoned.contains(&field.name)
            {
                continue;
            }
            let message = format!(
                "a record born in {} can't be created in {}: {} is required there, and no line writes it",
                map.name(side.other()),
                map.name(side),
                field.name
            );
            sink.push(
                Diagnostic::new(REQUIRED_UNWRITTEN, name, message)
                    .label(format!("writes no {}", field.name))
                    .related(entity.field_places[at], "declared required here")
                    .help(match side {
                        Side::Left => format!(
                            "add a line: {} <-> …, or a constant: {} <- … on create",
                            field.name, field.name
                        ),
                        Side::Right => format!(
                            "add a line: … <-> {}, or a constant: … -> {} on create",
                            field.name, field.name
                        ),
                    }),
            );
        }
    }
}
