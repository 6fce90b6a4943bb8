//! Writes whose outcome isn't known: after a time-out, or after a crash between answer and commit.
//!
//! An intent is settled by a read sent after the write can no longer land, or at once when all its lines are seen in
//! place. Until then only its pair waits.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use dwmap_plan::{MapPlan, Side, Type, Value};

use crate::Moment;
use crate::codec::decode_values;
use crate::error::SyncError;
use crate::key::{PairKey, RecordId};
use crate::merge::own;
use crate::mistake::Mistake;
use crate::observe::Observed;
use crate::report;
use crate::runtime::{MapRun, Runtime};
use crate::state::{
    Activity, ActivityKind, Change, Intent, IntentKind, Link, LinkState, MapId, MarkId,
};

/// Intents that were looked at once already: the next look is when they can no longer land.
pub(crate) type Probed = BTreeSet<(MapId, PairKey, Side)>;

/// What a look at an intent's target tells.
enum Finding {
    /// It may still land.
    Open,
    /// It has landed.
    Landed,
    /// It hasn't, and can't any more.
    Lost,
}

/// How a line of an intent stands in its target.
struct Stands {
    /// As it was written.
    in_place: bool,
    /// As it was before.
    as_before: bool,
    /// It was to be null.
    null: bool,
    /// It can hold so many values that two people hardly write the same: no null, no yes or no, no choice from a list.
    tells: bool,
}

/// Whether an update whose write can't land any more has landed, by how its lines stand: see [`Runtime::finding`].
fn has_landed(lines: &[Stands]) -> bool {
    let count = |tells: bool| {
        let of_kind = || lines.iter().filter(move |line| line.tells == tells);
        let in_place = of_kind().filter(|line| line.in_place).count();
        let as_before = of_kind().filter(|line| !line.in_place && line.as_before);
        (in_place, as_before.count())
    };
    let (in_place, as_before) = count(true);
    let (weakly_in_place, weakly_as_before) = count(false);
    match in_place.cmp(&as_before) {
        Ordering::Greater => true,
        Ordering::Less => false,
        Ordering::Equal => in_place + weakly_in_place > 0 && weakly_in_place >= weakly_as_before,
    }
}

impl Runtime {
    /// Settles what can be settled; says which pairs have to wait, and until when.
    pub(crate) async fn settle(
        &self,
        map: &MapRun,
    ) -> Result<BTreeMap<PairKey, Moment>, SyncError> {
        let mut blocked = BTreeMap::new();
        let intents = self.store.intents(map.id).await?;
        if intents.is_empty() {
            return Ok(blocked);
        }
        let sent = self.now();
        let (births, intents): (Vec<Intent>, Vec<Intent>) =
            intents.into_iter().partition(Intent::is_awaited_birth);
        self.settle_births(map, births, sent, &mut blocked).await?;
        for side in Side::BOTH {
            let (look, wait): (Vec<Intent>, Vec<Intent>) = intents
                .iter()
                .filter(|i| i.side == side)
                .cloned()
                .partition(|i| i.settle_at <= sent || self.first_look(i));
            for intent in wait {
                block(&mut blocked, &intent);
            }
            self.settle_side(map, side, look, sent, &mut blocked)
                .await?;
        }
        Ok(blocked)
    }

    /// Takes over what an earlier process left. It may have sent its writes up to its last moment, long after it put
    /// the intents down: none is over before a write that is sent now would be. Nor any later, nor does a mark wait
    /// longer than one that is made now could: the clock by which they were put down may have stood elsewhere.
    pub(crate) async fn inherit_waits(&self) -> Result<(), SyncError> {
        let mut changes = Vec::new();
        if self.options.rules.broken(Mistake::WaitsNotInherited) {
            return Ok(());
        }
        for map in &self.maps {
            let budgets = Side::BOTH.map(|side| self.system(map, side).budget());
            let lag = budgets.iter().map(|b| b.lag_max).max().unwrap_or_default();
            let late = budgets.iter().map(|b| b.execution_max).max();
            let longest = self.options.retry_max + lag + late.unwrap_or_default();
            changes.push(Change::Wait {
                map: map.id,
                earliest: self.now().plus(lag),
                latest: self.now().plus(longest),
            });
            for intent in self.store.intents(map.id).await? {
                let over = self.settle_at(map, intent.side);
                if intent.settle_at != over && intent.settle_at != Intent::UNANSWERED {
                    changes.push(Change::PutIntent(Box::new(Intent {
                        settle_at: over,
                        ..intent
                    })));
                }
            }
        }
        Ok(self.store.commit(changes).await?)
    }

    fn first_look(&self, intent: &Intent) -> bool {
        let id = (intent.map, intent.pair.clone(), intent.side);
        let mut probed = self
            .probed
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        probed.insert(id)
    }

