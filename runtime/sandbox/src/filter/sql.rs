//! From a parsed filter to a SQL condition.

use std::fmt::Write;

use dwmap_odata::Literal;
use rusqlite::types::Value;

use super::{Arithmetic, Expr, Op, Operand, Refused, TextTest};
use crate::collation::{FOLD, NAME as COLLATION, fold};
use crate::model::{Column, Kind, Link, Model, Service, Table};
use crate::value;

/// The tables that a query reaches over navigations, each joined once.
#[derive(Debug, Default)]
pub(crate) struct Joins {
    joined: Vec<(String, usize)>,
    pub sql: String,
}

impl Joins {
    /// The alias under which the target of a navigation stands, and its table.
    pub(crate) fn over<'m>(
        &mut self,
        model: &'m Model,
        from: (&str, &Table),
        nav: &str,
    ) -> Result<(String, &'m Table), Refused> {
        let (alias, table) = from;
        let found = table.nav(nav).ok_or_else(|| unknown(table, nav))?;
        let target_at = *found.targets.first().ok_or_else(|| unknown(table, nav))?;
        let target = &model.tables[target_at];
        let path = format!("{alias}/{nav}");
        if let Some((at, _)) = self
            .joined
            .iter()
            .enumerate()
            .find(|(_, (p, _))| *p == path)
        {
            return Ok((format!("j{at}"), target));
        }
        let joined = format!("j{}", self.joined.len());
        let _ = write!(self.sql, " LEFT JOIN {} {joined} ON ", target.sql_name);
        let pairs = match &found.link {
            Link::Id(column) => vec![(*column, target.key[0])],
            Link::Key(pairs) => pairs.clone(),
        };
        for (n, (own, key)) in pairs.iter().enumerate() {
            let and = if n == 0 { "" } else { " AND " };
            let (own, key) = (
                table.columns[*own].sql(alias),
                target.columns[*key].sql(&joined),
            );
            let _ = write!(self.sql, "{and}{key} = {own}");
        }
        self.joined.push((path, target_at));
        Ok((joined, target))
    }

    /// The column at the end of a path, as SQL.
    pub(crate) fn resolve<'m>(
        &mut self,
        model: &'m Model,
        table: &'m Table,
        path: &[String],
    ) -> Result<(String, &'m Column), Refused> {
        let (mut alias, mut table) = ("t".to_owned(), table);
        let Some((last, navs)) = path.split_last() else {
            return Err(Refused("An empty path.".to_owned()));
        };
        for nav in navs {
            (alias, table) = self.over(model, (&alias, table), nav)?;
        }
        let column = table
            .column(last)
            .map(|at| &table.columns[at])
            .ok_or_else(|| unknown(table, last))?;
        Ok((column.sql(&alias), column))
    }
}

fn unknown(table: &Table, name: &str) -> Refused {
    Refused(format!(
        "Could not find a property named '{name}' on type 'Microsoft.Dynamics.{}'.",
        table.logical
    ))
}

/// Turns a filter into SQL; its values go to `values`, in the order of the question marks.
pub(crate) fn condition(
    model: &Model,
    table: &Table,
    expr: &Expr,
    joins: &mut Joins,
    values: &mut Vec<Value>,
) -> Result<String, Refused> {
    let mut out = String::new();
    Builder {
        model,
        table,
        joins,
        values,
    }
    .expr(&mut out, expr)?;
    Ok(out)
}

struct Builder<'a, 'm> {
    model: &'m Model,
    table: &'m Table,
    joins: &'a mut Joins,
    values: &'a mut Vec<Value>,
}

impl Builder<'_, '_> {
    fn expr(&mut self, out: &mut String, expr: &Expr) -> Result<(), Refused> {
        match expr {
            Expr::And(a, b) => self.both(out, a, "AND", b),
            Expr::Or(a, b) => self.both(out, a, "OR", b),
            Expr::Not(inner) => {
                // A comparison with null is false, not unknown, so its negation is true.
                out.push_str("NOT coalesce(");
                self.expr(out, inner)?;
                out.push_str(", 0)");
                Ok(())
            }
            Expr::Compare(op, left, right) => self.compare(out, *op, left, right),
            Expr::In(path, values) => self.one_of(out, path, values),
            Expr::Text(test, left, right) => self.text(out, *test, left, right),
        }
    }

    fn both(&mut self, out: &mut String, a: &Expr, word: &str, b: &Expr) -> Result<(), Refused> {
        out.push('(');
        self.expr(out, a)?;
        let _ = write!(out, " {word} ");
        self.expr(out, b)?;
        out.push(')');
        Ok(())
    }

