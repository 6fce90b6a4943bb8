//! Programs by chance: every construct of the language, in crooked spacing, with comments.
//!
//! A program is made as words between which blanks are strewn afterwards: `~` stands where a blank must be, `^` where
//! one may be, and a line feed where an item ends. So the formatter meets texts that nobody would write.

use proptest::collection::vec;
use proptest::prelude::*;

/// The text of a right program.
pub(crate) fn program() -> impl Strategy<Value = String> {
    (vec(declaration(), 1..6), vec(blanks(), 64)).prop_map(|(declarations, blanks)| {
        let mut blanks = blanks.into_iter().cycle();
        let plan = declarations.concat();
        let mut text = String::with_capacity(plan.len() * 2);
        for c in plan.chars() {
            match c {
                '~' => {
                    text.push(' ');
                    text.push_str(blanks.next().unwrap_or_default());
                }
                '^' => text.push_str(blanks.next().unwrap_or_default()),
                c => text.push(c),
            }
        }
        text
    })
}

/// What may stand where a blank may.
fn blanks() -> impl Strategy<Value = &'static str> {
    prop_oneof![6 => Just(""), 3 => Just(" "), 1 => Just("   "), 1 => Just("\t")]
}

/// What ends an item: a line end, perhaps with a comment, or a `;`.
fn end() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => Just("^\n".to_owned()),
        2 => Just("^ // it's \"so\"^\n".to_owned()),
        1 => Just("\n\n\n^".to_owned()),
        1 => Just("^;^".to_owned()),
        1 => Just("\n^// alone { ( \"\n".to_owned()),
        1 => Just("^;\n".to_owned()),
    ]
}

/// `before{ item end item end }` with items of one kind.
fn block(item: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    (
        vec((item, end()), 0..7),
        prop_oneof![Just("^\n"), Just("^"), Just(" // open\n")],
    )
        .prop_map(|(items, open)| {
            let items: String = items.into_iter().map(|(item, end)| item + &end).collect();
            format!("{{{open}{items}}}")
        })
}

/// A list whose entries are parted by commas or, where that is right, by line ends.
fn list(item: BoxedStrategy<String>, least: usize) -> impl Strategy<Value = String> {
    let comma = prop_oneof![4 => Just("^,^"), 1 => Just(",\n^"), 1 => Just("^, // why\n")];
    (vec((item, comma), least..5)).prop_map(|items| {
        let last = items.len().saturating_sub(1);
        let entries = items.into_iter().enumerate();
        entries
            .map(|(at, (item, comma))| if at == last { item } else { item + comma })
            .collect()
    })
}

fn name() -> BoxedStrategy<String> {
    prop_oneof![
        8 => "[a-z][a-z0-9_]{0,12}".prop_filter("a word that is no name", |word| !is_reserved(word)),
        2 => "[A-Z][A-Za-z]{3,50}",
        1 => "`[a-zäß .]{1,8}`",
        1 => prop::sample::select(vec!["map", "test", "conflict", "delete", "schema", "by", "on", "only", "else_"]).prop_map(str::to_owned),
    ]
    .boxed()
}

/// A name that begins no item: items by these words are what a field of that name would be taken for.
fn plain_name() -> BoxedStrategy<String> {
    "[a-z]{1,3}_[a-z]{1,12}|[A-Z][A-Za-z]{3,50}|`[a-zäß .]{1,8}`".boxed()
}

fn is_reserved(word: &str) -> bool {
    [
        "if", "then", "else", "and", "or", "not", "in", "is", "true", "false", "null",
    ]
    .contains(&word)
}

fn dotted() -> BoxedStrategy<String> {
    vec(plain_name(), 1..4)
        .prop_map(|parts| parts.join("."))
        .boxed()
}

fn path() -> BoxedStrategy<String> {
    let simple = vec(plain_name(), 1..3).prop_map(|parts| parts.join("."));
    let one_of = (plain_name(), plain_name(), plain_name())
        .prop_map(|(a, b, c)| format!("{a}.(^{b}.{a}^|^{c}^)"));
    let all = (plain_name(), plain_name(), plain_name())
        .prop_map(|(a, b, c)| format!("{a}.(^{b}^,^{c}.{a}^)"));
    prop_oneof![6 => simple, 1 => one_of, 1 => all].boxed()
}