    async fn settle_side(
        &self,
        map: &MapRun,
        side: Side,
        intents: Vec<Intent>,
        sent: Moment,
        blocked: &mut BTreeMap<PairKey, Moment>,
    ) -> Result<(), SyncError> {
        if intents.is_empty() {
            return Ok(());
        }
        let records: Vec<RecordId> = intents.iter().filter_map(|i| i.record.clone()).collect();
        let by_record = if records.is_empty() {
            BTreeMap::new()
        } else {
            self.fetch_records(map, side, &records).await?.found
        };
        let mut keys = Vec::new();
        for intent in intents.iter().filter(|i| i.record.is_none()) {
            keys.push(decode_values(&intent.natural_key)?);
        }
        let by_pair = if keys.is_empty() {
            BTreeMap::new()
        } else {
            self.fetch_pairs(map, side, keys).await?.found
        };
        let pairs: Vec<PairKey> = intents.iter().map(|i| i.pair.clone()).collect();
        let links = self.store.links_by_pair(map.id, &pairs).await?;
        let mut changes = Vec::new();
        for (intent, link) in intents.into_iter().zip(links) {
            let found = match &intent.record {
                Some(record) => by_record.get(record),
                None => by_pair.get(&intent.pair),
            };
            let over =
                intent.settle_at <= sent || self.options.rules.broken(Mistake::SettledTooEarly);
            match self.finding(map, &intent, found, over) {
                Finding::Open => block(blocked, &intent),
                Finding::Landed => self.settled(map, &intent, link, found, true, &mut changes),
                Finding::Lost => self.settled(map, &intent, link, found, false, &mut changes),
            }
        }
        Ok(self.store.commit(changes).await?)
    }

    /// Creations of records whose key is drawn: nothing is known to ask for, so that they are looked for by what was sent,
    /// and only when they can no longer land.
    async fn settle_births(
        &self,
        map: &MapRun,
        births: Vec<Intent>,
        sent: Moment,
        blocked: &mut BTreeMap<PairKey, Moment>,
    ) -> Result<(), SyncError> {
        let mut changes = Vec::new();
        for birth in births {
            if birth.settle_at > sent {
                block(blocked, &birth);
                continue;
            }
            match self.probe(map, &birth).await?.as_deref() {
                Some([]) => self.settled(map, &birth, None, None, false, &mut changes),
                Some([found]) => self.settled(map, &birth, None, Some(found), true, &mut changes),
                Some(_) | None => {
                    let record = birth.pair.awaiting_record();
                    let home = birth.side.other();
                    changes.extend(record.map(|r| mark(map, home, r, self.tick())));
                    let birth = Intent {
                        settle_at: Intent::UNANSWERED,
                        ..birth
                    };
                    block(blocked, &birth);
                    changes.push(Change::PutIntent(Box::new(birth)));
                }
            }
        }
        Ok(self.store.commit(changes).await?)
    }

    /// What a row says of an intent. A row still at the version that guarded the write hasn't been written.
    ///
    /// A row is written whole. So a creation has landed if all its lines that aren't null are in place. If an update
    /// has landed, whoever came after turned back every line that stands as before; if it hasn't, somebody set every
    /// line that is in place to the very value. What takes fewer such accidents is taken for what happened; those in
    /// lines that can hold few values (yes or no, a group) are the likely ones, and count only where the others are even.
    fn finding(
        &self,
        map: &MapRun,
        intent: &Intent,
        found: Option<&Observed>,
        over: bool,
    ) -> Finding {
        if self.options.rules.broken(Mistake::IntentNotSettled) {
            return Finding::Lost;
        }
        let not_yet = if over { Finding::Lost } else { Finding::Open };
        let Some(observed) = found else {
            return match intent.kind {
                IntentKind::Delete => Finding::Landed,
                _ => not_yet,
            };
        };
        if intent.guard.is_some() && observed.version == intent.guard {
            return not_yet;
        }
        let plan = self.plan_of(map);
        let lines = &plan.lines;
        let found: Vec<Stands> = intent
            .lines
            .iter()
            .filter_map(|line| {
                let at = lines.iter().position(|l| l.id == line.line)?;
                let held = observed.row.own.get(at).and_then(own);
                Some(Stands {
                    in_place: held == Some(&line.written),
                    as_before: held.is_some() && held == line.before.as_ref(),
                    null: line.written == Value::Null,
                    tells: line.written != Value::Null && tells(plan, intent.side, at),
                })
            })
            .collect();
        let all = !found.is_empty() && found.iter().all(|line| line.in_place);
        let landed = match intent.kind {
            IntentKind::Update => has_landed(&found),
            IntentKind::Create => {
                found.iter().any(|line| !line.null)
                    && found.iter().all(|line| line.in_place || line.null)
            }
            // Whether it landed shows in the row when the pair is merged again.
            IntentKind::Delete | IntentKind::Deactivate => false,
        };
        match (landed, over) {
            (true, true) => Finding::Landed,
            (_, false) if all => Finding::Landed,
            (_, false) => Finding::Open,
            (false, true) => Finding::Lost,
        }
    }

