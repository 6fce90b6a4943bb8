//! Names to numbers: an open-addressed table over short texts (JSON keys, enum members, rows of tables).

/// A hash of a short text. Up to 32 bytes take the same few instructions whatever their length: names of all lengths
/// come in any order, and a branch on the length would mostly be foreseen wrongly.
#[inline]
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let (first, last) = match (ends::<16>(bytes), ends::<8>(bytes)) {
        (Some([first, last]), _) => (halves(first), halves(last)),
        (None, Some([first, last])) => (
            [u64::from_le_bytes(*first), 0],
            [u64::from_le_bytes(*last), 0],
        ),
        (None, None) => ([number(bytes), 0], [0, 0]),
    };
    let hash = mixed(first[0], first[1] ^ bytes.len() as u64) ^ mixed(last[1], last[0]);
    match bytes.len() {
        0..=32 => hash,
        len => {
            let middle = bytes[16..len - 16].chunks(8);
            middle.fold(hash, |hash, chunk| mixed(hash, number(chunk)))
        }
    }
}

/// The first and the last `N` bytes, which may overlap, so that of up to `2 * N` bytes each is in one of them.
#[inline]
fn ends<const N: usize>(bytes: &[u8]) -> Option<[&[u8; N]; 2]> {
    Some([bytes.first_chunk()?, bytes.last_chunk()?])
}

fn halves(bytes: &[u8; 16]) -> [u64; 2] {
    let n = u128::from_le_bytes(*bytes);
    [n as u64, (n >> 64) as u64]
}

/// At most eight bytes.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |n, b| n << 8 | u64::from(*b))
}

/// Both halves of a product: each of its bits depends on all of both.
#[inline]
fn mixed(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ 0x9E37_79B9_7F4A_7C15) * u128::from(b ^ 0xD1B5_4A32_D192_ED03);
    product as u64 ^ (product >> 64) as u64
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

/// A name as it stands in a record, padded to one length that most are within: compared there without a branch on its own.
#[derive(Debug)]
pub(crate) struct Spelt {
    bytes: Box<[u8]>,
    head: [u8; HEAD],
    /// All ones where `head` counts.
    mask: [u8; HEAD],
}

/// The bytes that are compared at once.
const HEAD: usize = 48;

impl Spelt {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        let (mut head, mut mask) = ([0; HEAD], [0; HEAD]);
        for ((head, mask), byte) in head.iter_mut().zip(&mut mask).zip(&bytes) {
            (*head, *mask) = (*byte, u8::MAX);
        }
        Self {
            bytes: bytes.into(),
            head,
            mask,
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether `here` begins with it.
    #[inline]
    pub(crate) fn begins(&self, here: &[u8]) -> bool {
        let Some(window) = here.first_chunk::<HEAD>() else {
            return here.starts_with(&self.bytes);
        };
        let bytes = window.iter().zip(&self.head).zip(&self.mask);
        let difference = bytes.fold(0, |found, ((a, b), mask)| found | (a ^ b) & mask);
        difference == 0 && (self.bytes.len() <= HEAD || here.starts_with(&self.bytes))
    }
}

/// Indices of names by their hash; the names themselves are kept by the owner.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    places: Vec<Place>,
    count: usize,
}

/// A name, with the half of its hash that didn't choose the place: other names are passed by without a look at them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    tag: u32,
    name: u32,
}

const EMPTY: Place = Place {
    tag: 0,
    name: u32::MAX,
};

const fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

impl Index {
    pub(crate) fn new() -> Self {
        Self {
            places: vec![EMPTY; 16],
            count: 0,
        }
    }

    /// The name with this hash for which `is` holds.
    #[inline]
    pub(crate) fn find(&self, hash: u64, mut is: impl FnMut(u32) -> bool) -> Option<u32> {
        let mask = self.places.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            match self.places[at] {
                EMPTY => return None,
                place if place.tag == tag(hash) && is(place.name) => return Some(place.name),
                _ => at = (at + 1) & mask,
            }
        }
    }

    /// Adds a name that isn't there yet; `hash_of` is asked for those that are when the table grows.
    pub(crate) fn insert(&mut self, hash: u64, name: u32, hash_of: impl Fn(u32) -> u64) {
        if (self.count + 1) * 4 > self.places.len() {
            let larger = vec![EMPTY; self.places.len() * 2];
            let old = std::mem::replace(&mut self.places, larger);
            for place in old.into_iter().filter(|p| *p != EMPTY) {
                self.place(hash_of(place.name), place.name);
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
        let tag = tag(hash);
        self.places[at] = Place { tag, name };
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
        fn holds_what_a_hash_map_holds(names in proptest::collection::vec("[ab]{0,9}|[a]{30,40}[ab]{3}[a]{16}", 0..100), other in "[ab]{0,9}") {
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
        fn a_text_begins_with_what_it_begins_with(name in "[ab]{0,60}", here in "[ab]{0,100}", at in 0_usize..60) {
            let mut changed = name.clone().into_bytes();
            changed.get_mut(at).into_iter().for_each(|b| *b ^= 1);
            for head in [name.as_bytes(), &changed, b""] {
                let here = [head, here.as_bytes()].concat();
                let begins = Spelt::new(name.clone().into_bytes()).begins(&here);
                prop_assert_eq!(begins, here.starts_with(name.as_bytes()));
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
