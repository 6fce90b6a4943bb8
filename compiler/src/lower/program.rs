//! Programs while they are built: columns are added as they are asked for, and equal ops are made once.

use dwmap_plan::{
    Column, Dialect, Direction, Field, Fit, FitMode, Op, Outputs, Overflow, Program, SlotId,
    StepCall, Storage, Table, Type, Value,
};

use crate::lower::repr::{self, EnumList};
use crate::model::SchemaModel;

/// A slot that isn't a column carries this bit until the number of columns is known.
const COMPUTED: SlotId = 0x8000;

/// A program that is being built.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    columns: Vec<Column>,
    computed: Vec<Type>,
    pub(crate) enums: EnumList,
    constants: Vec<Value>,
    fits: Vec<Fit>,
    steps: Vec<StepCall>,
    tables: Vec<Table>,
    ops: Vec<Op>,
}

/// The index of an item, added where it is new.
fn intern<T: PartialEq>(list: &mut Vec<T>, item: T) -> u16 {
    let known = list.iter().position(|known| *known == item);
    let at = known.unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    });
    at as u16
}

/// How a field stores what it is sent.
pub(crate) fn storage(schema: &SchemaModel, field: &Field) -> Storage {
    let dialect = schema.shape.dialect;
    Storage {
        null: field.null.clone(),
        nullable: field.nullable,
        required: field.requirement == dwmap_plan::Requirement::Required,
        trim_end: dialect == Dialect::Finops,
        max_len: match field.ty {
            Type::Text(limit) => limit,
            _ => None,
        },
        unit: dialect.length_unit(),
        min: field.min.clone(),
        max: field.max.clone(),
        one_of: field.one_of.clone(),
    }
}

impl Builder {
    /// The slot of a field's column, as it stands on the wire.
    pub(crate) fn column(&mut self, schema: &SchemaModel, field: &Field) -> SlotId {
        let wire = field.wire_name();
        if let Some(at) = self.columns.iter().position(|c| c.wire == wire) {
            return at as SlotId;
        }
        let repr = repr::of_field(schema, field, &mut self.enums);
        self.columns.push(Column {
            name: field.name.clone(),
            wire: wire.to_owned(),
            ty: field.ty.clone(),
            repr,
            storage: storage(schema, field),
            sensitive: field.sensitive,
        });
        (self.columns.len() - 1) as SlotId
    }

    /// The slot of the column that holds the identity of a referenced record.
    pub(crate) fn via(
        &mut self,
        schema: &SchemaModel,
        nav: &str,
        wire: &str,
        identity: &Field,
    ) -> SlotId {
        if let Some(at) = self.columns.iter().position(|c| c.wire == wire) {
            return at as SlotId;
        }
        self.columns.push(Column {
            name: nav.to_owned(),
            wire: wire.to_owned(),
            ty: identity.ty.clone(),
            repr: repr::of_field(schema, identity, &mut self.enums),
            storage: via_storage(schema),
            sensitive: false,
        });
        (self.columns.len() - 1) as SlotId
    }

    /// The wire names of the columns.
    pub(crate) fn wires(&self) -> Vec<String> {
        self.columns.iter().map(|c| c.wire.clone()).collect()
    }

    fn op(&mut self, ty: Type, make: impl Fn(SlotId) -> Op) -> SlotId {
        let same = |op: &&Op| make(op.dst()) == **op;
        if let Some(known) = self.ops.iter().find(same) {
            return known.dst();
        }
        let dst = COMPUTED | self.computed.len() as SlotId;
        self.computed.push(ty);
        self.ops.push(make(dst));
        dst
    }

    pub(crate) fn constant(&mut self, value: Value, ty: Type) -> SlotId {
        let constant = intern(&mut self.constants, value);
        // The slot's type is part of what makes two constants one: null stands in any.
        let dst = COMPUTED | self.computed.len() as SlotId;
        let known = self.ops.iter().find_map(|op| match op {
            Op::Const { dst, constant: c } if *c == constant => Some(*dst),
            _ => None,
        });
        if let Some(known) = known.filter(|slot| *self.ty(*slot) == ty) {
            return known;
        }
        self.computed.push(ty);
        self.ops.push(Op::Const { dst, constant });
        dst
    }

    /// The type of a slot.
    pub(crate) fn ty(&self, slot: SlotId) -> &Type {
        if slot & COMPUTED == 0 {
            &self.columns[usize::from(slot)].ty
        } else {
            &self.computed[usize::from(slot & !COMPUTED)]
        }
    }

