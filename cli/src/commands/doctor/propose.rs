//! What lives in the systems beyond their schemas, as a patch of the project's sources.
//!
//! Fields go into the entity of a schema that is one of the project's files; of a stock schema, which stays as it is,
//! into an `extend schema`. A map gains a line for a field that has a namesake on the other side; of others it gains a
//! comment, since what they correspond to is a person's to say.

use std::collections::BTreeMap;

use dwmap_compiler::SourceFile;
use dwmap_grammar::Span;
use dwmap_grammar::tree::{Decl, SchemaItem};
use dwmap_plan::{MapPlan, Plan, Schema, Side};
use dwmap_sync::drift::Addition;

use super::Beyond;
use super::patch::{Insertion, into_file, new_file};
use crate::args::Cli;
use crate::exit::Failure;

/// Where fields of stock schemas are proposed to be declared.
const EXTENSIONS: &str = "maps/extensions.dwmap";

/// A patch, and what is to be said beside it.
#[derive(Default)]
pub(super) struct Proposal {
    pub(super) patch: String,
    pub(super) notes: Vec<String>,
}

/// What is put where: by file, by the end of the block that gains it.
type Gains = BTreeMap<usize, BTreeMap<usize, Vec<String>>>;

/// The project's sources, and its schemas whole, by the plan's systems.
pub(super) struct Whole {
    pub(super) files: Vec<SourceFile>,
    pub(super) schemas: Vec<Option<Schema>>,
}

impl Whole {
    /// Reads the project of this plan.
    pub(super) fn read(cli: &Cli, plan: &Plan) -> Result<Self, Failure> {
        let sources = crate::project::read(&cli.project, cli.env.as_deref(), &[])?;
        let checked = dwmap_compiler::check(&sources.project);
        let schemas = plan.systems.iter();
        let schemas = schemas.map(|system| checked.schema(&system.binding).cloned());
        Ok(Self {
            schemas: schemas.collect(),
            files: sources.project.files,
        })
    }
}

pub(super) fn propose(plan: &Plan, whole: &Whole, additions: &[Beyond]) -> Proposal {
    let files = &whole.files;
    let mut proposal = Proposal::default();
    let mut gains = Gains::new();
    let mut extensions: BTreeMap<&str, BTreeMap<&str, Vec<String>>> = BTreeMap::new();
    for beyond in additions {
        let Addition {
            entity, options, ..
        } = &beyond.addition;
        let Some(declaration) = beyond.addition.declaration() else {
            proposal.notes.push(undeclared(beyond, options));
            continue;
        };
        let system = &plan.systems[beyond.at];
        match entity_block(files, &system.schema.name, entity) {
            Some((file, span)) => put(&mut gains, file, span, format!("    {declaration}")),
            None => extensions
                .entry(&system.binding)
                .or_default()
                .entry(entity)
                .or_default()
                .push(declaration),
        }
        for map in &plan.maps {
            line(&mut gains, whole, map, beyond);
        }
    }
    for (file, blocks) in gains {
        let SourceFile { path, text } = &files[file];
        let insertions = blocks.into_iter().map(|(end, lines)| Insertion {
            // The line of the closing brace comes after them.
            after: text[..end].matches('\n').count(),
            lines,
        });
        proposal.patch += &into_file(path, text, insertions.collect());
    }
    if !extensions.is_empty() {
        proposal.patch += &new_file(EXTENSIONS, &extend(plan, &extensions));
        proposal.notes.push(format!(
            "stock schemas are extended in {EXTENSIONS}; this version reads `extend schema` and doesn't compile it yet"
        ));
    }
    proposal
}

/// What a person has to declare.
fn undeclared(beyond: &Beyond, options: &[String]) -> String {
    let Addition { set, field, .. } = &beyond.addition;
    let what = if options.is_empty() {
        "it is a look-up or a choice, which needs a `nav` or an `enum` of its own".to_owned()
    } else {
        format!("its enum lacks {}", options.join(", "))
    };
    format!(
        "{field} of {}'s {set} isn't in the patch: {what}",
        beyond.system
    )
}

/// The block of an entity, in a schema of the project.
fn entity_block(files: &[SourceFile], schema: &str, entity: &str) -> Option<(usize, Span)> {
    files.iter().enumerate().find_map(|(at, file)| {
        let tree = dwmap_grammar::parse(&file.text).file;
        let schemas = tree.decls.into_iter().filter_map(|decl| match decl {
            Decl::Schema(found) if found.name.text == schema => Some(found.items),
            _ => None,
        });
        schemas.flatten().find_map(|item| match item {
            SchemaItem::Entity(found) if found.name.text == entity => Some((at, found.span)),
            _ => None,
        })
    })
}

/// The block of a map, in a file of the project.
fn map_block(files: &[SourceFile], map: &str) -> Option<(usize, Span)> {
    files.iter().enumerate().find_map(|(at, file)| {
        let tree = dwmap_grammar::parse(&file.text).file;
        tree.decls.into_iter().find_map(|decl| match decl {
            Decl::Map(found) if found.name.text == map => Some((at, found.span)),
            _ => None,
        })
    })
}

/// A map's line for a new field: one that is written out where the other side has a namesake.
fn line(gains: &mut Gains, whole: &Whole, map: &MapPlan, beyond: &Beyond) {
    let addition = &beyond.addition;
    let is_of = |side: &Side| {
        let it = map.side(*side);
        usize::from(it.system) == beyond.at && it.entity == addition.entity
    };
    let Some(side) = Side::BOTH.into_iter().find(is_of) else {
        return;
    };
    let Some((file, span)) = map_block(&whole.files, &map.name) else {
        return;
    };
    let other = map.side(side.other());
    let schema = whole.schemas[usize::from(other.system)].as_ref();
    let entity = schema.and_then(|schema| schema.entity(&other.entity));
    let namesake = entity.and_then(|e| {
        let mut fields = e.fields.iter();
        fields.find(|f| bare(&f.name) == bare(&addition.field) && !addition.read_only)
    });
    let field = addition.field.as_str();
    let proposed = match (namesake, side) {
        (Some(namesake), Side::Left) => format!("{field} <-> {}", namesake.name),
        (Some(namesake), Side::Right) => format!("{} <-> {field}", namesake.name),
        (None, Side::Left) => format!("// {field} <-> …"),
        (None, Side::Right) => format!("// … <-> {field}"),
    };
    put(gains, file, span, format!("  {proposed}"));
}

/// A name without the prefix of whoever made the field, and without case.
fn bare(name: &str) -> String {
    let bare = name.split_once('_').map_or(name, |(_, bare)| bare);
    bare.replace('_', "").to_lowercase()
}

/// Puts a line before the end of a block.
fn put(gains: &mut Gains, file: usize, block: Span, line: String) {
    let blocks = gains.entry(file).or_default();
    blocks.entry(block.end).or_default().push(line);
}

fn extend(plan: &Plan, extensions: &BTreeMap<&str, BTreeMap<&str, Vec<String>>>) -> Vec<String> {
    let mut lines: Vec<String> = extensions.keys().map(|b| format!("use {b}")).collect();
    for (binding, entities) in extensions {
        let system = plan.systems.iter().find(|s| s.binding == *binding);
        let name = system.map_or(*binding, |s| s.schema.name.as_str());
        lines.push(String::new());
        lines.push(format!("extend schema {name} {{"));
        for (entity, fields) in entities {
            lines.push(format!("  extend entity {entity} {{"));
            lines.extend(fields.iter().map(|field| format!("    {field}")));
            lines.push("  }".to_owned());
        }
        lines.push("}".to_owned());
    }
    lines
}
