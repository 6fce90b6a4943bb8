//! The shape of records: which keys come, and in which order.
//!
//! Records of one source have the same keys in nearly the same order. A shape learns for each key which one followed it
//! last; a guess that holds costs one comparison. A wrong guess costs a look-up, and corrects the shape.

use crate::names::{Index, Spelt, hash, same};

/// A key that nobody asked for.
pub(super) const UNWANTED: u16 = u16::MAX;
/// Unwanted keys that are remembered beyond one record.
const REMEMBERED_MAX: usize = 1024;

/// A key.
#[derive(Debug)]
struct Key {
    /// `"name":`, as it stands in compact JSON.
    spelt: Spelt,
    column: u16,
    next: u32,
    /// The last record that had it.
    seen: u32,
}

impl Key {
    fn name(&self) -> &[u8] {
        let spelt = self.spelt.bytes();
        &spelt[1..spelt.len() - 2]
    }
}

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Shape {
    keys: Vec<Key>,
    index: Index,
    first: u32,
    record: u32,
    wanted: usize,
}

impl Shape {
    /// A shape that knows the wanted columns by their wire names, in this order.
    pub(crate) fn new<'a>(wanted: impl IntoIterator<Item = &'a str>) -> Self {
        let mut shape = Self {
            keys: vec![],
            index: Index::new(),
            first: 0,
            record: 0,
            wanted: 0,
        };
        for (column, name) in wanted.into_iter().enumerate() {
            shape.add(name.as_bytes(), column as u16);
        }
        shape.wanted = shape.keys.len();
        shape
    }

    fn add(&mut self, name: &[u8], column: u16) -> u32 {
        let at = self.keys.len() as u32;
        let keys = &self.keys;
        self.index
            .insert(hash(name), at, |i| hash(keys[i as usize].name()));
        self.keys.push(Key {
            spelt: Spelt::new([b"\"", name, b"\":"].concat()),
            column,
            next: at + 1,
            seen: 0,
        });
        at
    }

    /// Begins a record.
    pub(super) fn begin(&mut self) {
        if self.keys.len() > self.wanted + REMEMBERED_MAX {
            self.forget();
        }
        if self.record == u32::MAX {
            self.keys.iter_mut().for_each(|k| k.seen = 0);
            self.record = 0;
        }
        self.record += 1;
    }

    /// Forgets the unwanted keys: a source that makes up keys must not fill the memory.
    fn forget(&mut self) {
        self.keys.truncate(self.wanted);
        self.index = Index::new();
        for (at, key) in self.keys.iter().enumerate() {
            self.index.insert(hash(key.name()), at as u32, |i| {
                hash(self.keys[i as usize].name())
            });
        }
    }

    /// The key that followed `previous` last, with its length, if it stands here.
    #[inline]
    pub(super) fn guess(&self, previous: Option<u32>, here: &[u8]) -> Option<(u32, usize)> {
        let guess = previous.map_or(self.first, |p| self.keys[p as usize].next);
        let key = self.keys.get(guess as usize)?;
        let len = key.spelt.bytes().len();
        key.spelt.begins(here).then_some((guess, len))
    }

    /// The key of this name, which follows `previous`; `here` is where it stands in the record.
    pub(super) fn learn(&mut self, previous: Option<u32>, name: &[u8], here: &[u8]) -> u32 {
        let known = self.index.find(hash(name), |i| {
            let key = &self.keys[i as usize];
            key.spelt.begins(here) || same(key.name(), name)
        });
        let key = known.unwrap_or_else(|| self.add(name, UNWANTED));
        match previous {
            Some(p) => self.keys[p as usize].next = key,
            None => self.first = key,
        }
        key
    }

    /// The column of a key in this record; none if the record had the key before.
    #[inline]
    pub(super) fn column(&mut self, key: u32) -> Option<u16> {
        let key = &mut self.keys[key as usize];
        if key.seen == self.record {
            return None;
        }
        key.seen = self.record;
        Some(key.column)
    }
}
