//! Reads one table of the manifest: which keys it may have, and what each must be.

use std::{ops::Range, time::Duration};

use crate::{
    ConfigError, Place, SecretSetting, Setting,
    node::{Node, Table, Value},
    place::Source,
    suggest::Choices,
};

/// A table that is being read.
pub(crate) struct Section<'a> {
    pub(crate) source: &'a Source,
    name: String,
    table: &'a Table,
    span: Range<usize>,
}

/// A text and its place.
pub(crate) struct Text {
    pub(crate) value: String,
    pub(crate) place: Place,
}

impl<'a> Section<'a> {
    /// The table of this name. A key that isn't among `known` is an error: it is looked for first, since a misspelt key
    /// is a better message than the missing one that it causes.
    pub(crate) fn new(
        source: &'a Source,
        name: impl Into<String>,
        table: &'a Table,
        span: &Range<usize>,
        known: &[&str],
    ) -> Result<Self, ConfigError> {
        let name = name.into();
        let stranger = table
            .iter()
            .filter(|(key, _)| !known.contains(&key.as_str()))
            .min_by_key(|(_, entry)| entry.key_span.start);
        if let Some((key, entry)) = stranger {
            return Err(ConfigError::UnknownKey {
                place: source.place(&entry.key_span),
                key: key.clone(),
                section: name,
                choices: Box::new(Choices::of(key, known.iter().copied())),
            });
        }
        Ok(Self {
            source,
            name,
            table,
            span: span.clone(),
        })
    }

