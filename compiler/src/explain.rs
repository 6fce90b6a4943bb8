//! `dwmap explain MAP`: what a map comes to, told from its plan.

use std::fmt::{self, Write};

use crate::types::constant::text_of;
use dwmap_plan::{
    Class, Columns, CompareOp, ConflictPolicy, DeletePolicy, EnumDef, InitialPolicy, Line, MapPlan,
    MissingPolicy, Op, Overflow, Plan, Predicate, Proof, Query, Repr, Side, TextTest, Type, Value,
    WriteRepr,
};

/// The explanation of a map; none where the plan has no map of this name.
pub fn explain_map(plan: &Plan, name: &str) -> Option<String> {
    let map = plan.maps.iter().find(|map| map.name == name)?;
    let explainer = Explainer { plan, map };
    let mut text = String::new();
    // Writing to a string can't fail.
    let _ = explainer.write(&mut text);
    Some(text)
}

struct Explainer<'a> {
    plan: &'a Plan,
    map: &'a MapPlan,
}

impl Explainer<'_> {
    fn system(&self, side: Side) -> &str {
        let system = usize::from(self.map.side(side).system);
        self.plan
            .systems
            .get(system)
            .map_or("?", |s| s.schema.name.as_str())
    }

    fn entity(&self, side: Side) -> String {
        format!("{}.{}", self.system(side), self.map.side(side).entity)
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        self.head(out)?;
        self.keys(out)?;
        self.lines(out)?;
        self.references(out)?;
        self.queries(out)?;
        self.policies(out)?;
        self.certificate(out)
    }

    fn head(&self, out: &mut String) -> fmt::Result {
        let map = self.map;
        let arrow = arrow(map.flows_from(Side::Left), map.flows_from(Side::Right));
        let (left, right) = (self.entity(Side::Left), self.entity(Side::Right));
        writeln!(out, "{}: {left} {arrow} {right}", map.name)?;
        writeln!(out, "  {}", map.place)?;
        for line in map.doc.lines() {
            writeln!(out, "  {line}")?;
        }
        Ok(())
    }

    fn keys(&self, out: &mut String) -> fmt::Result {
        writeln!(out, "\nRecords are paired by")?;
        let keys = self.map.lines.iter().filter(|line| line.key);
        for (line, fold) in keys.zip(&self.map.fold_pair_key) {
            let case = if *fold { ", without case" } else { "" };
            // A completed line stands at the map's own name.
            let completed = if line.place == self.map.place {
                " (completed from `striped by`)"
            } else {
                ""
            };
            writeln!(out, "  {}{completed}{case}", line.text)?;
        }
        for side in Side::BOTH {
            let key = &self.map.side(side).write.natural_key;
            if key.parts.is_empty() {
                continue;
            }
            let parts: Vec<&str> = key.parts.iter().map(|(wire, ..)| wire.as_str()).collect();
            writeln!(
                out,
                "  in {}: the key ({})",
                self.system(side),
                parts.join(", ")
            )?;
        }
        self.meeting(out)
    }

    /// How records find each other besides by equal keys.
    fn meeting(&self, out: &mut String) -> fmt::Result {
        let meeting = &self.map.meeting;
        let names = |columns: &Columns, side: Side, between: &str| -> String {
            let lines = columns.parts.iter();
            let paths = lines.map(|(.., line)| {
                let line = &self.map.lines[usize::from(*line)];
                match side {
                    Side::Left => line.left.as_str(),
                    Side::Right => line.right.as_str(),
                }
            });
            paths.collect::<Vec<_>>().join(between)
        };
        if let Some(key) = &meeting.generated {
            let (by, home) = (self.system(key.by), self.system(key.by.other()));
            writeln!(
                out,
                "  {by} draws the key: a record born in {home} is created without one, read back, and the key written \
                 home, which is one more write"
            )?;
            if key.probe.parts.is_empty() {
                writeln!(
                    out,
                    "  a creation without an answer waits for a person: there is no `probe by`"
                )?;
            } else {
                let probe = names(&key.probe, key.by, ", ");
                writeln!(
                    out,
                    "  a creation without an answer is looked for by {probe}"
                )?;
            }
        }
        if !meeting.match_by.is_empty() {
            let ways = meeting.match_by.iter();
            let ways: Vec<String> = ways.map(|way| names(&way[0], Side::Left, " + ")).collect();
            writeln!(
                out,
                "  without an equal key: by {}, where one record fits on each side",
                ways.join(", then by ")
            )?;
        }
        if let (Some(from), false) = (meeting.key_from, meeting.match_by.is_empty()) {
            let (from, to) = (self.system(from), self.system(from.other()));
            writeln!(
                out,
                "  a pair that met so takes its key from {from}; it is written to {to}"
            )?;
        }
        Ok(())
    }

    fn lines(&self, out: &mut String) -> fmt::Result {
        writeln!(out, "\nLines")?;
        let lines: Vec<&Line> = self.map.lines.iter().filter(|line| !line.key).collect();
        let width = lines.iter().map(|line| line.text.chars().count());
        let width = width.max().unwrap_or(0).min(90);
        for (at, line) in self.map.lines.iter().enumerate() {
            if line.key {
                continue;
            }
            let mut notes = vec![class(line)];
            notes.extend(self.overflows(at));
            if line.normalise {
                notes.push("writes the canonical form back".to_owned());
            }
            writeln!(out, "  {:<width$}  {}", line.text, notes.join("; "))?;
        }
        let count = (0..self.map.lines.len())
            .filter(|at| !self.overflows(*at).is_empty())
            .count();
        if count > 0 {
            writeln!(out, "  {count} lines can overflow.")?;
        }
        Ok(())
    }

    /// In which direction a line's texts may be too long, and what happens then.
    fn overflows(&self, at: usize) -> Vec<String> {
        Side::BOTH
            .into_iter()
            .filter_map(|side| {
                let program = &self.map.side(side).program;
                let slot = program.outputs.out.get(at).copied().flatten()?;
                let line = &self.map.lines[at];
                if !line.flows_from(side) || line.key {
                    return None;
                }
                let fit = program.ops.iter().find_map(|op| match op {
                    Op::Fit { dst, src, fit } if *dst == slot => Some((*src, *fit)),
                    _ => None,
                });
                let (src, fit) = fit?;
                let from = program.slots.get(usize::from(src))?;
                let fit = program.fits.get(usize::from(fit))?;
                let (Type::Text(long), Type::Text(Some(short))) = (from, &fit.ty) else {
                    return None;
                };
                if long.is_some_and(|long| long <= *short) {
                    return None;
                }
                let to = self.system(side.other());
                Some(match fit.overflow {
                    Overflow::Reject => format!("over {short} characters refused in {to}"),
                    Overflow::Truncate => format!("cut at {short} characters in {to}"),
                })
            })
            .collect()
    }

    fn references(&self, out: &mut String) -> fmt::Result {
        if self.map.references.is_empty() {
            return Ok(());
        }
        writeln!(out, "\nReferences")?;
        for (at, reference) in self.map.references.iter().enumerate() {
            let key: Vec<String> = reference
                .key
                .iter()
                .map(|part| {
                    let company = if part.company { " (the company)" } else { "" };
                    format!("{}{company}", part.wire)
                })
                .collect();
            let line = self.map.lines.iter().find(|line| {
                let at = Some(at as u16);
                line.references[reference.side.index()] == at
            });
            let missing = line.map_or("", |line| match line.missing {
                MissingPolicy::Park => "; waits while it is missing",
                MissingPolicy::Blank => "; blank while it is missing",
                MissingPolicy::Reject => "; refused while it is missing",
            });
            let by = reference
                .brought_by
                .and_then(|by| self.plan.maps.get(usize::from(by)))
                .map_or("no map brings them".to_owned(), |map| {
                    format!("brought by {}", map.name)
                });
            writeln!(
                out,
                "  {}: {} by ({}); {by}{missing}",
                reference.nav,
                reference.entity,
                key.join(", ")
            )?;
        }
        writeln!(
            out,
            "  Loaded in rank {} of {}.",
            self.map.rank + 1,
            self.plan.maps.iter().map(|m| m.rank).max().unwrap_or(0) + 1
        )
    }

    fn queries(&self, out: &mut String) -> fmt::Result {
        writeln!(out, "\nAsked of the systems")?;
        for side in Side::BOTH {
            let plan = self.map.side(side);
            writeln!(
                out,
                "  {}: {} columns of {}",
                self.system(side),
                plan.scan.columns.len(),
                plan.scan.address.set
            )?;
            match (&plan.scan.filter, plan.program.outputs.filter) {
                (Some(filter), _) => {
                    writeln!(out, "    where {}", predicate(filter, &plan.scan))?;
                }
                (None, Some(_)) => {
                    writeln!(
                        out,
                        "    all rows; the filter is evaluated here, row by row"
                    )?;
                }
                (None, None) => writeln!(out, "    all rows")?,
            }
            let bound = plan.write.columns.iter();
            let bound = bound.filter(|c| matches!(c.repr, WriteRepr::Bind { .. }));
            writeln!(
                out,
                "    writes {} columns, {} of them references",
                plan.write.columns.len(),
                bound.count()
            )?;
        }
        Ok(())
    }

    fn policies(&self, out: &mut String) -> fmt::Result {
        let policies = &self.map.policies;
        writeln!(out, "\nPolicies")?;
        writeln!(out, "  conflict: {}", self.conflict(policies.conflict))?;
        for line in &self.map.lines {
            if let Some(own) = line.conflict {
                writeln!(out, "  conflict of {}: {}", line.left, self.conflict(own))?;
            }
        }
        match policies.initial {
            InitialPolicy::Prefer(side) => {
                writeln!(out, "  first meeting: {}'s value wins", self.system(side))?;
            }
            InitialPolicy::OnlyFrom(side) => writeln!(
                out,
                "  first load: from {} to {} only",
                self.system(side),
                self.system(side.other())
            )?,
        }
        for (what, leaves) in [
            ("deleted", &policies.delete),
            ("out of the filter", &policies.leave),
        ] {
            for side in Side::BOTH {
                if !self.map.flows_from(side) {
                    continue;
                }
                let done = match &leaves[side.index()] {
                    DeletePolicy::Ignore => "nothing happens".to_owned(),
                    DeletePolicy::Delete => "deleted".to_owned(),
                    DeletePolicy::Deactivate(fields) => {
                        let names: Vec<&str> = fields.iter().map(|f| f.wire.as_str()).collect();
                        format!("sets {}", names.join(", "))
                    }
                };
                let (from, to) = (self.system(side), self.system(side.other()));
                writeln!(out, "  {what} in {from}: in {to} {done}")?;
            }
        }
        Ok(())
    }

    fn conflict(&self, policy: ConflictPolicy) -> String {
        match policy {
            ConflictPolicy::Prefer(side) => format!("{}'s value wins", self.system(side)),
            ConflictPolicy::Latest => "the later commit wins".to_owned(),
            ConflictPolicy::Manual => "a person decides".to_owned(),
            ConflictPolicy::Add => "both changes are summed".to_owned(),
        }
    }

    /// How many writes one outside change can cause.
    fn certificate(&self, out: &mut String) -> fmt::Result {
        writeln!(out, "\nConvergence")?;
        let two_way: Vec<&Line> = self.map.lines.iter().filter(|l| l.two_way()).collect();
        if two_way.is_empty() {
            return writeln!(
                out,
                "  One-way: a change on one side causes at most one write on the other, and none back."
            );
        }
        let of = |class: Class| {
            let lines = two_way.iter().filter(|l| l.agreement.class == class);
            lines.count()
        };
        let tested = two_way
            .iter()
            .filter(|l| l.agreement.proof == Proof::Tested)
            .count();
        writeln!(
            out,
            "  After one outside change at most one write on the other side, and none back: once written, a line \
             agrees by\n  definition, provided the target stores the storage form of what it is sent."
        )?;
        writeln!(
            out,
            "  {} two-way lines: {} exact, {} canonical; {}.",
            two_way.len(),
            of(Class::Exact),
            of(Class::Canonical),
            match tested {
                0 => "all proved".to_owned(),
                n => format!("{n} only tested"),
            }
        )
    }
}

