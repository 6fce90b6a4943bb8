//! The object of a record, key by key.

use super::shape::UNWANTED;
use super::{Columns, Cursor, RowError, RowProblem, Shape};
use crate::slot::{Frame, State};

/// Reads a record into the slots of its columns; those without a key become null.
pub(crate) fn read(
    record: &str,
    columns: &Columns,
    shape: &mut Shape,
    frame: &mut Frame,
) -> Result<(), RowError> {
    frame.states[..columns.len()].fill(State::Null);
    shape.begin();
    let mut cursor = Cursor::new(record);
    cursor.blanks();
    cursor.take(b'{', "an object")?;
    cursor.blanks();
    if cursor.peek() == Some(b'}') {
        cursor.at += 1;
    } else {
        members(&mut cursor, columns, shape, frame)?;
    }
    cursor.blanks();
    match cursor.peek() {
        None => Ok(()),
        Some(_) => Err(cursor.expected("the record's end")),
    }
}

fn members(
    cursor: &mut Cursor<'_>,
    columns: &Columns,
    shape: &mut Shape,
    frame: &mut Frame,
) -> Result<(), RowError> {
    let mut previous = None;
    loop {
        let start = cursor.at;
        let key = match shape.guess(previous, &cursor.bytes[cursor.at..]) {
            Some((key, len)) => {
                cursor.at += len;
                key
            }
            None => key(cursor, shape, previous, frame)?,
        };
        let column = shape.column(key).ok_or(RowError {
            problem: RowProblem::DuplicateKey,
            at: start,
        })?;
        previous = Some(key);
        cursor.blanks();
        if column == UNWANTED {
            cursor.skip()?;
        } else {
            columns.read(cursor, column, frame)?;
        }
        cursor.blanks();
        match cursor.peek() {
            Some(b',') => cursor.at += 1,
            Some(b'}') => {
                cursor.at += 1;
                return Ok(());
            }
            _ => return Err(cursor.expected("a comma or a closing brace")),
        }
        cursor.blanks();
    }
}

/// A key that was not foreseen, and its colon.
fn key(
    cursor: &mut Cursor<'_>,
    shape: &mut Shape,
    previous: Option<u32>,
    frame: &mut Frame,
) -> Result<u32, RowError> {
    let here = &cursor.bytes[cursor.at..];
    let token = cursor.string()?;
    let key = if token.escaped {
        let start = frame.arena.len();
        cursor.decode(token, &mut frame.arena)?;
        shape.learn(previous, &frame.arena.as_bytes()[start..], here)
    } else {
        shape.learn(previous, &cursor.bytes[token.from..token.to], here)
    };
    cursor.blanks();
    cursor.take(b':', "a colon")?;
    Ok(key)
}
