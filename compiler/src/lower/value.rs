//! Cells and values of lines: what a side's program computes of a row.

use dwmap_plan::{
    Address, Direction, Field, Fit, FitMode, Function, NullForm, Op, Overflow, Query, Reference,
    ReferenceKeyPart, Side, SlotId, Storage, Type,
};

use crate::lower::program::{Builder, storage};
use crate::lower::repr::{self, EnumList};
use crate::model::{
    EntityModel, Line, Lookup, LookupPart, MapModel, Model, Operand, SchemaModel, Stage, Stripe,
};
use crate::resolve::maps::company_lookup;

/// A map while it is lowered: both programs, and the references that they share.
pub(crate) struct MapLowering<'a> {
    pub(crate) model: &'a Model,
    pub(crate) map: &'a MapModel,
    pub(crate) references: Vec<Reference>,
    pub(crate) programs: [Builder; 2],
}

impl<'a> MapLowering<'a> {
    pub(crate) fn new(model: &'a Model, map: &'a MapModel) -> Self {
        Self {
            model,
            map,
            references: Vec::new(),
            programs: [Builder::default(), Builder::default()],
        }
    }

    pub(crate) fn schema(&self, side: Side) -> &'a SchemaModel {
        &self.model.schemas[self.map.sides[side.index()].schema]
    }

    pub(crate) fn entity(&self, side: Side) -> &'a EntityModel {
        &self.schema(side).entities[self.map.sides[side.index()].entity]
    }

    pub(crate) fn program(&mut self, side: Side) -> &mut Builder {
        &mut self.programs[side.index()]
    }

    /// The index of a look-up among the map's references.
    pub(crate) fn reference(&mut self, side: Side, lookup: &Lookup) -> u16 {
        let schema = self.schema(side);
        let reference = reference(schema, side, self.entity(side), lookup);
        let known = self.references.iter().position(|r| *r == reference);
        let at = known.unwrap_or_else(|| {
            self.references.push(reference);
            self.references.len() - 1
        });
        at as u16
    }

    /// The column that holds the identity of a look-up's record.
    pub(crate) fn via(&mut self, side: Side, lookup: &Lookup) -> SlotId {
        let schema = self.schema(side);
        let nav = self.entity(side).nav(lookup.nav);
        let identity = identity_field(&schema.entities[lookup.target]);
        let wire = nav.via.first().map_or("", String::as_str);
        self.program(side).via(schema, &nav.name, wire, identity)
    }

    /// The named part of a look-up's record, in its storage form.
    pub(crate) fn follow(&mut self, side: Side, lookup: &Lookup) -> SlotId {
        let schema = self.schema(side);
        let reference = self.reference(side, lookup);
        let src = self.via(side, lookup);
        let field = schema.entities[lookup.target].field(lookup.field);
        let named = lookup.parts.iter().position(|p| *p == LookupPart::Named);
        let part = named.unwrap_or(0) as u16;
        let program = self.program(side);
        let text = program.plain(field.ty.clone(), |dst| Op::Follow {
            dst,
            src,
            reference,
            part,
        });
        program.fit(text, schema, field, FitMode::Read, Overflow::Reject)
    }

    /// What an operand holds, as a value to be computed with.
    fn value(&mut self, side: Side, operand: &Operand) -> SlotId {
        match operand {
            Operand::Field(at) => {
                let (schema, field) = (self.schema(side), self.entity(side).field(*at));
                self.program(side).read(schema, field)
            }
            Operand::Lookup(lookup) => self.follow(side, lookup),
            Operand::Constant { value, ty } => {
                self.program(side).constant(value.clone(), ty.clone())
            }
            Operand::Concat(args) => {
                let args: Vec<SlotId> = args.iter().map(|arg| self.value(side, arg)).collect();
                self.program(side).plain(Type::Text(None), |dst| Op::Call {
                    dst,
                    function: Function::Concat,
                    args: args.clone(),
                })
            }
        }
    }

    /// A line's cell on a side: what bases hold.
    pub(crate) fn own(&mut self, side: Side, line: &Line) -> Option<SlotId> {
        // What is written once, and is the same for all, is never looked at again.
        let constant = matches!(line.operand(side.other()), Operand::Constant { .. });
        if constant && line.on_create {
            return None;
        }
        Some(match line.operand(side) {
            Operand::Lookup(lookup) => self.via(side, lookup),
            operand => self.value(side, operand),
        })
    }

    /// What a line sends from a side to the other, in the other's storage form.
    pub(crate) fn out(&mut self, side: Side, line: &Line) -> Option<SlotId> {
        let target = line.operand(side.other());
        let written = matches!(target, Operand::Field(_) | Operand::Lookup(_));
        if !written || !(line.flows_from(side) || line.key) {
            return None;
        }
        let value = self.value(side, line.operand(side));
        let value = self.stages(side, line, value);
        Some(match target {
            Operand::Lookup(lookup) => self.find(side, lookup, value),
            // Until it comes from the other side, there may be none, and that is no mistake.
            Operand::Field(at) if line.key && self.map.meeting.key_from == Some(side.other()) => {
                let other = side.other();
                let (schema, field) = (self.schema(other), self.entity(other).field(*at));
                self.key_part(side, schema, field, value)
            }
            Operand::Field(at) => {
                let other = side.other();
                let (schema, field) = (self.schema(other), self.entity(other).field(*at));
                self.program(side)
                    .fit(value, schema, field, FitMode::Write, line.overflow)
            }
            Operand::Constant { .. } | Operand::Concat(_) => value,
        })
    }

    /// The line's steps, on the way from `side`.
    fn stages(&mut self, side: Side, line: &Line, mut slot: SlotId) -> SlotId {
        let mut types = vec![self.operand_type(line.from(), line.operand(line.from()))];
        for stage in &line.stages {
            types.push(match stage {
                Stage::Step(_, ty) => ty.clone(),
                Stage::Table(table) => table.right.clone(),
                Stage::EnumToBool => Type::Bool,
                Stage::BoolToEnum(name) => Type::Enum(name.clone()),
            });
        }
        let program = self.program(side);
        if line.from() == side {
            for (at, stage) in line.stages.iter().enumerate() {
                slot = forward(program, stage, slot, &types[at + 1]);
            }
        } else {
            for (at, stage) in line.stages.iter().enumerate().rev() {
                slot = backward(program, stage, slot, &types[at]);
            }
        }
        slot
    }

    fn operand_type(&self, side: Side, operand: &Operand) -> Type {
        match operand {
            Operand::Field(at) => self.entity(side).field(*at).ty.clone(),
            Operand::Lookup(lookup) => {
                let target = &self.schema(side).entities[lookup.target];
                target.field(lookup.field).ty.clone()
            }
            Operand::Constant { ty, .. } => ty.clone(),
            Operand::Concat(_) => Type::Text(None),
        }
    }

    /// The identity of the other side's record that a value names, within the company of this side's record.
    fn find(&mut self, side: Side, lookup: &Lookup, value: SlotId) -> SlotId {
        let other = side.other();
        let schema = self.schema(other);
        let target = &schema.entities[lookup.target];
        let reference = self.reference(other, lookup);
        let key: Vec<SlotId> = lookup
            .parts
            .iter()
            .map(|part| match part {
                LookupPart::Named => self.key_part(side, schema, target.field(lookup.field), value),
                LookupPart::CompanyField(at) => {
                    let code = self.company_code(side);
                    self.key_part(side, schema, target.field(*at), code)
                }
                LookupPart::CompanyNav(_) => self.company_record(side),
            })
            .collect();
        let ty = identity_field(target).ty.clone();
        self.program(side).plain(ty, |dst| Op::Find {
            dst,
            reference,
            key: key.clone(),
        })
    }

    /// A value in the form of a target's key part. Null is no reference, and not a mistake.
    fn key_part(
        &mut self,
        side: Side,
        schema: &SchemaModel,
        field: &Field,
        value: SlotId,
    ) -> SlotId {
        let fit = Fit {
            ty: field.ty.clone(),
            storage: Storage {
                null: NullForm {
                    read: field.null.read.clone(),
                    write: None,
                },
                nullable: true,
                required: false,
                one_of: Vec::new(),
                ..storage(schema, field)
            },
            overflow: Overflow::Reject,
            mode: FitMode::Write,
        };
        self.program(side).fit_by(value, fit)
    }

    /// The company's code of this side's record.
    pub(crate) fn company_code(&mut self, side: Side) -> SlotId {
        match self.entity(side).stripe {
            Some(Stripe::Field(at)) => self.value(side, &Operand::Field(at)),
            Some(Stripe::Nav { nav, target, field }) => {
                match company_lookup(self.schema(side), nav, target, field) {
                    Some(lookup) => self.follow(side, &lookup),
                    None => self.no_company(side),
                }
            }
            None => self.no_company(side),
        }
    }

    fn no_company(&mut self, side: Side) -> SlotId {
        self.program(side)
            .constant(dwmap_plan::Value::Null, Type::Text(None))
    }

    /// The other side's record of the company that this side's record belongs to.
    fn company_record(&mut self, side: Side) -> SlotId {
        let schema = self.schema(side.other());
        let lookup = match self.entity(side.other()).stripe {
            Some(Stripe::Nav { nav, target, field }) => company_lookup(schema, nav, target, field),
            _ => None,
        };
        match lookup {
            Some(lookup) => {
                let code = self.company_code(side);
                self.find(side, &lookup, code)
            }
            None => self.no_company(side),
        }
    }
}

