//! Stock schemas and maps, embedded: what `use std.…` finds.
//!
//! The sources stand in `std/`, one module a file. This crate hands out their text and reads nothing: it depends on no
//! other crate, so that a runner without the compiler pays nothing for it.
//!
//! Together the maps are closed: every record that one of them refers to is brought by another. They need no party
//! model; vendors, contacts and customers are those of 2020, which carry names and addresses themselves.
//!
//! ```
//! let customers = dwmap_stdlib::module("std.customers").expect("a stock module");
//! assert!(customers.source.contains("map customers: fno.CustomersV3 <-> dv.accounts"));
//! ```

/// What a stock module declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One schema: the module *is* that schema by its alias.
    Schema,
    /// Maps, with their value maps and tests.
    Maps,
}

/// A stock module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Module {
    /// The path by which `use` finds it: `std.customers`.
    pub path: &'static str,
    /// What it declares.
    pub kind: Kind,
    /// Its text, in the dwmap language.
    pub source: &'static str,
}

impl Module {
    /// The name of its file, relative to this crate: what a message shows as the place.
    ///
    /// ```
    /// assert_eq!(dwmap_stdlib::module("std.fno").unwrap().file(), "std/fno.dwmap");
    /// ```
    pub fn file(&self) -> String {
        format!("{}.dwmap", self.path.replace('.', "/"))
    }
}

/// One row of [`MODULES`]: path and source come from the one name, so that they can't part.
macro_rules! module {
    ($kind:ident, $name:literal) => {
        Module {
            path: concat!("std.", $name),
            kind: Kind::$kind,
            source: include_str!(concat!("../std/", $name, ".dwmap")),
        }
    };
}

/// The schemas first, then the maps, each after those whose records it refers to where that is possible.
static MODULES: &[Module] = &[
    module!(Schema, "fno"),
    module!(Schema, "dataverse"),
    module!(Maps, "companies"),
    module!(Maps, "currencies"),
    module!(Maps, "payment_days"),
    module!(Maps, "payment_schedules"),
    module!(Maps, "payment_terms"),
    module!(Maps, "customer_payment_methods"),
    module!(Maps, "vendor_payment_methods"),
    module!(Maps, "sales_tax_groups"),
    module!(Maps, "customer_groups"),
    module!(Maps, "vendor_groups"),
    module!(Maps, "vendors"),
    module!(Maps, "contacts"),
    module!(Maps, "customers"),
];

/// All stock modules: schemas first, then maps.
pub fn modules() -> &'static [Module] {
    MODULES
}

/// The stock module of this path, if there is one. `None` for a path that isn't of the stock library.
///
/// ```
/// assert!(dwmap_stdlib::module("std.customers").is_some());
/// assert!(dwmap_stdlib::module("maps.customers").is_none());
/// ```
pub fn module(path: &str) -> Option<&'static Module> {
    MODULES.iter().find(|module| module.path == path)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[test]
    fn every_file_is_embedded() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("std");
        let on_disk: BTreeSet<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| format!("std/{}", entry.unwrap().file_name().to_string_lossy()))
            .collect();
        let embedded: BTreeSet<String> = MODULES.iter().map(Module::file).collect();
        assert_eq!(on_disk, embedded);
    }

    #[test]
    fn a_module_uses_stock_modules_alone() {
        for module in MODULES {
            for used in module
                .source
                .lines()
                .filter_map(|line| line.strip_prefix("use "))
            {
                let path = used.split_whitespace().next().unwrap();
                assert!(super::module(path).is_some(), "{} uses {path}", module.path);
            }
        }
    }
}
