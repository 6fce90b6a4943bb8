//! Value maps: the types at their sides, and their rows, checked where they stand.

use dwmap_grammar::tree::{Decl, TypeExpr, TypeKind, ValueMap};
use dwmap_plan::Type;

use crate::diagnostics::{Diagnostic, UNKNOWN_ENUM, UNKNOWN_SCHEMA};
use crate::resolve::Sink;
use crate::resolve::fields::plain_type;
use crate::resolve::scope::Kind;
use crate::suggest::nearest;
use crate::types::context::{Context, Typed};
use crate::types::table;

/// The types of a value map's sides.
pub(crate) fn types<'a>(
    project: &Context<'a>,
    module: usize,
    it: &ValueMap,
    sink: &mut Sink,
) -> Option<(Typed<'a>, Typed<'a>)> {
    let left = side(project, module, &it.left, sink);
    let right = side(project, module, &it.right, sink);
    Some((left?, right?))
}

/// Checks all value maps.
pub(crate) fn check(project: &Context<'_>, sink: &mut Sink) {
    for (index, module) in project.names.modules.iter().enumerate() {
        for decl in &module.tree.decls {
            if let Decl::ValueMap(it) = decl
                && let Some((left, right)) = types(project, index, it, sink)
            {
                table::rows(&it.table, &left, &right, module.file, sink);
            }
        }
    }
}

fn side<'a>(
    project: &Context<'a>,
    module: usize,
    ty: &TypeExpr,
    sink: &mut Sink,
) -> Option<Typed<'a>> {
    let place = project.names.modules[module].place(ty.span);
    let TypeKind::Enum(name) = &ty.kind else {
        return Some(Typed {
            ty: plain_type(&ty.kind, place, sink)?,
            members: None,
            field: None,
            fold: true,
        });
    };
    let last = name.last()?;
    let place = project.names.modules[module].place(last.span);
    if name.qualifier().is_empty() {
        sink.push(
            Diagnostic::new(
                UNKNOWN_ENUM,
                place,
                format!("{} needs its schema before it", last.text),
            )
            .label("of which schema?")
            .help("for example `enum dv.msdyn_gender`"),
        );
        return None;
    }
    let decl =
        project
            .names
            .resolve(module, Kind::Schema, name.qualifier(), UNKNOWN_SCHEMA, sink)?;
    let schema = &project.schemas[*project.schema_ids.get(&decl)?];
    let Some(members) = schema.find_enum(&last.text) else {
        let names = schema.shape.enums.iter().map(|e| e.name.as_str());
        let message = format!("the schema {} has no enum {}", schema.shape.name, last.text);
        sink.push(
            Diagnostic::new(UNKNOWN_ENUM, place, message)
                .label("not one of its enums")
                .related(schema.place, "the schema")
                .meant(nearest(&last.text, names), place),
        );
        return None;
    };
    Some(Typed {
        ty: Type::Enum(last.text.clone()),
        members: Some(members),
        field: None,
        fold: false,
    })
}