    /// The value of a key, where it is there.
    pub(crate) fn get(&self, key: &str) -> Option<&'a Node> {
        self.table.get(key).map(|entry| &entry.node)
    }

    /// The error of a key that must be there and isn't.
    pub(crate) fn missing(&self, key: &str, example: &str) -> ConfigError {
        ConfigError::Missing {
            place: self.source.place(&self.span),
            key: key.to_owned(),
            section: self.name.clone(),
            example: format!("`{key} = {example}`"),
        }
    }

    /// The error of a table that must be there and isn't.
    pub(crate) fn missing_table(&self, key: &str, example: &str) -> ConfigError {
        ConfigError::Missing {
            place: self.source.place(&self.span),
            key: key.to_owned(),
            section: self.name.clone(),
            example: format!("a table `{example}`"),
        }
    }

    /// The error of a value of another type.
    pub(crate) fn wrong(&self, key: &str, node: &Node, expected: &'static str) -> ConfigError {
        ConfigError::WrongType {
            place: self.source.place(&node.span),
            key: key.to_owned(),
            expected,
            found: node.value.describe(),
        }
    }

    /// The error of a text that can't be read as what it must be.
    pub(crate) fn bad(key: &str, text: Text, problem: impl Into<String>) -> ConfigError {
        ConfigError::BadValue {
            place: text.place,
            key: key.to_owned(),
            value: text.value,
            problem: problem.into(),
        }
    }

    fn text_of(&self, key: &str, node: &Node) -> Result<Text, ConfigError> {
        match &node.value {
            Value::Text(value) => Ok(Text {
                value: value.clone(),
                place: self.source.place(&node.span),
            }),
            _ => Err(self.wrong(key, node, "a text")),
        }
    }

    /// A text.
    pub(crate) fn text(&self, key: &str) -> Result<Option<Text>, ConfigError> {
        self.get(key)
            .map(|node| self.text_of(key, node))
            .transpose()
    }

    /// A text that must be there and say something.
    pub(crate) fn required_text(&self, key: &str, example: &str) -> Result<Text, ConfigError> {
        let text = self.text(key)?.ok_or_else(|| self.missing(key, example))?;
        if text.value.trim().is_empty() {
            return Err(Self::bad(key, text, "says nothing"));
        }
        Ok(text)
    }

    /// A list of texts; empty where it isn't there.
    pub(crate) fn texts(&self, key: &str) -> Result<Vec<Text>, ConfigError> {
        let Some(node) = self.get(key) else {
            return Ok(Vec::new());
        };
        match &node.value {
            Value::List(items) => items.iter().map(|item| self.text_of(key, item)).collect(),
            _ => Err(self.wrong(key, node, "a list of texts")),
        }
    }

    /// One of some words; `None` where it isn't there.
    pub(crate) fn one_of<T: Copy>(
        &self,
        key: &str,
        words: &[(&str, T)],
    ) -> Result<Option<T>, ConfigError> {
        let Some(text) = self.text(key)? else {
            return Ok(None);
        };
        match words.iter().find(|(word, _)| *word == text.value) {
            Some((_, meaning)) => Ok(Some(*meaning)),
            None => Err(ConfigError::NotOneOf {
                place: text.place,
                key: key.to_owned(),
                choices: Box::new(Choices::of(
                    &text.value,
                    words.iter().map(|(word, _)| *word),
                )),
                value: text.value,
            }),
        }
    }

    /// A count, 0 or more.
    pub(crate) fn count(&self, key: &str) -> Result<Option<u64>, ConfigError> {
        let Some(node) = self.get(key) else {
            return Ok(None);
        };
        match &node.value {
            Value::Integer(value) if *value >= 0 => Ok(Some(value.unsigned_abs())),
            Value::Integer(value) => Err(ConfigError::BadValue {
                place: self.source.place(&node.span),
                key: key.to_owned(),
                value: value.to_string(),
                problem: "is below 0; it counts something".to_owned(),
            }),
            _ => Err(self.wrong(key, node, "a whole number")),
        }
    }

    /// A number of bytes, as `"500MB"` or `"1GiB"`.
    pub(crate) fn size(&self, key: &str) -> Result<Option<u64>, ConfigError> {
        let Some(node) = self.get(key) else {
            return Ok(None);
        };
        let Value::Text(value) = &node.value else {
            return Err(self.wrong(key, node, "a size in quotes, such as \"500MB\""));
        };
        match size(value) {
            Some(bytes) => Ok(Some(bytes)),
            None => Err(Self::bad(
                key,
                self.text_of(key, node)?,
                "is no size; write a whole number and a unit: \"500MB\", \"1GB\", \"1GiB\"",
            )),
        }
    }

    /// A length of time, as `"500ms"`, `"30s"`, `"5m"`, `"1h"` or `"90d"`.
    pub(crate) fn duration(&self, key: &str) -> Result<Option<Duration>, ConfigError> {
        let Some(node) = self.get(key) else {
            return Ok(None);
        };
        let Value::Text(value) = &node.value else {
            return Err(self.wrong(key, node, "a length of time in quotes, such as \"30s\""));
        };
        match duration(value) {
            Some(duration) => Ok(Some(duration)),
            None => Err(Self::bad(
                key,
                self.text_of(key, node)?,
                "is no length of time; write a whole number and a unit: \"500ms\", \"30s\", \"5m\", \"1h\", \"90d\"",
            )),
        }
    }

    /// A value that may be said by reference.
    pub(crate) fn setting(&self, key: &str) -> Result<Option<Setting>, ConfigError> {
        Ok(self.text(key)?.map(|text| Setting::new(key, text)))
    }

    /// A value that may be said by reference and must be there.
    pub(crate) fn required_setting(
        &self,
        key: &str,
        example: &str,
    ) -> Result<Setting, ConfigError> {
        Ok(Setting::new(key, self.required_text(key, example)?))
    }

    /// A secret, which must be said by reference.
    pub(crate) fn secret(&self, key: &str) -> Result<Option<SecretSetting>, ConfigError> {
        self.text(key)?
            .map(|text| SecretSetting::new(key, text))
            .transpose()
    }

    /// A table below this one; `None` where it isn't there.
    pub(crate) fn section(
        &self,
        key: &str,
        known: &[&str],
    ) -> Result<Option<Section<'a>>, ConfigError> {
        let Some((table, span)) = self.table(key)? else {
            return Ok(None);
        };
        let name = match self
            .name
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'))
        {
            Some(above) => format!("[{above}.{key}]"),
            None => format!("[{key}]"),
        };
        Section::new(self.source, name, table, span, known).map(Some)
    }

    /// The entries of a table below this one, whatever their keys; `None` where it isn't there.
    pub(crate) fn table(
        &self,
        key: &str,
    ) -> Result<Option<(&'a Table, &'a Range<usize>)>, ConfigError> {
        let Some(entry) = self.table.get(key) else {
            return Ok(None);
        };
        match &entry.node.value {
            // A header's own span covers the brackets; an inline table's its braces. The key says it best in both.
            Value::Table(table) => Ok(Some((table, &entry.key_span))),
            _ => Err(self.wrong(key, &entry.node, "a table")),
        }
    }
}

/// Units of time, in milliseconds.
const TIMES: &[(&str, u64)] = &[
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

/// Units of size, in bytes.
const SIZES: &[(&str, u64)] = &[
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

fn duration(text: &str) -> Option<Duration> {
    number_of(text, TIMES).map(Duration::from_millis)
}

fn size(text: &str) -> Option<u64> {
    number_of(text, SIZES)
}

/// A whole number and a unit.
fn number_of(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (_, unit) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(duration("0s"), Some(Duration::ZERO));
        assert_eq!(duration("2m"), Some(Duration::from_secs(120)));
        assert_eq!(duration("1h"), Some(Duration::from_secs(3600)));
        assert_eq!(duration("90d"), Some(Duration::from_secs(90 * 86_400)));
        for wrong in [
            "",
            "5",
            "s",
            "1.5s",
            "-1s",
            "5 s",
            "5w",
            "99999999999999999999s",
            "18446744073709551615h",
        ] {
            assert_eq!(duration(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(size("500MB"), Some(500_000_000));
        assert_eq!(size("1GiB"), Some(1_073_741_824));
        assert_eq!(size("0kB"), Some(0));
        for wrong in ["", "5", "MB", "1 MB", "1mb", "1.5GB", "20000000000GB"] {
            assert_eq!(size(wrong), None, "{wrong:?}");
        }
    }
}
