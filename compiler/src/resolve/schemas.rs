//! Schemas: from what is written to the shape that the runtime knows.

use std::collections::{BTreeMap, HashMap, HashSet};

use dwmap_grammar::tree::{self, EntityItem, Ident, Literal, NullWhen, SchemaItem};
use dwmap_plan::{AlternateKey, Dialect, Entity, EnumDef, KeyPart, Member, Nav, Schema};

use crate::diagnostics::{
    BAD_ENTITY, DECLARED_TWICE, Diagnostic, NOT_A_NAVIGATION, UNKNOWN_ENTITY, UNKNOWN_FIELD,
    UNKNOWN_WORD,
};
use crate::model::{EntityModel, SchemaModel, Stripe};
use crate::resolve::Sink;
use crate::resolve::modules::Module;
use crate::resolve::paths::has_identity;
use crate::sources::Place;
use crate::suggest::{listed, nearest};

const DIALECTS: [(&str, Dialect); 4] = [
    ("dataverse", Dialect::Dataverse),
    ("finops", Dialect::Finops),
    ("odata", Dialect::OData),
    ("sql", Dialect::Sql),
];

/// What stands among an entity's poisoned names where its `striped by` makes no sense.
pub(crate) const STRIPE: &str = "striped by";

/// The words by which null conventions name types.
const KINDS: [&str; 12] = [
    "binary",
    "bool",
    "date",
    "datetime",
    "decimal",
    "enum",
    "float64",
    "guid",
    "int32",
    "int64",
    "localtime",
    "string",
];

/// Resolves a schema; what is wrong in it is reported, and left out of what it gives.
pub(crate) fn resolve(
    module: &Module,
    tree: &tree::Schema,
    binding: String,
    sink: &mut Sink,
) -> SchemaModel {
    let mut resolver = Resolver {
        module,
        sink,
        model: SchemaModel {
            shape: Schema {
                name: tree.name.text.clone(),
                dialect: Dialect::OData,
                case_insensitive: false,
                enums: Vec::new(),
                entities: Vec::new(),
            },
            module: module.path.clone(),
            binding,
            place: module.place(tree.name.span),
            case_place: None,
            entities: Vec::new(),
            entity_index: HashMap::new(),
            enum_index: HashMap::new(),
            enum_places: Vec::new(),
        },
        nulls: BTreeMap::new(),
    };
    resolver.head(tree);
    resolver.enums(tree);
    resolver.entities(tree);
    resolver.links(tree);
    let mut model = resolver.model;
    model.shape.entities = model.entities.iter().map(|e| e.data.clone()).collect();
    model
}

/// A schema while it is resolved; its fields are read in [`fields`](super::fields).
pub(super) struct Resolver<'a> {
    pub(super) module: &'a Module,
    pub(super) sink: &'a mut Sink,
    pub(super) model: SchemaModel,
    /// Null conventions by the kind of type.
    pub(super) nulls: BTreeMap<&'static str, (NullWhen, Literal)>,
}

