//! The runtime: a plan, its systems, a state and a clock, joined.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use dwmap_connect::{Abilities, Connector};
use dwmap_plan::{MapPlan, Plan, Query, Side};
use tokio::sync::Notify;

use crate::capture::FeedRows;
use crate::chance::Chance;
use crate::clock::{Clock, Moment};
use crate::code::MapCode;
use crate::drift::{self, Finding};
use crate::error::SyncError;
use crate::mistake::Mistake;
use crate::observer::{Event, Observer};
use crate::options::Options;
use crate::rate::Refusals;
use crate::references::ReferenceCache;
use crate::settle::Probed;
use crate::state::{LinkSide, MapId, Set, StateStore};
use crate::steer::Steering;

/// Sequence numbers that one run sets aside: more than it can use.
pub(crate) const SEQUENCE_BLOCK: u64 = 1 << 40;

/// Keeps the systems of a plan the same.
///
/// All its futures may be dropped at any await point: what was committed holds, what wasn't is done again.
pub struct Runtime {
    /// The plan as it was given.
    pub(crate) whole: Arc<Plan>,
    /// What drift hurts of it.
    pub(crate) findings: Vec<Finding>,
    /// The plan that is worked by: without the lines that drift hurts.
    pub(crate) plan: Arc<Plan>,
    pub(crate) maps: Vec<MapRun>,
    /// By the plan's index.
    pub(crate) systems: Vec<Arc<dyn Connector>>,
    pub(crate) feeds: Vec<Feed>,
    pub(crate) store: Arc<dyn StateStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) options: Options,
    pub(crate) references: ReferenceCache,
    pub(crate) chance: Chance,
    pub(crate) feed_rows: Mutex<FeedRows>,
    pub(crate) probed: Mutex<Probed>,
    /// When a feed told last of the end of a record that it had never named, as a sequence number.
    pub(crate) unnamed_deleted: tokio::sync::Mutex<Option<u64>>,
    pub(crate) sequence: AtomicU64,
    /// When this process began to work.
    began: Moment,
    /// A write was refused in a way that drift may explain.
    pub(crate) suspected: Notify,
    /// What people steer it by; one that works on fewer lines for a while shares it.
    pub(crate) steering: Arc<Steering>,
}

/// How a run ends that doesn't fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It was stopped.
    Stopped,
    /// Another plan is to be gone on with: its file.
    Replaced(PathBuf),
}

/// A map that is run.
pub(crate) struct MapRun {
    /// Its index in the plan.
    pub(crate) index: usize,
    /// Its number in the state.
    pub(crate) id: MapId,
    /// Its programs.
    pub(crate) code: MapCode,
    /// What can be done with each side's entity.
    pub(crate) abilities: [Abilities; 2],
    /// Each side's feed, by index.
    pub(crate) feeds: [usize; 2],
    /// Something was marked.
    pub(crate) marked: Notify,
    /// Records of it that were refused lately.
    pub(crate) refusals: Refusals,
}

/// The changes of an entity, read once for all maps that use it.
pub(crate) struct Feed {
    /// The system's index in the plan.
    pub(crate) system: u16,
    /// The entity's set.
    pub(crate) set: Set,
    /// The columns of all its users.
    pub(crate) query: Query,
    /// What can be done with it.
    pub(crate) abilities: Abilities,
    /// The maps that use it, by their place in `Runtime::maps`, and on which side.
    pub(crate) users: Vec<(usize, Side)>,
    /// A hook said that something changed; for one that is swept.
    pub(crate) changed: Notify,
    /// Its set isn't there, so it can't be read.
    pub(crate) gone: bool,
    /// Columns that aren't there any more, for cursors that ask for them.
    pub(crate) gone_columns: Vec<String>,
}

/// What a runtime is made of.
struct Build {
    whole: Arc<Plan>,
    findings: Vec<Finding>,
    /// Maps that are left out.
    left_out: BTreeSet<usize>,
    systems: Vec<Arc<dyn Connector>>,
    store: Arc<dyn StateStore>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    options: Options,
}

