//! How each change becomes SQL.

use dwmap_connect::{PageToken, Version};
use dwmap_plan::{LineId, Side};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::Result;
use super::rows::record_column;
use crate::codec::{put_value, put_varint};
use crate::key::{PairKey, RecordId};
use crate::state::schema::StateFault;
use crate::state::{
    Activity, ActivityKind, Change, FeedId, Intent, Link, LoadPhase, MapId, MapMode, MapStatus,
    Mark, MarkId, ScratchRow, Set, StateError, Word,
};

/// The position of a thing in its list of all things, as which it is stored.
fn position<T: PartialEq>(all: &[T], one: &T) -> i64 {
    all.iter().position(|x| x == one).unwrap_or(0) as i64
}

/// As what a word is stored; 0 where none was said.
fn stored(word: Option<Word>) -> i64 {
    word.map_or(0, |word| 1 + position(&Word::ALL, &word))
}

pub(super) fn apply(t: &Transaction<'_>, change: Change) -> Result<()> {
    match change {
        Change::PutLink(link) => put_link(t, &link),
        Change::DropLink(map, pair) => run(
            t,
            "DELETE FROM links WHERE map = ?1 AND pair = ?2",
            params![map.0, pair.0],
        ),
        Change::Mark {
            id,
            generation,
            not_before,
        } => mark(t, &id, generation, not_before.0),
        Change::Clear { id, seen } => run(
            t,
            "DELETE FROM marks WHERE map = ?1 AND side = ?2 AND record = ?3 AND generation <= ?4",
            params![id.map.0, id.side.index() as i64, id.record.0, seen],
        ),
        Change::Settle { mark, seen } => settle(t, &mark, seen),
        Change::Wait {
            map,
            earliest,
            latest,
        } => run(
            t,
            "UPDATE marks SET not_before = max(?2, min(not_before, ?3)) WHERE map = ?1 AND not_before > 0",
            params![map.0, earliest.0, latest.0],
        ),
        Change::Wake {
            missing,
            generation,
        } => run(
            t,
            "UPDATE marks SET cause = 0, generation = ?1, not_before = 0, missing_system = NULL, missing_set = NULL,
               missing_map = NULL, missing_reference = NULL, missing_key = NULL
             WHERE missing_system = ?2 AND missing_set = ?3 AND missing_map = ?4 AND missing_reference = ?5
               AND missing_key = ?6",
            params![
                generation,
                missing.set.system,
                missing.set.set,
                missing.reference.0,
                missing.reference.1,
                missing.key
            ],
        ),
        Change::Release {
            map,
            id,
            cause,
            generation,
            word,
        } => run(
            t,
            "UPDATE marks SET cause = 0, generation = ?1, not_before = 0, tries = 0, word = ?2,
               missing_system = NULL, missing_set = NULL, missing_map = NULL, missing_reference = NULL, missing_key = NULL
             WHERE map = ?3 AND cause = ?4 AND word <> ?7 AND (?5 IS NULL OR (side = ?5 AND record = ?6))",
            params![
                generation,
                stored(word),
                map.0,
                cause as i64,
                id.as_ref().map(|id| id.side.index() as i64),
                id.as_ref().map(|id| id.record.0.as_slice()),
                stored(Some(Word::Hold))
            ],
        ),
        Change::Say(mark) => {
            let id = &mark.id;
            run(
                t,
                "DELETE FROM marks WHERE map = ?1 AND side = ?2 AND record = ?3",
                params![id.map.0, id.side.index() as i64, id.record.0],
            )?;
            settle(t, &mark, mark.generation)
        }
        Change::Discard(id) => run(
            t,
            "DELETE FROM marks WHERE map = ?1 AND side = ?2 AND record = ?3",
            params![id.map.0, id.side.index() as i64, id.record.0],
        ),
        Change::PutIntent(intent) => put_intent(t, &intent),
        Change::DropIntent(map, pair, side) => run(
            t,
            "DELETE FROM intents WHERE map = ?1 AND pair = ?2 AND side = ?3",
            params![map.0, pair.0, side.index() as i64],
        ),
        Change::SetCursor(set, cursor) => run(
            t,
            "INSERT OR REPLACE INTO cursors VALUES (?1, ?2, ?3)",
            params![set.system, set.set, cursor.0],
        ),
        Change::DropCursor(set) => run(
            t,
            "DELETE FROM cursors WHERE system = ?1 AND entity = ?2",
            params![set.system, set.set],
        ),
        Change::Know(set, id, record) => know(t, &set, &id, &record),
        Change::Forget(set, id) => run(
            t,
            "DELETE FROM feed_ids WHERE of_set = (SELECT id FROM sets WHERE system = ?1 AND entity = ?2) AND id = ?3",
            params![set.system, set.set, id],
        ),
        Change::SetStatus(map, status) => set_status(t, map, &status),
        Change::Adopt {
            map,
            lines,
            generation,
        } => adopt(t, map, &lines, generation),
        Change::SetReadonly(on) => run(
            t,
            "INSERT OR REPLACE INTO meta VALUES ('readonly', ?1)",
            [on],
        ),
        Change::ForgetRequests(before) => run(
            t,
            "DELETE FROM requests WHERE answer IS NOT NULL AND at < ?1",
            [before.0],
        ),
        Change::TakeUp(id) => run(t, "UPDATE requests SET answer = '' WHERE id = ?1", [id.0]),
        Change::Answer(id, answer) => run(
            t,
            "UPDATE requests SET answer = ?2 WHERE id = ?1",
            params![id.0, answer],
        ),
        Change::Log(activity) => log(t, &activity),
    }
}

