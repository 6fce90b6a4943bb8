//! Slots: 16 untagged bytes each, with a state and a scale beside.
//!
//! Types are static in the program. A state is a byte rather than two bits of a map: it is written far more often than
//! it is counted, and a byte needs no read before the write.

use dwmap_plan::{Decimal, SlotId, Type, Value};
use dwmap_steps::Failure;
use dwmap_steps::semantics::Ask;

use crate::cell::ValueRef;

/// What a slot holds, and where its bytes mean something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum State {
    /// No value.
    #[default]
    Null,
    /// A value of the slot's type.
    Value,
    /// The index of a failure.
    Failed,
    /// The index of a question that was answered with "not there".
    Missing,
    /// The index of a question that is open.
    Wanted,
}

impl State {
    /// Null or a value.
    pub(crate) const fn is_good(self) -> bool {
        matches!(self, Self::Null | Self::Value)
    }
}

/// 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Slot(u128);

impl Slot {
    pub(crate) const fn int(n: i64) -> Self {
        Self(n as u64 as u128)
    }

    pub(crate) const fn bool(b: bool) -> Self {
        Self(b as u128)
    }

    pub(crate) const fn float(f: f64) -> Self {
        Self(f.to_bits() as u128)
    }

    pub(crate) const fn units(n: i128) -> Self {
        Self(n as u128)
    }

    pub(crate) const fn guid(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }

    pub(crate) const fn span(span: Span) -> Self {
        let flags = (span.buffer as u128) | (span.plain as u128) << 8;
        Self(span.start as u128 | (span.len as u128) << 32 | flags << 64)
    }

    pub(crate) const fn as_int(self) -> i64 {
        self.0 as u64 as i64
    }

    pub(crate) const fn as_bool(self) -> bool {
        self.0 != 0
    }

    pub(crate) const fn as_float(self) -> f64 {
        f64::from_bits(self.0 as u64)
    }

    pub(crate) const fn as_units(self) -> i128 {
        self.0 as i128
    }

    pub(crate) const fn as_guid(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    pub(crate) const fn as_span(self) -> Span {
        Span {
            start: self.0 as u32,
            len: (self.0 >> 32) as u32,
            buffer: match (self.0 >> 64) as u8 {
                0 => Buffer::Record,
                1 => Buffer::Arena,
                _ => Buffer::Pool,
            },
            plain: (self.0 >> 72) & 1 == 1,
        }
    }
}

/// Text (or bytes) by reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) len: u32,
    pub(crate) buffer: Buffer,
    /// Nothing in it needs an escape in JSON.
    pub(crate) plain: bool,
}

/// Where a span's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Buffer {
    /// The record's own JSON.
    Record = 0,
    /// What was computed of this record.
    Arena = 1,
    /// The program's constants.
    Pool = 2,
}

/// The slots of a record, and what they refer to.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    pub(crate) slots: Vec<Slot>,
    pub(crate) states: Vec<State>,
    /// The scale of a decimal: it is that of the number as it came, so that nothing is lost by reading it.
    pub(crate) scales: Vec<u8>,
    pub(crate) arena: String,
    pub(crate) blobs: Vec<u8>,
    pub(crate) failures: Vec<Failure>,
    pub(crate) asks: Vec<Ask>,
    /// Those of `asks` that are open.
    pub(crate) wants: Vec<u32>,
    /// Room for the keys of look-ups, kept from record to record.
    pub(crate) keys: Vec<Vec<Value>>,
    /// Room for an identity.
    pub(crate) identity: Option<Value>,
}

impl Frame {
    /// Forgets the last record. Slots keep their bytes: each is written before it is read.
    pub(crate) fn clear(&mut self) {
        self.arena.clear();
        self.blobs.clear();
        self.failures.clear();
        self.asks.clear();
        self.wants.clear();
    }

    #[inline]
    pub(crate) fn set(&mut self, at: SlotId, slot: Slot) {
        let at = usize::from(at);
        self.slots[at] = slot;
        self.states[at] = State::Value;
    }

