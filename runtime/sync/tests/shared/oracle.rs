//! The plain model that promises are checked against.
//!
//! Every value that a user writes carries a tag of its own, and every edit remembers the tags that it was made
//! over, whichever side they came from. So "lost", "turned back" and "older over newer" are decidable from what
//! the two systems hold, with no look into the runtime. What no runtime can promise (page *What can't be had* of
//! the manual) is excused here, each excuse by name and no further.

mod judge;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use dwmap_plan::Side;

use super::lines::{LINES, Line, Shape, tag_of};
use super::wire::Fields;

pub(crate) use judge::Standing;

/// A tag; 0 is "no user's value".
pub(crate) type Tag = u32;

/// The promises, by the names under which they are documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Promise {
    NothingLost,
    Once,
    Order,
    Stillness,
    Convergence,
    NoMassDamage,
}

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Broken {
    pub(crate) promise: Promise,
    pub(crate) what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.promise, self.what)
    }
}

/// A user's edit of a tagged line, or a value that a system made up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Edit {
    side: Side,
    key: String,
    line: usize,
    /// All tags that it was made over, transitively.
    over: BTreeSet<Tag>,
    /// A default that business logic filled in.
    defaulted: bool,
    /// Made over a write of ours whose answer never came: not to be told from a concurrent edit.
    ambiguous: bool,
    /// Overwritten in the window of a write without a guard.
    overwritten: bool,
    /// Made at the left while the record was outside the filter, where it has stayed since.
    outside: bool,
    /// At a first meeting the preferred side's blank won over it.
    blanked: bool,
}

/// What happened to a record besides edits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Story {
    /// Sides on which users made it.
    created: [bool; 2],
    deleted_by: Option<Side>,
    /// All tags that were seen by the user who deleted it.
    seen_by_delete: BTreeSet<Tag>,
    /// The delete was made over an ambiguous write.
    delete_ambiguous: bool,
    recreated: bool,
    /// It was outside the filter at some time.
    was_out: bool,
    /// Lines without tags were edited.
    untagged_edits: bool,
    /// Lines that we wrote on a side, and whose bases the runtime hasn't committed yet.
    unacknowledged: [BTreeSet<usize>; 2],
    /// Edits made over such lines: ambiguous if the write's answer turns out to be lost.
    doubtful: [Vec<Tag>; 2],
    /// The record was deleted on a side over such lines.
    doubtful_delete: Option<Side>,
    /// A record of ours was born on a side, and the runtime hasn't committed that yet.
    born: [bool; 2],
    /// A user edited such a record: if the answer is lost, it can't be told from a user's own, and the two meet.
    doubtful_birth: [bool; 2],
    /// Lines that are about to meet their partners for the first time, where the preferred side wins.
    meets: BTreeSet<usize>,
    /// It was linked, with every line in order.
    linked: bool,
}

/// What the promises depend on in a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Rules {
    pub(crate) prefer: Side,
    /// Whether a delete on a side is carried over.
    pub(crate) deletes: [bool; 2],
    /// Two plug-ins fight about a field: no order can be had there.
    pub(crate) fight: bool,
    /// More deletes than this must not be carried over unasked.
    pub(crate) delete_max: usize,
}

/// A write of the runtime that landed.
pub(crate) struct Landed<'a> {
    pub(crate) side: Side,
    pub(crate) key: &'a str,
    pub(crate) before: Option<&'a Fields>,
    pub(crate) after: Option<&'a Fields>,
    /// The columns that the write named.
    pub(crate) columns: &'a [String],
    /// It was guarded by a version, and the system honours guards.
    pub(crate) guarded: bool,
    /// What the runtime had last been shown of the row when it sent the write.
    pub(crate) seen: Option<&'a Fields>,
}

/// The oracle.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Oracle {
    rules: Rules,
    edits: Vec<Edit>,
    records: BTreeMap<String, Story>,
    broken: Vec<Broken>,
    /// From when on nothing may be written any more.
    still: bool,
    carried_deletes: usize,
}

