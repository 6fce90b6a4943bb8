//! Values as bytes: short, and equal exactly where the values are equal.
//!
//! Bases, keys and intents are kept in this form. It is versioned with the state's schema.
//!
//! ```text
//! 0 null   1 false   2 true   3 integer (zigzag varint)   4 decimal (scale, zigzag varint; trailing zeros dropped)
//! 5 float (8 bytes)   6 text (length, UTF-8)   7 date   8 date-time (zigzag varint)   9 guid (16 bytes)   10 binary
//! ```

use dwmap_plan::{Decimal, Value};

/// Bytes that are no encoded values: the state is damaged, or was written by something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stored values can't be read")]
pub struct Unreadable;

/// Appends an unsigned number, seven bits a byte.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut n: u128) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

fn put_zigzag(out: &mut Vec<u8>, n: i128) {
    put_varint(out, ((n << 1) ^ (n >> 127)) as u128);
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u128);
    out.extend_from_slice(bytes);
}

/// Appends a value.
pub(crate) fn put_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.push(0),
        Value::Bool(b) => out.push(1 + u8::from(*b)),
        Value::Int(n) => {
            out.push(3);
            put_zigzag(out, i128::from(*n));
        }
        Value::Decimal(d) => {
            let d = d.normalised();
            out.extend_from_slice(&[4, d.scale()]);
            put_zigzag(out, d.units());
        }
        Value::Float(f) => {
            out.push(5);
            // -0.0 and 0.0 are equal.
            out.extend_from_slice(&(f + 0.0).to_le_bytes());
        }
        Value::Text(text) => {
            out.push(6);
            put_bytes(out, text.as_bytes());
        }
        Value::Date(days) => {
            out.push(7);
            put_zigzag(out, i128::from(*days));
        }
        Value::DateTime(micros) => {
            out.push(8);
            put_zigzag(out, i128::from(*micros));
        }
        Value::Guid(bytes) => {
            out.push(9);
            out.extend_from_slice(bytes);
        }
        Value::Binary(bytes) => {
            out.push(10);
            put_bytes(out, bytes);
        }
    }
}

/// Reads what `put_*` wrote.
#[derive(Debug)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    /// The next `n` bytes.
    pub(crate) fn take(&mut self, n: usize) -> Result<&'a [u8], Unreadable> {
        let (head, rest) = self.0.split_at_checked(n).ok_or(Unreadable)?;
        self.0 = rest;
        Ok(head)
    }

    /// The next byte.
    pub(crate) fn byte(&mut self) -> Result<u8, Unreadable> {
        Ok(self.take(1)?[0])
    }

    /// An unsigned number.
    pub(crate) fn varint(&mut self) -> Result<u128, Unreadable> {
        let mut n = 0_u128;
        for shift in (0..128).step_by(7) {
            let byte = self.byte()?;
            n |= u128::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(n);
            }
        }
        Err(Unreadable)
    }

    fn zigzag(&mut self) -> Result<i128, Unreadable> {
        let n = self.varint()?;
        Ok((n >> 1) as i128 ^ -((n & 1) as i128))
    }

    fn bytes(&mut self) -> Result<&'a [u8], Unreadable> {
        let len = self.varint()?;
        self.take(usize::try_from(len).map_err(|_| Unreadable)?)
    }

    /// A value.
    pub(crate) fn value(&mut self) -> Result<Value, Unreadable> {
        Ok(match self.byte()? {
            0 => Value::Null,
            1 => Value::Bool(false),
            2 => Value::Bool(true),
            3 => Value::Int(i64::try_from(self.zigzag()?).map_err(|_| Unreadable)?),
            4 => {
                let scale = self.byte()?;
                Value::Decimal(Decimal::new(self.zigzag()?, scale).map_err(|_| Unreadable)?)
            }
            5 => {
                let bytes = self.take(8)?.try_into().map_err(|_| Unreadable)?;
                Value::Float(f64::from_le_bytes(bytes))
            }
            6 => {
                let text = std::str::from_utf8(self.bytes()?).map_err(|_| Unreadable)?;
                Value::Text(text.to_owned())
            }
            7 => Value::Date(i32::try_from(self.zigzag()?).map_err(|_| Unreadable)?),
            8 => Value::DateTime(i64::try_from(self.zigzag()?).map_err(|_| Unreadable)?),
            9 => Value::Guid(self.take(16)?.try_into().map_err(|_| Unreadable)?),
            10 => Value::Binary(self.bytes()?.to_vec()),
            _ => return Err(Unreadable),
        })
    }

    /// Whether nothing is left.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Values one after the other.
pub(crate) fn encode_values<'v>(values: impl IntoIterator<Item = &'v Value>) -> Vec<u8> {
    let mut out = Vec::new();
    for value in values {
        put_value(&mut out, value);
    }
    out
}

/// The values that [`encode_values`] wrote.
pub(crate) fn decode_values(bytes: &[u8]) -> Result<Vec<Value>, Unreadable> {
    let mut reader = Reader(bytes);
    let mut values = Vec::new();
    while !reader.is_empty() {
        values.push(reader.value()?);
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            (any::<i64>(), 0_u8..20).prop_map(|(units, scale)| Value::Decimal(
                Decimal::new(i128::from(units), scale).unwrap()
            )),
            (-1e9_f64..1e9).prop_map(Value::Float),
            ".{0,20}".prop_map(Value::Text),
            any::<i32>().prop_map(Value::Date),
            any::<i64>().prop_map(Value::DateTime),
            any::<[u8; 16]>().prop_map(Value::Guid),
            proptest::collection::vec(any::<u8>(), 0..20).prop_map(Value::Binary),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(all in proptest::collection::vec(values(), 0..8)) {
            prop_assert_eq!(decode_values(&encode_values(&all)).unwrap(), all);
        }

        #[test]
        fn damage_is_an_error_and_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = decode_values(&bytes);
        }
    }

    #[test]
    fn equal_numbers_have_equal_bytes() {
        let decimal = |text: &str| Value::Decimal(text.parse().unwrap());
        assert_eq!(
            encode_values(&[decimal("1.0")]),
            encode_values(&[decimal("1.000")])
        );
        assert_eq!(
            encode_values(&[Value::Float(0.0)]),
            encode_values(&[Value::Float(-0.0)])
        );
    }
}
