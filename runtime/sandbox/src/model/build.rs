//! From a schema to a model.

use std::collections::HashMap;
use std::sync::Arc;

use dwmap_plan::{
    Access, Dialect, Entity, EnumDef, Field, KeyPart, Requirement, Schema, Type, Value as PlanValue,
};
use rusqlite::types::Value;

use super::{
    AlternateKey, Column, Kind, Link, Model, Nav, Service, Source, Table, quoted, virtual_tables,
};
use crate::SandboxError;
use crate::value;

/// The tables of a schema, and with `erp` its entities as virtual tables beside them.
pub(crate) fn build(schema: &Schema, erp: Option<&Model>) -> Result<Model, SandboxError> {
    schema
        .validate()
        .map_err(|e| SandboxError::Schema(e.to_string()))?;
    let service = match schema.dialect {
        Dialect::Dataverse => Service::Dataverse,
        Dialect::Finops => Service::Finops,
        other => {
            return Err(SandboxError::Schema(format!(
                "schema {}: the sandbox serves the dialects dataverse and finops, not {other:?}",
                schema.name
            )));
        }
    };
    let numbers: HashMap<&str, usize> = schema
        .entities
        .iter()
        .enumerate()
        .map(|(at, e)| (e.name.as_str(), at))
        .collect();
    let enums: HashMap<&str, Arc<EnumDef>> = schema
        .enums
        .iter()
        .map(|e| (e.name.as_str(), Arc::new(e.clone())))
        .collect();
    let build = Build {
        service,
        schema,
        numbers,
        enums,
    };
    let mut tables = schema
        .entities
        .iter()
        .enumerate()
        .map(|(at, e)| build.table(at, e))
        .collect::<Result<Vec<_>, _>>()?;
    if service == Service::Finops {
        link_by_key(schema, &mut tables);
    }
    if let Some(erp) = erp {
        let all = erp.tables.iter().enumerate();
        let served = all.filter(|(_, t)| erp.table(&t.set).is_some());
        tables.extend(served.map(|(at, t)| virtual_tables::show(at, t)));
    }
    Ok(Model::new(service, tables))
}

/// The virtual tables alone, at the same indexes as the tables that they show.
pub(crate) fn all_virtual(erp: &Model) -> Model {
    let tables = erp
        .tables
        .iter()
        .enumerate()
        .map(|(at, t)| virtual_tables::show(at, t))
        .collect();
    Model::new(Service::Dataverse, tables)
}

struct Build<'a> {
    service: Service,
    schema: &'a Schema,
    numbers: HashMap<&'a str, usize>,
    enums: HashMap<&'a str, Arc<EnumDef>>,
}