fn know(t: &Transaction<'_>, set: &Set, id: &FeedId, record: &RecordId) -> Result<()> {
    let put = "INSERT OR REPLACE INTO feed_ids SELECT id, ?3, ?4 FROM sets WHERE system = ?1 AND entity = ?2";
    let put = || -> Result<usize> {
        let params = params![set.system, set.set, id, record.0];
        Ok(t.prepare_cached(put)?.execute(params)?)
    };
    if put()? == 0 {
        let new = "INSERT INTO sets (system, entity) VALUES (?1, ?2)";
        run(t, new, [&set.system, &set.set])?;
        put()?;
    }
    Ok(())
}

fn run(t: &Transaction<'_>, sql: &str, params: impl rusqlite::Params) -> Result<()> {
    t.prepare_cached(sql)?.execute(params)?;
    Ok(())
}

/// One side of each pair is marked: a pass over it looks at the other as well, where a line has no base there. What
/// was refused or waited by the old lines is tried by the new ones.
fn adopt(t: &Transaction<'_>, map: MapId, lines: &[LineId], generation: u64) -> Result<()> {
    let lines: Vec<u8> = lines.iter().flat_map(|line| line.0.to_le_bytes()).collect();
    let others = "SELECT lines IS NOT NULL AND lines <> ?2 FROM maps WHERE id = ?1";
    let changed: bool = t
        .prepare_cached(others)?
        .query_row(params![map.0, lines], |row| row.get(0))?;
    run(
        t,
        "UPDATE maps SET lines = ?2 WHERE id = ?1",
        params![map.0, lines],
    )?;
    if !changed {
        return Ok(());
    }
    run(
        t,
        "UPDATE marks SET generation = max(generation, ?2), cause = 0, not_before = 0, tries = 0,
           missing_system = NULL, missing_set = NULL, missing_map = NULL, missing_reference = NULL, missing_key = NULL
         WHERE map = ?1 AND cause <> 4",
        params![map.0, generation],
    )?;
    run(
        t,
        "INSERT OR IGNORE INTO marks (map, side, record, generation, cause, not_before, tries, word)
         SELECT map, 0, CASE WHEN flags & 1 THEN pair ELSE left_record END, ?2, 0, 0, 0, 0 FROM links
           WHERE map = ?1 AND (flags & 1 OR left_record IS NOT NULL)
         UNION ALL
         SELECT map, 1, CASE WHEN flags & 2 THEN pair ELSE right_record END, ?2, 0, 0, 0, 0 FROM links
           WHERE map = ?1 AND NOT (flags & 1) AND left_record IS NULL AND (flags & 2 OR right_record IS NOT NULL)",
        params![map.0, generation],
    )
}

