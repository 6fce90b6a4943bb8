//! Values by reference: `env:NAME`, `file:PATH`, or as they stand.

use std::{
    env, fmt, fs,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use crate::{ConfigError, Place, section::Text};

/// Where a value is found.
#[derive(Clone, PartialEq, Eq)]
enum Source {
    /// It stands in the manifest.
    Plain(String),
    /// In an environment variable.
    Variable(String),
    /// In a file; the path is relative to the manifest's folder.
    File(PathBuf),
}

impl Source {
    fn parse(text: &str) -> Self {
        if let Some(name) = text.strip_prefix("env:") {
            Self::Variable(name.to_owned())
        } else if let Some(path) = text.strip_prefix("file:") {
            Self::File(PathBuf::from(path))
        } else {
            Self::Plain(text.to_owned())
        }
    }
}

/// A value that may be said by reference: an address, a tenant, a client id.
#[derive(Clone, PartialEq, Eq)]
pub struct Setting {
    key: String,
    place: Place,
    source: Source,
}

impl Setting {
    pub(crate) fn new(key: &str, text: Text) -> Self {
        Self {
            key: key.to_owned(),
            source: Source::parse(&text.value),
            place: text.place,
        }
    }

    /// Where it stands in the manifest.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The value. `root` is the manifest's folder, to which a `file:` path is relative.
    pub fn resolve(&self, root: &Path) -> Result<String, ConfigError> {
        self.read(root).map(|value| value.as_str().to_owned())
    }

    fn read(&self, root: &Path) -> Result<Zeroizing<String>, ConfigError> {
        let value = match &self.source {
            Source::Plain(value) => Zeroizing::new(value.clone()),
            Source::Variable(name) => Zeroizing::new(self.variable(name)?),
            Source::File(path) => {
                let path = root.join(path);
                let text = fs::read_to_string(&path)
                    .map(Zeroizing::new)
                    .map_err(|source| ConfigError::ReferredFile {
                        place: self.place.clone(),
                        key: self.key.clone(),
                        path,
                        source,
                    })?;
                // Editors end a file with a line break; it is no part of the value.
                Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned())
            }
        };
        Ok(value)
    }

    fn variable(&self, name: &str) -> Result<String, ConfigError> {
        let problem = match env::var(name) {
            Ok(value) if value.is_empty() => "is empty",
            Ok(value) => return Ok(value),
            Err(env::VarError::NotPresent) => "isn't set",
            Err(env::VarError::NotUnicode(_)) => "isn't text",
        };
        Err(ConfigError::Variable {
            place: self.place.clone(),
            key: self.key.clone(),
            variable: name.to_owned(),
            problem,
        })
    }
}

impl fmt::Debug for Setting {
    /// As it is written: a reference isn't resolved.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Plain(value) => write!(f, "{value:?}"),
            Source::Variable(name) => write!(f, "env:{name}"),
            Source::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

/// A secret, which is always said by reference.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SecretSetting(Setting);

impl SecretSetting {
    /// Refuses a secret that stands in the manifest itself.
    pub(crate) fn new(key: &str, text: Text) -> Result<Self, ConfigError> {
        let setting = Setting::new(key, text);
        match setting.source {
            Source::Plain(_) => Err(ConfigError::PlainSecret {
                place: setting.place,
                key: setting.key,
            }),
            Source::Variable(_) | Source::File(_) => Ok(Self(setting)),
        }
    }

    /// Where the reference stands in the manifest.
    pub fn place(&self) -> &Place {
        self.0.place()
    }

    /// The secret. `root` is the manifest's folder, to which a `file:` path is relative.
    pub fn resolve(&self, root: &Path) -> Result<Secret, ConfigError> {
        self.0.read(root).map(Secret)
    }
}

/// A secret in memory: wiped when it is dropped, and never shown by `Debug`.
///
/// ```
/// # use dwmap_config::Secret;
/// let secret = Secret::from("s3cret".to_owned());
/// assert_eq!(format!("{secret:?}"), "***");
/// assert_eq!(secret.expose(), "s3cret");
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The secret itself, for the one who sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self(Zeroizing::new(value))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
