//! Names to numbers: an open-addressed table over short texts (JSON keys, enum members, rows of tables).

/// A hash of a short text: eight bytes at a time, folded by multiplication.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    const K: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut hash = (bytes.len() as u64).wrapping_mul(K);
    let (chunks, rest) = bytes.as_chunks::<8>();
    for chunk in chunks {
        hash = (hash.rotate_left(23) ^ u64::from_le_bytes(*chunk)).wrapping_mul(K);
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    hash = (hash.rotate_left(23) ^ u64::from_le_bytes(last)).wrapping_mul(K);
    hash ^ hash >> 32
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
            *self.names[i as usize].0 == *name
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
    }
}
