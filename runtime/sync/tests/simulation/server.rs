//! A model system as its users and the network see it: tables with versions, business logic and a change log.
//!
//! Everything here happens at one instant of virtual time; latency and faults are the [network](crate::network)'s.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value as Json;

use crate::wire::{Fields, row_key};

/// What a system does to what it is sent, besides storing it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Logic {
    /// A record that is born without terms gets some.
    pub(crate) defaults_terms: bool,
    /// A plug-in ends each name with a mark.
    pub(crate) marks_names: bool,
    /// A plug-in takes that mark away again: with the other it never settles.
    pub(crate) unmarks_names: bool,
    /// Decimals are stored with two places.
    pub(crate) rounds: bool,
    /// Trailing blanks are dropped.
    pub(crate) trims: bool,
}

/// The mark that plug-ins fight about.
const MARK: char = '~';

/// A state of a row: what it held from a time on, or that it was gone.
#[derive(Debug, Clone)]
pub(crate) struct Revision {
    pub(crate) at: Duration,
    pub(crate) version: u64,
    pub(crate) fields: Option<Fields>,
}

/// An entry of the change log.
#[derive(Debug, Clone)]
pub(crate) struct Logged {
    pub(crate) at: Duration,
    pub(crate) id: String,
}

/// How a table names its rows.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    /// The record key's columns.
    pub(crate) key: Vec<&'static str>,
    /// The natural key's columns; the record key's own where they are the same.
    pub(crate) natural: Vec<&'static str>,
    /// The record key is a GUID that the system draws.
    pub(crate) draws_id: bool,
}

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) shape: Shape,
    pub(crate) logic: Logic,
    rows: BTreeMap<String, Vec<Revision>>,
    pub(crate) log: Vec<Logged>,
    versions: u64,
    drawn: u64,
}

/// Why a table refuses a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The guard didn't hold.
    Guard,
    /// The system's own validation: code, message and field.
    Invalid(&'static str, &'static str),
}

impl Table {
    pub(crate) fn new(shape: Shape, logic: Logic) -> Self {
        Self {
            shape,
            logic,
            rows: BTreeMap::new(),
            log: vec![],
            versions: 0,
            drawn: 0,
        }
    }

    /// What a row held at a time: its newest revision that isn't younger.
    pub(crate) fn at(&self, id: &str, time: Duration) -> Option<(&Fields, u64)> {
        let revisions = self.rows.get(id)?;
        let newest = revisions.iter().rev().find(|r| r.at <= time)?;
        newest.fields.as_ref().map(|f| (f, newest.version))
    }

    /// What a row holds now.
    pub(crate) fn now(&self, id: &str) -> Option<&Fields> {
        self.rows.get(id)?.last()?.fields.as_ref()
    }

    /// What a row held last, also if it is gone now.
    pub(crate) fn last(&self, id: &str) -> Option<&Fields> {
        let revisions = self.rows.get(id)?;
        revisions.iter().rev().find_map(|r| r.fields.as_ref())
    }

    /// A row's version now, also that of its absence; 0 if it never was.
    pub(crate) fn version(&self, id: &str) -> u64 {
        self.rows
            .get(id)
            .and_then(|r| r.last())
            .map_or(0, |r| r.version)
    }