fn layout_id(t: &Transaction<'_>, lines: &[u8]) -> Result<i64> {
    let find = "SELECT id FROM layouts WHERE lines = ?1";
    let found = t
        .prepare_cached(find)?
        .query_row([lines], |row| row.get(0))
        .optional()?;
    if let Some(id) = found {
        return Ok(id);
    }
    run(t, "INSERT INTO layouts (lines) VALUES (?1)", [lines])?;
    Ok(t.last_insert_rowid())
}

fn put_link(t: &Transaction<'_>, link: &Link) -> Result<()> {
    demand_unclaimed(t, link)?;
    let layout = layout_id(t, &link.bases.layout())?;
    let mut flags = 0_i64;
    let mut records = [None, None];
    for (i, side) in link.sides.iter().enumerate() {
        match &side.record {
            Some(record) if record.0 == link.pair.0 => flags |= 1 << i,
            Some(record) => records[i] = Some(&record.0),
            None => {}
        }
    }
    let [left, right] = &link.sides;
    let version = |v: &Option<Version>| v.as_ref().map(|v| v.0.clone());
    let sql = "INSERT INTO links VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
        ON CONFLICT (map, pair) DO UPDATE SET state = ?3, flags = ?4, left_record = ?5, right_record = ?6,
          left_version = ?7, right_version = ?8, left_fresh = ?9, right_fresh = ?10, moved = ?11,
          layout = ?12, bases = ?13";
    let outcome = t.prepare_cached(sql)?.execute(params![
        link.map.0,
        link.pair.0,
        link.state as i64,
        flags,
        records[0],
        records[1],
        version(&left.version),
        version(&right.version),
        left.fresh_from.map(|m| m.0),
        right.fresh_from.map(|m| m.0),
        link.moved,
        layout,
        link.bases.encode()
    ]);
    match outcome {
        Err(error)
            if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) =>
        {
            Err(claimed(link))
        }
        other => Ok(other.map(|_| ())?),
    }
}

fn claimed(link: &Link) -> StateFault {
    let values = link.pair.values().unwrap_or_default();
    StateFault::State(StateError::Claimed {
        record: crate::key::display_key(&values),
    })
}

/// Refuses a link with a record that another has: one of them by its pair key, and the other in its column, which no
/// index tells.
fn demand_unclaimed(t: &Transaction<'_>, link: &Link) -> Result<()> {
    for side in Side::BOTH {
        let Some(record) = &link.sides[side.index()].record else {
            continue;
        };
        let (column, flag) = record_column(side);
        let other = if record.0 == link.pair.0 {
            format!("{column} = ?2")
        } else {
            format!("pair = ?2 AND flags & {flag} != 0")
        };
        let sql = format!("SELECT EXISTS (SELECT 1 FROM links WHERE map = ?1 AND {other})");
        let is_claimed: bool = t
            .prepare_cached(&sql)?
            .query_row(params![link.map.0, record.0], |row| row.get(0))?;
        if is_claimed {
            return Err(claimed(link));
        }
    }
    Ok(())
}

fn mark(t: &Transaction<'_>, id: &MarkId, generation: u64, not_before: i64) -> Result<()> {
    run(
        t,
        "INSERT INTO marks (map, side, record, generation, cause, not_before, tries, word)
         VALUES (?1, ?2, ?3, ?4, 0, ?5, 0, 0)
         ON CONFLICT DO UPDATE SET generation = max(generation, ?4), not_before = ?5, tries = 0,
           cause = CASE word WHEN ?6 THEN cause ELSE 0 END, word = CASE WHEN word IN (?7, ?8, ?6) THEN word ELSE 0 END,
           missing_system = NULL, missing_set = NULL, missing_map = NULL, missing_reference = NULL, missing_key = NULL",
        params![
            id.map.0,
            id.side.index() as i64,
            id.record.0,
            generation,
            not_before,
            stored(Some(Word::Hold)),
            stored(Some(Word::LetGo)),
            stored(Some(Word::LeaveAlone))
        ],
    )
}

