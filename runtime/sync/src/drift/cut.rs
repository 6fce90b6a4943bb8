//! The plan that does without the lines that drift hurts.

use std::collections::{BTreeMap, BTreeSet};

use dwmap_plan::{Columns, MapPlan, Meeting, Plan, Program, Query};

use super::{Finding, Stops, Wrong};

/// What is not there, by system: sets, and their fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Gone {
    fields: BTreeSet<(usize, String, String)>,
    sets: BTreeSet<(usize, String)>,
}

impl Gone {
    pub(crate) fn of(findings: &[Finding]) -> Self {
        let mut gone = Self::default();
        for finding in findings {
            let set = finding.set.clone();
            match (finding.wrong, &finding.field) {
                (Wrong::EntityGone, _) => {
                    gone.sets.insert((finding.at.2, set));
                }
                (Wrong::FieldGone, Some(field)) => {
                    gone.fields.insert((finding.at.2, set, field.clone()));
                }
                _ => {}
            }
        }
        gone
    }

    /// Whether a set can't be read at all.
    pub(crate) fn has_set(&self, system: usize, set: &str) -> bool {
        self.sets.contains(&(system, set.to_owned()))
    }

    /// The fields of a set that aren't there.
    pub(crate) fn columns_of(&self, system: usize, set: &str) -> Vec<String> {
        let of_set = self
            .fields
            .iter()
            .filter(|(s, t, _)| (*s, t.as_str()) == (system, set));
        of_set.map(|(.., field)| field.clone()).collect()
    }

    /// Asks for nothing that isn't there.
    fn trim(&self, system: usize, query: &mut Query) {
        let set = query.address.set.clone();
        query
            .columns
            .retain(|column| !self.fields.contains(&(system, set.clone(), column.clone())));
    }
}

/// The plan without the lines that stand still, which asks for no field that isn't there. Maps keep their places.
pub fn without(plan: &Plan, findings: &[Finding]) -> Plan {
    let gone = Gone::of(findings);
    let mut stopped: BTreeMap<usize, BTreeSet<u16>> = BTreeMap::new();
    for finding in findings.iter().filter(|f| f.stops == Stops::Line) {
        stopped
            .entry(finding.at.0)
            .or_default()
            .extend(finding.at.1);
    }
    let mut plan = plan.clone();
    for (at, map) in plan.maps.iter_mut().enumerate() {
        if let Some(lines) = stopped.get(&at) {
            remove(map, lines);
        }
        let systems = map.sides.each_ref().map(|side| usize::from(side.system));
        for (side, system) in map.sides.iter_mut().zip(systems) {
            for query in [&mut side.scan, &mut side.changes, &mut side.fetch] {
                gone.trim(system, query);
            }
        }
        for reference in &mut map.references {
            gone.trim(systems[reference.side.index()], &mut reference.fetch);
        }
    }
    plan
}

/// Takes lines out of a map. What was computed for them alone is still computed, of columns that read as null.
fn remove(map: &mut MapPlan, stopped: &BTreeSet<u16>) {
    // The new place of each line that stays.
    let mut places = BTreeMap::new();
    for at in 0..map.lines.len() as u16 {
        if !stopped.contains(&at) {
            places.insert(at, places.len() as u16);
        }
    }
    keep(&mut map.lines, &places);
    for side in &mut map.sides {
        let Program { outputs, .. } = &mut side.program;
        keep(&mut outputs.own, &places);
        keep(&mut outputs.out, &places);
        side.write.columns.retain_mut(|column| {
            let place = places.get(&column.line);
            column.line = place.copied().unwrap_or(column.line);
            place.is_some()
        });
        move_columns(&mut side.write.natural_key, &places);
    }
    let Meeting {
        generated,
        match_by,
        ..
    } = &mut map.meeting;
    if let Some(key) = generated {
        key.line = places.get(&key.line).copied().unwrap_or(key.line);
        if !all_stay(&key.probe, &places) {
            key.probe = Columns::default();
        }
        move_columns(&mut key.probe, &places);
    }
    match_by.retain(|way| all_stay(&way[0], &places));
    for columns in match_by.iter_mut().flatten() {
        move_columns(columns, &places);
    }
}

/// Key lines are never among those that stand still alone, others may be.
fn all_stay(columns: &Columns, places: &BTreeMap<u16, u16>) -> bool {
    let mut lines = columns.parts.iter().map(|(.., line)| line);
    lines.all(|line| places.contains_key(line))
}

fn move_columns(columns: &mut Columns, places: &BTreeMap<u16, u16>) {
    for (.., line) in &mut columns.parts {
        *line = places.get(line).copied().unwrap_or(*line);
    }
}

fn keep<T>(list: &mut Vec<T>, places: &BTreeMap<u16, u16>) {
    let mut at = 0;
    list.retain(|_| {
        at += 1;
        places.contains_key(&(at - 1))
    });
}
