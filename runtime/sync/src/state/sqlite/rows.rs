//! How rows become what they stand for.

use dwmap_connect::{PageToken, Version};
use dwmap_plan::{LineId, Side};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Result;
use crate::Moment;
use crate::codec::{Reader, Unreadable};
use crate::key::{PairKey, RecordId};
use crate::state::schema::StateFault;
use crate::state::{
    Activity, ActivityKind, Bases, Cause, Intent, IntentKind, IntentLine, Link, LinkSide,
    LinkState, LoadPhase, LoadProgress, MapCounts, MapId, MapMode, MapStatus, Mark, MarkId,
    Missing, Set, Word,
};

const LINK_STATES: [LinkState; 4] = [
    LinkState::AwaitingKey,
    LinkState::Linked,
    LinkState::Left,
    LinkState::Deleted,
];
const CAUSES: [Cause; 5] = [
    Cause::Changed,
    Cause::Retry,
    Cause::Parked,
    Cause::Failed,
    Cause::Held,
];
const INTENT_KINDS: [IntentKind; 4] = [
    IntentKind::Create,
    IntentKind::Update,
    IntentKind::Delete,
    IntentKind::Deactivate,
];

fn nth<T: Copy>(all: &[T], n: i64) -> Result<T> {
    let known = usize::try_from(n).ok().and_then(|n| all.get(n));
    known.copied().ok_or(StateFault::from(Unreadable))
}

fn word(n: i64) -> Result<Option<Word>> {
    match n {
        0 => Ok(None),
        n => nth(&Word::ALL, n - 1).map(Some),
    }
}

fn side(n: i64) -> Result<Side> {
    nth(&Side::BOTH, n)
}

/// Runs a query and turns its rows into things, the first failure ending it.
fn collect<T>(
    c: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    mut one: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut all = Vec::new();
    each(c, sql, params, |row| {
        all.push(one(row)?);
        Ok(())
    })?;
    Ok(all)
}

