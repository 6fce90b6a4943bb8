//! Typed values as literals in URLs, and as they stand in JSON.

use dwmap_connect::{ConnectError, Refusal};
use dwmap_odata::{Literal, literal::parse_guid, time};
use dwmap_plan::{Decimal, Dialect, EnumDef, Repr, Value};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The namespace of the enums of Finance & Operations.
const FINOPS_ENUMS: &str = "Microsoft.Dynamics.DataEntities";

const DAY_MICROS: i64 = 86_400_000_000;

/// A value, filter or key that can't be put into words that the system understands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unfit(pub(crate) String);

impl Unfit {
    pub(crate) fn refusal(self) -> Refusal {
        Refusal {
            code: "unfit".to_owned(),
            message: self.0,
            field: None,
        }
    }

    pub(crate) fn error(self, system: &str, what: &str) -> ConnectError {
        ConnectError::Refused {
            system: system.to_owned(),
            what: what.to_owned(),
            refusal: self.refusal(),
        }
    }
}

/// A value as it stands in a URL of a system of this family.
pub(crate) fn literal<'v>(
    value: &'v Value,
    repr: &Repr,
    enums: &'v [EnumDef],
    dialect: Dialect,
) -> Result<Literal<'v>, Unfit> {
    let unfit = || {
        Unfit(format!(
            "{value:?} can't stand in a URL as {repr:?}; compile the maps again"
        ))
    };
    Ok(match (value, repr) {
        (Value::Null, _) => Literal::Null,
        (Value::Int(_) | Value::Bool(_), Repr::EnumName(index)) => {
            let def = enums.get(usize::from(*index)).ok_or_else(unfit)?;
            let member = def.by_value(number_of(value)).ok_or_else(unfit)?;
            match dialect {
                Dialect::Finops => {
                    Literal::member(format!("{FINOPS_ENUMS}.{}", def.name), member.name.as_str())
                }
                _ => Literal::text(member.name.as_str()),
            }
        }
        (Value::Int(_) | Value::Bool(_), Repr::EnumInt(_)) => Literal::Int(number_of(value)),
        (Value::Bool(v), _) => Literal::Bool(*v),
        (Value::Int(v), _) => Literal::Int(*v),
        (Value::Decimal(v), _) => Literal::Number(v.to_string().into()),
        (Value::Float(v), _) => Literal::Number(v.to_string().into()),
        (Value::Text(v), _) => Literal::text(v.as_str()),
        (Value::Date(days), Repr::DateNoon) => {
            Literal::DateTime(i64::from(*days) * DAY_MICROS + DAY_MICROS / 2)
        }
        (Value::Date(days), _) => Literal::Date(*days),
        (Value::DateTime(micros), _) => Literal::DateTime(*micros),
        (Value::Guid(v), _) => Literal::Guid(*v),
        (Value::Binary(_), _) => return Err(unfit()),
    })
}

fn number_of(value: &Value) -> i64 {
    match value {
        Value::Int(n) => *n,
        Value::Bool(b) => i64::from(*b),
        _ => 0,
    }
}

/// A literal read from a URL as the value that it stands for; none if it isn't of this form.
pub(crate) fn of_literal(literal: &Literal<'_>, repr: &Repr, enums: &[EnumDef]) -> Option<Value> {
    Some(match (literal, repr) {
        (Literal::Text(text), Repr::Text) => Value::Text(text.clone().into_owned()),
        (Literal::Bool(v), Repr::Bool) => Value::Bool(*v),
        (Literal::Int(v), Repr::Decimal(..)) => Value::Decimal(Decimal::from_int(*v)),
        (Literal::Int(v), Repr::Int32 | Repr::Int64 | Repr::EnumInt(_)) => Value::Int(*v),
        (Literal::Number(v), Repr::Decimal(..)) => Value::Decimal(v.parse().ok()?),
        (Literal::Guid(v), Repr::Guid) => Value::Guid(*v),
        (Literal::Date(v), Repr::Date | Repr::DateNoon) => Value::Date(*v),
        (Literal::DateTime(v), Repr::Date | Repr::DateNoon) => {
            Value::Date(v.div_euclid(DAY_MICROS) as i32)
        }
        (Literal::DateTime(v), Repr::DateTime | Repr::LocalTime) => Value::DateTime(*v),
        (Literal::Member { member, .. }, Repr::EnumName(index)) => {
            let def = enums.get(usize::from(*index))?;
            Value::Int(def.by_name(member)?.value)
        }
        _ => return None,
    })
}

