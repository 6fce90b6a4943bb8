//! Predicates as `$filter`, in each service's dialect.
//!
//! Predicates are two-valued, the services' databases three-valued: `not` is carried down to the comparisons, and
//! where null would be neither true nor false it is asked for beside.

use dwmap_odata::Literal;
use dwmap_plan::{CompareOp, Dialect, EnumDef, Predicate, Repr, TextTest, Value};

use super::condition::Condition;
use super::value::{Unfit, literal};

/// A predicate in a service's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Filter {
    /// Every row passes.
    Everything,
    /// No row does.
    Nothing,
    /// The rows for which this holds.
    When(String),
}

/// Writes predicates.
#[derive(Clone, Copy)]
pub(crate) struct Writer<'q> {
    pub(crate) dialect: Dialect,
    /// The enums that the forms of constants refer to.
    pub(crate) enums: &'q [EnumDef],
}

impl Writer<'_> {
    /// The predicate as a `$filter`.
    pub(crate) fn filter(self, predicate: &Predicate) -> Result<Filter, Unfit> {
        Ok(match self.condition(predicate, false)? {
            Condition::True => Filter::Everything,
            Condition::False => Filter::Nothing,
            condition => {
                let mut text = String::new();
                condition.write(&mut text);
                Filter::When(text)
            }
        })
    }

    /// `column eq value`, parenthesised where that takes more than one comparison.
    pub(crate) fn equals(self, column: &str, repr: &Repr, value: &Value) -> Result<String, Unfit> {
        let mut text = String::new();
        self.compare(column, repr, CompareOp::Eq, value)?
            .write_within(&mut text);
        Ok(text)
    }

    fn condition(self, predicate: &Predicate, negated: bool) -> Result<Condition, Unfit> {
        let all = |parts: &[Predicate]| -> Result<Vec<Condition>, Unfit> {
            parts.iter().map(|p| self.condition(p, negated)).collect()
        };
        match predicate {
            Predicate::Not(inner) => self.condition(inner, !negated),
            Predicate::All(parts) if negated => Ok(Condition::or(all(parts)?)),
            Predicate::All(parts) => Ok(Condition::and(all(parts)?)),
            Predicate::Any(parts) if negated => Ok(Condition::and(all(parts)?)),
            Predicate::Any(parts) => Ok(Condition::or(all(parts)?)),
            Predicate::Compare {
                column,
                repr,
                op,
                value,
            } => {
                let told = if negated { complement(*op) } else { *op };
                let condition = self.compare(column, repr, told, value)?;
                let null_passes = (*op == CompareOp::Ne) != negated;
                Ok(self.or_null(column, condition, null_passes))
            }
            Predicate::In {
                column,
                repr,
                values,
            } => {
                let op = if negated {
                    CompareOp::Ne
                } else {
                    CompareOp::Eq
                };
                let each = values.iter().map(|v| self.compare(column, repr, op, v));
                let each = each.collect::<Result<Vec<_>, _>>()?;
                let joined = if negated {
                    Condition::and(each)
                } else {
                    Condition::or(each)
                };
                Ok(self.or_null(column, joined, negated))
            }
            Predicate::IsNull {
                column,
                repr,
                stands_as,
            } => self.is_null(column, repr, stands_as.as_ref(), negated),
            Predicate::Text {
                column,
                test,
                value,
            } => {
                let condition = self.text(column, *test, value, negated)?;
                Ok(self.or_null(column, condition, negated))
            }
        }
    }

    /// Lets null pass where it must. Finance & Operations has no nulls, and refuses the question for most types.
    fn or_null(self, column: &str, condition: Condition, null_passes: bool) -> Condition {
        if null_passes && self.dialect != Dialect::Finops {
            let null = Condition::Leaf(format!("{column} eq null"));
            return Condition::or(vec![condition, null]);
        }
        condition
    }

    fn compare(
        self,
        column: &str,
        repr: &Repr,
        op: CompareOp,
        value: &Value,
    ) -> Result<Condition, Unfit> {
        if self.dialect == Dialect::Finops
            && let Some(condition) = self.finops_compare(column, repr, op, value)?
        {
            return Ok(condition);
        }
        let literal = literal(value, repr, self.enums, self.dialect)?;
        Ok(Condition::Leaf(leaf(column, op, &literal)))
    }

    /// What Finance & Operations can't say plainly: it orders no enums, and reads `*` in an `eq` as a wildcard.
    fn finops_compare(
        self,
        column: &str,
        repr: &Repr,
        op: CompareOp,
        value: &Value,
    ) -> Result<Option<Condition>, Unfit> {
        match (value, repr, op) {
            (Value::Text(text), _, CompareOp::Eq | CompareOp::Ne) if text.contains('*') => {
                let literal = Literal::text(text.as_str());
                let side = |op| Condition::Leaf(leaf(column, op, &literal));
                Ok(Some(if op == CompareOp::Eq {
                    Condition::and(vec![side(CompareOp::Ge), side(CompareOp::Le)])
                } else {
                    Condition::or(vec![side(CompareOp::Lt), side(CompareOp::Gt)])
                }))
            }
            (_, _, CompareOp::Eq | CompareOp::Ne) => Ok(None),
            (Value::Int(bound), Repr::EnumName(index), _) => {
                let def = self.enums.get(usize::from(*index)).ok_or_else(|| {
                    Unfit(format!("{column} has an enum that the plan doesn't hold"))
                })?;
                let members = def.members.iter().filter(|m| holds(op, m.value, *bound));
                let each = members.map(|m| {
                    let value = Value::Int(m.value);
                    let literal = literal(&value, repr, self.enums, self.dialect)?;
                    Ok(Condition::Leaf(leaf(column, CompareOp::Eq, &literal)))
                });
                Ok(Some(Condition::or(each.collect::<Result<_, Unfit>>()?)))
            }
            _ => Ok(None),
        }
    }

    fn is_null(
        self,
        column: &str,
        repr: &Repr,
        stands_as: Option<&Value>,
        negated: bool,
    ) -> Result<Condition, Unfit> {
        let op = if negated {
            CompareOp::Ne
        } else {
            CompareOp::Eq
        };
        let stored = stands_as
            .map(|value| self.compare(column, repr, op, value))
            .transpose()?;
        if self.dialect == Dialect::Finops
            && let Some(stored) = stored
        {
            return Ok(stored);
        }
        let null = Condition::Leaf(leaf(column, op, &Literal::Null));
        let both = stored.into_iter().chain([null]).collect();
        Ok(if negated {
            Condition::and(both)
        } else {
            Condition::or(both)
        })
    }

    fn text(
        self,
        column: &str,
        test: TextTest,
        value: &str,
        negated: bool,
    ) -> Result<Condition, Unfit> {
        if self.dialect == Dialect::Finops {
            return finops_text(column, test, value, negated);
        }
        let function = match test {
            TextTest::StartsWith => "startswith",
            TextTest::EndsWith => "endswith",
            TextTest::Contains => "contains",
        };
        let pattern = match self.dialect {
            Dialect::Dataverse => escape_like(value),
            _ => value.to_owned(),
        };
        let not = if negated { "not " } else { "" };
        let literal = Literal::text(pattern);
        Ok(Condition::Leaf(format!(
            "{not}{function}({column},{literal})"
        )))
    }
}

