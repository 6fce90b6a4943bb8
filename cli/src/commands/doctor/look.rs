//! What each system answers: whether it is there, what may be read, how changes are found, and what lives in it.

use std::collections::BTreeMap;

use dwmap_connect::{Abilities, ChangeFeed, ConnectError, Connector, Keys, LiveEntity};
use dwmap_plan::{EnumDef, Plan, Query, Repr, Value};
use dwmap_sync::drift::{self, LiveSystem};
use serde::Serialize;

/// A system, as it answered.
#[derive(Serialize)]
pub(super) struct System {
    /// Its name in the manifest.
    pub(super) name: String,
    /// It answered.
    pub(super) answers: bool,
    /// The entities that the maps touch.
    pub(super) entities: Vec<Entity>,
    /// What lives there.
    #[serde(skip)]
    pub(super) live: LiveSystem,
}

/// An entity, as its system tells it.
#[derive(Serialize)]
pub(super) struct Entity {
    /// Its set.
    pub(super) set: String,
    /// It is there; none where the system doesn't tell.
    pub(super) there: Option<bool>,
    /// Its changes are told by a feed.
    pub(super) tracks_changes: bool,
    /// Writes to it can be guarded by a version.
    pub(super) guards_versions: bool,
}

/// Something that a person should know.
#[derive(Serialize)]
pub(super) struct Remark {
    /// It keeps records from being synced; else it is only good to know.
    pub(super) hurts: bool,
    /// The system.
    pub(super) system: String,
    /// The set, where it is about one.
    pub(super) set: Option<String>,
    /// What it is.
    pub(super) message: String,
    /// What to do.
    pub(super) next: String,
}

/// Looks at a system.
pub(super) async fn look(
    plan: &Plan,
    index: usize,
    connector: &dyn Connector,
) -> (System, Vec<Remark>) {
    let mut remarks = Remarks {
        system: connector.name(),
        list: Vec::new(),
    };
    let queries = drift::queries(plan, index);
    let mut system = System {
        name: connector.name().to_owned(),
        answers: true,
        entities: Vec::new(),
        live: LiveSystem::new(),
    };
    match connector.describe(&queries).await {
        Ok(Some(told)) => {
            let sets = queries.iter().map(|query| query.address.set.clone());
            system.live = sets.zip(told).collect();
        }
        Ok(None) => remarks.note(
            None,
            "it can't tell what lives in it, so that drift shows only when something is refused",
            "",
        ),
        Err(error @ ConnectError::Unauthorised { .. }) => remarks.hurt(
            None,
            &format!("it doesn't let us read what lives in it: {error}"),
            "Give the account the right to read table definitions.",
        ),
        Err(error) => {
            system.answers = !error.is_transient();
            remarks.hurt(None, &error.to_string(), "");
            return (system, remarks.list);
        }
    }
    for query in own(plan, index).into_values() {
        let live = system.live.get(&query.address.set);
        let there = live.map(Option::is_some);
        if there != Some(false) {
            may_read(connector, query, &mut remarks).await;
        }
        let abilities = connector.abilities(query);
        let living = live.and_then(Option::as_ref);
        let entity = entity(query, there, abilities, living);
        judge(&entity, abilities, &mut remarks);
        system.entities.push(entity);
    }
    (system, remarks.list)
}

/// The entities that maps keep in step, by set; those that are only looked up aren't among them.
fn own(plan: &Plan, index: usize) -> BTreeMap<&str, &Query> {
    let sides = plan.maps.iter().flat_map(|map| &map.sides);
    let of_system = sides.filter(|side| usize::from(side.system) == index);
    of_system
        .map(|side| (side.scan.address.set.as_str(), &side.scan))
        .collect()
}

/// Asks for a record that isn't there: whoever may read is told so.
async fn may_read(connector: &dyn Connector, query: &Query, remarks: &mut Remarks<'_>) {
    let key = &query.address.key;
    let Some(values) = key
        .iter()
        .map(|(_, repr)| nobody(repr, &query.enums))
        .collect()
    else {
        return;
    };
    let question = Query {
        columns: key.iter().map(|(wire, _)| wire.clone()).collect(),
        filter: None,
        ..query.clone()
    };
    let set = &query.address.set;
    if let Err(error) = connector
        .fetch(&question, &Keys::Record(vec![values]))
        .await
    {
        remarks.hurt(
            Some(set),
            &format!("{set} can't be read: {error}"),
            &format!("Give the account's role the right to read {set}, of all owners."),
        );
    }
}

/// A key value that no record has; none where there is no such.
fn nobody(repr: &Repr, enums: &[EnumDef]) -> Option<Value> {
    Some(match repr {
        Repr::Text => Value::from("~"),
        Repr::Guid => Value::Guid([0; 16]),
        Repr::Int32 | Repr::Int64 => Value::Int(-1),
        Repr::EnumName(at) | Repr::EnumInt(at) => {
            Value::Int(enums.get(usize::from(*at))?.members.first()?.value)
        }
        Repr::Date | Repr::DateNoon => Value::Date(0),
        Repr::DateTime | Repr::LocalTime => Value::DateTime(0),
        Repr::Bool => Value::Bool(false),
        Repr::Decimal(..) | Repr::Float64 | Repr::Binary => return None,
    })
}

fn entity(
    query: &Query,
    there: Option<bool>,
    abilities: Abilities,
    live: Option<&LiveEntity>,
) -> Entity {
    let told = |value: fn(&LiveEntity) -> Option<bool>| live.and_then(value) != Some(false);
    Entity {
        set: query.address.set.clone(),
        there,
        tracks_changes: abilities.changes == ChangeFeed::Tracked && told(|l| l.tracks_changes),
        guards_versions: abilities.guards_versions && told(|l| l.guards_versions),
    }
}

/// What follows from how changes are found and writes guarded.
fn judge(entity: &Entity, abilities: Abilities, remarks: &mut Remarks<'_>) {
    let set = &entity.set;
    if entity.there == Some(false) {
        return;
    }
    match abilities.changes {
        ChangeFeed::Tracked if !entity.tracks_changes => remarks.hurt(
            Some(set),
            &format!("changes of {set} aren't tracked, so that its feed can't be read"),
            &format!(
                "Switch on change tracking for {set} (of the ERP: make the entity's virtual table visible, and let it track changes)."
            ),
        ),
        ChangeFeed::Tracked => {}
        ChangeFeed::Sweep => remarks.note(
            Some(set),
            &format!("changes of {set} are found by sweeps, which read all of it each time"),
            "For an ERP with a Dataverse beside it, `changes = { via = \"NAME\" }` reads a feed instead.",
        ),
    }
    if !entity.guards_versions {
        remarks.note(
            Some(set),
            &format!(
                "writes to {set} can't be guarded by a version: an edit made between our look and our write is overwritten, and logged"
            ),
            "",
        );
    }
}

struct Remarks<'a> {
    system: &'a str,
    list: Vec<Remark>,
}

impl Remarks<'_> {
    fn hurt(&mut self, set: Option<&String>, message: &str, next: &str) {
        self.add(true, set, message, next);
    }

    fn note(&mut self, set: Option<&String>, message: &str, next: &str) {
        self.add(false, set, message, next);
    }

    fn add(&mut self, hurts: bool, set: Option<&String>, message: &str, next: &str) {
        self.list.push(Remark {
            hurts,
            system: self.system.to_owned(),
            set: set.cloned(),
            message: message.to_owned(),
            next: next.to_owned(),
        });
    }
}
