//! Exact decimals: an `i128` of units and a scale. Precision is at most 38 digits.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The largest number of digits a decimal may have.
pub const MAX_PRECISION: u8 = 38;

/// `units * 10^-scale`, compared by numeric value: `1.0 == 1.00`.
///
/// ```
/// use dwmap_plan::{Decimal, Rounding};
/// let limit: Decimal = "1000.005".parse().unwrap();
/// assert_eq!(limit.rescale(2, Rounding::HalfEven).unwrap().to_string(), "1000.00");
/// ```
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Decimal {
    units: i128,
    scale: u8,
}

/// How a number that lies between two representable ones is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Rounding {
    /// To the nearest; a tie goes to the even neighbour (the default for money).
    HalfEven,
    /// To the nearest; a tie goes away from zero.
    HalfUp,
    /// Towards zero.
    Down,
    /// Away from zero.
    Up,
}

/// Why a text or a calculation gave no decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// More than 38 digits.
    #[error("the number has more than 38 digits")]
    TooLong,
    /// Not a decimal number.
    #[error("this is not a decimal number")]
    Malformed,
}

/// `10^n` for `n` up to 38; `None` beyond.
fn power_of_ten(n: u8) -> Option<i128> {
    10_i128.checked_pow(u32::from(n))
}

impl Decimal {
    /// Zero at scale 0.
    pub const ZERO: Self = Self { units: 0, scale: 0 };

    /// A decimal of `units * 10^-scale`; `scale` must be at most 38.
    pub fn new(units: i128, scale: u8) -> Result<Self, DecimalError> {
        if scale > MAX_PRECISION || units.unsigned_abs() >= 10_u128.pow(38) {
            return Err(DecimalError::TooLong);
        }
        Ok(Self { units, scale })
    }

    /// The whole number `n`.
    pub const fn from_int(n: i64) -> Self {
        Self {
            units: n as i128,
            scale: 0,
        }
    }

    /// The units: the number times `10^scale`.
    pub const fn units(self) -> i128 {
        self.units
    }

    /// How many places stand after the point.
    pub const fn scale(self) -> u8 {
        self.scale
    }

    /// The same number at another scale, rounded where places are lost.
    pub fn rescale(self, scale: u8, rounding: Rounding) -> Result<Self, DecimalError> {
        match scale.cmp(&self.scale) {
            Ordering::Equal => Ok(self),
            Ordering::Greater => {
                let factor = power_of_ten(scale - self.scale).ok_or(DecimalError::TooLong)?;
                let units = self
                    .units
                    .checked_mul(factor)
                    .ok_or(DecimalError::TooLong)?;
                Self::new(units, scale)
            }
            Ordering::Less => {
                let Some(factor) = power_of_ten(self.scale - scale) else {
                    return Ok(Self { units: 0, scale });
                };
                Self::new(divide_rounded(self.units, factor, rounding), scale)
            }
        }
    }

    /// How many digits stand before the point (0 for numbers below one).
    pub fn integer_digits(self) -> u8 {
        let whole = match power_of_ten(self.scale) {
            Some(factor) => self.units / factor,
            None => 0,
        };
        if whole == 0 {
            0
        } else {
            whole.unsigned_abs().ilog10() as u8 + 1
        }
    }

    /// The whole number, where nothing stands after the point and it fits.
    pub fn to_int(self) -> Option<i64> {
        let whole = self.rescale(0, Rounding::Down).ok()?;
        (whole == self)
            .then(|| i64::try_from(whole.units).ok())
            .flatten()
    }

    /// Without trailing zeros after the point.
    pub fn normalised(self) -> Self {
        let mut n = self;
        while n.scale > 0 && n.units % 10 == 0 {
            n.units /= 10;
            n.scale -= 1;
        }
        n
    }
}

