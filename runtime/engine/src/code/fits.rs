//! Storage forms, prepared by the kind of value that they are applied to.

use dwmap_plan::{
    Decimal, DecimalError, Fit, FitMode, LengthUnit, Overflow, Rounding, SlotId, Type, Value,
};
use dwmap_steps::semantics::{cut, fit, length};
use dwmap_steps::{Bound, Failure};

use super::{Code, Const, Known};
use crate::names::NameTable;
use crate::slot::{Frame, Slot, Span, State, Texts, value_of};

/// For texts.
#[derive(Debug)]
pub(super) struct TextFit {
    /// What null becomes, and what reads as null.
    null: Known,
    reads_null: Option<Box<str>>,
    trim: bool,
    cut: Option<u32>,
    limit: Option<u32>,
    unit: LengthUnit,
    one_of: Option<NameTable>,
    /// The most bytes of a text that only its end decides about: longer ones must be counted or looked up.
    short: usize,
}

/// For everything that is one whole number inside.
#[derive(Debug)]
pub(super) struct ScalarFit {
    null: Known,
    reads_null: Option<i64>,
    int32: bool,
    min: Option<i64>,
    max: Option<i64>,
}

/// For decimals, and whole numbers that become decimals.
#[derive(Debug)]
pub(super) struct DecimalFit {
    null: Known,
    reads_null: Option<Decimal>,
    from_int: bool,
    precision: u8,
    scale: u8,
    /// The first number of units that the column can't hold.
    beyond: i128,
    write: bool,
    min: Option<Decimal>,
    max: Option<Decimal>,
}

/// For the rest, by reference meaning.
#[derive(Debug)]
pub(super) struct AnyFit {
    fit: Fit,
    src: Type,
}

fn scalar(value: &Value) -> Option<i64> {
    match value {
        Value::Bool(b) => Some(i64::from(*b)),
        Value::Int(n) | Value::DateTime(n) => Some(*n),
        Value::Date(day) => Some(i64::from(*day)),
        _ => None,
    }
}

fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Decimal(n) => Some(*n),
        _ => None,
    }
}

/// What null becomes; none for a binary constant, which has no place in the pool.
fn null_of(f: &Fit, pool: &mut String) -> Option<Known> {
    match fit(&Value::Null, f) {
        Ok(value) => Const::new(&value, pool).map(Ok),
        Err(failure) => Some(Err(failure)),
    }
}

impl TextFit {
    /// None where the form has something that only the reference meaning knows.
    pub(super) fn new(f: &Fit, pool: &mut String) -> Option<Self> {
        let (s, write) = (&f.storage, f.mode == FitMode::Write);
        if write && (s.min.is_some() || s.max.is_some()) {
            return None;
        }
        let reads_null = match &s.null.read {
            None => None,
            Some(Value::Text(text)) => Some(text.as_str().into()),
            Some(_) => return None,
        };
        let truncate = write && f.overflow == Overflow::Truncate;
        let form = Self {
            null: null_of(f, pool)?,
            reads_null,
            trim: s.trim_end,
            cut: s.max_len.filter(|_| truncate),
            limit: s.max_len.filter(|_| write),
            unit: s.unit,
            one_of: (write && !s.one_of.is_empty())
                .then(|| NameTable::new(s.one_of.iter().map(|t| (t.as_str(), 0)))),
            short: 0,
        };
        Some(form.with_short())
    }

    fn with_short(mut self) -> Self {
        let looked_up =
            self.one_of.is_some() || self.reads_null.as_deref().is_some_and(|t| !t.is_empty());
        let limit = self.limit.map_or(usize::MAX, |limit| limit as usize);
        self.short = if looked_up { 0 } else { limit };
        self
    }

    /// Whether a text stays as it is, as far as that is seen at a glance.
    #[inline]
    fn keeps(&self, texts: Texts<'_>, span: Span) -> bool {
        let short = span.len as usize <= self.short;
        short && texts.last(span).is_some_and(|last| last != b' ')
    }

    /// Whether it leaves every value as it is.
    pub(super) fn is_nothing(&self) -> bool {
        null_stays(self.null)
            && self.reads_null.is_none()
            && !self.trim
            && self.limit.is_none()
            && self.one_of.is_none()
    }

