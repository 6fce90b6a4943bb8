//! What of the needs of a plan is no longer there. Pure: no I/O.

use std::cell::LazyCell;
use std::collections::BTreeSet;
use std::ops::Deref;

use dwmap_connect::{LiveEntity, LiveField, LiveKind};
use dwmap_plan::{Access, Dialect, Field, MapPlan, Plan, Schema, Type};

use super::needs::{How, Need, of_map};
use super::sent::{self, Sent};
use super::{Finding, LiveSystem, Stops, Wrong};

/// What follows where the schema wasn't sure.
const GUESSED: &str = "The schema says so as a guess (`inferred`), so nothing stands still; records that don't fit are refused one by one.";

/// Holds a plan against what lives in its systems, which stand by the names given. What isn't told isn't found fault
/// with; additions aren't either ([`super::additions`] lists them).
pub fn compare(plan: &Plan, names: &[&str], live: &[LiveSystem]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, map) in plan.maps.iter().enumerate() {
        let mut told: BTreeSet<(Option<u16>, String, Option<String>)> = BTreeSet::new();
        // Lines before the map as a whole: a key that is gone is told at its line.
        let mut needs: Vec<Need> = of_map(plan, map).into_iter().collect();
        needs.sort_by_key(|need| (need.line.is_none(), need.line, need.how));
        for need in &needs {
            let Some(Some(system)) = live.get(need.system).map(|l| l.get(&need.set)) else {
                continue;
            };
            let schema = &plan.systems[need.system].schema;
            let name = names[need.system];
            if let Some((wrong, message)) = judge(map, schema, need, system.as_ref(), name) {
                // Without one of its two entities a map is nothing; one that is looked up is its lines' affair.
                let whole = wrong == Wrong::EntityGone && is_own(map, need);
                let line = need.line.filter(|_| !whole);
                let field = (wrong != Wrong::EntityGone).then(|| need.wire.clone());
                let by_a_key = told.iter().any(|(told, set, of)| {
                    (set, of) == (&need.set, &field) && told.is_some_and(|l| is_key(map, l))
                });
                // Each line once, and the whole map once by each field, unless a key line has said so.
                if (line.is_none() && field.is_some() && by_a_key)
                    || !told.insert((line, need.set.clone(), field.clone()))
                {
                    continue;
                }
                let stops = match line {
                    _ if wrong == Wrong::Narrowed && is_guessed(schema, need) => Stops::Nothing,
                    Some(line) if !is_key(map, line) => Stops::Line,
                    _ => Stops::Map,
                };
                let written = line.and_then(|i| map.lines.get(usize::from(i)));
                findings.push(Finding {
                    code: wrong.code(),
                    map: map.name.clone(),
                    line: written.map(|line| line.text.trim().to_owned()),
                    place: written.map_or(&map.place, |line| &line.place).to_string(),
                    system: name.to_owned(),
                    set: need.set.clone(),
                    field,
                    wrong,
                    stops,
                    next: match stops {
                        Stops::Nothing => GUESSED.to_owned(),
                        Stops::Line | Stops::Map => next(wrong, need, name),
                    },
                    message,
                    at: (at, line, need.system),
                });
            }
        }
    }
    findings
}

fn is_key(map: &MapPlan, line: u16) -> bool {
    map.lines.get(usize::from(line)).is_some_and(|l| l.key)
}

/// Whether the schema isn't sure of a field: that it takes less than a guess is no change, and records that are too
/// long are refused one by one.
fn is_guessed(schema: &Schema, need: &Need) -> bool {
    declared(schema, need).is_some_and(|field| field.inferred)
}

/// What the schema says of a field.
fn declared<'a>(schema: &'a Schema, need: &Need) -> Option<&'a Field> {
    let mut entities = schema.entities.iter();
    let entity = entities.find(|e| e.set_name() == need.set)?;
    entity.fields.iter().find(|f| f.wire_name() == need.wire)
}

/// Whether the entity is one of the map's two, and not only looked up.
fn is_own(map: &MapPlan, need: &Need) -> bool {
    map.sides
        .iter()
        .any(|side| usize::from(side.system) == need.system && side.scan.address.set == need.set)
}

/// What is wrong with what is needed, in words.
fn judge(
    map: &MapPlan,
    schema: &Schema,
    need: &Need,
    live: Option<&LiveEntity>,
    system: &str,
) -> Option<(Wrong, String)> {
    let Need { set, wire, .. } = need;
    let Some(entity) = live else {
        return Some((Wrong::EntityGone, format!("{system} has no {set}")));
    };
    let Some(field) = entity.field(wire) else {
        return Some((Wrong::FieldGone, format!("{set} of {system} has no {wire}")));
    };
    let name = format!("{wire} of {system}'s {set}");
    let declared = declared(schema, need);
    if let Some(declared) = declared
        && !suits(schema, &declared.ty, &field.kind)
    {
        let (was, is) = (&declared.ty, field.kind.word());
        return Some((
            Wrong::OtherKind,
            format!("{name} is {is}, and the schema says {was}"),
        ));
    }
    if need.how == How::Read {
        return None;
    }
    match (need.how, field.access) {
        (_, Some(Access::ReadOnly)) => {
            return Some((Wrong::ReadOnly, format!("{name} can't be written any more")));
        }
        (How::Write, Some(Access::CreateOnly))
            if declared.is_none_or(|d| d.access == Access::ReadWrite) =>
        {
            return Some((
                Wrong::ReadOnly,
                format!("{name} can only be written when a record is born"),
            ));
        }
        _ => {}
    }
    let declared = declared?;
    // Looked for only where something is less than it was.
    let sent = LazyCell::new(|| match (need.line, need.to) {
        (Some(line), Some(to)) => sent::of_line(map, line, to),
        _ => Sent::default(),
    });
    if let Some(how) = narrowed(declared, field, &sent) {
        return Some((Wrong::Narrowed, format!("{name} {how}")));
    }
    let gone = gone_options(schema, declared, field, &sent);
    (!gone.is_empty()).then(|| {
        (
            Wrong::OptionGone,
            format!("{name} no longer has {}", gone.join(", ")),
        )
    })
}

