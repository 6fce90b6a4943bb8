//! The verifier: a plan is untrusted input, and nothing of it runs before every index, type and constant is checked.

use std::fmt;

use crate::{
    Columns, Company, Direction, FitMode, Function, MapPlan, Meeting, Op, Plan, Predicate, Program,
    Query, Reference, Repr, Side, SidePlan, SlotId, Storage, Table, TableElse, Type, WriteRepr,
};

/// Bounds on a plan; far above what any project needs.
const MAPS_MAX: usize = 10_000;
const SLOTS_MAX: usize = 60_000;

/// What is wrong with a plan, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct VerifyError {
    /// The part of the plan.
    pub place: String,
    /// What is wrong with it.
    pub problem: String,
}

type Check = Result<(), VerifyError>;

fn wrong(place: impl fmt::Display, problem: impl fmt::Display) -> VerifyError {
    VerifyError {
        place: place.to_string(),
        problem: problem.to_string(),
    }
}

fn index<T>(place: &str, list: &[T], at: usize, what: &str) -> Check {
    if at < list.len() {
        Ok(())
    } else {
        Err(wrong(
            place,
            format!("{what} {at} doesn't exist (there are {})", list.len()),
        ))
    }
}

/// Verifies a whole plan.
pub fn plan(plan: &Plan) -> Check {
    if plan.maps.len() > MAPS_MAX {
        return Err(wrong("plan", format!("more than {MAPS_MAX} maps")));
    }
    for system in &plan.systems {
        system
            .schema
            .validate()
            .map_err(|e| wrong(format!("schema {}", system.schema.name), e))?;
    }
    plan.maps.iter().try_for_each(|m| map(plan, m))
}

fn map(plan: &Plan, map: &MapPlan) -> Check {
    let place = format!("map {}", map.name);
    if map.lines.len() > usize::from(u16::MAX) {
        return Err(wrong(&place, "too many lines"));
    }
    for reference in &map.references {
        self::reference(plan, &place, reference)?;
    }
    for line in &map.lines {
        let place = format!("{place}, line `{}`", line.text);
        for at in line.references.iter().flatten() {
            index(&place, &map.references, usize::from(*at), "reference")?;
        }
    }
    for side in Side::BOTH {
        self::side(plan, map, map.side(side), &format!("{place}, {side:?}"))?;
    }
    meeting(map, &place)
}

fn reference(plan: &Plan, place: &str, reference: &Reference) -> Check {
    let place = format!("{place}, reference {}", reference.nav);
    query(&place, &reference.fetch)?;
    if reference.key.is_empty() {
        return Err(wrong(&place, "its key has no parts"));
    }
    if let Some(at) = reference.brought_by {
        index(&place, &plan.maps, usize::from(at), "map")?;
    }
    reference
        .key
        .iter()
        .try_for_each(|part| repr(&place, &part.repr, &reference.fetch.enums))
}

fn side(plan: &Plan, map: &MapPlan, side: &SidePlan, place: &str) -> Check {
    index(place, &plan.systems, usize::from(side.system), "system")?;
    let schema = &plan.systems[usize::from(side.system)].schema;
    if schema.entity(&side.entity).is_none() {
        return Err(wrong(
            place,
            format!("schema {} has no entity {}", schema.name, side.entity),
        ));
    }
    for q in [&side.scan, &side.changes, &side.fetch] {
        query(place, q)?;
    }
    if side.scan.address.key.len() != side.program.outputs.record_key.len() {
        return Err(wrong(
            place,
            "the record key has other parts in the query than in the program",
        ));
    }
    if let Some(Company::Reference { reference, .. }) = &side.company {
        index(place, &map.references, usize::from(*reference), "reference")?;
    }
    if let Some(slot) = side.identity {
        index(place, &side.program.columns, usize::from(slot), "column")?;
    }
    for column in &side.write.columns {
        index(place, &map.lines, usize::from(column.line), "line")?;
        match &column.repr {
            WriteRepr::Column(r) | WriteRepr::Identity(r) => repr(place, r, &side.write.enums)?,
            WriteRepr::Bind { .. } => {}
        }
    }
    columns(place, map, side, &side.write.natural_key)?;
    program(place, map, &side.program)
}