/// Finance & Operations looks for texts by wildcards in an `eq` (*odata*, "Filter details").
fn finops_text(
    column: &str,
    test: TextTest,
    value: &str,
    negated: bool,
) -> Result<Condition, Unfit> {
    if value.contains('*') {
        return Err(Unfit(format!(
            "`{value}` can't be looked for in {column}: the service reads `*` as a wildcard, and knows no escape; take the test out of the filter"
        )));
    }
    let pattern = match test {
        TextTest::StartsWith => format!("{value}*"),
        TextTest::EndsWith => format!("*{value}"),
        TextTest::Contains => format!("*{value}*"),
    };
    let op = if negated {
        CompareOp::Ne
    } else {
        CompareOp::Eq
    };
    Ok(Condition::Leaf(leaf(column, op, &Literal::text(pattern))))
}

/// Dataverse reads `% _ [` in text functions as wildcards; in brackets they stand for themselves
/// (*Use wildcard characters in conditions for string values*).
fn escape_like(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '%' | '_' | '[') {
            out.extend(['[', c, ']']);
        } else {
            out.push(c);
        }
    }
    out
}

fn leaf(column: &str, op: CompareOp, literal: &Literal<'_>) -> String {
    let word = match op {
        CompareOp::Eq => "eq",
        CompareOp::Ne => "ne",
        CompareOp::Lt => "lt",
        CompareOp::Le => "le",
        CompareOp::Gt => "gt",
        CompareOp::Ge => "ge",
    };
    format!("{column} {word} {literal}")
}

const fn complement(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Eq => CompareOp::Ne,
        CompareOp::Ne => CompareOp::Eq,
        CompareOp::Lt => CompareOp::Ge,
        CompareOp::Ge => CompareOp::Lt,
        CompareOp::Gt => CompareOp::Le,
        CompareOp::Le => CompareOp::Gt,
    }
}

