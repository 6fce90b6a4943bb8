//! Random maps: every kind of op over every type, well typed.

use dwmap_engine::testing::{customer_groups, storage};
use dwmap_plan::{
    Column, CompareOp, Direction, EnumDef, Fit, FitMode, Function, LengthUnit, MapPlan, Member, Op,
    Outputs, Overflow, Program, Repr, SlotId, StepCall, Storage, Table, TableElse, TableRow,
    TextTest, Type, Value, WriteColumn, WriteRepr,
};

use super::choices::Choices;
use super::values::{types, value};

/// How many lines a random map has.
pub const LINES: usize = 5;

pub fn colours() -> EnumDef {
    let member = |name: &str, value| Member {
        name: name.to_owned(),
        value,
    };
    EnumDef {
        name: "Colour".to_owned(),
        boolean: false,
        members: vec![
            member("Red", 0),
            member("Green", 1),
            member("Deep\"Blue", 192_350_000),
        ],
    }
}

/// A map whose left side has a random program, and whose right side is written.
pub fn map(c: &mut Choices) -> MapPlan {
    let mut map = customer_groups();
    let program = program(c);
    let columns = (0..LINES as u16)
        .filter_map(|line| write_column(c, line, &program))
        .collect();
    for line in &mut map.lines {
        line.key = c.one_in(5);
        line.on_create = c.one_in(5);
    }
    map.sides[0].program = program;
    map.sides[0].identity = None;
    map.sides[1].write.columns = columns;
    map.sides[1].write.enums = vec![colours()];
    map
}

fn write_column(c: &mut Choices, line: u16, program: &Program) -> Option<WriteColumn> {
    let slot = program.outputs.out[usize::from(line)]?;
    let ty = &program.slots[usize::from(slot)];
    let bound = matches!(ty, Type::Guid | Type::Text(_) | Type::Int32 | Type::Int64);
    let repr = if bound && c.one_in(3) {
        WriteRepr::Bind {
            set: "accounts".to_owned(),
        }
    } else {
        WriteRepr::Column(c.of(&reprs(ty)).clone())
    };
    let null = match repr {
        WriteRepr::Column(Repr::EnumName(_)) => c.maybe(|_| Value::Int(0)),
        WriteRepr::Column(Repr::Date | Repr::DateNoon) => c.maybe(|_| Value::Date(-25_567)),
        WriteRepr::Column(Repr::DateTime | Repr::LocalTime) => c.maybe(|_| Value::DateTime(0)),
        WriteRepr::Column(_) => c.maybe(|c| value(c, ty)),
        _ => None,
    };
    Some(WriteColumn {
        line,
        wire: (*c.of(&["name", "na\"me", "größe"])).to_owned(),
        repr,
        null,
        create_only: c.one_in(4),
    })
}

/// The forms in which values of a type can stand.
fn reprs(ty: &Type) -> Vec<Repr> {
    match ty {
        Type::Text(_) => vec![Repr::Text],
        Type::Bool => vec![Repr::Bool],
        Type::Int32 => vec![Repr::Int32],
        Type::Int64 => vec![Repr::Int64],
        Type::Enum(_) => vec![Repr::EnumName(0), Repr::EnumInt(0)],
        Type::Decimal(p, s) => vec![Repr::Decimal(*p, *s)],
        Type::Float64 => vec![Repr::Float64],
        Type::Date => vec![Repr::Date, Repr::DateNoon],
        Type::DateTime => vec![Repr::DateTime],
        Type::LocalTime => vec![Repr::LocalTime],
        Type::Guid => vec![Repr::Guid],
        Type::Binary => vec![Repr::Binary],
    }
}

fn storage_of(c: &mut Choices, ty: &Type) -> Storage {
    let mut s = storage(None);
    s.null.read = c.maybe(|c| value(c, ty));
    s.null.write = c.maybe(|c| value(c, ty));
    s.nullable = c.below(2) == 0;
    s.required = c.one_in(4);
    s.trim_end = c.below(2) == 1;
    s.max_len = c.maybe(|c| c.below(6) as u32);
    s.min = c.one_in(4).then(|| value(c, ty));
    s.max = c.one_in(4).then(|| value(c, ty));
    s.unit = *c.of(&[LengthUnit::Utf16, LengthUnit::Scalar]);
    if c.one_in(5) {
        s.one_of = ["a", "A", "Net30"].map(str::to_owned).to_vec();
    }
    s
}

struct Writer<'a> {
    c: &'a mut Choices,
    program: Program,
}

fn program(c: &mut Choices) -> Program {
    let all = types();
    let columns: Vec<Column> = (0..=c.below(7))
        .map(|i| {
            let ty = c.of(&all).clone();
            let name = (*c.of(&["Name", "größe", "a", "dataAreaId"])).to_owned() + &i.to_string();
            Column {
                wire: name.clone(),
                name,
                repr: c.of(&reprs(&ty)).clone(),
                ty,
                storage: storage(None),
                sensitive: false,
            }
        })
        .collect();
    let slots = columns.iter().map(|c| c.ty.clone()).collect();
    let mut w = Writer {
        c,
        program: Program {
            columns,
            slots,
            enums: vec![colours()],
            ..Program::default()
        },
    };
    for _ in 0..w.c.below(24) {
        w.op();
    }
    w.program.outputs = w.outputs();
    w.program
}