/// Runs a query and hands on its rows, the first failure ending it.
pub(super) fn each(
    c: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    mut one: impl FnMut(&Row<'_>) -> Result<()>,
) -> Result<()> {
    let mut statement = c.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    while let Some(row) = rows.next()? {
        one(row)?;
    }
    Ok(())
}

pub(super) const LINK: &str =
    "SELECT map, pair, state, flags, left_record, right_record, left_version, right_version,
    left_fresh, right_fresh, moved, lines, bases FROM links JOIN layouts ON layouts.id = layout";

pub(super) fn link(row: &Row<'_>) -> Result<Link> {
    let pair = PairKey(row.get(1)?);
    let flags: i64 = row.get(3)?;
    let one_side = |i: usize| -> Result<LinkSide> {
        let record = if flags >> i & 1 == 1 {
            Some(pair.0.clone())
        } else {
            row.get(4 + i)?
        };
        Ok(LinkSide {
            record: record.map(RecordId),
            version: row.get::<_, Option<String>>(6 + i)?.map(Version),
            fresh_from: row.get::<_, Option<i64>>(8 + i)?.map(Moment),
        })
    };
    let sides = [one_side(0)?, one_side(1)?];
    let layout = row.get_ref(11)?.as_blob().map_err(|_| Unreadable)?;
    let bases = row.get_ref(12)?.as_blob().map_err(|_| Unreadable)?;
    Ok(Link {
        map: MapId(row.get(0)?),
        state: nth(&LINK_STATES, row.get(2)?)?,
        sides,
        bases: Bases::decode(layout, bases)?,
        moved: row.get(10)?,
        pair,
    })
}

fn one_link(
    c: &Connection,
    condition: &str,
    params: impl rusqlite::Params,
) -> Result<Option<Link>> {
    let found = collect(c, &format!("{LINK} WHERE {condition}"), params, link)?;
    Ok(found.into_iter().next())
}

pub(super) fn link_by_pair(c: &Connection, map: MapId, pair: &PairKey) -> Result<Option<Link>> {
    one_link(c, "map = ?1 AND pair = ?2", params![map.0, pair.0])
}

/// The column of a side's record, and the flag that says that it is the pair key and not in the column.
pub(super) const fn record_column(side: Side) -> (&'static str, i64) {
    match side {
        Side::Left => ("left_record", 1),
        Side::Right => ("right_record", 2),
    }
}

pub(super) fn partners_of_nameless(
    c: &Connection,
    map: MapId,
    side: Side,
) -> Result<Vec<RecordId>> {
    let (column, flag) = record_column(side);
    let (other_column, other_flag) = record_column(side.other());
    let other = format!("CASE WHEN flags & {other_flag} != 0 THEN pair ELSE {other_column} END");
    let sql = format!(
        "SELECT {other} FROM links WHERE map = ?1 AND state = ?2 AND {column} IS NULL AND flags & {flag} = 0
         AND {other} IS NOT NULL ORDER BY 1"
    );
    let linked = LinkState::Linked as i64;
    let one = |row: &Row<'_>| Ok(RecordId(row.get(0)?));
    collect(c, &sql, params![map.0, linked], one)
}

pub(super) fn link_by_record(
    c: &Connection,
    map: MapId,
    side: Side,
    record: &RecordId,
) -> Result<Option<Link>> {
    let (column, flag) = record_column(side);
    let own = one_link(
        c,
        &format!("map = ?1 AND {column} = ?2"),
        params![map.0, record.0],
    )?;
    if own.is_some() {
        return Ok(own);
    }
    one_link(
        c,
        &format!("map = ?1 AND pair = ?2 AND flags & {flag} != 0"),
        params![map.0, record.0],
    )
}

pub(super) fn unnamed_records(
    c: &Connection,
    map: MapId,
    side: Side,
    set: &Set,
) -> Result<Vec<RecordId>> {
    let (column, flag) = record_column(side);
    let record = format!("CASE WHEN flags & {flag} != 0 THEN pair ELSE {column} END");
    let sql = format!(
        "SELECT {record} FROM links WHERE map = ?1 AND {record} NOT IN
         (SELECT record FROM feed_ids JOIN sets ON sets.id = of_set WHERE system = ?2 AND entity = ?3) ORDER BY 1"
    );
    let one = |row: &Row<'_>| Ok(RecordId(row.get(0)?));
    collect(c, &sql, params![map.0, set.system, set.set], one)
}

pub(super) fn links_page(
    c: &Connection,
    map: MapId,
    after: Option<&PairKey>,
    limit: usize,
) -> Result<Vec<Link>> {
    let after = after.map_or(&[][..], |p| &p.0);
    collect(
        c,
        &format!("{LINK} WHERE map = ?1 AND pair > ?2 ORDER BY pair LIMIT ?3"),
        params![map.0, after, limit as i64],
        link,
    )
}

pub(super) fn neighbours(
    c: &Connection,
    map: MapId,
    prefix: &[u8],
    after: &PairKey,
    limit: usize,
) -> Result<Vec<Link>> {
    let from = |states: &str, range: &str, limit: usize| -> Result<Vec<Link>> {
        collect(
            c,
            &format!(
                "{LINK} WHERE map = ?1 AND pair {range} ?2 AND pair >= ?3 AND substr(pair, 1, length(?3)) = ?3
                 AND state IN ({states}) ORDER BY pair LIMIT ?4"
            ),
            params![map.0, after.0, prefix, limit as i64],
            link,
        )
    };
    // Those that rest come last: one of their records is likely to be gone.
    let (linked, resting) = ("1", "2, 3");
    let mut found = Vec::new();
    for (states, range) in [(linked, ">"), (linked, "<"), (resting, ">"), (resting, "<")] {
        if found.len() < limit {
            found.extend(from(states, range, limit - found.len())?);
        }
    }
    Ok(found)
}

pub(super) fn marks(
    c: &Connection,
    condition: &str,
    params: impl rusqlite::Params,
) -> Result<Vec<Mark>> {
    collect(c, &format!("{MARK} {condition}"), params, mark)
}

pub(super) const MARK: &str =
    "SELECT map, side, record, generation, cause, not_before, tries, missing_system,
    missing_set, missing_map, missing_reference, missing_key, word, error FROM marks";

pub(super) fn mark(row: &Row<'_>) -> Result<Mark> {
    let error: Option<String> = row.get(13)?;
    let error = error
        .map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|_| Unreadable)?;
    Ok(Mark {
        id: MarkId {
            map: MapId(row.get(0)?),
            side: side(row.get(1)?)?,
            record: RecordId(row.get(2)?),
        },
        generation: row.get(3)?,
        cause: nth(&CAUSES, row.get(4)?)?,
        not_before: Moment(row.get(5)?),
        tries: row.get(6)?,
        missing: match row.get::<_, Option<Vec<u8>>>(11)? {
            Some(key) => Some(missing_of(row, 7, key)?),
            None => None,
        },
        word: word(row.get(12)?)?,
        error,
    })
}

