//! The error queue: which records stand in it, by cause, and what is done about them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::maps::records;
use super::{Answer, Doer};
use crate::Moment;
use crate::error::SyncError;
use crate::key::PairKey;
use crate::runtime::Runtime;
use crate::state::{Activity, ActivityKind, Cause, Change, ErrorReport, Mark, MarkId, Word};

/// Marks that are read at once.
const PAGE: usize = 1_000;
/// Of records with these a retry says that they are new: nothing they could be is looked for any more.
const NEW: [&str; 2] = ["R0412", "R0413"];
/// Groups that are told apart; errors of further causes are counted together.
const GROUPS_MAX: usize = 1_000;

/// A record in the error queue.
#[derive(Debug, Clone)]
pub struct ErrorEntry {
    /// The map.
    pub map: String,
    /// The system that has the record.
    pub system: String,
    /// What names the mark.
    pub id: MarkId,
    /// Why it is there.
    pub cause: Cause,
    /// What is wrong.
    pub report: ErrorReport,
}

impl ErrorEntry {
    /// A short name that stays the same as long as the error stands.
    pub fn name(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.id.map.0.to_le_bytes());
        hasher.update(&[self.id.side.index() as u8]);
        hasher.update(&self.id.record.0);
        let hex = hasher.finalize().to_hex();
        hex[..8].to_owned()
    }
}

/// Which errors are meant: those that all of this is true of; all if nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorFilter {
    /// Their names, as the list shows them.
    #[serde(default)]
    pub names: Vec<String>,
    /// Their map.
    pub map: Option<String>,
    /// Their code.
    pub code: Option<String>,
    /// What the record's name contains, without regard to case.
    pub record: Option<String>,
    /// What the message contains, without regard to case.
    pub message: Option<String>,
}

impl ErrorFilter {
    fn takes(&self, entry: &ErrorEntry) -> bool {
        let contains = |text: &str, part: &Option<String>| {
            part.as_ref()
                .is_none_or(|part| text.to_lowercase().contains(&part.to_lowercase()))
        };
        let is = |text: &str, wanted: &Option<String>| {
            wanted
                .as_ref()
                .is_none_or(|wanted| wanted.eq_ignore_ascii_case(text))
        };
        is(&entry.map, &self.map)
            && is(&entry.report.code, &self.code)
            && contains(&entry.report.record, &self.record)
            && contains(&entry.report.message, &self.message)
            && (self.names.is_empty() || self.names.contains(&entry.name()))
    }
}

/// Errors of one cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorGroup {
    /// The map.
    pub map: String,
    /// The code.
    pub code: String,
    /// What is wrong, in the words that all of them share.
    pub message: String,
    /// The line of the map, where it is one.
    pub line: Option<String>,
    /// `file:line:column`.
    pub place: Option<String>,
    /// How many records.
    pub records: u64,
    /// One of them.
    pub example: String,
    /// When the first was seen.
    pub since: Moment,
    /// What to do.
    pub next: String,
}

impl Runtime {
    /// The error queue: at most `limit` of those that are meant.
    pub async fn errors(
        &self,
        filter: &ErrorFilter,
        limit: usize,
    ) -> Result<Vec<ErrorEntry>, SyncError> {
        let mut found = Vec::new();
        let mut pages = Pages::new(self, filter)?;
        while let Some(page) = pages.next().await? {
            found.extend(page.into_iter().map(|(entry, _)| entry));
            if found.len() >= limit {
                found.truncate(limit);
                break;
            }
        }
        Ok(found)
    }