fn is_text(ty: &Type) -> bool {
    matches!(ty, Type::Text(_))
}

fn is_int(ty: &Type) -> bool {
    matches!(ty, Type::Int32 | Type::Int64 | Type::Enum(_))
}

impl Writer<'_> {
    fn any(&mut self) -> SlotId {
        self.c.below(self.program.slots.len()) as SlotId
    }

    fn ty(&self, slot: SlotId) -> Type {
        self.program.slots[usize::from(slot)].clone()
    }

    /// A slot of such a type, if there is one.
    fn slot(&mut self, is: impl Fn(&Type) -> bool) -> Option<SlotId> {
        let suitable: Vec<SlotId> = (0..)
            .zip(&self.program.slots)
            .filter(|(_, ty)| is(ty))
            .map(|(slot, _)| slot)
            .collect();
        (!suitable.is_empty()).then(|| *self.c.of(&suitable))
    }

    fn slots(&mut self, is: impl Fn(&Type) -> bool) -> Option<Vec<SlotId>> {
        (0..self.c.below(4)).map(|_| self.slot(&is)).collect()
    }

    fn push(&mut self, ty: Type, op: impl FnOnce(SlotId) -> Op) {
        self.program.slots.push(ty);
        let dst = (self.program.slots.len() - 1) as SlotId;
        self.program.ops.push(op(dst));
    }

    /// An op, if there is something for it to work on.
    fn op(&mut self) -> Option<()> {
        let text = Type::Text(None);
        match self.c.below(15) {
            0 => {
                let ty = self.c.of(&types()).clone();
                let constant = self.program.constants.len() as u16;
                let constant_value = if self.c.one_in(6) {
                    Value::Null
                } else {
                    value(self.c, &ty)
                };
                self.program.constants.push(constant_value);
                self.push(ty, |dst| Op::Const { dst, constant });
            }
            1..=3 => self.fit(),
            4 => return self.step(),
            5 | 6 => self.table(),
            7 => {
                let src = self.slot(is_int)?;
                self.push(Type::Bool, |dst| Op::EnumToBool { dst, src });
            }
            8 => {
                let src = self.slot(|t| *t == Type::Bool)?;
                let ty = self
                    .c
                    .of(&[Type::Enum("Colour".to_owned()), Type::Int32])
                    .clone();
                self.push(ty, |dst| Op::BoolToEnum { dst, src });
            }
            9 => {
                let args = self.slots(is_text)?;
                let function = Function::Concat;
                self.push(text, |dst| Op::Call {
                    dst,
                    function,
                    args,
                });
            }
            10 => {
                let of = self.slot(is_text)?;
                let (reference, key) = if self.c.one_in(2) {
                    (0, vec![of])
                } else {
                    (1, vec![self.slot(|t| *t == Type::Guid)?, of])
                };
                self.push(Type::Guid, |dst| Op::Find {
                    dst,
                    reference,
                    key,
                });
            }
            11 => {
                let src = self.slot(|t| *t == Type::Guid)?;
                let (reference, part, ty) = self
                    .c
                    .of(&[(0, 0, text.clone()), (1, 1, text), (1, 0, Type::Guid)])
                    .clone();
                self.push(ty, |dst| Op::Follow {
                    dst,
                    src,
                    reference,
                    part,
                });
            }
            12 => {
                let left = self.any();
                let ty = self.ty(left);
                let right = self.slot(|t| t.fits_with(&ty))?;
                let op = *self.c.of(&[
                    CompareOp::Eq,
                    CompareOp::Ne,
                    CompareOp::Lt,
                    CompareOp::Le,
                    CompareOp::Gt,
                    CompareOp::Ge,
                ]);
                let fold = self.c.one_in(2);
                self.push(Type::Bool, |dst| Op::Compare {
                    dst,
                    op,
                    left,
                    right,
                    fold,
                });
            }
            13 => {
                let (src, what) = (self.slot(is_text)?, self.slot(is_text)?);
                let test =
                    *self
                        .c
                        .of(&[TextTest::StartsWith, TextTest::EndsWith, TextTest::Contains]);
                let fold = self.c.one_in(2);
                self.push(Type::Bool, |dst| Op::Text {
                    dst,
                    test,
                    src,
                    what,
                    fold,
                });
            }
            _ => self.logic()?,
        }
        Some(())
    }

    fn logic(&mut self) -> Option<()> {
        let is_bool = |t: &Type| *t == Type::Bool;
        match self.c.below(4) {
            0 => {
                let src = self.any();
                self.push(Type::Bool, |dst| Op::IsNull { dst, src });
            }
            1 => {
                let src = self.slot(is_bool)?;
                self.push(Type::Bool, |dst| Op::Not { dst, src });
            }
            n => {
                let of = self.slots(is_bool)?;
                self.push(Type::Bool, |dst| {
                    if n == 2 {
                        Op::All { dst, of }
                    } else {
                        Op::Any { dst, of }
                    }
                });
            }
        }
        Some(())
    }

    fn fit(&mut self) {
        let src = self.any();
        let from = self.ty(src);
        let suitable: Vec<Type> = types()
            .into_iter()
            .filter(|to| from.fits_with(to) || from.widens_to(to))
            .collect();
        let ty = self.c.of(&suitable).clone();
        let fit = self.program.fits.len() as u16;
        let form = Fit {
            storage: storage_of(self.c, &ty),
            ty: ty.clone(),
            overflow: *self.c.of(&[Overflow::Reject, Overflow::Truncate]),
            mode: *self.c.of(&[FitMode::Write, FitMode::Read]),
        };
        self.program.fits.push(form);
        self.push(ty, |dst| Op::Fit { dst, src, fit });
    }

    fn step(&mut self) -> Option<()> {
        let info = *self.c.of(dwmap_steps::all());
        let src = self.any();
        let ty = self.ty(src);
        let args = match info.name {
            "default" => vec![value(self.c, &ty)],
            "scale" if self.c.one_in(2) => {
                vec![Value::Int(self.c.below(8) as i64), Value::from("up")]
            }
            "scale" => vec![Value::Int(self.c.below(39) as i64)],
            _ => vec![],
        };
        let checked = info.check(&ty, &args).ok()?;
        let step = self.program.steps.len() as u16;
        self.program.steps.push(StepCall {
            name: info.name.to_owned(),
            args: checked.args,
        });
        let direction = *self.c.of(&[Direction::Forward, Direction::Backward]);
        self.push(checked.output, |dst| Op::Step {
            dst,
            src,
            step,
            direction,
        });
        Some(())
    }

    fn table(&mut self) {
        let src = self.any();
        let from = self.ty(src);
        let to = loop {
            // A table can't hold binary values; every stream of choices comes to a type at its end.
            let to = self.c.of(&types()).clone();
            if to != Type::Binary {
                break to;
            }
        };
        let forward = self.c.below(2) == 0;
        let rows = self.rows(&from, &to);
        let otherwise = self.otherwise(&from, &to);
        let (fold, table) = (self.c.one_in(2), self.program.tables.len() as u16);
        let none = (vec![], TableElse::Reject);
        let (there, back) = if forward {
            ((rows, otherwise), none)
        } else {
            (none, (rows, otherwise))
        };
        let (left, right) = if forward {
            (from, to.clone())
        } else {
            (to.clone(), from)
        };
        self.program.tables.push(Table {
            name: "T".to_owned(),
            left,
            right,
            forward: there.0,
            backward: back.0,
            else_forward: there.1,
            else_backward: back.1,
            fold_left: fold,
            fold_right: fold,
        });
        let direction = if forward {
            Direction::Forward
        } else {
            Direction::Backward
        };
        self.push(to, |dst| Op::Table {
            dst,
            src,
            table,
            direction,
        });
    }

    fn rows(&mut self, from: &Type, to: &Type) -> Vec<TableRow> {
        (0..self.c.below(6))
            .map(|_| TableRow {
                from: if self.c.one_in(8) {
                    Value::Null
                } else {
                    value(self.c, from)
                },
                to: if self.c.one_in(8) {
                    Value::Null
                } else {
                    value(self.c, to)
                },
            })
            .collect()
    }

    fn otherwise(&mut self, from: &Type, to: &Type) -> TableElse {
        match self.c.below(3) {
            0 => TableElse::Reject,
            1 if from.fits_with(to) => TableElse::Keep,
            _ => TableElse::Value(value(self.c, to)),
        }
    }

    fn outputs(&mut self) -> Outputs {
        let filter = self.slot(|t| *t == Type::Bool);
        let cells = |w: &mut Self| {
            (0..LINES)
                .map(|_| (!w.c.one_in(6)).then(|| w.any()))
                .collect()
        };
        Outputs {
            filter: filter.filter(|_| self.c.one_in(3)),
            pair_key: vec![self.any(), self.any()],
            record_key: vec![self.any(), self.any()],
            company: Some(self.any()),
            modified: None,
            own: cells(self),
            out: cells(self),
        }
    }
}

/// Relations of types, as the verifier has them.
trait Relations {
    fn fits_with(&self, other: &Self) -> bool;
    fn widens_to(&self, other: &Self) -> bool;
}

impl Relations for Type {
    fn fits_with(&self, other: &Self) -> bool {
        let class = |t: &Self| match t {
            Self::Text(_) => 0,
            Self::Bool => 1,
            Self::Int32 | Self::Int64 | Self::Enum(_) => 2,
            Self::Decimal(..) => 3,
            Self::Float64 => 4,
            Self::Date => 5,
            Self::DateTime | Self::LocalTime => 6,
            Self::Guid => 7,
            Self::Binary => 8,
        };
        class(self) == class(other)
    }

    fn widens_to(&self, other: &Self) -> bool {
        matches!(
            (self, other),
            (Self::Int32 | Self::Int64, Self::Decimal(..) | Self::Float64)
                | (Self::Decimal(..), Self::Float64)
                | (Self::Date, Self::DateTime)
        )
    }
}
