//! Observations: what a read found, evaluated, with the sequence number of the moment when the read was sent.

use std::collections::BTreeMap;

use dwmap_connect::{Keys, Row, Version};
use dwmap_plan::{Columns, Repr, Side, Value};
use futures_util::{StreamExt, stream};

use crate::apply::awaited_key;
use crate::code::{Ask, Cell, EvalRow, Stop};
use crate::error::SyncError;
use crate::key::{PairKey, RecordId};
use crate::references::Asked;
use crate::runtime::{MapRun, Runtime};

/// How often a row is evaluated while it leads from one referenced record to the next.
const ROUNDS_MAX: usize = 8;

/// A row that was read.
#[derive(Debug, Clone)]
pub(crate) struct Observed {
    /// What the map's program makes of it.
    pub(crate) row: EvalRow,
    /// Its version.
    pub(crate) version: Option<Version>,
    /// The sequence number of its read.
    pub(crate) read: u64,
    /// The key to address it by, where its row tells.
    pub(crate) record: Option<RecordId>,
    /// The key of its pair, where its row tells.
    pub(crate) pair: Option<PairKey>,
}

/// Whether a row belongs to a company that takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    In,
    Out,
}

impl Runtime {
    /// Evaluates rows, asking for the records that they refer to.
    pub(crate) async fn evaluate(
        &self,
        map: &MapRun,
        side: Side,
        rows: Vec<Row>,
        read: u64,
    ) -> Result<Vec<Observed>, SyncError> {
        let plan = self.plan_of(map);
        let mut asked = Asked::default();
        let mut evaluated: Vec<Option<EvalRow>> = vec![None; rows.len()];
        for _ in 0..ROUNDS_MAX {
            let mut wants: Vec<Ask> = Vec::new();
            {
                let known = self.references.view(map.index, &asked);
                for (row, done) in rows.iter().zip(&mut evaluated) {
                    if done.is_some() {
                        continue;
                    }
                    let (eval, asks) =
                        map.code.eval(side, &row.json, &known).map_err(|message| {
                            SyncError::Row {
                                system: self.system(map, side).name().to_owned(),
                                set: plan.side(side).fetch.address.set.clone(),
                                message,
                            }
                        })?;
                    if asks.is_empty() {
                        *done = Some(eval);
                    } else {
                        wants.extend(asks);
                    }
                }
            }
            if wants.is_empty() {
                break;
            }
            self.references
                .resolve(map.index, plan, &self.systems, wants, &mut asked)
                .await?;
        }
        let folds = map.abilities[side.index()].folds_keys;
        let observed = rows.into_iter().zip(evaluated).filter_map(|(row, eval)| {
            // A row whose references lead on for ever is left to the next look.
            let eval = eval?;
            let record = whole(&eval.record_key).map(|key| RecordId::new(key, folds));
            Some(Observed {
                pair: whole(&eval.pair_key)
                    .map(|key| PairKey::new(key, &plan.fold_pair_key))
                    .or_else(|| awaited_key(plan, side, &eval, record.as_ref())),
                record,
                row: eval,
                version: row.version,
                read,
            })
        });
        Ok(observed.collect())
    }

    /// Fetches records by their keys. What isn't in the answer isn't there.
    pub(crate) async fn fetch_records(
        &self,
        map: &MapRun,
        side: Side,
        records: &[RecordId],
    ) -> Result<Fetched<RecordId>, SyncError> {
        let keys = records
            .iter()
            .map(RecordId::values)
            .collect::<Result<Vec<_>, _>>()?;
        let (read, rows) = self.fetch(map, side, Address::Record, keys).await?;
        let found = rows.into_iter();
        let found = found.filter_map(|row| Some((row.record.clone()?, row)));
        Ok(Fetched {
            read,
            found: found.collect(),
        })
    }

    /// Fetches records by the natural keys that their partners tell, and finds them by their pair keys.
    pub(crate) async fn fetch_pairs(
        &self,
        map: &MapRun,
        side: Side,
        keys: Vec<Vec<Value>>,
    ) -> Result<Fetched<PairKey>, SyncError> {
        let columns = &self.plan_of(map).side(side).write.natural_key;
        let address = Address::columns(columns);
        let (read, rows) = self.fetch(map, side, address, keys).await?;
        let found = rows.into_iter();
        let found = found.filter_map(|row| Some((row.pair.clone()?, row)));
        Ok(Fetched {
            read,
            found: found.collect(),
        })
    }

