//! Schema drift: what the plan needs of each system is held against what lives there.
//!
//! [`needs`] says which fields each line reads and writes, [`compare`] (a pure function) what of that is no longer
//! there, and [`cut`] makes the plan that does without the lines that are hurt. A field that is gone or that no longer
//! takes what the map may send stops its lines, or the whole map where it is needed for each record; other lines and
//! maps go on. When the schema is mended the lines are back, and meet again as new ones do.

mod compare;
mod cut;
mod guard;
mod needs;
mod proposal;
mod sent;
use std::collections::{BTreeMap, BTreeSet};

use dwmap_connect::{ConnectError, LiveEntity};
use dwmap_plan::{Plan, Query};
use futures_util::future;
use serde::Serialize;

use crate::error::SyncError;
use crate::observer::Event;
use crate::runtime::Runtime;
use crate::state::{Change, LoadProgress, MapMode, MapStatus};

pub use compare::compare;
pub(crate) use cut::Gone;
pub use cut::without;
pub(crate) use guard::is_schema_shaped;
pub use proposal::{Addition, additions};

/// What lives in a system, by set: `None` for a set that isn't there. Nothing is said of sets that weren't asked for.
pub type LiveSystem = BTreeMap<String, Option<LiveEntity>>;

/// What is wrong with a field, or an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wrong {
    /// The entity isn't there.
    EntityGone,
    /// The field isn't there.
    FieldGone,
    /// It holds another kind of value.
    OtherKind,
    /// It takes less than the map may send.
    Narrowed,
    /// It can't be written any more.
    ReadOnly,
    /// A member that the map may send is gone.
    OptionGone,
}

impl Wrong {
    /// Its code, of which `dwmap explain` says more.
    pub const fn code(self) -> &'static str {
        match self {
            Self::EntityGone => "R0501",
            Self::FieldGone => "R0502",
            Self::OtherKind => "R0503",
            Self::Narrowed => "R0504",
            Self::ReadOnly => "R0505",
            Self::OptionGone => "R0506",
        }
    }
}

/// What is stopped by a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stops {
    /// The line alone.
    Line,
    /// The whole map: each of its records needs the field.
    Map,
    /// Nothing: the schema was a guess, and records that don't fit are refused one by one.
    Nothing,
}

/// A line, or a map, that a drifted schema hurts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The code of what is wrong.
    pub code: &'static str,
    /// The map.
    pub map: String,
    /// The line, as it is written; none where the whole map needs the field (its filter, its key).
    pub line: Option<String>,
    /// Where the line, or the map, is written: `file:line:column`.
    pub place: String,
    /// The system.
    pub system: String,
    /// The entity's set.
    pub set: String,
    /// The field, by its name on the wire; none where the entity is gone.
    pub field: Option<String>,
    /// What is wrong.
    pub wrong: Wrong,
    /// What it stops.
    pub stops: Stops,
    /// What is wrong, in a sentence.
    pub message: String,
    /// What to do.
    pub next: String,
    /// The map's place in the plan, the line's in the map, and the system's in the plan.
    #[serde(skip)]
    pub(crate) at: (usize, Option<u16>, usize),
}

/// The reason of a status that drift made begins with one of these codes.
pub(crate) const CODE_PREFIX: &str = "R05";

impl Runtime {
    /// Asks each system what lives there, and holds the plan against it. A system that can't tell is passed over.
    pub async fn drift(&self) -> Result<Vec<Finding>, SyncError> {
        let live: Result<Vec<LiveSystem>, ConnectError> = self.live().await.into_iter().collect();
        Ok(self.held_against(&live?))
    }

    /// The plan held against what lives.
    fn held_against(&self, live: &[LiveSystem]) -> Vec<Finding> {
        let names: Vec<&str> = self.systems.iter().map(|s| s.name()).collect();
        let run: Vec<usize> = self.maps.iter().map(|map| map.index).collect();
        let mut findings = compare(&self.whole, &names, live);
        findings.retain(|f| f.stops != Stops::Nothing && run.contains(&f.at.0));
        findings.sort_by_key(|f| (f.at, f.wrong, f.field.clone()));
        findings
    }

    /// What lives in each of the plan's systems, as far as its maps need it.
    async fn live(&self) -> Vec<Result<LiveSystem, ConnectError>> {
        let asked = self.systems.iter().enumerate().map(|(system, connector)| {
            let queries = queries(&self.whole, system);
            async move {
                match connector.describe(&queries).await {
                    Ok(told) => {
                        let sets = queries.into_iter().map(|query| query.address.set);
                        Ok(sets.zip(told.into_iter().flatten()).collect())
                    }
                    Err(error) if error.is_transient() => Err(error),
                    // Whoever may not read metadata may still read and write records; `dwmap doctor` tells.
                    Err(error) => {
                        tracing::info!(%error, "drift isn't looked for: what lives there can't be read");
                        Ok(LiveSystem::new())
                    }
                }
            }
        });
        future::join_all(asked).await
    }