fn forward(program: &mut Builder, stage: &Stage, src: SlotId, ty: &Type) -> SlotId {
    match stage {
        Stage::Step(call, ty) => program.step(src, call.clone(), ty.clone(), Direction::Forward),
        Stage::Table(table) => program.table(src, (**table).clone(), Direction::Forward),
        Stage::EnumToBool => program.plain(Type::Bool, |dst| Op::EnumToBool { dst, src }),
        Stage::BoolToEnum(_) => program.plain(ty.clone(), |dst| Op::BoolToEnum { dst, src }),
    }
}

fn backward(program: &mut Builder, stage: &Stage, src: SlotId, ty: &Type) -> SlotId {
    match stage {
        Stage::Step(call, _) => program.step(src, call.clone(), ty.clone(), Direction::Backward),
        Stage::Table(table) => program.table(src, (**table).clone(), Direction::Backward),
        Stage::EnumToBool => program.plain(ty.clone(), |dst| Op::BoolToEnum { dst, src }),
        Stage::BoolToEnum(_) => program.plain(Type::Bool, |dst| Op::EnumToBool { dst, src }),
    }
}

/// The field that holds an entity's identity: its primary key's only part.
pub(crate) fn identity_field(entity: &EntityModel) -> &Field {
    let named = entity.data.key.first().map(dwmap_plan::KeyPart::name);
    let at = named.and_then(|name| entity.find_field(name));
    // Look-ups to entities with another kind of key are refused when they are resolved.
    entity.field(at.unwrap_or(0))
}

