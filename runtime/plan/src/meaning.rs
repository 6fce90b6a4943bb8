//! What a line computes, whatever the numbering and naming around it.
//!
//! Bases hold what a line said when its pair was last in order. When the plan of a running map is replaced, they are
//! good for the lines that still say the same, and for no others.

use blake3::Hasher;
use serde::Serialize;

use crate::map::{Line, LineId, MapPlan, Reference, SidePlan};
use crate::program::{Op, Program, SlotId};
use crate::value::Repr;

type Digest = [u8; 32];

impl MapPlan {
    /// For each line an id that changes with what the line says: with its steps, tables, references, storage forms
    /// and directions, and not with its place, its neighbours or a name of a table.
    pub fn meanings(&self) -> Vec<LineId> {
        let sides = self
            .sides
            .each_ref()
            .map(|side| digests(side, &self.references));
        let lines = self.lines.iter().enumerate();
        lines
            .map(|(at, line)| {
                let mut hasher = Hasher::new();
                hasher.update(&line.id.0.to_le_bytes());
                add(&mut hasher, &flags(line));
                for (side, digests) in self.sides.iter().zip(&sides) {
                    let outputs = &side.program.outputs;
                    for slots in [&outputs.own, &outputs.out] {
                        let slot = slots.get(at).copied().flatten();
                        add(&mut hasher, &slot.and_then(|slot| digest_of(digests, slot)));
                    }
                }
                LineId(first_word(&hasher))
            })
            .collect()
    }
}

fn flags(line: &Line) -> [bool; 5] {
    [
        line.to_right,
        line.to_left,
        line.key,
        line.on_create,
        line.normalise,
    ]
}

/// For each slot of a side's program a hash of what it is computed from. Every slot is written once, by an op that
/// comes after those of its sources, so one pass is enough.
fn digests(side: &SidePlan, references: &[Reference]) -> Vec<Option<Digest>> {
    let program = &side.program;
    let mut digests = vec![None; program.slots.len()];
    for (column, digest) in program.columns.iter().zip(&mut digests) {
        let mut hasher = Hasher::new();
        add(&mut hasher, &(&column.wire, &column.ty, &column.storage));
        add_form(&mut hasher, program, &column.repr);
        *digest = Some(*hasher.finalize().as_bytes());
    }
    for op in &program.ops {
        let mut hasher = Hasher::new();
        add_op(&mut hasher, program, references, op);
        for source in op.sources() {
            add(&mut hasher, &digest_of(&digests, source));
        }
        if let Some(digest) = digests.get_mut(usize::from(op.dst())) {
            *digest = Some(*hasher.finalize().as_bytes());
        }
    }
    digests
}

/// A form on the wire, with the members of an enum instead of its number.
fn add_form(hasher: &mut Hasher, program: &Program, repr: &Repr) {
    match repr {
        Repr::EnumName(at) => add(hasher, &("name", program.enums.get(usize::from(*at)))),
        Repr::EnumInt(at) => add(hasher, &("int", program.enums.get(usize::from(*at)))),
        other => add(hasher, other),
    }
}

/// An op without its slots, with what its numbers stand for.
fn add_op(hasher: &mut Hasher, program: &Program, references: &[Reference], op: &Op) {
    let target = |at: u16| {
        let reference = references.get(usize::from(at));
        reference.map(|r| (&r.fetch.address, &r.identity, &r.key))
    };
    match op {
        Op::Const { constant, .. } => {
            add(
                hasher,
                &("const", program.constants.get(usize::from(*constant))),
            );
        }
        Op::Fit { fit, .. } => add(hasher, &("fit", program.fits.get(usize::from(*fit)))),
        Op::Step {
            step, direction, ..
        } => {
            add(
                hasher,
                &("step", program.steps.get(usize::from(*step)), direction),
            );
        }
        Op::Table {
            table, direction, ..
        } => {
            let table = program.tables.get(usize::from(*table)).map(|t| {
                let rows = (&t.forward, &t.backward);
                let others = (&t.else_forward, &t.else_backward);
                (&t.left, &t.right, rows, others, t.fold_left, t.fold_right)
            });
            add(hasher, &("table", table, direction));
        }
        Op::EnumToBool { .. } => add(hasher, "enum to bool"),
        Op::BoolToEnum { .. } => add(hasher, "bool to enum"),
        Op::Call { function, .. } => add(hasher, &("call", function)),
        Op::Find { reference, .. } => add(hasher, &("find", target(*reference))),
        Op::Follow {
            reference, part, ..
        } => add(hasher, &("follow", target(*reference), part)),
        Op::Compare { op, fold, .. } => add(hasher, &("compare", op, fold)),
        Op::Text { test, fold, .. } => add(hasher, &("text", test, fold)),
        Op::IsNull { .. } => add(hasher, "is null"),
        Op::All { .. } => add(hasher, "all"),
        Op::Any { .. } => add(hasher, "any"),
        Op::Not { .. } => add(hasher, "not"),
    }
}

fn digest_of(digests: &[Option<Digest>], slot: SlotId) -> Option<Digest> {
    digests.get(usize::from(slot)).copied().flatten()
}

fn first_word(hasher: &Hasher) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(first)
}

/// Adds a value in the plan's own encoding, its length first.
fn add(hasher: &mut Hasher, value: &(impl Serialize + ?Sized)) {
    // Plain data without maps or unknown lengths always encodes; what didn't would count as changed, and meet anew.
    let bytes = postcard::to_stdvec(value).unwrap_or_default();
    hasher.update(&(bytes.len() as u64).to_le_bytes());
    hasher.update(&bytes);
}
