//! Which fields a map needs, and which of its lines need them.

use std::collections::{BTreeMap, BTreeSet};

use dwmap_plan::{
    Company, DeletePolicy, MapPlan, Op, Plan, Program, Side, SidePlan, SlotId, WriteRepr,
};

/// What a field is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum How {
    /// To be read.
    Read,
    /// To be written when a record is born.
    Create,
    /// To be written at any time.
    Write,
}

/// A field that is needed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Need {
    /// The system's place in the plan.
    pub(crate) system: usize,
    /// The entity's set.
    pub(crate) set: String,
    /// The field's name on the wire.
    pub(crate) wire: String,
    /// The line; none where the map needs it for every record.
    pub(crate) line: Option<u16>,
    /// What for.
    pub(crate) how: How,
    /// The side that is written to, where it is.
    pub(crate) to: Option<Side>,
}

/// All that a map needs, each once.
pub(crate) fn of_map(plan: &Plan, map: &MapPlan) -> BTreeSet<Need> {
    let made_by = map.sides.each_ref().map(|side| made_by(&side.program));
    let mut needs = Needs {
        plan,
        map,
        made_by,
        found: BTreeSet::new(),
    };
    for side in Side::BOTH {
        needs.read(side);
        needs.written(side);
        needs.of_every_record(side);
    }
    needs.found
}

struct Needs<'a> {
    plan: &'a Plan,
    map: &'a MapPlan,
    /// For each side's program the op that makes a slot.
    made_by: [MadeBy<'a>; 2],
    found: BTreeSet<Need>,
}

impl Needs<'_> {
    fn add(&mut self, side: Side, wire: &str, line: Option<u16>, how: How) {
        let plan = self.map.side(side);
        self.found.insert(Need {
            system: usize::from(plan.system),
            set: plan.scan.address.set.clone(),
            wire: wire.to_owned(),
            line,
            how,
            to: (how != How::Read).then_some(side),
        });
    }

    /// What the lines read.
    fn read(&mut self, side: Side) {
        let outputs = &self.map.side(side).program.outputs;
        for (i, slots) in outputs.own.iter().zip(&outputs.out).enumerate() {
            let slots = [*slots.0, *slots.1].into_iter().flatten();
            self.slots(side, slots, Some(i as u16));
        }
        for (i, line) in self.map.lines.iter().enumerate() {
            if let Some(reference) = line.references[side.index()] {
                self.reference(reference, Some(i as u16));
            }
        }
    }

    /// What these slots are computed from.
    fn slots(&mut self, side: Side, slots: impl IntoIterator<Item = SlotId>, line: Option<u16>) {
        let program = &self.map.side(side).program;
        let (columns, references) = sources(program, &self.made_by[side.index()], slots);
        for column in columns {
            self.add(side, &program.columns[column].wire, line, How::Read);
        }
        for reference in references {
            self.reference(reference, line);
        }
    }

    /// What a look-up reads of the record that it leads to.
    fn reference(&mut self, at: u16, line: Option<u16>) {
        let Some(reference) = self.map.references.get(usize::from(at)) else {
            return;
        };
        let system = usize::from(self.map.side(reference.side).system);
        let parts = reference.key.iter().map(|part| &part.wire);
        for wire in parts.chain([&reference.identity]) {
            self.found.insert(Need {
                system,
                set: reference.fetch.address.set.clone(),
                wire: wire.clone(),
                line,
                how: How::Read,
                to: None,
            });
        }
    }

    /// What the lines write.
    fn written(&mut self, to: Side) {
        let plan = self.map.side(to);
        for column in &plan.write.columns {
            let Some(line) = self.map.lines.get(usize::from(column.line)) else {
                continue;
            };
            if !line.flows_from(to.other()) {
                continue;
            }
            let at_birth = column.create_only || line.key || line.on_create;
            let how = if at_birth { How::Create } else { How::Write };
            let wire = match &column.repr {
                WriteRepr::Bind { .. } => self.read_name(plan, &column.wire),
                WriteRepr::Column(_) | WriteRepr::Identity(_) => column.wire.clone(),
            };
            self.add(to, &wire, Some(column.line), how);
        }
    }

    /// The column by which the look-up that is bound under this name is read.
    fn read_name(&self, side: &SidePlan, nav: &str) -> String {
        let schema = &self.plan.systems[usize::from(side.system)].schema;
        let known = schema.entity(&side.entity).and_then(|e| e.nav(nav));
        let via = known.and_then(|nav| nav.via.first().cloned());
        via.unwrap_or_else(|| nav.to_owned())
    }

    /// What is needed of each record, whatever its lines say.
    fn of_every_record(&mut self, side: Side) {
        let plan = self.map.side(side);
        let outputs = &plan.program.outputs;
        let single = [
            outputs.filter,
            outputs.company,
            outputs.modified,
            plan.identity,
        ];
        let slots = single.into_iter().flatten();
        let keys = outputs.pair_key.iter().chain(&outputs.record_key).copied();
        self.slots(side, slots.chain(keys), None);
        for (wire, _) in &plan.scan.address.key {
            self.add(side, wire, None, How::Read);
        }
        match &plan.company {
            Some(Company::Column { wire }) => self.add(side, wire, None, How::Read),
            Some(Company::Reference { wire, reference }) => {
                self.add(side, wire, None, How::Read);
                self.reference(*reference, None);
            }
            None => {}
        }
        let policies = &self.map.policies;
        let there = side.other().index();
        for policy in [&policies.delete[there], &policies.leave[there]] {
            if let DeletePolicy::Deactivate(constants) = policy {
                for constant in constants {
                    self.add(side, &constant.wire, None, How::Write);
                }
            }
        }
    }
}

/// The op that makes a slot; none makes a column's.
pub(super) type MadeBy<'a> = BTreeMap<SlotId, &'a Op>;

pub(super) fn made_by(program: &Program) -> MadeBy<'_> {
    program.ops.iter().map(|op| (op.dst(), op)).collect()
}

/// The columns and references from which slots are computed.
fn sources(
    program: &Program,
    made_by: &MadeBy<'_>,
    slots: impl IntoIterator<Item = SlotId>,
) -> (BTreeSet<usize>, BTreeSet<u16>) {
    let mut columns = BTreeSet::new();
    let mut references = BTreeSet::new();
    let mut open: Vec<SlotId> = slots.into_iter().collect();
    let mut seen = BTreeSet::new();
    while let Some(slot) = open.pop() {
        if !seen.insert(slot) {
            continue;
        }
        let Some(op) = made_by.get(&slot) else {
            if usize::from(slot) < program.columns.len() {
                columns.insert(usize::from(slot));
            }
            continue;
        };
        if let Op::Find { reference, .. } | Op::Follow { reference, .. } = op {
            references.insert(*reference);
        }
        open.extend(op.sources());
    }
    (columns, references)
}