    /// The form that does what `first` does, then this; none where no one form does.
    pub(super) fn after(&self, first: &Self) -> Option<Self> {
        let only_reads = null_stays(first.null) && first.limit.is_none() && first.one_of.is_none();
        (only_reads && first.reads_null == self.reads_null).then(|| {
            Self {
                trim: first.trim || self.trim,
                reads_null: self.reads_null.clone(),
                one_of: self.one_of.clone(),
                ..*self
            }
            .with_short()
        })
    }

    #[inline]
    fn apply<'a>(&self, mut text: &'a str) -> Result<Option<&'a str>, Failure> {
        if self.trim && text.as_bytes().last() == Some(&b' ') {
            text = text.trim_end_matches(' ');
        }
        // A text has at most as many units as bytes, so that most need no counting.
        if let Some(limit) = self.cut
            && text.len() > limit as usize
        {
            text = cut(text, limit, self.unit);
            if self.trim {
                text = text.trim_end_matches(' ');
            }
        }
        if self.reads_null.as_deref() == Some(text) {
            return Ok(None);
        }
        if let Some(one_of) = &self.one_of
            && one_of.get(text).is_none()
        {
            return Err(Failure::NotOneOf);
        }
        if let Some(limit) = self.limit
            && text.len() > limit as usize
        {
            let (length, unit) = (length(text, self.unit), self.unit);
            if length > limit {
                return Err(Failure::TooLong {
                    length,
                    limit,
                    unit,
                });
            }
        }
        Ok(Some(text))
    }
}

fn null_stays(null: Known) -> bool {
    null.is_ok_and(|c| c.state == State::Null)
}

impl ScalarFit {
    pub(super) fn new(f: &Fit, pool: &mut String) -> Option<Self> {
        let (s, write) = (&f.storage, f.mode == FitMode::Write);
        let bound = |v: &Option<Value>| v.as_ref().filter(|_| write).and_then(scalar);
        Some(Self {
            null: null_of(f, pool)?,
            reads_null: s.null.read.as_ref().and_then(scalar),
            int32: write && f.ty == Type::Int32,
            min: bound(&s.min),
            max: bound(&s.max),
        })
    }

    pub(super) fn is_nothing(&self) -> bool {
        null_stays(self.null)
            && self.reads_null.is_none()
            && !self.int32
            && self.min.is_none()
            && self.max.is_none()
    }
}

impl DecimalFit {
    pub(super) fn new(f: &Fit, src: &Type, pool: &mut String) -> Option<Self> {
        let Type::Decimal(precision, scale) = f.ty else {
            return None;
        };
        let (s, write) = (&f.storage, f.mode == FitMode::Write);
        let bound = |v: &Option<Value>| v.as_ref().filter(|_| write).and_then(decimal);
        Some(Self {
            null: null_of(f, pool)?,
            reads_null: s.null.read.as_ref().and_then(decimal),
            from_int: !matches!(src, Type::Decimal(..)),
            precision,
            scale,
            beyond: 10_i128.pow(u32::from(precision)),
            write,
            min: bound(&s.min),
            max: bound(&s.max),
        })
    }

    fn apply(&self, n: Decimal) -> Result<Option<Decimal>, Failure> {
        let beyond = Failure::OutOfRange(Bound::Digits {
            precision: self.precision,
            scale: self.scale,
        });
        let fitted = match rescale(n, self.scale) {
            Ok(fitted) if self.write && fitted.units().abs() >= self.beyond => return Err(beyond),
            Err(_) if self.write => return Err(beyond),
            Ok(fitted) => fitted,
            Err(_) => n,
        };
        if self.reads_null == Some(fitted) {
            return Ok(None);
        }
        if self.min.is_some_and(|min| fitted < min) {
            return Err(Failure::OutOfRange(Bound::Min));
        }
        if self.max.is_some_and(|max| fitted > max) {
            return Err(Failure::OutOfRange(Bound::Max));
        }
        Ok(Some(fitted))
    }
}

/// [`Decimal::rescale`], half-even, in 64 bits where that is enough: a division of 128 bits takes many times as long.
fn rescale(n: Decimal, scale: u8) -> Result<Decimal, DecimalError> {
    let lost = n.scale().checked_sub(scale).map(usize::from);
    let (Ok(units), Some(lost @ 1..POWERS)) = (i64::try_from(n.units()), lost) else {
        return n.rescale(scale, Rounding::HalfEven);
    };
    let factor = POWERS_OF_TEN[lost];
    let (quotient, rest) = (units / factor, units % factor);
    let twice = rest.unsigned_abs() * 2;
    let up = twice > factor as u64 || twice == factor as u64 && quotient % 2 != 0;
    let rounded = if up {
        quotient + units.signum()
    } else {
        quotient
    };
    Decimal::new(i128::from(rounded), scale)
}

