//! Paths: from names between dots to fields, and to records of other entities.

use dwmap_grammar::tree::{Ident, Path};
use dwmap_plan::KeyPart;

use crate::diagnostics::{
    Diagnostic, ENDS_AT_NAVIGATION, MANY_REFERENCE_KEYS, NO_REFERENCE_KEY, NOT_A_NAVIGATION, Safety,
};
use crate::model::{EntityModel, Lookup, LookupPart, Operand, SchemaModel, Stripe};
use crate::resolve::Sink;
use crate::resolve::schemas::unknown_field;
use crate::sources::{FileId, Place};
use crate::suggest::nearest;

/// The entity in which paths are resolved, and how messages name it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PathScope<'a> {
    pub(crate) schema: &'a SchemaModel,
    pub(crate) entity: usize,
    pub(crate) file: FileId,
    /// The side's name in the map.
    pub(crate) side: &'a str,
}

impl<'a> PathScope<'a> {
    pub(crate) fn entity(&self) -> &'a EntityModel {
        &self.schema.entities[self.entity]
    }

    /// `dv.accounts`
    pub(crate) fn shown(&self) -> String {
        format!("{}.{}", self.side, self.entity().data.name)
    }

    fn place(&self, ident: &Ident) -> Place {
        Place {
            file: self.file,
            span: ident.span,
        }
    }

    /// Resolves a path; `None` where a diagnostic has been given (or was, for a poisoned name).
    pub(crate) fn resolve(
        &self,
        path: &Path,
        by_key: Option<&Ident>,
        sink: &mut Sink,
    ) -> Option<Operand> {
        let whole = Place {
            file: self.file,
            span: path.span,
        };
        if path.parts.is_some() {
            sink.not_yet(whole, "a reference of several parts or targets");
            return None;
        }
        match path.segments.as_slice() {
            [name] => self.field(name, sink).map(Operand::Field),
            [nav, field] => self.lookup(nav, field, by_key, whole, sink),
            _ => {
                sink.not_yet(whole, "a path across several navigations");
                None
            }
        }
    }

    fn field(&self, name: &Ident, sink: &mut Sink) -> Option<usize> {
        let entity = self.entity();
        if let Some(field) = entity.find_field(&name.text) {
            return Some(field);
        }
        let place = self.place(name);
        if let Some(nav) = entity.find_nav(&name.text) {
            sink.push(self.ends_at_navigation(nav, place));
        } else if !entity.poisoned.contains(&name.text) {
            sink.push(unknown_field(entity, Some(&self.shown()), name, place));
        }
        None
    }

    fn ends_at_navigation(&self, nav: usize, place: Place) -> Diagnostic {
        let entity = self.entity();
        let name = &entity.nav(nav).name;
        let target = entity.nav(nav).targets.first().cloned().unwrap_or_default();
        let diagnostic = Diagnostic::new(
            ENDS_AT_NAVIGATION,
            place,
            format!("{name} leads to a record of {target}: say by which of its fields"),
        )
        .label("a record, and no value")
        .related(entity.nav_places[nav], "the navigation");
        let example = self
            .schema
            .find_entity(&target)
            .and_then(|t| key_field(&self.schema.entities[t]));
        match example {
            Some(field) => diagnostic.fix(
                Safety::Suggestion,
                format!("{name}.{field}"),
                place,
                format!("{name}.{field}"),
            ),
            None => diagnostic,
        }
    }

    fn lookup(
        &self,
        nav: &Ident,
        field: &Ident,
        by_key: Option<&Ident>,
        whole: Place,
        sink: &mut Sink,
    ) -> Option<Operand> {
        let entity = self.entity();
        let Some(nav_at) = entity.find_nav(&nav.text) else {
            if !entity.poisoned.contains(&nav.text) {
                sink.push(self.not_a_navigation(nav, field));
            }
            return None;
        };
        let targets = &entity.nav(nav_at).targets;
        let [target] = targets.as_slice() else {
            if !targets.is_empty() {
                sink.not_yet(whole, "a reference with several targets");
            }
            return None;
        };
        let target_at = self.schema.find_entity(target)?;
        let target = &self.schema.entities[target_at];
        let Some(field_at) = target.find_field(&field.text) else {
            if !target.poisoned.contains(&field.text) {
                let shown = format!("{}.{}", self.side, target.data.name);
                sink.push(unknown_field(
                    target,
                    Some(&shown),
                    field,
                    self.place(field),
                ));
            }
            return None;
        };
        if !has_identity(target) {
            sink.not_yet(
                whole,
                "a reference to an entity whose key has several parts",
            );
            return None;
        }
        let (key, parts) = self.key_of(&nav.text, target, field_at, by_key, whole, sink)?;
        Some(Operand::Lookup(Lookup {
            nav: nav_at,
            target: target_at,
            field: field_at,
            key,
            parts,
        }))
    }

    fn not_a_navigation(&self, nav: &Ident, field: &Ident) -> Diagnostic {
        let entity = self.entity();
        let place = self.place(nav);
        if let Some(at) = entity.find_field(&nav.text) {
            let message = format!(
                "{} is a field, and leads to no record that could have a {}",
                nav.text, field.text
            );
            return Diagnostic::new(NOT_A_NAVIGATION, place, message)
                .label("a field")
                .related(entity.field_places[at], "declared here");
        }
        let message = format!("{} has no navigation {}", self.shown(), nav.text);
        Diagnostic::new(NOT_A_NAVIGATION, place, message)
            .label("not one of its navigations")
            .related(entity.place, "the entity")
            .meant(
                nearest(&nav.text, entity.data.navs.iter().map(|n| n.name.as_str())),
                place,
            )
    }

    /// The one key of the target whose parts are exactly the named field, with or without the company.
    fn key_of(
        &self,
        nav: &str,
        target: &EntityModel,
        field: usize,
        by_key: Option<&Ident>,
        whole: Place,
        sink: &mut Sink,
    ) -> Option<(String, Vec<LookupPart>)> {
        let striped = self.entity().stripe.is_some();
        let mut found: Vec<(&str, Vec<LookupPart>, Place)> = target
            .keys()
            .filter_map(|(name, parts, place)| {
                parts_of(target, parts, field, striped).map(|parts| (name, parts, place))
            })
            .collect();
        if let Some(wanted) = by_key {
            found.retain(|(name, ..)| *name == wanted.text);
        }
        if let [(name, parts, _)] = found.as_slice() {
            return Some(((*name).to_owned(), parts.clone()));
        }
        let names = &target.data.name;
        let field = &target.field(field).name;
        let company = if striped && target.stripe.is_some() {
            " and the company"
        } else {
            ""
        };
        let diagnostic = if found.is_empty() {
            let message = format!(
                "no key of {names} is made of {field}{company}, so a record can't be found by it"
            );
            let mut diagnostic =
                Diagnostic::new(NO_REFERENCE_KEY, whole, message).label("finds no record");
            for (name, parts, place) in target.keys() {
                diagnostic = diagnostic.related(place, key_in_words(name, parts));
            }
            match key_field(target) {
                Some(key) => {
                    let path = format!("{nav}.{key}");
                    diagnostic.fix(Safety::Suggestion, path.clone(), whole, path)
                }
                None => diagnostic,
            }
        } else {
            let keys: Vec<&str> = found.iter().map(|(name, ..)| *name).collect();
            let message = format!(
                "{} keys of {names} are complete here, {}, and they may find different records",
                found.len(),
                crate::suggest::listed(&keys, "and")
            );
            let mut diagnostic =
                Diagnostic::new(MANY_REFERENCE_KEYS, whole, message).label("by which of them?");
            for (name, _, place) in &found {
                diagnostic = diagnostic.related(*place, format!("the key {name}"));
            }
            diagnostic.help("name the key at the end of the line: `by key NAME`")
        };
        sink.push(diagnostic);
        None
    }
}

