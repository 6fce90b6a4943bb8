//! Storage forms: how a column holds what it is sent.

use std::cmp::Ordering;

use dwmap_plan::{Decimal, Fit, FitMode, LengthUnit, Overflow, Rounding, Storage, Type, Value};

use super::compare::order;
use crate::{Bound, Failure};

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// A value in a column's storage form: converted to its type, then brought to its form; applying it twice changes
/// nothing more. In [`FitMode::Write`] what the column can't hold fails; in [`FitMode::Read`] nothing is refused.
pub fn fit(value: &Value, fit: &Fit) -> Result<Value, Failure> {
    let value = convert(value, &fit.ty, fit.mode)?;
    let value = form(value, &fit.storage, fit);
    match fit.mode {
        FitMode::Read => Ok(value),
        FitMode::Write => hold(value, &fit.storage),
    }
}

/// A value as another type that it widens to. Sizes are checked in [`FitMode::Write`] alone.
pub fn convert(value: &Value, ty: &Type, mode: FitMode) -> Result<Value, Failure> {
    Ok(match (value, ty) {
        (Value::Int(n), Type::Int32) if mode == FitMode::Write && i32::try_from(*n).is_err() => {
            return Err(Failure::OutOfRange(Bound::Int32));
        }
        (Value::Int(n), Type::Decimal(p, s)) => {
            rescale(Decimal::from_int(*n), *p, *s, mode).map(Value::Decimal)?
        }
        (Value::Decimal(n), Type::Decimal(p, s)) => {
            rescale(*n, *p, *s, mode).map(Value::Decimal)?
        }
        (Value::Int(n), Type::Float64) => Value::Float(*n as f64),
        (Value::Decimal(n), Type::Float64) => {
            Value::Float(n.to_string().parse().map_err(|_| Failure::Mismatch)?)
        }
        (Value::Date(day), Type::DateTime) => Value::DateTime(
            i64::from(*day)
                .checked_mul(MICROS_PER_DAY)
                .ok_or(Failure::OutOfRange(Bound::Int64))?,
        ),
        (value, ty) if value.fits(ty) => value.clone(),
        _ => return Err(Failure::Mismatch),
    })
}

/// At the column's scale, half-even; a number with too many digits fails when written, and stays as it is when read.
fn rescale(n: Decimal, precision: u8, scale: u8, mode: FitMode) -> Result<Decimal, Failure> {
    let beyond = Failure::OutOfRange(Bound::Digits { precision, scale });
    match (n.rescale(scale, Rounding::HalfEven), mode) {
        (Ok(n), FitMode::Write) if n.integer_digits() > precision - scale => Err(beyond),
        (Ok(n), _) => Ok(n),
        (Err(_), FitMode::Write) => Err(beyond),
        (Err(_), FitMode::Read) => Ok(n),
    }
}

fn form(value: Value, storage: &Storage, fit: &Fit) -> Value {
    let value = match value {
        Value::Text(mut text) => {
            if fit.mode == FitMode::Write
                && fit.overflow == Overflow::Truncate
                && let Some(limit) = storage.max_len
            {
                // Blanks at the end take no room, so they go first, and once more behind the cut.
                text.truncate(end(&text, storage.trim_end));
                text.truncate(cut(&text, limit, storage.unit).len());
            }
            text.truncate(end(&text, storage.trim_end));
            Value::Text(text)
        }
        value => value,
    };
    if storage.null.read.as_ref() == Some(&value) {
        return Value::Null;
    }
    match &storage.null {
        null if value.is_null() && null.read.is_none() => null.write.clone().unwrap_or(Value::Null),
        _ => value,
    }
}

/// Where a text ends, without the blanks that its column drops.
fn end(text: &str, trim: bool) -> usize {
    if trim {
        text.trim_end_matches(' ').len()
    } else {
        text.len()
    }
}

/// Refuses what the column can't hold.
fn hold(value: Value, storage: &Storage) -> Result<Value, Failure> {
    if value.is_null() {
        let needed = storage.required || !storage.nullable;
        return if needed && storage.null.write.is_none() {
            Err(Failure::Required)
        } else {
            Ok(value)
        };
    }
    let below = |a: &Value, b: &Value| order(a, b, false) == Some(Ordering::Less);
    if storage.min.as_ref().is_some_and(|min| below(&value, min)) {
        return Err(Failure::OutOfRange(Bound::Min));
    }
    if storage.max.as_ref().is_some_and(|max| below(max, &value)) {
        return Err(Failure::OutOfRange(Bound::Max));
    }
    if let Value::Text(text) = &value {
        if !storage.one_of.is_empty() && !storage.one_of.contains(text) {
            return Err(Failure::NotOneOf);
        }
        if let Some(limit) = storage.max_len {
            let (length, unit) = (length(text, storage.unit), storage.unit);
            if length > limit {
                return Err(Failure::TooLong {
                    length,
                    limit,
                    unit,
                });
            }
        }
    }
    Ok(value)
}

/// A text's length. (Texts beyond four thousand million units can't be read in the first place.)
pub fn length(text: &str, unit: LengthUnit) -> u32 {
    let length = match unit {
        LengthUnit::Utf16 => text.encode_utf16().count(),
        LengthUnit::Scalar => text.chars().count(),
    };
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// The longest beginning of a text within a limit; no character is split.
pub fn cut(text: &str, limit: u32, unit: LengthUnit) -> &str {
    let mut left = limit;
    for (at, c) in text.char_indices() {
        let size = match unit {
            LengthUnit::Utf16 => c.len_utf16() as u32,
            LengthUnit::Scalar => 1,
        };
        match left.checked_sub(size) {
            Some(rest) => left = rest,
            None => return &text[..at],
        }
    }
    text
}

#[cfg(test)]
mod tests;
