//! What people ask: where each map stands, and why a record stands as it does.

use dwmap_plan::{Side, Value};
use serde::Serialize;

use crate::apply::{Sight, Task};
use crate::error::SyncError;
use crate::key::{PairKey, display};
use crate::merge::{self, Held, Input, line_agrees};
use crate::observe::Scope;
use crate::report::{Trouble, shown, shown_cell};
use crate::runtime::{MapRun, Runtime};
use crate::state::{ErrorReport, LinkState, MapCounts, MapMode};

/// Marks or links that are read at once.
const PAGE: usize = 1_000;

/// Where a map stands.
#[derive(Debug, Clone, Serialize)]
pub struct MapState {
    /// The map.
    pub map: String,
    /// The systems, left first.
    pub systems: [String; 2],
    /// Whether it is worked on.
    pub mode: MapMode,
    /// Why it isn't.
    pub reason: String,
    /// Links and marks, counted.
    pub counts: MapCounts,
}

/// Why a record stands as it does.
#[derive(Debug, Clone, Serialize)]
pub struct Why {
    /// The map.
    pub map: String,
    /// The record as people know it.
    pub record: String,
    /// How the pair stands, in words.
    pub link: String,
    /// Both sides, left first.
    pub sides: [WhySide; 2],
    /// Each line of the map.
    pub lines: Vec<WhyLine>,
    /// What follows from all that, in sentences.
    pub verdict: Vec<String>,
    /// What happened to it, the newest first.
    pub activity: Vec<String>,
}

/// A side of a record.
#[derive(Debug, Clone, Default, Serialize)]
pub struct WhySide {
    /// The system.
    pub system: String,
    /// Whether the record is there.
    pub found: bool,
    /// Whether it is in the map.
    pub inside: bool,
    /// Its mark, in words.
    pub mark: Option<String>,
    /// What stands in the error queue.
    pub error: Option<ErrorReport>,
}

/// A line of the map for a record.
#[derive(Debug, Clone, Serialize)]
pub struct WhyLine {
    /// The line's text.
    pub line: String,
    /// `file:line:column`.
    pub place: String,
    /// The values now, left first.
    pub values: [String; 2],
    /// The bases, left first.
    pub bases: [String; 2],
    /// What is said of it: `agrees`, `flows to dv`, …
    pub says: String,
}

impl Runtime {
    /// Whether neither system is written to.
    pub async fn is_readonly(&self) -> Result<bool, SyncError> {
        Ok(self.store.readonly().await?)
    }

    /// Where each map stands.
    pub async fn status(&self) -> Result<Vec<MapState>, SyncError> {
        let mut all = Vec::new();
        for map in &self.maps {
            let status = self.store.map_status(map.id).await?;
            all.push(MapState {
                map: self.name(map).to_owned(),
                systems: Side::BOTH.map(|side| self.system(map, side).name().to_owned()),
                mode: status.mode,
                reason: status.reason,
                counts: self.store.counts(map.id).await?,
            });
        }
        Ok(all)
    }

    /// A trouble in a sentence.
    pub(crate) fn reason(&self, map: &MapRun, trouble: &Trouble) -> String {
        let plan = self.plan_of(map);
        let line = trouble.line().map(|i| &plan.lines[usize::from(i)]);
        self.message(plan, trouble, line).0
    }

    /// Why a record stands as it does. The key is written as people know it; the company may be left out.
    pub async fn why(&self, map: &str, key: &str) -> Result<Option<Why>, SyncError> {
        let map = self.map_named(map)?;
        let Some(task) = self.find(map, key).await? else {
            return Ok(None);
        };
        let (mut tasks, faulty) = self.observe_others(map, vec![task]).await?;
        let task = match tasks.pop() {
            Some(task) => task,
            None => match faulty.into_iter().next() {
                Some((task, _)) => task,
                None => return Ok(None),
            },
        };
        let activity = self
            .store
            .activity(map.id, Some(&task.pair), 20)
            .await?
            .into_iter()
            .map(|a| {
                let at = display(&Value::DateTime(a.at.0 * 1000));
                format!("{at} {:?} {}", a.kind, a.detail)
            })
            .collect();
        let rows = [0, 1].map(|s| task.sights[s].row().map(|o| &o.row));
        let mut why = Why {
            map: self.name(map).to_owned(),
            record: self.name_of(map, &task.pair, task.link.as_ref(), rows),
            link: link_in_words(&task).to_owned(),
            sides: Default::default(),
            lines: self.why_lines(map, &task),
            verdict: Vec::new(),
            activity,
        };
        for side in Side::BOTH {
            why.sides[side.index()] = self.why_side(map, &task, side, &mut why.verdict).await?;
        }
        let input = Input {
            map: self.plan_of(map),
            link: task.link.as_ref(),
            seen: [task.sights[0].seen(), task.sights[1].seen()],
            word: None,
            key_from: None,
            rules: self.options.rules,
        };
        match merge::merge(&input) {
            Ok(decision) if decision.writes_anything() => {
                for side in Side::BOTH {
                    if let Some(write) = &decision.writes[side.index()] {
                        let system = self.system(map, side).name();
                        why.verdict
                            .push(format!("{:?} in {system} is due", write.kind));
                    }
                }
            }
            Ok(_) => why.verdict.push("nothing is to be written".to_owned()),
            Err(halt) => why.verdict.push(self.reason(map, &Trouble::Halt(halt))),
        }
        Ok(Some(why))
    }

