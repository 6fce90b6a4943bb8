//! Verify: do both sides agree? Compared by the relation that the merge uses, in bounded memory; a difference is
//! reported only if a fresh look at both records finds it again.

use dwmap_plan::{InitialPolicy, Line, MapPlan, Side};
use serde::Serialize;

use crate::apply::{Sight, Task};
use crate::error::SyncError;
use crate::join::Joined;
use crate::merge::{Held, line_agrees};
use crate::observer::LoadCounts;
use crate::report::{path, shown_cell};
use crate::runtime::{MapRun, Runtime};
use crate::state::{LinkState, Word};

/// Differences that are listed at most for each map; all are counted.
const LISTED_MAX: usize = 1_000;

/// What `verify` found of a map.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Verified {
    /// The map.
    pub map: String,
    /// Pairs that were compared.
    pub pairs: u64,
    /// Fields that differ, and records without a partner, that no rule explains.
    pub differences: u64,
    /// The first of them.
    pub listed: Vec<Difference>,
    /// Records that differ and stand in the error queue.
    pub in_error_queue: u64,
    /// Records without a partner, or fields that differ, by a rule of the map.
    pub by_rule: u64,
    /// Rows of companies that don't take part.
    pub out_of_scope: u64,
    /// Pairs that were marked to be mended.
    #[serde(skip)]
    pub marked: u64,
}

/// A difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The record as people know it.
    pub record: String,
    /// The field on both sides, left first, and where its line is written; none where the partner is missing.
    pub field: Option<DifferentField>,
    /// The only side (by its system's name) where the record is, if it is there on one side alone.
    pub only_in: Option<String>,
}

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DifferentField {
    /// The paths, left first.
    pub paths: [String; 2],
    /// The values, left first; masked where sensitive.
    pub values: [String; 2],
    /// `file:line:column`.
    pub place: String,
}

/// What a look at a pair finds.
enum Finding {
    Agrees,
    ByRule,
    Differs(Vec<Difference>),
}

impl Runtime {
    /// Compares both sides of the maps, or of one.
    pub async fn verify(&self, map: Option<&str>) -> Result<Vec<Verified>, SyncError> {
        let mut all = Vec::new();
        for run in &self.maps {
            if map.is_none_or(|name| name == self.name(run)) {
                all.push(self.verify_map(run, None).await?);
            }
        }
        if let (Some(name), true) = (map, all.is_empty()) {
            self.map_named(name)?;
        }
        Ok(all)
    }

    /// Compares both sides of a map. With a word, the pairs that differ are marked with it.
    pub(crate) async fn verify_map(
        &self,
        map: &MapRun,
        word: Option<Word>,
    ) -> Result<Verified, SyncError> {
        let mut verified = Verified {
            map: self.name(map).to_owned(),
            ..Verified::default()
        };
        let mut counts = LoadCounts::default();
        let mut joined = Joined::begin(self, map, "verify", &mut counts).await?;
        while let Some(tasks) = joined.next(&mut counts).await? {
            let mut suspects = Vec::new();
            for task in tasks {
                verified.pairs += u64::from(task.sights.iter().all(|s| s.row().is_some()));
                match self.compared(map, &task) {
                    Finding::Agrees => {}
                    Finding::ByRule => verified.by_rule += 1,
                    Finding::Differs(_) => suspects.push(task),
                }
            }
            let differing = self.confirm(map, suspects, &mut verified).await?;
            if let Some(word) = word {
                verified.marked += self.mark_to_mend(map, &differing, word).await?;
            }
        }
        verified.out_of_scope = counts.out_of_scope;
        Ok(verified)
    }

    /// Looks at suspects once more, with fresh reads; gives those that differ.
    async fn confirm(
        &self,
        map: &MapRun,
        mut suspects: Vec<Task>,
        verified: &mut Verified,
    ) -> Result<Vec<Task>, SyncError> {
        let mut differing = Vec::new();
        if suspects.is_empty() {
            return Ok(differing);
        }
        for side in Side::BOTH {
            let s = side.index();
            let seen = suspects
                .iter()
                .filter_map(|t| t.sights[s].row()?.record.clone());
            let records: Vec<_> = seen.collect();
            if records.is_empty() {
                continue;
            }
            let fetched = self.fetch_records(map, side, &records).await?;
            for task in &mut suspects {
                if let Some(record) = task.sights[s].row().and_then(|o| o.record.clone()) {
                    task.sights[s] = match fetched.found.get(&record) {
                        Some(row) => Sight::Row(Box::new(row.clone())),
                        None => Sight::Absent,
                    };
                }
            }
        }
        let (suspects, faulty) = self.observe_others(map, suspects).await?;
        let faulty = faulty.into_iter().map(|(task, _)| task);
        for mut task in suspects.into_iter().chain(faulty) {
            task.link = self
                .store
                .links_by_pair(map.id, std::slice::from_ref(&task.pair))
                .await?
                .pop()
                .flatten();
            match self.compared(map, &task) {
                Finding::Agrees => {}
                Finding::ByRule => verified.by_rule += 1,
                Finding::Differs(_) if self.is_known(map, &task).await? => {
                    verified.in_error_queue += 1;
                }
                Finding::Differs(found) => {
                    verified.differences += found.len() as u64;
                    let room = LISTED_MAX.saturating_sub(verified.listed.len());
                    verified.listed.extend(found.into_iter().take(room));
                    differing.push(task);
                }
            }
        }
        Ok(differing)
    }