    /// The error queue by causes, the largest first.
    pub async fn error_groups(&self, filter: &ErrorFilter) -> Result<Vec<ErrorGroup>, SyncError> {
        type Key = (String, String, Option<String>, String);
        let mut groups: BTreeMap<Key, ErrorGroup> = BTreeMap::new();
        let mut pages = Pages::new(self, filter)?;
        while let Some(page) = pages.next().await? {
            for (entry, _) in page {
                let report = entry.report;
                let message = if groups.len() < GROUPS_MAX {
                    report.message
                } else {
                    "(further causes)".to_owned()
                };
                let key = (
                    entry.map.clone(),
                    report.code.clone(),
                    report.place.clone(),
                    message.clone(),
                );
                let group = groups.entry(key).or_insert_with(|| ErrorGroup {
                    map: entry.map,
                    code: report.code,
                    message,
                    line: report.line,
                    place: report.place,
                    records: 0,
                    example: report.record,
                    since: report.since,
                    next: report.next,
                });
                group.records += 1;
                group.since = group.since.min(report.since);
            }
        }
        let mut groups: Vec<ErrorGroup> = groups.into_values().collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.records));
        Ok(groups)
    }

    /// Works on refused or waiting records once more. What a person holds stays held.
    pub(super) async fn retry_errors(
        &self,
        filter: &ErrorFilter,
        doer: Doer,
    ) -> Result<Answer, SyncError> {
        self.demand(filter).await?;
        let mut count = 0;
        let mut pages = Pages::new(self, filter)?;
        while let Some(page) = pages.next().await? {
            let again = page.into_iter().map(|(_, mark)| mark);
            let again = again.filter(|mark| mark.word != Some(Word::Hold));
            let changes: Vec<Change> = again
                .map(|mark| {
                    let said = mark.error.as_ref().is_some_and(|e| NEW.contains(&&*e.code));
                    Change::Say(Box::new(Mark {
                        word: if said { Some(Word::LetGo) } else { mark.word },
                        cause: Cause::Changed,
                        generation: self.tick(),
                        not_before: Moment(0),
                        tries: 0,
                        missing: None,
                        ..mark
                    }))
                })
                .collect();
            count += changes.len() as u64;
            self.store.commit(changes).await?;
        }
        self.maps.iter().for_each(|map| map.marked.notify_one());
        Ok(Answer::of(format!(
            "{} will be tried again; {}",
            records(count),
            doer.goes_on()
        )))
    }

    /// Gives records up as they are, with a reason for the log. They are looked at again when they change.
    pub(super) async fn discard_errors(
        &self,
        filter: &ErrorFilter,
        reason: &str,
    ) -> Result<Answer, SyncError> {
        self.demand(filter).await?;
        let mut count = 0;
        let mut pages = Pages::new(self, filter)?;
        while let Some(page) = pages.next().await? {
            let mut changes = Vec::new();
            for (entry, mark) in page {
                changes.push(Change::Log(Box::new(Activity {
                    at: self.date(),
                    map: mark.id.map,
                    pair: PairKey(Vec::new()),
                    record: entry.report.record,
                    kind: ActivityKind::Discarded,
                    side: Some(mark.id.side),
                    detail: format!("{}: {reason}", entry.report.code),
                })));
                changes.push(Change::Discard(mark.id));
                count += 1;
            }
            self.store.commit(changes).await?;
        }
        Ok(Answer::of(format!(
            "{} discarded; a record is looked at again when it changes",
            records(count)
        )))
    }

    /// A name that names nothing is a mistake, before anything is done; a filter that finds nothing may be none.
    async fn demand(&self, filter: &ErrorFilter) -> Result<(), SyncError> {
        let found = self.errors(filter, filter.names.len().max(1)).await?;
        let is_there = |name: &&String| found.iter().any(|entry| entry.name() == **name);
        match filter.names.iter().find(|name| !is_there(name)) {
            None => Ok(()),
            Some(name) => Err(SyncError::Impossible(format!(
                "there is no error {name}; `dwmap errors list` shows those there are"
            ))),
        }
    }
}

/// The errors that are meant, page by page, each with its mark.
struct Pages<'r> {
    runtime: &'r Runtime,
    filter: &'r ErrorFilter,
    map: Option<crate::state::MapId>,
    after: Option<MarkId>,
    ended: bool,
}

impl<'r> Pages<'r> {
    fn new(runtime: &'r Runtime, filter: &'r ErrorFilter) -> Result<Self, SyncError> {
        let map = filter.map.as_ref();
        let map = map.map(|name| runtime.map_named(name)).transpose()?;
        Ok(Self {
            runtime,
            filter,
            map: map.map(|map| map.id),
            after: None,
            ended: false,
        })
    }

    async fn next(&mut self) -> Result<Option<Vec<(ErrorEntry, Mark)>>, SyncError> {
        if self.ended {
            return Ok(None);
        }
        let store = &self.runtime.store;
        let marks = store.errors(self.map, self.after.as_ref(), PAGE).await?;
        self.ended = marks.len() < PAGE;
        self.after = marks.last().map(|mark| mark.id.clone());
        let named = |mark: Mark| Some((self.runtime.entry(&mark)?, mark));
        let page = marks.into_iter().filter_map(named);
        let meant = page.filter(|(entry, _)| self.filter.takes(entry));
        Ok(Some(meant.collect()))
    }
}

impl Runtime {
    fn entry(&self, mark: &Mark) -> Option<ErrorEntry> {
        let map = self.maps.iter().find(|map| map.id == mark.id.map)?;
        Some(ErrorEntry {
            map: self.name(map).to_owned(),
            system: self.system(map, mark.id.side).name().to_owned(),
            cause: mark.cause,
            report: mark.error.as_deref().cloned().unwrap_or_default(),
            id: mark.id.clone(),
        })
    }
}
