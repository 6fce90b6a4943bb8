//! The interpreter.

use std::cmp::Ordering;

use dwmap_plan::{CompareOp, SlotId, Value};
use dwmap_steps::Failure;
use dwmap_steps::semantics::{Ask, BlankKey, Lookup, References, find_key};

use super::instr::{Comparing, Instr, Operands};
use super::{Code, texts};
use crate::slot::{Frame, Slot, State, Texts, value_of};

/// Runs a program over a frame whose columns have been read.
pub(crate) fn run(code: &Code, record: &str, frame: &mut Frame, known: &dyn References) {
    for instr in &code.instrs {
        // What most instructions are stands in the loop itself.
        match *instr {
            Instr::FitText { dst, src, fit } => code.fit_text(record, frame, dst, src, fit),
            instr => code.step(instr, record, frame, known),
        }
    }
}

impl Code {
    fn step(&self, instr: Instr, record: &str, frame: &mut Frame, known: &dyn References) {
        let pool = self.pool.as_str();
        match instr {
            Instr::Load { dst, value } => frame.set_value(dst, &self.loads[usize::from(value)]),
            Instr::Copy { dst, src } => frame.copy(dst, src),
            Instr::FitText { dst, src, fit } => self.fit_text(record, frame, dst, src, fit),
            Instr::FitScalar { dst, src, fit } => self.fit_scalar(frame, dst, src, fit),
            Instr::FitDecimal { dst, src, fit } => self.fit_decimal(frame, dst, src, fit),
            Instr::FitAny { dst, src, fit } => self.fit_any(record, frame, dst, src, fit),
            Instr::Table { dst, src, table } => self.table(record, frame, dst, src, table),
            Instr::Call { dst, src, call } => self.call(record, frame, dst, src, call),
            Instr::Default { dst, src, value } => match frame.state(src) {
                State::Null => frame.put(dst, self.defaults[usize::from(value)]),
                _ => frame.copy(dst, src),
            },
            Instr::Require { dst, src } => match frame.state(src) {
                State::Null => frame.fail(dst, Failure::Required),
                _ => frame.copy(dst, src),
            },
            Instr::IsNull { dst, src } => match frame.state(src) {
                State::Null => frame.set(dst, Slot::bool(true)),
                State::Value => frame.set(dst, Slot::bool(false)),
                _ => frame.copy(dst, src),
            },
            Instr::Not { dst, src } => match frame.state(src) {
                State::Null => frame.set(dst, Slot::bool(true)),
                State::Value => frame.set(dst, Slot::bool(!frame.slot(src).as_bool())),
                _ => frame.copy(dst, src),
            },
            Instr::All { dst, of } => self.logic(frame, dst, of, true),
            Instr::Any { dst, of } => self.logic(frame, dst, of, false),
            Instr::Concat { dst, of } => self.concat(record, frame, dst, of),
            Instr::Find {
                dst,
                reference,
                key,
                of,
            } => self.find(record, frame, known, dst, (reference, key, of)),
            Instr::Follow {
                dst,
                src,
                reference,
                part,
            } => self.follow(record, frame, known, (dst, src), (reference, part)),
            Instr::Compare {
                dst,
                left,
                right,
                op,
                by,
            } => self.compare(record, frame, dst, (left, right), op, by),
            Instr::Text {
                dst,
                src,
                what,
                test,
                fold,
            } => match (frame.state(src), frame.state(what)) {
                (State::Value, State::Value) => {
                    let spans = (frame.slot(src).as_span(), frame.slot(what).as_span());
                    let holds = texts::test(record, pool, frame, (test, fold), spans);
                    frame.set(dst, Slot::bool(holds));
                }
                (a, _) if !a.is_good() => frame.copy(dst, src),
                (_, b) if !b.is_good() => frame.copy(dst, what),
                _ => frame.set(dst, Slot::bool(false)),
            },
            // What is left passes null and failures on, and computes a value of a value.
            Instr::Trim { dst, src }
            | Instr::Upper { dst, src }
            | Instr::Lower { dst, src }
            | Instr::Scale { dst, src, .. }
            | Instr::EnumToBool { dst, src }
                if frame.state(src) != State::Value =>
            {
                frame.copy(dst, src);
            }
            Instr::Trim { dst, src } => {
                let span = texts::trim(record, pool, frame, frame.slot(src).as_span());
                frame.set(dst, Slot::span(span));
            }
            Instr::Upper { dst, src } => {
                let span = frame.slot(src).as_span();
                let span = texts::upper(record, pool, frame, span);
                frame.set(dst, Slot::span(span));
            }
            Instr::Lower { dst, src } => {
                let span = frame.slot(src).as_span();
                let span = texts::lower(record, pool, frame, span);
                frame.set(dst, Slot::span(span));
            }
            Instr::Scale {
                dst,
                src,
                places,
                rounding,
            } => match frame.decimal(src).rescale(places, rounding) {
                Ok(n) => frame.set_decimal(dst, n),
                Err(_) => frame.fail(dst, Failure::Overflow),
            },
            Instr::EnumToBool { dst, src } => match frame.slot(src).as_int() {
                n @ (0 | 1) => frame.set(dst, Slot::bool(n == 1)),
                _ => frame.fail(dst, Failure::UnknownMember),
            },
        }
    }