impl Oracle {
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            rules,
            edits: vec![],
            records: BTreeMap::new(),
            broken: vec![],
            still: false,
            carried_deletes: 0,
        }
    }

    /// The first promise that was broken so far.
    pub(crate) fn broken(&self) -> Option<&Broken> {
        self.broken.first()
    }

    /// From now on every write breaks stillness.
    pub(crate) fn hold_still(&mut self) {
        self.still = true;
    }

    /// The next tag, for a value that is about to be written.
    pub(crate) fn next_tag(&self) -> Tag {
        self.edits.len() as Tag + 1
    }

    fn edit(&self, tag: Tag) -> Option<&Edit> {
        self.edits.get((tag as usize).checked_sub(1)?)
    }

    /// The tag and all that it was made over.
    fn lineage(&self, tag: Tag) -> BTreeSet<Tag> {
        let mut all = self
            .edit(tag)
            .map_or_else(BTreeSet::new, |e| e.over.clone());
        if tag != 0 {
            all.insert(tag);
        }
        all
    }

    pub(crate) fn break_promise(&mut self, promise: Promise, what: String) {
        self.broken.push(Broken { promise, what });
    }

    // ---- what users do

    /// A user wrote the value with the next tag into a line, over what stood there.
    pub(crate) fn edited(&mut self, side: Side, key: &str, line: usize, over: Option<&Fields>) {
        let (tag, held) = (
            self.next_tag(),
            over.map_or(0, |f| tag_of(&LINES[line], side, f)),
        );
        let record = self.records.entry(key.to_owned()).or_default();
        record.doubtful_birth[side.index()] |= record.born[side.index()];
        let doubts = &mut record.doubtful[side.index()];
        if record.unacknowledged[side.index()].remove(&line) || doubts.contains(&held) {
            doubts.push(tag);
        }
        let mut below = self.lineage(held);
        if over.is_none() {
            below.extend(&self.records[key].seen_by_delete);
        }
        let meets = self.records[key].meets.contains(&line) && side != self.rules.prefer;
        let ambiguous = meets || (over.is_none() && self.records[key].delete_ambiguous);
        self.edits.push(Edit {
            side,
            key: key.to_owned(),
            line,
            over: below,
            defaulted: false,
            ambiguous,
            overwritten: false,
            outside: side == Side::Left && over.is_some_and(outside),
            blanked: false,
        });
    }

    /// A user changed a line whose values carry no tag.
    pub(crate) fn edited_untagged(&mut self, side: Side, key: &str) {
        let record = self.records.entry(key.to_owned()).or_default();
        record.untagged_edits = true;
        record.doubtful_birth[side.index()] |= record.born[side.index()];
    }

    /// A user made a record. Its tagged values are told by [`Oracle::edited`] as well, after this.
    pub(crate) fn created(&mut self, side: Side, key: &str) {
        let record = self.records.entry(key.to_owned()).or_default();
        record.created[side.index()] = true;
        record.recreated |= record.deleted_by.is_some();
    }

    /// Whether a user may still delete or make the record again, so that the story stays decidable.
    pub(crate) fn deleted_by(&self, key: &str) -> Option<Side> {
        self.records.get(key).and_then(|r| r.deleted_by)
    }

    /// Whether a user already made it again after a delete.
    pub(crate) fn recreated(&self, key: &str) -> bool {
        self.records.get(key).is_some_and(|r| r.recreated)
    }

    /// A user deleted a record.
    pub(crate) fn deleted(&mut self, side: Side, key: &str, held: &Fields) {
        let mut seen = BTreeSet::new();
        for line in LINES {
            seen.extend(self.lineage(tag_of(line, side, held)));
        }
        let ambiguous = seen
            .iter()
            .any(|t| self.edit(*t).is_some_and(|e| e.ambiguous));
        let record = self.records.entry(key.to_owned()).or_default();
        record.deleted_by = Some(side);
        record.seen_by_delete.extend(seen);
        record.delete_ambiguous |= ambiguous || !record.meets.is_empty();
        let doubts = &record.doubtful[side.index()];
        if !record.unacknowledged[side.index()].is_empty() || !doubts.is_empty() {
            record.doubtful_delete = Some(side);
        }
        record.unacknowledged[side.index()].clear();
    }

    /// A user took a record out of the filter.
    pub(crate) fn left(&mut self, key: &str) {
        self.records.entry(key.to_owned()).or_default().was_out = true;
    }

    /// A user brought it back: what was edited outside may go across from now on.
    pub(crate) fn entered(&mut self, key: &str) {
        for edit in self.edits.iter_mut().filter(|e| e.key == key) {
            edit.outside = false;
        }
    }

    // ---- what the runtime does

    /// The runtime has put down what it wrote to a record's side: by the write's answer, or by a look afterwards.
    pub(crate) fn acknowledged(&mut self, side: Side, key: &str, answered: bool) {
        let Some(record) = self.records.get_mut(key) else {
            return;
        };
        record.unacknowledged[side.index()].clear();
        let doubtful = std::mem::take(&mut record.doubtful[side.index()]);
        let deleted = record.doubtful_delete.take_if(|on| *on == side).is_some();
        record.born[side.index()] = false;
        let meets = std::mem::take(&mut record.doubtful_birth[side.index()]);
        if answered {
            return;
        }
        record.delete_ambiguous |= deleted;
        if meets {
            record.meets.extend(0..LINES.len());
        }
        for tag in doubtful {
            self.edits[tag as usize - 1].ambiguous = true;
        }
        let prefer = self.rules.prefer;
        let of_record = self.edits.iter_mut().filter(|e| meets && e.key == key);
        for edit in of_record.filter(|e| e.side != prefer) {
            edit.ambiguous = true;
        }
    }

    /// The runtime has put down that every line of a pair was in order once.
    pub(crate) fn met(&mut self, key: &str) {
        if let Some(record) = self.records.get_mut(key) {
            record.meets.clear();
            record.linked = true;
        }
    }

    /// Whether a pair is linked, and was in order once.
    pub(crate) fn is_linked(&self, key: &str) -> bool {
        self.records.get(key).is_some_and(|r| r.linked)
    }

    /// What is known of some lines is gone, and they meet for the first time: the preferred side wins, whoever was
    /// last. `preferred` is the row of that side.
    pub(crate) fn meets_again(&mut self, key: &str, lines: &[usize], preferred: Option<&Fields>) {
        let side = self.rules.prefer;
        let stands = |line: usize| preferred.map_or(0, |f| tag_of(&LINES[line], side, f));
        let known: BTreeSet<Tag> = lines
            .iter()
            .flat_map(|l| self.lineage(stands(*l)))
            .collect();
        for (at, edit) in self.edits.iter_mut().enumerate() {
            let concerned = edit.key == key && lines.contains(&edit.line);
            if concerned && edit.side != side && !known.contains(&(at as Tag + 1)) {
                edit.ambiguous = true;
            }
        }
        if let Some(record) = self.records.get_mut(key) {
            record.meets.extend(lines);
        }
    }

    /// All that is known of a record is gone, also that it was deleted.
    pub(crate) fn forgotten(&mut self, key: &str, preferred: Option<&Fields>) {
        for side in Side::BOTH {
            self.acknowledged(side, key, false);
        }
        let all: Vec<usize> = (0..LINES.len()).collect();
        self.meets_again(key, &all, preferred);
        if let Some(record) = self.records.get_mut(key) {
            record.linked = false;
            record.delete_ambiguous |= record.deleted_by.is_some();
        }
    }

    /// The records that users know of.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.records.keys().cloned().collect()
    }

    /// A business rule of `side` filled in the value with the next tag while a write of ours landed.
    pub(crate) fn defaulted(&mut self, side: Side, key: &str, line: usize) {
        self.edits.push(Edit {
            side,
            key: key.to_owned(),
            line,
            over: BTreeSet::new(),
            defaulted: true,
            ambiguous: false,
            overwritten: false,
            outside: false,
            blanked: false,
        });
    }

    /// A record was made without asking whether it is there already.
    pub(crate) fn unguarded_create(&mut self, key: &str, there: bool) {
        if there {
            self.break_promise(Promise::Once, format!("{key} was made a second time"));
        }
    }

    /// A write of the runtime landed.
    pub(crate) fn landed(&mut self, write: &Landed<'_>) {
        if self.still {
            self.break_promise(
                Promise::Stillness,
                format!("{} was written on {:?} at rest", write.key, write.side),
            );
        }
        match (write.before, write.after) {
            (Some(before), None) => self.landed_delete(write, before),
            (before, Some(after)) => {
                let record = self.records.entry(write.key.to_owned()).or_default();
                record.born[write.side.index()] |= before.is_none();
                self.landed_values(write, before, after);
            }
            (None, None) => {}
        }
    }

    fn landed_delete(&mut self, write: &Landed<'_>, before: &Fields) {
        self.carried_deletes += 1;
        if self.carried_deletes > self.rules.delete_max {
            let many = self.carried_deletes;
            self.break_promise(
                Promise::NoMassDamage,
                format!("{many} deletes were carried over with nobody asked"),
            );
        }
        let deleted_by = self.records.get(write.key).and_then(|r| r.deleted_by);
        if deleted_by.is_none() {
            self.break_promise(
                Promise::NoMassDamage,
                format!(
                    "{} was deleted on {:?}, and no user deleted it",
                    write.key, write.side
                ),
            );
        }
        for line in LINES {
            self.overwrite(write, line, tag_of(line, write.side, before));
        }
    }

    fn landed_values(&mut self, write: &Landed<'_>, before: Option<&Fields>, after: &Fields) {
        for (at, line) in LINES.iter().enumerate() {
            let column = line.column(write.side);
            if before.is_some() && !write.columns.iter().any(|c| c == column) {
                continue;
            }
            let old = before.map_or(0, |f| tag_of(line, write.side, f));
            let new = tag_of(line, write.side, after);
            if before.is_some() {
                self.check_order(write, line, old, new);
            }
            if write.side == Side::Right && self.edit(new).is_some_and(|e| e.outside) {
                self.break_promise(
                    Promise::NoMassDamage,
                    format!(
                        "{}: t{new} was carried over from outside the filter",
                        write.key
                    ),
                );
            }
            if line.shape == Shape::Group {
                self.check_reference(write, line, before, after);
            }
            self.overwrite(write, line, old);
            if new == 0 {
                self.blank(write, old);
            }
            let record = self.records.entry(write.key.to_owned()).or_default();
            record.unacknowledged[write.side.index()].insert(at);
        }
    }

    /// An older value over a newer one.
    fn check_order(&mut self, write: &Landed<'_>, line: &Line, old: Tag, new: Tag) {
        let Some(over) = self.edit(old) else { return };
        let Some(record) = self.records.get(write.key) else {
            return;
        };
        let blank = new == 0 && record.created != [true; 2] && !record.recreated;
        let older = over.over.contains(&new) || blank;
        let excused = over.ambiguous
            || over.defaulted
            || record.was_out
            || (self.rules.fight && line.name == "name")
            || (line.shape == Shape::OneWay && write.side == Side::Right)
            || (!write.guarded && self.unseen(write, line, old).contains(&old));
        if old != new && older && !excused {
            self.break_promise(
                Promise::Order,
                format!(
                    "{}.{} on {:?}: t{new} was written over the newer t{old}",
                    write.key, line.name, write.side
                ),
            );
        }
    }

    /// References carry no tags, but users never blank one: so nothing may blank one on the preferred side.
    fn check_reference(
        &mut self,
        write: &Landed<'_>,
        line: &Line,
        before: Option<&Fields>,
        after: &Fields,
    ) {
        let shown = |row: &Fields| line.show(write.side, row);
        let blanked = before.is_some_and(|row| !shown(row).is_empty()) && shown(after).is_empty();
        // A record that is made again is blank where its first life wasn't.
        let once = self.deleted_by(write.key).is_none();
        if blanked && once && write.side == self.rules.prefer {
            let what = format!(
                "{}: a reference was blanked that no user blanked",
                write.key
            );
            self.break_promise(Promise::NothingLost, what);
        }
    }

    /// The tags in a cell that the runtime hadn't been shown when it sent a write.
    fn unseen(&self, write: &Landed<'_>, line: &Line, held: Tag) -> BTreeSet<Tag> {
        let seen = write.seen.map_or(0, |f| tag_of(line, write.side, f));
        let known = self.lineage(seen);
        self.lineage(held).difference(&known).copied().collect()
    }

    /// Without a guard, an edit made between our last look and the write's arrival is overwritten: inherent.
    fn overwrite(&mut self, write: &Landed<'_>, line: &Line, held: Tag) {
        if write.guarded {
            return;
        }
        for tag in self.unseen(write, line, held) {
            self.edits[tag as usize - 1].overwritten = true;
        }
    }

    /// Users never blank a value: a blank comes from a first meeting of records that were made on both sides.
    fn blank(&mut self, write: &Landed<'_>, held: Tag) {
        let both = self
            .records
            .get(write.key)
            .is_some_and(|r| r.created == [true; 2]);
        for tag in self.lineage(held) {
            let edit = &mut self.edits[tag as usize - 1];
            edit.blanked |= both && edit.side != self.rules.prefer;
        }
    }
}

/// Whether a left row is outside the map's filter.
fn outside(left: &Fields) -> bool {
    left.get("PartyType").and_then(|v| v.as_str()) != Some("Organization")
}