fn arrow(to_right: bool, to_left: bool) -> &'static str {
    match (to_right, to_left) {
        (true, false) => "->",
        (false, true) => "<-",
        _ => "<->",
    }
}

fn class(line: &Line) -> String {
    let class = match line.agreement.class {
        Class::Exact => "exact",
        Class::Canonical => "canonical",
        Class::OneWay => "one-way",
    };
    match (line.agreement.class, line.agreement.proof) {
        (Class::OneWay, _) => class.to_owned(),
        (_, Proof::Proved) => format!("{class}, proved"),
        (_, Proof::Tested) => format!("{class}, tested"),
    }
}

/// A pushed-down filter, as a map would write it.
fn predicate(predicate: &Predicate, query: &Query) -> String {
    let join = |of: &[Predicate], word: &str| {
        let of: Vec<String> = of
            .iter()
            .map(|p| match p {
                Predicate::Any(_) | Predicate::All(_) => format!("({})", self::predicate(p, query)),
                _ => self::predicate(p, query),
            })
            .collect();
        of.join(word)
    };
    match predicate {
        Predicate::All(of) if of.is_empty() => "true".to_owned(),
        Predicate::Any(of) if of.is_empty() => "false".to_owned(),
        Predicate::All(of) => join(of, " and "),
        Predicate::Any(of) => join(of, " or "),
        Predicate::Not(of) => match of.as_ref() {
            Predicate::IsNull { column, .. } => format!("{column} is not null"),
            of => format!("not ({})", self::predicate(of, query)),
        },
        Predicate::Compare {
            column,
            repr,
            op,
            value,
        } => format!(
            "{column} {} {}",
            operator(*op),
            constant(value, repr, query)
        ),
        Predicate::In {
            column,
            repr,
            values,
        } => {
            let values: Vec<String> = values.iter().map(|v| constant(v, repr, query)).collect();
            format!("{column} in ({})", values.join(", "))
        }
        Predicate::IsNull { column, .. } => format!("{column} is null"),
        Predicate::Text {
            column,
            test,
            value,
        } => {
            let test = match test {
                TextTest::StartsWith => "starts_with",
                TextTest::EndsWith => "ends_with",
                TextTest::Contains => "contains",
            };
            format!("{column} {test} \"{value}\"")
        }
    }
}

const fn operator(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Eq => "==",
        CompareOp::Ne => "!=",
        CompareOp::Lt => "<",
        CompareOp::Le => "<=",
        CompareOp::Gt => ">",
        CompareOp::Ge => ">=",
    }
}

fn constant(value: &Value, repr: &Repr, query: &Query) -> String {
    let member = |at: u16, n: i64| {
        let of: Option<&EnumDef> = query.enums.get(usize::from(at));
        of.and_then(|of| of.by_value(n)).map(|m| m.name.clone())
    };
    match (value, repr) {
        (Value::Int(n), Repr::EnumName(at) | Repr::EnumInt(at)) => {
            member(*at, *n).unwrap_or_else(|| n.to_string())
        }
        (other, _) => text_of(other),
    }
}
