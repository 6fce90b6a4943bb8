//! The SELECT of a read, and its rows written straight to JSON.

use std::fmt::Write as _;
use std::io::Write as _;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, params_from_iter};

use super::token::Cell;
use super::{Expand, Options};
use crate::filter::{Joins, Refused, condition};
use crate::model::{Kind, Link, Model, Table};
use crate::value;

/// A read of one table.
pub(crate) struct Query<'m> {
    model: &'m Model,
    table: &'m Table,
    joins: Joins,
    conditions: Vec<String>,
    values: Vec<Value>,
    order: Vec<Term>,
    columns: Vec<Output<'m>>,
    expands: Vec<Expanded<'m>>,
    annotated: bool,
}

struct Term {
    sql: String,
    descending: bool,
}

/// A column in the output.
struct Output<'m> {
    sql: String,
    /// `"name":`, ready to be written.
    prefix: Vec<u8>,
    name: &'m str,
    kind: &'m Kind,
}

struct Expanded<'m> {
    prefix: Vec<u8>,
    alias: String,
    columns: Vec<Output<'m>>,
}

/// What a page held.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub rows: u64,
    /// The order's values of the last row, if there are more.
    pub after: Option<Vec<Cell>>,
    /// The version of the last row.
    pub version: i64,
}

impl<'m> Query<'m> {
    /// A read of all columns and rows, in no order.
    pub(crate) fn new(model: &'m Model, table: &'m Table) -> Self {
        Self {
            model,
            table,
            joins: Joins::default(),
            conditions: Vec::new(),
            values: Vec::new(),
            order: Vec::new(),
            columns: Vec::new(),
            expands: Vec::new(),
            annotated: false,
        }
    }

    /// Takes `$select`, `$filter`, `$orderby` and `$expand`. The key ends the order, so that it is a total one.
    pub(crate) fn with(mut self, options: &Options) -> Result<Self, Refused> {
        self = self.select(options.select.as_deref())?;
        for expand in &options.expand {
            self.expand(expand)?;
        }
        if let Some(filter) = &options.filter {
            let sql = condition(
                self.model,
                self.table,
                filter,
                &mut self.joins,
                &mut self.values,
            )?;
            self.conditions.push(sql);
        }
        for order in &options.order {
            let (sql, _) = self.joins.resolve(self.model, self.table, &order.path)?;
            self.order.push(Term {
                sql,
                descending: order.descending,
            });
        }
        Ok(self)
    }

    /// Writes formatted values and look-up names beside the values.
    pub(crate) fn annotated(mut self, annotated: bool) -> Self {
        self.annotated = annotated;
        self
    }

    /// Only these columns, or all.
    pub(crate) fn select(mut self, names: Option<&[String]>) -> Result<Self, Refused> {
        self.columns = outputs(self.table, names, "t")?;
        Ok(self)
    }

    /// Adds the key to the columns, as Dataverse does.
    pub(crate) fn with_key(mut self) -> Self {
        for at in &self.table.key {
            let column = output(self.table, *at, "t");
            if !self.columns.iter().any(|c| c.name == column.name) {
                self.columns.push(column);
            }
        }
        self
    }

    /// Only rows for which this SQL holds; its values are bound in order.
    pub(crate) fn and(
        mut self,
        sql: impl Into<String>,
        values: impl IntoIterator<Item = Value>,
    ) -> Self {
        self.conditions.push(sql.into());
        self.values.extend(values);
        self
    }

    /// Orders by the key, where nothing else orders.
    pub(crate) fn ordered_by_key(mut self) -> Self {
        for at in &self.table.key {
            let sql = self.table.columns[*at].sql("t");
            if !self.order.iter().any(|term| term.sql == sql) {
                self.order.push(Term {
                    sql,
                    descending: false,
                });
            }
        }
        self
    }

    /// Orders by version.
    pub(crate) fn ordered_by_version(mut self) -> Self {
        self.order = vec![Term {
            sql: "t.\"@version\"".to_owned(),
            descending: false,
        }];
        self
    }