impl Build<'_> {
    fn table(&self, at: usize, entity: &Entity) -> Result<Table, SandboxError> {
        let mut columns: Vec<Column> = entity.fields.iter().map(|f| self.column(f)).collect();
        let mut navs = Vec::new();
        if self.service == Service::Dataverse {
            for nav in &entity.navs {
                let name = nav
                    .via
                    .first()
                    .cloned()
                    .unwrap_or_else(|| format!("_{}_value", nav.name));
                // A look-up that the schema also lists as a field is one column.
                let column = columns
                    .iter()
                    .position(|c| c.name == name)
                    .unwrap_or(columns.len());
                let lookup = lookup_column(&name, navs.len());
                if column == columns.len() {
                    columns.push(lookup);
                } else {
                    columns[column] = lookup;
                }
                navs.push(Nav {
                    name: nav.name.clone(),
                    targets: nav
                        .targets
                        .iter()
                        .filter_map(|t| self.numbers.get(t.as_str()).copied())
                        .collect(),
                    link: Link::Id(column),
                });
            }
        }
        let by_name = Table::index(&columns);
        let position = |part: &KeyPart| match part {
            KeyPart::Field(name) => entity
                .field(name)
                .and_then(|f| by_name.get(f.wire_name()).copied()),
            KeyPart::Nav(name) => {
                navs.iter()
                    .find(|n| n.name == *name)
                    .and_then(|n| match n.link {
                        Link::Id(column) => Some(column),
                        Link::Key(_) => None,
                    })
            }
        };
        let all = |parts: &[KeyPart], what: &str| {
            parts
                .iter()
                .map(&position)
                .collect::<Option<Vec<_>>>()
                .filter(|c| !c.is_empty())
                .ok_or_else(|| {
                    SandboxError::Schema(format!(
                        "{}: {what} must name columns of the entity",
                        entity.name
                    ))
                })
        };
        let key = all(&entity.key, "the key")?;
        if self.service == Service::Dataverse
            && !matches!(key[..], [at] if columns[at].kind == Kind::Guid)
        {
            return Err(SandboxError::Schema(format!(
                "{}: the key of a Dataverse table is one guid; declare what users know it by as an altkey",
                entity.name
            )));
        }
        let alternate_keys = entity
            .alternate_keys
            .iter()
            .map(|k| {
                Ok(AlternateKey {
                    name: k.name.clone(),
                    columns: all(&k.parts, &k.name)?,
                })
            })
            .collect::<Result<_, SandboxError>>()?;
        let company = match entity.striped_by.as_deref() {
            Some([field]) => by_name.get(field).copied(),
            _ => None,
        };
        let modified = entity
            .modified
            .as_ref()
            .and_then(|m| by_name.get(m).copied());
        Ok(Table {
            set: entity.set_name().to_owned(),
            logical: entity
                .physical
                .clone()
                .unwrap_or_else(|| self.logical_name(entity)),
            insert: Table::insert(&quoted(&entity.name), &columns),
            sql_name: quoted(&entity.name),
            source: Source::Own,
            number: at as u32 + 1,
            by_name,
            columns,
            key,
            alternate_keys,
            navs,
            company,
            modified,
            tracked: true,
        })
    }

    /// Where the schema doesn't tell the table's own name: the set's in the singular, which is right for most.
    fn logical_name(&self, entity: &Entity) -> String {
        let name = entity.set_name();
        match self.service {
            Service::Finops => name.to_owned(),
            Service::Dataverse => name
                .strip_suffix("ies")
                .map(|stem| format!("{stem}y"))
                .or_else(|| name.strip_suffix('s').map(str::to_owned))
                .unwrap_or_else(|| name.to_owned()),
        }
    }

    fn column(&self, field: &Field) -> Column {
        let kind = self.kind(&field.ty);
        let blank = match self.service {
            Service::Dataverse => None,
            Service::Finops => Some(blank(&kind, field.null.write.as_ref())),
        };
        Column {
            name: field.wire_name().to_owned(),
            sql: format!("@.{}", quoted(field.wire_name())),
            kind,
            access: field.access,
            requirement: field.requirement,
            one_of: field.one_of.clone(),
            min: field.min.clone(),
            max: field.max.clone(),
            blank,
        }
    }

    fn kind(&self, ty: &Type) -> Kind {
        match ty {
            Type::Text(max) => Kind::Text(*max),
            Type::Bool => Kind::Bool,
            Type::Int32 => Kind::Int32,
            Type::Int64 => Kind::Int64,
            Type::Decimal(precision, scale) => Kind::Decimal {
                precision: *precision,
                scale: *scale,
            },
            Type::Float64 => Kind::Float,
            Type::Date => Kind::Date,
            Type::DateTime => Kind::DateTime,
            Type::LocalTime => Kind::LocalTime,
            Type::Guid => Kind::Guid,
            Type::Binary => Kind::Binary,
            Type::Enum(name) => match self.enums.get(name.as_str()) {
                Some(def) if def.boolean && self.schema.dialect == Dialect::Dataverse => Kind::Bool,
                Some(def) => Kind::Enum(Arc::clone(def)),
                // The schema has been validated, so every enum is there.
                None => Kind::Int32,
            },
        }
    }
}

fn lookup_column(name: &str, nav: usize) -> Column {
    Column {
        name: name.to_owned(),
        sql: format!("@.{}", quoted(name)),
        kind: Kind::Lookup(nav),
        access: Access::ReadOnly,
        requirement: Requirement::Optional,
        one_of: Vec::new(),
        min: None,
        max: None,
        blank: None,
    }
}

/// What Finance & Operations stores for "none": *odata* documentation and the schema's own convention.
fn blank(kind: &Kind, declared: Option<&PlanValue>) -> Value {
    if let Some(declared) = declared.and_then(|v| value::from_plan(kind, v)) {
        return declared;
    }
    match kind {
        Kind::Text(_) => Value::Text(String::new()),
        Kind::Float => Value::Real(0.0),
        Kind::Date => Value::Integer(value::NO_DATE.into()),
        Kind::DateTime | Kind::LocalTime => {
            Value::Integer(i64::from(value::NO_DATE) * 86_400_000_000)
        }
        Kind::Guid | Kind::Lookup(_) | Kind::VirtualId(_) => Value::Blob(vec![0; 16]),
        Kind::Binary => Value::Null,
        Kind::Enum(def) if def.by_value(0).is_none() => {
            Value::Integer(def.members.first().map_or(0, |m| m.value))
        }
        _ => Value::Integer(0),
    }
}

/// Navigations of the ERP find their row by its key: the company as one's own, the rest by the columns named.
fn link_by_key(schema: &Schema, tables: &mut [Table]) {
    for (at, entity) in schema.entities.iter().enumerate() {
        let mut navs = Vec::new();
        for nav in &entity.navs {
            let Some(target) = nav
                .targets
                .first()
                .and_then(|t| schema.entities.iter().position(|e| e.name == *t))
            else {
                continue;
            };
            let mut via = nav.via.iter();
            let pairs = tables[target].key.iter().map(|key| {
                let name = &tables[target].columns[*key].name;
                let own = match tables[at].company {
                    Some(company) if tables[target].company == Some(*key) => Some(company),
                    _ => via
                        .next()
                        .and_then(|v| tables[at].column(v))
                        .or_else(|| tables[at].column(name)),
                };
                own.map(|own| (own, *key))
            });
            if let Some(pairs) = pairs.collect::<Option<Vec<_>>>() {
                navs.push(Nav {
                    name: nav.name.clone(),
                    targets: vec![target],
                    link: Link::Key(pairs),
                });
            }
        }
        tables[at].navs = navs;
    }
}
