//! Records that have no equal key are paired by other fields, in the ways that a map's `match by` gives.
//!
//! A way decides where exactly one record fits on each side. Where more do, all of them wait for a person: two records
//! are never merged by a guess.

use std::collections::{BTreeMap, BTreeSet};

use dwmap_plan::{Columns, Side, Value};

use super::{Sight, Task};
use crate::code::Cell;
use crate::codec::encode_values;
use crate::error::SyncError;
use crate::key::{PairKey, RecordId, fold};
use crate::merge::own;
use crate::observe::Observed;
use crate::report::{self, Trouble};
use crate::runtime::{MapRun, Runtime};
use crate::state::Word;

/// Tasks that come to nothing, with why.
pub(crate) type Stopped = Vec<(Task, Trouble)>;
/// What the lines of a way hold.
type Values = Vec<Value>;
/// The records of a side that a way could pair, by what they hold, as [`folded`] bytes.
type Fitting = BTreeMap<Vec<u8>, Vec<Observed>>;

/// What a way says of a task.
enum Found {
    /// Nothing fits.
    None,
    /// One record on each side.
    One(Box<Observed>),
    /// More than one: the others that fit, as people know them.
    Many(Vec<String>),
}

impl Runtime {
    /// Pairs tasks of single records. Those of which a person has to say come back apart.
    pub(crate) async fn pair_up(
        &self,
        map: &MapRun,
        mut tasks: Vec<Task>,
    ) -> Result<(Vec<Task>, Stopped), SyncError> {
        let mut stopped = Stopped::new();
        for way in &self.plan_of(map).meeting.match_by {
            tasks = self.pair_by(map, way, tasks, &mut stopped).await?;
        }
        let mut ready = Vec::with_capacity(tasks.len());
        for task in tasks {
            match self.keyless(map, &task) {
                Some(trouble) => stopped.push((task, trouble)),
                None => ready.push(task),
            }
        }
        Ok((ready, stopped))
    }

    /// The side of a task's only record, where it may still be paired: nobody knows it, it takes part, and its partner
    /// was looked for by its key.
    fn single(&self, task: &Task) -> Option<Side> {
        let open =
            task.read_again_at.is_none() && !matches!(task.word(), Some(Word::LetGo | Word::Hold));
        self.lone_side(task).filter(|_| open)
    }

    /// The side of a task's only record, where nobody knows it and it takes part.
    fn lone_side(&self, task: &Task) -> Option<Side> {
        let of = |side: Side| {
            let row = task.sights[side.index()].row()?;
            let alone = matches!(task.sights[side.other().index()], Sight::Absent);
            (alone && self.takes_part_now(row)).then_some(side)
        };
        let unlinked = task.link.is_none();
        Side::BOTH.into_iter().find_map(of).filter(|_| unlinked)
    }

    /// Why a record that found no partner can't be born: it has no key, and none is drawn for it.
    fn keyless(&self, map: &MapRun, task: &Task) -> Option<Trouble> {
        let side = self.lone_side(task).filter(|_| task.pair.is_awaited())?;
        let row = task.sights[side.index()].row()?;
        if super::drawn::can_be_born(self.plan_of(map), side, &row.row) {
            return None;
        }
        let line = match self.partner_key(map, side, &row.row) {
            Err(crate::observe::KeyFault::Blank(line)) => Some(line),
            _ => None,
        };
        Some(Trouble::BlankKey { line })
    }

    async fn pair_by(
        &self,
        map: &MapRun,
        way: &[Columns; 2],
        tasks: Vec<Task>,
        stopped: &mut Stopped,
    ) -> Result<Vec<Task>, SyncError> {
        let mut wanted: [BTreeSet<Vec<u8>>; 2] = Default::default();
        let mut asked: [Vec<Values>; 2] = Default::default();
        for task in &tasks {
            let Some(values) = self.values_of(task, way) else {
                continue;
            };
            for (s, of_side) in values.iter().enumerate() {
                if wanted[s].insert(folded(of_side)) {
                    asked[s].push(of_side.clone());
                }
            }
        }
        let mut fitting: [Fitting; 2] = Default::default();
        for side in Side::BOTH {
            let asked = std::mem::take(&mut asked[side.index()]);
            fitting[side.index()] = self.fitting(map, side, &way[side.index()], asked).await?;
        }
        // A record that another task of this batch is about takes part there no more once it is paired here.
        let mut taken: BTreeSet<(Side, RecordId)> = BTreeSet::new();
        let mut ready: Vec<Task> = Vec::with_capacity(tasks.len());
        for mut task in tasks {
            let own_record = self.single(&task).and_then(|side| {
                let row = task.sights[side.index()].row()?;
                Some((side, row.record.clone()?))
            });
            let (Some(values), Some((side, record))) = (self.values_of(&task, way), own_record)
            else {
                ready.push(task);
                continue;
            };
            if taken.contains(&(side, record.clone())) {
                hand_over(&mut ready, task, side, &record);
                continue;
            }
            match found(&fitting, side, &record, &values) {
                Found::None => ready.push(task),
                Found::Many(others) => stopped.push((task, Trouble::Ambiguous { others })),
                Found::One(partner) => {
                    let other = side.other();
                    if let Some(record) = partner.record.clone() {
                        taken.insert((other, record.clone()));
                        let of_partner = |t: &Task| {
                            let row = t.sights[other.index()].row();
                            t.link.is_none() && row.and_then(|r| r.record.as_ref()) == Some(&record)
                        };
                        if let Some(at) = ready.iter().position(of_partner) {
                            let twin = ready.remove(at);
                            task.marks[other.index()].clone_from(&twin.marks[other.index()]);
                        }
                    }
                    let read = partner.read;
                    task.see(other, Sight::Row(partner), read);
                    task.key_from = self.plan_of(map).meeting.key_from;
                    if let Some(pair) = common_key(&task) {
                        task.pair = pair;
                    }
                    ready.push(task);
                }
            }
        }
        Ok(ready)
    }

