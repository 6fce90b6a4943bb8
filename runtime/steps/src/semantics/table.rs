//! Look-ups in finite tables.

use dwmap_plan::{Direction, Table, TableElse, Value};

use super::values_equal;
use crate::Failure;

/// What a table makes of a value. Null passes as null unless a row names it.
pub fn table(value: &Value, table: &Table, direction: Direction) -> Result<Value, Failure> {
    let (rows, otherwise, fold) = match direction {
        Direction::Forward => (&table.forward, &table.else_forward, table.fold_left),
        Direction::Backward => (&table.backward, &table.else_backward, table.fold_right),
    };
    if let Some(row) = rows.iter().find(|r| values_equal(&r.from, value, fold)) {
        return Ok(row.to.clone());
    }
    match otherwise {
        _ if value.is_null() => Ok(Value::Null),
        TableElse::Reject => Err(Failure::NoRow),
        TableElse::Keep => Ok(value.clone()),
        TableElse::Value(to) => Ok(to.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dwmap_plan::{TableRow, Type};

    fn rows(pairs: &[(&str, i64)]) -> Vec<TableRow> {
        pairs
            .iter()
            .map(|(from, to)| TableRow {
                from: Value::from(*from),
                to: Value::Int(*to),
            })
            .collect()
    }

    #[test]
    fn rows_else_and_null() {
        let mut t = Table {
            name: "Gender".into(),
            left: Type::Text(None),
            right: Type::Int32,
            forward: rows(&[("M", 1), ("F", 2)]),
            backward: vec![],
            else_forward: TableElse::Reject,
            else_backward: TableElse::Keep,
            fold_left: true,
            fold_right: false,
        };
        let go = |t: &Table, v: &Value| table(v, t, Direction::Forward);
        assert_eq!(go(&t, &Value::from("f")), Ok(Value::Int(2)));
        assert_eq!(go(&t, &Value::from("X")), Err(Failure::NoRow));
        assert_eq!(go(&t, &Value::Null), Ok(Value::Null));
        t.else_forward = TableElse::Value(Value::Int(9));
        assert_eq!(go(&t, &Value::from("X")), Ok(Value::Int(9)));
        assert_eq!(go(&t, &Value::Null), Ok(Value::Null));
        t.forward.push(TableRow {
            from: Value::Null,
            to: Value::Int(0),
        });
        assert_eq!(go(&t, &Value::Null), Ok(Value::Int(0)));
        let back = table(&Value::Int(7), &t, Direction::Backward);
        assert_eq!(back, Ok(Value::Int(7)));
    }
}
