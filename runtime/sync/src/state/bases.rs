//! Bases: what each side of a pair held when the pair was last in order, by line.

use dwmap_plan::{LineId, Side, Value};

use crate::codec::{Reader, Unreadable, put_value, put_varint};

/// What one line's cells held. No value at all differs from a null: a side without a base has to be looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Base {
    /// The canonical values, left first.
    pub sides: [Option<Value>; 2],
    /// The source of a reference that was written as null until its target is there.
    pub pending: Option<Side>,
}

/// The bases of a link's lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bases(Vec<(LineId, Base)>);

/// How a line's two values stand: both in two bits each, and whether they are the same.
const ABSENT: u8 = 0;
const PRESENT: u8 = 1;
const SAME_AS_LEFT: u8 = 2;

impl Bases {
    /// Bases of these lines.
    pub const fn new(lines: Vec<(LineId, Base)>) -> Self {
        Self(lines)
    }

    /// The lines that have an entry, in the order in which they were set.
    pub fn lines(&self) -> impl ExactSizeIterator<Item = LineId> {
        self.0.iter().map(|(id, _)| *id)
    }

    /// The base of a line.
    pub fn get(&self, line: LineId) -> Option<&Base> {
        self.0.iter().find(|(id, _)| *id == line).map(|(_, b)| b)
    }

    /// The base of a line that is probably at this index.
    pub fn at(&self, index: usize, line: LineId) -> Option<&Base> {
        match self.0.get(index) {
            Some((id, base)) if *id == line => Some(base),
            _ => self.get(line),
        }
    }

    /// The bases in the order of a plan's lines; those of lines that are gone are dropped.
    pub fn aligned(self, lines: impl ExactSizeIterator<Item = LineId> + Clone) -> Self {
        if self.0.len() == lines.len() && self.lines().eq(lines.clone()) {
            return self;
        }
        Self(
            lines
                .map(|id| (id, self.get(id).cloned().unwrap_or_default()))
                .collect(),
        )
    }

    /// The entry of a line, made if it isn't there.
    pub fn entry(&mut self, line: LineId) -> &mut Base {
        let at = self.0.iter().position(|(id, _)| *id == line);
        let at = at.unwrap_or_else(|| {
            self.0.push((line, Base::default()));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }

    /// Sets the base of a line that is probably at this index.
    pub fn put(&mut self, index: usize, line: LineId, base: Base) {
        match self.0.get_mut(index) {
            Some((id, there)) if *id == line => *there = base,
            _ => *self.entry(line) = base,
        }
    }

    /// Forgets what was in order of these lines.
    pub fn forget(&mut self, lines: &[LineId]) {
        let of_lines = self.0.iter_mut().filter(|(id, _)| lines.contains(id));
        of_lines.for_each(|(_, base)| *base = Base::default());
    }

    /// All entries.
    pub fn iter(&self) -> impl Iterator<Item = &(LineId, Base)> {
        self.0.iter()
    }

    /// Whether some line has been left blank until its target is there.
    pub fn is_pending(&self) -> bool {
        self.0.iter().any(|(_, base)| base.pending.is_some())
    }

    /// The ids of the lines as bytes: many links share them.
    pub(super) fn layout(&self) -> Vec<u8> {
        self.lines().flat_map(|id| id.0.to_le_bytes()).collect()
    }

    /// The values as bytes, to be read with the layout.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.0.len() * 8);
        for (_, base) in &self.0 {
            let [left, right] = &base.sides;
            let form = |value: &Option<Value>| {
                if value.is_some() { PRESENT } else { ABSENT }
            };
            let right_form = if right.is_some() && left == right {
                SAME_AS_LEFT
            } else {
                form(right)
            };
            let pending = base.pending.map_or(0, |side| 1 + side.index() as u8);
            put_varint(
                &mut out,
                u128::from(form(left) | right_form << 2 | pending << 4),
            );
            if let Some(value) = left {
                put_value(&mut out, value);
            }
            if let (Some(value), PRESENT) = (right, right_form) {
                put_value(&mut out, value);
            }
        }
        out
    }

    pub(super) fn decode(layout: &[u8], bytes: &[u8]) -> Result<Self, Unreadable> {
        let (mut ids, mut reader) = (Reader(layout), Reader(bytes));
        let mut lines = Vec::with_capacity(layout.len() / 8);
        while !ids.is_empty() {
            let id = ids.take(8)?.try_into().map_err(|_| Unreadable)?;
            let form = reader.byte()?;
            let left = match form & 3 {
                ABSENT => None,
                PRESENT => Some(reader.value()?),
                _ => return Err(Unreadable),
            };
            let right = match form >> 2 & 3 {
                ABSENT => None,
                PRESENT => Some(reader.value()?),
                SAME_AS_LEFT => left.clone(),
                _ => return Err(Unreadable),
            };
            let pending = match form >> 4 {
                0 => None,
                1 => Some(Side::Left),
                2 => Some(Side::Right),
                _ => return Err(Unreadable),
            };
            let base = Base {
                sides: [left, right],
                pending,
            };
            lines.push((LineId(u64::from_le_bytes(id)), base));
        }
        if reader.is_empty() {
            Ok(Self(lines))
        } else {
            Err(Unreadable)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases_come_back_as_they_were() {
        let text = |t: &str| Some(Value::Text(t.to_owned()));
        let bases = Bases::new(vec![
            (
                LineId(1),
                Base {
                    sides: [text("Acme"), text("ACME")],
                    pending: None,
                },
            ),
            (
                LineId(2),
                Base {
                    sides: [text("same"), text("same")],
                    pending: None,
                },
            ),
            (
                LineId(3),
                Base {
                    sides: [Some(Value::Null), None],
                    pending: Some(Side::Left),
                },
            ),
            (LineId(4), Base::default()),
        ]);
        let back = Bases::decode(&bases.layout(), &bases.encode()).unwrap();
        assert_eq!(back, bases);
        assert!(Bases::decode(&bases.layout(), &bases.encode()[1..]).is_err());
    }

    #[test]
    fn lines_that_are_gone_are_dropped_and_new_ones_have_no_base() {
        let known = Base {
            sides: [Some(Value::Int(1)), Some(Value::Int(1))],
            pending: None,
        };
        let bases = Bases::new(vec![(LineId(1), known.clone()), (LineId(2), known.clone())]);
        let aligned = bases.aligned([LineId(3), LineId(2)].into_iter());
        assert_eq!(aligned.get(LineId(1)), None);
        assert_eq!(aligned.get(LineId(2)), Some(&known));
        assert_eq!(aligned.get(LineId(3)), Some(&Base::default()));
    }
}
