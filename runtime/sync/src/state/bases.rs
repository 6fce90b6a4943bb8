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
    /// The side that we wrote it to, as long as nothing shows that it was kept there as it was sent.
    pub written: Option<Side>,
    /// How often such a side's own change of it has flowed back since the last outside change; [`GIVEN_UP`] where it
    /// no longer does.
    pub bounces: u8,
}

/// The bounces of a line that two systems keep changing: neither's value flows, until an outside change.
pub(crate) const GIVEN_UP: u8 = 3;

/// The bases of a link's lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bases(Vec<(LineId, Base)>);

/// How a line's two values stand: both in two bits each, and whether they are the same. Two bits each follow for what
/// is pending, for where it was written, and for the bounces.
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

    /// All entries, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut (LineId, Base)> {
        self.0.iter_mut()
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
            let stands = form(left) | right_form << 2 | sided(base.pending) << 4;
            let written = u128::from(sided(base.written)) << 6;
            let bounces = u128::from(base.bounces.min(GIVEN_UP)) << 8;
            put_varint(&mut out, u128::from(stands) | written | bounces);
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
            let forms = reader.varint()?;
            let form = |shift: u32| (forms >> shift & 3) as u8;
            let left = match form(0) {
                ABSENT => None,
                PRESENT => Some(reader.value()?),
                _ => return Err(Unreadable),
            };
            let right = match form(2) {
                ABSENT => None,
                PRESENT => Some(reader.value()?),
                SAME_AS_LEFT => left.clone(),
                _ => return Err(Unreadable),
            };
            let base = Base {
                sides: [left, right],
                pending: side_of(form(4))?,
                written: side_of(form(6))?,
                bounces: form(8),
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

/// A side, or none, in two bits.
const fn sided(side: Option<Side>) -> u8 {
    match side {
        None => 0,
        Some(Side::Left) => 1,
        Some(Side::Right) => 2,
    }
}

const fn side_of(bits: u8) -> Result<Option<Side>, Unreadable> {
    match bits {
        0 => Ok(None),
        1 => Ok(Some(Side::Left)),
        2 => Ok(Some(Side::Right)),
        _ => Err(Unreadable),
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
                    written: Some(Side::Right),
                    bounces: GIVEN_UP,
                    ..Base::default()
                },
            ),
            (
                LineId(2),
                Base {
                    sides: [text("same"), text("same")],
                    ..Base::default()
                },
            ),
            (
                LineId(3),
                Base {
                    sides: [Some(Value::Null), None],
                    pending: Some(Side::Left),
                    ..Base::default()
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
            ..Base::default()
        };
        let bases = Bases::new(vec![(LineId(1), known.clone()), (LineId(2), known.clone())]);
        let aligned = bases.aligned([LineId(3), LineId(2)].into_iter());
        assert_eq!(aligned.get(LineId(1)), None);
        assert_eq!(aligned.get(LineId(2)), Some(&known));
        assert_eq!(aligned.get(LineId(3)), Some(&Base::default()));
    }
}