    async fn why_side(
        &self,
        map: &MapRun,
        task: &Task,
        side: Side,
        verdict: &mut Vec<String>,
    ) -> Result<WhySide, SyncError> {
        let s = side.index();
        let system = self.system(map, side).name().to_owned();
        let row = task.sights[s].row();
        let base = matches!(task.sights[s], Sight::Base);
        match row {
            None if !base => verdict.push(format!("{system} has no such record")),
            Some(o) if self.scope(&o.row) == Scope::Out => {
                verdict.push(format!("{system}: its company doesn't take part"));
            }
            Some(o) if o.row.filter == Ok(false) => {
                verdict.push(format!("{system}: it is outside the map's `where`"));
            }
            _ => {}
        }
        let of_row = row.and_then(|o| o.record.clone());
        let of_link = task.link.as_ref().and_then(|l| l.sides[s].record.clone());
        let mark = match of_row.or(of_link) {
            Some(record) => self.store.marks_of(map.id, side, &[record]).await?.pop(),
            None => None,
        };
        let mark = mark.flatten();
        Ok(WhySide {
            system,
            found: row.is_some() || base,
            inside: base || row.is_some_and(|o| o.row.filter == Ok(true)),
            mark: mark
                .as_ref()
                .map(|m| format!("{:?}", m.cause).to_lowercase()),
            error: mark.and_then(|m| m.error).map(|e| *e),
        })
    }

    fn why_lines(&self, map: &MapRun, task: &Task) -> Vec<WhyLine> {
        let rows = [0, 1].map(|s| task.sights[s].row().map(|o| &o.row));
        let lines = self.plan_of(map).lines.iter().enumerate();
        let one = |(i, line): (usize, &dwmap_plan::Line)| {
            let base = task.link.as_ref().and_then(|l| l.bases.at(i, line.id));
            let says = match rows {
                _ if line.key => "key",
                _ if line.on_create => "only at birth",
                [Some(left), Some(right)] => {
                    let held = [left, right].map(|row| Held::of(row, i));
                    if line_agrees(line, held) {
                        "agrees"
                    } else {
                        "differs"
                    }
                }
                _ => "",
            };
            WhyLine {
                line: line.text.trim().to_owned(),
                place: line.place.to_string(),
                values: rows.map(|row| shown_cell(line, row.and_then(|r| r.own.get(i)))),
                bases: [0, 1].map(|s| {
                    let value = base.and_then(|b| b.sides[s].as_ref());
                    value.map_or_else(|| "-".to_owned(), |v| shown(line, v))
                }),
                says: says.to_owned(),
            }
        };
        lines.map(one).collect()
    }

    /// Finds a record by its key: at once where that is whole and of texts, then among all links, and else in the left and then the right system.
    pub(crate) async fn find(&self, map: &MapRun, key: &str) -> Result<Option<Task>, SyncError> {
        let fits = |pair: &PairKey| fits(&pair.values().unwrap_or_default(), key);
        let texts: Vec<Value> = parts(key).map(Value::from).collect();
        let whole = PairKey::new(&texts, &self.plan_of(map).fold_pair_key);
        let found = self.store.links_by_pair(map.id, &[whole]).await?;
        let mut linked = found.into_iter().flatten().next();
        let mut after: Option<PairKey> = None;
        while linked.is_none() {
            let links = self.store.links_page(map.id, after.as_ref(), PAGE).await?;
            let Some(last) = links.last() else {
                break;
            };
            after = Some(last.pair.clone());
            linked = links.into_iter().find(|link| fits(&link.pair));
        }
        if let Some(mut link) = linked {
            let lines = self.plan_of(map).lines.iter().map(|line| line.id);
            link.bases = std::mem::take(&mut link.bases).aligned(lines);
            // Without versions both sides are looked at.
            link.sides.iter_mut().for_each(|side| side.version = None);
            return Ok(Some(Task::new(link.pair.clone(), Some(link))));
        }
        let mut found = None;
        for side in Side::BOTH {
            let mut pages = crate::load::Pages::new(self, map, side, None);
            while let (None, Some((page, read))) = (&found, pages.next().await?) {
                let rows = self.evaluate(map, side, page.rows, read).await?;
                found = rows
                    .into_iter()
                    .find(|row| row.pair.as_ref().is_some_and(fits))
                    .map(|row| (side, row));
            }
        }
        Ok(found.and_then(|(side, row)| {
            let mut task = Task::new(row.pair.clone()?, None);
            let read = row.read;
            task.see(side, Sight::Row(Box::new(row)), read);
            Some(task)
        }))
    }
}

/// Whether these values are the key that people wrote, or end with it: the company may be left out.
pub(crate) fn fits(values: &[Value], key: &str) -> bool {
    let shown: Vec<String> = values.iter().map(|v| display(v).to_lowercase()).collect();
    let shown = shown.join(" ");
    let wanted = parts(key).map(str::to_lowercase).rev();
    let mut held = shown.split(' ').rev();
    let mut any = false;
    for part in wanted {
        any = true;
        if held.next() != Some(&part) {
            return false;
        }
    }
    any
}

/// The parts of a key as people write it.
pub(crate) fn parts(key: &str) -> impl DoubleEndedIterator<Item = &str> {
    let between = |c: char| c.is_whitespace() || c == ',' || c == '/';
    key.split(between).filter(|part| !part.is_empty())
}

fn link_in_words(task: &Task) -> &'static str {
    match task.link.as_ref().map(|link| link.state) {
        None => "not linked",
        Some(LinkState::AwaitingKey) => "waits for its key",
        Some(LinkState::Linked) => "linked",
        Some(LinkState::Left) => "linked, and one side is outside the map's `where`",
        Some(LinkState::Deleted) => "linked, and one side was deleted; the other stays",
    }
}
