//! JSON numbers, exact.

use dwmap_plan::{Decimal, DecimalError};

use super::{Cursor, RowError, RowProblem};

/// A number's text, and what was seen on the way.
pub(super) struct Number {
    from: usize,
    to: usize,
    /// Its digits as a whole number, where they are at most 18.
    small: Option<i64>,
    /// How many of the digits stand after the point.
    places: u8,
    /// It has a point or an exponent.
    pub(super) fraction: bool,
    exponent: bool,
}

/// Up to this many digits fit 64 bits, sign included.
const SMALL_DIGITS: usize = 18;

impl Cursor<'_> {
    /// A number by JSON's grammar.
    pub(super) fn number(&mut self) -> Result<Number, RowError> {
        let from = self.at;
        let negative = self.peek() == Some(b'-');
        if negative {
            self.at += 1;
        }
        let mut units: i64 = 0;
        let whole = self.at;
        self.digits(&mut units)?;
        let whole_digits = self.at - whole;
        if whole_digits > 1 && self.bytes[whole] == b'0' {
            self.at = whole + 1;
            return Err(self.expected("a point, or the number's end"));
        }
        let mut places = 0;
        let mut fraction = false;
        if self.peek() == Some(b'.') {
            self.at += 1;
            let first = self.at;
            self.digits(&mut units)?;
            places = self.at - first;
            fraction = true;
        }
        let mut exponent = false;
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits(&mut 0)?;
            (exponent, fraction) = (true, true);
        }
        let small = whole_digits + places <= SMALL_DIGITS;
        Ok(Number {
            from,
            to: self.at,
            small: small.then(|| if negative { -units } else { units }),
            places: places.min(usize::from(u8::MAX)) as u8,
            fraction,
            exponent,
        })
    }

    /// At least one digit. The sum is right as long as it is short.
    fn digits(&mut self, units: &mut i64) -> Result<(), RowError> {
        let from = self.at;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            *units = units.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'));
            self.at += 1;
        }
        if self.at == from {
            return Err(self.expected("a digit"));
        }
        Ok(())
    }

    /// The number as a decimal, with the scale that it was written with.
    pub(super) fn decimal_of(&self, n: &Number) -> Result<Decimal, RowError> {
        let exact = match n.small {
            Some(units) if !n.exponent => Decimal::new(i128::from(units), n.places),
            _ => self.slice(n.from, n.to).parse(),
        };
        exact.map_err(|e: DecimalError| RowError {
            problem: match e {
                DecimalError::TooLong => RowProblem::NumberTooLong,
                DecimalError::Malformed => RowProblem::Expected("a number"),
            },
            at: n.from,
        })
    }

    /// The number as a whole one; none where it has a fraction. `Err` where it lies beyond 64 bits.
    pub(super) fn whole_of(&self, n: &Number) -> Option<Result<i64, ()>> {
        if n.fraction {
            return None;
        }
        Some(match n.small {
            Some(n) => Ok(n),
            None => self.slice(n.from, n.to).parse().map_err(|_| ()),
        })
    }

    /// The number as a float.
    pub(super) fn float_of(&self, n: &Number) -> Result<f64, RowError> {
        match self.slice(n.from, n.to).parse::<f64>() {
            Ok(f) if f.is_finite() => Ok(f),
            _ => Err(RowError {
                problem: RowProblem::NumberTooLong,
                at: n.from,
            }),
        }
    }

    /// Refuses a number of more than 38 digits in a column for shorter ones.
    pub(super) fn short(&self, n: &Number) -> Result<(), RowError> {
        if n.small.is_none() {
            self.decimal_of(n)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_numbers_are_exact_or_refused() {
        let read = |text: &str| {
            let mut cursor = Cursor::new(text);
            let number = cursor.number()?;
            cursor.decimal_of(&number)
        };
        // Its last 64 bits are those of the least 64-bit number, which has no negative.
        assert_eq!(
            read("-9223372036854775808")
                .map(|n| n.to_string())
                .as_deref(),
            Ok("-9223372036854775808")
        );
        assert_eq!(read("15e-1").map(|n| n.to_string()).as_deref(), Ok("1.5"));
        for text in ["01", "-", "1.", "1e", ".5"] {
            assert!(matches!(
                read(text).map_err(|e| e.problem),
                Err(RowProblem::Expected(_))
            ));
        }
        let long = "1".repeat(39);
        assert_eq!(
            read(&long).map_err(|e| e.problem),
            Err(RowProblem::NumberTooLong)
        );
    }
}
