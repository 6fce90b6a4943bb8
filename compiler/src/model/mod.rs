//! The checked model: what a project says, with every name resolved.

mod filter;
mod map;
mod schema;
mod test;

pub use filter::{Condition, Term};
pub use map::{
    Deactivate, Generated, Key, Leave, Line, Lookup, LookupPart, MapModel, MapSide, MeetingModel,
    Operand, PolicyModel, Stage, TableModel,
};
pub(crate) use schema::Stripe;
pub use schema::{EntityModel, SchemaModel};
pub use test::{TestCell, TestModel, TestOutcome, TestRecord, TestRoundtrip, TestStep, TestTarget};

/// What a project says. Schemas stand in the order in which they were read, maps in that of their names.
#[derive(Debug, Clone, Default)]
pub struct Model {
    /// The schemas.
    pub schemas: Vec<SchemaModel>,
    /// The maps.
    pub maps: Vec<MapModel>,
    /// The tests.
    pub tests: Vec<TestModel>,
}

impl Model {
    /// The schema that a module declares (`std.fno`), or the one of this name (`fno`).
    pub fn schema(&self, name: &str) -> Option<&SchemaModel> {
        self.schemas
            .iter()
            .find(|s| s.module == name)
            .or_else(|| self.schemas.iter().find(|s| s.shape.name == name))
    }

    /// The map of this name.
    pub fn map(&self, name: &str) -> Option<&MapModel> {
        self.maps.iter().find(|m| m.name == name)
    }

    /// A side's entity.
    pub fn entity(&self, side: &MapSide) -> &EntityModel {
        &self.schemas[side.schema].entities[side.entity]
    }
}
