//! Days, instants and guids as texts.

/// Years that have four digits: all that the forms can hold.
const FIRST_DAY: i64 = -719_162;
const LAST_DAY: i64 = 2_932_896;
const MICROS_PER_DAY: i64 = 86_400_000_000;

/// A year beyond 9999, or before 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BeyondCalendar;

/// Year, month and day, by Howard Hinnant's `civil_from_days`
/// (<https://howardhinnant.github.io/date_algorithms.html>).
fn civil_from_days(days: i64) -> (u32, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as u32, month as u32, day as u32)
}

fn two(out: &mut [u8], n: u32) {
    out[0] = b'0' + (n / 10) as u8;
    out[1] = b'0' + (n % 10) as u8;
}

/// `2026-01-31`, without quotes.
pub(crate) fn day(out: &mut Vec<u8>, days: i64) -> Result<(), BeyondCalendar> {
    if !(FIRST_DAY..=LAST_DAY).contains(&days) {
        return Err(BeyondCalendar);
    }
    let (year, month, day) = civil_from_days(days);
    let mut text = *b"0000-00-00";
    two(&mut text[0..2], year / 100);
    two(&mut text[2..4], year % 100);
    two(&mut text[5..7], month);
    two(&mut text[8..10], day);
    out.extend_from_slice(&text);
    Ok(())
}

/// `2026-01-31T09:30:00.5`, without quotes and zone; places of the second as far as they go.
pub(crate) fn moment(out: &mut Vec<u8>, micros: i64) -> Result<(), BeyondCalendar> {
    day(out, micros.div_euclid(MICROS_PER_DAY))?;
    let of_day = micros.rem_euclid(MICROS_PER_DAY);
    let (seconds, mut fraction) = ((of_day / 1_000_000) as u32, (of_day % 1_000_000) as u32);
    let mut text = *b"T00:00:00";
    two(&mut text[1..3], seconds / 3600);
    two(&mut text[4..6], seconds / 60 % 60);
    two(&mut text[7..9], seconds % 60);
    out.extend_from_slice(&text);
    if fraction > 0 {
        out.push(b'.');
        let mut unit = 100_000;
        while fraction > 0 {
            out.push(b'0' + (fraction / unit) as u8);
            fraction %= unit;
            unit /= 10;
        }
    }
    Ok(())
}

/// `00000000-0000-0000-0000-000000000000`, without quotes.
pub(crate) fn guid(out: &mut Vec<u8>, bytes: [u8; 16]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut text = [b'-'; 36];
    let mut at = 0;
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            at += 1;
        }
        text[at] = HEX[usize::from(byte >> 4)];
        text[at + 1] = HEX[usize::from(byte & 15)];
        at += 2;
    }
    out.extend_from_slice(&text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_moments() {
        let day_text = |days| {
            let mut out = vec![];
            day(&mut out, days).map(|()| String::from_utf8(out).unwrap())
        };
        assert_eq!(day_text(0).as_deref(), Ok("1970-01-01"));
        assert_eq!(day_text(11_016).as_deref(), Ok("2000-02-29"));
        assert_eq!(day_text(FIRST_DAY).as_deref(), Ok("0001-01-01"));
        assert_eq!(day_text(LAST_DAY).as_deref(), Ok("9999-12-31"));
        assert_eq!(day_text(LAST_DAY + 1), Err(BeyondCalendar));
        let mut out = vec![];
        assert_eq!(moment(&mut out, -1), Ok(()));
        assert_eq!(out, b"1969-12-31T23:59:59.999999");
        out.clear();
        assert_eq!(moment(&mut out, 1_500_000), Ok(()));
        assert_eq!(out, b"1970-01-01T00:00:01.5");
    }
}