    /// A field's storage form, applied.
    pub(crate) fn fit(
        &mut self,
        src: SlotId,
        schema: &SchemaModel,
        field: &Field,
        mode: FitMode,
        overflow: Overflow,
    ) -> SlotId {
        let fit = Fit {
            ty: field.ty.clone(),
            storage: storage(schema, field),
            overflow,
            mode,
        };
        self.fit_by(src, fit)
    }

    /// A storage form, applied.
    pub(crate) fn fit_by(&mut self, src: SlotId, fit: Fit) -> SlotId {
        let ty = fit.ty.clone();
        let fit = intern(&mut self.fits, fit);
        self.op(ty, |dst| Op::Fit { dst, src, fit })
    }

    /// A field of the row, in its storage form.
    pub(crate) fn read(&mut self, schema: &SchemaModel, field: &Field) -> SlotId {
        let column = self.column(schema, field);
        self.fit(column, schema, field, FitMode::Read, Overflow::Reject)
    }

    pub(crate) fn step(
        &mut self,
        src: SlotId,
        call: StepCall,
        ty: Type,
        direction: Direction,
    ) -> SlotId {
        let step = intern(&mut self.steps, call);
        self.op(ty, |dst| Op::Step {
            dst,
            src,
            step,
            direction,
        })
    }

    pub(crate) fn table(&mut self, src: SlotId, table: Table, direction: Direction) -> SlotId {
        let ty = match direction {
            Direction::Forward => table.right.clone(),
            Direction::Backward => table.left.clone(),
        };
        let table = intern(&mut self.tables, table);
        self.op(ty, |dst| Op::Table {
            dst,
            src,
            table,
            direction,
        })
    }

    /// An op without a table of its own.
    pub(crate) fn plain(&mut self, ty: Type, make: impl Fn(SlotId) -> Op) -> SlotId {
        self.op(ty, make)
    }

    /// The program, its slots numbered: columns first.
    pub(crate) fn finish(self, outputs: Outputs) -> Program {
        let first = self.columns.len() as SlotId;
        let slot = |s: SlotId| {
            if s & COMPUTED == 0 {
                s
            } else {
                first + (s & !COMPUTED)
            }
        };
        let slots = self.columns.iter().map(|c| c.ty.clone());
        Program {
            slots: slots.chain(self.computed).collect(),
            ops: self.ops.iter().map(|op| renumber(op, slot)).collect(),
            outputs: Outputs {
                filter: outputs.filter.map(slot),
                pair_key: outputs.pair_key.into_iter().map(slot).collect(),
                record_key: outputs.record_key.into_iter().map(slot).collect(),
                company: outputs.company.map(slot),
                modified: outputs.modified.map(slot),
                own: outputs.own.into_iter().map(|s| s.map(slot)).collect(),
                out: outputs.out.into_iter().map(|s| s.map(slot)).collect(),
            },
            columns: self.columns,
            enums: self.enums.list,
            constants: self.constants,
            fits: self.fits,
            steps: self.steps,
            tables: self.tables,
        }
    }
}

/// The storage form of a look-up's column: null is no record.
fn via_storage(schema: &SchemaModel) -> Storage {
    Storage {
        null: dwmap_plan::NullForm::default(),
        nullable: true,
        required: false,
        trim_end: false,
        max_len: None,
        unit: schema.shape.dialect.length_unit(),
        min: None,
        max: None,
        one_of: Vec::new(),
    }
}

fn renumber(op: &Op, slot: impl Fn(SlotId) -> SlotId) -> Op {
    let mut op = op.clone();
    match &mut op {
        Op::Const { dst, .. } => *dst = slot(*dst),
        Op::Fit { dst, src, .. }
        | Op::Step { dst, src, .. }
        | Op::Table { dst, src, .. }
        | Op::EnumToBool { dst, src }
        | Op::BoolToEnum { dst, src }
        | Op::Follow { dst, src, .. }
        | Op::IsNull { dst, src }
        | Op::Not { dst, src } => {
            *dst = slot(*dst);
            *src = slot(*src);
        }
        Op::Compare {
            dst, left, right, ..
        } => {
            *dst = slot(*dst);
            *left = slot(*left);
            *right = slot(*right);
        }
        Op::Text { dst, src, what, .. } => {
            *dst = slot(*dst);
            *src = slot(*src);
            *what = slot(*what);
        }
        Op::Call { dst, args: of, .. }
        | Op::Find { dst, key: of, .. }
        | Op::All { dst, of }
        | Op::Any { dst, of } => {
            *dst = slot(*dst);
            for s in of {
                *s = slot(*s);
            }
        }
    }
    op
}
