//! What is told and kept of a task that was worked on.

use dwmap_connect::{Outcome, WriteMode};
use dwmap_plan::{Side, Value};

use super::work::Decided;
use super::{Sight, Task};
use crate::merge::{Note, own};
use crate::observer::Event;
use crate::report::{path, shown};
use crate::runtime::{MapRun, Runtime};
use crate::state::{Activity, ActivityKind, Change, IntentKind};

/// Lines that an entry of the log lists at most.
const LISTED_MAX: usize = 8;

impl Runtime {
    /// What is told and kept of a task. A load tells its figures instead of each record.
    pub(super) fn log_of(
        &self,
        map: &MapRun,
        one: &Decided,
        mode: WriteMode,
        changes: &mut Vec<Change>,
    ) {
        let rows = [0, 1].map(|s| one.task.sights[s].row().map(|o| &o.row));
        let mut entries: Vec<(ActivityKind, Option<Side>, String)> = Vec::new();
        for (side, sent) in Side::BOTH.into_iter().zip(&one.sent) {
            let (Some(sent), Some(Outcome::Applied { .. })) = (sent, &one.outcomes[side.index()])
            else {
                continue;
            };
            let (kind, detail) = match sent.intent.kind {
                IntentKind::Create => (ActivityKind::Created, String::new()),
                IntentKind::Update => (ActivityKind::Updated, self.written(map, one, side)),
                IntentKind::Delete => (ActivityKind::Deleted, self.lost(map, one, side)),
                IntentKind::Deactivate => (ActivityKind::Deactivated, String::new()),
            };
            entries.push((kind, Some(side), detail));
        }
        let notes = one.decision.notes.iter().filter(|note| stands(one, note));
        let notes = notes.map(|note| (note.kind, Some(note.side), self.noted(map, one, note)));
        let loads = mode == WriteMode::Bulk;
        let quiet = |kind: ActivityKind| {
            loads
                && matches!(
                    kind,
                    ActivityKind::Created | ActivityKind::Updated | ActivityKind::Linked
                )
        };
        let entries: Vec<_> = entries
            .into_iter()
            .chain(notes)
            .filter(|(kind, ..)| !quiet(*kind))
            .collect();
        if entries.is_empty() {
            return;
        }
        let record = self.name_of(map, &one.task.pair, one.task.link.as_ref(), rows);
        for (kind, side, detail) in entries {
            self.tell(&Event::Activity {
                map: self.name(map).to_owned(),
                record: record.clone(),
                kind,
                side,
                detail: detail.clone(),
                at: self.date(),
            });
            changes.push(Change::Log(Box::new(Activity {
                at: self.date(),
                map: map.id,
                pair: one.task.pair.clone(),
                record: record.clone(),
                kind,
                side,
                detail,
            })));
        }
    }

    /// The lines that were written, with what they were.
    fn written(&self, map: &MapRun, one: &Decided, side: Side) -> String {
        let plan = self.plan_of(map);
        let lines = one.decision.writes[side.index()]
            .iter()
            .flat_map(|w| &w.lines);
        let mut parts: Vec<String> = lines
            .map(|write| {
                let line = &plan.lines[usize::from(write.line)];
                let before =
                    held(&one.task, side, write.line).map_or_else(String::new, |v| shown(line, v));
                format!(
                    "{}: {before} -> {}",
                    path(line, side),
                    shown(line, &write.written)
                )
            })
            .collect();
        let more = parts.len().saturating_sub(LISTED_MAX);
        parts.truncate(LISTED_MAX);
        if more > 0 {
            parts.push(format!("and {more} more"));
        }
        parts.join(", ")
    }

    /// What a record held that was deleted.
    fn lost(&self, map: &MapRun, one: &Decided, side: Side) -> String {
        let lines = self.plan_of(map).lines.iter().enumerate();
        let values = lines.filter_map(|(i, line)| {
            let value = held(&one.task, side, i as u16)?;
            (!value.is_null()).then(|| format!("{}: {}", path(line, side), shown(line, value)))
        });
        values.collect::<Vec<_>>().join(", ")
    }

    fn noted(&self, map: &MapRun, one: &Decided, note: &Note) -> String {
        let plan = self.plan_of(map);
        let system = |side: Side| self.system(map, side).name().to_owned();
        let Some(at) = note.line else {
            return match note.kind {
                ActivityKind::Conflict => format!(
                    "deleted on one side, changed on the other: {} wins",
                    system(note.side)
                ),
                _ => system(note.side),
            };
        };
        let line = &plan.lines[usize::from(at)];
        let value = |side: Side| {
            held(&one.task, side, at).map_or_else(|| "-".to_owned(), |v| shown(line, v))
        };
        match note.kind {
            ActivityKind::Conflict if is_sum(one, at) => format!(
                "{}: both sides changed, and both changes count: {} of {}, {} of {} ({})",
                path(line, note.side),
                value(note.side),
                system(note.side),
                value(note.side.other()),
                system(note.side.other()),
                line.place
            ),
            ActivityKind::Conflict => format!(
                "{}: both sides changed; {} of {} wins over {} ({})",
                path(line, note.side),
                value(note.side),
                system(note.side),
                value(note.side.other()),
                line.place
            ),
            _ => format!("{} ({})", line.text.trim(), line.place),
        }
    }
}

/// Whether a line goes both ways in one pass: each side takes the other's change.
fn is_sum(one: &Decided, line: u16) -> bool {
    let mut writes = one.decision.writes.iter();
    writes.all(|write| write.iter().flat_map(|w| &w.lines).any(|l| l.line == line))
}

/// Whether what was decided holds. Nobody has won a conflict as long as the write to the loser came to nothing: the next
/// pass decides anew. Where nobody knows what became of it, it may have landed, so that the log must name it.
fn stands(one: &Decided, note: &Note) -> bool {
    let of_loser = &one.outcomes[note.side.other().index()];
    let failed = matches!(
        of_loser,
        Some(Outcome::Conflict | Outcome::Rejected(_) | Outcome::Transient { .. })
    );
    note.kind != ActivityKind::Conflict || !failed
}

/// What a side held of a line before this pass.
pub(super) fn held(task: &Task, side: Side, line: u16) -> Option<&Value> {
    let at = usize::from(line);
    match &task.sights[side.index()] {
        Sight::Row(observed) => own(observed.row.own.get(at)?),
        Sight::Absent => None,
        Sight::Base | Sight::Unknown => {
            let (_, base) = task.link.as_ref()?.bases.iter().nth(at)?;
            base.sides[side.index()].as_ref()
        }
    }
}
