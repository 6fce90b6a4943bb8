//! How each change becomes a part of what is kept.

use std::sync::Arc;

use dwmap_plan::{LineId, Side};

use super::Kept;
use crate::Moment;
use crate::state::{Cause, Change, Link, MapId, Mark, MarkId, StateError, Word};

impl Kept {
    pub(super) fn apply(&mut self, change: Change) -> Result<(), StateError> {
        match change {
            Change::PutLink(link) => self.put_link(*link)?,
            Change::DropLink(map, pair) => drop(self.links.remove(&(map, pair))),
            Change::Mark {
                id,
                generation,
                not_before,
            } => {
                let mark = self
                    .marks
                    .entry(id.clone())
                    .or_insert_with(|| Mark::changed(id, generation));
                mark.generation = mark.generation.max(generation);
                mark.word = mark.word.filter(|word| word.outlives_change());
                if mark.word != Some(Word::Hold) {
                    mark.cause = Cause::Changed;
                }
                mark.not_before = not_before;
                mark.tries = 0;
                mark.missing = None;
            }
            Change::Clear { id, seen } => {
                if self.marks.get(&id).is_some_and(|m| m.generation <= seen) {
                    self.marks.remove(&id);
                }
            }
            Change::Settle { mark, seen } => match self.marks.get_mut(&mark.id) {
                None => drop(self.marks.insert(mark.id.clone(), *mark)),
                Some(there) if there.generation <= seen => {
                    *there = Mark {
                        generation: there.generation,
                        ..*mark
                    };
                }
                Some(_) => {}
            },
            Change::Wait {
                map,
                earliest,
                latest,
            } => {
                let waiting = self.marks.values_mut();
                let waiting = waiting.filter(|m| m.id.map == map && m.not_before > Moment(0));
                for mark in waiting {
                    mark.not_before = mark.not_before.min(latest).max(earliest);
                }
            }
            Change::Wake {
                missing,
                generation,
            } => {
                let waiting = self.marks.values_mut();
                for mark in waiting.filter(|m| m.missing.as_ref() == Some(&missing)) {
                    mark.cause = Cause::Changed;
                    mark.generation = generation;
                    mark.not_before = Moment(0);
                    mark.missing = None;
                }
            }
            Change::Release {
                map,
                id,
                cause,
                generation,
                word,
            } => {
                let of_cause = self.marks.values_mut();
                let of_cause = of_cause.filter(|m| m.id.map == map && m.cause == cause);
                let of_cause = of_cause.filter(|m| m.word != Some(Word::Hold));
                for mark in of_cause.filter(|m| id.as_ref().is_none_or(|id| *id == m.id)) {
                    mark.cause = Cause::Changed;
                    mark.generation = generation;
                    mark.not_before = Moment(0);
                    mark.tries = 0;
                    mark.word = word;
                    mark.missing = None;
                }
            }
            Change::Say(mark) => drop(self.marks.insert(mark.id.clone(), *mark)),
            Change::Discard(id) => drop(self.marks.remove(&id)),
            Change::PutIntent(intent) => {
                let id = (intent.map, intent.pair.clone(), intent.side);
                self.intents.insert(id, *intent);
            }
            Change::DropIntent(map, pair, side) => {
                self.intents.remove(&(map, pair, side));
            }
            Change::SetCursor(set, cursor) => drop(self.cursors.insert(set, cursor)),
            Change::DropCursor(set) => drop(self.cursors.remove(&set)),
            Change::Know(set, id, record) => drop(self.known.insert((set, id), record)),
            Change::Forget(set, id) => drop(self.known.remove(&(set, id))),
            Change::SetStatus(map, status) => drop(self.statuses.insert(map, status)),
            Change::Adopt {
                map,
                lines,
                generation,
            } => self.adopt(map, lines, generation),
            // Nobody asks anything of a process under exploration.
            Change::SetReadonly(_)
            | Change::ForgetRequests(_)
            | Change::TakeUp(_)
            | Change::Answer(..) => {}
            Change::Log(activity) => self.activity.push(Arc::from(activity)),
        }
        Ok(())
    }

    fn adopt(&mut self, map: MapId, lines: Vec<LineId>, generation: u64) {
        let before = self.lines.insert(map, lines.clone());
        if before.is_none_or(|before| before == lines) {
            return;
        }
        for mark in self.marks.values_mut().filter(|mark| mark.id.map == map) {
            if mark.cause != Cause::Held {
                mark.generation = mark.generation.max(generation);
                mark.cause = Cause::Changed;
                mark.not_before = Moment(0);
                mark.tries = 0;
                mark.missing = None;
            }
        }
        for link in self.links.values().filter(|link| link.map == map) {
            let known = |side: Side| Some((side, link.sides[side.index()].record.clone()?));
            if let Some((side, record)) = Side::BOTH.into_iter().find_map(known) {
                let id = MarkId { map, side, record };
                let mark = Mark::changed(id.clone(), generation);
                self.marks.entry(id).or_insert(mark);
            }
        }
    }

    /// A record belongs to one link only.
    fn put_link(&mut self, link: Link) -> Result<(), StateError> {
        let others = self.links.values();
        let mut others = others.filter(|l| l.map == link.map && l.pair != link.pair);
        let claimed = others.any(|other| {
            let mut sides = other.sides.iter().zip(&link.sides);
            sides.any(|(a, b)| a.record.is_some() && a.record == b.record)
        });
        if claimed {
            let values = link.pair.values().unwrap_or_default();
            return Err(StateError::Claimed {
                record: crate::key::display_key(&values),
            });
        }
        self.links.insert((link.map, link.pair.clone()), link);
        Ok(())
    }
}
