//! Applies fixes.

use std::collections::BTreeMap;

use super::{Diagnostics, Safety};
use crate::project::SourceFile;
use crate::sources::{FileId, Place};

impl Diagnostics {
    /// The project's own texts with all safe fixes in them; only those that change. A fix that overlaps an earlier
    /// one is left for the next time.
    pub fn apply_fixes(&self) -> Vec<SourceFile> {
        let mut edits: BTreeMap<FileId, Vec<(Place, &str)>> = BTreeMap::new();
        let fixes = self.list.iter().filter_map(|d| d.fix.as_ref());
        for fix in fixes.filter(|fix| fix.safety == Safety::Safe) {
            let own = |place: &Place| !self.sources.get(place.file).library;
            let free = |place: &Place| {
                edits.get(&place.file).is_none_or(|taken| {
                    taken.iter().all(|(t, _)| {
                        place.span.end < t.span.start || t.span.end < place.span.start
                    })
                })
            };
            if fix.edits.iter().all(|(place, _)| own(place) && free(place)) {
                for (place, text) in &fix.edits {
                    edits.entry(place.file).or_default().push((*place, text));
                }
            }
        }
        edits
            .into_iter()
            .map(|(file, edits)| self.mended(file, edits))
            .collect()
    }

    fn mended(&self, file: FileId, mut edits: Vec<(Place, &str)>) -> SourceFile {
        edits.sort_by_key(|(place, _)| place.span);
        let source = self.sources.get(file);
        let mut text = String::with_capacity(source.text.len() + 64);
        let mut from = 0;
        for (place, replacement) in edits {
            text.push_str(&source.text[from..place.span.start]);
            text.push_str(replacement);
            from = place.span.end;
        }
        text.push_str(&source.text[from..]);
        SourceFile::new(source.path.clone(), text)
    }
}
