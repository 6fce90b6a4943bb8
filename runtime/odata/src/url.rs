//! URLs: percent-encoding, resources with key predicates, query options.
//!
//! Source: *OData Version 4.01, Part 2: URL Conventions*, 4.3 "Addressing Entities"; RFC 3986 for the encoding.

use std::fmt::Write;

use crate::Literal;

/// Percent-encodes everything but RFC 3986's unreserved characters, and those that OData needs to stay readable and
/// that may stand in a query: `$ ' ( ) , : @ /`.
///
/// ```
/// assert_eq!(dwmap_odata::url::encode("name eq 'A&B'"), "name%20eq%20'A%26B'");
/// ```
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    push_encoded(&mut out, text, b"$'(),:@/*!");
    out
}

/// Percent-encodes a value within a path, where `/` would part segments.
fn push_segment(out: &mut String, text: &str) {
    push_encoded(out, text, b"$'(),:@!");
}

fn push_encoded(out: &mut String, text: &str, kept: &[u8]) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~')
            || kept.contains(&byte)
        {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

/// Undoes percent-encoding; `+` stays a plus sign. `None` if an escape is broken or the bytes are not UTF-8.
pub fn decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = char::from(bytes.next()?).to_digit(16)?;
            let low = char::from(bytes.next()?).to_digit(16)?;
            out.push((high * 16 + low) as u8);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

/// The options of a query string, decoded, in their order. Here `+` is a blank, as servers read it.
/// `None` if an escape is broken.
pub fn parse_query(query: &str) -> Option<Vec<(String, String)>> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((
                decode(&name.replace('+', " "))?,
                decode(&value.replace('+', " "))?,
            ))
        })
        .collect()
}

/// A key predicate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// `set(literal)`: the primary key's one part.
    Single(Literal<'static>),
    /// `set(a='x',b=1)`: a primary key of several parts, or an alternate key.
    Named(Vec<(String, Literal<'static>)>),
}

/// The resource that a path addresses below the service root.
///
/// ```
/// use dwmap_odata::{Key, Literal, Resource};
/// let resource: Resource = "CustomersV3(dataAreaId='usmf',CustomerAccount='a%2Fb')".parse().unwrap();
/// assert_eq!(resource.set, "CustomersV3");
/// assert_eq!(resource.key, Some(Key::Named(vec![
///     ("dataAreaId".to_owned(), Literal::text("usmf")),
///     ("CustomerAccount".to_owned(), Literal::text("a/b")),
/// ])));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The entity set (or whatever stands first).
    pub set: String,
    /// The key, where one is given.
    pub key: Option<Key>,
    /// The segments behind it: an action, a navigation, `$ref`, `$value`, `$count`.
    pub rest: Vec<String>,
}

/// A path that addresses nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the path of a resource; expected SET, SET(KEY) or SET(NAME=KEY,…)")]
pub struct ResourceError(pub String);

impl std::str::FromStr for Resource {
    type Err = ResourceError;

    /// Reads a percent-encoded path without query.
    fn from_str(path: &str) -> Result<Self, ResourceError> {
        parse_resource(path).ok_or_else(|| ResourceError(path.to_owned()))
    }
}

fn parse_resource(path: &str) -> Option<Resource> {
    let path = path.strip_prefix('/').unwrap_or(path);
    // A slash inside a key is encoded, and one in quotes is tolerated; so the path is parted before it is decoded.
    let (first, rest) = split_first_segment(path);
    let first = decode(first)?;
    let rest = rest.map_or(Some(Vec::new()), |rest| {
        rest.split('/').map(decode).collect()
    })?;
    let (set, key) = match first.split_once('(') {
        None => (first, None),
        Some((set, inner)) => (set.to_owned(), Some(parse_key(inner.strip_suffix(')')?)?)),
    };
    (!set.is_empty()).then_some(Resource { set, key, rest })
}

fn split_first_segment(path: &str) -> (&str, Option<&str>) {
    let mut quoted = false;
    for (at, byte) in path.bytes().enumerate() {
        match byte {
            b'\'' => quoted = !quoted,
            b'/' if !quoted => return (&path[..at], Some(&path[at + 1..])),
            _ => {}
        }
    }
    (path, None)
}

/// Reads what stands between the parentheses, decoded.
pub fn parse_key(text: &str) -> Option<Key> {
    let mut rest = text.trim();
    if let Some((literal, taken)) = Literal::read(rest)
        && taken == rest.len()
    {
        return Some(Key::Single(literal.into_owned()));
    }
    let mut parts = Vec::new();
    loop {
        let (name, value) = rest.split_once('=')?;
        let value = value.trim_start();
        let (literal, taken) = Literal::read(value)?;
        let name = name.trim();
        if name.is_empty() || name.contains(['\'', '(', ')', ',']) {
            return None;
        }
        parts.push((name.to_owned(), literal.into_owned()));
        rest = value[taken..].trim_start();
        if rest.is_empty() {
            return Some(Key::Named(parts));
        }
        rest = rest.strip_prefix(',')?;
    }
}

/// Builds a relative URL, encoded as it grows.
///
/// ```
/// use dwmap_odata::{Literal, Url};
/// let url = Url::set("CustomersV3")
///     .key([("dataAreaId", Literal::text("usmf")), ("CustomerAccount", Literal::text("US 1"))])
///     .option("$select", "Name,City");
/// assert_eq!(url.as_str(), "CustomersV3(dataAreaId='usmf',CustomerAccount='US%201')?$select=Name,City");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    text: String,
    has_query: bool,
}