const POWERS: usize = 19;
const POWERS_OF_TEN: [i64; POWERS] = {
    let mut powers = [1; POWERS];
    let mut at = 1;
    while at < POWERS {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

impl AnyFit {
    pub(super) fn new(f: &Fit, src: &Type) -> Self {
        Self {
            fit: f.clone(),
            src: src.clone(),
        }
    }
}

impl Code {
    #[inline]
    pub(super) fn fit_text(
        &self,
        record: &str,
        frame: &mut Frame,
        dst: SlotId,
        src: SlotId,
        at: u16,
    ) {
        let form = &self.text_fits[usize::from(at)];
        if frame.state(src) == State::Value {
            let (slot, texts) = (frame.slot(src), self.texts(record, frame));
            if form.keeps(texts, slot.as_span()) {
                return frame.set(dst, slot);
            }
        }
        self.fit_any_text(record, frame, dst, src, form);
    }

    fn fit_any_text(
        &self,
        record: &str,
        frame: &mut Frame,
        dst: SlotId,
        src: SlotId,
        form: &TextFit,
    ) {
        match frame.state(src) {
            State::Null => return frame.put_known(dst, form.null),
            State::Value => {}
            _ => return frame.copy(dst, src),
        }
        let span = frame.slot(src).as_span();
        match form.apply(self.texts(record, frame).get(span)) {
            Ok(Some(text)) => {
                let len = text.len() as u32;
                frame.set(dst, Slot::span(Span { len, ..span }));
            }
            Ok(None) => frame.put_known(dst, form.null),
            Err(failure) => frame.fail(dst, failure),
        }
    }

    pub(super) fn fit_scalar(&self, frame: &mut Frame, dst: SlotId, src: SlotId, at: u16) {
        let form = &self.scalar_fits[usize::from(at)];
        match frame.state(src) {
            State::Null => return frame.put_known(dst, form.null),
            State::Value => {}
            _ => return frame.copy(dst, src),
        }
        let n = frame.slot(src).as_int();
        let bound = if form.int32 && i32::try_from(n).is_err() {
            Bound::Int32
        } else if form.reads_null == Some(n) {
            return frame.put_known(dst, form.null);
        } else if form.min.is_some_and(|min| n < min) {
            Bound::Min
        } else if form.max.is_some_and(|max| n > max) {
            Bound::Max
        } else {
            return frame.set(dst, Slot::int(n));
        };
        frame.fail(dst, Failure::OutOfRange(bound));
    }

    pub(super) fn fit_decimal(&self, frame: &mut Frame, dst: SlotId, src: SlotId, at: u16) {
        let form = &self.decimal_fits[usize::from(at)];
        match frame.state(src) {
            State::Null => return frame.put_known(dst, form.null),
            State::Value => {}
            _ => return frame.copy(dst, src),
        }
        let n = if form.from_int {
            Decimal::from_int(frame.slot(src).as_int())
        } else {
            frame.decimal(src)
        };
        match form.apply(n) {
            Ok(Some(n)) => frame.set_decimal(dst, n),
            Ok(None) => frame.put_known(dst, form.null),
            Err(failure) => frame.fail(dst, failure),
        }
    }

    pub(super) fn fit_any(
        &self,
        record: &str,
        frame: &mut Frame,
        dst: SlotId,
        src: SlotId,
        at: u16,
    ) {
        let AnyFit { fit: form, src: ty } = &self.any_fits[usize::from(at)];
        if !frame.state(src).is_good() {
            return frame.copy(dst, src);
        }
        let texts = self.texts(record, frame);
        match fit(&value_of(frame, texts, ty, src).to_value(), form) {
            Ok(value) => frame.set_value(dst, &value),
            Err(failure) => frame.fail(dst, failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_short_way_rounds_as_the_long_one(units in any::<i64>(), digits in 0_u32..19, from in 0_u8..25, to in 0_u8..25) {
            let n = Decimal::new(i128::from(units) % 10_i128.pow(digits), from).unwrap();
            let (short, long) = (rescale(n, to), n.rescale(to, Rounding::HalfEven));
            prop_assert_eq!(format!("{short:?}"), format!("{long:?}"));
        }
    }
}