    #[inline]
    pub(crate) fn set_null(&mut self, at: SlotId) {
        self.states[usize::from(at)] = State::Null;
    }

    #[inline]
    pub(crate) fn set_decimal(&mut self, at: SlotId, n: Decimal) {
        self.set(at, Slot::units(n.units()));
        self.scales[usize::from(at)] = n.scale();
    }

    /// Copies a slot with all that stands beside it: also how a failure goes on.
    #[inline]
    pub(crate) fn copy(&mut self, dst: SlotId, src: SlotId) {
        let (dst, src) = (usize::from(dst), usize::from(src));
        self.slots[dst] = self.slots[src];
        self.states[dst] = self.states[src];
        self.scales[dst] = self.scales[src];
    }

    pub(crate) fn fail(&mut self, at: SlotId, failure: Failure) {
        let index = self.failures.len() as i64;
        self.failures.push(failure);
        self.slots[usize::from(at)] = Slot::int(index);
        self.states[usize::from(at)] = State::Failed;
    }

    pub(crate) fn ask(&mut self, at: SlotId, state: State, ask: Ask) {
        let index = self.asks.len() as i64;
        self.asks.push(ask);
        if state == State::Wanted {
            self.wants.push(index as u32);
        }
        self.slots[usize::from(at)] = Slot::int(index);
        self.states[usize::from(at)] = state;
    }

    #[inline]
    pub(crate) fn state(&self, at: SlotId) -> State {
        self.states[usize::from(at)]
    }

    #[inline]
    pub(crate) fn slot(&self, at: SlotId) -> Slot {
        self.slots[usize::from(at)]
    }

    #[inline]
    pub(crate) fn decimal(&self, at: SlotId) -> Decimal {
        let at = usize::from(at);
        decimal(self.slots[at], self.scales[at])
    }

    /// The bytes of a binary value.
    pub(crate) fn blob(&self, slot: Slot) -> &[u8] {
        let span = slot.as_span();
        let (from, to) = (span.start as usize, (span.start + span.len) as usize);
        self.blobs.get(from..to).unwrap_or_default()
    }

    /// Takes over a text that was made elsewhere.
    pub(crate) fn push_text(&mut self, text: &str) -> Span {
        let start = self.arena.len();
        self.arena.push_str(text);
        self.arena_span(start)
    }

    /// The text in the arena from `start` on.
    pub(crate) fn arena_span(&self, start: usize) -> Span {
        Span {
            start: start as u32,
            len: (self.arena.len() - start) as u32,
            buffer: Buffer::Arena,
            plain: is_plain(&self.arena.as_bytes()[start..]),
        }
    }

    /// Writes an owned value: the slow way.
    pub(crate) fn set_value(&mut self, at: SlotId, value: &Value) {
        match value {
            Value::Null => self.set_null(at),
            Value::Bool(b) => self.set(at, Slot::bool(*b)),
            Value::Int(n) | Value::DateTime(n) => self.set(at, Slot::int(*n)),
            Value::Date(day) => self.set(at, Slot::int(i64::from(*day))),
            Value::Decimal(n) => self.set_decimal(at, *n),
            Value::Float(f) => self.set(at, Slot::float(*f)),
            Value::Guid(g) => self.set(at, Slot::guid(*g)),
            Value::Text(text) => {
                let span = self.push_text(text);
                self.set(at, Slot::span(span));
            }
            Value::Binary(bytes) => {
                let start = self.blobs.len();
                self.blobs.extend_from_slice(bytes);
                self.set_blob(at, start);
            }
        }
    }

    /// The bytes among the blobs from `start` on.
    pub(crate) fn set_blob(&mut self, at: SlotId, start: usize) {
        let span = Span {
            start: start as u32,
            len: (self.blobs.len() - start) as u32,
            buffer: Buffer::Arena,
            plain: true,
        };
        self.set(at, Slot::span(span));
    }
}

