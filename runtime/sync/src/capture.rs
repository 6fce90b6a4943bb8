//! Capture: reads change feeds, and commits the marks that follow together with the next cursor. It never waits for
//! apply.

use std::collections::{BTreeMap, VecDeque};
use std::sync::PoisonError;

use dwmap_connect::{Change as Seen, ChangeFeed, ChangePage, ConnectError, Cursor, Row, Since};
use dwmap_plan::{Side, Value};

use crate::Moment;
use crate::codec::encode_values;
use crate::cursor::keep;
use crate::error::SyncError;
use crate::key::RecordId;
use crate::mistake::Mistake;
use crate::observer::Event;
use crate::runtime::{Feed, MapRun, Runtime};
use crate::state::{Change, MapMode, Mark, MarkId, Set};
use crate::wire;

/// Words of feeds that are kept until their marks are worked on, at most. They hold rows, so this bounds memory.
const ROWS_MAX: usize = 4_000;

/// A row that came with a feed.
#[derive(Debug, Clone)]
pub(crate) struct FeedRow {
    /// The row.
    pub(crate) row: Row,
    /// The sequence number at which its read was sent.
    pub(crate) read: u64,
    /// The moment at which its read was sent: where reads lag, it may show what was true a while before.
    pub(crate) sent: Moment,
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
    sent: Moment,
    /// As in [`FeedRow`].
    generation: u64,
    /// Maps that may still ask for it.
    users: usize,
}

/// What feeds said, by feed and record: the newest of each, the oldest dropped when there are too many.
#[derive(Debug, Clone, Default)]
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

#[cfg(feature = "simulation")]
impl FeedRows {
    /// Tells what was said with marks that are still there: nobody asks for the rest, but for what never changes.
    pub(crate) fn digest(
        &self,
        side_of: impl Fn(usize) -> Side,
        to: &mut impl crate::state::memory::Digest,
    ) {
        use crate::state::memory::Numbered;
        for ((feed, record), word) in &self.rows {
            let side = side_of(*feed);
            if !to.knows(side, word.generation) {
                continue;
            }
            to.bytes(&[*feed as u8, word.users as u8]);
            to.bytes(&record.0);
            match &word.said {
                Said::Row(row) => {
                    to.bytes(&row.json);
                    to.bytes(row.version.as_ref().map_or(&[], |v| v.0.as_bytes()));
                }
                Said::Changed => to.bytes(b"changed"),
                Said::Deleted => to.bytes(b"deleted"),
            }
            to.moment(word.sent);
            to.number(Numbered::Read(side), word.read);
            to.number(Numbered::Generation(side), word.generation);
        }
    }
}

/// What is done about records without a link that a feed shows when it is read from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strangers {
    /// A load or a sweep comes upon them.
    Passed,
    /// They are marked: they came while nothing told of them, and a scan may not be shown them.
    Marked,
}

/// Whether the rows of a feed have the columns that are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    Whole,
    /// They only say which record it is.
    Partial,
}