    /// What the lines of a way hold of a task's only record, as each side would hold it.
    fn values_of(&self, task: &Task, way: &[Columns; 2]) -> Option<[Values; 2]> {
        let side = self.single(task)?;
        let row = &task.sights[side.index()].row()?.row;
        let of = |cell: Option<&Cell>| cell.and_then(own).filter(|v| !v.is_null()).cloned();
        let lines = || way[0].parts.iter().map(|(.., line)| usize::from(*line));
        let own: Option<Values> = lines().map(|line| of(row.own.get(line))).collect();
        let out: Option<Values> = lines().map(|line| of(row.out.get(line))).collect();
        Some(match side {
            Side::Left => [own?, out?],
            Side::Right => [out?, own?],
        })
    }

    /// The records of a side that hold one of these: such that no link knows, that take part, and that have no partner
    /// with their own key.
    async fn fitting(
        &self,
        map: &MapRun,
        side: Side,
        columns: &Columns,
        asked: Vec<Values>,
    ) -> Result<Fitting, SyncError> {
        if asked.is_empty() {
            return Ok(Fitting::new());
        }
        let rows = self.fetch_columns(map, side, columns, asked).await?;
        let mut rows = self.unlinked(map, side, rows).await?;
        let keyed = rows
            .iter()
            .filter(|row| row.pair.as_ref().is_some_and(|p| !p.is_awaited()));
        let keys: Vec<Vec<Value>> = keyed
            .filter_map(|row| self.partner_key(map, side, &row.row).ok())
            .collect();
        let partners: BTreeSet<PairKey> = if keys.is_empty() {
            BTreeSet::new()
        } else {
            let found = self.fetch_pairs(map, side.other(), keys).await?.found;
            found.into_keys().collect()
        };
        rows.retain(|row| {
            row.pair
                .as_ref()
                .is_none_or(|pair| !partners.contains(pair))
        });
        let mut fitting = Fitting::new();
        for row in rows {
            let cells = columns
                .parts
                .iter()
                .map(|(.., line)| row.row.own.get(usize::from(*line)));
            let held: Option<Values> = cells.map(|cell| cell.and_then(own).cloned()).collect();
            if let Some(held) = held {
                fitting.entry(folded(&held)).or_default().push(row);
            }
        }
        Ok(fitting)
    }
}

/// Values without case, so that equal ones are equal bytes.
fn folded(values: &Values) -> Vec<u8> {
    let folded: Values = values.iter().map(fold).collect();
    encode_values(&folded)
}

/// What a way says of the record of a task that holds these values.
fn found(fitting: &[Fitting; 2], side: Side, record: &RecordId, values: &[Values; 2]) -> Found {
    let of = |side: Side| {
        let key = folded(&values[side.index()]);
        fitting[side.index()]
            .get(&key)
            .map_or(&[][..], Vec::as_slice)
    };
    let partners = of(side.other());
    let rivals = of(side)
        .iter()
        .filter(|row| row.record.as_ref() != Some(record));
    match partners {
        [] => Found::None,
        [one] if rivals.clone().next().is_none() => Found::One(Box::new(one.clone())),
        _ => Found::Many(
            partners
                .iter()
                .chain(rivals)
                .filter_map(|row| row.record.as_ref().map(report::name_of_record))
                .collect(),
        ),
    }
}

/// A record was paired by the task of its partner: what is known of its mark goes there.
fn hand_over(ready: &mut [Task], task: Task, side: Side, record: &RecordId) {
    let s = side.index();
    let of_record = |t: &&mut Task| {
        let row = t.sights[s].row();
        row.and_then(|row| row.record.as_ref()) == Some(record)
    };
    if let Some(paired) = ready.iter_mut().find(of_record) {
        paired.marks[s] = task.marks.into_iter().nth(s).flatten();
    }
}

/// The key that both records of a task that were paired by other fields are to have.
fn common_key(task: &Task) -> Option<PairKey> {
    let from = task.key_from?;
    let row = task.sights[from.index()].row()?;
    row.pair.clone()
}
