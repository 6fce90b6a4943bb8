//! The front of the compiler: from a project's texts to its checked model.

use dwmap_grammar::tree::Decl;
use dwmap_plan::Schema;

use crate::agreement::{brought, loops, writers};
use crate::diagnostics::{DECLARED_TWICE, Diagnostic, Diagnostics, NOT_BROUGHT, Severity};
use crate::model::{MapModel, Model, SchemaModel};
use crate::project::Project;
use crate::resolve::modules::{self, Module};
use crate::resolve::scope::{DeclId, Names, SchemaIds};
use crate::resolve::{Sink, maps, schemas, scope, tests, value_maps};
use crate::sources::Sources;
use crate::types::context::Context;

/// What came of checking a project.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What was found.
    pub diagnostics: Diagnostics,
    /// What the project says, as far as it makes sense.
    pub model: Model,
}

impl Checked {
    /// The whole schema that a manifest names (`std.fno`), or the one of this name (`fno`).
    pub fn schema(&self, name: &str) -> Option<&Schema> {
        self.model.schema(name).map(|schema| &schema.shape)
    }
}

/// Checks a project.
pub fn check(project: &Project) -> Checked {
    let mut sources = Sources::default();
    let mut sink = Sink::default();
    let modules = modules::load(project, &mut sources, &mut sink);
    let model = model(project, &modules, &sources, &mut sink);
    let mut diagnostics = Diagnostics {
        sources,
        list: sink.into_list(),
    };
    if !project.options.library_warnings {
        drop_library_warnings(&mut diagnostics);
    }
    diagnostics.settle();
    Checked { diagnostics, model }
}

/// What the library's authors have weighed is not the project's to read again.
fn drop_library_warnings(diagnostics: &mut Diagnostics) {
    let sources = &diagnostics.sources;
    // Which maps take part is the project's own choice, and so is what they lack.
    let own =
        |d: &Diagnostic| d.code == NOT_BROUGHT.id() || !sources.get(d.primary.place.file).library;
    diagnostics
        .list
        .retain(|d| d.severity == Severity::Error || own(d));
}

fn model(project: &Project, modules: &[Module], sources: &Sources, sink: &mut Sink) -> Model {
    let names = Names::collect(modules, sink);
    let (schemas, schema_ids) = all_schemas(&names, sink);
    let context = Context {
        names: &names,
        schemas: &schemas,
        schema_ids: &schema_ids,
        options: &project.options,
        sources,
    };
    not_yet(&context, sink);
    value_maps::check(&context, sink);
    let mut maps: Vec<(DeclId, MapModel)> = scope::maps(modules)
        .filter_map(|(id, map)| Some((id, maps::resolve(&context, id, map, sink)?)))
        .collect();
    let tests = tests::resolve(&context, &maps, sink);
    maps.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
    one_map_of_a_name(&maps, sink);
    let maps: Vec<MapModel> = maps.into_iter().map(|(_, map)| map).collect();
    writers::across_maps(&context, &maps, sink);
    loops::check(&context, &maps, sink);
    brought::check(&context, &maps, sink);
    Model {
        schemas,
        maps,
        tests,
    }
}

/// State is kept by the names of maps, so they are unique in a project, and not only in a module.
fn one_map_of_a_name(maps: &[(DeclId, MapModel)], sink: &mut Sink) {
    for pair in maps.windows(2) {
        let [(first_id, first), (second_id, second)] = pair else {
            continue;
        };
        // Within a module it has been said.
        if first.name != second.name || first_id.module == second_id.module {
            continue;
        }
        let message = format!("two maps of this project are called {}", first.name);
        sink.push(
            Diagnostic::new(DECLARED_TWICE, second.place, message)
                .label("the second")
                .related(first.place, "the first")
                .help("rename one of them, or let only one take part"),
        );
    }
}

fn all_schemas(names: &Names<'_>, sink: &mut Sink) -> (Vec<SchemaModel>, SchemaIds) {
    let (mut list, mut ids) = (Vec::new(), SchemaIds::new());
    for (index, module) in names.modules.iter().enumerate() {
        for (at, decl) in module.tree.decls.iter().enumerate() {
            let Decl::Schema(schema) = decl else { continue };
            let id = DeclId {
                module: index,
                decl: at,
            };
            let binding = match names.only_schema(index) {
                Some(_) => module.path.clone(),
                None => format!("{}.{}", module.path, schema.name.text),
            };
            ids.insert(id, list.len());
            list.push(schemas::resolve(module, schema, binding, sink));
        }
    }
    (list, ids)
}

/// Declarations that are read and can't be compiled yet.
fn not_yet(context: &Context<'_>, sink: &mut Sink) {
    for module in context.names.modules {
        for decl in &module.tree.decls {
            let what = match decl {
                Decl::ExtendSchema(_) => "`extend schema`",
                Decl::ExtendValueMap(_) => "`extend valuemap`",
                Decl::Function(_) => "`fn`",
                Decl::Iso(_) => "`iso`",
                Decl::ExtendMap(_) => "`extend map`",
                Decl::Lines(_) => "`lines … of`",
                Decl::Schema(_)
                | Decl::ValueMap(_)
                | Decl::Map(_)
                | Decl::Test(_)
                | Decl::Bad(_) => continue,
            };
            sink.not_yet(module.place(decl.span()), what);
        }
    }
}
