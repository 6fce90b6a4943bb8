//! How far a feed was read, and with which columns.
//!
//! A feed goes on with the columns that it was begun with: a delta link holds its `$select`. When a map gains a line,
//! the rows of the old feed lack its column, and what is lacking would read as blank. So a cursor is kept together with
//! its columns, and a feed that needs more of them is begun anew.

use dwmap_connect::Cursor;

use crate::capture::Rows;
use crate::error::SyncError;
use crate::runtime::{Feed, Runtime};
use crate::state::Change;

/// Between the columns and the cursor itself, neither of which holds a line break.
const SEPARATOR: char = '\n';

/// A cursor as it was kept.
pub(crate) struct Kept {
    pub(crate) cursor: Cursor,
    /// Whether its feed has every column that is needed now.
    pub(crate) is_whole: bool,
    /// Whether it asks for columns that aren't there any more, and so is refused.
    pub(crate) is_void: bool,
}

impl Runtime {
    /// How far a feed was read.
    pub(crate) async fn cursor_of(&self, feed: &Feed) -> Result<Option<Kept>, SyncError> {
        let kept = self.store.cursor(&feed.set).await?;
        Ok(kept.map(|Cursor(text)| {
            let (columns, cursor) = text.split_once(SEPARATOR).unwrap_or(("", &text));
            let has = |wanted: &String| columns.split(',').any(|column| column == wanted);
            Kept {
                cursor: Cursor(cursor.to_owned()),
                is_whole: feed.query.columns.iter().all(has),
                is_void: feed.gone_columns.iter().any(has),
            }
        }))
    }

    /// Begins a feed anew that lacks columns: first the new cursor, then what the old one has still to tell, without
    /// its rows. Whoever is killed on the way begins with this once more. Gives how many records changed.
    pub(crate) async fn widen(&self, at: usize, old: Cursor) -> Result<u64, SyncError> {
        let feed = &self.feeds[at];
        let new = self.first_cursor(feed).await?;
        let connector = &self.systems[usize::from(feed.system)];
        let mut changes = 0;
        let mut from = old;
        loop {
            let sent = (self.tick(), self.now());
            let page = connector.changes(&feed.query, Some(&from)).await?;
            let more = page.more;
            from = page.next.clone();
            let next = (!more).then(|| keep(feed, &new));
            changes += self.capture(at, page, Rows::Partial, next, sent).await?;
            if !more {
                return Ok(changes);
            }
        }
    }
}

/// What is committed when a feed was read up to a cursor with the columns of today.
pub(crate) fn keep(feed: &Feed, Cursor(cursor): &Cursor) -> Change {
    let columns = feed.query.columns.join(",");
    let text = format!("{columns}{SEPARATOR}{cursor}");
    Change::SetCursor(feed.set.clone(), Cursor(text))
}