fn settle(t: &Transaction<'_>, mark: &Mark, seen: u64) -> Result<()> {
    let error = mark
        .error
        .as_ref()
        .map(serde_json::to_string)
        .transpose()
        .map_err(|e| StateError::Damaged {
            message: e.to_string(),
        })?;
    let missing = mark.missing.as_ref();
    run(
        t,
        "INSERT INTO marks VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
         ON CONFLICT DO UPDATE SET cause = ?5, not_before = ?6, tries = ?7, missing_system = ?8, missing_set = ?9,
           missing_map = ?10, missing_reference = ?11, missing_key = ?12, word = ?13, error = ?14
         WHERE generation <= ?15",
        params![
            mark.id.map.0,
            mark.id.side.index() as i64,
            mark.id.record.0,
            mark.generation,
            mark.cause as i64,
            mark.not_before.0,
            mark.tries,
            missing.map(|m| m.set.system.as_str()),
            missing.map(|m| m.set.set.as_str()),
            missing.map(|m| m.reference.0),
            missing.map(|m| m.reference.1),
            missing.map(|m| m.key.as_slice()),
            stored(mark.word),
            error,
            seen
        ],
    )
}

fn put_intent(t: &Transaction<'_>, intent: &Intent) -> Result<()> {
    let mut lines = Vec::new();
    for line in &intent.lines {
        lines.extend_from_slice(&line.line.0.to_le_bytes());
        put_varint(
            &mut lines,
            u128::from(line.pending) | u128::from(line.bounces) << 1,
        );
        put_value(&mut lines, &line.written);
        put_value(&mut lines, &line.source);
        put_varint(&mut lines, u128::from(line.before.is_some()));
        if let Some(before) = &line.before {
            put_value(&mut lines, before);
        }
    }
    run(
        t,
        "INSERT OR REPLACE INTO intents VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            intent.map.0,
            intent.pair.0,
            intent.side.index() as i64,
            intent.kind as i64,
            intent.record.as_ref().map(|r| r.0.as_slice()),
            intent.natural_key,
            lines,
            intent.guard.as_ref().map(|v| v.0.as_str()),
            intent.settle_at.0
        ],
    )
}

fn set_status(t: &Transaction<'_>, map: MapId, status: &MapStatus) -> Result<()> {
    let load = status.load.as_ref();
    let page = load.and_then(|l| l.page.as_ref());
    run(
        t,
        "UPDATE maps SET mode = ?2, reason = ?3, load_phase = ?4, load_page = ?5, load_after = ?6, load_read = ?7,
           load_done = ?8 WHERE id = ?1",
        params![
            map.0,
            position(&MapMode::ALL, &status.mode),
            status.reason,
            load.map(|l| position(&LoadPhase::ALL, &l.phase)),
            page.map(|PageToken(token)| token.as_str()),
            load.and_then(|l| l.after.as_ref())
                .map(|PairKey(k)| k.as_slice()),
            load.map(|l| l.read),
            load.map(|l| l.done)
        ],
    )
}

/// Lets loads that are under way begin anew: what they had put aside is gone.
pub(super) fn restart_loads(c: &Connection) -> Result<()> {
    let sql = "UPDATE maps SET load_phase = 0, load_page = NULL, load_after = NULL, load_read = 0, load_done = 0
               WHERE load_phase IS NOT NULL";
    c.execute(sql, [])?;
    Ok(())
}

fn log(t: &Transaction<'_>, activity: &Activity) -> Result<()> {
    run(
        t,
        "INSERT INTO activity (at, map, pair, record, kind, side, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            activity.at.0,
            activity.map.0,
            activity.pair.0,
            activity.record,
            position(&ActivityKind::ALL, &activity.kind),
            activity.side.map(|s| s.index() as i64),
            activity.detail
        ],
    )
}

pub(super) fn scratch_put(
    t: &Transaction<'_>,
    shelf: &str,
    rows: Vec<ScratchRow>,
) -> Result<Vec<PairKey>> {
    let mut doubled = Vec::new();
    for row in rows {
        let find = "SELECT record FROM shelf_rows WHERE shelf = ?1 AND pair = ?2";
        let there: Option<Vec<u8>> = t
            .prepare_cached(find)?
            .query_row(params![shelf, row.pair.0], |r| r.get(0))
            .optional()?;
        if there.is_some_and(|record| record != row.record.0) {
            doubled.push(row.pair);
            continue;
        }
        run(
            t,
            "INSERT INTO shelf_rows VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (shelf, pair) DO UPDATE SET version = ?4, read = ?5, json = ?6",
            params![
                shelf,
                row.pair.0,
                row.record.0,
                row.version.map(|v| v.0),
                row.read,
                row.json
            ],
        )?;
    }
    Ok(doubled)
}