    /// Whether a record of the pair has a mark with an error.
    async fn is_known(&self, map: &MapRun, task: &Task) -> Result<bool, SyncError> {
        for side in Side::BOTH {
            let of_row = task.sights[side.index()]
                .row()
                .and_then(|o| o.record.clone());
            let of_link = task
                .link
                .as_ref()
                .and_then(|l| l.sides[side.index()].record.clone());
            for record in of_row.into_iter().chain(of_link) {
                let marks = self.store.marks_of(map.id, side, &[record]).await?;
                if marks.into_iter().flatten().any(|mark| mark.error.is_some()) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn compared(&self, map: &MapRun, task: &Task) -> Finding {
        let plan = self.plan_of(map);
        let inside = task
            .sights
            .each_ref()
            .map(|sight| sight.row().filter(|o| o.row.filter != Ok(false)));
        let state = task.link.as_ref().map(|link| link.state);
        let record = || {
            let rows = inside.map(|o| o.map(|o| &o.row));
            self.name_of(map, &task.pair, task.link.as_ref(), rows)
        };
        let single = |side: Side| {
            let loaded = match plan.policies.initial {
                InitialPolicy::OnlyFrom(from) => from == side,
                InitialPolicy::Prefer(_) => true,
            };
            let rests = matches!(state, Some(LinkState::Left | LinkState::Deleted));
            let creates = plan.policies.creates[side.index()] && plan.flows_from(side);
            let partner_is_there = task.sights[side.other().index()].row().is_some();
            if rests || !loaded || !creates || partner_is_there {
                return Finding::ByRule;
            }
            Finding::Differs(vec![Difference {
                record: record(),
                field: None,
                only_in: Some(self.system(map, side).name().to_owned()),
            }])
        };
        match inside {
            [None, None] => Finding::Agrees,
            [Some(_), None] => single(Side::Left),
            [None, Some(_)] => single(Side::Right),
            [Some(left), Some(right)] => {
                let mut found = Vec::new();
                let mut by_rule = false;
                for (i, line) in plan.lines.iter().enumerate() {
                    if line.key || line.on_create {
                        continue;
                    }
                    let held = [left, right].map(|o| Held::of(&o.row, i));
                    if line_agrees(line, held) {
                        continue;
                    }
                    if is_by_rule(plan, line, i as u16, task, held) {
                        by_rule = true;
                        continue;
                    }
                    let value = |side: Side| {
                        let row = &[left, right][side.index()].row;
                        shown_cell(line, row.own.get(i))
                    };
                    found.push(Difference {
                        record: record(),
                        field: Some(DifferentField {
                            paths: Side::BOTH.map(|side| path(line, side).to_owned()),
                            values: Side::BOTH.map(value),
                            place: line.place.to_string(),
                        }),
                        only_in: None,
                    });
                }
                match (found.is_empty(), by_rule) {
                    (false, _) => Finding::Differs(found),
                    (true, true) => Finding::ByRule,
                    (true, false) => Finding::Agrees,
                }
            }
        }
    }
}

/// Whether a disagreement is as the map wants it: on a line in one direction the target's own value became the base,
/// and what is written only at birth isn't written later.
fn is_by_rule(plan: &MapPlan, line: &Line, i: u16, task: &Task, held: [Held<'_>; 2]) -> bool {
    let Some(link) = &task.link else {
        return false;
    };
    let rests = link
        .bases
        .at(usize::from(i), line.id)
        .is_some_and(|base| (0..2).all(|s| base.sides[s].as_ref() == held[s].own));
    let only_at_birth = Side::BOTH.into_iter().any(|to| {
        let mut columns = plan.side(to).write.columns.iter();
        columns.any(|c| c.line == i && c.create_only)
    });
    rests && (!line.two_way() || only_at_birth)
}
