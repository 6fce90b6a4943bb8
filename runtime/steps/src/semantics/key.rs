//! The key by which a reference's target is found.

use dwmap_plan::{Reference, Value};

/// What a reference's key parts say, where they name no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlankKey {
    /// All are blank: there is no reference.
    None,
    /// Some are blank: the first of them, by its place in the key.
    Some(u16),
}

/// Whether the parts of a key name a record. The company is completed and is never blank by itself: it counts only where
/// the key has no other part.
pub fn find_key(reference: &Reference, blank: impl Fn(usize) -> bool) -> Result<(), BlankKey> {
    let own = |i: &usize| !reference.key[*i].company;
    let parts = 0..reference.key.len();
    let only_company = !parts.clone().any(|i| own(&i));
    if parts.clone().filter(|i| only_company || own(i)).all(&blank) {
        return Err(BlankKey::None);
    }
    match parts.clone().find(|i| blank(*i)) {
        Some(part) => Err(BlankKey::Some(part as u16)),
        None => Ok(()),
    }
}

/// A key is wholly blank, wholly there, or half blank.
pub(crate) fn blank_key(reference: &Reference, key: &[Value]) -> Result<(), BlankKey> {
    find_key(reference, |i| key[i].is_null())
}
