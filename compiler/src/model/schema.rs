//! Resolved schemas: their shape, and where everything in it is declared.

use std::collections::{HashMap, HashSet};

use dwmap_plan::{Entity, EnumDef, Field, KeyPart, Nav, Schema};

use crate::sources::Place;

/// A schema of the project.
#[derive(Debug, Clone)]
pub struct SchemaModel {
    /// Its shape: what the runtime and the sandbox know of it.
    pub shape: Schema,
    /// The module that declares it.
    pub module: String,
    /// How a manifest names it: its module, or its module and name where that declares several.
    pub binding: String,
    /// Its name's place.
    pub place: Place,
    /// Its `case insensitive`, where it says so.
    pub case_place: Option<Place>,
    /// Its entities, beside [`Schema::entities`].
    pub entities: Vec<EntityModel>,
    pub(crate) entity_index: HashMap<String, usize>,
    pub(crate) enum_index: HashMap<String, usize>,
    pub(crate) enum_places: Vec<Place>,
}

impl SchemaModel {
    /// The entity of this name.
    pub fn find_entity(&self, name: &str) -> Option<usize> {
        self.entity_index.get(name).copied()
    }

    /// The enum of this name, and its place.
    pub fn find_enum(&self, name: &str) -> Option<(&EnumDef, Place)> {
        let at = *self.enum_index.get(name)?;
        Some((&self.shape.enums[at], self.enum_places[at]))
    }
}

/// An entity: its data, and the places of its parts.
#[derive(Debug, Clone)]
pub struct EntityModel {
    /// Its data.
    pub data: Entity,
    /// Its name's place.
    pub place: Place,
    /// Its fields' places.
    pub field_places: Vec<Place>,
    /// Its navigations' places.
    pub nav_places: Vec<Place>,
    /// The place of the primary key.
    pub key_place: Option<Place>,
    /// The alternate keys' places.
    pub alternate_places: Vec<Place>,
    /// The place of `striped by`.
    pub striped_place: Option<Place>,
    /// `(navigation, field of its target)` or `(none, own field)`.
    pub(crate) stripe: Option<Stripe>,
    pub(crate) field_index: HashMap<String, usize>,
    pub(crate) nav_index: HashMap<String, usize>,
    /// Names whose declaration has a mistake of its own: they are not reported again.
    pub(crate) poisoned: HashSet<String>,
}

/// How an entity carries the company, by indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stripe {
    /// In a field of its own.
    Field(usize),
    /// By a navigation, to a record of an entity with this field.
    Nav {
        /// The navigation.
        nav: usize,
        /// The company's entity.
        target: usize,
        /// The field of it that holds the code.
        field: usize,
    },
}

impl EntityModel {
    /// The field of this index.
    pub fn field(&self, at: usize) -> &Field {
        &self.data.fields[at]
    }

    /// The navigation of this index.
    pub fn nav(&self, at: usize) -> &Nav {
        &self.data.navs[at]
    }

    /// The index of the field of this name.
    pub fn find_field(&self, name: &str) -> Option<usize> {
        self.field_index.get(name).copied()
    }

    /// The index of the navigation of this name.
    pub fn find_nav(&self, name: &str) -> Option<usize> {
        self.nav_index.get(name).copied()
    }

    /// Its keys, the primary first, each with its name and place.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (&str, &[KeyPart], Place)> {
        let primary = (
            "key",
            self.data.key.as_slice(),
            self.key_place.unwrap_or(self.place),
        );
        let alternates = self
            .data
            .alternate_keys
            .iter()
            .zip(&self.alternate_places)
            .map(|(key, place)| (key.name.as_str(), key.parts.as_slice(), *place));
        std::iter::once(primary).chain(alternates)
    }

    /// All names that a path may begin with.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let fields = self.data.fields.iter().map(|f| f.name.as_str());
        fields.chain(self.data.navs.iter().map(|n| n.name.as_str()))
    }
}