/// What a look at feeds has found.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// Changes that were marked.
    pub(crate) changes: u64,
    /// The feeds that have more at once.
    pub(crate) more: Vec<usize>,
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
                sent: word.sent,
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

    /// A map has no more use for what was said with this mark; when none has, it is forgotten.
    pub(crate) fn forget_word(&self, map: &MapRun, side: Side, mark: &Mark) {
        let mut words = self
            .feed_rows
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let id = (map.feeds[side.index()], mark.id.record.clone());
        if let Some(word) = words.rows.get_mut(&id)
            && word.generation == mark.generation
        {
            word.users = word.users.saturating_sub(1);
            if word.users == 0 {
                words.rows.remove(&id);
            }
        }
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
        if feed.abilities.changes == ChangeFeed::Sweep || self.cursor_of(feed).await?.is_some() {
            return Ok(());
        }
        let cursor = self.first_cursor(feed).await?;
        Ok(self.store.commit(vec![keep(feed, &cursor)]).await?)
    }

    /// Reads a feed from its beginning to its end, for the ids by which it names records; gives the cursor there.
    pub(crate) async fn first_cursor(&self, feed: &Feed) -> Result<Cursor, SyncError> {
        self.read_anew(feed, Strangers::Passed).await
    }

    async fn read_anew(&self, feed: &Feed, strangers: Strangers) -> Result<Cursor, SyncError> {
        let connector = &self.systems[usize::from(feed.system)];
        let mut cursor = None;
        loop {
            let page = connector.changes(&feed.query, cursor.as_ref()).await?;
            let mut changes: Vec<Change> = Vec::new();
            let mut records = Vec::new();
            for seen in &page.changes {
                let Seen::Changed { key, feed_id, row } = seen else {
                    continue;
                };
                let Some(record) = record_of(feed, key, row.as_ref()) else {
                    continue;
                };
                if let Some(id) = feed_id {
                    changes.push(know(&feed.set, id, &record));
                }
                records.push(record);
            }
            if strangers == Strangers::Marked {
                changes.extend(self.marks_of_strangers(feed, &records).await?);
            }
            self.store.commit(changes).await?;
            if !page.more {
                return Ok(page.next);
            }
            cursor = Some(page.next);
        }
    }

    /// Marks for the records that no map which reads them has linked.
    async fn marks_of_strangers(
        &self,
        feed: &Feed,
        records: &[RecordId],
    ) -> Result<Vec<Change>, SyncError> {
        let generation = self.tick();
        let mut marks = Vec::new();
        for (map, side) in &feed.users {
            let map = &self.maps[*map];
            let running = self.store.map_status(map.id).await?.mode != MapMode::Stopped;
            let links = self.store.links_by_record(map.id, *side, records).await?;
            let strangers = records
                .iter()
                .zip(links)
                .filter(|(_, link)| running && link.is_none());
            marks.extend(strangers.map(|(record, _)| Change::Mark {
                id: MarkId {
                    map: map.id,
                    side: *side,
                    record: record.clone(),
                },
                generation,
                not_before: Moment(0),
            }));
        }
        Ok(marks)
    }

    /// Reads one page of each of these feeds of a system. What some have to tell is kept even if others fail.
    pub(crate) async fn look(&self, system: usize, feeds: &[usize]) -> Result<Look, SyncError> {
        let mut look = Look::default();
        let mut failed = None;
        let mut note = |look: &mut Look, captured: Result<u64, SyncError>| match captured {
            Ok(changes) => look.changes += changes,
            Err(error) => failed = failed.take().or(Some(error)),
        };
        let mut asked = Vec::with_capacity(feeds.len());
        for at in feeds {
            match self.cursor_of(&self.feeds[*at]).await? {
                Some(kept) if kept.is_void => note(&mut look, self.begin_anew(*at).await),
                Some(kept) if kept.is_whole => asked.push((*at, kept.cursor)),
                Some(kept) => note(
                    &mut look,
                    self.or_anew(*at, self.widen(*at, kept.cursor)).await,
                ),
                None => {}
            }
        }
        let since: Vec<Since<'_>> = asked
            .iter()
            .map(|(at, cursor)| Since {
                query: &self.feeds[*at].query,
                cursor: Some(cursor),
            })
            .collect();
        let sent = (self.tick(), self.now());
        let pages = self.systems[system].changes_of_each(&since).await;
        for ((at, cursor), page) in asked.iter().zip(pages) {
            let captured = async {
                let page = page?;
                if page.more {
                    look.more.push(*at);
                }
                if page.changes.is_empty() && page.next == *cursor {
                    return Ok(0);
                }
                let next = keep(&self.feeds[*at], &page.next);
                self.capture(*at, page, Rows::Whole, Some(next), sent).await
            };
            let captured = self.or_anew(*at, captured).await;
            note(&mut look, captured);
        }
        failed.map_or(Ok(look), Err)
    }

    /// A feed that no longer knows its cursor is begun anew.
    async fn or_anew(
        &self,
        at: usize,
        captured: impl Future<Output = Result<u64, SyncError>>,
    ) -> Result<u64, SyncError> {
        match captured.await {
            Err(SyncError::Connect(ConnectError::CursorExpired { .. })) => {
                self.begin_anew(at).await
            }
            other => other,
        }
    }

    /// Commits the marks that follow from a page of a feed, with the next cursor; gives how many records changed.
    pub(crate) async fn capture(
        &self,
        at: usize,
        page: ChangePage,
        rows: Rows,
        next: Option<Change>,
        (read, sent): (u64, Moment),
    ) -> Result<u64, SyncError> {
        let feed = &self.feeds[at];
        let (mut records, mut changes, deleted_unnamed) =
            self.records_of_page(feed, &page.changes).await?;
        if rows == Rows::Partial {
            for said in records.values_mut() {
                if matches!(said, Said::Row(_)) {
                    *said = Said::Changed;
                }
            }
        }
        // Held until the marks are committed: a pair that is linked meanwhile is told after that.
        let mut unnamed = None;
        if deleted_unnamed && !self.options.rules.broken(Mistake::UnnamedEndForgotten) {
            let mut last = self.unnamed_deleted.lock().await;
            *last = Some(self.tick());
            unnamed = Some(last);
            for (map, side) in &feed.users {
                let map = self.maps[*map].id;
                for record in self.store.unnamed_records(map, *side, &feed.set).await? {
                    records.entry(record).or_insert(Said::Changed);
                }
            }
        }
        // Marks made while the read was under way may be newer than what it found, so the number is taken now.
        let generation = self.tick();
        let marked = records.len() as u64;
        // Where reads lag, a look that is sent too soon may not find the change yet.
        let lag = self.systems[usize::from(feed.system)].budget().lag_max;
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
                    sent,
                    generation,
                    users: feed.users.len(),
                };
                kept.put(at, record, word);
            }
        }
        if self.options.rules.broken(Mistake::CursorBeforeMarks) {
            self.store.commit(next.into_iter().collect()).await?;
            changes.extend(marks);
        } else {
            changes.extend(marks);
            changes.extend(next);
        }
        self.store.commit(changes).await?;
        drop(unnamed);
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
        Ok(marked)
    }

    /// The records of a page, each with what is said of it last; what the feed calls them; and whether it tells of the
    /// end of one that it never named.
    async fn records_of_page(
        &self,
        feed: &Feed,
        page: &[Seen],
    ) -> Result<(BTreeMap<RecordId, Said>, Vec<Change>, bool), SyncError> {
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
        let mut deleted_unnamed = false;
        for (id, record) in unnamed.into_iter().zip(known) {
            let Some(record) = record else {
                // It came and went between two looks. If we made it, or met it by a read, it is linked all the same.
                deleted_unnamed = true;
                continue;
            };
            self.forget_reference(feed, &record);
            records.insert(record, Said::Deleted);
            changes.push(Change::Forget(feed.set.clone(), id));
        }
        Ok((records, changes, deleted_unnamed))
    }

    /// A record that changed may have another key than is remembered of it.
    fn forget_reference(&self, feed: &Feed, record: &RecordId) {
        if let Ok([identity]) = record.values().as_deref() {
            self.references.forget(feed.system, &feed.set.set, identity);
        }
    }

    /// The feed no longer knows our cursor: it begins anew, and a sweep finds what lies between. The new cursor is kept
    /// last: whoever is killed on the way begins once more.
    async fn begin_anew(&self, at: usize) -> Result<u64, SyncError> {
        let feed = &self.feeds[at];
        let cursor = self.read_anew(feed, Strangers::Marked).await?;
        // A map that failed can't be read as it should; all its pairs are looked at when it is mended.
        let readable = |mode| !matches!(mode, MapMode::Stopped | MapMode::Failed);
        let changes = if self.options.rules.broken(Mistake::ExpiredCursorSkipped) {
            0
        } else {
            self.sweep_where(at, readable).await?
        };
        self.store.commit(vec![keep(feed, &cursor)]).await?;
        Ok(changes)
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
