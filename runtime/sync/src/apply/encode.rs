//! From what the merge decided to what a connector sends.

use dwmap_connect::{Guard, Version, Write, WriteKind, WriteMode};
use dwmap_plan::{Repr, Side, Value};

use super::Task;
use super::log::held;
use crate::code::{BodyKind, EncodeError};
use crate::codec::encode_values;
use crate::error::SyncError;
use crate::key::RecordId;
use crate::merge::SideWrite;
use crate::mistake::Mistake;
use crate::runtime::{MapRun, Runtime};
use crate::state::{Intent, IntentKind, IntentLine};
use crate::wire;

/// A write that is to be sent, and the intent that goes before it.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub(super) write: Write,
    pub(super) intent: Intent,
}

/// Why a write can't be framed.
#[derive(Debug)]
pub(super) enum Unsendable {
    /// The record to be written isn't known any more.
    Gone,
    /// A value has no form in the target's JSON.
    Unwritable(EncodeError),
    /// The state is damaged.
    State(SyncError),
}

impl From<EncodeError> for Unsendable {
    fn from(error: EncodeError) -> Self {
        Self::Unwritable(error)
    }
}

impl From<crate::codec::Unreadable> for Unsendable {
    fn from(error: crate::codec::Unreadable) -> Self {
        Self::State(error.into())
    }
}

impl Runtime {
    /// Frames a side's write.
    pub(super) fn outgoing(
        &self,
        map: &MapRun,
        task: &Task,
        side: Side,
        write: &SideWrite,
        mode: WriteMode,
    ) -> Result<Outgoing, Unsendable> {
        let plan = self.plan_of(map).side(side);
        let abilities = map.abilities[side.index()];
        let version = task.version(side).filter(|_| abilities.guards_versions);
        let record = match (&task.sights[side.index()], write.kind) {
            (_, IntentKind::Create) => None,
            (super::Sight::Row(observed), _) => observed.record.clone(),
            _ => super::observe::known(task, side).cloned(),
        };
        let lines: Vec<(u16, Value)> = write
            .lines
            .iter()
            .map(|l| (l.line, l.written.clone()))
            .collect();
        let encode = |kind| map.code.encode(side, &lines, kind);
        let guard = guard_of(version);
        // A record whose key is drawn is born without one.
        let is_keyed = write.kind == IntentKind::Create && !task.pair.is_awaited();
        let natural_key: Vec<(String, Repr, Value)> = if is_keyed {
            let parts = plan.write.natural_key.parts.iter();
            let value_of = |line: u16| lines.iter().find(|(l, _)| *l == line);
            parts
                .filter_map(|(wire, repr, line)| {
                    let (_, value) = value_of(*line)?;
                    Some((wire.clone(), repr.clone(), value.clone()))
                })
                .collect()
        } else {
            Vec::new()
        };
        let (kind, guard) = match (write.kind, &record) {
            (IntentKind::Create, _) => {
                let body = encode(BodyKind::Create)?.into();
                let guard = if self.options.rules.broken(Mistake::CreateWithoutGuard) {
                    Guard::Exists
                } else {
                    Guard::Absent
                };
                (WriteKind::Create { body }, guard)
            }
            (_, None) => return Err(Unsendable::Gone),
            (IntentKind::Update, Some(record)) => (
                WriteKind::Update {
                    key: record.values()?,
                    body: encode(BodyKind::Update)?.into(),
                },
                guard,
            ),
            (IntentKind::Deactivate, Some(record)) => (
                WriteKind::Update {
                    key: record.values()?,
                    body: wire::constants(&write.constants, &plan.write.enums).into(),
                },
                guard,
            ),
            (IntentKind::Delete, Some(record)) => (
                WriteKind::Delete {
                    key: record.values()?,
                },
                guard,
            ),
        };
        let intent = Intent {
            map: map.id,
            pair: task.pair.clone(),
            side,
            kind: write.kind,
            record,
            natural_key: encode_values(natural_key.iter().map(|(.., value)| value)),
            lines: write
                .lines
                .iter()
                .map(|l| IntentLine {
                    line: self.plan_of(map).lines[usize::from(l.line)].id,
                    written: l.written.clone(),
                    source: l.source.clone(),
                    before: held(task, side, l.line).cloned(),
                    pending: l.waits_for.is_some(),
                    bounces: l.bounces,
                })
                .collect(),
            guard: match &guard {
                Guard::Version(version) => Some(version.clone()),
                Guard::Absent | Guard::Exists => None,
            },
            settle_at: self.settle_at(map, side),
        };
        let wants_row = mode == WriteMode::Live
            && write.kind != IntentKind::Delete
            && (plan.write.wants_row || abilities.business_logic);
        Ok(Outgoing {
            write: Write {
                kind,
                guard,
                natural_key,
                wants_row,
            },
            intent,
        })
    }

    /// When a write that is sent now can no longer land.
    pub(crate) fn settle_at(&self, map: &MapRun, side: Side) -> crate::Moment {
        let budget = self.system(map, side).budget();
        self.now().plus(budget.execution_max).plus(budget.lag_max)
    }

    /// The key of a record that was born, where the answer doesn't tell and the natural key is all there is.
    pub(super) fn born_record(&self, map: &MapRun, side: Side, write: &Write) -> Option<RecordId> {
        let plan = self.plan_of(map).side(side);
        if !plan.write.natural_is_record_key {
            return None;
        }
        let address = plan.fetch.address.key.iter();
        let key: Option<Vec<Value>> = address
            .map(|(wire, _)| {
                let part = write.natural_key.iter().find(|(w, ..)| w == wire)?;
                Some(part.2.clone())
            })
            .collect();
        key.map(|key| RecordId::new(&key, map.abilities[side.index()].folds_keys))
    }
}

fn guard_of(version: Option<&Version>) -> Guard {
    version.map_or(Guard::Exists, |v| Guard::Version(v.clone()))
}
