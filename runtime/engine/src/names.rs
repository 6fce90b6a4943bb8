//! Names to numbers: an open-addressed table over short texts (JSON keys, enum members, rows of tables).

/// A hash of a short text: eight bytes at a time, folded by multiplication.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    const K: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut hash = (bytes.len() as u64).wrapping_mul(K);
    let (chunks, rest) = bytes.as_chunks::<8>();
    for chunk in chunks {
        hash = (hash.rotate_left(23) ^ u64::from_le_bytes(*chunk)).wrapping_mul(K);
    }
    // The last eight again, some of them for the second time: one load, where a rest would have to be gathered.
    let last = match bytes.last_chunk::<8>() {
        Some(last) => u64::from_le_bytes(*last),
        None => rest.iter().fold(0, |n, b| n << 8 | u64::from(*b)),
    };
    hash = (hash.rotate_left(23) ^ last).wrapping_mul(K);
    hash ^ hash >> 32
}

/// Whether two texts are the same: inline, sixteen bytes at a time, since names are too short to be worth a call.
#[inline]
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    if let (Some(a_last), Some(b_last)) = (a.last_chunk::<16>(), b.last_chunk::<16>()) {
        let (a_chunks, b_chunks) = (a.as_chunks::<16>().0, b.as_chunks::<16>().0);
        return a_chunks.iter().zip(b_chunks).all(|(a, b)| a == b) && a_last == b_last;
    }
    match (a.last_chunk::<8>(), b.last_chunk::<8>()) {
        (Some(a_last), Some(b_last)) => {
            a.first_chunk::<8>() == b.first_chunk::<8>() && a_last == b_last
        }
        _ => a == b,
    }
}

const EMPTY: u32 = u32::MAX;

/// Indices of names by their hash; the names themselves are kept by the owner.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    places: Vec<u32>,
    count: usize,
}

impl Index {
    pub(crate) fn new() -> Self {
        Self {
            places: vec![EMPTY; 16],
            count: 0,
        }
    }

    /// The name with this hash for which `is` holds.
    pub(crate) fn find(&self, hash: u64, mut is: impl FnMut(u32) -> bool) -> Option<u32> {
        let mask = self.places.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            match self.places[at] {
                EMPTY => return None,
                name if is(name) => return Some(name),
                _ => at = (at + 1) & mask,
            }
        }
    }

    /// Adds a name that isn't there yet; `hash_of` is asked for those that are when the table grows.
    pub(crate) fn insert(&mut self, hash: u64, name: u32, hash_of: impl Fn(u32) -> u64) {
        if (self.count + 1) * 2 > self.places.len() {
            let larger = vec![EMPTY; self.places.len() * 2];
            let old = std::mem::replace(&mut self.places, larger);
            for name in old.into_iter().filter(|n| *n != EMPTY) {
                self.place(hash_of(name), name);
            }
        }
        self.place(hash, name);
        self.count += 1;
    }

    fn place(&mut self, hash: u64, name: u32) {
        let mask = self.places.len() - 1;
        let mut at = hash as usize & mask;
        while self.places[at] != EMPTY {
            at = (at + 1) & mask;
        }
        self.places[at] = name;
    }
}

/// Names with a number each.
#[derive(Debug, Clone)]
pub(crate) struct NameTable {
    names: Vec<(Box<str>, i64)>,
    index: Index,
}

impl NameTable {
    /// The first of two equal names stands.
    pub(crate) fn new<'a>(names: impl IntoIterator<Item = (&'a str, i64)>) -> Self {
        let mut table = Self {
            names: vec![],
            index: Index::new(),
        };
        for (name, number) in names {
            if table.get(name).is_some() {
                continue;
            }
            let at = table.names.len() as u32;
            let names = &table.names;
            table.index.insert(hash(name.as_bytes()), at, |i| {
                hash(names[i as usize].0.as_bytes())
            });
            table.names.push((name.into(), number));
        }
        table
    }

    pub(crate) fn get(&self, name: &str) -> Option<i64> {
        let found = self.index.find(hash(name.as_bytes()), |i| {
            same(self.names[i as usize].0.as_bytes(), name.as_bytes())
        })?;
        Some(self.names[found as usize].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn holds_what_a_hash_map_holds(names in proptest::collection::vec("[ab]{0,9}", 0..100), other in "[ab]{0,9}") {
            let numbered: Vec<(&str, i64)> = names.iter().map(String::as_str).zip(0..).collect();
            let mut wanted = HashMap::new();
            for (name, number) in &numbered {
                wanted.entry(*name).or_insert(*number);
            }
            let table = NameTable::new(numbered.iter().copied());
            for name in names.iter().chain([&other]) {
                prop_assert_eq!(table.get(name), wanted.get(name.as_str()).copied());
            }
        }

        #[test]
        fn same_is_equality(text in "[ab]{0,40}", other in "[ab]{0,40}", at in 0_usize..40) {
            let mut changed = text.clone().into_bytes();
            changed.get_mut(at).into_iter().for_each(|b| *b ^= 1);
            for b in [text.as_bytes(), other.as_bytes(), &changed] {
                prop_assert_eq!(same(text.as_bytes(), b), text.as_bytes() == b);
            }
        }
    }
}
