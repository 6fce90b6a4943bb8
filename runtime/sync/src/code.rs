//! A map's programs, as the engine runs them.

use std::sync::{Mutex, PoisonError};

pub(crate) use dwmap_engine::{
    Ask, Cell, EncodeError, EvalRow, Failure, Lookup, References, Stop, WriteKind as BodyKind,
};
use dwmap_engine::{EngineError, MapEngine, Scratch};
use dwmap_plan::{MapPlan, Side, Value};

use crate::wire;

/// A map's programs, with the room that they are run in.
#[derive(Debug)]
pub(crate) struct MapCode {
    engine: MapEngine,
    scratch: Mutex<Scratch>,
}

impl MapCode {
    pub(crate) fn new(map: &MapPlan) -> Result<Self, EngineError> {
        Ok(Self {
            engine: MapEngine::new(map)?,
            scratch: Mutex::default(),
        })
    }

    /// Evaluates a row; with what has to be asked for before the row is whole. A row that is no sound JSON still tells
    /// which record it is, where that can be read, so that only this record is refused.
    pub(crate) fn eval(
        &self,
        side: Side,
        json: &[u8],
        known: &dyn References,
    ) -> Result<(EvalRow, Vec<Ask>), String> {
        let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        match self.engine.eval(side, json, known, &mut scratch) {
            Ok(view) => Ok((view.to_row(), view.wants().cloned().collect())),
            Err(error) => match self.unsound(side, json) {
                Some(row) => Ok((row, Vec::new())),
                None => Err(error.to_string()),
            },
        }
    }

    /// A row of which nothing can be used but its record key.
    fn unsound(&self, side: Side, json: &[u8]) -> Option<EvalRow> {
        let row: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(json).ok()?;
        let query = &self.engine.map().side(side).fetch;
        let key = query.address.key.iter();
        let key = key.map(|(wire, repr)| wire::read(&row, wire, repr, &query.enums));
        let fault = || Stop::Failed(Failure::Unreadable);
        Some(EvalRow {
            filter: Err(fault()),
            pair_key: Err(fault()),
            record_key: Ok(key.collect::<Option<_>>()?),
            company: Ok(None),
            identity: None,
            modified: None,
            own: Vec::new(),
            out: Vec::new(),
        })
    }

    /// The body that writes these lines to a side.
    pub(crate) fn encode(
        &self,
        to: Side,
        lines: &[(u16, Value)],
        kind: BodyKind,
    ) -> Result<Vec<u8>, EncodeError> {
        let mut body = Vec::with_capacity(lines.len() * 32);
        self.engine.encode_values(to, lines, kind, &mut body)?;
        Ok(body)
    }
}
