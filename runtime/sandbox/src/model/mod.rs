//! What a server knows of its entities: tables, columns, keys and look-ups, made once from a schema.

mod build;
mod builtin;
mod virtual_tables;

use std::collections::HashMap;
use std::sync::Arc;

use dwmap_plan::{Access, EnumDef, Requirement, Value as PlanValue};

pub(crate) use build::{all_virtual, build};
pub(crate) use builtin::with_registration_tables;
pub(crate) use virtual_tables::OPTION_BASE;

/// Which of the two services a table belongs to, which decides its wire forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Dataverse,
    Finops,
}

/// All tables of a server.
#[derive(Debug)]
pub(crate) struct Model {
    pub service: Service,
    pub tables: Vec<Table>,
    by_set: HashMap<String, usize>,
}

impl Model {
    /// Set names are told apart by case in neither service's URLs.
    pub(crate) fn table(&self, set: &str) -> Option<(usize, &Table)> {
        let at = *self.by_set.get(&set.to_ascii_lowercase())?;
        Some((at, &self.tables[at]))
    }

    pub(crate) fn by_logical_name(&self, name: &str) -> Option<&Table> {
        self.tables
            .iter()
            .find(|t| t.logical.eq_ignore_ascii_case(name))
    }

    /// No longer serves a set. Its table stays, since others are known by their place among all.
    pub(crate) fn hide(&mut self, set: &str) {
        self.by_set.remove(&set.to_ascii_lowercase());
    }

    /// No longer tracks the changes of a set.
    pub(crate) fn untrack(&mut self, set: &str) {
        if let Some(at) = self.by_set.get(&set.to_ascii_lowercase()) {
            self.tables[*at].tracked = false;
        }
    }

    /// The tables that are served.
    pub(crate) fn served(&self) -> impl Iterator<Item = &Table> {
        let hidden = |t: &&Table| self.table(&t.set).is_some();
        self.tables.iter().filter(hidden)
    }

    fn new(service: Service, tables: Vec<Table>) -> Self {
        let by_set = tables
            .iter()
            .enumerate()
            .map(|(at, t)| (t.set.to_ascii_lowercase(), at))
            .collect();
        Self {
            service,
            tables,
            by_set,
        }
    }
}

/// Where a table's rows are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// In the server's own file.
    Own,
    /// In the file of the ERP, whose table this one shows, by that table's index.
    Virtual(usize),
}

/// An entity as the server stores and serves it.
#[derive(Debug)]
pub(crate) struct Table {
    /// Its set name in URLs.
    pub set: String,
    /// Its name in messages and types: `account`, `CustCustomerV3Entity`.
    pub logical: String,
    /// Its table in SQLite, quoted.
    pub sql_name: String,
    pub source: Source,
    /// A small number that stands for the entity in the ids of virtual tables.
    pub number: u32,
    pub columns: Vec<Column>,
    by_name: HashMap<String, usize>,
    /// The INSERT of a whole row: the version, then all columns in their order.
    pub insert: String,
    /// The primary key's columns.
    pub key: Vec<usize>,
    pub alternate_keys: Vec<AlternateKey>,
    pub navs: Vec<Nav>,
    /// The column of the company (Finance & Operations).
    pub company: Option<usize>,
    /// The column with the time of the last commit.
    pub modified: Option<usize>,
    /// Its changes are tracked.
    pub tracked: bool,
}

impl Table {
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn nav(&self, name: &str) -> Option<&Nav> {
        self.navs.iter().find(|n| n.name == name)
    }

    fn insert(sql_name: &str, columns: &[Column]) -> String {
        let names: Vec<String> = columns.iter().map(|c| quoted(&c.name)).collect();
        let names = names.join(", ");
        let marks = ", ?".repeat(columns.len());
        format!("INSERT INTO {sql_name}(\"@version\", {names}) VALUES (?{marks})")
    }

    fn index(columns: &[Column]) -> HashMap<String, usize> {
        columns
            .iter()
            .enumerate()
            .map(|(at, c)| (c.name.clone(), at))
            .collect()
    }
}

/// A column.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// Its name on the wire.
    pub name: String,
    /// The SQL that reads it, `@` standing for the table's alias.
    pub sql: String,
    pub kind: Kind,
    pub access: Access,
    pub requirement: Requirement,
    pub one_of: Vec<String>,
    pub min: Option<PlanValue>,
    pub max: Option<PlanValue>,
    /// The value that stands for "none" in storage, where null itself doesn't.
    pub blank: Option<rusqlite::types::Value>,
}

impl Column {
    pub(crate) fn sql(&self, alias: &str) -> String {
        self.sql.replace('@', alias)
    }
}

/// The kind of a column's values: how they are stored, compared and written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    /// With the greatest length in UTF-16 units.
    Text(Option<u32>),
    Bool,
    Int32,
    Int64,
    /// Stored as a whole number of units of `10^-scale`.
    Decimal {
        precision: u8,
        scale: u8,
    },
    Float,
    /// Days since 1970.
    Date,
    /// Microseconds since 1970.
    DateTime,
    LocalTime,
    /// 16 bytes.
    Guid,
    /// Stored as the member's integer.
    Enum(Arc<EnumDef>),
    /// An enum of the ERP as a virtual table shows it: other integers.
    Option(Arc<EnumDef>),
    Binary,
    /// The GUID of a row of the table that the navigation with this index leads to.
    Lookup(usize),
    /// The id of a virtual row, made from the ERP's record id.
    VirtualId(u32),
}

impl Kind {
    /// The name of its type in messages and metadata.
    pub(crate) fn edm(&self) -> &'static str {
        match self {
            Self::Text(_) => "Edm.String",
            Self::Bool => "Edm.Boolean",
            Self::Int32 | Self::Option(_) | Self::Enum(_) => "Edm.Int32",
            Self::Int64 => "Edm.Int64",
            Self::Decimal { .. } => "Edm.Decimal",
            Self::Float => "Edm.Double",
            Self::Date => "Edm.Date",
            Self::DateTime | Self::LocalTime => "Edm.DateTimeOffset",
            Self::Guid | Self::Lookup(_) | Self::VirtualId(_) => "Edm.Guid",
            Self::Binary => "Edm.Binary",
        }
    }
}

/// An alternate key.
#[derive(Debug, Clone)]
pub(crate) struct AlternateKey {
    pub name: String,
    pub columns: Vec<usize>,
}

/// A navigation to a single row.
#[derive(Debug, Clone)]
pub(crate) struct Nav {
    pub name: String,
    /// The tables that it can lead to, by index.
    pub targets: Vec<usize>,
    pub link: Link,
}

/// How a navigation finds its row.
#[derive(Debug, Clone)]
pub(crate) enum Link {
    /// By the GUID in this column.
    Id(usize),
    /// By these pairs: own column, key column of the target.
    Key(Vec<(usize, usize)>),
}

/// Quotes an identifier for SQLite.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
