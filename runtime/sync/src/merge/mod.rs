//! The merge: from what both sides hold, and what they held when they last agreed, to what is written.
//!
//! Pure: no I/O, no clock. [`merge`] decides for a whole pair, [`lines`] for each line.

mod agree;
mod lines;
mod pair;
mod sum;
#[cfg(test)]
mod tests;

use crate::code::{Ask, EncodeError, EvalRow, Failure};
use dwmap_plan::{Deactivation, MapPlan, Side, Value};

use crate::mistake::Rules;
use crate::state::{ActivityKind, IntentKind, Link, LinkState, Word};

pub(crate) use agree::{Held, line_agrees, own};
pub(crate) use pair::merge;
pub(crate) use sum::{adds, moved};

/// What is known of a side.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Seen<'a> {
    /// A fetch by its key found no record.
    Absent,
    /// What a read found.
    Row(&'a EvalRow),
    /// Nothing was read: the link's version still holds, and with it the base.
    Base,
}

/// What the merge is given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input<'a> {
    /// The map.
    pub(crate) map: &'a MapPlan,
    /// The link, its bases in the order of the map's lines; none before the first meeting.
    pub(crate) link: Option<&'a Link>,
    /// Both sides, left first.
    pub(crate) seen: [Seen<'a>; 2],
    /// What a person said of the pair.
    pub(crate) word: Option<Word>,
    /// The side whose key flows to the other, while the two hold different ones.
    pub(crate) key_from: Option<Side>,
    /// Which rules are kept.
    pub(crate) rules: Rules,
}

/// What becomes of the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// There is none, and none is made.
    None,
    /// It stands so, once the writes have succeeded.
    Is(LinkState),
    /// It goes, once the writes have succeeded.
    Drop,
}

/// A line that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LineWrite {
    /// The line's index.
    pub(crate) line: u16,
    /// The value, in the target's storage form.
    pub(crate) written: Value,
    /// The value that it comes from; null for a sum of both sides' changes.
    pub(crate) source: Value,
    /// It is null until this record is there.
    pub(crate) waits_for: Option<Ask>,
    /// How often the line has bounced with it since the last outside change.
    pub(crate) bounces: u8,
}

/// A write to one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SideWrite {
    /// What is done.
    pub(crate) kind: IntentKind,
    /// The lines of a creation or an update.
    pub(crate) lines: Vec<LineWrite>,
    /// The fields of a deactivation.
    pub(crate) constants: Deactivation,
}

/// Something for the log, or for the error queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    /// What it is.
    pub(crate) kind: ActivityKind,
    /// The side whose value won, or where it happened.
    pub(crate) side: Side,
    /// The line, if it is about one.
    pub(crate) line: Option<u16>,
}

/// What is to be done about a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decision {
    /// What becomes of the link.
    pub(crate) next: Next,
    /// The two meet, or meet again: all bases begin anew.
    pub(crate) first: bool,
    /// The writes, by the side that is written.
    pub(crate) writes: [Option<SideWrite>; 2],
    /// Lines that are in order as they stand: index and both values.
    pub(crate) settled: Vec<(u16, [Value; 2])>,
    /// Lines left blank that stay so: their index, the source, and what they wait for.
    pub(crate) waiting: Vec<(u16, Side, Ask)>,
    /// Lines that two systems keep changing. They are settled as they stand.
    pub(crate) unsettled: Vec<u16>,
    /// Lines that both sides changed, and of which a person decides.
    pub(crate) undecided: Vec<u16>,
    /// For the log.
    pub(crate) notes: Vec<Note>,
}

impl Decision {
    pub(crate) const fn of(next: Next) -> Self {
        Self {
            next,
            first: false,
            writes: [None, None],
            settled: Vec::new(),
            waiting: Vec::new(),
            unsettled: Vec::new(),
            undecided: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn note(mut self, kind: ActivityKind, side: Side) -> Self {
        self.notes.push(Note {
            kind,
            side,
            line: None,
        });
        self
    }

    fn write(mut self, on: Side, write: SideWrite) -> Self {
        self.writes[on.index()] = Some(write);
        self
    }

    /// Whether anything is sent.
    pub(crate) fn writes_anything(&self) -> bool {
        self.writes.iter().any(Option::is_some)
    }
}

/// Why nothing is done about a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Halt {
    /// A line can't be written.
    Refused(Problem),
    /// It waits for a record.
    Parked {
        /// The line, if it is one that waits (a key or a filter may, too).
        line: Option<u16>,
        /// What it waits for.
        ask: Ask,
    },
    /// Both sides changed, and a person decides.
    Undecided {
        /// The line; none where one side is deleted.
        line: Option<u16>,
    },
}

/// Why a line can't be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The line; none where the row's key or filter is at fault.
    pub(crate) line: Option<u16>,
    /// The side that its value comes from.
    pub(crate) from: Side,
    /// What is wrong with the value.
    pub(crate) why: Why,
    /// How many more lines can't be written.
    pub(crate) more: usize,
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Why {
    /// The program says so.
    Failed(Failure),
    /// A reference's target isn't there, and by the map's policy isn't waited for.
    Missing(Ask),
    /// It has no form in the target's JSON.
    Unwritable(EncodeError),
}