/// What is missing, from the columns system, set, map, reference beginning at `at`.
fn missing_of(row: &Row<'_>, at: usize, key: Vec<u8>) -> Result<Missing> {
    Ok(Missing {
        set: Set {
            system: row.get(at)?,
            set: row.get(at + 1)?,
        },
        reference: (row.get(at + 2)?, row.get(at + 3)?),
        key,
    })
}

pub(super) fn missing(
    c: &Connection,
    set: &Set,
    after: Option<&Missing>,
    limit: usize,
) -> Result<Vec<Missing>> {
    let ((map, reference), key) = match after {
        Some(m) => (
            (i64::from(m.reference.0), i64::from(m.reference.1)),
            m.key.as_slice(),
        ),
        None => ((-1, -1), &[][..]),
    };
    let sql = "SELECT DISTINCT missing_system, missing_set, missing_map, missing_reference, missing_key FROM marks
        WHERE missing_key IS NOT NULL AND missing_system = ?1 AND missing_set = ?2
          AND (missing_map, missing_reference, missing_key) > (?3, ?4, ?5)
        ORDER BY missing_map, missing_reference, missing_key LIMIT ?6";
    let params = params![set.system, set.set, map, reference, key, limit as i64];
    collect(c, sql, params, |row| {
        let key = row.get(4)?;
        missing_of(row, 0, key)
    })
}

pub(super) fn intents(c: &Connection, map: MapId) -> Result<Vec<Intent>> {
    let sql = format!("{INTENT} WHERE map = ?1 ORDER BY pair, side");
    collect(c, &sql, [map.0], intent)
}

pub(super) const INTENT: &str =
    "SELECT map, pair, side, kind, record, natural_key, lines, guard, settle_at FROM intents";

pub(super) fn intent(row: &Row<'_>) -> Result<Intent> {
    let bytes: Vec<u8> = row.get(6)?;
    Ok(Intent {
        map: MapId(row.get(0)?),
        pair: PairKey(row.get(1)?),
        side: side(row.get(2)?)?,
        kind: nth(&INTENT_KINDS, row.get(3)?)?,
        record: row.get::<_, Option<Vec<u8>>>(4)?.map(RecordId),
        natural_key: row.get(5)?,
        lines: intent_lines(&bytes)?,
        guard: row.get::<_, Option<String>>(7)?.map(Version),
        settle_at: Moment(row.get(8)?),
    })
}

fn intent_lines(bytes: &[u8]) -> Result<Vec<IntentLine>, Unreadable> {
    let mut reader = Reader(bytes);
    let mut lines = Vec::new();
    while !reader.is_empty() {
        let id = reader.take(8)?.try_into().map_err(|_| Unreadable)?;
        let flags = reader.varint()?;
        lines.push(IntentLine {
            line: LineId(u64::from_le_bytes(id)),
            pending: flags & 1 == 1,
            bounces: (flags >> 1) as u8,
            written: reader.value()?,
            source: reader.value()?,
            before: match reader.varint()? {
                0 => None,
                _ => Some(reader.value()?),
            },
        });
    }
    Ok(lines)
}

