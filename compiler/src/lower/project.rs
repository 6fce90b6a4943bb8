//! Projection of schemas: only what some map touches, and what that needs to make sense.

use std::collections::{BTreeMap, BTreeSet};

use dwmap_plan::{KeyPart, Schema, SystemPlan, Type};

use crate::lower::value::identity_field;
use crate::model::{
    Condition, Leave, Lookup, LookupPart, MapModel, Model, Operand, SchemaModel, Stripe, Term,
};

/// The names of one entity that are touched.
#[derive(Debug, Default)]
struct Touched {
    fields: BTreeSet<usize>,
    navs: BTreeSet<usize>,
}

/// What is touched of one schema, by entity.
struct Projection<'a> {
    schema: &'a SchemaModel,
    entities: BTreeMap<usize, Touched>,
}

/// The systems that the maps touch, in the order of their bindings, and the index of each one's schema.
pub(crate) fn systems(model: &Model) -> (Vec<SystemPlan>, Vec<usize>) {
    let used: BTreeSet<usize> = model
        .maps
        .iter()
        .flat_map(|map| map.sides.iter().map(|side| side.schema))
        .collect();
    let mut used: Vec<usize> = used.into_iter().collect();
    used.sort_by(|a, b| model.schemas[*a].binding.cmp(&model.schemas[*b].binding));
    let plans = used.iter().map(|at| system(model, *at)).collect();
    (plans, used)
}

fn system(model: &Model, at: usize) -> SystemPlan {
    let schema = &model.schemas[at];
    let mut projection = Projection {
        schema,
        entities: BTreeMap::new(),
    };
    for map in &model.maps {
        for side in dwmap_plan::Side::BOTH {
            if map.sides[side.index()].schema == at {
                projection.side(map, side);
            }
        }
    }
    let shape = projection.finish();
    // A schema is plain data, which always encodes; without bytes it would only lose its drift check.
    let bytes = postcard::to_stdvec(&shape).unwrap_or_default();
    SystemPlan {
        fingerprint: *blake3::hash(&bytes).as_bytes(),
        schema: shape,
        binding: schema.binding.clone(),
    }
}