    /// The ids of all rows that ever were, in order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &String> {
        self.rows.keys()
    }

    /// The row with this natural key now.
    pub(crate) fn by_natural(&self, natural: &str) -> Option<&str> {
        self.rows
            .iter()
            .filter_map(|(id, r)| Some((id, r.last()?.fields.as_ref()?)))
            .find(|(_, f)| row_key(f, &self.shape.natural) == natural)
            .map(|(id, _)| id.as_str())
    }

    /// The records of a name now.
    pub(crate) fn by_name(&self, name: &str) -> impl Iterator<Item = &Fields> {
        let there = self.rows.values().filter_map(|r| r.last()?.fields.as_ref());
        there.filter(move |f| f.get("name").and_then(Json::as_str) == Some(name))
    }

    /// Whether there is another record of a record's company.
    pub(crate) fn has_neighbour(&self, natural: &str) -> bool {
        let company = natural.split('/').next().unwrap_or_default();
        let there = self.rows.values().filter_map(|r| r.last()?.fields.as_ref());
        let mut keys = there.map(|f| row_key(f, &self.shape.natural));
        keys.any(|k| k != natural && k.split('/').next() == Some(company))
    }

    /// A record is born. Its natural key must be free; `terms` are the default that business logic fills in.
    pub(crate) fn create(
        &mut self,
        now: Duration,
        fields: Fields,
        terms: &str,
    ) -> Result<String, Refused> {
        match self.by_natural(&row_key(&fields, &self.shape.natural)) {
            Some(_) => Err(Refused::Guard),
            None => self.create_anyway(now, fields, terms),
        }
    }

    /// A record is born, or born again: nobody asked whether its natural key is free.
    pub(crate) fn create_anyway(
        &mut self,
        now: Duration,
        mut fields: Fields,
        terms: &str,
    ) -> Result<String, Refused> {
        self.validate(&fields)?;
        if self.shape.draws_id {
            self.drawn += 1;
            let id = format!("00000000-0000-0000-0000-{:012x}", self.drawn);
            fields.insert(self.shape.key[0].to_owned(), id.into());
        }
        if self.logic.defaults_terms && fields.get("terms").is_none_or(Json::is_null) {
            fields.insert("terms".into(), terms.into());
        }
        self.behave(&mut fields);
        let id = row_key(&fields, &self.shape.key);
        self.store(now, &id, Some(fields));
        Ok(id)
    }

    /// Columns of a record change.
    pub(crate) fn update(
        &mut self,
        now: Duration,
        id: &str,
        changed: Fields,
    ) -> Result<(), Refused> {
        let mut fields = self.now(id).ok_or(Refused::Guard)?.clone();
        fields.extend(changed);
        self.validate(&fields)?;
        self.behave(&mut fields);
        self.store(now, id, Some(fields));
        Ok(())
    }

    /// A record goes.
    pub(crate) fn delete(&mut self, now: Duration, id: &str) -> Result<(), Refused> {
        self.now(id).ok_or(Refused::Guard)?;
        self.store(now, id, None);
        Ok(())
    }

    fn store(&mut self, now: Duration, id: &str, fields: Option<Fields>) {
        self.versions += 1;
        self.rows.entry(id.to_owned()).or_default().push(Revision {
            at: now,
            version: self.versions,
            fields,
        });
        self.log.push(Logged {
            at: now,
            id: id.to_owned(),
        });
    }

    fn validate(&self, fields: &Fields) -> Result<(), Refused> {
        let refused = |v: &Json| v.as_str().is_some_and(|s| s.contains("unfit"));
        if self.shape.draws_id && fields.get("name").is_some_and(refused) {
            return Err(Refused::Invalid(
                "0x80040237",
                "A name can't have the word 'unfit' in it.",
            ));
        }
        Ok(())
    }

    fn behave(&self, fields: &mut Fields) {
        for (name, value) in fields.iter_mut() {
            if let Json::String(text) = value {
                if self.logic.trims {
                    text.truncate(text.trim_end().len());
                }
                if name.eq_ignore_ascii_case("name") {
                    if self.logic.marks_names && !text.ends_with(MARK) && !text.is_empty() {
                        text.push(MARK);
                    }
                    if self.logic.unmarks_names {
                        text.truncate(text.trim_end_matches(MARK).len());
                    }
                }
            }
            if self.logic.rounds && name == "creditlimit" {
                round(value);
            }
        }
    }
}

/// Half-even to two places, as the column is declared.
fn round(value: &mut Json) {
    use dwmap_plan::{Decimal, Rounding};
    let Ok(exact) = value.to_string().parse::<Decimal>() else {
        return;
    };
    if let Some(number) = exact
        .rescale(2, Rounding::HalfEven)
        .ok()
        .and_then(|d| serde_json::from_str(&d.to_string()).ok())
    {
        *value = number;
    }
}

/// One of the two systems: its tables by their sets' names.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) tables: BTreeMap<&'static str, Table>,
}

impl Server {
    pub(crate) fn table(&self, set: &str) -> &Table {
        self.tables
            .get(set)
            .unwrap_or_else(|| panic!("{} has no {set}", self.name))
    }

    pub(crate) fn table_mut(&mut self, set: &str) -> &mut Table {
        let name = self.name;
        self.tables
            .get_mut(set)
            .unwrap_or_else(|| panic!("{name} has no {set}"))
    }
}
