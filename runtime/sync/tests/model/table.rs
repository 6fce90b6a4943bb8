//! A side's table: rows with versions, a change log by position, and a replica that may lag.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use bytes::Bytes;
use dwmap_connect::{Row, Version};
use dwmap_plan::Side;
use serde_json::Value as Json;

use crate::wire::{Fields, row_key};

/// A row, also of a record that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    /// What it holds, if it is there.
    pub(crate) fields: Option<Arc<Fields>>,
    /// The same as JSON.
    json: Bytes,
    /// Its version, and its position in the change log.
    pub(crate) version: u64,
    /// Its natural key, also when it is gone.
    pub(crate) natural: String,
}

impl Hash for Stored {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.fields.is_some(), &self.json, self.version).hash(state);
    }
}

impl Stored {
    /// As a read shows it.
    pub(crate) fn row(&self, tells_version: bool) -> Row {
        Row {
            json: self.json.clone(),
            version: tells_version.then(|| version_of(self.version)),
        }
    }
}

/// Rows by their record keys.
pub(crate) type Rows = BTreeMap<String, Stored>;

/// A side's table.
#[derive(Debug, Clone, Hash)]
pub(crate) struct Table {
    side: Side,
    /// The rows as they are.
    pub(crate) rows: Rows,
    /// The rows as a lagging read shows them.
    pub(crate) replica: Rows,
    /// The position of the newest change.
    pub(crate) newest: u64,
    drawn: u64,
}

/// The columns of a side's natural key.
pub(crate) const NATURAL: [[&str; 2]; 2] = [
    ["dataAreaId", "CustomerAccount"],
    ["company", "accountnumber"],
];
/// All columns of a side, but for the right side's id.
const COLUMNS: [&[&str]; 2] = [
    &["Name", "Alias", "Terms", "City", "Group", "PartyType"],
    &["name", "searchname", "terms", "city", "_group_value"],
];

impl Table {
    pub(crate) fn new(side: Side) -> Self {
        Self {
            side,
            rows: Rows::new(),
            replica: Rows::new(),
            newest: 0,
            drawn: 0,
        }
    }

    /// The row with this natural key, if it is there: its record key, and the row.
    pub(crate) fn find(&self, natural: &str) -> Option<(&String, &Stored)> {
        let mut there = self.rows.iter().filter(|(_, r)| r.fields.is_some());
        there.find(|(_, r)| r.natural == natural)
    }

    /// What the row with this natural key holds, if it is there.
    pub(crate) fn fields(&self, natural: &str) -> Option<&Arc<Fields>> {
        self.find(natural)?.1.fields.as_ref()
    }

    /// A record is born, with a blank in each column that isn't given; gives its key.
    pub(crate) fn create(&mut self, given: Fields) -> String {
        let blank: Json = match self.side {
            Side::Left => "".into(),
            Side::Right => Json::Null,
        };
        let columns = COLUMNS[self.side.index()].iter();
        let mut fields: Fields = columns.map(|c| ((*c).into(), blank.clone())).collect();
        if self.side == Side::Left {
            fields.insert("PartyType".into(), "Organization".into());
        }
        fields.extend(given);
        let natural = row_key(&fields, &NATURAL[self.side.index()]);
        let key = match self.side {
            Side::Left => natural,
            Side::Right => {
                self.drawn += 1;
                let id = format!("00000000-0000-0000-0000-{:012x}", self.drawn);
                fields.insert("accountid".into(), id.clone().into());
                id
            }
        };
        self.store(&key, Some(fields));
        key
    }

    /// Columns of a record change.
    pub(crate) fn update(&mut self, key: &str, changed: Fields) {
        if let Some(stored) = self.rows.get(key)
            && let Some(fields) = &stored.fields
        {
            let mut fields = Fields::clone(fields);
            fields.extend(changed);
            self.store(key, Some(fields));
        }
    }

    /// A record goes.
    pub(crate) fn delete(&mut self, key: &str) {
        self.store(key, None);
    }

    fn store(&mut self, key: &str, fields: Option<Fields>) {
        self.newest += 1;
        let known = self.rows.get(key).map(|r| r.natural.clone());
        let natural = match (&fields, known) {
            (Some(fields), _) => row_key(fields, &NATURAL[self.side.index()]),
            (None, known) => known.unwrap_or_default(),
        };
        let json = fields.as_ref().map(|f| Json::Object(f.clone()).to_string());
        let stored = Stored {
            json: json.unwrap_or_default().into(),
            fields: fields.map(Arc::new),
            version: self.newest,
            natural,
        };
        self.rows.insert(key.to_owned(), stored);
    }
}

/// A version as it stands in an ETag.
pub(crate) fn version_of(version: u64) -> Version {
    Version(format!("W/\"{version}\""))
}