    /// What is committed of a settled intent: bases, no versions, and marks for both records.
    fn settled(
        &self,
        map: &MapRun,
        intent: &Intent,
        link: Option<Link>,
        found: Option<&Observed>,
        landed: bool,
        changes: &mut Vec<Change>,
    ) {
        let side = intent.side;
        let s = side.index();
        let aligned = |mut link: Link| {
            let lines = self.plan_of(map).lines.iter().map(|line| line.id);
            link.bases = std::mem::take(&mut link.bases).aligned(lines);
            link
        };
        let mut after = link.map(aligned);
        // A record that is made again under the key is a birth, not the deleted one come back.
        if landed
            && intent.kind == IntentKind::Delete
            && let Some(link) = after.take_if(|link| link.state == LinkState::Linked)
        {
            let other = intent.side.other();
            if let Some(record) = &link.sides[other.index()].record {
                changes.push(mark(map, other, record.clone(), self.tick()));
            }
            changes.push(Change::DropLink(map.id, intent.pair.clone()));
        }
        if landed && intent.kind == IntentKind::Create {
            let mut link = after
                .take()
                .unwrap_or_else(|| Link::new(map.id, intent.pair.clone(), LinkState::Linked));
            if link.state != LinkState::Linked || link.bases.iter().next().is_none() {
                self.begin_bases(map, &mut link);
            }
            link.state = LinkState::Linked;
            link.sides[s].record = found.and_then(|o| o.record.clone());
            if let Some(home) = intent.pair.awaiting_record() {
                link.sides[1 - s].record = Some(home);
            }
            after = Some(link);
        }
        let generation = self.tick();
        if let Some(mut link) = after {
            if landed && matches!(intent.kind, IntentKind::Create | IntentKind::Update) {
                let stores = !map.abilities[s].business_logic;
                let held = |line: usize| found.and_then(|o| own(o.row.own.get(line)?));
                self.take_lines(map, intent, &mut link.bases, |line, written| {
                    stores || held(line) == Some(written)
                });
            }
            self.doubt_sums(map, intent, found, &mut link);
            link.moved = generation;
            for (side, of_link) in Side::BOTH.into_iter().zip(&mut link.sides) {
                of_link.version = None;
                let lag = self.system(map, side).budget().lag_max;
                of_link.fresh_from = (!lag.is_zero()).then(|| self.now().plus(lag));
                if let Some(record) = &of_link.record {
                    changes.push(mark(map, side, record.clone(), generation));
                }
            }
            changes.push(Change::PutLink(Box::new(link)));
        } else if let Some(record) = found.and_then(|o| o.record.clone()) {
            changes.push(mark(map, side, record, generation));
        } else if let Some(home) = intent.pair.awaiting_record() {
            changes.push(mark(map, side.other(), home, generation));
        }
        changes.push(Change::DropIntent(map.id, intent.pair.clone(), side));
        changes.push(Change::Log(Box::new(Activity {
            at: self.date(),
            map: map.id,
            pair: intent.pair.clone(),
            record: report::name_of_pair(&intent.pair),
            kind: ActivityKind::Settled,
            side: Some(side),
            detail: if landed {
                "a write without an answer has landed".to_owned()
            } else {
                "a write without an answer has not landed".to_owned()
            },
        })));
    }
}

impl Runtime {
    /// Where a sum was sent, and its target holds neither that nor what it held before, somebody else has been there, and
    /// nothing tells whether it was added: a person decides, since it must not be added twice.
    fn doubt_sums(&self, map: &MapRun, intent: &Intent, found: Option<&Observed>, link: &mut Link) {
        let plan = self.plan_of(map);
        for line in intent.lines.iter().filter(|line| line.is_sum(plan)) {
            let Some(at) = plan.lines.iter().position(|l| l.id == line.line) else {
                continue;
            };
            let held = found.and_then(|row| own(row.row.own.get(at)?));
            if held == Some(&line.written) || held == line.before.as_ref() {
                continue;
            }
            let mut base = link.bases.at(at, line.line).cloned().unwrap_or_default();
            base.sides[intent.side.index()] = None;
            link.bases.put(at, line.line, base);
        }
    }
}

/// Whether a line's cells on a side can hold many values.
fn tells(plan: &MapPlan, side: Side, line: usize) -> bool {
    let program = &plan.side(side).program;
    let slot = program.outputs.own.get(line).copied().flatten();
    let ty = slot.and_then(|slot| program.slots.get(usize::from(slot)));
    let refers = plan.lines[line].references.iter().any(Option::is_some);
    !refers && !matches!(ty, Some(Type::Bool | Type::Enum(_)))
}

fn mark(map: &MapRun, side: Side, record: RecordId, generation: u64) -> Change {
    Change::Mark {
        id: MarkId {
            map: map.id,
            side,
            record,
        },
        generation,
        not_before: Moment(0),
    }
}

fn block(blocked: &mut BTreeMap<PairKey, Moment>, intent: &Intent) {
    let until = blocked
        .entry(intent.pair.clone())
        .or_insert(intent.settle_at);
    *until = (*until).max(intent.settle_at);
}
