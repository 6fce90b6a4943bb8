//! Conversions that need no step, and those that lose kind and therefore do.

use dwmap_grammar::Safety;
use dwmap_plan::Type;

use crate::diagnostics::{Diagnostic, ENUM_TO_ENUM, NARROWS};
use crate::model::Stage;
use crate::sources::Place;
use crate::types::constant::type_in_words;
use crate::types::context::Typed;

/// How a value of one type becomes one of another.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Conversion {
    /// As it is; size is the storage form's matter.
    None,
    /// By an op of its own.
    Stage(Stage),
    /// Only by a step that says how.
    Loses(&'static str),
}

/// How a value of `from` becomes one of `to`.
pub(crate) fn conversion(from: &Typed<'_>, to: &Typed<'_>) -> Conversion {
    let truth = |t: &Typed<'_>| t.members.is_some_and(|(members, _)| members.boolean);
    match (&from.ty, &to.ty) {
        (a, b) if a == b && !matches!(a, Type::Enum(_)) => Conversion::None,
        (Type::Enum(_), Type::Enum(_)) => match (from.members, to.members) {
            // One and the same enum, as within one system.
            (Some((a, place_a)), Some((b, place_b))) if a == b && place_a == place_b => {
                Conversion::None
            }
            _ => Conversion::Loses("the members of two enums are paired by a table, or by name"),
        },
        (Type::Enum(_), Type::Bool) if truth(from) => Conversion::Stage(Stage::EnumToBool),
        (Type::Bool, Type::Enum(name)) if truth(to) => {
            Conversion::Stage(Stage::BoolToEnum(name.clone()))
        }
        (Type::Text(_), Type::Text(_))
        | (Type::Int32 | Type::Int64, Type::Int32 | Type::Int64)
        | (Type::Int32 | Type::Int64 | Type::Decimal(..), Type::Decimal(..) | Type::Float64)
        | (Type::Date, Type::DateTime) => Conversion::None,
        (Type::Decimal(..) | Type::Float64, Type::Int32 | Type::Int64) => {
            Conversion::Loses("places after the point would be lost")
        }
        (Type::Float64, Type::Decimal(..)) => Conversion::Loses("a float is no exact decimal"),
        (Type::DateTime | Type::LocalTime, Type::Date) => {
            Conversion::Loses("the time of day would be lost")
        }
        (Type::DateTime, Type::LocalTime) | (Type::LocalTime, Type::DateTime) => {
            Conversion::Loses("a zone would have to be guessed")
        }
        (Type::Text(_), _) => Conversion::Loses("a text is read only by a step that says how"),
        (Type::Enum(_), Type::Text(_)) | (_, Type::Enum(_)) => {
            Conversion::Loses("members are paired with other values by a table")
        }
        _ => Conversion::Loses("these are different kinds of value"),
    }
}

/// The diagnostic for a conversion that loses kind.
pub(crate) fn loses(
    from: &Typed<'_>,
    to: &Typed<'_>,
    why: &str,
    place: Place,
    line_end: Place,
) -> Diagnostic {
    let enums = matches!((&from.ty, &to.ty), (Type::Enum(_), Type::Enum(_)));
    let by_name = enums
        || (matches!(to.ty, Type::Enum(_)) && !from.one_of().is_empty())
        || (matches!(from.ty, Type::Enum(_)) && !to.one_of().is_empty());
    let code = if enums { ENUM_TO_ENUM } else { NARROWS };
    let message = format!(
        "{} is {} and {} is {}: {why}{}",
        from.name(),
        type_in_words(&from.ty),
        to.name(),
        type_in_words(&to.ty),
        if by_name {
            ""
        } else {
            ", so a step must say how"
        },
    );
    let mut diagnostic = Diagnostic::new(code, place, message).label("from one kind to another");
    for typed in [from, to] {
        if let Some((field, place)) = typed.field {
            diagnostic = diagnostic.related(place, field.ty.to_string());
        }
    }
    if by_name {
        return diagnostic.fix(
            Safety::Suggestion,
            "pair members by name: | same_name",
            line_end,
            " | same_name",
        );
    }
    diagnostic.help("add a step that says how, a table, or another target")
}
