//! Filters agree with an evaluator that knows nothing of SQL.

mod common;

use common::{Bench, send};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value as Json, json};

/// A condition, independent of the sandbox's own.
#[derive(Debug, Clone)]
enum Condition {
    Text(&'static str, &'static str),
    TextTest(&'static str, &'static str),
    Number(&'static str, i64),
    Null(&'static str, bool),
    Not(Box<Condition>),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
}

impl Condition {
    fn render(&self) -> String {
        match self {
            Self::Text(op, text) => format!("name {op} '{}'", text.replace('\'', "''")),
            Self::TextTest(test, text) => {
                // Wildcards stand for themselves in brackets.
                let text = text.replace('%', "[%]").replace('_', "[_]");
                format!("{test}(name,'{}')", text.replace('\'', "''"))
            }
            Self::Number(op, n) => format!("numberofemployees {op} {n}"),
            Self::Null(column, is) => format!("{column} {} null", if *is { "eq" } else { "ne" }),
            Self::Not(inner) => format!("not ({})", inner.render()),
            Self::And(a, b) => format!("({} and {})", a.render(), b.render()),
            Self::Or(a, b) => format!("({} or {})", a.render(), b.render()),
        }
    }

    /// A comparison with nothing is false, but for `ne`.
    fn holds(&self, row: &Json) -> bool {
        match self {
            Self::Text(op, text) => match row["name"].as_str() {
                Some(name) => compare(
                    op,
                    name.to_lowercase()
                        .trim_end()
                        .cmp(text.to_lowercase().trim_end()),
                ),
                None => *op == "ne",
            },
            Self::TextTest(test, text) => row["name"].as_str().is_some_and(|name| {
                let (name, text) = (name.to_lowercase(), text.to_lowercase());
                match *test {
                    "contains" => name.contains(&text),
                    "startswith" => name.starts_with(&text),
                    _ => name.ends_with(&text),
                }
            }),
            Self::Number(op, n) => row["numberofemployees"]
                .as_i64()
                .map_or(*op == "ne", |own| compare(op, own.cmp(n))),
            Self::Null(column, is) => row[column].is_null() == *is,
            Self::Not(inner) => !inner.holds(row),
            Self::And(a, b) => a.holds(row) && b.holds(row),
            Self::Or(a, b) => a.holds(row) || b.holds(row),
        }
    }
}

fn compare(op: &str, order: std::cmp::Ordering) -> bool {
    match op {
        "eq" => order.is_eq(),
        "ne" => order.is_ne(),
        "gt" => order.is_gt(),
        "ge" => order.is_ge(),
        "lt" => order.is_lt(),
        _ => order.is_le(),
    }
}

const NAMES: &[&str] = &[
    "",
    "a",
    "A b",
    "Ab",
    "ä",
    "Ö%_",
    "O'Neil",
    "b*",
    "Zebra",
    "it's \\ here",
];
const NUMBERS: &[i64] = &[-1, 0, 3, 2_147_483_647];

fn conditions() -> impl Strategy<Value = Condition> {
    let op = prop::sample::select(vec!["eq", "ne", "gt", "ge", "lt", "le"]);
    let test = prop::sample::select(vec!["contains", "startswith", "endswith"]);
    let text = prop::sample::select(&NAMES[1..]);
    let part = prop::sample::select(vec!["a", "Ä", "%", "_", "'", "\\", "b", "here"]);
    let leaf = prop_oneof![
        (op.clone(), text).prop_map(|(op, text)| Condition::Text(op, text)),
        (test, part).prop_map(|(test, text)| Condition::TextTest(test, text)),
        (op, prop::sample::select(NUMBERS)).prop_map(|(op, n)| Condition::Number(op, n)),
        (
            prop::sample::select(vec!["name", "numberofemployees"]),
            any::<bool>()
        )
            .prop_map(|(c, is)| Condition::Null(c, is)),
    ];
    leaf.prop_recursive(3, 12, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|c| Condition::Not(Box::new(c))),
            (inner.clone(), inner.clone())
                .prop_map(|(a, b)| Condition::And(Box::new(a), Box::new(b))),
            (inner.clone(), inner).prop_map(|(a, b)| Condition::Or(Box::new(a), Box::new(b))),
        ]
    })
}

#[test]
fn filters_agree_with_a_naive_evaluator() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let bench = runtime.block_on(Bench::open());
    runtime.block_on(async {
        for name in NAMES {
            for number in NUMBERS.iter().map(|n| json!(n)).chain([Json::Null]) {
                send(
                    bench
                        .dv("POST", "accounts")
                        .json(&json!({ "name": name, "numberofemployees": number })),
                )
                .await
                .expect(204);
            }
        }
    });
    let all = runtime.block_on(send(bench.dv("GET", "accounts"))).rows();
    let id = |row: &Json| row["accountid"].as_str().unwrap().to_owned();
    let mut runner = TestRunner::new(Config::with_cases(256));
    let agree = runner.run(&conditions(), |condition| {
        let request = bench.dv("GET", "accounts").query(&[
            ("$select", "accountid".to_owned()),
            ("$filter", condition.render()),
        ]);
        let found: Vec<_> = runtime
            .block_on(send(request))
            .expect(200)
            .rows()
            .iter()
            .map(id)
            .collect();
        let wanted: Vec<_> = all
            .iter()
            .filter(|row| condition.holds(row))
            .map(id)
            .collect();
        prop_assert_eq!(found, wanted, "{}", condition.render());
        Ok(())
    });
    agree.unwrap();
}
