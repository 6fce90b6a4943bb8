//! Makes `facts/lines.tsv`: the lines of the published map tables that the stock maps carry.
//!
//! ```sh
//! cargo run -p dwmap-stdlib --example facts -- DUALWRITE-MAPS.json > stdlib-maps/facts/lines.tsv
//! ```
//!
//! The argument is the public tables of Dual-write (Microsoft's documentation, CC BY 4.0) as JSON: a list of maps, each
//! `{ "map": TITLE, "fields": [[F&O field, direction, Dataverse path, transform], …] }`. Directions there are `=` and
//! `><` (both ways), `>` and `>>` (to Dataverse), `<` and `<<` (to F&O); `none` is a constant's missing side.

use std::{env, error::Error, fmt::Write, fs, process::ExitCode};

use serde::Deserialize;

/// Which published table each stock map is made from. Those without a year are of the present generation; the three
/// that need the party model there are taken from 2020.
const TABLES: &[(&str, &str)] = &[
    ("companies", "Legal entities / cdm_companies"),
    ("currencies", "Currencies / transactioncurrencies"),
    ("payment_days", "Payment days CDS / msdyn_paymentdays"),
    (
        "payment_day_lines",
        "Payment day lines CDS V2 / msdyn_paymentdaylines",
    ),
    (
        "payment_schedules",
        "Payment schedule / msdyn_paymentschedules",
    ),
    (
        "payment_schedule_lines",
        "Payment schedule lines / msdyn_paymentschedulelines",
    ),
    ("payment_terms", "Terms of payment / msdyn_paymentterms"),
    (
        "customer_payment_methods",
        "Customer payment method / msdyn_customerpaymentmethods",
    ),
    (
        "vendor_payment_methods",
        "Vendor payment method / msdyn_vendorpaymentmethods",
    ),
    ("sales_tax_groups", "Sales tax groups / msdyn_taxgroups"),
    ("customer_groups", "Customer groups / msdyn_customergroups"),
    ("vendor_groups", "Vendor groups / msdyn_vendorgroups"),
    ("vendors", "Vendors V2 / msdyn_vendors [2020-02]"),
    ("contacts", "CDS Contacts V2 / contacts [2020-02]"),
    ("customers", "Customers V3 / accounts [2020-02]"),
];

#[derive(Deserialize)]
struct Table {
    map: String,
    fields: Vec<[String; 4]>,
}

fn main() -> ExitCode {
    match run() {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("facts: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<String, Box<dyn Error>> {
    let path = env::args()
        .nth(1)
        .ok_or("name the JSON file of the published tables")?;
    let tables: Vec<Table> = serde_json::from_str(&fs::read_to_string(path)?)?;
    let mut text = String::from(
        "# Lines of the map tables in Microsoft's documentation of Dual-write, CC BY 4.0. Made by examples/facts.rs: don't edit.\n# map\tF&O field\tdirection\tDataverse path\ttransform\n",
    );
    for (map, title) in TABLES {
        let table = tables
            .iter()
            .find(|table| table.map == *title)
            .ok_or_else(|| format!("no table is called {title:?}"))?;
        for [fno, direction, dataverse, transform] in &table.fields {
            let direction = match direction.as_str() {
                "=" | "><" => "<->",
                ">" | ">>" => "->",
                "<" | "<<" => "<-",
                other => return Err(format!("{title}: no direction is written {other:?}").into()),
            };
            let (fno, dataverse) = (side(fno), side(dataverse));
            writeln!(text, "{map}	{fno}	{direction}	{dataverse}	{transform}")?;
        }
    }
    Ok(text)
}

/// A constant's missing side is written as a dash.
fn side(path: &str) -> &str {
    if path == "none" { "-" } else { path }
}
