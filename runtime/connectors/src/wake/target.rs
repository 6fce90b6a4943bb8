//! Where hooks are to be posted to.

use crate::Secret;

/// What a system is told about us, so that it can post its hooks.
#[derive(Debug, Clone)]
pub struct HookTarget {
    /// The name by which the registration is found again: one for each installation.
    pub name: String,
    /// The address that the system reaches us by, without the key.
    pub url: String,
    /// The key that it shows.
    pub key: Secret,
}