/// A slot with its scale as a decimal.
pub(crate) fn decimal(slot: Slot, scale: u8) -> Decimal {
    // Every number in a slot has been a `Decimal` before, so that it can be one again.
    Decimal::new(slot.as_units(), scale).unwrap_or(Decimal::ZERO)
}

/// Whether nothing in a text needs an escape in JSON.
pub(crate) fn is_plain(bytes: &[u8]) -> bool {
    // Without a branch for each byte, so that it is done for many at once.
    let special = |b: u8| u8::from(b < 0x20) | u8::from(b == b'"') | u8::from(b == b'\\');
    bytes.iter().fold(0, |found, b| found | special(*b)) == 0
}

/// The first `len` bytes of what stands here.
#[derive(Clone, Copy)]
pub(crate) struct Token<'a> {
    pub(crate) here: &'a [u8],
    pub(crate) len: usize,
}

/// What spans refer to.
#[derive(Clone, Copy)]
pub(crate) struct Texts<'a> {
    pub(crate) record: &'a str,
    pub(crate) arena: &'a str,
    pub(crate) pool: &'a str,
}

impl<'a> Texts<'a> {
    #[inline]
    pub(crate) fn get(self, span: Span) -> &'a str {
        let (from, to) = (span.start as usize, (span.start + span.len) as usize);
        // Spans are made at borders of characters of texts that don't change, so that there always is one.
        self.buffer(span).get(from..to).unwrap_or_default()
    }

    /// The same as bytes, which need no look at the borders of characters.
    #[inline]
    pub(crate) fn bytes(self, span: Span) -> &'a [u8] {
        let (from, to) = (span.start as usize, (span.start + span.len) as usize);
        let bytes = self.buffer(span).as_bytes();
        bytes.get(from..to).unwrap_or_default()
    }

    /// A text's last byte; none where it is empty.
    #[inline]
    pub(crate) fn last(self, span: Span) -> Option<u8> {
        let before = span.len.checked_sub(1)?;
        let at = (span.start + before) as usize;
        self.buffer(span).as_bytes().get(at).copied()
    }

    /// A text of the record with what stands behind its opening quote, if its closing one stands right behind it: then
    /// it can be written as it came.
    #[inline]
    pub(crate) fn quoted(self, span: Span) -> Option<Token<'a>> {
        if span.buffer != Buffer::Record || !span.plain {
            return None;
        }
        let (from, len) = ((span.start as usize).checked_sub(1)?, span.len as usize + 2);
        let here = self.record.as_bytes().get(from..)?;
        (here.first() == Some(&b'"') && here.get(len - 1) == Some(&b'"'))
            .then_some(Token { here, len })
    }

    #[inline]
    const fn buffer(self, span: Span) -> &'a str {
        match span.buffer {
            Buffer::Record => self.record,
            Buffer::Arena => self.arena,
            Buffer::Pool => self.pool,
        }
    }
}

/// A slot's value by its type.
pub(crate) fn value_of<'a>(
    frame: &'a Frame,
    texts: Texts<'a>,
    ty: &Type,
    at: SlotId,
) -> ValueRef<'a> {
    if frame.state(at) == State::Null {
        return ValueRef::Null;
    }
    let slot = frame.slot(at);
    match ty {
        Type::Text(_) => ValueRef::Text(texts.get(slot.as_span())),
        Type::Bool => ValueRef::Bool(slot.as_bool()),
        Type::Int32 | Type::Int64 | Type::Enum(_) => ValueRef::Int(slot.as_int()),
        Type::Decimal(..) => ValueRef::Decimal(frame.decimal(at)),
        Type::Float64 => ValueRef::Float(slot.as_float()),
        Type::Date => ValueRef::Date(slot.as_int() as i32),
        Type::DateTime | Type::LocalTime => ValueRef::DateTime(slot.as_int()),
        Type::Guid => ValueRef::Guid(slot.as_guid()),
        Type::Binary => ValueRef::Binary(frame.blob(slot)),
    }
}
