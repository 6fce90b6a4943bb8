//! One map: its sides' programs, queries and write strategies, its lines and policies.

use dwmap_plan::{
    Access, Columns, Company, DeletePolicy, Dialect, FieldConstant, GeneratedKey, KeyPart, LineId,
    MapPlan, Meeting, Outputs, Policies, Query, Side, SidePlan, SlotId, Type, WriteColumn,
    WritePlan, WriteRepr,
};

use crate::lower::filter::push_down;
use crate::lower::repr::{self, EnumList};
use crate::lower::value::{MapLowering, address, identity_field};
use crate::model::{Leave, Line, MapModel, Model, Operand, Stripe};
use crate::resolve::maps::company_lookup;
use crate::sources::Sources;

/// Lowers a map. Its rank and its references' `brought_by` are filled in when all maps are known.
pub(crate) fn lower(
    model: &Model,
    sources: &Sources,
    map: &MapModel,
    systems: &[usize],
) -> MapPlan {
    let mut lowering = MapLowering::new(model, map);
    let outputs = Side::BOTH.map(|side| lowering.outputs(side));
    let companies = Side::BOTH.map(|side| lowering.company(side));
    let identities = Side::BOTH.map(|side| lowering.identity(side));
    let delete = Side::BOTH.map(|side| lowering.leave(side, &map.policies.delete[side.index()]));
    let leave = Side::BOTH.map(|side| lowering.leave(side, &map.policies.leave[side.index()]));
    let lines: Vec<dwmap_plan::Line> = map
        .lines
        .iter()
        .map(|line| lowering.line(sources, line))
        .collect();
    let fold_pair_key = lowering.fold_pair_key();
    let meeting = lowering.meeting();
    let mut outputs = outputs.into_iter();
    let mut companies = companies.into_iter();
    let sides = Side::BOTH.map(|side| {
        lowering.side(
            side,
            systems,
            outputs.next().unwrap_or_default(),
            companies.next().flatten(),
            identities[side.index()],
        )
    });
    MapPlan {
        name: map.name.clone(),
        doc: map.doc.clone(),
        sides,
        lines,
        references: lowering.references,
        fold_pair_key,
        meeting,
        policies: Policies {
            conflict: map.policies.conflict,
            initial: map.policies.initial,
            delete,
            leave,
            creates: map.creates,
        },
        rank: 0,
        place: sources.source_place(map.place),
    }
}

