//! Days, instants and guids from their texts, without a calendar library.

/// Days since 1970-01-01, by Howard Hinnant's `days_from_civil`
/// (<https://howardhinnant.github.io/date_algorithms.html>).
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

fn two(bytes: &[u8], at: usize) -> Option<i64> {
    let (a, b) = (*bytes.get(at)?, *bytes.get(at + 1)?);
    (a.is_ascii_digit() && b.is_ascii_digit())
        .then(|| i64::from(a - b'0') * 10 + i64::from(b - b'0'))
}

/// `2026-01-31`, from the beginning of the text: days since 1970-01-01.
fn day_prefix(bytes: &[u8]) -> Option<i64> {
    let year = two(bytes, 0)? * 100 + two(bytes, 2)?;
    let (month, day) = (two(bytes, 5)?, two(bytes, 8)?);
    let dashes = bytes[4] == b'-' && bytes[7] == b'-';
    let inside =
        year >= 1 && (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
    (dashes && inside).then(|| days_from_civil(year, month, day))
}

/// `2026-01-31`: days since 1970-01-01.
pub(super) fn day(text: &[u8]) -> Option<i64> {
    if text.len() == 10 {
        day_prefix(text)
    } else {
        None
    }
}

/// Whether a time of day must say its zone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    /// `Z`, or an offset.
    Needed,
    /// None, or `Z`; an offset would change the meaning.
    Local,
}

const MICROS: i64 = 1_000_000;

/// `2026-01-31T09:30:00.5Z`: microseconds since 1970-01-01T00:00:00Z. Places beyond the sixth are dropped.
pub(super) fn instant(text: &[u8], zone: Zone) -> Option<i64> {
    let days = day_prefix(text)?;
    let (hour, minute, second) = (two(text, 11)?, two(text, 14)?, two(text, 17)?);
    let marks = matches!(text[10], b'T' | b't') && text[13] == b':' && text[16] == b':';
    if !marks || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (fraction, rest) = fraction(&text[19..])?;
    let offset = offset(rest, zone)?;
    let seconds = (days * 24 + hour) * 3600 + minute * 60 + second;
    Some((seconds - offset) * MICROS + fraction)
}

/// `.123456`, up to nine places: microseconds, and what stands behind.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some(places) = text.strip_prefix(b".") else {
        return Some((0, text));
    };
    let count = places.iter().take_while(|b| b.is_ascii_digit()).count();
    if !(1..=9).contains(&count) {
        return None;
    }
    let micros = (0..6).fold(0, |n, i| {
        n * 10
            + if i < count {
                i64::from(places[i] - b'0')
            } else {
                0
            }
    });
    Some((micros, &places[count..]))
}

/// `Z` or `+02:00`: seconds east.
fn offset(text: &[u8], zone: Zone) -> Option<i64> {
    match (text, zone) {
        (b"Z" | b"z", _) | (b"", Zone::Local) => Some(0),
        ([sign @ (b'+' | b'-'), rest @ ..], Zone::Needed) if rest.len() == 5 && rest[2] == b':' => {
            let (hours, minutes) = (two(rest, 0)?, two(rest, 3)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = hours * 3600 + minutes * 60;
            Some(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

/// A day that is written as an instant (at noon, so that no zone moves it), or plainly.
pub(super) fn day_of_instant(text: &[u8]) -> Option<i64> {
    day(text).or_else(|| Some(instant(text, Zone::Needed)?.div_euclid(86_400 * MICROS)))
}

/// `00000000-0000-0000-0000-000000000000`, letters in either case.
pub(super) fn guid(text: &[u8]) -> Option<[u8; 16]> {
    if text.len() != 36 {
        return None;
    }
    let mut bytes = [0; 16];
    let mut at = 0;
    for (i, byte) in bytes.iter_mut().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            if text[at] != b'-' {
                return None;
            }
            at += 1;
        }
        let high = char::from(text[at]).to_digit(16)?;
        let low = char::from(text[at + 1]).to_digit(16)?;
        *byte = (high << 4 | low) as u8;
        at += 2;
    }
    Some(bytes)
}

/// Base64 with its padding (RFC 4648), appended as bytes.
pub(super) fn base64(text: &[u8], into: &mut Vec<u8>) -> Option<()> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let padding = text.iter().rev().take_while(|b| **b == b'=').count();
    if padding > 2 {
        return None;
    }
    let digits = &text[..text.len() - padding];
    for group in digits.chunks(4) {
        let mut bits = 0;
        for digit in group {
            bits = bits << 6 | sextet(*digit)?;
        }
        bits <<= 6 * (4 - group.len());
        let bytes = bits.to_be_bytes();
        into.extend_from_slice(&bytes[1..group.len()]);
    }
    Some(())
}

fn sextet(digit: u8) -> Option<u32> {
    Some(u32::from(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_instants() {
        assert_eq!(day(b"1970-01-01"), Some(0));
        assert_eq!(day(b"2000-02-29"), Some(11_016));
        assert_eq!(day(b"1900-01-01"), Some(-25_567));
        for text in [
            "1900-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-1-1",
            "0000-01-01",
            "2026-01-32",
        ] {
            assert_eq!(day(text.as_bytes()), None, "{text}");
        }
        let z = |t: &str| instant(t.as_bytes(), Zone::Needed);
        assert_eq!(z("1970-01-01T00:00:01.5Z"), Some(1_500_000));
        assert_eq!(z("1970-01-01T02:00:00+02:00"), Some(0));
        assert_eq!(z("1970-01-01T00:00:00.1234567Z"), Some(123_456));
        for text in [
            "1970-01-01T00:00:00",
            "1970-01-01",
            "1970-01-01T24:00:00Z",
            "1970-01-01T00:00:00.Z",
            "1970-01-01T00:00:00ZZ",
        ] {
            assert_eq!(z(text), None, "{text}");
        }
        assert_eq!(instant(b"1970-01-01T00:00:00", Zone::Local), Some(0));
        assert_eq!(day_of_instant(b"1970-01-02T12:00:00Z"), Some(1));
    }

    #[test]
    fn guids_and_base64() {
        let text = b"00112233-4455-6677-8899-aabbCCddEEff";
        let wanted: Vec<u8> = (0..16).map(|i| i * 0x11).collect();
        assert_eq!(guid(text).map(Vec::from), Some(wanted));
        assert_eq!(guid(b"00112233_4455-6677-8899-aabbccddeeff"), None);
        for (text, wanted) in [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo")] {
            let mut out = vec![];
            assert_eq!(base64(text.as_bytes(), &mut out), Some(()));
            assert_eq!(out, wanted.as_bytes());
        }
        for text in ["Z", "Z===", "Zg=v", "Z*=="] {
            assert_eq!(base64(text.as_bytes(), &mut vec![]), None, "{text}");
        }
    }
}
