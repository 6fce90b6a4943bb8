//! Capture: reads change feeds, and commits the marks that follow together with the next cursor. It never waits for
//! apply.

use std::collections::{BTreeMap, VecDeque};
use std::sync::PoisonError;

use dwmap_connect::{Change as Seen, ChangeFeed, ConnectError, Cursor, Row};
use dwmap_plan::{Side, Value};

use crate::Moment;
use crate::codec::encode_values;
use crate::error::SyncError;
use crate::key::RecordId;
use crate::mistake::Mistake;
use crate::observer::Event;
use crate::runtime::{Feed, MapRun, Runtime};
use crate::state::{Change, MapMode, Mark, MarkId, Set};
use crate::wire;

/// Words of feeds that are kept until their marks are worked on, at most. They hold rows, so this bounds memory.
const ROWS_MAX: usize = 10_000;

/// A row that came with a feed.
#[derive(Debug, Clone)]
pub(crate) struct FeedRow {
    /// The row.
    pub(crate) row: Row,
    /// The sequence number at which its read was sent.
    pub(crate) read: u64,
    /// The generation of the marks that it came with: it serves them, and no later ones.
    pub(crate) generation: u64,
}

/// What a feed says of a record.
#[derive(Debug, Clone)]
enum Said {
    /// It changed, and this is how it is now.
    Row(Row),
    /// It changed.
    Changed,
    /// It was deleted.
    Deleted,
}

/// What a feed said of a record last.
#[derive(Debug, Clone)]
struct Word {
    said: Said,
    /// As in [`FeedRow`].
    read: u64,
    /// As in [`FeedRow`].
    generation: u64,
}

/// What feeds said, by feed and record: the newest of each, the oldest dropped when there are too many.
#[derive(Debug, Default)]
pub(crate) struct FeedRows {
    rows: BTreeMap<(usize, RecordId), Word>,
    order: VecDeque<(usize, RecordId, u64)>,
}

impl FeedRows {
    fn put(&mut self, feed: usize, record: RecordId, word: Word) {
        self.order
            .push_back((feed, record.clone(), word.generation));
        self.rows.insert((feed, record), word);
        while self.order.len() > ROWS_MAX {
            let Some((feed, record, generation)) = self.order.pop_front() else {
                break;
            };
            let id = (feed, record);
            if self
                .rows
                .get(&id)
                .is_some_and(|r| r.generation == generation)
            {
                self.rows.remove(&id);
            }
        }
    }
}

/// What a look at a feed has found.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Look {
    /// Changes that were marked.
    pub(crate) changes: u64,
    /// More are there at once.
    pub(crate) more: bool,
}

impl Runtime {
    /// The row that came with a mark, if it is still there and the record wasn't marked since.
    pub(crate) fn feed_row(&self, map: &MapRun, side: Side, mark: &Mark) -> Option<FeedRow> {
        let word = self.last_word(map, side, &mark.id.record)?;
        let serves = word.generation == mark.generation
            || self.options.rules.broken(Mistake::StaleObservation);
        match word.said {
            Said::Row(row) if serves => Some(FeedRow {
                row,
                read: word.read,
                generation: word.generation,
            }),
            _ => None,
        }
    }

    /// Whether the feed said with this mark that the record was deleted.
    pub(crate) fn is_told_deleted(&self, map: &MapRun, side: Side, mark: &Mark) -> bool {
        let word = self.last_word(map, side, &mark.id.record);
        word.is_some_and(|w| matches!(w.said, Said::Deleted) && w.generation == mark.generation)
    }

    /// The last row that the feed showed of a record, however old: it tells what doesn't change, like its company.
    pub(crate) fn last_row(&self, map: &MapRun, side: Side, record: &RecordId) -> Option<Row> {
        match self.last_word(map, side, record)?.said {
            Said::Row(row) => Some(row),
            Said::Changed | Said::Deleted => None,
        }
    }

    fn last_word(&self, map: &MapRun, side: Side, record: &RecordId) -> Option<Word> {
        let words = self
            .feed_rows
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let id = (map.feeds[side.index()], record.clone());
        words.rows.get(&id).cloned()
    }

    /// Makes sure that a feed has a cursor: what changes from now on will be seen.
    pub(crate) async fn begin_feed(&self, at: usize) -> Result<(), SyncError> {
        let feed = &self.feeds[at];
        if feed.abilities.changes == ChangeFeed::Sweep
            || self.store.cursor(&feed.set).await?.is_some()
        {
            return Ok(());
        }
        let cursor = self.first_cursor(feed).await?;
        let change = Change::SetCursor(feed.set.clone(), cursor);
        Ok(self.store.commit(vec![change]).await?)
    }

    /// Reads a feed from its beginning to its end, for the ids by which it names records; gives the cursor there.
    async fn first_cursor(&self, feed: &Feed) -> Result<Cursor, SyncError> {
        let connector = &self.systems[usize::from(feed.system)];
        let mut cursor = None;
        loop {
            let page = connector.changes(&feed.query, cursor.as_ref()).await?;
            let mut changes: Vec<Change> = Vec::new();
            for seen in &page.changes {
                if let Seen::Changed { key, feed_id, row } = seen
                    && let (Some(id), Some(record)) = (feed_id, record_of(feed, key, row.as_ref()))
                {
                    changes.push(know(&feed.set, id, &record));
                }
            }
            self.store.commit(changes).await?;
            if !page.more {
                return Ok(page.next);
            }
            cursor = Some(page.next);
        }
    }

