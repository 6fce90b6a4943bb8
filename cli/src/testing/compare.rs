//! Test records against systems in memory: how one is written there, and how one is compared.

use dwmap_compiler::model::{TestCell, TestRecord, TestTarget};
use dwmap_plan::{
    Company, EnumDef, MapPlan, NullForm, Plan, Reference, Repr, Schema, Side, SidePlan, Value,
    WriteRepr,
};
use serde_json::{Map, Value as Json};

use super::json::{same, to_json};
use super::system::{Identity, MemorySystem};

/// A side of the map that is tested.
pub(crate) struct Bench<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) map: &'a MapPlan,
    pub(crate) side: Side,
    pub(crate) system: &'a MemorySystem,
}

/// A field that isn't as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The path as the test writes it.
    pub(crate) path: String,
    /// What the test says.
    pub(crate) expected: String,
    /// What is there.
    pub(crate) found: String,
}

impl Bench<'_> {
    pub(crate) fn side(&self) -> &SidePlan {
        self.map.side(self.side)
    }

    pub(crate) fn set(&self) -> &str {
        &self.side().fetch.address.set
    }

    fn schema(&self) -> &Schema {
        &self.plan.systems[usize::from(self.side().system)].schema
    }

    fn reference(&self, nav: &str) -> Option<&Reference> {
        let mut references = self.map.references.iter();
        references.find(|r| r.side == self.side && r.nav == nav)
    }

    /// The null convention of a column of this side's entity.
    fn null(&self, wire: &str) -> NullForm {
        let entity = self.schema().entity(&self.side().entity);
        let field = entity.and_then(|e| e.fields.iter().find(|f| f.wire_name() == wire));
        field.map(|f| f.null.clone()).unwrap_or_default()
    }

    /// From now on the records that a test names as missing don't exist.
    pub(crate) fn miss(&self, record: &TestRecord) {
        for target in &record.missing {
            if let TestTarget::Lookup { entity, .. } = target {
                let schema = self.schema();
                let set = schema
                    .entity(entity)
                    .map_or(entity.as_str(), |e| e.set_name());
                self.system.lacks(set);
            }
        }
    }

    /// Writes a test's record into the system, as its users would.
    pub(crate) fn edit(&self, record: &TestRecord) {
        let fields = self.fields(record);
        let natural: Identity = self
            .side()
            .write
            .natural_key
            .parts
            .iter()
            .map(|(wire, _, _)| {
                (
                    wire.clone(),
                    fields.get(wire).cloned().unwrap_or(Json::Null),
                )
            })
            .collect();
        self.system
            .edit(&self.side().fetch.address, &natural, fields);
    }

    /// The columns of a test's record.
    fn fields(&self, record: &TestRecord) -> Map<String, Json> {
        // The company first: other references are found within it.
        let (company, others): (Vec<&TestCell>, Vec<&TestCell>) =
            record.cells.iter().partition(|cell| self.is_company(cell));
        let mut fields = Map::new();
        for cell in company.into_iter().chain(others) {
            let (wire, value) = self.stored(cell, &fields);
            fields.insert(wire, value);
        }
        fields
    }

    fn is_company(&self, cell: &TestCell) -> bool {
        match (&self.side().company, &cell.target) {
            (Some(Company::Reference { wire, .. }), TestTarget::Lookup { via, .. }) => wire == via,
            (Some(Company::Column { wire: column }), TestTarget::Column { wire, .. }) => {
                column == wire
            }
            _ => false,
        }
    }

    /// The column that a cell stands in, and what it holds there.
    fn stored(&self, cell: &TestCell, fields: &Map<String, Json>) -> (String, Json) {
        match &cell.target {
            TestTarget::Column {
                wire,
                repr,
                enum_def,
                ..
            } => {
                let stored = match (&cell.value, self.null(wire)) {
                    (
                        Value::Null,
                        NullForm {
                            write: Some(value), ..
                        },
                    ) => value,
                    _ => cell.value.clone(),
                };
                (wire.clone(), column_json(&stored, repr, enum_def.as_ref()))
            }
            TestTarget::Lookup {
                nav,
                via,
                entity,
                wire,
                ..
            } => {
                if cell.value.is_null() {
                    return (via.clone(), Json::Null);
                }
                let value = to_json(&cell.value, &Repr::Text, &[]);
                let (set, id, columns) = match self.reference(nav) {
                    Some(reference) => {
                        let company = self.company_id(fields);
                        let part = |part: &dwmap_plan::ReferenceKeyPart| {
                            let value = if part.company && part.wire != *wire {
                                company.clone()
                            } else {
                                value.clone()
                            };
                            (part.wire.clone(), value)
                        };
                        (
                            reference.fetch.address.set.clone(),
                            reference.identity.clone(),
                            reference.key.iter().map(part).collect(),
                        )
                    }
                    None => (
                        entity.clone(),
                        "id".to_owned(),
                        vec![(wire.clone(), value.clone())],
                    ),
                };
                (via.clone(), self.system.refer(&set, &id, &columns))
            }
        }
    }

    /// What the record's company column holds.
    fn company_id(&self, fields: &Map<String, Json>) -> Json {
        let Some(Company::Reference { wire, .. } | Company::Column { wire }) = &self.side().company
        else {
            return Json::Null;
        };
        fields.get(wire).cloned().unwrap_or(Json::Null)
    }

    /// The named fields in which a stored record differs from what a test says.
    pub(crate) fn differences(
        &self,
        expected: &TestRecord,
        found: &Map<String, Json>,
    ) -> Vec<Difference> {
        let cells = expected.cells.iter();
        cells
            .filter_map(|cell| self.difference(cell, found))
            .collect()
    }

    fn difference(&self, cell: &TestCell, found: &Map<String, Json>) -> Option<Difference> {
        let (wanted, is) = match &cell.target {
            TestTarget::Column { wire, .. } => {
                let (_, wanted) = self.stored(cell, found);
                (wanted, found.get(wire).cloned().unwrap_or(Json::Null))
            }
            TestTarget::Lookup { nav, via, wire, .. } => {
                let wanted = to_json(&cell.value, &Repr::Text, &[]);
                let id = found.get(via).cloned().unwrap_or(Json::Null);
                let referred = self
                    .reference(nav)
                    .and_then(|r| self.system.follow(&r.fetch.address.set, &r.identity, &id));
                let is = referred.and_then(|fields| fields.get(wire).cloned());
                (wanted, is.unwrap_or(Json::Null))
            }
        };
        let blank = |value: &Json| match &cell.target {
            TestTarget::Column {
                wire,
                repr,
                enum_def,
                ..
            } => {
                let null = self.null(wire);
                let stands = null.read.or(null.write);
                value.is_null()
                    || stands.is_some_and(|v| {
                        same(&column_json(&v, repr, enum_def.as_ref()), value, false)
                    })
            }
            TestTarget::Lookup { .. } => value.is_null(),
        };
        // Keys compare without case; a company's code is one.
        let fold = self.is_company(cell);
        let agree = same(&wanted, &is, fold) || (blank(&wanted) && blank(&is));
        (!agree).then(|| Difference {
            path: cell.path.clone(),
            expected: wanted.to_string(),
            found: is.to_string(),
        })
    }

    /// The fields that the map writes, that a test doesn't name, and that hold something.
    pub(crate) fn unnamed(
        &self,
        expected: &TestRecord,
        found: &Map<String, Json>,
    ) -> Vec<Difference> {
        let named: Vec<&str> = expected
            .cells
            .iter()
            .map(|cell| match &cell.target {
                TestTarget::Column { wire, .. } => wire.as_str(),
                TestTarget::Lookup { nav, .. } => nav.as_str(),
            })
            .collect();
        let write = &self.side().write;
        write
            .columns
            .iter()
            .filter(|column| !named.contains(&column.wire.as_str()))
            .filter_map(|column| {
                let (wire, null) = match &column.repr {
                    WriteRepr::Column(repr) | WriteRepr::Identity(repr) => {
                        let null = column.null.as_ref();
                        let null = null.map(|v| to_json(v, repr, &write.enums));
                        (column.wire.clone(), null.unwrap_or(Json::Null))
                    }
                    WriteRepr::Bind { .. } => (format!("_{}_value", column.wire), Json::Null),
                };
                let is = found
                    .get(&wire)
                    .filter(|is| !is.is_null() && **is != null)?;
                Some(Difference {
                    path: column.wire.clone(),
                    expected: "nothing".to_owned(),
                    found: is.to_string(),
                })
            })
            .collect()
    }
}

/// A value as it stands in a column: a test brings the column's enum with it.
fn column_json(value: &Value, repr: &Repr, enum_def: Option<&EnumDef>) -> Json {
    let repr = match repr {
        Repr::EnumName(_) => &Repr::EnumName(0),
        other => other,
    };
    to_json(value, repr, enum_def.map_or(&[], std::slice::from_ref))
}
