//! What a state consists of, told so that two states between which nothing tells a difference are told alike.

use dwmap_plan::Side;

use super::{Kept, is_removal};
use crate::Moment;

/// What a sequence number is of: only those that are ever compared are told to be of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbered {
    /// The read of a feed's word: compared with when a base moved.
    Read(Side),
    /// A mark's generation: compared with when a fetch was sent.
    Generation(Side),
    /// When a base moved.
    Moved,
    /// A number that was taken for any of these.
    Any,
}

/// Is told what a state consists of. Sequence numbers and moments are told apart from the rest: of a number only its
/// order among others means something, and of a moment only how far it is from now.
pub trait Digest {
    /// Anything else.
    fn bytes(&mut self, bytes: &[u8]);
    /// A sequence number.
    fn number(&mut self, of: Numbered, number: u64);
    /// A moment.
    fn moment(&mut self, moment: Moment);
    /// Whether a mark or a pass that was told of before has this generation.
    fn knows(&self, side: Side, generation: u64) -> bool;
}

impl Kept {
    /// Tells everything that a runtime may read of it, and decide by.
    pub fn digest(&self, to: &mut impl Digest) {
        for (id, status) in &self.statuses {
            to.bytes(&[id.0 as u8, status.mode as u8]);
            to.bytes(format!("{:?}", status.load).as_bytes());
        }
        for link in self.links.values() {
            to.bytes(&link.pair.0);
            to.bytes(&[link.state as u8]);
            for side in &link.sides {
                to.bytes(side.record.as_ref().map_or(&[], |r| &r.0));
                to.bytes(side.version.as_ref().map_or(&[], |v| v.0.as_bytes()));
                to.moment(side.fresh_from.unwrap_or_default());
            }
            to.bytes(&link.bases.layout());
            to.bytes(&link.bases.encode());
            to.number(Numbered::Moved, link.moved);
        }
        for mark in self.marks.values() {
            to.bytes(&mark.id.record.0);
            let side = mark.id.side.index() as u8;
            // From the second try on, more of them only make waits longer.
            to.bytes(&[side, mark.cause as u8, mark.tries.min(1) as u8]);
            to.bytes(format!("{:?}", mark.word).as_bytes());
            to.bytes(mark.missing.as_ref().map_or(&[], |m| &m.key));
            to.bytes(mark.error.as_ref().map_or(&[], |e| e.code.as_bytes()));
            to.number(Numbered::Generation(mark.id.side), mark.generation);
            to.moment(mark.not_before);
        }
        for intent in self.intents.values() {
            to.bytes(&intent.pair.0);
            to.bytes(&[intent.side.index() as u8, intent.kind as u8]);
            to.bytes(intent.record.as_ref().map_or(&[], |r| &r.0));
            to.bytes(&intent.natural_key);
            to.bytes(intent.guard.as_ref().map_or(&[], |v| v.0.as_bytes()));
            let mut lines = Vec::new();
            for line in &intent.lines {
                lines.extend_from_slice(&line.line.0.to_le_bytes());
                lines.extend([line.pending.into(), line.bounces]);
                crate::codec::put_value(&mut lines, &line.written);
                crate::codec::put_value(&mut lines, &line.source);
                let before = line.before.as_ref().unwrap_or(&dwmap_plan::Value::Null);
                crate::codec::put_value(&mut lines, before);
            }
            to.bytes(&lines);
            to.moment(intent.settle_at);
        }
        for (set, cursor) in &self.cursors {
            to.bytes(set.set.as_bytes());
            to.bytes(cursor.0.as_bytes());
        }
        for ((set, id), record) in &self.known {
            to.bytes(set.set.as_bytes());
            to.bytes(id);
            to.bytes(&record.0);
        }
        let removals = self.activity.iter().filter(|a| is_removal(a.kind));
        to.bytes(&[removals.count() as u8]);
    }
}