pub(super) fn map_status(c: &Connection, map: MapId) -> Result<MapStatus> {
    let sql = format!("{STATUS} WHERE id = ?1");
    // A map that no process has worked on yet stands at its beginning.
    Ok(collect(c, &sql, [map.0], status)?.pop().unwrap_or_default())
}

pub(super) const STATUS: &str =
    "SELECT id, name, mode, reason, load_phase, load_page, load_after, load_read, load_done
    FROM maps";

pub(super) fn status(row: &Row<'_>) -> Result<MapStatus> {
    let load = match row.get::<_, Option<i64>>(4)? {
        None => None,
        Some(phase) => Some(LoadProgress {
            phase: nth(&LoadPhase::ALL, phase)?,
            page: row.get::<_, Option<String>>(5)?.map(PageToken),
            after: row.get::<_, Option<Vec<u8>>>(6)?.map(PairKey),
            read: row.get(7)?,
            done: row.get(8)?,
        }),
    };
    Ok(MapStatus {
        mode: nth(&MapMode::ALL, row.get(2)?)?,
        reason: row.get(3)?,
        load,
    })
}

pub(super) fn counts(c: &Connection, map: MapId) -> Result<MapCounts> {
    let mut counts = MapCounts::default();
    let links = "SELECT state, count(*) FROM links WHERE map = ?1 GROUP BY state";
    for (state, n) in collect(c, links, [map.0], |r| Ok((r.get(0)?, r.get::<_, u64>(1)?)))? {
        match nth(&LINK_STATES, state)? {
            LinkState::Linked => counts.linked += n,
            LinkState::AwaitingKey | LinkState::Left | LinkState::Deleted => counts.resting += n,
        }
    }
    let marks = "SELECT cause, count(*) FROM marks WHERE map = ?1 GROUP BY cause";
    for (cause, n) in collect(c, marks, [map.0], |r| Ok((r.get(0)?, r.get::<_, u64>(1)?)))? {
        *match nth(&CAUSES, cause)? {
            Cause::Changed => &mut counts.changed,
            Cause::Retry => &mut counts.retry,
            Cause::Parked => &mut counts.parked,
            Cause::Failed => &mut counts.failed,
            Cause::Held => &mut counts.held,
        } += n;
    }
    let intents = "SELECT count(*) FROM intents WHERE map = ?1";
    counts.intents = c
        .prepare_cached(intents)?
        .query_row([map.0], |row| row.get(0))
        .optional()?
        .unwrap_or(0);
    Ok(counts)
}

pub(super) fn activity(
    c: &Connection,
    map: MapId,
    pair: Option<&PairKey>,
    limit: usize,
) -> Result<Vec<Activity>> {
    let condition = if pair.is_some() {
        "pair = ?2"
    } else {
        "?2 IS NULL"
    };
    let sql = format!("{ENTRY} WHERE map = ?1 AND {condition} ORDER BY id DESC LIMIT ?3");
    let params = params![map.0, pair.map(|p| p.0.as_slice()), limit as i64];
    collect(c, &sql, params, entry)
}

pub(super) const ENTRY: &str = "SELECT at, map, pair, record, kind, side, detail FROM activity";

pub(super) fn entry(row: &Row<'_>) -> Result<Activity> {
    Ok(Activity {
        at: Moment(row.get(0)?),
        map: MapId(row.get(1)?),
        pair: PairKey(row.get(2)?),
        record: row.get(3)?,
        kind: nth(&ActivityKind::ALL, row.get(4)?)?,
        side: row.get::<_, Option<i64>>(5)?.map(side).transpose()?,
        detail: row.get(6)?,
    })
}