impl Resolver<'_> {
    fn head(&mut self, tree: &tree::Schema) {
        for item in &tree.items {
            match item {
                SchemaItem::Dialect(name) => self.dialect(name),
                SchemaItem::Case(word) => self.case(word),
                SchemaItem::Null(rule) => self.null_rule(rule),
                SchemaItem::ExtendEntity(entity) => {
                    let place = self.module.place(entity.span);
                    self.sink.not_yet(place, "`extend entity`");
                }
                SchemaItem::Enum(_) | SchemaItem::Entity(_) | SchemaItem::Bad(_) => {}
            }
        }
    }

    fn dialect(&mut self, name: &Ident) {
        match DIALECTS.iter().find(|(word, _)| *word == name.text) {
            Some((_, dialect)) => self.model.shape.dialect = *dialect,
            None => self.unknown_word(name, "dialect", &DIALECTS.map(|(word, _)| word)),
        }
    }

    fn case(&mut self, word: &Ident) {
        match word.text.as_str() {
            "insensitive" => {
                self.model.shape.case_insensitive = true;
                self.model.case_place = Some(self.module.place(word.span));
            }
            "sensitive" => {}
            _ => self.unknown_word(word, "case rule", &["insensitive", "sensitive"]),
        }
    }

    fn unknown_word(&mut self, word: &Ident, what: &str, known: &[&str]) {
        let place = self.module.place(word.span);
        let message = format!("there is no {what} {}", word.text);
        self.sink.push(
            Diagnostic::new(UNKNOWN_WORD, place, message)
                .label("not known")
                .help(format!("it is one of {}", listed(known, "and")))
                .meant(nearest(&word.text, known.iter().copied()), place),
        );
    }

    fn null_rule(&mut self, rule: &tree::NullRule) {
        for word in &rule.types {
            let name = if word.text == "text" {
                "string"
            } else {
                &word.text
            };
            match KINDS.iter().find(|kind| **kind == name) {
                Some(kind) => {
                    self.nulls.insert(kind, (rule.when, rule.value.clone()));
                }
                None => self.unknown_word(word, "kind of type", &KINDS),
            }
        }
    }

    fn enums(&mut self, tree: &tree::Schema) {
        for item in &tree.items {
            let SchemaItem::Enum(it) = item else { continue };
            let place = self.module.place(it.name.span);
            if let Some(first) = self.model.enum_index.get(&it.name.text) {
                let first = self.model.enum_places[*first];
                self.twice(&it.name, first);
                continue;
            }
            let mut members: Vec<Member> = Vec::new();
            for member in &it.members {
                if members.iter().any(|m| m.name == member.name.text) {
                    self.twice(&member.name, place);
                    continue;
                }
                members.push(Member {
                    name: member.name.text.clone(),
                    value: member.value.value,
                });
            }
            let index = self.model.shape.enums.len();
            self.model.enum_index.insert(it.name.text.clone(), index);
            self.model.enum_places.push(place);
            self.model.shape.enums.push(EnumDef {
                name: it.name.text.clone(),
                boolean: it.as_bool.is_some(),
                members,
            });
        }
    }

    pub(super) fn twice(&mut self, name: &Ident, first: Place) {
        let message = format!("{} is declared twice", name.text);
        self.sink.push(
            Diagnostic::new(DECLARED_TWICE, self.module.place(name.span), message)
                .label("the second")
                .related(first, "the first")
                .help("drop one of them"),
        );
    }

    fn entities(&mut self, tree: &tree::Schema) {
        for item in &tree.items {
            let SchemaItem::Entity(it) = item else {
                continue;
            };
            if let Some(first) = self.model.entity_index.get(&it.name.text) {
                let first = self.model.entities[*first].place;
                self.twice(&it.name, first);
                continue;
            }
            let entity = self.entity(it);
            let index = self.model.entities.len();
            self.model.entity_index.insert(it.name.text.clone(), index);
            self.model.entities.push(entity);
        }
    }

    /// An entity's own data; what leads to other entities follows in [`Self::links`].
    fn entity(&mut self, it: &tree::Entity) -> EntityModel {
        let mut entity = EntityModel {
            data: Entity {
                name: it.name.text.clone(),
                display: it.display.as_ref().map(|d| d.value.clone()),
                wire: None,
                physical: None,
                fields: Vec::new(),
                key: Vec::new(),
                alternate_keys: Vec::new(),
                navs: Vec::new(),
                striped_by: None,
                identity: None,
                modified: None,
            },
            place: self.module.place(it.name.span),
            field_places: Vec::new(),
            nav_places: Vec::new(),
            key_place: None,
            alternate_places: Vec::new(),
            striped_place: None,
            stripe: None,
            field_index: HashMap::new(),
            nav_index: HashMap::new(),
            poisoned: HashSet::new(),
        };
        let keys: Vec<&str> = it
            .items
            .iter()
            .filter_map(|item| match item {
                EntityItem::Key(key) => Some(&key.fields),
                _ => None,
            })
            .flatten()
            .map(|field| field.text.as_str())
            .collect();
        for item in &it.items {
            match item {
                EntityItem::Field(field) => self.field(&mut entity, field, &keys),
                EntityItem::Nav(nav) => self.nav(&mut entity, nav),
                EntityItem::Wire(text) => entity.data.wire = Some(text.value.clone()),
                EntityItem::Physical(text) => entity.data.physical = Some(text.value.clone()),
                _ => {}
            }
        }
        self.keys(&mut entity, it);
        entity
    }

    fn nav(&mut self, entity: &mut EntityModel, nav: &tree::Nav) {
        let name = &nav.name;
        if let Some(first) = Self::declared(entity, &name.text) {
            self.twice(name, first);
            return;
        }
        if let Some(wire) = &nav.wire {
            let place = self.module.place(wire.span);
            self.sink.not_yet(place, "another name for a navigation");
        }
        entity
            .nav_index
            .insert(name.text.clone(), entity.data.navs.len());
        entity.nav_places.push(self.module.place(name.span));
        entity.data.navs.push(Nav {
            name: name.text.clone(),
            targets: nav.targets.iter().map(|t| t.text.clone()).collect(),
            via: nav.via.iter().map(|v| v.text.clone()).collect(),
        });
    }

    pub(super) fn declared(entity: &EntityModel, name: &str) -> Option<Place> {
        let field = entity.find_field(name).map(|at| entity.field_places[at]);
        field.or_else(|| entity.find_nav(name).map(|at| entity.nav_places[at]))
    }

    fn keys(&mut self, entity: &mut EntityModel, it: &tree::Entity) {
        for item in &it.items {
            match item {
                EntityItem::Key(key) => {
                    entity.data.key = self.key_parts(entity, &key.fields);
                    entity.key_place = Some(self.module.place(key.span));
                }
                EntityItem::AltKey(key) => {
                    let parts = self.key_parts(entity, &key.fields);
                    entity.alternate_places.push(self.module.place(key.span));
                    entity.data.alternate_keys.push(AlternateKey {
                        name: key.name.text.clone(),
                        parts,
                    });
                }
                EntityItem::Identity(name) => {
                    entity.data.identity = self.own_field(entity, name);
                }
                EntityItem::Modified(name) => {
                    entity.data.modified = self.own_field(entity, name);
                }
                _ => {}
            }
        }
        if entity.data.key.is_empty() && entity.key_place.is_none() {
            let message = format!("the entity {} declares no key", entity.data.name);
            self.sink.push(
                Diagnostic::new(BAD_ENTITY, entity.place, message)
                    .label("no `key`")
                    .help("name the fields that tell its records apart: `key a, b`"),
            );
        }
    }

    fn key_parts(&mut self, entity: &EntityModel, names: &[Ident]) -> Vec<KeyPart> {
        names
            .iter()
            .filter_map(|name| {
                if entity.find_nav(&name.text).is_some() {
                    return Some(KeyPart::Nav(name.text.clone()));
                }
                self.own_field(entity, name).map(KeyPart::Field)
            })
            .collect()
    }

    fn own_field(&mut self, entity: &EntityModel, name: &Ident) -> Option<String> {
        if entity.find_field(&name.text).is_some() {
            return Some(name.text.clone());
        }
        if !entity.poisoned.contains(&name.text) {
            let place = self.module.place(name.span);
            self.sink.push(unknown_field(entity, None, name, place));
        }
        None
    }

    /// Navigations' targets and stripes, once all entities are known.
    fn links(&mut self, tree: &tree::Schema) {
        for item in &tree.items {
            let SchemaItem::Entity(it) = item else {
                continue;
            };
            let Some(index) = self.model.find_entity(&it.name.text) else {
                continue;
            };
            for item in &it.items {
                match item {
                    EntityItem::Nav(nav) => self.targets(index, nav),
                    EntityItem::StripedBy(path) => self.stripe(index, path),
                    _ => {}
                }
            }
        }
    }

    fn targets(&mut self, entity: usize, nav: &tree::Nav) {
        for target in &nav.targets {
            if self.model.find_entity(&target.text).is_some() {
                continue;
            }
            let place = self.module.place(target.span);
            let names = self.model.entities.iter().map(|e| e.data.name.as_str());
            let message = format!(
                "{} leads to {}, which the schema {} doesn't have",
                nav.name.text, target.text, self.model.shape.name
            );
            self.sink.push(
                Diagnostic::new(UNKNOWN_ENTITY, place, message)
                    .label("not one of its entities")
                    .meant(nearest(&target.text, names), place),
            );
            if let Some(at) = self.model.entities[entity].find_nav(&nav.name.text) {
                let targets = &mut self.model.entities[entity].data.navs[at].targets;
                targets.retain(|t| *t != target.text);
            }
        }
    }

    fn stripe(&mut self, index: usize, path: &tree::Path) {
        let place = self.module.place(path.span);
        // Taken back where the path leads somewhere.
        self.model.entities[index]
            .poisoned
            .insert(STRIPE.to_owned());
        let entity = &self.model.entities[index];
        let stripe = match path.segments.as_slice() {
            [field] => {
                let Some(at) = entity.find_field(&field.text) else {
                    let diagnostic = unknown_field(entity, None, field, place);
                    return self.sink.push(diagnostic);
                };
                Stripe::Field(at)
            }
            [nav, field] => {
                let Some(at) = entity.find_nav(&nav.text) else {
                    let message = format!("{} has no navigation {}", entity.data.name, nav.text);
                    let navs = entity.data.navs.iter().map(|n| n.name.as_str());
                    let place = self.module.place(nav.span);
                    let diagnostic = Diagnostic::new(NOT_A_NAVIGATION, place, message)
                        .label("not one of its navigations")
                        .meant(nearest(&nav.text, navs), place);
                    return self.sink.push(diagnostic);
                };
                let target = entity.data.navs[at].targets.first();
                let Some(target) = target.and_then(|t| self.model.find_entity(t)) else {
                    return;
                };
                let company = &self.model.entities[target];
                if !has_identity(company) {
                    return self
                        .sink
                        .not_yet(place, "a company whose key has several parts");
                }
                let Some(field_at) = company.find_field(&field.text) else {
                    let place = self.module.place(field.span);
                    let diagnostic = unknown_field(company, None, field, place);
                    return self.sink.push(diagnostic);
                };
                Stripe::Nav {
                    nav: at,
                    target,
                    field: field_at,
                }
            }
            _ => {
                return self
                    .sink
                    .not_yet(place, "a stripe across several navigations");
            }
        };
        let names = path.segments.iter().map(|s| s.text.clone()).collect();
        let entity = &mut self.model.entities[index];
        entity.data.striped_by = Some(names);
        entity.striped_place = Some(place);
        entity.stripe = Some(stripe);
        entity.poisoned.remove(STRIPE);
    }
}

/// A field that the entity doesn't have; `shown` is how the map names the entity.
pub(crate) fn unknown_field(
    entity: &EntityModel,
    shown: Option<&str>,
    name: &Ident,
    place: Place,
) -> Diagnostic {
    let shown = shown.unwrap_or(&entity.data.name);
    Diagnostic::new(
        UNKNOWN_FIELD,
        place,
        format!("{shown} has no field {}", name.text),
    )
    .label("not one of its fields")
    .related(entity.place, "the entity")
    .meant(nearest(&name.text, entity.names()), place)
}
