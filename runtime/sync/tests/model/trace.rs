//! Fingerprints: equal for states that behave alike, though their sequence numbers and clocks differ.

use std::hash::{DefaultHasher, Hash, Hasher};

use dwmap_plan::Side;
use dwmap_sync::Moment;
use dwmap_sync::state::memory::{Digest, Numbered};

/// What a state consists of. Sequence numbers and moments stand apart, for only order and distance matter of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trace {
    content: DefaultHasher,
    /// Numbers that are compared with one another: reads with moves, and generations with fetches, by side.
    reads: [Vec<u64>; 2],
    generations: [Vec<u64>; 2],
    moments: Vec<Moment>,
    /// Every generation counts as known: with a rule broken on purpose, what is out of date may be used.
    knows_all: bool,
}

impl Digest for Trace {
    fn bytes(&mut self, bytes: &[u8]) {
        bytes.hash(&mut self.content);
    }

    fn number(&mut self, of: Numbered, number: u64) {
        match of {
            Numbered::Read(side) => self.reads[side.index()].push(number),
            Numbered::Generation(side) => self.generations[side.index()].push(number),
            Numbered::Moved => self.reads.iter_mut().for_each(|all| all.push(number)),
            Numbered::Any => {
                let all = self.reads.iter_mut().chain(&mut self.generations);
                all.for_each(|all| all.push(number));
            }
        }
    }

    fn moment(&mut self, moment: Moment) {
        self.moments.push(moment);
    }

    fn knows(&self, side: Side, generation: u64) -> bool {
        self.knows_all || self.generations[side.index()].contains(&generation)
    }
}

impl Trace {
    /// An empty trace.
    pub(crate) fn new(knows_all: bool) -> Self {
        Self {
            knows_all,
            ..Self::default()
        }
    }

    /// Anything that can be hashed.
    pub(crate) fn put(&mut self, thing: &impl Hash) {
        thing.hash(&mut self.content);
    }

    /// Another trace.
    pub(crate) fn append(&mut self, other: &Self) {
        self.content.write_u64(other.content.finish());
        let of_other = other.reads.iter().chain(&other.generations);
        let all = self.reads.iter_mut().chain(&mut self.generations);
        all.zip(of_other).for_each(|(all, more)| all.extend(more));
        self.moments.extend(&other.moments);
    }

    /// The fingerprint: numbers by their ranks, moments by their distance from `since`; those before are past.
    pub(crate) fn fingerprint(&self, since: Moment) -> u64 {
        let mut hasher = self.content.clone();
        for numbers in self.reads.iter().chain(&self.generations) {
            let mut ranks = numbers.clone();
            ranks.sort_unstable();
            ranks.dedup();
            for number in numbers {
                ranks.partition_point(|n| n < number).hash(&mut hasher);
            }
        }
        for moment in &self.moments {
            since.until(*moment).hash(&mut hasher);
        }
        hasher.finish()
    }
}
