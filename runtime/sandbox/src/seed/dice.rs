//! Chance that is the same on every machine and in every version.

/// SplitMix64.
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
pub(super) struct Dice(u64);

impl Dice {
    /// The dice of one record of a seed.
    pub(super) fn new(seed: u64, what: &str, number: usize) -> Self {
        let mut dice = Self(seed);
        for byte in what.bytes() {
            dice.0 = dice.next() ^ u64::from(byte);
        }
        dice.0 = dice.next() ^ number as u64;
        dice
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, which is not 0.
    pub(super) fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    /// One of these.
    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// Whether something happens that does so in `percent` of cases.
    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// An id that is always the same for the same thing.
pub(super) fn id(set: &str, company: &str, name: &str) -> [u8; 16] {
    let mut dice = Dice::new(0, &format!("{set}/{company}/{name}"), 0);
    let mut id = [0; 16];
    id[..8].copy_from_slice(&dice.next().to_be_bytes());
    id[8..].copy_from_slice(&dice.next().to_be_bytes());
    // Version 8 of RFC 9562: made in a way of one's own.
    id[6] = 0x80 | (id[6] & 0x0f);
    id[8] = 0x80 | (id[8] & 0x3f);
    id
}