    /// Only rows that come after these values of the order's terms. SQLite puts nulls first.
    pub(crate) fn after(mut self, cells: Vec<Cell>) -> Self {
        if cells.len() != self.order.len() || cells.is_empty() {
            return self;
        }
        let mut alternatives = Vec::new();
        for last in 0..cells.len() {
            let mut all = Vec::new();
            for (at, term) in self.order[..=last].iter().enumerate() {
                let null = cells[at] == Cell::Null;
                let sql = &term.sql;
                let part = match (at == last, term.descending, null) {
                    (false, _, _) => format!("{sql} IS ?"),
                    (true, false, true) => format!("{sql} IS NOT NULL"),
                    (true, false, false) => format!("{sql} > ?"),
                    (true, true, true) => "0".to_owned(),
                    (true, true, false) => format!("({sql} < ? OR {sql} IS NULL)"),
                };
                if part.contains('?') {
                    self.values.push(cells[at].clone().into());
                }
                all.push(part);
            }
            alternatives.push(format!("({})", all.join(" AND ")));
        }
        self.conditions
            .push(format!("({})", alternatives.join(" OR ")));
        self
    }

    fn expand(&mut self, expand: &Expand) -> Result<(), Refused> {
        let (alias, target) = self
            .joins
            .over(self.model, ("t", self.table), &expand.nav)?;
        let mut columns = outputs(target, expand.select.as_deref(), &alias)?;
        for at in &target.key {
            if !columns.iter().any(|c| c.name == target.columns[*at].name) {
                columns.push(output(target, *at, &alias));
            }
        }
        self.expands.push(Expanded {
            prefix: prefix(&expand.nav),
            alias,
            columns,
        });
        Ok(())
    }

    fn tail(&self) -> String {
        let mut sql = format!(" FROM {} t{}", self.table.sql_name, self.joins.sql);
        for (n, condition) in self.conditions.iter().enumerate() {
            let word = if n == 0 { "WHERE" } else { "AND" };
            let _ = write!(sql, " {word} ({condition})");
        }
        sql
    }

    /// How many rows there are, counted no further than `max`.
    pub(crate) fn count(&self, connection: &Connection, max: u64) -> rusqlite::Result<u64> {
        let sql = format!("SELECT count(*) FROM (SELECT 1{} LIMIT {max})", self.tail());
        connection
            .prepare_cached(&sql)?
            .query_row(params_from_iter(&self.values), |row| row.get(0))
    }

