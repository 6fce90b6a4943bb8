//! `Retry-After`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::time;

/// How long to wait from `now`, for a `Retry-After` in seconds or as a date. `None` if it is neither.
///
/// Source: RFC 9110, 10.2.3 "Retry-After" and 5.6.7 "Date/Time Formats".
///
/// ```
/// use std::time::{Duration, SystemTime};
/// assert_eq!(dwmap_odata::retry::after("17", SystemTime::now()), Some(Duration::from_secs(17)));
/// ```
pub fn after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = UNIX_EPOCH.checked_add(Duration::from_secs(http_date(value)?))?;
    Some(at.duration_since(now).unwrap_or(Duration::ZERO))
}

/// Seconds since 1970 of `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (_, rest) = text.split_once(", ")?;
    let mut words = rest.split(' ');
    let day = words.next()?.parse().ok()?;
    let name = words.next()?;
    let month = MONTHS.iter().position(|m| *m == name)? as u32 + 1;
    let year = words.next()?.parse().ok()?;
    let clock = words.next()?;
    if words.next() != Some("GMT") || words.next().is_some() {
        return None;
    }
    let mut date = String::new();
    time::write_date(&mut date, time::days(year, month, day)?).ok()?;
    let micros = time::parse_datetime(&format!("{date}T{clock}Z"))?;
    u64::try_from(micros / 1_000_000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_seconds_and_dates() {
        let now = UNIX_EPOCH + Duration::from_secs(784_111_777 - 5);
        assert_eq!(after(" 3 ", now), Some(Duration::from_secs(3)));
        assert_eq!(
            after("Sun, 06 Nov 1994 08:49:37 GMT", now),
            Some(Duration::from_secs(5))
        );
        assert_eq!(
            after("Sun, 06 Nov 1994 08:49:00 GMT", now),
            Some(Duration::ZERO),
            "a date that has passed"
        );
        assert_eq!(after("soon", now), None);
        assert_eq!(after("-1", now), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            let _ = after(&text, UNIX_EPOCH);
        }
    }
}
