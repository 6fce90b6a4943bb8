//! What happened, from the activity log.

use dwmap_plan::Value;
use serde::Serialize;

use crate::Moment;
use crate::ask::parts;
use crate::error::SyncError;
use crate::key::{PairKey, display};
use crate::runtime::{MapRun, Runtime};
use crate::state::{Activity, ActivityKind};

/// Entries that are looked through for a record that is linked under no such key any more.
const SEARCHED_MAX: usize = 100_000;

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogEntry {
    /// When, in UTC: `2026-01-31T12:00:00Z`.
    pub at: String,
    /// The map.
    pub map: String,
    /// The record as people know it.
    pub record: String,
    /// What happened.
    pub kind: ActivityKind,
    /// The system that was written, or where it happened.
    pub system: Option<String>,
    /// More, in words: fields with what they were and are, winners and losers. Sensitive values are masked.
    pub detail: String,
}

impl Runtime {
    /// The newest entries of the log, newest first: of all maps or of one, of all its records or of one.
    pub async fn history(
        &self,
        map: Option<&str>,
        key: Option<&str>,
        limit: usize,
    ) -> Result<Vec<LogEntry>, SyncError> {
        let maps: Vec<&MapRun> = match map {
            Some(name) => vec![self.map_named(name)?],
            None => self.maps.iter().collect(),
        };
        let mut found: Vec<(Moment, LogEntry)> = Vec::new();
        for map in maps {
            let entries = match key {
                Some(key) => self.of_record(map, key, limit).await?,
                None => self.store.activity(map.id, None, limit).await?,
            };
            found.extend(
                entries
                    .into_iter()
                    .map(|entry| (entry.at, self.entry_of(map, entry))),
            );
        }
        found.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        found.truncate(limit);
        Ok(found.into_iter().map(|(_, entry)| entry).collect())
    }

    /// The entries of a record: by its pair where the key is whole, and else by the name that it had.
    async fn of_record(
        &self,
        map: &MapRun,
        key: &str,
        limit: usize,
    ) -> Result<Vec<Activity>, SyncError> {
        let texts: Vec<Value> = parts(key).map(Value::from).collect();
        let whole = PairKey::new(&texts, &self.plan_of(map).fold_pair_key);
        let of_pair = self.store.activity(map.id, Some(&whole), limit).await?;
        if !of_pair.is_empty() {
            return Ok(of_pair);
        }
        let mut all = self.store.activity(map.id, None, SEARCHED_MAX).await?;
        all.retain(|entry| is_named(&entry.record, key));
        all.truncate(limit);
        Ok(all)
    }

    fn entry_of(&self, map: &MapRun, entry: Activity) -> LogEntry {
        LogEntry {
            at: display(&Value::DateTime(entry.at.0 * 1000)),
            map: self.name(map).to_owned(),
            record: entry.record,
            kind: entry.kind,
            system: entry
                .side
                .map(|side| self.system(map, side).name().to_owned()),
            detail: entry.detail,
        }
    }
}

/// Whether a record's name is this key, or ends with it: the company may be left out.
fn is_named(record: &str, key: &str) -> bool {
    let mut words = record.split_whitespace().rev();
    let mut wanted = parts(key).rev().peekable();
    wanted.peek().is_some()
        && wanted.all(|part| {
            words
                .next()
                .is_some_and(|word| word.eq_ignore_ascii_case(part))
        })
}

#[cfg(test)]
mod tests {
    use super::is_named;

    #[test]
    fn a_record_is_named_by_its_key_with_or_without_its_company() {
        assert!(is_named("usmf US-001", "US-001"));
        assert!(is_named("usmf US-001", "USMF us-001"));
        assert!(!is_named("usmf US-0011", "US-001"));
        assert!(!is_named("US-001", "usmf US-001"));
        assert!(!is_named("usmf US-001", " "));
    }
}
