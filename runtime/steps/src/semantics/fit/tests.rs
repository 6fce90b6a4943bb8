use dwmap_plan::NullForm;
use proptest::prelude::*;

use super::*;
use crate::laws;

fn storage() -> Storage {
    Storage {
        null: NullForm::default(),
        nullable: true,
        required: false,
        trim_end: false,
        max_len: None,
        unit: LengthUnit::Utf16,
        min: None,
        max: None,
        one_of: vec![],
    }
}

fn write(ty: Type, storage: Storage) -> Fit {
    Fit {
        ty,
        storage,
        overflow: Overflow::Reject,
        mode: FitMode::Write,
    }
}

#[test]
fn a_column_rounds_to_its_own_scale() {
    let f = write(Type::Decimal(10, 2), storage());
    let limit = Value::Decimal("1000.005".parse().unwrap());
    assert_eq!(
        fit(&limit, &f),
        Ok(Value::Decimal("1000.00".parse().unwrap()))
    );
    let large = Value::Decimal("100000000".parse().unwrap());
    let beyond = Bound::Digits {
        precision: 10,
        scale: 2,
    };
    assert_eq!(fit(&large, &f), Err(Failure::OutOfRange(beyond)));
    let read = Fit {
        mode: FitMode::Read,
        ..f
    };
    assert_eq!(fit(&large, &read), Ok(large));
}

#[test]
fn no_cut_splits_a_character() {
    assert_eq!(cut("a😀b", 2, LengthUnit::Utf16), "a");
    assert_eq!(cut("a😀b", 3, LengthUnit::Utf16), "a😀");
    assert_eq!(cut("a😀b", 2, LengthUnit::Scalar), "a😀");
    assert_eq!(length("a😀b", LengthUnit::Utf16), 4);
}

#[test]
fn null_follows_the_conventions() {
    let mut s = storage();
    s.null.read = Some(Value::from(""));
    s.null.write = Some(Value::from(""));
    s.trim_end = true;
    let f = write(Type::Text(None), s);
    assert_eq!(fit(&Value::from("  "), &f), Ok(Value::Null));
    assert_eq!(fit(&Value::Null, &f), Ok(Value::Null));

    let mut s = storage();
    s.nullable = false;
    let f = write(Type::Int32, s.clone());
    assert_eq!(fit(&Value::Null, &f), Err(Failure::Required));
    s.null.write = Some(Value::Int(0));
    let f = write(Type::Int32, s);
    assert_eq!(fit(&Value::Null, &f), Ok(Value::Int(0)));
    assert_eq!(fit(&Value::Int(0), &f), Ok(Value::Int(0)));
}

#[test]
fn a_text_too_long_is_refused_or_cut() {
    let mut s = storage();
    s.max_len = Some(4);
    s.trim_end = true;
    let mut f = write(Type::Text(Some(4)), s);
    assert_eq!(fit(&Value::from("abcd  "), &f), Ok(Value::from("abcd")));
    let failure = Failure::TooLong {
        length: 5,
        limit: 4,
        unit: LengthUnit::Utf16,
    };
    assert_eq!(fit(&Value::from("abcde"), &f), Err(failure));
    f.overflow = Overflow::Truncate;
    assert_eq!(fit(&Value::from("abc de"), &f), Ok(Value::from("abc")));
}

fn any_fit() -> impl Strategy<Value = Fit> {
    let types = prop_oneof![
        Just(Type::Text(None)),
        Just(Type::Int32),
        Just(Type::Decimal(9, 2)),
        Just(Type::Decimal(38, 10)),
        Just(Type::DateTime),
        Just(Type::Float64),
    ];
    let null = (any::<bool>(), any::<bool>());
    (
        types,
        null,
        any::<[bool; 5]>(),
        proptest::option::of(0_u32..6),
    )
        .prop_map(
            |(ty, null, [nullable, trim, truncate, read, utf16], limit)| {
                let zero = match &ty {
                    Type::Text(_) => Value::from(""),
                    Type::Int32 => Value::Int(0),
                    Type::Decimal(..) => Value::Decimal(Decimal::ZERO),
                    Type::DateTime => Value::DateTime(0),
                    _ => Value::Float(0.0),
                };
                let mut s = storage();
                s.null.read = null.0.then(|| zero.clone());
                s.null.write = null.1.then_some(zero);
                (s.nullable, s.trim_end, s.max_len) = (nullable, trim, limit);
                s.unit = if utf16 {
                    LengthUnit::Utf16
                } else {
                    LengthUnit::Scalar
                };
                Fit {
                    ty,
                    storage: s,
                    overflow: if truncate {
                        Overflow::Truncate
                    } else {
                        Overflow::Reject
                    },
                    mode: if read { FitMode::Read } else { FitMode::Write },
                }
            },
        )
}

proptest! {
    #[test]
    fn applying_it_twice_changes_nothing_more(value in laws::value(), f in any_fit()) {
        if let Ok(once) = fit(&value, &f) {
            prop_assert_eq!(fit(&once, &f), Ok(once));
        }
    }
}