    /// Writes up to `limit` rows as JSON objects parted by commas.
    pub(crate) fn rows(
        &self,
        connection: &Connection,
        limit: u64,
        offset: u64,
        out: &mut Vec<u8>,
    ) -> rusqlite::Result<Page> {
        let sql = self.sql(limit, offset);
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(&self.values))?;
        let mut page = Page::default();
        let mut after = None;
        while let Some(row) = rows.next()? {
            if page.rows == limit {
                page.after = after;
                break;
            }
            if page.rows > 0 {
                out.push(b',');
            }
            page.rows += 1;
            page.version = row.get(0)?;
            self.write(out, row)?;
            if page.rows == limit {
                let cells =
                    (0..self.order.len()).map(|at| row.get::<_, Value>(1 + at).map(Cell::from));
                after = Some(cells.collect::<rusqlite::Result<Vec<_>>>()?);
            }
        }
        Ok(page)
    }

    /// Version, the order's terms, the columns, then each expanded row, led by its record.
    fn sql(&self, limit: u64, offset: u64) -> String {
        let mut sql = String::from("SELECT t.\"@version\"");
        for term in &self.order {
            let _ = write!(sql, ", {}", term.sql);
        }
        for column in &self.columns {
            let _ = write!(sql, ", {}", column.sql);
        }
        for expanded in &self.expands {
            let _ = write!(sql, ", {0}.rowid, {0}.\"@version\"", expanded.alias);
            for column in &expanded.columns {
                let _ = write!(sql, ", {}", column.sql);
            }
        }
        sql.push_str(&self.tail());
        for (n, term) in self.order.iter().enumerate() {
            let word = if n == 0 { " ORDER BY" } else { "," };
            let direction = if term.descending { " DESC" } else { "" };
            let _ = write!(sql, "{word} {}{direction}", term.sql);
        }
        let _ = write!(sql, " LIMIT {} OFFSET {offset}", limit.saturating_add(1));
        sql
    }

    fn write(&self, out: &mut Vec<u8>, row: &rusqlite::Row<'_>) -> rusqlite::Result<()> {
        let _ = write!(
            out,
            "{{\"@odata.etag\":\"W/\\\"{}\\\"\"",
            row.get::<_, i64>(0)?
        );
        let mut at = 1 + self.order.len();
        for column in &self.columns {
            self.write_cell(out, column, row.get_ref(at)?);
            at += 1;
        }
        for expanded in &self.expands {
            out.push(b',');
            out.extend_from_slice(&expanded.prefix);
            if row.get_ref(at)? == ValueRef::Null {
                out.extend_from_slice(b"null");
            } else {
                let _ = write!(
                    out,
                    "{{\"@odata.etag\":\"W/\\\"{}\\\"\"",
                    row.get::<_, i64>(at + 1)?
                );
                for (n, column) in expanded.columns.iter().enumerate() {
                    self.write_cell(out, column, row.get_ref(at + 2 + n)?);
                }
                out.push(b'}');
            }
            at += 2 + expanded.columns.len();
        }
        out.push(b'}');
        Ok(())
    }

    fn write_cell(&self, out: &mut Vec<u8>, column: &Output<'_>, cell: ValueRef<'_>) {
        out.push(b',');
        out.extend_from_slice(&column.prefix);
        value::write_json(out, self.model.service, column.kind, cell);
        if !self.annotated {
            return;
        }
        if let Some(text) = value::formatted(column.kind, cell) {
            let _ = write!(
                out,
                ",\"{}@OData.Community.Display.V1.FormattedValue\":",
                column.name
            );
            value::write_text(out, text.as_bytes());
        }
        if let (Kind::Lookup(nav), ValueRef::Blob(_)) = (column.kind, cell)
            && let Some(nav) = self.table.navs.get(*nav)
            && let Some(target) = nav.targets.first()
        {
            let logical = &self.model.tables[*target].logical;
            let _ = write!(
                out,
                ",\"{0}@Microsoft.Dynamics.CRM.associatednavigationproperty\":\"{1}\",\"{0}@Microsoft.Dynamics.CRM.lookuplogicalname\":\"{logical}\"",
                column.name, nav.name
            );
        }
    }
}

fn outputs<'m>(
    table: &'m Table,
    names: Option<&[String]>,
    alias: &str,
) -> Result<Vec<Output<'m>>, Refused> {
    let Some(names) = names else {
        return Ok((0..table.columns.len())
            .map(|at| output(table, at, alias))
            .collect());
    };
    names
        .iter()
        .map(|name| {
            // A look-up may be selected by its navigation's name too: the service gives its column.
            let at = table.column(name).or_else(|| {
                table.nav(name).and_then(|n| match n.link {
                    Link::Id(column) => Some(column),
                    Link::Key(_) => None,
                })
            });
            at.map(|at| output(table, at, alias)).ok_or_else(|| {
                Refused(format!(
                    "Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{}'.",
                    table.logical
                ))
            })
        })
        .collect()
}

fn output<'m>(table: &'m Table, at: usize, alias: &str) -> Output<'m> {
    let column = &table.columns[at];
    Output {
        sql: column.sql(alias),
        prefix: prefix(&column.name),
        name: &column.name,
        kind: &column.kind,
    }
}

fn prefix(name: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len() + 3);
    value::write_text(&mut out, name.as_bytes());
    out.push(b':');
    out
}