fn text() -> BoxedStrategy<String> {
    prop_oneof![3 => "\"[a-zA-Z ,/{}()é|]{0,10}\"", 1 => Just(r#""a \"b\" \\ \n""#.to_owned())]
        .boxed()
}

fn literal() -> BoxedStrategy<String> {
    prop_oneof![
        text(),
        "[0-9]{1,5}(\\.[0-9]{1,3})?",
        "-[1-9][0-9]?",
        Just("2026-01-31".to_owned()),
        Just("2026-01-31T23:59:59Z".to_owned()),
        prop::sample::select(vec!["true", "false", "null"]).prop_map(str::to_owned),
    ]
    .boxed()
}

fn value() -> BoxedStrategy<String> {
    prop_oneof![
        literal(),
        plain_name(),
        (plain_name(), plain_name()).prop_map(|(of, name)| format!("{of}::{name}"))
    ]
    .boxed()
}

fn arrow() -> BoxedStrategy<String> {
    prop::sample::select(vec!["<->", "->", "<-"])
        .prop_map(|arrow| format!("^{arrow}^"))
        .boxed()
}

fn expr() -> BoxedStrategy<String> {
    let leaf = prop_oneof![4 => path(), 3 => literal(), 1 => value()].boxed();
    leaf.prop_recursive(3, 12, 3, |inner| {
        let operator =
            prop::sample::select(vec!["~and~", "~or~", "^+^", "~- ", "^*^", "^/^", "^??^"]);
        prop_oneof![
            (inner.clone(), operator, inner.clone()).prop_map(|(a, op, b)| format!("{a}{op}{b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("(^{a}^==^{b}^)")),
            (path(), inner.clone()).prop_map(|(a, b)| format!("({a}~contains~{b})")),
            (plain_name(), list(inner.clone(), 0)).prop_map(|(f, args)| format!("{f}(^{args}^)")),
            (path(), list(inner.clone(), 1))
                .prop_map(|(a, options)| format!("({a}~not in (^{options}^))")),
            path().prop_map(|a| format!("({a}~is~not null)")),
            inner.clone().prop_map(|a| format!("not~(^{a}^)")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("(if~{a}~then~{b}~else~{c})")),
            (inner, step()).prop_map(|(a, step)| format!("({a}^|^{step})")),
        ]
    })
    .boxed()
}

fn row() -> BoxedStrategy<String> {
    prop_oneof![
        6 => (value(), arrow(), value()).prop_map(|(a, arrow, b)| a + &arrow + &b),
        1 => value().prop_map(|a| format!("else -> {a}")),
        1 => Just("keep <- else".to_owned()),
    ]
    .boxed()
}

fn step() -> BoxedStrategy<String> {
    prop_oneof![
        3 => plain_name(),
        1 => (plain_name(), list(literal(), 1)).prop_map(|(name, args)| format!("{name}(^{args}^)")),
        1 => list(row(), 1).prop_map(|rows| format!("{{^{rows}^}}")),
        1 => (plain_name(), block(row())).prop_map(|(name, rows)| format!("{name}^{rows}")),
    ]
    .boxed()
}

fn suffix() -> BoxedStrategy<String> {
    prop_oneof![
        Just("~on~create".to_owned()),
        prop::sample::select(vec!["park", "blank", "reject"])
            .prop_map(|policy| format!("~on missing~{policy}")),
        Just("~overflow~truncate".to_owned()),
        plain_name().prop_map(|side| format!("~generated~by {side}")),
        plain_name().prop_map(|key| format!("~by key~{key}")),
    ]
    .boxed()
}

fn line() -> BoxedStrategy<String> {
    let left = prop_oneof![4 => path(), 1 => literal(), 1 => expr(), 1 => (path(), path()).prop_map(|(a, b)| format!("(^{a}^,^{b}^)"))];
    let steps = vec(
        (
            prop_oneof![Just("^|^"), Just("\n^|^"), Just("^|\n^")],
            step(),
        ),
        0..3,
    );
    (
        left,
        arrow(),
        prop_oneof![4 => path(), 1 => expr()],
        steps,
        vec(suffix(), 0..2),
    )
        .prop_map(|(left, arrow, right, steps, suffixes)| {
            let steps: String = steps
                .into_iter()
                .map(|(pipe, step)| pipe.to_owned() + &step)
                .collect();
            left + &arrow + &right + &steps + &suffixes.concat()
        })
        .boxed()
}

fn action() -> BoxedStrategy<String> {
    let assign = (plain_name(), value())
        .prop_map(|(field, value)| format!("{field}^=^{value}"))
        .boxed();
    prop_oneof![
        prop::sample::select(vec!["propagate", "delete", "ignore"]).prop_map(str::to_owned),
        list(assign, 1).prop_map(|assigns| format!("deactivate^(^{assigns}^)")),
    ]
    .boxed()
}

fn policy() -> BoxedStrategy<String> {
    prop_oneof![
        plain_name().prop_map(|side| format!("prefer~{side}")),
        prop::sample::select(vec!["latest", "manual", "add"]).prop_map(str::to_owned),
    ]
    .boxed()
}

fn map_item() -> BoxedStrategy<String> {
    let lines = prop_oneof![
        8 => line(),
        2 => line().prop_map(|line| format!("key~{line}")),
        2 => (plain_name(), expr()).prop_map(|(side, filter)| format!("where~{side}^:^{filter}")),
    ];
    let policies = prop_oneof![
        policy().prop_map(|policy| format!("conflict~{policy}")),
        (path(), policy()).prop_map(|(line, policy)| format!("conflict~{line}~{policy}")),
        (plain_name(), plain_name(), action())
            .prop_map(|(a, b, action)| format!("delete~{a}^->^{b}^:^{action}")),
        (plain_name(), plain_name(), action())
            .prop_map(|(a, b, action)| format!("on leave~{a}^->^{b}^:^{action}")),
        (plain_name(), plain_name()).prop_map(|(a, b)| format!("initial~only~{a}^->^{b}")),
        plain_name().prop_map(|a| format!("initial~prefer {a}")),
    ];
    let rest = prop_oneof![
        (path(), path(), path()).prop_map(|(a, b, c)| format!("match~by {a}^,^then~{b}^+^{c}")),
        list(path(), 1).prop_map(|paths| format!("probe by~{paths}")),
        (path(), path()).prop_map(|(a, b)| format!("exclusive~{a}~by {b}")),
        (path(), path()).prop_map(|(a, b)| format!("dated^(^{a}^,^{b}^)")),
        text().prop_map(|code| format!("company^{code}")),
        (plain_name(), plain_name()).prop_map(|(a, b)| format!("create~{a}^->^{b} only")),
        dotted().prop_map(|map| format!("alternative~to {map}")),
        dotted().prop_map(|map| format!("disjoint with~{map}")),
        prop::sample::select(vec![
            "company each",
            "update~only",
            "overflow~reject",
            "gate",
            "only~22:00^-^05:00",
            "priority~3"
        ])
        .prop_map(str::to_owned),
    ];
    prop_oneof![6 => lines, 2 => policies, 2 => rest].boxed()
}

fn type_() -> BoxedStrategy<String> {
    let kind = prop_oneof![
        prop::sample::select(vec![
            "string^(^20^)",
            "text",
            "bool",
            "int32",
            "int64",
            "decimal(^12^,^2^)",
            "float64",
            "date",
            "datetime",
            "localtime",
            "guid",
            "binary",
        ])
        .prop_map(str::to_owned),
        dotted().prop_map(|name| format!("enum~{name}")),
        dotted().prop_map(|name| format!("ref~{name}")),
    ];
    (kind, prop_oneof![Just(""), Just("^?")])
        .prop_map(|(kind, null)| kind + null)
        .boxed()
}

fn entity_item() -> BoxedStrategy<String> {
    let attr = prop_oneof![
        prop::sample::select(vec![
            "~readonly",
            "~required",
            "~sensitive",
            "~min^-5",
            "~max 10.5",
            "~null^=^0",
            "~null~none",
            "~stored~A.b"
        ])
        .prop_map(str::to_owned),
        list(text(), 1).prop_map(|texts| format!("~oneof^(^{texts}^)")),
    ];
    let field = (plain_name(), type_(), vec(attr, 0..3))
        .prop_map(|(name, ty, attrs)| format!("{name}~{ty}{}", attrs.concat()));
    prop_oneof![
        8 => field,
        1 => list(plain_name(), 1).prop_map(|fields| format!("key~{fields}")),
        1 => (plain_name(), list(plain_name(), 1)).prop_map(|(name, fields)| format!("altkey~{name}^(^{fields}^)")),
        1 => (plain_name(), plain_name(), plain_name()).prop_map(|(a, b, c)| format!("nav~{a}^->^{b}^|^{c}~via~{a}")),
        1 => path().prop_map(|path| format!("striped~by {path}")),
        1 => plain_name().prop_map(|field| format!("modified~{field}")),
        1 => text().prop_map(|name| format!("wire^{name}")),
    ]
    .boxed()
}

fn schema_item() -> BoxedStrategy<String> {
    let member = (plain_name(), 0..99)
        .prop_map(|(name, value)| format!("{name}^=^{value}"))
        .boxed();
    let entity = (plain_name(), block(entity_item()))
        .prop_map(|(name, items)| format!("entity~{name}^\"shown\"^{items}"))
        .boxed();
    prop_oneof![
        Just("dialect~sql".to_owned()),
        literal().prop_map(|value| format!("null~date^=^{value}")),
        Just("null int32^,^enum^:^on~write^-1".to_owned()),
        (
            plain_name(),
            prop_oneof![Just(""), Just("^:^bool")],
            list(member, 1)
        )
            .prop_map(|(name, as_bool, members)| format!("enum~{name}{as_bool}^{{^{members}^}}")),
        entity.clone(),
        entity.prop_map(|entity| format!("extend~{entity}")),
    ]
    .boxed()
}

fn record() -> BoxedStrategy<String> {
    let field = prop_oneof![
        8 => (path(), value()).prop_map(|(path, value)| format!("{path}^:^{value}")),
        1 => path().prop_map(|path| format!("missing~{path}")),
        1 => (plain_name(), plain_name(), value()).prop_map(|(a, b, value)| format!("{a}:^[^{{^{b}:^{value}^}}^,^{{}}^]")),
    ]
    .boxed();
    (plain_name(), list(field, 0))
        .prop_map(|(side, fields)| format!("{side}^{{^{fields}^}}"))
        .boxed()
}

fn test_step() -> BoxedStrategy<String> {
    let outcome = prop_oneof![
        Just(String::new()),
        Just("^->^filtered".to_owned()),
        Just("\n->\n^rejects~with R0301".to_owned()),
        record().prop_map(|record| format!("^->\n^{record}")),
        record().prop_map(|record| format!("\n^->\n^exactly~{record}")),
    ];
    let roundtrip = prop_oneof![
        4 => Just(String::new()),
        1 => Just("~roundtrip".to_owned()),
        1 => record().prop_map(|record| format!("\nroundtrip~after edit~{record}")),
    ];
    (record(), outcome, roundtrip)
        .prop_map(|(record, outcome, roundtrip)| record + &outcome + &roundtrip)
        .boxed()
}

fn declaration() -> BoxedStrategy<String> {
    let map = || (name(), dotted(), arrow(), dotted(), block(map_item()));
    let declaration = prop_oneof![
        1 => (dotted(), name()).prop_map(|(module, alias)| format!("use~{module}-x~as~{alias}")),
        2 => (name(), block(schema_item())).prop_map(|(name, items)| format!("schema~{name}^{items}")),
        2 => (name(), type_(), type_(), block(row())).prop_map(|(name, a, b, rows)| format!("valuemap~{name}^:^{a}^<->^{b}^{rows}")),
        1 => (name(), name(), type_(), expr()).prop_map(|(name, x, ty, body)| format!("fn~{name}^(^{x}^:^{ty}^)^->^{ty}^=^{body}")),
        1 => (name(), type_(), expr()).prop_map(|(name, ty, way)| format!("iso~{name}^:^{ty}^<->^{ty}^{{^->^{way}\n^<-^{way}^}}")),
        4 => map().prop_map(|(name, a, arrow, b, items)| format!("map~{name}^:^{a}{arrow}{b}^{items}")),
        1 => (dotted(), block(map_item())).prop_map(|(base, items)| format!("extend~map~{base}^{items}")),
        1 => (dotted(), dotted(), path()).prop_map(|(map, of, by)| format!("lines~{map}~of {of}~by {by}")),
        2 => (dotted(), vec((test_step(), Just("\n^")), 1..3)).prop_map(|(map, steps)| {
            let steps: String = steps.into_iter().map(|(step, end)| step + end).collect();
            format!("test~{map}^\"what\"^{{^\n{steps}}}")
        }),
    ];
    let doc = prop_oneof![3 => Just(""), 1 => Just("/// Says what it is.\n"), 1 => Just("// says nothing\n\n\n\n")];
    (doc, declaration, end())
        .prop_map(|(doc, declaration, end)| {
            doc.to_owned() + &declaration + &end.replace("^;^", "^\n")
        })
        .boxed()
}