    fn compare(
        &mut self,
        out: &mut String,
        op: Op,
        left: &Operand,
        right: &Operand,
    ) -> Result<(), Refused> {
        match (left, right) {
            (Operand::Path(path), Operand::Literal(literal)) => {
                self.column_literal(out, op, path, literal)
            }
            (Operand::Literal(literal), Operand::Path(path)) => {
                self.column_literal(out, flipped(op), path, literal)
            }
            (Operand::Path(a), Operand::Path(b)) => {
                let (a, first) = self.joins.resolve(self.model, self.table, a)?;
                let (b, second) = self.joins.resolve(self.model, self.table, b)?;
                if first.kind.edm() != second.kind.edm() {
                    return Err(incompatible(first.kind.edm(), second.kind.edm(), op));
                }
                let _ = write!(out, "{a} {} {b}", symbol(op));
                Ok(())
            }
            _ => {
                self.number(out, left)?;
                let _ = write!(out, " {} ", symbol(op));
                self.number(out, right)
            }
        }
    }

    fn column_literal(
        &mut self,
        out: &mut String,
        op: Op,
        path: &[String],
        literal: &Literal<'_>,
    ) -> Result<(), Refused> {
        let (sql, column) = self.joins.resolve(self.model, self.table, path)?;
        if self.model.service == Service::Finops {
            if matches!(column.kind, Kind::Enum(_)) && !matches!(op, Op::Eq | Op::Ne) {
                // Source: "Open Data Protocol", "Filter by enum": only eq and ne.
                return Err(Refused(
                    "Enumerations can be compared by 'eq' and 'ne' only.".to_owned(),
                ));
            }
            if let (Kind::Enum(_), Literal::Text(_) | Literal::Int(_)) = (&column.kind, literal) {
                return Err(incompatible(
                    "Microsoft.Dynamics.DataEntities",
                    "Edm.String",
                    op,
                ));
            }
            if let (Kind::Text(_), Literal::Text(text), Op::Eq | Op::Ne) =
                (&column.kind, literal, op)
                && text.contains('*')
            {
                let negation = if op == Op::Ne { "NOT " } else { "" };
                let _ = write!(out, "{FOLD}({sql}) {negation}LIKE ? ESCAPE '\\'");
                self.values
                    .push(Value::Text(like(&fold(text)).replace('*', "%")));
                return Ok(());
            }
        }
        let value = value::from_literal(&column.kind, literal)
            .ok_or_else(|| incompatible(column.kind.edm(), literal_type(literal), op))?;
        if value == Value::Null {
            return match op {
                Op::Eq => push(out, format_args!("{sql} IS NULL")),
                Op::Ne => push(out, format_args!("{sql} IS NOT NULL")),
                _ => Err(Refused(
                    "Null can be compared by 'eq' and 'ne' only.".to_owned(),
                )),
            };
        }
        let symbol = if op == Op::Ne { "IS NOT" } else { symbol(op) };
        let collate = if matches!(column.kind, Kind::Text(_)) {
            format!(" COLLATE {COLLATION}")
        } else {
            String::new()
        };
        self.values.push(value);
        push(out, format_args!("{sql} {symbol} ?{collate}"))
    }