impl Runtime {
    /// Joins a plan with its systems (by the names of their schemas), a state and a clock.
    pub async fn new(
        plan: Arc<Plan>,
        systems: &BTreeMap<String, Arc<dyn Connector>>,
        store: Arc<dyn StateStore>,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
        options: Options,
    ) -> Result<Self, SyncError> {
        let connectors = plan
            .systems
            .iter()
            .map(|system| {
                let name = &system.schema.name;
                systems
                    .get(name)
                    .cloned()
                    .ok_or_else(|| SyncError::NoSystem {
                        system: name.clone(),
                    })
            })
            .collect::<Result<Vec<_>, _>>()?;
        if let Some(unknown) = options
            .maps
            .iter()
            .find(|name| plan.maps.iter().all(|m| m.name != **name))
        {
            let known: Vec<&str> = plan.maps.iter().map(|m| m.name.as_str()).collect();
            return Err(SyncError::NoMap {
                map: unknown.clone(),
                known: known.join(", "),
            });
        }
        Self::build(Build {
            whole: plan,
            findings: Vec::new(),
            left_out: BTreeSet::new(),
            systems: connectors,
            store,
            clock,
            observer,
            options,
        })
        .await
    }

    /// The same runtime for the plan without what these findings hurt.
    pub(crate) async fn without(
        &self,
        findings: Vec<Finding>,
        left_out: BTreeSet<usize>,
    ) -> Result<Self, SyncError> {
        let fitted = Self::build(Build {
            whole: Arc::clone(&self.whole),
            findings,
            left_out,
            systems: self.systems.clone(),
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            observer: Arc::clone(&self.observer),
            options: self.options.clone(),
        })
        .await?;
        Ok(Self {
            steering: Arc::clone(&self.steering),
            began: self.began,
            ..fitted
        })
    }

    async fn build(build: Build) -> Result<Self, SyncError> {
        let Build {
            whole,
            findings,
            left_out,
            systems: connectors,
            store,
            clock,
            observer,
            options,
        } = build;
        let gone = drift::Gone::of(&findings);
        let plan = Arc::new(with_meanings(&drift::without(&whole, &findings)));
        let mut feeds: Vec<Feed> = Vec::new();
        let mut maps = Vec::new();
        for (index, map) in plan.maps.iter().enumerate() {
            let unwanted = !options.maps.is_empty() && !options.maps.contains(&map.name);
            if unwanted || left_out.contains(&index) {
                continue;
            }
            let code = MapCode::new(map).map_err(|error| SyncError::Program {
                map: map.name.clone(),
                message: error.to_string(),
            })?;
            let at = maps.len();
            maps.push(MapRun {
                index,
                id: store.map_id(&map.name).await?,
                code,
                abilities: Side::BOTH.map(|side| {
                    let plan = map.side(side);
                    connectors[usize::from(plan.system)].abilities(&plan.fetch)
                }),
                feeds: Side::BOTH.map(|side| feed_of(&mut feeds, &connectors, map, at, side)),
                marked: Notify::new(),
                refusals: Refusals::default(),
            });
        }
        for feed in &mut feeds {
            let system = usize::from(feed.system);
            feed.gone = gone.has_set(system, &feed.set.set);
            feed.gone_columns = gone.columns_of(system, &feed.set.set);
        }
        let sequence = store.reserve_sequence(SEQUENCE_BLOCK).await?;
        Ok(Self {
            whole,
            findings,
            suspected: Notify::new(),
            references: ReferenceCache::new(&plan),
            chance: Chance::new(options.seed),
            feed_rows: Mutex::default(),
            probed: Mutex::default(),
            unnamed_deleted: tokio::sync::Mutex::default(),
            sequence: AtomicU64::new(sequence),
            began: clock.steady(),
            steering: Arc::default(),
            plan,
            maps,
            systems: connectors,
            feeds,
            store,
            clock,
            observer,
            options,
        })
    }