/// The address of an entity, with its record key.
pub(crate) fn address(schema: &SchemaModel, entity: &EntityModel, enums: &mut EnumList) -> Address {
    let key = entity.data.key.iter().filter_map(|part| {
        let field = entity.field(entity.find_field(part.name())?);
        Some((
            field.wire_name().to_owned(),
            repr::of_field(schema, field, enums),
        ))
    });
    Address {
        set: entity.data.set_name().to_owned(),
        physical: physical(schema, entity),
        dialect: schema.shape.dialect,
        key: key.collect(),
    }
}

/// The internal name: declared, or, in Dataverse, the primary key without its `id`.
fn physical(schema: &SchemaModel, entity: &EntityModel) -> String {
    if let Some(name) = &entity.data.physical {
        return name.clone();
    }
    let key = entity.data.key.first().map(dwmap_plan::KeyPart::name);
    let logical = key.and_then(|key| key.strip_suffix("id"));
    match (schema.shape.dialect, logical) {
        (dwmap_plan::Dialect::Dataverse, Some(logical)) => logical.to_owned(),
        _ => entity.data.set_name().to_owned(),
    }
}

fn reference(schema: &SchemaModel, side: Side, entity: &EntityModel, lookup: &Lookup) -> Reference {
    let target = &schema.entities[lookup.target];
    let mut enums = EnumList::default();
    let fold = |field: &Field| schema.shape.case_insensitive && matches!(field.ty, Type::Text(_));
    let key: Vec<ReferenceKeyPart> = lookup
        .parts
        .iter()
        .map(|part| {
            let (field, company) = match part {
                LookupPart::Named => (target.field(lookup.field), false),
                LookupPart::CompanyField(at) => (target.field(*at), true),
                LookupPart::CompanyNav(nav) => {
                    let nav = target.nav(*nav);
                    let company = nav.targets.first().and_then(|t| schema.find_entity(t));
                    let identity = company.map_or(target, |at| &schema.entities[at]);
                    return ReferenceKeyPart {
                        wire: nav.via.first().cloned().unwrap_or_default(),
                        repr: repr::of_field(schema, identity_field(identity), &mut enums),
                        company: true,
                        fold: false,
                    };
                }
            };
            ReferenceKeyPart {
                wire: field.wire_name().to_owned(),
                repr: repr::of_field(schema, field, &mut enums),
                company,
                fold: fold(field),
            }
        })
        .collect();
    let identity = identity_field(target).wire_name().to_owned();
    let address = address(schema, target, &mut enums);
    let mut columns = vec![identity.clone()];
    columns.extend(key.iter().map(|part| part.wire.clone()));
    Reference {
        side,
        nav: entity.nav(lookup.nav).name.clone(),
        entity: target.data.name.clone(),
        fetch: Query {
            address,
            columns,
            filter: None,
            order: Vec::new(),
            enums: enums.list,
        },
        identity,
        key,
        brought_by: None,
    }
}