impl Url {
    /// The URL of a set.
    pub fn set(name: &str) -> Self {
        let mut text = String::with_capacity(64);
        push_segment(&mut text, name);
        Self {
            text,
            has_query: false,
        }
    }

    /// Adds a key of named parts.
    pub fn key<'a>(mut self, parts: impl IntoIterator<Item = (&'a str, Literal<'a>)>) -> Self {
        self.text.push('(');
        for (at, (name, value)) in parts.into_iter().enumerate() {
            if at > 0 {
                self.text.push(',');
            }
            push_segment(&mut self.text, name);
            self.text.push('=');
            push_segment(&mut self.text, &value.to_string());
        }
        self.text.push(')');
        self
    }

    /// Adds the key of a single unnamed part: `accounts(00000000-…)`.
    pub fn id(mut self, value: &Literal<'_>) -> Self {
        self.text.push('(');
        push_segment(&mut self.text, &value.to_string());
        self.text.push(')');
        self
    }

    /// Adds a segment: an action or a navigation.
    pub fn segment(mut self, name: &str) -> Self {
        self.text.push('/');
        push_segment(&mut self.text, name);
        self
    }

    /// Adds a query option; only after the path is complete.
    pub fn option(mut self, name: &str, value: &str) -> Self {
        self.text.push(if self.has_query { '&' } else { '?' });
        self.has_query = true;
        self.text.push_str(&encode(name));
        self.text.push('=');
        self.text.push_str(&encode(value));
        self
    }

    /// The text so far.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl From<Url> for String {
    fn from(url: Url) -> Self {
        url.text
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_action_stands_behind_the_set() {
        let resource: Resource = "accounts/Microsoft.Dynamics.CRM.UpsertMultiple"
            .parse()
            .unwrap();
        assert_eq!(resource.rest, ["Microsoft.Dynamics.CRM.UpsertMultiple"]);
    }

    #[test]
    fn refuses_what_addresses_nothing() {
        for wrong in [
            "",
            "/",
            "a(",
            "a()",
            "a(x=)",
            "a(=1)",
            "a('x)",
            "a(%ZZ)",
            "a(x='1' y='2')",
        ] {
            assert!(wrong.parse::<Resource>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_plus_is_a_blank_in_a_query_only() {
        let query = parse_query("$filter=a+eq+'x%2By'&$top=3").unwrap();
        assert_eq!(query[0], ("$filter".to_owned(), "a eq 'x+y'".to_owned()));
        assert_eq!(decode("a+b").as_deref(), Some("a+b"));
    }

    proptest! {
        #[test]
        fn encoding_round_trips(text in any::<String>()) {
            let encoded = encode(&text);
            prop_assert!(encoded.is_ascii());
            prop_assert_eq!(decode(&encoded), Some(text.clone()));
            prop_assert_eq!(parse_query(&format!("$filter={encoded}")), Some(vec![("$filter".to_owned(), text)]));
        }

        #[test]
        fn keys_round_trip(a in any::<String>(), n in any::<i64>()) {
            let url = Url::set("Set").key([("a", Literal::text(a.as_str())), ("n", Literal::Int(n))]);
            let back: Resource = url.as_str().parse().unwrap();
            let wanted = Key::Named(vec![("a".to_owned(), Literal::text(a)), ("n".to_owned(), Literal::Int(n))]);
            prop_assert_eq!(back.key, Some(wanted));
        }

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = text.parse::<Resource>();
            let _ = parse_query(&text);
            let _ = parse_key(&text);
        }
    }
}
