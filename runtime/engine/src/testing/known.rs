//! Referenced records by heart.

use std::collections::HashSet;

use dwmap_plan::Value;
use dwmap_steps::semantics::{Lookup, References, values_equal};

/// The company's code in [`known`].
pub const COMPANY: &str = "usmf";
/// The company's identity in Dataverse in [`known`].
pub const COMPANY_ID: [u8; 16] = [0x11; 16];
/// The name of a payment term in [`known`].
pub const TERM: &str = "Net30";
/// Its identity in Dataverse.
pub const TERM_ID: [u8; 16] = [0x22; 16];

/// Referenced records by heart.
#[derive(Debug, Default)]
pub struct Known {
    records: Vec<(u16, Vec<Value>, Value)>,
    /// References whose records are all known: what isn't there is absent, not unknown.
    complete: HashSet<u16>,
}

impl Known {
    /// Adds a record with its key and identity.
    pub fn insert(&mut self, reference: u16, key: Vec<Value>, identity: Value) {
        self.records.push((reference, key, identity));
    }

    /// Says that nothing else is there.
    pub fn complete(&mut self, reference: u16) {
        self.complete.insert(reference);
    }

    fn answer<T>(&self, reference: u16, found: Option<T>) -> Lookup<T> {
        match found {
            Some(found) => Lookup::Found(found),
            None if self.complete.contains(&reference) => Lookup::Absent,
            None => Lookup::Unknown,
        }
    }
}

impl References for Known {
    fn find(&self, reference: u16, key: &[Value]) -> Lookup<&Value> {
        let same = |k: &[Value]| k.iter().zip(key).all(|(a, b)| values_equal(a, b, true));
        let found = self
            .records
            .iter()
            .find(|(r, k, _)| *r == reference && same(k));
        self.answer(reference, found.map(|(_, _, identity)| identity))
    }

    fn follow(&self, reference: u16, identity: &Value) -> Lookup<&[Value]> {
        let found = self
            .records
            .iter()
            .find(|(r, _, i)| *r == reference && i == identity);
        self.answer(reference, found.map(|(_, key, _)| key.as_slice()))
    }
}

/// One company and one payment term, and that there are no others.
pub fn known() -> Known {
    let mut known = Known::default();
    let company = Value::Guid(COMPANY_ID);
    known.insert(0, vec![Value::from(COMPANY)], company.clone());
    known.insert(1, vec![company, Value::from(TERM)], Value::Guid(TERM_ID));
    known.complete(0);
    known.complete(1);
    known
}