const fn holds(op: CompareOp, value: i64, bound: i64) -> bool {
    match op {
        CompareOp::Eq => value == bound,
        CompareOp::Ne => value != bound,
        CompareOp::Lt => value < bound,
        CompareOp::Le => value <= bound,
        CompareOp::Gt => value > bound,
        CompareOp::Ge => value >= bound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dwmap_plan::Member;

    fn enums() -> Vec<EnumDef> {
        let members = [("None", 0), ("Some", 1), ("All", 2)];
        vec![EnumDef {
            name: "Amount".to_owned(),
            boolean: false,
            members: members
                .map(|(name, value)| Member {
                    name: name.to_owned(),
                    value,
                })
                .to_vec(),
        }]
    }

    fn shown(dialect: Dialect, predicate: &Predicate) -> String {
        let enums = enums();
        let writer = Writer {
            dialect,
            enums: &enums,
        };
        match writer.filter(predicate) {
            Ok(Filter::When(text)) => text,
            Ok(other) => format!("{other:?}"),
            Err(unfit) => format!("unfit: {unfit}"),
        }
    }

    fn text(column: &str, op: CompareOp, value: &str) -> Predicate {
        Predicate::Compare {
            column: column.to_owned(),
            repr: Repr::Text,
            op,
            value: Value::from(value),
        }
    }

    fn amount(op: CompareOp, value: i64, repr: Repr) -> Predicate {
        Predicate::Compare {
            column: "c".to_owned(),
            repr,
            op,
            value: Value::Int(value),
        }
    }

    fn not(predicate: Predicate) -> Predicate {
        Predicate::Not(Box::new(predicate))
    }

    fn among(values: &[i64], repr: Repr) -> Predicate {
        Predicate::In {
            column: "c".to_owned(),
            repr,
            values: values.iter().map(|v| Value::Int(*v)).collect(),
        }
    }

    fn is_null(stands_as: Option<Value>) -> Predicate {
        Predicate::IsNull {
            column: "a".to_owned(),
            repr: Repr::Text,
            stands_as,
        }
    }

    fn tests(test: TextTest, value: &str) -> Predicate {
        Predicate::Text {
            column: "a".to_owned(),
            test,
            value: value.to_owned(),
        }
    }

    #[test]
    fn each_dialect_has_its_words() {
        use CompareOp::*;
        let eq = || text("a", Eq, "x");
        let ne = || text("b", Ne, "y");
        let blank = || is_null(Some(Value::from("")));
        let cases = [
            (eq(), "a eq 'x'", "a eq 'x'"),
            (ne(), "b ne 'y'", "b ne 'y' or b eq null"),
            (not(eq()), "a ne 'x'", "a ne 'x' or a eq null"),
            (not(ne()), "b eq 'y'", "b eq 'y'"),
            (not(text("a", Lt, "x")), "a ge 'x'", "a ge 'x' or a eq null"),
            (
                Predicate::All(vec![eq(), Predicate::Any(vec![eq(), text("b", Gt, "y")])]),
                "a eq 'x' and (a eq 'x' or b gt 'y')",
                "a eq 'x' and (a eq 'x' or b gt 'y')",
            ),
            (
                not(Predicate::Any(vec![eq(), ne()])),
                "a ne 'x' and b eq 'y'",
                "(a ne 'x' or a eq null) and b eq 'y'",
            ),
            (blank(), "a eq ''", "a eq '' or a eq null"),
            (not(blank()), "a ne ''", "a ne '' and a ne null"),
            (is_null(None), "a eq null", "a eq null"),
            (
                tests(TextTest::StartsWith, "x"),
                "a eq 'x*'",
                "startswith(a,'x')",
            ),
            (
                not(tests(TextTest::Contains, "5%")),
                "a ne '*5%*'",
                "not contains(a,'5[%]') or a eq null",
            ),
            (Predicate::All(vec![]), "Everything", "Everything"),
            (Predicate::Any(vec![]), "Nothing", "Nothing"),
            (
                Predicate::All(vec![eq(), Predicate::Any(vec![])]),
                "Nothing",
                "Nothing",
            ),
            (text("a", Eq, "x*"), "a ge 'x*' and a le 'x*'", "a eq 'x*'"),
        ];
        for (predicate, finops, dataverse) in cases {
            assert_eq!(shown(Dialect::Finops, &predicate), finops, "{predicate:?}");
            assert_eq!(
                shown(Dialect::Dataverse, &predicate),
                dataverse,
                "{predicate:?}"
            );
        }
    }

    #[test]
    fn enums_are_members_here_and_numbers_there() {
        use CompareOp::*;
        let name = |n: &str| format!("c eq Microsoft.Dynamics.DataEntities.Amount'{n}'");
        let cases = [
            (amount(Eq, 2, Repr::EnumName(0)), name("All")),
            (
                amount(Lt, 2, Repr::EnumName(0)),
                format!("{} or {}", name("None"), name("Some")),
            ),
            (amount(Gt, 2, Repr::EnumName(0)), "Nothing".to_owned()),
            (
                among(&[0, 2], Repr::EnumName(0)),
                format!("{} or {}", name("None"), name("All")),
            ),
        ];
        for (predicate, wanted) in cases {
            assert_eq!(shown(Dialect::Finops, &predicate), wanted);
        }
        assert_eq!(
            shown(Dialect::Dataverse, &among(&[0, 2], Repr::EnumInt(0))),
            "c eq 0 or c eq 2"
        );
        assert_eq!(
            shown(Dialect::Dataverse, &not(among(&[0, 2], Repr::EnumInt(0)))),
            "(c ne 0 and c ne 2) or c eq null"
        );
    }

    #[test]
    fn what_the_service_cannot_look_for_is_said() {
        let shown = shown(Dialect::Finops, &tests(TextTest::Contains, "a*b"));
        assert!(
            shown.starts_with("unfit: `a*b` can't be looked for in a"),
            "{shown}"
        );
    }
}
