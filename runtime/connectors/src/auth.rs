//! How a system is told who asks.

use std::fmt;

use zeroize::Zeroizing;

/// A secret: wiped from memory when dropped, and never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a secret in.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// A new one that nobody can guess: the key of hooks that are registered by ourselves.
    pub fn random() -> Self {
        let bytes: [u8; 32] = rand::random();
        Self::new(blake3::hash(&bytes).to_hex().as_str())
    }

    /// The secret itself, for the one place that sends or compares it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// How requests are authorised.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Auth {
    /// Not at all (a sandbox that is open).
    #[default]
    None,
    /// As an application user, by OAuth 2.0 client credentials
    /// ([RFC 6749, 4.4](https://www.rfc-editor.org/rfc/rfc6749#section-4.4)).
    ClientCredentials {
        /// Where tokens are had; `https://login.microsoftonline.com` for both Dynamics systems.
        authority: String,
        /// The tenant: a GUID or a domain.
        tenant: String,
        /// The application's id.
        client_id: String,
        /// The application's secret.
        secret: Secret,
    },
}

impl Auth {
    /// The authority of the Microsoft cloud.
    pub const MICROSOFT: &'static str = "https://login.microsoftonline.com";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_secrets_differ() {
        assert_ne!(Secret::random(), Secret::random());
        assert_eq!(Secret::random().reveal().len(), 64);
    }

    #[test]
    fn a_secret_is_not_printed() {
        let auth = Auth::ClientCredentials {
            authority: Auth::MICROSOFT.to_owned(),
            tenant: "contoso".to_owned(),
            client_id: "dwmap".to_owned(),
            secret: Secret::new("hunter2"),
        };
        assert!(!format!("{auth:?}").contains("hunter2"));
    }
}
