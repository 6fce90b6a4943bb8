//! The judgement at the end: how every record stands at rest, against what users did.

use std::collections::BTreeSet;

use dwmap_plan::Side;

use super::{Broken, Edit, Oracle, Promise, Tag, outside};
use crate::shared::lines::{Groups, LINES, Shape, agrees, tag_of, waits};
use crate::shared::wire::Fields;

/// How a record stands at the end.
pub(crate) struct Standing<'a> {
    pub(crate) rows: [Option<&'a Fields>; 2],
    /// It stands in the error queue.
    pub(crate) in_errors: bool,
    /// It waits for a record that it refers to.
    pub(crate) waits: bool,
    /// It is gone on a side, and a person is to say whether it was deleted.
    pub(crate) held: bool,
    /// Sides on which some other record of its company stands.
    pub(crate) neighbours: [bool; 2],
    /// The groups there are.
    pub(crate) groups: &'a dyn Groups,
}

impl Oracle {
    /// Judges how every record stands at rest.
    pub(crate) fn judge<'a>(&mut self, standing: impl Fn(&str) -> Standing<'a>) {
        let keys: Vec<String> = self.records.keys().cloned().collect();
        for key in keys {
            let stands = standing(&key);
            if let Err(broken) = self.judge_record(&key, &stands) {
                self.broken.push(broken);
            }
        }
    }

    fn judge_record(&self, key: &str, stands: &Standing<'_>) -> Result<(), Broken> {
        if stands.in_errors {
            return self.judge_error(key, stands);
        }
        if stands.held {
            let alone = |side: Side| {
                stands.rows[side.index()].is_none() && !stands.neighbours[side.index()]
            };
            return if Side::BOTH.into_iter().any(alone) {
                Ok(())
            } else {
                Err(Broken {
                    promise: Promise::Convergence,
                    what: format!("{key} is held though its neighbours can be read"),
                })
            };
        }
        if stands.waits {
            return match stands.rows[0] {
                Some(left) if waits(left, stands.groups) => Ok(()),
                _ => Err(Broken {
                    promise: Promise::Convergence,
                    what: format!("{key} waits for a record that is there"),
                }),
            };
        }
        match stands.rows {
            [None, None] => self.judge_gone(key),
            [Some(left), Some(right)] => {
                if outside(left) {
                    return Ok(());
                }
                for at in 0..LINES.len() {
                    self.judge_line(key, at, [left, right], stands.groups)?;
                }
                self.judge_resurrection(key)
            }
            [left, _] => {
                let record = &self.records[key];
                let kept = record
                    .deleted_by
                    .is_some_and(|by| !self.rules.deletes[by.index()]);
                if left.is_some_and(outside) || record.was_out || kept {
                    Ok(())
                } else {
                    Err(Broken {
                        promise: Promise::Convergence,
                        what: format!("{key} is on one side only"),
                    })
                }
            }
        }
    }

    /// The error queue is a place to stand for what can't be carried over, and for nothing else.
    fn judge_error(&self, key: &str, stands: &Standing<'_>) -> Result<(), Broken> {
        let unfit = |f: &Fields| {
            f.values()
                .any(|v| v.as_str().is_some_and(|s| s.contains("unfit")))
        };
        if self.rules.fight || stands.rows.iter().flatten().any(|f| unfit(f)) {
            return Ok(());
        }
        Err(Broken {
            promise: Promise::Convergence,
            what: format!("{key} stands in the error queue though nothing is wrong with it"),
        })
    }

    /// `e` is concurrent with an edit in `lineage` that wins over it by the map's policy.
    fn decided(&self, lineage: &BTreeSet<Tag>, tag: Tag, edit: &Edit) -> bool {
        edit.side != self.rules.prefer
            && lineage.iter().any(|w| {
                self.edit(*w).is_some_and(|winner| {
                    winner.line == edit.line
                        && winner.side == self.rules.prefer
                        && !edit.over.contains(w)
                        && !winner.over.contains(&tag)
                })
            })
    }

    /// Edits of a record that are neither excused nor against the direction of their line.
    fn owed<'a>(&'a self, key: &'a str) -> impl Iterator<Item = (Tag, &'a Edit)> {
        let numbered = self.edits.iter().enumerate();
        numbered
            .map(|(i, e)| (i as Tag + 1, e))
            .filter(move |(_, e)| e.key == key && !e.ambiguous && !e.overwritten && !e.blanked)
            .filter(|(_, e)| LINES[e.line].shape != Shape::OneWay || e.side == Side::Left)
    }

    fn judge_gone(&self, key: &str) -> Result<(), Broken> {
        let record = &self.records[key];
        let lost = |what: String| {
            Err(Broken {
                promise: Promise::NothingLost,
                what,
            })
        };
        let Some(deleted_by) = record.deleted_by else {
            return lost(format!(
                "{key} is absent on both sides, and nobody deleted it"
            ));
        };
        for (tag, edit) in self.owed(key) {
            let known = record.seen_by_delete.contains(&tag);
            let outside = record.was_out && edit.side != self.rules.prefer;
            if known || outside || self.decided(&record.seen_by_delete, tag, edit) {
                continue;
            }
            if record.recreated && !record.delete_ambiguous {
                return lost(format!(
                    "{key} was made again by a user and is absent everywhere"
                ));
            }
            if edit.side == self.rules.prefer || deleted_by != self.rules.prefer {
                return lost(format!(
                    "a delete of {key} swallowed t{tag}, a concurrent edit that wins by the policy"
                ));
            }
        }
        Ok(())
    }

    fn judge_line(
        &self,
        key: &str,
        at: usize,
        [left, right]: [&Fields; 2],
        groups: &dyn Groups,
    ) -> Result<(), Broken> {
        let line = &LINES[at];
        let tags = [
            tag_of(line, Side::Left, left),
            tag_of(line, Side::Right, right),
        ];
        if line.shape == Shape::OneWay {
            let arrived = self.lineage(tags[1]);
            let deleted = &self.records[key].seen_by_delete;
            return if tags[0] == 0
                || arrived.contains(&tags[0])
                || deleted.contains(&tags[0])
                || self.edits[tags[0] as usize - 1].ambiguous
            {
                Ok(())
            } else {
                Err(Broken {
                    promise: Promise::NothingLost,
                    what: format!(
                        "{key}.{}: t{} never arrived on the right",
                        line.name, tags[0]
                    ),
                })
            };
        }
        if !agrees(line, left, right, groups) {
            return Err(Broken {
                promise: Promise::Convergence,
                what: format!(
                    "{key}.{} disagrees at rest: {} | {}",
                    line.name,
                    line.show(Side::Left, left),
                    line.show(Side::Right, right)
                ),
            });
        }
        let verdicts = tags.map(|tag| self.judge_value(key, at, tag));
        match verdicts {
            [Err(broken), Err(_)] => Err(broken),
            _ => Ok(()),
        }
    }

    /// Whether every edit of a line has gone into the value that stands, or was decided against by a stated rule.
    fn judge_value(&self, key: &str, line: usize, stands: Tag) -> Result<(), Broken> {
        let record = &self.records[key];
        let prefer = self.rules.prefer;
        let lineage = self.lineage(stands);
        for (tag, edit) in self.owed(key).filter(|(_, e)| e.line == line) {
            let gone_in = lineage.contains(&tag) || record.seen_by_delete.contains(&tag);
            let outside = record.was_out && edit.side != prefer;
            let deleted = record.deleted_by.is_some_and(|by| {
                (record.recreated && by == prefer && edit.side != by)
                    || (record.recreated && self.rules.deletes == [false; 2] && edit.side != prefer)
                    || self.decided(&record.seen_by_delete, tag, edit)
            });
            let default_gone = stands != 0 && edit.defaulted;
            if gone_in || outside || deleted || default_gone || self.decided(&lineage, tag, edit) {
                continue;
            }
            let (promise, how) = if stands == 0 || edit.over.contains(&stands) {
                (Promise::Order, "was turned back to an older value")
            } else {
                (Promise::NothingLost, "lost against the stated policy")
            };
            return Err(Broken {
                promise,
                what: format!(
                    "{key}.{}: t{tag} {how} (t{stands} stands)",
                    LINES[line].name
                ),
            });
        }
        Ok(())
    }

    fn judge_resurrection(&self, key: &str) -> Result<(), Broken> {
        let record = &self.records[key];
        let all_seen = self
            .edits
            .iter()
            .enumerate()
            .filter(|(_, e)| e.key == key)
            .all(|(i, _)| record.seen_by_delete.contains(&(i as Tag + 1)));
        // A record that comes back into the filter is created again where it was deleted meanwhile.
        let came_back = record.was_out && record.deleted_by == Some(Side::Right);
        let explained = record.deleted_by.is_none()
            || record.recreated
            || came_back
            || record.untagged_edits
            || record.delete_ambiguous
            || self.rules.deletes != [true; 2];
        if all_seen && !explained {
            return Err(Broken {
                promise: Promise::NothingLost,
                what: format!("the delete of {key} was undone with nobody having changed it"),
            });
        }
        Ok(())
    }
}
