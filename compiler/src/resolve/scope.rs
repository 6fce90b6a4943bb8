//! What a name means in a module: its own declarations, then those of the modules that it uses.

use std::collections::BTreeMap;

use dwmap_grammar::tree::{self, Decl, Ident, Name};

use crate::diagnostics::{
    AMBIGUOUS_NAME, Code, DECLARED_TWICE, Diagnostic, UNKNOWN_ENTITY, UNKNOWN_SCHEMA,
};
use crate::model::SchemaModel;
use crate::resolve::Sink;
use crate::resolve::modules::Module;
use crate::sources::Place;
use crate::suggest::nearest;

/// What can be declared by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Schema,
    ValueMap,
    Function,
    Map,
}

/// A declaration: its module, and its place among the module's declarations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DeclId {
    pub(crate) module: usize,
    pub(crate) decl: usize,
}

/// All declarations by module, kind and name.
#[derive(Debug)]
pub(crate) struct Names<'a> {
    pub(crate) modules: &'a [Module],
    tables: Vec<BTreeMap<(Kind, &'a str), DeclId>>,
}

fn declared(decl: &Decl) -> Option<(Kind, &Ident)> {
    match decl {
        Decl::Schema(it) => Some((Kind::Schema, &it.name)),
        Decl::ValueMap(it) => Some((Kind::ValueMap, &it.name)),
        Decl::Function(it) => Some((Kind::Function, &it.name)),
        Decl::Iso(it) => Some((Kind::Function, &it.name)),
        Decl::Map(it) => Some((Kind::Map, &it.name)),
        _ => None,
    }
}

impl<'a> Names<'a> {
    /// Collects what the modules declare; a name that is declared twice in one module is reported.
    pub(crate) fn collect(modules: &'a [Module], sink: &mut Sink) -> Self {
        let mut tables = Vec::with_capacity(modules.len());
        for (index, module) in modules.iter().enumerate() {
            let mut table: BTreeMap<(Kind, &str), DeclId> = BTreeMap::new();
            for (at, decl) in module.tree.decls.iter().enumerate() {
                let Some((kind, name)) = declared(decl) else {
                    continue;
                };
                let id = DeclId {
                    module: index,
                    decl: at,
                };
                let first = *table.entry((kind, name.text.as_str())).or_insert(id);
                if first != id {
                    twice(module, first, name, sink);
                }
            }
            tables.push(table);
        }
        Self { modules, tables }
    }

    /// The declaration itself.
    pub(crate) fn decl(&self, id: DeclId) -> &'a Decl {
        &self.modules[id.module].tree.decls[id.decl]
    }

    /// What a name means in a module; `Err` where two modules declare it.
    pub(crate) fn find(
        &self,
        module: usize,
        kind: Kind,
        parts: &[Ident],
    ) -> Result<Option<DeclId>, (DeclId, DeclId)> {
        let Some((last, qualifier)) = parts.split_last() else {
            return Ok(None);
        };
        let name = last.text.as_str();
        if qualifier.is_empty() {
            return self.find_plain(module, kind, name);
        }
        let found = self
            .module_of(module, qualifier)
            .and_then(|m| self.tables[m].get(&(kind, name)));
        // `std.customers` is the map of that name in the module of that name.
        let whole = || {
            self.module_of(module, parts)
                .and_then(|m| self.tables[m].get(&(kind, name)))
        };
        Ok(found.or_else(whole).copied())
    }

    fn find_plain(
        &self,
        module: usize,
        kind: Kind,
        name: &str,
    ) -> Result<Option<DeclId>, (DeclId, DeclId)> {
        if let Some(own) = self.tables[module].get(&(kind, name)) {
            return Ok(Some(*own));
        }
        if kind == Kind::Schema
            && let Some(schema) = self.schema_by_alias(module, name)
        {
            return Ok(Some(schema));
        }
        let mut found = self.modules[module]
            .uses
            .iter()
            .filter_map(|using| self.tables[using.module].get(&(kind, name)));
        match (found.next(), found.next()) {
            (Some(first), Some(second)) if first != second => Err((*first, *second)),
            (first, _) => Ok(first.copied()),
        }
    }

    /// A module that declares one schema *is* that schema by its alias.
    fn schema_by_alias(&self, module: usize, alias: &str) -> Option<DeclId> {
        let using = self.modules[module]
            .uses
            .iter()
            .find(|using| using.alias == alias)?;
        self.only_schema(using.module)
    }

    /// The schema that a module *is*.
    pub(crate) fn only_schema(&self, module: usize) -> Option<DeclId> {
        let mut schemas = self.tables[module]
            .iter()
            .filter(|((kind, _), _)| *kind == Kind::Schema);
        match (schemas.next(), schemas.next()) {
            (Some((_, only)), None) => Some(*only),
            _ => None,
        }
    }

    /// A module by its alias here, or by its whole path.
    fn module_of(&self, module: usize, parts: &[Ident]) -> Option<usize> {
        let path: Vec<&str> = parts.iter().map(|p| p.text.as_str()).collect();
        let path = path.join(".");
        let uses = &self.modules[module].uses;
        uses.iter()
            .find(|using| using.alias == path || self.modules[using.module].path == path)
            .map(|using| using.module)
    }

    /// The names of a kind that can be seen from a module, for did-you-mean.
    pub(crate) fn visible(&self, module: usize, kind: Kind) -> Vec<&str> {
        let uses = &self.modules[module].uses;
        let own = std::iter::once(module).chain(uses.iter().map(|using| using.module));
        let mut names: Vec<&str> = own
            .flat_map(|m| self.tables[m].keys())
            .filter(|(k, _)| *k == kind)
            .map(|(_, name)| *name)
            .collect();
        if kind == Kind::Schema {
            let aliases = uses
                .iter()
                .filter(|using| self.only_schema(using.module).is_some());
            names = aliases.map(|using| using.alias.as_str()).collect();
            let own = self.tables[module].keys().filter(|(k, _)| *k == kind);
            names.extend(own.map(|(_, name)| *name));
        }
        names
    }

    /// The declaration that a name means, or a diagnostic.
    pub(crate) fn resolve(
        &self,
        module: usize,
        kind: Kind,
        parts: &[Ident],
        unknown: Code,
        sink: &mut Sink,
    ) -> Option<DeclId> {
        let (first, last) = (parts.first()?, parts.last()?);
        let place = self.modules[module].place(first.span.to(last.span));
        let what = match kind {
            Kind::Schema => "schema",
            Kind::ValueMap => "value map",
            Kind::Function => "function",
            Kind::Map => "map",
        };
        match self.find(module, kind, parts) {
            Ok(Some(found)) => Some(found),
            Ok(None) => {
                let meant = nearest(&last.text, self.visible(module, kind));
                let name = &last.text;
                let diagnostic =
                    Diagnostic::new(unknown, place, format!("there is no {what} {name} here"))
                        .label("not known")
                        .meant(meant, self.modules[module].place(last.span));
                sink.push(if meant.is_none() {
                    diagnostic.help(format!(
                        "a module's names are seen after `use`; is the `use` of the {what}'s module missing?"
                    ))
                } else {
                    diagnostic
                });
                None
            }
            Err((a, b)) => {
                let at = |id: DeclId| self.modules[id.module].place(self.decl(id).span());
                let message = format!("two modules declare the {what} {}", last.text);
                sink.push(
                    Diagnostic::new(AMBIGUOUS_NAME, place, message)
                        .label("which of them?")
                        .related(at(a), "one of them")
                        .related(at(b), "the other")
                        .help("say whose it is: `module.name`"),
                );
                None
            }
        }
    }
}