    /// The next sequence number: taken when a read is sent, when a mark is made, when a base moves.
    pub(crate) fn tick(&self) -> u64 {
        self.sequence.fetch_add(1, Ordering::Relaxed)
    }

    /// The present moment, for waits: it never jumps.
    pub(crate) fn now(&self) -> Moment {
        self.clock.steady()
    }

    /// From when on reads of a record's side are trusted, where one that is sent at a moment isn't yet. What an earlier
    /// process put down counts from the beginning of this one: their clocks may differ.
    pub(crate) fn trusted_from(
        &self,
        map: &MapRun,
        side: Side,
        known: &LinkSide,
        sent: Moment,
    ) -> Option<Moment> {
        let lag = self.system(map, side).budget().lag_max;
        let ignored = self.options.rules.broken(Mistake::LagIgnored);
        let from = known.fresh_from.filter(|_| !ignored)?;
        let of_ours = self.began.plus(lag);
        let from = if sent < of_ours { of_ours } else { from };
        (sent < from && from <= sent.plus(lag)).then_some(from)
    }

    /// The present moment, for people.
    pub(crate) fn date(&self) -> Moment {
        self.clock.now()
    }

    pub(crate) fn tell(&self, event: &Event) {
        self.observer.event(event);
    }

    /// The plan of a map that is run.
    pub(crate) fn plan_of(&self, map: &MapRun) -> &MapPlan {
        &self.plan.maps[map.index]
    }

    /// The system of a map's side.
    pub(crate) fn system(&self, map: &MapRun, side: Side) -> &Arc<dyn Connector> {
        &self.systems[usize::from(self.plan_of(map).side(side).system)]
    }

    /// The map of this name.
    pub(crate) fn map_named(&self, name: &str) -> Result<&MapRun, SyncError> {
        let known = || {
            let names: Vec<&str> = self.maps.iter().map(|m| self.name(m)).collect();
            names.join(", ")
        };
        self.maps
            .iter()
            .find(|map| self.name(map) == name)
            .ok_or_else(|| SyncError::NoMap {
                map: name.to_owned(),
                known: known(),
            })
    }

    /// A map's name.
    pub(crate) fn name(&self, map: &MapRun) -> &str {
        &self.plan.maps[map.index].name
    }

    /// Whether a company takes part.
    pub(crate) fn in_scope(&self, code: &str) -> bool {
        let companies = &self.options.companies;
        companies.is_empty() || companies.iter().any(|c| c.eq_ignore_ascii_case(code))
    }
}

/// The plan with lines that are known by what they say: a base is good for no line that says something else.
pub(crate) fn with_meanings(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    for map in &mut plan.maps {
        for (id, line) in map.meanings().into_iter().zip(&mut map.lines) {
            line.id = id;
        }
    }
    plan
}

/// The feed of a map's side: one for all maps on the entity, with the columns of each.
fn feed_of(
    feeds: &mut Vec<Feed>,
    systems: &[Arc<dyn Connector>],
    map: &MapPlan,
    at: usize,
    side: Side,
) -> usize {
    let plan = map.side(side);
    let connector = &systems[usize::from(plan.system)];
    let set = &plan.changes.address.set;
    let known = feeds
        .iter()
        .position(|feed| feed.system == plan.system && feed.set.set == *set);
    let index = known.unwrap_or_else(|| {
        feeds.push(Feed {
            system: plan.system,
            set: Set {
                system: connector.name().to_owned(),
                set: set.clone(),
            },
            query: Query {
                filter: None,
                order: Vec::new(),
                ..plan.changes.clone()
            },
            abilities: connector.abilities(&plan.changes),
            users: Vec::new(),
            changed: Notify::new(),
            gone: false,
            gone_columns: Vec::new(),
        });
        feeds.len() - 1
    });
    let feed = &mut feeds[index];
    feed.users.push((at, side));
    for column in &plan.changes.columns {
        if !feed.query.columns.contains(column) {
            feed.query.columns.push(column.clone());
        }
    }
    index
}