/// Whether a record of the entity is referred to by one value: its primary key is one field.
pub(crate) fn has_identity(entity: &EntityModel) -> bool {
    matches!(entity.data.key.as_slice(), [KeyPart::Field(_)])
}

/// A key in words: `byGroup(msdyn_groupid, msdyn_company)`.
pub(crate) fn key_in_words(name: &str, parts: &[KeyPart]) -> String {
    let names: Vec<&str> = parts.iter().map(KeyPart::name).collect();
    format!("{name}({})", names.join(", "))
}

/// The key's parts, if they are exactly the named field, with or without the company.
fn parts_of(
    target: &EntityModel,
    parts: &[KeyPart],
    field: usize,
    striped: bool,
) -> Option<Vec<LookupPart>> {
    let parts: Option<Vec<LookupPart>> = parts
        .iter()
        .map(|part| match part {
            KeyPart::Field(name) if target.find_field(name) == Some(field) => {
                Some(LookupPart::Named)
            }
            KeyPart::Field(name) => match target.stripe {
                Some(Stripe::Field(at)) if striped && target.find_field(name) == Some(at) => {
                    Some(LookupPart::CompanyField(at))
                }
                _ => None,
            },
            KeyPart::Nav(name) => match target.stripe {
                Some(Stripe::Nav { nav, .. }) if striped && target.find_nav(name) == Some(nav) => {
                    Some(LookupPart::CompanyNav(nav))
                }
                _ => None,
            },
        })
        .collect();
    parts.filter(|parts| parts.contains(&LookupPart::Named))
}

/// A field by which records of an entity are found: the one part beside the company of one of its keys.
fn key_field(target: &EntityModel) -> Option<&str> {
    let keys: Vec<_> = target.keys().collect();
    // Alternate keys first: people know those by heart.
    keys.iter().rev().find_map(|(_, parts, _)| {
        (0..target.data.fields.len())
            .find(|field| parts_of(target, parts, *field, true).is_some())
            .map(|field| target.field(field).name.as_str())
    })
}