    /// Says in the state, and to who watches, which maps and lines stand still; and which no longer do.
    ///
    /// Of maps of systems that couldn't be asked nothing new is said.
    pub(crate) async fn tell_drift(&self, unknown: &BTreeSet<usize>) -> Result<(), SyncError> {
        for map in &self.maps {
            let sides = &self.plan_of(map).sides;
            if sides
                .iter()
                .any(|side| unknown.contains(&usize::from(side.system)))
            {
                continue;
            }
            let of_map = |f: &&Finding| f.at.0 == map.index;
            let findings: Vec<&Finding> = self.findings.iter().filter(of_map).collect();
            let before = self.store.map_status(map.id).await?;
            let Some(after) = status_with(&before, &findings) else {
                continue;
            };
            let mut changes = vec![Change::SetStatus(map.id, after.clone())];
            if before.mode == MapMode::Failed && after.mode != MapMode::Failed {
                // Its feeds may not have been read meanwhile, so every pair is looked at.
                changes.push(Change::Adopt {
                    map: map.id,
                    lines: Vec::new(),
                    generation: self.tick(),
                });
            }
            self.store.commit(changes).await?;
            self.tell(&Event::Mode {
                map: self.name(map).to_owned(),
                mode: after.mode,
                reason: after.reason,
            });
            map.marked.notify_one();
        }
        Ok(())
    }

    /// Why a map that runs doesn't run whole; empty where it does.
    pub(crate) fn standing_reason(&self, index: usize) -> String {
        let findings: Vec<&Finding> = self.findings.iter().filter(|f| f.at.0 == index).collect();
        reason(&findings)
    }
}

/// Where a map stands with these findings; none if that is how it stands already, or if a person's word stands.
fn status_with(before: &MapStatus, findings: &[&Finding]) -> Option<MapStatus> {
    let drifted = before.reason.starts_with(CODE_PREFIX);
    let mode = if findings.iter().any(|f| f.stops == Stops::Map) {
        match before.mode {
            MapMode::Paused | MapMode::Held => return None,
            _ => MapMode::Failed,
        }
    } else if before.mode == MapMode::Failed && drifted {
        match before.load {
            Some(_) => MapMode::Loading,
            None => MapMode::Running,
        }
    } else {
        before.mode
    };
    let reason = match findings {
        [] if drifted => String::new(),
        [] => before.reason.clone(),
        _ if before.mode == mode && !drifted && !before.reason.is_empty() => return None,
        some => reason(some),
    };
    let load = match (mode, before.mode) {
        // A map that wasn't loaded yet is loaded when it is mended.
        (MapMode::Failed, MapMode::Stopped) => Some(LoadProgress::START),
        // A load goes on at a page that was asked for by other columns: it is begun anew.
        _ if reason != before.reason && before.load.is_some() => Some(LoadProgress::START),
        _ => before.load.clone(),
    };
    let after = MapStatus { mode, reason, load };
    (after != *before).then_some(after)
}

fn reason(findings: &[&Finding]) -> String {
    // What stops the whole map says most.
    let first = findings
        .iter()
        .min_by_key(|f| (f.stops == Stops::Line, f.at.1));
    let Some(first) = first else {
        return String::new();
    };
    let rest = match findings.len() - 1 {
        0 => String::new(),
        1 => "; and one more (`dwmap doctor`)".to_owned(),
        n => format!("; and {n} more (`dwmap doctor`)"),
    };
    let stands = match (first.stops, &first.line) {
        (Stops::Line, Some(line)) => format!("; the line {line} ({}) stands still", first.place),
        (Stops::Map, Some(line)) => format!(
            "; the line {line} ({}) needs it for every record, so the map stands still",
            first.place
        ),
        _ => format!("; the map ({}) stands still", first.place),
    };
    format!(
        "{} {}{stands}{rest}. {}",
        first.code, first.message, first.next
    )
}

/// What is to be known of a system's entities: each set once, with the columns that some map touches.
pub fn queries(plan: &Plan, system: usize) -> Vec<Query> {
    let mut queries: Vec<Query> = Vec::new();
    let sides = plan.maps.iter().flat_map(|map| {
        let own = map.sides.iter().map(|side| (side.system, &side.scan));
        let referred = map
            .references
            .iter()
            .map(|r| (map.side(r.side).system, &r.fetch));
        own.chain(referred)
    });
    for (_, query) in sides.filter(|(of, _)| usize::from(*of) == system) {
        match queries
            .iter_mut()
            .find(|q| q.address.set == query.address.set)
        {
            Some(known) => {
                for column in &query.columns {
                    if !known.columns.contains(column) {
                        known.columns.push(column.clone());
                    }
                }
            }
            None => queries.push(Query {
                filter: None,
                order: Vec::new(),
                ..query.clone()
            }),
        }
    }
    queries
}