/// Columns by which rows of a side are asked for.
fn columns(place: &str, map: &MapPlan, side: &SidePlan, columns: &Columns) -> Check {
    columns.parts.iter().try_for_each(|(_, form, line)| {
        index(place, &map.lines, usize::from(*line), "line")?;
        repr(place, form, &side.write.enums)
    })
}

fn meeting(map: &MapPlan, place: &str) -> Check {
    let place = format!("{place}, meeting");
    let Meeting {
        generated,
        match_by,
        key_from,
    } = &map.meeting;
    if key_from.is_none() && (generated.is_some() || !match_by.is_empty()) {
        return Err(wrong(&place, "it doesn't say whose key a pair takes"));
    }
    if let Some(key) = generated {
        index(&place, &map.lines, usize::from(key.line), "line")?;
        if !map.lines[usize::from(key.line)].key {
            return Err(wrong(&place, "the line that is drawn is no key"));
        }
        if *key_from != Some(key.by) {
            return Err(wrong(
                &place,
                "a drawn key comes from the side that draws it",
            ));
        }
        columns(&place, map, map.side(key.by), &key.probe)?;
    }
    for way in match_by {
        let lines = |s: usize| way[s].parts.iter().map(|(.., line)| *line);
        if way[0].parts.is_empty() || !lines(0).eq(lines(1)) {
            return Err(wrong(
                &place,
                "a way to match isn't of the same lines on both sides",
            ));
        }
        for (side, of_side) in Side::BOTH.into_iter().zip(way) {
            columns(&place, map, map.side(side), of_side)?;
        }
    }
    Ok(())
}

fn query(place: &str, query: &Query) -> Check {
    for (_, r) in &query.address.key {
        repr(place, r, &query.enums)?;
    }
    query
        .filter
        .as_ref()
        .map_or(Ok(()), |p| predicate(place, p, query, 0))
}

fn predicate(place: &str, p: &Predicate, query: &Query, depth: usize) -> Check {
    if depth > 64 {
        return Err(wrong(place, "a filter is nested deeper than 64"));
    }
    match p {
        Predicate::All(of) | Predicate::Any(of) => of
            .iter()
            .try_for_each(|p| predicate(place, p, query, depth + 1)),
        Predicate::Not(p) => predicate(place, p, query, depth + 1),
        Predicate::Compare { repr: r, .. }
        | Predicate::In { repr: r, .. }
        | Predicate::IsNull { repr: r, .. } => repr(place, r, &query.enums),
        Predicate::Text { .. } => Ok(()),
    }
}

fn repr<T>(place: &str, r: &Repr, enums: &[T]) -> Check {
    match r {
        Repr::EnumName(at) | Repr::EnumInt(at) => index(place, enums, usize::from(*at), "enum"),
        Repr::Decimal(p, s) if *p > 38 || s > p => Err(wrong(
            place,
            format!("decimal({p}, {s}) is no decimal type"),
        )),
        _ => Ok(()),
    }
}

/// Two types whose values compare with one another.
fn comparable(a: &Type, b: &Type) -> bool {
    let class = |t: &Type| match t {
        Type::Text(_) => 0,
        Type::Bool => 1,
        Type::Int32 | Type::Int64 | Type::Enum(_) => 2,
        Type::Decimal(..) => 3,
        Type::Float64 => 4,
        Type::Date => 5,
        Type::DateTime | Type::LocalTime => 6,
        Type::Guid => 7,
        Type::Binary => 8,
    };
    class(a) == class(b)
}

struct ProgramCheck<'a> {
    place: String,
    map: &'a MapPlan,
    program: &'a Program,
    written: Vec<bool>,
}

fn program(place: &str, map: &MapPlan, program: &Program) -> Check {
    if program.slots.len() > SLOTS_MAX || program.columns.len() > program.slots.len() {
        return Err(wrong(
            place,
            "the program has too many slots, or fewer slots than columns",
        ));
    }
    for (i, column) in program.columns.iter().enumerate() {
        let place = format!("{place}, column {}", column.name);
        repr(&place, &column.repr, &program.enums)?;
        storage(&place, &column.ty, &column.storage)?;
        if column.ty != program.slots[i] {
            return Err(wrong(&place, "its slot has another type"));
        }
    }
    for fit in &program.fits {
        storage(place, &fit.ty, &fit.storage)?;
    }
    for table in &program.tables {
        self::table(place, table)?;
    }
    let mut written = vec![false; program.slots.len()];
    written[..program.columns.len()].fill(true);
    let mut check = ProgramCheck {
        place: place.to_owned(),
        map,
        program,
        written,
    };
    for (i, op) in program.ops.iter().enumerate() {
        check.place = format!("{place}, op {i}");
        check.op(op)?;
    }
    check.place = format!("{place}, outputs");
    check.outputs()
}