    fn operands(&self, of: Operands) -> &[SlotId] {
        &self.operands[of.from as usize..][..usize::from(of.count)]
    }

    #[inline]
    pub(super) fn texts<'a>(&'a self, record: &'a str, frame: &'a Frame) -> Texts<'a> {
        Texts {
            record,
            arena: &frame.arena,
            pool: &self.pool,
        }
    }

    /// The first operand without a value goes on as it is.
    fn stopped(&self, frame: &mut Frame, dst: SlotId, of: Operands) -> bool {
        let stopped = self
            .operands(of)
            .iter()
            .find(|s| !frame.state(**s).is_good());
        if let Some(src) = stopped {
            frame.copy(dst, *src);
        }
        stopped.is_some()
    }

    fn logic(&self, frame: &mut Frame, dst: SlotId, of: Operands, all: bool) {
        if self.stopped(frame, dst, of) {
            return;
        }
        let truth = |s: &SlotId| frame.state(*s) == State::Value && frame.slot(*s).as_bool();
        let mut operands = self.operands(of).iter();
        let result = if all {
            operands.all(truth)
        } else {
            operands.any(truth)
        };
        frame.set(dst, Slot::bool(result));
    }

    fn concat(&self, record: &str, frame: &mut Frame, dst: SlotId, of: Operands) {
        if self.stopped(frame, dst, of) {
            return;
        }
        let start = frame.arena.len();
        for src in self.operands(of) {
            if frame.state(*src) == State::Value {
                let span = frame.slot(*src).as_span();
                texts::append(record, &self.pool, &mut frame.arena, span);
            }
        }
        let span = frame.arena_span(start);
        frame.set(dst, Slot::span(span));
    }

    fn call(&self, record: &str, frame: &mut Frame, dst: SlotId, src: SlotId, at: u16) {
        if !frame.state(src).is_good() {
            return frame.copy(dst, src);
        }
        let call = &self.calls[usize::from(at)];
        let ty = &self.types[usize::from(src)];
        let value = value_of(frame, self.texts(record, frame), ty, src).to_value();
        match (call.function)(&value, &call.args) {
            Ok(value) => frame.set_value(dst, &value),
            Err(failure) => frame.fail(dst, failure),
        }
    }

    fn find(
        &self,
        record: &str,
        frame: &mut Frame,
        known: &dyn References,
        dst: SlotId,
        (reference, key, of): (u16, u16, Operands),
    ) {
        if self.stopped(frame, dst, of) {
            return;
        }
        let slots = self.operands(of);
        let blank = find_key(&self.references[usize::from(reference)], |i| {
            frame.state(slots[i]) == State::Null
        });
        match blank {
            Ok(()) => {}
            Err(BlankKey::None) => return frame.set_null(dst),
            Err(BlankKey::Some(part)) => return frame.fail(dst, Failure::BlankKeyPart { part }),
        }
        // The key's room is kept from record to record.
        let mut key_values = std::mem::take(&mut frame.keys[usize::from(key)]);
        for (part, slot) in key_values.iter_mut().zip(slots) {
            let ty = &self.types[usize::from(*slot)];
            value_of(frame, self.texts(record, frame), ty, *slot).store(part);
        }
        match known.find(reference, &key_values) {
            Lookup::Found(identity) => frame.set_value(dst, identity),
            answer => {
                let key = key_values.clone();
                ask(frame, dst, answer.map(drop), Ask::Find { reference, key });
            }
        }
        frame.keys[usize::from(key)] = key_values;
    }

    fn follow(
        &self,
        record: &str,
        frame: &mut Frame,
        known: &dyn References,
        (dst, src): (SlotId, SlotId),
        (reference, part): (u16, u16),
    ) {
        if frame.state(src) != State::Value {
            return frame.copy(dst, src);
        }
        let mut identity = frame.identity.take().unwrap_or(Value::Null);
        let ty = &self.types[usize::from(src)];
        value_of(frame, self.texts(record, frame), ty, src).store(&mut identity);
        match known.follow(reference, &identity) {
            Lookup::Found(key) => match key.get(usize::from(part)) {
                Some(value) => frame.set_value(dst, value),
                None => frame.fail(dst, Failure::Mismatch),
            },
            answer => {
                let identity = identity.clone();
                let question = Ask::Follow {
                    reference,
                    identity,
                };
                ask(frame, dst, answer.map(drop), question);
            }
        }
        frame.identity = Some(identity);
    }

    fn compare(
        &self,
        record: &str,
        frame: &mut Frame,
        dst: SlotId,
        (left, right): (SlotId, SlotId),
        op: CompareOp,
        by: Comparing,
    ) {
        let holds = match (frame.state(left), frame.state(right)) {
            (State::Value, State::Value) => {
                let (a, b) = (frame.slot(left), frame.slot(right));
                let texts = self.texts(record, frame);
                let order = match by {
                    Comparing::Scalar => Some(a.as_int().cmp(&b.as_int())),
                    Comparing::Decimal => Some(frame.decimal(left).cmp(&frame.decimal(right))),
                    Comparing::Float => a.as_float().partial_cmp(&b.as_float()),
                    Comparing::Guid => Some(a.as_guid().cmp(&b.as_guid())),
                    Comparing::Binary => Some(frame.blob(a).cmp(frame.blob(b))),
                    Comparing::Text => Some(texts.get(a.as_span()).cmp(texts.get(b.as_span()))),
                    Comparing::TextFolded => Some(texts::order_folded(
                        texts.get(a.as_span()),
                        texts.get(b.as_span()),
                    )),
                };
                match op {
                    CompareOp::Eq => order == Some(Ordering::Equal),
                    CompareOp::Ne => order != Some(Ordering::Equal),
                    CompareOp::Lt => order == Some(Ordering::Less),
                    CompareOp::Le => order.is_some_and(Ordering::is_le),
                    CompareOp::Gt => order == Some(Ordering::Greater),
                    CompareOp::Ge => order.is_some_and(Ordering::is_ge),
                }
            }
            (a, _) if !a.is_good() => return frame.copy(dst, left),
            (_, b) if !b.is_good() => return frame.copy(dst, right),
            // Null equals null alone, and is neither below nor above anything.
            (a, b) => match op {
                CompareOp::Eq | CompareOp::Le | CompareOp::Ge => a == b,
                CompareOp::Ne => a != b,
                CompareOp::Lt | CompareOp::Gt => false,
            },
        };
        frame.set(dst, Slot::bool(holds));
    }
}

fn ask(frame: &mut Frame, dst: SlotId, answer: Lookup<()>, question: Ask) {
    let state = match answer {
        Lookup::Unknown => State::Wanted,
        _ => State::Missing,
    };
    frame.ask(dst, state, question);
}