/// Whether a live kind can stand where the schema says a type. What is not known suits.
fn suits(schema: &Schema, ty: &Type, kind: &LiveKind) -> bool {
    use LiveKind as K;
    match (ty, kind) {
        (_, K::Other(_)) => true,
        (Type::Text(_), kind) => *kind == K::Text,
        (Type::Bool, kind) => matches!(kind, K::Bool),
        (Type::Int32, kind) => matches!(kind, K::Int32 | K::Choice),
        (Type::Int64, kind) => matches!(kind, K::Int32 | K::Int64 | K::Choice),
        (Type::Decimal(..) | Type::Float64, kind) => {
            matches!(kind, K::Decimal | K::Float | K::Int32 | K::Int64)
        }
        (Type::Date | Type::DateTime | Type::LocalTime, kind) => {
            matches!(kind, K::Date | K::DateTime)
        }
        (Type::Guid, kind) => matches!(kind, K::Guid | K::Reference(_)),
        (Type::Enum(name), K::Bool) => {
            schema.enum_def(name).is_some_and(|e| e.boolean) && schema.dialect != Dialect::Finops
        }
        (Type::Enum(_), kind) => *kind == K::Choice,
        (Type::Binary, kind) => *kind == K::Binary,
    }
}

/// How a live field takes less than the schema says.
fn narrowed(
    declared: &Field,
    live: &LiveField,
    sent: &impl Deref<Target = Sent>,
) -> Option<String> {
    if let (Type::Text(told), Some(takes)) = (&declared.ty, live.length_max) {
        // Without a length in the schema any text may come.
        let comes = || sent.length.is_none_or(|length| takes < length);
        return match told {
            Some(told) if takes < *told && comes() => Some(format!(
                "takes {takes} characters, and the schema says {told}"
            )),
            _ => None,
        };
    }
    if let (Type::Decimal(_, told), Some(keeps)) = (&declared.ty, live.scale)
        && keeps < *told
    {
        return Some(format!(
            "keeps {keeps} digits after the point, and the schema says {told}"
        ));
    }
    let bound = |declared: Option<&dwmap_plan::Value>, live: Option<&String>| {
        Some((as_number(declared?)?, live?.parse::<f64>().ok()?))
    };
    if let Some((told, takes)) = bound(declared.min.as_ref(), live.min.as_ref())
        && takes > told
    {
        return Some(format!(
            "takes {takes} at least, and the schema says {told}"
        ));
    }
    if let Some((told, takes)) = bound(declared.max.as_ref(), live.max.as_ref())
        && takes < told
    {
        return Some(format!("takes {takes} at most, and the schema says {told}"));
    }
    None
}

fn as_number(value: &dwmap_plan::Value) -> Option<f64> {
    use dwmap_plan::Value;
    match value {
        Value::Int(n) => Some(*n as f64),
        Value::Decimal(n) => n.to_string().parse().ok(),
        Value::Float(n) => Some(*n),
        _ => None,
    }
}

/// The members that the line may send and that aren't there any more. What stands on the wire decides: the name in
/// Finance & Operations, the integer in Dataverse.
fn gone_options(schema: &Schema, declared: &Field, live: &LiveField, sent: &Sent) -> Vec<String> {
    let Type::Enum(name) = &declared.ty else {
        return Vec::new();
    };
    let (Some(def), Some(options)) = (schema.enum_def(name), &live.options) else {
        return Vec::new();
    };
    let by_name = schema.dialect == Dialect::Finops;
    let is_there = |member: &&dwmap_plan::Member| {
        options.iter().any(|o| {
            if by_name {
                o.name == member.name
            } else {
                o.value == member.value
            }
        })
    };
    let comes = |m: &&dwmap_plan::Member| {
        let members = sent.members.as_ref();
        members.is_none_or(|members| members.contains(&m.value))
    };
    let gone = def.members.iter().filter(|m| !is_there(m) && comes(m));
    gone.map(|m| m.name.clone()).collect()
}

fn next(wrong: Wrong, need: &Need, system: &str) -> String {
    let Need { set, wire, .. } = need;
    match wrong {
        Wrong::EntityGone => format!(
            "Bring {set} back in {system} (or the account's right to it), or take the map out; it goes on by itself when it is there."
        ),
        Wrong::FieldGone => format!(
            "Bring {wire} back in {system} (or the account's right to it), or take it out of map and schema; it goes on by itself when it is there."
        ),
        Wrong::OtherKind => format!(
            "Say in the schema what {wire} holds now, and see that the line still fits; or change it back in {system}."
        ),
        Wrong::Narrowed => format!(
            "Widen {wire} in {system} again, or say in the schema what it takes now: the compiler then checks the line against it."
        ),
        Wrong::ReadOnly => format!(
            "Let {wire} be written in {system} again (a right, a setting), or make the line one-way away from it."
        ),
        Wrong::OptionGone => format!(
            "Bring the member back in {system}, or take it out of the schema and of the tables that lead to it."
        ),
    }
}
