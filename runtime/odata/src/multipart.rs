//! Multipart bodies and the header blocks in them, over bytes.
//!
//! Source: RFC 2046, 5.1 "Multipart Media Type"; RFC 9112 for the messages inside. Bare line feeds are tolerated.

use bytes::Bytes;
use memchr::memmem;

/// Headers, in their order, names as written.
pub(crate) type Headers = Vec<(String, String)>;

/// A header's value, by name without case.
pub(crate) fn header<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(n, _)| n.eq_ignore_ascii_case(name))
        .map(|(_, v)| v.as_str())
}

/// The `boundary` of a `multipart/…` content type.
pub(crate) fn boundary_of(content_type: &str) -> Option<&str> {
    let mut pieces = content_type.split(';').map(str::trim);
    let kind = pieces.next()?;
    if !kind.get(..10)?.eq_ignore_ascii_case("multipart/") {
        return None;
    }
    let value = pieces.find_map(|piece| {
        let (name, value) = piece.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("boundary")
            .then(|| value.trim())
    })?;
    let value = value
        .strip_prefix('"')
        .and_then(|v| v.strip_suffix('"'))
        .unwrap_or(value);
    (!value.is_empty()).then_some(value)
}

/// The parts between boundary lines. `None` if the closing boundary is missing: the body was cut short.
pub(crate) fn split(body: &Bytes, boundary: &str) -> Option<Vec<Bytes>> {
    let marker = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut start = None;
    for at in memmem::find_iter(body, marker.as_bytes()) {
        let at_line_start = at == 0 || body[at - 1] == b'\n';
        let after = &body[at + marker.len()..];
        let closing = after.starts_with(b"--");
        let tail = if closing { &after[2..] } else { after };
        // A longer boundary that begins alike is another one.
        if !at_line_start || !line_ends(tail) {
            continue;
        }
        if let Some(from) = start {
            parts.push(body.slice(from..trim_line_end(body, from, at)));
        }
        if closing {
            return Some(parts);
        }
        let line_end =
            memchr::memchr(b'\n', after).map_or(body.len(), |n| at + marker.len() + n + 1);
        start = Some(line_end);
    }
    None
}

fn line_ends(text: &[u8]) -> bool {
    let rest = text.trim_ascii_start();
    let blank = &text[..text.len() - rest.len()];
    rest.is_empty() || blank.contains(&b'\n')
}

/// The line break before a boundary belongs to the boundary.
fn trim_line_end(body: &Bytes, from: usize, at: usize) -> usize {
    let mut end = at;
    for wanted in [b'\n', b'\r'] {
        if end > from && body[end - 1] == wanted {
            end -= 1;
        }
    }
    end
}

/// The headers at the start of `text`, and what follows the blank line. `None` if a line isn't a header.
pub(crate) fn headers(text: &Bytes) -> Option<(Headers, Bytes)> {
    let mut headers = Vec::new();
    let mut rest = text.clone();
    loop {
        let (line, after) = line(&rest);
        if line.is_empty() {
            return Some((headers, after));
        }
        let (name, value) = std::str::from_utf8(&line).ok()?.split_once(':')?;
        headers.push((name.trim().to_owned(), value.trim().to_owned()));
        rest = after;
    }
}

/// The first line without its end, and the rest.
pub(crate) fn line(text: &Bytes) -> (Bytes, Bytes) {
    let Some(at) = memchr::memchr(b'\n', text) else {
        return (text.clone(), Bytes::new());
    };
    let end = if at > 0 && text[at - 1] == b'\r' {
        at - 1
    } else {
        at
    };
    (text.slice(..end), text.slice(at + 1..))
}

/// A boundary beginning with `prefix` that none of the bodies contains.
pub(crate) fn free_boundary<'a>(
    prefix: &str,
    bodies: impl Iterator<Item = &'a [u8]> + Clone,
) -> String {
    (0..u64::MAX)
        .map(|n| format!("{prefix}{n}"))
        .find(|candidate| {
            let finder = memmem::Finder::new(candidate.as_bytes());
            !bodies.clone().any(|body| finder.find(body).is_some())
        })
        .unwrap_or_else(|| prefix.to_owned())
}

/// Writes headers, each on its line. A line break in a value would begin another header, so it becomes a blank.
pub(crate) fn push_headers(out: &mut Vec<u8>, headers: &[(String, String)]) {
    for (name, value) in headers {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend(
            value
                .bytes()
                .map(|b| if matches!(b, b'\r' | b'\n') { b' ' } else { b }),
        );
        out.extend_from_slice(b"\r\n");
    }
}
