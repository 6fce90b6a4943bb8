//! JSON, appended to a body.

pub(crate) mod text;
pub(crate) mod time;

use dwmap_plan::Decimal;

use crate::slot::Token;

/// How many bytes are copied at once, inline: most keys and texts are shorter, and a call for each would take longer
/// than the copy.
const STRIDE: usize = 32;

/// Bytes that are written again and again, padded to whole strides.
#[derive(Debug)]
pub(crate) struct Fixed {
    strides: Box<[[u8; STRIDE]]>,
    len: usize,
}

impl Fixed {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let padded = |chunk: &[u8]| {
            let mut stride = [0; STRIDE];
            stride[..chunk.len()].copy_from_slice(chunk);
            stride
        };
        Self {
            strides: bytes.chunks(STRIDE).map(padded).collect(),
            len: bytes.len(),
        }
    }

    /// Appends them.
    #[inline]
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let end = out.len() + self.len;
        for stride in &self.strides {
            out.extend_from_slice(stride);
        }
        out.truncate(end);
    }
}

/// Appends a token that mostly is short.
#[inline]
pub(crate) fn short(out: &mut Vec<u8>, token: Token<'_>) {
    match token.here.first_chunk::<STRIDE>() {
        Some(stride) if token.len <= STRIDE => {
            let end = out.len() + token.len;
            out.extend_from_slice(stride);
            out.truncate(end);
        }
        _ => out.extend_from_slice(token.here.get(..token.len).unwrap_or_default()),
    }
}

/// A whole number.
pub(crate) fn int(out: &mut Vec<u8>, n: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
}

/// A decimal with all its places, without an exponent.
pub(crate) fn decimal(out: &mut Vec<u8>, n: Decimal) {
    let (units, scale) = (n.units(), usize::from(n.scale()));
    if units < 0 {
        out.push(b'-');
    }
    let magnitude = units.unsigned_abs();
    let mut buffer = itoa::Buffer::new();
    let digits = match u64::try_from(magnitude) {
        Ok(small) => buffer.format(small),
        Err(_) => buffer.format(magnitude),
    };
    if scale == 0 {
        out.extend_from_slice(digits.as_bytes());
    } else if let Some(whole) = digits.len().checked_sub(scale).filter(|n| *n > 0) {
        out.extend_from_slice(&digits.as_bytes()[..whole]);
        out.push(b'.');
        out.extend_from_slice(&digits.as_bytes()[whole..]);
    } else {
        out.extend_from_slice(b"0.");
        out.extend(std::iter::repeat_n(b'0', scale - digits.len()));
        out.extend_from_slice(digits.as_bytes());
    }
}

/// A float, without an exponent; never NaN or infinite, since no reader lets those in.
pub(crate) fn float(out: &mut Vec<u8>, f: f64) {
    use std::io::Write;
    // Writing to a vector can't fail.
    let _ = write!(out, "{f}");
}

/// Base64 with its padding (RFC 4648), in quotes.
pub(crate) fn base64(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    out.push(b'"');
    for group in bytes.chunks(3) {
        let mut padded = [0; 4];
        padded[1..=group.len()].copy_from_slice(group);
        let bits = u32::from_be_bytes(padded);
        for digit in 0..4 {
            if digit <= group.len() {
                let sextet = bits >> (18 - 6 * digit) & 63;
                out.push(DIGITS[sextet as usize]);
            } else {
                out.push(b'=');
            }
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = vec![];
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn base64_has_its_padding() {
        for (bytes, wanted) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foob", "Zm9vYg=="),
        ] {
            let wanted = format!("\"{wanted}\"");
            assert_eq!(written(|out| base64(out, bytes.as_bytes())), wanted);
        }
    }

    proptest! {
        #[test]
        fn a_decimal_is_written_as_it_prints(units in any::<i128>(), scale in 0_u8..=38, digits in 0_u32..38) {
            let n = Decimal::new(units % 10_i128.pow(digits + 1), scale).unwrap_or(Decimal::ZERO);
            prop_assert_eq!(written(|out| decimal(out, n)), n.to_string());
        }
    }
}