    fn one_of(
        &mut self,
        out: &mut String,
        path: &[String],
        literals: &[Literal<'_>],
    ) -> Result<(), Refused> {
        let (sql, column) = self.joins.resolve(self.model, self.table, path)?;
        let collate = if matches!(column.kind, Kind::Text(_)) {
            format!(" COLLATE {COLLATION}")
        } else {
            String::new()
        };
        let _ = write!(out, "{sql}{collate} IN (");
        for (n, literal) in literals.iter().enumerate() {
            // The function's values are texts whatever the column's type.
            let typed = match (&column.kind, literal) {
                (Kind::Text(_), _) => literal.clone(),
                (_, Literal::Text(text)) => text.parse().unwrap_or_else(|_| literal.clone()),
                _ => literal.clone(),
            };
            let value = value::from_literal(&column.kind, &typed)
                .ok_or_else(|| incompatible(column.kind.edm(), literal_type(literal), Op::Eq))?;
            out.push_str(if n == 0 { "?" } else { ", ?" });
            self.values.push(value);
        }
        out.push(')');
        Ok(())
    }

    fn text(
        &mut self,
        out: &mut String,
        test: TextTest,
        left: &Operand,
        right: &Operand,
    ) -> Result<(), Refused> {
        let (Operand::Path(path), Operand::Literal(Literal::Text(text))) = (left, right) else {
            return Err(Refused(
                "A text function takes a column and a text.".to_owned(),
            ));
        };
        let (sql, column) = self.joins.resolve(self.model, self.table, path)?;
        if !matches!(column.kind, Kind::Text(_)) {
            return Err(incompatible(column.kind.edm(), "Edm.String", Op::Eq));
        }
        let text = wildcards(
            &text
                .chars()
                .flat_map(char::to_lowercase)
                .collect::<String>(),
        );
        let pattern = match test {
            TextTest::Contains => format!("%{text}%"),
            TextTest::StartsWith => format!("{text}%"),
            TextTest::EndsWith => format!("%{text}"),
        };
        self.values.push(Value::Text(pattern));
        push(out, format_args!("{FOLD}({sql}) LIKE ? ESCAPE '\\'"))
    }

    /// An operand of arithmetic, as a floating number.
    fn number(&mut self, out: &mut String, operand: &Operand) -> Result<(), Refused> {
        match operand {
            Operand::Literal(literal @ (Literal::Int(_) | Literal::Number(_))) => {
                let number = literal
                    .to_string()
                    .parse()
                    .map_err(|_| Refused("A number is malformed.".to_owned()))?;
                self.values.push(Value::Real(number));
                out.push('?');
                Ok(())
            }
            Operand::Literal(literal) => {
                Err(incompatible("Edm.Decimal", literal_type(literal), Op::Eq))
            }
            Operand::Path(path) => {
                let (sql, column) = self.joins.resolve(self.model, self.table, path)?;
                match column.kind {
                    Kind::Int32 | Kind::Int64 | Kind::Float => {
                        push(out, format_args!("CAST({sql} AS REAL)"))
                    }
                    Kind::Decimal { scale, .. } => push(out, format_args!("({sql} / 1e{scale})")),
                    _ => Err(incompatible(column.kind.edm(), "Edm.Decimal", Op::Eq)),
                }
            }
            Operand::Arithmetic(left, op, right) => {
                // SQLite's % is one of whole numbers.
                let (start, between, end) = match op {
                    Arithmetic::Add => ("(", " + ", ")"),
                    Arithmetic::Sub => ("(", " - ", ")"),
                    Arithmetic::Mul => ("(", " * ", ")"),
                    Arithmetic::Div => ("(", " / ", ")"),
                    Arithmetic::Mod => ("(CAST(", " AS INTEGER) % CAST(", " AS INTEGER))"),
                };
                out.push_str(start);
                self.number(out, left)?;
                out.push_str(between);
                self.number(out, right)?;
                out.push_str(end);
                Ok(())
            }
        }
    }
}

/// Ends a function by writing to its text.
fn push(out: &mut String, text: std::fmt::Arguments<'_>) -> Result<(), Refused> {
    out.write_fmt(text).map_err(|e| Refused(e.to_string()))
}

/// Escapes what `LIKE` would take as wildcards.
fn like(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_")
}

/// The pattern of Dataverse's text functions as one of SQLite: `%` and `_` are wildcards, and stand for themselves in
/// brackets. Sets and ranges in brackets aren't known here.
///
/// Source: *Use wildcard characters in conditions for string values*.
fn wildcards(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let ahead = rest.as_str();
        let bracketed = ahead
            .chars()
            .next()
            .filter(|_| c == '[' && ahead.chars().nth(1) == Some(']'));
        let literal = bracketed.unwrap_or(c);
        if bracketed.is_some() {
            rest.nth(1);
        }
        if literal == '\\' || (bracketed.is_some() && matches!(literal, '%' | '_')) {
            out.push('\\');
        }
        out.push(literal);
    }
    out
}

fn symbol(op: Op) -> &'static str {
    match op {
        Op::Eq => "=",
        Op::Ne => "IS NOT",
        Op::Gt => ">",
        Op::Ge => ">=",
        Op::Lt => "<",
        Op::Le => "<=",
    }
}

fn flipped(op: Op) -> Op {
    match op {
        Op::Gt => Op::Lt,
        Op::Ge => Op::Le,
        Op::Lt => Op::Gt,
        Op::Le => Op::Ge,
        same => same,
    }
}

fn literal_type(literal: &Literal<'_>) -> &'static str {
    match literal {
        Literal::Null => "null",
        Literal::Bool(_) => "Edm.Boolean",
        Literal::Int(_) => "Edm.Int32",
        Literal::Number(_) => "Edm.Decimal",
        Literal::Text(_) => "Edm.String",
        Literal::Guid(_) => "Edm.Guid",
        Literal::Date(_) => "Edm.Date",
        Literal::DateTime(_) => "Edm.DateTimeOffset",
        Literal::Member { .. } => "an enumeration",
    }
}

/// Source: the message of Microsoft's OData library, which both services use.
fn incompatible(left: &str, right: &str, op: Op) -> Refused {
    let kind = match op {
        Op::Eq => "Equal",
        Op::Ne => "NotEqual",
        Op::Gt => "GreaterThan",
        Op::Ge => "GreaterThanOrEqual",
        Op::Lt => "LessThan",
        Op::Le => "LessThanOrEqual",
    };
    Refused(format!(
        "A binary operator with incompatible types was detected. Found operand types '{left}' and '{right}' for operator kind '{kind}'."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_take_the_meaning_from_wildcards() {
        for (pattern, wanted) in [
            ("a%b_c", "a%b_c"),
            ("5[%] [_] [[] []", r"5\% \_ [ []"),
            (r"a\b", r"a\\b"),
            ("[", "["),
        ] {
            assert_eq!(wildcards(pattern), wanted, "{pattern}");
        }
    }
}
