//! Sets of lines.

use dwmap_plan::MapPlan;

/// A set of lines of a map, by index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineMask {
    words: Vec<u64>,
}

impl LineMask {
    /// No line.
    pub const fn none() -> Self {
        Self { words: vec![] }
    }

    /// Every line of a map.
    pub fn all(map: &MapPlan) -> Self {
        (0..map.lines.len() as u16).collect()
    }

    /// Adds a line.
    pub fn insert(&mut self, line: u16) {
        let word = usize::from(line / 64);
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (line % 64);
    }

    /// Takes a line out.
    pub fn remove(&mut self, line: u16) {
        if let Some(word) = self.words.get_mut(usize::from(line / 64)) {
            *word &= !(1 << (line % 64));
        }
    }

    /// Takes all lines out, and keeps the room.
    pub fn clear(&mut self) {
        self.words.fill(0);
    }

    /// Whether a line is in it.
    pub fn contains(&self, line: u16) -> bool {
        let word = self.words.get(usize::from(line / 64));
        word.is_some_and(|w| w >> (line % 64) & 1 == 1)
    }

    /// Whether no line is in it.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|w| *w == 0)
    }

    /// The lines, in order.
    pub fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        (0..self.words.len() as u16 * 64).filter(|line| self.contains(*line))
    }
}

impl FromIterator<u16> for LineMask {
    fn from_iter<I: IntoIterator<Item = u16>>(lines: I) -> Self {
        let mut mask = Self::none();
        lines.into_iter().for_each(|line| mask.insert(line));
        mask
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_was_put_in() {
        let mut mask: LineMask = [3, 64, 200].into_iter().collect();
        mask.remove(64);
        assert_eq!(mask.iter().collect::<Vec<_>>(), [3, 200]);
        assert!(mask.contains(200) && !mask.contains(64) && !mask.contains(9999));
        mask.clear();
        assert!(mask.is_empty());
    }
}