/// `units / factor`, rounded.
fn divide_rounded(units: i128, factor: i128, rounding: Rounding) -> i128 {
    let (quotient, rest) = (units / factor, units % factor);
    let away = if units < 0 { -1 } else { 1 };
    let twice = rest
        .unsigned_abs()
        .saturating_mul(2)
        .cmp(&factor.unsigned_abs());
    let up = match rounding {
        Rounding::Down => false,
        Rounding::Up => rest != 0,
        Rounding::HalfUp => twice != Ordering::Less,
        Rounding::HalfEven => {
            twice == Ordering::Greater || (twice == Ordering::Equal && quotient % 2 != 0)
        }
    };
    if up { quotient + away } else { quotient }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Decimal {}

impl Hash for Decimal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let n = self.normalised();
        (n.units, n.scale).hash(state);
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.scale == other.scale {
            return self.units.cmp(&other.units);
        }
        let (a, b) = (self.normalised(), other.normalised());
        let scale = a.scale.max(b.scale);
        match (
            a.rescale(scale, Rounding::Down),
            b.rescale(scale, Rounding::Down),
        ) {
            (Ok(a), Ok(b)) => a.units.cmp(&b.units),
            // One of them is too large to be written at the other's scale, so its whole part decides.
            (Err(_), _) => a.units.signum().cmp(&0),
            (_, Err(_)) => 0.cmp(&b.units.signum()),
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.units < 0 { "-" } else { "" };
        let digits = self.units.unsigned_abs().to_string();
        let scale = usize::from(self.scale);
        if scale == 0 {
            return write!(f, "{sign}{digits}");
        }
        let digits = format!("{digits:0>width$}", width = scale + 1);
        let (whole, places) = digits.split_at(digits.len() - scale);
        write!(f, "{sign}{whole}.{places}")
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;

    /// Reads `-12.50`, also with an exponent as JSON allows (`1.5e3`).
    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (
                &text[..at],
                text[at + 1..]
                    .parse::<i32>()
                    .map_err(|_| DecimalError::Malformed)?,
            ),
            None => (text, 0),
        };
        let (negative, body) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, places) = body.split_once('.').unwrap_or((body, ""));
        if whole.is_empty() && places.is_empty()
            || !whole
                .bytes()
                .chain(places.bytes())
                .all(|b| b.is_ascii_digit())
        {
            return Err(DecimalError::Malformed);
        }
        let mut units: i128 = 0;
        for digit in whole.bytes().chain(places.bytes()) {
            units = units
                .checked_mul(10)
                .and_then(|n| n.checked_add(i128::from(digit - b'0')))
                .ok_or(DecimalError::TooLong)?;
        }
        if negative {
            units = -units;
        }
        let scale = i32::try_from(places.len())
            .map_err(|_| DecimalError::TooLong)?
            .checked_sub(exponent)
            .ok_or(DecimalError::TooLong)?;
        if units == 0 {
            return Ok(Self {
                units: 0,
                scale: scale.clamp(0, i32::from(MAX_PRECISION)) as u8,
            });
        }
        if scale < 0 {
            let factor = u8::try_from(-scale)
                .ok()
                .and_then(power_of_ten)
                .ok_or(DecimalError::TooLong)?;
            return Self::new(units.checked_mul(factor).ok_or(DecimalError::TooLong)?, 0);
        }
        Self::new(
            units,
            u8::try_from(scale).map_err(|_| DecimalError::TooLong)?,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rounds_by_mode() {
        let cases = [
            ("1000.005", 2, Rounding::HalfEven, "1000.00"),
            ("1000.015", 2, Rounding::HalfEven, "1000.02"),
            ("-0.5", 0, Rounding::HalfEven, "0"),
            ("-1.5", 0, Rounding::HalfUp, "-2"),
            ("1.01", 1, Rounding::Up, "1.1"),
            ("-1.09", 1, Rounding::Down, "-1.0"),
        ];
        for (text, scale, rounding, wanted) in cases {
            let n: Decimal = text.parse().unwrap();
            assert_eq!(
                n.rescale(scale, rounding).unwrap().to_string(),
                wanted,
                "{text} to {scale} places, {rounding:?}"
            );
        }
    }

    #[test]
    fn reads_json_exponents_and_refuses_the_rest() {
        assert_eq!("1.5e3".parse::<Decimal>().unwrap(), Decimal::from_int(1500));
        assert_eq!("15e-1".parse::<Decimal>().unwrap().to_string(), "1.5");
        for text in ["", "-", ".", "1.2.3", "NaN", "1e", "0x1"] {
            assert_eq!(
                text.parse::<Decimal>(),
                Err(DecimalError::Malformed),
                "{text}"
            );
        }
        assert_eq!(
            "1".repeat(39).parse::<Decimal>(),
            Err(DecimalError::TooLong)
        );
        assert_eq!(
            "1e2147483647".parse::<Decimal>(),
            Err(DecimalError::TooLong)
        );
    }

    proptest! {
        #[test]
        fn prints_what_it_reads(units in -10_i128.pow(30)..10_i128.pow(30), scale in 0_u8..30) {
            let n = Decimal::new(units, scale).unwrap();
            let back: Decimal = n.to_string().parse().unwrap();
            prop_assert_eq!(n, back);
            prop_assert_eq!(back.scale(), scale);
        }

        #[test]
        fn order_is_that_of_the_numbers(a in -1_000_000_i64..1_000_000, b in -1_000_000_i64..1_000_000, s in 0_u8..20) {
            let x = Decimal::from_int(a).rescale(s, Rounding::Down).unwrap();
            prop_assert_eq!(x.cmp(&Decimal::from_int(b)), a.cmp(&b));
        }
    }
}
