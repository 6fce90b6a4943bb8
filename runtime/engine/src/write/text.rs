//! Strings.

/// A string in quotes, with the escapes that JSON needs and no others.
#[inline]
pub(crate) fn string(out: &mut Vec<u8>, text: &[u8], plain: bool) {
    out.push(b'"');
    content(out, text, plain);
    out.push(b'"');
}

/// A string's content. `plain`: nothing in it needs an escape.
#[inline]
pub(crate) fn content(out: &mut Vec<u8>, text: &[u8], plain: bool) {
    if plain {
        out.extend_from_slice(text);
        return;
    }
    for byte in text {
        match *byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            8 => out.extend_from_slice(b"\\b"),
            12 => out.extend_from_slice(b"\\f"),
            control @ 0..0x20 => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(control >> 4)]);
                out.push(HEX[usize::from(control & 15)]);
            }
            byte => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slot::is_plain;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn writes_what_serde_writes(text in any::<String>()) {
            let mut out = vec![];
            string(&mut out, text.as_bytes(), is_plain(text.as_bytes()));
            prop_assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(&text).unwrap());
        }
    }
}