fn storage(place: &str, ty: &Type, storage: &Storage) -> Check {
    let values = [
        &storage.null.read,
        &storage.null.write,
        &storage.min,
        &storage.max,
    ];
    if let Some(value) = values.into_iter().flatten().find(|v| !v.fits(ty)) {
        return Err(wrong(place, format!("{value:?} is no {ty}")));
    }
    match ty {
        Type::Decimal(p, s) if *p > 38 || s > p => {
            Err(wrong(place, format!("{ty} is no decimal type")))
        }
        _ => Ok(()),
    }
}

fn table(place: &str, table: &Table) -> Check {
    let place = format!("{place}, table {}", table.name);
    let directions = [
        (
            Direction::Forward,
            &table.forward,
            &table.else_forward,
            &table.left,
            &table.right,
        ),
        (
            Direction::Backward,
            &table.backward,
            &table.else_backward,
            &table.right,
            &table.left,
        ),
    ];
    for (direction, rows, otherwise, from, to) in directions {
        if rows.iter().any(|r| !r.from.fits(from) || !r.to.fits(to)) {
            return Err(wrong(
                &place,
                format!("a row's value has the wrong type ({direction:?})"),
            ));
        }
        match otherwise {
            TableElse::Value(v) if !v.fits(to) => {
                return Err(wrong(
                    &place,
                    format!("its else has the wrong type ({direction:?})"),
                ));
            }
            TableElse::Keep if !comparable(from, to) => {
                return Err(wrong(&place, format!("it can't keep a {from} as a {to}")));
            }
            _ => {}
        }
    }
    Ok(())
}