impl MapLowering<'_> {
    fn outputs(&mut self, side: Side) -> Outputs {
        let map = self.map;
        let own: Vec<Option<SlotId>> = map.lines.iter().map(|l| self.own(side, l)).collect();
        let out: Vec<Option<SlotId>> = map.lines.iter().map(|l| self.out(side, l)).collect();
        let filter = self.filter(side);
        let keys = map.lines.iter().enumerate().filter(|(_, line)| line.key);
        let pair_key = keys
            .filter_map(|(at, _)| match side {
                Side::Left => own[at],
                // A constant at the left is in its target's form, which is what the right holds.
                Side::Right => out[at].or(own[at]),
            })
            .collect();
        let company = self.entity(side).stripe.map(|_| self.company_code(side));
        Outputs {
            filter,
            pair_key,
            record_key: self.record_key(side),
            company,
            modified: self.modified(side),
            own,
            out,
        }
    }

    fn record_key(&mut self, side: Side) -> Vec<SlotId> {
        let (schema, entity) = (self.schema(side), self.entity(side));
        let fields = entity.data.key.iter().map(KeyPart::name);
        fields
            .filter_map(|name| entity.find_field(name))
            .map(|at| self.program(side).read(schema, entity.field(at)))
            .collect()
    }

    fn modified(&mut self, side: Side) -> Option<SlotId> {
        let (schema, entity) = (self.schema(side), self.entity(side));
        let at = entity.find_field(entity.data.modified.as_deref()?)?;
        Some(self.program(side).read(schema, entity.field(at)))
    }

    fn identity(&mut self, side: Side) -> Option<SlotId> {
        let (schema, entity) = (self.schema(side), self.entity(side));
        let at = entity.find_field(entity.data.identity.as_deref()?)?;
        Some(self.program(side).column(schema, entity.field(at)))
    }

    fn company(&mut self, side: Side) -> Option<Company> {
        let (schema, entity) = (self.schema(side), self.entity(side));
        match entity.stripe? {
            Stripe::Field(at) => Some(Company::Column {
                wire: entity.field(at).wire_name().to_owned(),
            }),
            Stripe::Nav { nav, target, field } => {
                let lookup = company_lookup(schema, nav, target, field)?;
                Some(Company::Reference {
                    wire: entity.nav(nav).via.first()?.clone(),
                    reference: self.reference(side, &lookup),
                })
            }
        }
    }

    /// What is set on the other side when something happened on this one.
    fn leave(&mut self, side: Side, leave: &Leave) -> DeletePolicy {
        let other = side.other();
        let (schema, entity) = (self.schema(other), self.entity(other));
        match leave {
            Leave::Ignore => DeletePolicy::Ignore,
            Leave::Delete => DeletePolicy::Delete,
            Leave::Deactivate(fields) => {
                let enums = &mut self.programs[other.index()].enums;
                let set = fields.iter().map(|it| {
                    let field = entity.field(it.field);
                    FieldConstant {
                        wire: field.wire_name().to_owned(),
                        repr: repr::of_field(schema, field, enums),
                        value: it.value.clone(),
                    }
                });
                DeletePolicy::Deactivate(set.collect())
            }
        }
    }

    fn line(&mut self, sources: &Sources, line: &Line) -> dwmap_plan::Line {
        let references = Side::BOTH.map(|side| match line.operand(side) {
            Operand::Lookup(lookup) => Some(self.reference(side, lookup)),
            _ => None,
        });
        let sensitive = Side::BOTH.into_iter().any(|side| match line.operand(side) {
            Operand::Field(at) => self.entity(side).field(*at).sensitive,
            _ => false,
        });
        let [left, right] = line.paths.clone();
        dwmap_plan::Line {
            id: LineId::of(&self.map.name, &left, &right),
            text: line.text.clone(),
            place: sources.source_place(line.place),
            left,
            right,
            to_right: line.to_right,
            to_left: line.to_left,
            key: line.key,
            on_create: line.on_create,
            normalise: line.normalise,
            agreement: line.agreement,
            references,
            missing: line.missing,
            conflict: line.conflict,
            sensitive,
        }
    }

    /// Texts of the pair key compare without case where either system does.
    fn fold_pair_key(&self) -> Vec<bool> {
        let folds = Side::BOTH
            .into_iter()
            .any(|side| self.schema(side).shape.case_insensitive);
        let text = |line: &Line| match line.operand(Side::Left) {
            Operand::Field(at) => {
                matches!(self.entity(Side::Left).field(*at).ty, Type::Text(_))
            }
            Operand::Constant { ty, .. } => matches!(ty, Type::Text(_)),
            // The identity of a record.
            Operand::Lookup(_) => false,
            Operand::Concat(_) => true,
        };
        let keys = self.map.lines.iter().filter(|line| line.key);
        keys.map(|line| folds && text(line)).collect()
    }

    fn side(
        &mut self,
        side: Side,
        systems: &[usize],
        outputs: Outputs,
        company: Option<Company>,
        identity: Option<SlotId>,
    ) -> SidePlan {
        let write = self.write(side);
        let (schema, entity) = (self.schema(side), self.entity(side));
        let system = self.map.sides[side.index()].schema;
        let columns = self.program(side).wires();
        let query = |filter: bool, order: bool| {
            let mut enums = self.sought_enums(side);
            let address = address(schema, entity, &mut enums);
            let conditions = self.map.filters[side.index()].iter().map(|(c, _)| c);
            Query {
                filter: filter
                    .then(|| push_down(schema, entity, conditions, &mut enums))
                    .flatten(),
                order: if order {
                    address.key.iter().map(|(wire, _)| wire.clone()).collect()
                } else {
                    Vec::new()
                },
                columns: columns.clone(),
                address,
                enums: enums.list,
            }
        };
        SidePlan {
            system: systems.iter().position(|s| *s == system).unwrap_or(0) as u16,
            entity: entity.data.name.clone(),
            scan: query(true, true),
            changes: query(false, false),
            fetch: query(false, false),
            company,
            identity,
            write,
            program: std::mem::take(&mut self.programs[side.index()]).finish(outputs),
        }
    }

    fn write(&self, side: Side) -> WritePlan {
        let mut enums = self.sought_enums(side);
        let lines = self.map.lines.iter().enumerate();
        let columns: Vec<WriteColumn> = lines
            .filter(|(_, line)| line.flows_from(side.other()))
            .filter_map(|(at, line)| self.write_column(side, at, line, &mut enums))
            .collect();
        let key = self.map.keys[side.index()].as_ref();
        let natural_key = key.map(|key| self.columns(side, &key.lines, &mut enums));
        WritePlan {
            columns,
            natural_key: natural_key.unwrap_or_default(),
            natural_is_record_key: key.is_some_and(|key| key.primary),
            overflow: self.map.policies.overflow,
            wants_row: self.wants_row(side),
            enums: enums.list,
        }
    }

    /// Whether the system changes what it is sent: F&O fills in and rewrites by its business rules, and so do
    /// computed columns.
    fn wants_row(&self, side: Side) -> bool {
        let computed = |line: &Line| match line.operand(side) {
            Operand::Field(at) => self.entity(side).field(*at).computed,
            _ => false,
        };
        self.schema(side).shape.dialect == Dialect::Finops || self.map.lines.iter().any(computed)
    }

    fn write_column(
        &self,
        side: Side,
        at: usize,
        line: &Line,
        enums: &mut EnumList,
    ) -> Option<WriteColumn> {
        let (schema, entity) = (self.schema(side), self.entity(side));
        Some(match line.operand(side) {
            Operand::Field(field) => {
                let field = entity.field(*field);
                if field.access == Access::ReadOnly {
                    // What the side draws itself.
                    return None;
                }
                WriteColumn {
                    line: at as u16,
                    wire: field.wire_name().to_owned(),
                    repr: WriteRepr::Column(repr::of_field(schema, field, enums)),
                    null: field.null.write.clone(),
                    create_only: field.access == Access::CreateOnly,
                }
            }
            Operand::Lookup(lookup) => {
                let nav = entity.nav(lookup.nav);
                let target = &schema.entities[lookup.target];
                let (wire, repr) = match schema.shape.dialect {
                    Dialect::Dataverse | Dialect::OData => (
                        nav.name.clone(),
                        WriteRepr::Bind {
                            set: target.data.set_name().to_owned(),
                        },
                    ),
                    Dialect::Finops | Dialect::Sql => (
                        nav.via.first()?.clone(),
                        WriteRepr::Identity(repr::of_field(schema, identity_field(target), enums)),
                    ),
                };
                WriteColumn {
                    line: at as u16,
                    wire,
                    repr,
                    null: None,
                    create_only: false,
                }
            }
            Operand::Constant { .. } | Operand::Concat(_) => return None,
        })
    }

    /// How records find each other besides by equal keys.
    fn meeting(&self) -> Meeting {
        let meeting = &self.map.meeting;
        let columns = |side: Side, lines: &[usize]| {
            let mut enums = self.sought_enums(side);
            self.columns(side, lines, &mut enums)
        };
        let generated = meeting.generated.as_ref().map(|key| GeneratedKey {
            by: key.by,
            line: key.line as u16,
            probe: columns(key.by, &key.probe),
        });
        let ways = meeting.match_by.iter();
        Meeting {
            generated,
            match_by: ways
                .map(|way| Side::BOTH.map(|side| columns(side, way)))
                .collect(),
            key_from: meeting.key_from,
        }
    }

    /// The enums of all columns by which records of a side are looked for. Every list of enums of the side begins with
    /// them, so that such a column has one form in all of them.
    fn sought_enums(&self, side: Side) -> EnumList {
        let mut enums = EnumList::default();
        let MapModel { keys, meeting, .. } = self.map;
        let key = keys[side.index()].iter().flat_map(|key| &key.lines);
        let probe = meeting.generated.iter().filter(|key| key.by == side);
        let sought = key
            .chain(probe.flat_map(|key| &key.probe))
            .chain(meeting.match_by.iter().flatten());
        self.columns(side, sought, &mut enums);
        enums
    }

    /// The columns of a side that hold these lines.
    fn columns<'l>(
        &self,
        side: Side,
        lines: impl IntoIterator<Item = &'l usize>,
        enums: &mut EnumList,
    ) -> Columns {
        let (schema, entity) = (self.schema(side), self.entity(side));
        let part = |line: &usize| match self.map.lines[*line].operand(side) {
            Operand::Field(at) => {
                let field = entity.field(*at);
                let repr = repr::of_field(schema, field, enums);
                Some((field.wire_name().to_owned(), repr, *line as u16))
            }
            Operand::Lookup(lookup) => {
                let via = entity.nav(lookup.nav).via.first()?.clone();
                let identity = identity_field(&schema.entities[lookup.target]);
                Some((via, repr::of_field(schema, identity, enums), *line as u16))
            }
            Operand::Constant { .. } | Operand::Concat(_) => None,
        };
        Columns {
            parts: lines.into_iter().filter_map(part).collect(),
        }
    }
}