/// Reads a value from its JSON text; none if it isn't what the form says.
pub(crate) fn read(raw: &RawValue, repr: &Repr, enums: &[EnumDef]) -> Option<Value> {
    let raw = raw.get();
    if raw == "null" {
        return Some(Value::Null);
    }
    match repr {
        Repr::Text => text(raw).map(Value::Text),
        Repr::Bool => raw.parse().ok().map(Value::Bool),
        Repr::Int32 | Repr::Int64 | Repr::EnumInt(_) => {
            raw.trim_matches('"').parse().ok().map(Value::Int)
        }
        Repr::Decimal(..) => raw.parse().ok().map(Value::Decimal),
        Repr::Float64 => raw.parse().ok().map(Value::Float),
        Repr::Date | Repr::DateNoon => {
            let text = text(raw)?;
            time::parse_date(text.get(..10)?).map(Value::Date)
        }
        Repr::DateTime => time::parse_datetime(&text(raw)?).map(Value::DateTime),
        Repr::LocalTime => {
            let text = text(raw)?;
            let zoned = time::parse_datetime(&text);
            zoned
                .or_else(|| time::parse_datetime(&format!("{text}Z")))
                .map(Value::DateTime)
        }
        Repr::Guid => parse_guid(&text(raw)?).map(Value::Guid),
        Repr::EnumName(index) => {
            let def = enums.get(usize::from(*index))?;
            def.by_name(&text(raw)?).map(|m| Value::Int(m.value))
        }
        Repr::Binary => None,
    }
}

fn text(raw: &str) -> Option<String> {
    String::deserialize(&mut serde_json::Deserializer::from_str(raw)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dwmap_plan::Member;
    use proptest::prelude::*;

    fn no_yes() -> Vec<EnumDef> {
        let member = |name: &str, value| Member {
            name: name.to_owned(),
            value,
        };
        vec![EnumDef {
            name: "NoYes".to_owned(),
            boolean: true,
            members: vec![member("No", 0), member("Yes", 1)],
        }]
    }

    fn shown(value: &Value, repr: &Repr) -> String {
        literal(value, repr, &no_yes(), Dialect::Finops)
            .unwrap()
            .to_string()
    }

    #[test]
    fn literals_are_the_services_own() {
        let yes = "Microsoft.Dynamics.DataEntities.NoYes'Yes'";
        assert_eq!(shown(&Value::Int(1), &Repr::EnumName(0)), yes);
        assert_eq!(shown(&Value::Bool(true), &Repr::EnumName(0)), yes);
        assert_eq!(shown(&Value::Int(1), &Repr::EnumInt(0)), "1");
        assert_eq!(shown(&Value::from("O'Neil"), &Repr::Text), "'O''Neil'");
        assert_eq!(shown(&Value::Date(0), &Repr::Date), "1970-01-01");
        assert_eq!(
            shown(&Value::Date(0), &Repr::DateNoon),
            "1970-01-01T12:00:00Z"
        );
        assert_eq!(
            shown(
                &Value::Decimal("1.50".parse().unwrap()),
                &Repr::Decimal(10, 2)
            ),
            "1.50"
        );
    }

    #[test]
    fn what_is_no_member_is_unfit() {
        let enums = no_yes();
        for repr in [Repr::EnumName(0), Repr::EnumName(9)] {
            assert!(literal(&Value::Int(7), &repr, &enums, Dialect::Finops).is_err());
        }
    }

    fn back(json: &str, repr: &Repr) -> Option<Value> {
        read(
            &RawValue::from_string(json.to_owned()).unwrap(),
            repr,
            &no_yes(),
        )
    }

    #[test]
    fn values_are_read_in_their_form() {
        assert_eq!(back("\"a\\u0041\"", &Repr::Text), Some(Value::from("aA")));
        assert_eq!(back("\"12\"", &Repr::Int64), Some(Value::Int(12)));
        assert_eq!(back("\"Yes\"", &Repr::EnumName(0)), Some(Value::Int(1)));
        assert_eq!(back("\"Maybe\"", &Repr::EnumName(0)), None);
        assert_eq!(
            back("\"1970-01-02T12:00:00Z\"", &Repr::DateNoon),
            Some(Value::Date(1))
        );
        assert_eq!(back("null", &Repr::Guid), Some(Value::Null));
        assert_eq!(back("{}", &Repr::Text), None);
    }

    proptest! {
        #[test]
        fn texts_round_trip_through_json(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(back(&json, &Repr::Text), Some(Value::Text(text)));
        }
    }
}