impl Projection<'_> {
    /// An entity with its key, its company, and what the runtime reads of every row.
    fn entity(&mut self, at: usize) {
        if self.entities.contains_key(&at) {
            return;
        }
        self.entities.insert(at, Touched::default());
        let entity = &self.schema.entities[at];
        for part in &entity.data.key {
            self.part(at, part);
        }
        let own = [&entity.data.identity, &entity.data.modified];
        for name in own.into_iter().flatten() {
            if let Some(field) = entity.find_field(name) {
                self.field(at, field);
            }
        }
        match entity.stripe {
            Some(Stripe::Field(field)) => self.field(at, field),
            Some(Stripe::Nav { nav, target, field }) => {
                self.nav(at, nav);
                self.field(target, field);
                self.keys_of(target, field);
            }
            None => {}
        }
    }

    /// The keys of an entity that one field makes by itself.
    fn keys_of(&mut self, at: usize, field: usize) {
        self.entity(at);
        self.field(at, field);
    }

    fn part(&mut self, at: usize, part: &KeyPart) {
        let entity = &self.schema.entities[at];
        match part {
            KeyPart::Field(name) => {
                if let Some(field) = entity.find_field(name) {
                    self.field(at, field);
                }
            }
            KeyPart::Nav(name) => {
                if let Some(nav) = entity.find_nav(name) {
                    self.nav(at, nav);
                }
            }
        }
    }

    fn field(&mut self, at: usize, field: usize) {
        self.entity(at);
        if let Some(touched) = self.entities.get_mut(&at) {
            touched.fields.insert(field);
        }
    }

    fn nav(&mut self, at: usize, nav: usize) {
        self.entity(at);
        if let Some(touched) = self.entities.get_mut(&at) {
            touched.navs.insert(nav);
        }
        for target in &self.schema.entities[at].nav(nav).targets {
            if let Some(target) = self.schema.find_entity(target) {
                self.entity(target);
            }
        }
    }

    fn side(&mut self, map: &MapModel, side: dwmap_plan::Side) {
        let at = map.sides[side.index()].entity;
        self.entity(at);
        for line in &map.lines {
            self.operand(at, line.operand(side));
        }
        for (condition, _) in &map.filters[side.index()] {
            self.condition(at, condition);
        }
        let policies = &map.policies;
        for leaves in [&policies.delete, &policies.leave] {
            if let Leave::Deactivate(fields) = &leaves[side.other().index()] {
                for it in fields {
                    self.field(at, it.field);
                }
            }
        }
        if let Some(key) = &map.keys[side.index()] {
            let parts = self.schema.entities[at]
                .keys()
                .find(|(name, ..)| *name == key.name);
            let parts: Vec<KeyPart> = parts.map_or(Vec::new(), |(_, parts, _)| parts.to_vec());
            for part in &parts {
                self.part(at, part);
            }
        }
    }

    fn operand(&mut self, at: usize, operand: &Operand) {
        match operand {
            Operand::Field(field) => self.field(at, *field),
            Operand::Lookup(lookup) => self.lookup(at, lookup),
            Operand::Concat(args) => {
                for arg in args {
                    self.operand(at, arg);
                }
            }
            Operand::Constant { .. } => {}
        }
    }

    fn lookup(&mut self, at: usize, lookup: &Lookup) {
        self.nav(at, lookup.nav);
        self.field(lookup.target, lookup.field);
        let target = &self.schema.entities[lookup.target];
        let identity = identity_field(target).name.clone();
        self.part(lookup.target, &KeyPart::Field(identity));
        for part in &lookup.parts {
            match part {
                LookupPart::Named => {}
                LookupPart::CompanyField(field) => self.field(lookup.target, *field),
                LookupPart::CompanyNav(nav) => self.nav(lookup.target, *nav),
            }
        }
    }

    fn condition(&mut self, at: usize, condition: &Condition) {
        match condition {
            Condition::All(of) | Condition::Any(of) => {
                for condition in of {
                    self.condition(at, condition);
                }
            }
            Condition::Not(of) => self.condition(at, of),
            Condition::Compare(term, ..)
            | Condition::In(term, _)
            | Condition::IsNull(term)
            | Condition::Text(term, ..) => self.term(at, term),
            Condition::Fields(a, _, b) => {
                self.term(at, a);
                self.term(at, b);
            }
        }
    }

    fn term(&mut self, at: usize, term: &Term) {
        match term {
            Term::Field(field) => self.field(at, *field),
            Term::Lookup(lookup) => self.lookup(at, lookup),
        }
    }

    /// The schema with nothing in it but what is touched. Alternate keys stay where all their parts do.
    fn finish(self) -> Schema {
        let mut enums: BTreeSet<&str> = BTreeSet::new();
        let mut entities = Vec::new();
        for (at, touched) in &self.entities {
            let model = &self.schema.entities[*at];
            let mut entity = model.data.clone();
            entity.fields = touched
                .fields
                .iter()
                .map(|f| model.field(*f).clone())
                .collect();
            entity.navs = touched.navs.iter().map(|n| model.nav(*n).clone()).collect();
            let kept = |part: &KeyPart| match part {
                KeyPart::Field(name) => model
                    .find_field(name)
                    .is_some_and(|f| touched.fields.contains(&f)),
                KeyPart::Nav(name) => model
                    .find_nav(name)
                    .is_some_and(|n| touched.navs.contains(&n)),
            };
            entity
                .alternate_keys
                .retain(|key| key.parts.iter().all(kept));
            for field in &touched.fields {
                if let Type::Enum(name) = &model.field(*field).ty {
                    enums.insert(name);
                }
            }
            entities.push(entity);
        }
        let shape = &self.schema.shape;
        let enums = shape
            .enums
            .iter()
            .filter(|e| enums.contains(e.name.as_str()));
        Schema {
            name: shape.name.clone(),
            dialect: shape.dialect,
            case_insensitive: shape.case_insensitive,
            enums: enums.cloned().collect(),
            entities,
        }
    }
}