    /// Reads one page of a feed.
    pub(crate) async fn look(&self, at: usize) -> Result<Look, SyncError> {
        let feed = &self.feeds[at];
        if feed.abilities.changes == ChangeFeed::Sweep {
            return Ok(Look::default());
        }
        let Some(cursor) = self.store.cursor(&feed.set).await? else {
            return Ok(Look::default());
        };
        let connector = &self.systems[usize::from(feed.system)];
        let read = self.tick();
        let page = match connector.changes(&feed.query, Some(&cursor)).await {
            Ok(page) => page,
            Err(ConnectError::CursorExpired { .. }) => {
                return self.begin_anew(at).await;
            }
            Err(error) => return Err(error.into()),
        };
        if page.changes.is_empty() && page.next == cursor {
            return Ok(Look::default());
        }
        let (records, mut changes) = self.records_of_page(feed, &page.changes).await?;
        // Marks made while the read was under way may be newer than what it found, so the number is taken now.
        let generation = self.tick();
        let marked = records.len() as u64;
        // Where reads lag, a look that is sent too soon may not find the change yet.
        let lag = connector.budget().lag_max;
        let not_before = if lag.is_zero() {
            Moment(0)
        } else {
            self.now().plus(lag)
        };
        let mut marks = Vec::new();
        for record in records.keys() {
            for (map, side) in &feed.users {
                marks.push(Change::Mark {
                    id: MarkId {
                        map: self.maps[*map].id,
                        side: *side,
                        record: record.clone(),
                    },
                    generation,
                    not_before,
                });
            }
        }
        // Before the marks: whoever works on one finds what was said.
        {
            let mut kept = self
                .feed_rows
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            for (record, said) in records {
                let word = Word {
                    said,
                    read,
                    generation,
                };
                kept.put(at, record, word);
            }
        }
        let next = Change::SetCursor(feed.set.clone(), page.next);
        if self.options.rules.broken(Mistake::CursorBeforeMarks) {
            self.store.commit(vec![next]).await?;
            changes.extend(marks);
        } else {
            changes.extend(marks);
            changes.push(next);
        }
        self.store.commit(changes).await?;
        if marked > 0 {
            self.tell(&Event::Captured {
                system: feed.set.system.clone(),
                set: feed.set.set.clone(),
                changes: marked,
            });
            self.wake_set(&feed.set).await?;
            for (map, _) in &feed.users {
                self.maps[*map].marked.notify_one();
            }
        }
        Ok(Look {
            changes: marked,
            more: page.more,
        })
    }

    /// The records of a page, each with what is said of it last, and what the feed calls them.
    async fn records_of_page(
        &self,
        feed: &Feed,
        page: &[Seen],
    ) -> Result<(BTreeMap<RecordId, Said>, Vec<Change>), SyncError> {
        let mut records = BTreeMap::new();
        let mut changes = Vec::new();
        let mut unnamed = Vec::new();
        for seen in page {
            match seen {
                Seen::Changed { key, feed_id, row } => {
                    let Some(record) = record_of(feed, key, row.as_ref()) else {
                        continue;
                    };
                    if let Some(id) = feed_id {
                        changes.push(know(&feed.set, id, &record));
                    }
                    self.forget_reference(feed, &record);
                    records.insert(record, row.clone().map_or(Said::Changed, Said::Row));
                }
                Seen::Deleted { key: Some(key), .. } => {
                    let record = RecordId::new(key, feed.abilities.folds_keys);
                    self.forget_reference(feed, &record);
                    records.insert(record, Said::Deleted);
                }
                Seen::Deleted { key: None, feed_id } => {
                    unnamed.extend(feed_id.as_ref().map(|id| encode_values([id])));
                }
            }
        }
        let known = self.store.known_ids(&feed.set, &unnamed).await?;
        for (id, record) in unnamed.into_iter().zip(known) {
            // An id that was never seen alive belongs to a record that was never linked.
            if let Some(record) = record {
                self.forget_reference(feed, &record);
                records.insert(record, Said::Deleted);
                changes.push(Change::Forget(feed.set.clone(), id));
            }
        }
        Ok((records, changes))
    }

    /// A record that changed may have another key than is remembered of it.
    fn forget_reference(&self, feed: &Feed, record: &RecordId) {
        if let Ok([identity]) = record.values().as_deref() {
            self.references.forget(feed.system, &feed.set.set, identity);
        }
    }

    /// The feed no longer knows our cursor: it begins anew, and a sweep finds what lies between. The new cursor is kept
    /// last: whoever is killed on the way begins once more.
    async fn begin_anew(&self, at: usize) -> Result<Look, SyncError> {
        let feed = &self.feeds[at];
        let cursor = self.first_cursor(feed).await?;
        let changes = self
            .sweep_where(at, |mode| mode != MapMode::Stopped)
            .await?;
        let change = Change::SetCursor(feed.set.clone(), cursor);
        self.store.commit(vec![change]).await?;
        Ok(Look {
            changes,
            more: false,
        })
    }
}

fn know(set: &Set, id: &Value, record: &RecordId) -> Change {
    Change::Know(set.clone(), encode_values([id]), record.clone())
}

/// The key of a changed record: as the feed tells it, or from its row.
fn record_of(feed: &Feed, key: &[Value], row: Option<&Row>) -> Option<RecordId> {
    let folds = feed.abilities.folds_keys;
    if !key.is_empty() {
        return Some(RecordId::new(key, folds));
    }
    let row: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&row?.json).ok()?;
    let address = feed.query.address.key.iter();
    let key: Option<Vec<Value>> = address
        .map(|(wire, repr)| wire::read(&row, wire, repr, &feed.query.enums))
        .collect();
    key.map(|key| RecordId::new(&key, folds))
}