impl ProgramCheck<'_> {
    fn ty(&self, slot: SlotId) -> Result<&Type, VerifyError> {
        let at = usize::from(slot);
        if self.written.get(at).copied() != Some(true) {
            return Err(wrong(
                &self.place,
                format!("slot {slot} is read before it is written"),
            ));
        }
        Ok(&self.program.slots[at])
    }

    fn want(&self, slot: SlotId, wanted: &Type, what: &str) -> Check {
        let ty = self.ty(slot)?;
        if comparable(ty, wanted) {
            Ok(())
        } else {
            Err(wrong(
                &self.place,
                format!("{what} is a {ty} where a {wanted} is wanted"),
            ))
        }
    }

    fn op(&mut self, op: &Op) -> Check {
        for source in op.sources() {
            self.ty(source)?;
        }
        let dst = usize::from(op.dst());
        index(&self.place, &self.written, dst, "slot")?;
        if self.written[dst] {
            return Err(wrong(&self.place, format!("slot {dst} is written twice")));
        }
        self.types(op, &self.program.slots[dst])?;
        self.written[dst] = true;
        Ok(())
    }

    fn types(&self, op: &Op, dst: &Type) -> Check {
        let (place, program) = (self.place.as_str(), self.program);
        let result = |ty: &Type| {
            if comparable(ty, dst) {
                Ok(())
            } else {
                Err(wrong(
                    place,
                    format!("its result is a {ty}, and its slot a {dst}"),
                ))
            }
        };
        match op {
            Op::Const { constant, .. } => {
                index(
                    place,
                    &program.constants,
                    usize::from(*constant),
                    "constant",
                )?;
                if program.constants[usize::from(*constant)].fits(dst) {
                    Ok(())
                } else {
                    Err(wrong(place, "the constant has another type than its slot"))
                }
            }
            Op::Fit { fit, src, .. } => {
                index(place, &program.fits, usize::from(*fit), "fit")?;
                let fit = &program.fits[usize::from(*fit)];
                let src = self.ty(*src)?;
                if !comparable(src, &fit.ty) && !widens(src, &fit.ty) {
                    return Err(wrong(
                        place,
                        format!("a {src} doesn't widen to a {}", fit.ty),
                    ));
                }
                let _: FitMode = fit.mode;
                result(&fit.ty)
            }
            Op::Step { step, .. } => index(place, &program.steps, usize::from(*step), "step"),
            Op::Table {
                table,
                src,
                direction,
                ..
            } => {
                index(place, &program.tables, usize::from(*table), "table")?;
                let table = &program.tables[usize::from(*table)];
                let (from, to) = match direction {
                    Direction::Forward => (&table.left, &table.right),
                    Direction::Backward => (&table.right, &table.left),
                };
                self.want(*src, from, "the input")?;
                result(to)
            }
            Op::EnumToBool { src, .. } => {
                self.want(*src, &Type::Int64, "the input")?;
                result(&Type::Bool)
            }
            Op::BoolToEnum { src, .. } => {
                self.want(*src, &Type::Bool, "the input")?;
                result(&Type::Int64)
            }
            Op::Call {
                function: Function::Concat,
                args,
                ..
            } => {
                args.iter()
                    .try_for_each(|a| self.want(*a, &Type::Text(None), "an argument"))?;
                result(&Type::Text(None))
            }
            Op::Find { reference, key, .. } => {
                index(
                    place,
                    &self.map.references,
                    usize::from(*reference),
                    "reference",
                )?;
                let wanted = self.map.references[usize::from(*reference)].key.len();
                if key.len() == wanted {
                    Ok(())
                } else {
                    Err(wrong(
                        place,
                        format!("the key has {} parts where {wanted} are wanted", key.len()),
                    ))
                }
            }
            Op::Follow {
                reference, part, ..
            } => {
                index(
                    place,
                    &self.map.references,
                    usize::from(*reference),
                    "reference",
                )?;
                index(
                    place,
                    &self.map.references[usize::from(*reference)].key,
                    usize::from(*part),
                    "key part",
                )
            }
            Op::Compare { left, right, .. } => {
                let right = self.ty(*right)?.clone();
                self.want(*left, &right, "the left operand")?;
                result(&Type::Bool)
            }
            Op::Text { src, what, .. } => {
                self.want(*src, &Type::Text(None), "the text")?;
                self.want(*what, &Type::Text(None), "what is looked for")?;
                result(&Type::Bool)
            }
            Op::IsNull { .. } => result(&Type::Bool),
            Op::All { of, .. } | Op::Any { of, .. } => {
                of.iter()
                    .try_for_each(|s| self.want(*s, &Type::Bool, "an operand"))?;
                result(&Type::Bool)
            }
            Op::Not { src, .. } => {
                self.want(*src, &Type::Bool, "the operand")?;
                result(&Type::Bool)
            }
        }
    }

    fn outputs(&self) -> Check {
        let (outputs, lines) = (&self.program.outputs, self.map.lines.len());
        if let Some(filter) = outputs.filter {
            self.want(filter, &Type::Bool, "the filter")?;
        }
        if outputs.own.len() != lines || outputs.out.len() != lines {
            return Err(wrong(
                &self.place,
                format!(
                    "there are {lines} lines, {} cells and {} values",
                    outputs.own.len(),
                    outputs.out.len()
                ),
            ));
        }
        if outputs.pair_key.len() != self.map.fold_pair_key.len() {
            return Err(wrong(
                &self.place,
                "the pair key has another number of parts than the map",
            ));
        }
        let slots = outputs
            .pair_key
            .iter()
            .chain(&outputs.record_key)
            .chain(&outputs.company)
            .chain(&outputs.modified);
        let slots = slots
            .chain(outputs.own.iter().flatten())
            .chain(outputs.out.iter().flatten());
        slots
            .copied()
            .try_for_each(|slot| self.ty(slot).map(|_| ()))
    }
}

/// Whether every value of `from` has a place in `to` by kind (size is the storage form's matter).
fn widens(from: &Type, to: &Type) -> bool {
    matches!(
        (from, to),
        (Type::Int32 | Type::Int64, Type::Decimal(..) | Type::Float64)
            | (Type::Decimal(..), Type::Float64)
            | (Type::Date, Type::DateTime)
    )
}
