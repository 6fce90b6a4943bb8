//! The names under which Dataverse shows an entity of Finance & Operations as a virtual table.
//!
//! Source: *Virtual entities overview* and *Entity naming* of the Finance & Operations documentation: prefix `mserp_`,
//! the physical name in lower case, the set's name in the English plural.

/// The logical name: `mserp_custcustomerv3entity` for `CustCustomerV3Entity`.
pub fn logical_name(physical: &str) -> String {
    format!("mserp_{}", physical.to_lowercase())
}

/// The set's name in a URL: `mserp_custcustomerv3entities`.
///
/// ```
/// use dwmap_odata::virtual_table::set_name;
/// assert_eq!(set_name("CustCustomerV3Entity"), "mserp_custcustomerv3entities");
/// assert_eq!(set_name("DirParty"), "mserp_dirparties");
/// assert_eq!(set_name("PaymentDay"), "mserp_paymentdays");
/// ```
pub fn set_name(physical: &str) -> String {
    let logical = logical_name(physical);
    match logical.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
        _ if logical.ends_with(['s', 'x', 'z']) => format!("{logical}es"),
        _ => format!("{logical}s"),
    }
}

/// The primary key's column: `mserp_custcustomerv3entityid`.
pub fn id_column(physical: &str) -> String {
    format!("{}id", logical_name(physical))
}

/// A field's column: `mserp_customeraccount` for `CustomerAccount`.
pub fn column(field: &str) -> String {
    format!("mserp_{}", field.to_lowercase())
}

/// The column that holds the key's values, joined by `|`.
pub const PRIMARY_FIELD: &str = "mserp_primaryfield";