fn twice(module: &Module, first: DeclId, name: &Ident, sink: &mut Sink) {
    let message = format!("{} is declared twice in this file", name.text);
    let mut diagnostic = Diagnostic::new(DECLARED_TWICE, module.place(name.span), message)
        .label("the second")
        .help("rename one of them, or drop it");
    if let Some((_, earlier)) = declared(&module.tree.decls[first.decl]) {
        diagnostic = diagnostic.related(module.place(earlier.span), "the first");
    }
    sink.push(diagnostic);
}

/// The resolved schemas by declaration.
pub(crate) type SchemaIds = BTreeMap<DeclId, usize>;

/// Resolves `schema.Entity` to indices.
pub(crate) fn entity_of(
    names: &Names<'_>,
    schemas: &[SchemaModel],
    ids: &SchemaIds,
    module: usize,
    name: &Name,
    sink: &mut Sink,
) -> Option<(usize, usize)> {
    let last = name.last()?;
    let qualifier = name.qualifier();
    let place = |span| Place {
        file: names.modules[module].file,
        span,
    };
    if qualifier.is_empty() {
        let known = names.visible(module, Kind::Schema);
        sink.push(
            Diagnostic::new(
                UNKNOWN_SCHEMA,
                place(last.span),
                format!("{} needs its schema before it", last.text),
            )
            .label("of which schema?")
            .help(match known.first() {
                Some(first) => format!("for example {first}.{}", last.text),
                None => "`use std.fno` brings a schema".to_owned(),
            }),
        );
        return None;
    }
    let decl = names.resolve(module, Kind::Schema, qualifier, UNKNOWN_SCHEMA, sink)?;
    let schema = *ids.get(&decl)?;
    let model = &schemas[schema];
    if let Some(entity) = model.find_entity(&last.text) {
        return Some((schema, entity));
    }
    let meant = nearest(
        &last.text,
        model.entities.iter().map(|e| e.data.name.as_str()),
    );
    let message = format!(
        "the schema {} has no entity {}",
        model.shape.name, last.text
    );
    sink.push(
        Diagnostic::new(UNKNOWN_ENTITY, place(last.span), message)
            .label("not one of its entities")
            .related(model.place, "the schema")
            .meant(meant, place(last.span)),
    );
    None
}

/// The maps of all modules, in the order of modules.
pub(crate) fn maps(modules: &[Module]) -> impl Iterator<Item = (DeclId, &tree::Map)> {
    modules.iter().enumerate().flat_map(|(module, m)| {
        let decls = m.tree.decls.iter().enumerate();
        decls.filter_map(move |(decl, d)| match d {
            Decl::Map(map) => Some((DeclId { module, decl }, map)),
            _ => None,
        })
    })
}
