//! Days and instants as OData writes them, in the proleptic Gregorian calendar, years 1 to 9999.

use std::fmt::{self, Write};

const DAY_SECONDS: i64 = 86_400;
const SECOND_MICROS: i64 = 1_000_000;

/// The days from 1970-01-01 to this date, which must be one of the calendar.
///
/// ```
/// assert_eq!(dwmap_odata::time::days(1970, 1, 2), Some(1));
/// assert_eq!(dwmap_odata::time::days(2026, 2, 29), None);
/// ```
pub fn days(year: i32, month: u32, day: u32) -> Option<i32> {
    if !(1..=9999).contains(&year)
        || !(1..=12).contains(&month)
        || day == 0
        || day > length(year, month)
    {
        return None;
    }
    // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": years begin in March.
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let shifted = (month as i32 + 9) % 12;
    let day_of_year = (153 * shifted + 2) / 5 + day as i32 - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

fn length(year: i32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Year, month and day of a day counted from 1970-01-01.
pub fn civil(days: i32) -> (i32, u32, u32) {
    let shifted = i64::from(days) + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_of_year = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_of_year + 2) / 5 + 1;
    let month = if month_of_year < 10 {
        month_of_year + 3
    } else {
        month_of_year - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as i32, month as u32, day as u32)
}

/// Writes `2026-01-31` for days since 1970-01-01.
pub fn write_date(out: &mut impl Write, days: i32) -> fmt::Result {
    let (year, month, day) = civil(days);
    write!(out, "{year:04}-{month:02}-{day:02}")
}

/// Writes `2026-01-31T00:00:00Z` for microseconds since 1970-01-01T00:00:00Z, with as many places of a second as are
/// needed.
pub fn write_datetime(out: &mut impl Write, micros: i64) -> fmt::Result {
    let seconds = micros.div_euclid(SECOND_MICROS);
    let fraction = micros.rem_euclid(SECOND_MICROS);
    write_date(out, seconds.div_euclid(DAY_SECONDS) as i32)?;
    let of_day = seconds.rem_euclid(DAY_SECONDS);
    write!(
        out,
        "T{:02}:{:02}:{:02}",
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60
    )?;
    if fraction != 0 {
        let digits = format!("{fraction:06}");
        write!(out, ".{}", digits.trim_end_matches('0'))?;
    }
    out.write_char('Z')
}

/// Reads `2026-01-31` as days since 1970-01-01.
pub fn parse_date(text: &str) -> Option<i32> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    days(
        number(&bytes[..4])? as i32,
        number(&bytes[5..7])?,
        number(&bytes[8..])?,
    )
}

/// Reads `2026-01-31T12:30:00.25Z`, also with an offset (`+01:00`), seconds left out, or any number of places of a
/// second (beyond the sixth they are cut), as microseconds since 1970-01-01T00:00:00Z.
pub fn parse_datetime(text: &str) -> Option<i64> {
    let date = parse_date(text.get(..10)?)?;
    let rest = text.get(10..)?.strip_prefix(['T', 't'])?;
    let (clock, offset_minutes) = split_zone(rest)?;
    let (clock, fraction) = clock
        .split_once('.')
        .map_or((clock, None), |(c, f)| (c, Some(f)));
    let mut parts = clock.split(':');
    let hour = two_digits(parts.next()?, 23)?;
    let minute = two_digits(parts.next()?, 59)?;
    let second = parts.next().map_or(Some(0), |s| two_digits(s, 59))?;
    if parts.next().is_some() {
        return None;
    }
    let seconds = i64::from(date) * DAY_SECONDS
        + i64::from(hour) * 3600
        + (i64::from(minute) - offset_minutes) * 60
        + i64::from(second);
    Some(seconds * SECOND_MICROS + fraction.map_or(Some(0), micros_of)?)
}

/// The clock's text and its offset from UTC in minutes.
fn split_zone(text: &str) -> Option<(&str, i64)> {
    if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let at = text.rfind(['+', '-'])?;
    let (clock, zone) = text.split_at(at);
    let (hours, minutes) = zone[1..].split_once(':')?;
    let offset = i64::from(two_digits(hours, 14)?) * 60 + i64::from(two_digits(minutes, 59)?);
    Some((
        clock,
        if zone.starts_with('-') {
            -offset
        } else {
            offset
        },
    ))
}

fn micros_of(fraction: &str) -> Option<i64> {
    if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let kept = &fraction[..fraction.len().min(6)];
    Some(kept.parse::<i64>().ok()? * 10_i64.pow(6 - kept.len() as u32))
}

fn two_digits(text: &str, max: u32) -> Option<u32> {
    (text.len() == 2)
        .then(|| number(text.as_bytes()))
        .flatten()
        .filter(|n| *n <= max)
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |n, b| {
        b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(micros: i64) -> String {
        let mut out = String::new();
        write_datetime(&mut out, micros).unwrap();
        out
    }

    #[test]
    fn writes_only_the_places_that_are_needed() {
        assert_eq!(text(0), "1970-01-01T00:00:00Z");
        assert_eq!(text(-1), "1969-12-31T23:59:59.999999Z");
        assert_eq!(text(250_000), "1970-01-01T00:00:00.25Z");
    }

    #[test]
    fn reads_zones_and_places() {
        assert_eq!(parse_datetime("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(parse_datetime("1969-12-31T19:00:00-05:00"), Some(0));
        assert_eq!(parse_datetime("1970-01-01T00:00Z"), Some(0));
        assert_eq!(
            parse_datetime("1970-01-01T00:00:00.1234567Z"),
            Some(123_456)
        );
        for wrong in [
            "1970-01-01",
            "1970-01-01T24:00:00Z",
            "1970-01-01T00:00:00",
            "1970-13-01T00:00:00Z",
            "é970-01-01T0",
        ] {
            assert_eq!(parse_datetime(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn dates_round_trip(days in -719_162..2_932_896_i32) {
            let mut out = String::new();
            write_date(&mut out, days).unwrap();
            prop_assert_eq!(parse_date(&out), Some(days));
        }

        #[test]
        fn instants_round_trip(micros in -62_135_596_800_000_000_i64..253_402_300_799_999_999) {
            prop_assert_eq!(parse_datetime(&text(micros)), Some(micros));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            let _ = parse_datetime(&text);
            let _ = parse_date(&text);
        }
    }
}