    /// Fetches records by what some of their columns hold.
    pub(crate) async fn fetch_columns(
        &self,
        map: &MapRun,
        side: Side,
        columns: &Columns,
        values: Vec<Vec<Value>>,
    ) -> Result<Vec<Observed>, SyncError> {
        let address = Address::columns(columns);
        Ok(self.fetch(map, side, address, values).await?.1)
    }

    async fn fetch(
        &self,
        map: &MapRun,
        side: Side,
        address: Address,
        keys: Vec<Vec<Value>>,
    ) -> Result<(u64, Vec<Observed>), SyncError> {
        let connector = self.system(map, side);
        let query = &self.plan_of(map).side(side).fetch;
        let budget = connector.budget();
        let read = self.tick();
        let requests: Vec<_> = keys
            .chunks(budget.fetch_batch.max(1))
            .map(|chunk| {
                let keys = match &address {
                    Address::Record => Keys::Record(chunk.to_vec()),
                    Address::Columns(columns) => Keys::Columns {
                        columns: columns.clone(),
                        values: chunk.to_vec(),
                    },
                };
                async move { connector.fetch(query, &keys).await }
            })
            .collect();
        let mut answers = stream::iter(requests).buffered(budget.concurrency.max(1));
        let mut rows = Vec::new();
        while let Some(answer) = answers.next().await {
            rows.extend(answer?);
        }
        drop(answers);
        Ok((read, self.evaluate(map, side, rows, read).await?))
    }

    /// The natural key of the partner on the other side of `from`, from what the row says of it.
    pub(crate) fn partner_key(
        &self,
        map: &MapRun,
        from: Side,
        row: &EvalRow,
    ) -> Result<Vec<Value>, KeyFault> {
        let parts = &self.plan_of(map).side(from.other()).write.natural_key.parts;
        parts
            .iter()
            .map(|(_, _, line)| match row.out.get(usize::from(*line)) {
                Some(Cell::Value(Value::Null) | Cell::None) | None => Err(KeyFault::Blank(*line)),
                Some(Cell::Value(value)) => Ok(value.clone()),
                Some(Cell::Failed(failure)) => {
                    Err(KeyFault::Stop(Some(*line), Stop::Failed(*failure)))
                }
                Some(Cell::Missing(ask) | Cell::Wanted(ask)) => {
                    Err(KeyFault::Stop(Some(*line), Stop::Missing(ask.clone())))
                }
            })
            .collect()
    }

    /// Whether a row is of a company that takes part, and in the map.
    pub(crate) fn takes_part_now(&self, observed: &Observed) -> bool {
        self.scope(&observed.row) == Scope::In && observed.row.filter == Ok(true)
    }

    /// Whether a row's company takes part. A row of a striped entity without one, or of one that isn't known, doesn't.
    pub(crate) fn scope(&self, row: &EvalRow) -> Scope {
        match &row.company {
            Ok(None) => Scope::In,
            Ok(Some(Value::Text(code))) if self.in_scope(code) => Scope::In,
            _ => Scope::Out,
        }
    }
}

enum Address {
    Record,
    Columns(Vec<(String, Repr)>),
}

impl Address {
    fn columns(columns: &Columns) -> Self {
        let parts = columns.parts.iter();
        Self::Columns(parts.map(|(w, r, _)| (w.clone(), r.clone())).collect())
    }
}

/// Rows by a key of theirs.
#[derive(Debug)]
pub(crate) struct Fetched<K> {
    /// The sequence number of the read.
    pub(crate) read: u64,
    /// What was found.
    pub(crate) found: BTreeMap<K, Observed>,
}

/// Why a row tells no key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyFault {
    /// A key line has no value.
    Blank(u16),
    /// A key line failed, or waits.
    Stop(Option<u16>, Stop),
}

/// A key that has a value in each part.
fn whole(key: &Result<Vec<Value>, Stop>) -> Option<&[Value]> {
    let values = key.as_ref().ok()?;
    (!values.is_empty() && values.iter().all(|v| !v.is_null())).then_some(values)
}
