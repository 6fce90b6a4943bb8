//! What goes of the log when it grows too old or too large.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{Result, rows};
use crate::Moment;
use crate::state::{LogCut, Retention};

/// Entries that are looked at to tell the size of all.
const SAMPLE: u64 = 256;

/// What an entry takes, by the columns that differ in length: it stands in the table, and with its pair in an index.
const BYTES: &str =
    "2 * length(pair) + length(CAST(record AS BLOB)) + length(CAST(detail AS BLOB))";

pub(super) fn trim(t: &Transaction<'_>, retention: &Retention, limit: usize) -> Result<u64> {
    let mut excess = size(t)?.saturating_sub(retention.bytes);
    let oldest = format!("SELECT id, at, {BYTES} FROM activity ORDER BY id LIMIT ?1");
    let (mut last, mut dropped, mut newest) = (None, 0_u64, i64::MIN);
    let mut statement = t.prepare_cached(&oldest)?;
    let mut entries = statement.query([limit as i64])?;
    while let Some(row) = entries.next()? {
        let at: i64 = row.get(1)?;
        let is_over = excess > 0 && at < retention.keep_from.0;
        if at >= retention.before.0 && !is_over {
            break;
        }
        excess = excess.saturating_sub(row.get::<_, u64>(2)? + LogCut::ENTRY_BYTES);
        last = Some(row.get::<_, i64>(0)?);
        newest = newest.max(at);
        dropped += 1;
    }
    drop(entries);
    let Some(last) = last else {
        return Ok(0);
    };
    t.prepare_cached("DELETE FROM activity WHERE id <= ?1")?
        .execute([last])?;
    let cut = "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = max(value, ?2)";
    t.execute(cut, params!["log_cut_at", newest])?;
    let count = "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = value + ?2";
    t.execute(count, params!["log_cut_entries", dropped])?;
    Ok(dropped)
}

pub(super) fn cut(c: &Connection) -> Result<Option<LogCut>> {
    let of = |name: &str| -> Result<Option<i64>> {
        let sql = "SELECT value FROM meta WHERE name = ?1";
        Ok(c.query_row(sql, [name], |row| row.get(0)).optional()?)
    };
    let (Some(until), Some(entries)) = (of("log_cut_at")?, of("log_cut_entries")?) else {
        return Ok(None);
    };
    Ok(Some(LogCut {
        until: Moment(until),
        entries: entries as u64,
    }))
}

/// The bytes that the log takes: of a small one as they are, of a large one by a sample all over it.
fn size(c: &Connection) -> Result<u64> {
    let ids = "SELECT min(id), max(id) FROM activity";
    let ids = c.query_row(ids, [], |row| {
        Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?))
    })?;
    let (Some(first), Some(last)) = ids else {
        return Ok(0);
    };
    // Entries go at the front alone, so that their ids have no holes.
    let entries = (last - first + 1) as u64;
    let step = entries.div_ceil(SAMPLE);
    let sql = format!("SELECT {BYTES} FROM activity WHERE id = ?1");
    let (mut seen, mut bytes) = (0, 0);
    for id in (first..=last).step_by(step as usize) {
        rows::each(c, &sql, [id], |row| {
            seen += 1;
            bytes += row.get::<_, u64>(0)? + LogCut::ENTRY_BYTES;
            Ok(())
        })?;
    }
    Ok(bytes * entries / seen.max(1))
}
