//! Customers as Finance & Operations sends them, from a seed.

use std::fmt::{self, Write};

use dwmap_plan::{Column, Program, Repr};

/// The keys of referenced records, by reference, as the map has them.
pub const KEYS: &[&[&str]] = &[
    &["usmf", "demf"],
    &["CP-1", "CP-2"],
    &["V-100", "V-101", "V-102"],
    &["10", "20", "30", "80"],
    &["USD", "EUR", "CHF"],
    &["US-001", "US-002"],
    &["Net10", "Net30", "Net45"],
    &["Monthly", "Quarterly"],
    &["Friday"],
    &["CHECK", "ELECTRONIC"],
];

/// Columns that hold a reference's text, in the order of [`KEYS`].
const REFERENCES: &[&str] = &[
    "dataAreaId",
    "ContactPersonId",
    "VendorAccount",
    "CustomerGroupId",
    "SalesCurrencyCode",
    "InvoiceAccount",
    "PaymentTerms",
    "PaymentSchedule",
    "PaymentDay",
    "PaymentMethod",
];

const TEXTS: &[&str] = &[
    "Fabrikam Fasteners",
    "Contoso Retail San Diego",
    "Forest Wholesales",
    "Zürcher Kälte AG",
    "12 Main St.",
    "accounts@fabrikam.example.com",
    "+1 555 0100",
    "Say \"hello\"",
    "",
];

/// A small generator, so that every run measures the same records.
pub struct Random(u64);

impl Random {
    /// From a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `n` (xorshift64*).
    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % n
    }
}

/// The order of keys.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The same in every record.
    Fixed,
    /// Another in every record.
    Shuffled,
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Fixed => "in order",
            Self::Shuffled => "shuffled",
        })
    }
}

/// Records for a program's columns.
pub fn customers(program: &Program, count: usize, order: Order) -> Vec<Vec<u8>> {
    let mut random = Random::new(0x5eed);
    (0..count)
        .map(|i| customer(program, i, order, &mut random))
        .collect()
}

fn customer(program: &Program, number: usize, order: Order, random: &mut Random) -> Vec<u8> {
    let mut members: Vec<(String, String)> = vec![(
        "@odata.etag".to_owned(),
        "\"W/\\\"JzEsNTYzNzE0NDU3Nic=\\\"\"".to_owned(),
    )];
    for column in &program.columns {
        let value = match column.repr {
            Repr::EnumName(0) => ["\"No\"", "\"Yes\""][random.below(2)].to_owned(),
            Repr::EnumName(1) => ["\"No\"", "\"All\"", "\"Payment\""][random.below(3)].to_owned(),
            Repr::EnumName(_) => "\"OrderAccount\"".to_owned(),
            Repr::Int32 => random.below(500).to_string(),
            Repr::Decimal(..) => format!("{}.{:03}", random.below(90), random.below(1000)),
            _ => text(column, number, random),
        };
        members.push((column.wire.clone(), value));
    }
    if order == Order::Shuffled {
        for i in (1..members.len()).rev() {
            members.swap(i, random.below(i + 1));
        }
    }
    let mut json = String::from("{");
    for (i, (key, value)) in members.iter().enumerate() {
        let comma = if i > 0 { "," } else { "" };
        // Writing to a string can't fail.
        let _ = write!(json, "{comma}\"{key}\":{value}");
    }
    json.push('}');
    json.into_bytes()
}

/// A text as long as its column takes.
fn text(column: &Column, number: usize, random: &mut Random) -> String {
    let wire = column.wire.as_str();
    let limit = column.storage.max_len.unwrap_or(u32::MAX) as usize;
    let text = match wire {
        "CustomerAccount" => format!("US-{number:06}"),
        "PartyType" => "Organization".to_owned(),
        "DeliveryAddressCountryRegionISOCode" | "InvoiceAddressCountryRegionISOCode" => {
            "US".to_owned()
        }
        "dataAreaId" | "CustomerGroupId" | "SalesCurrencyCode" => reference(wire, random),
        _ if REFERENCES.contains(&wire) && random.below(2) == 0 => String::new(),
        _ if REFERENCES.contains(&wire) => reference(wire, random),
        _ => TEXTS[random.below(TEXTS.len())]
            .chars()
            .take(limit)
            .collect(),
    };
    serde_json::to_string(&text).unwrap_or_default()
}

fn reference(wire: &str, random: &mut Random) -> String {
    let keys = REFERENCES
        .iter()
        .position(|r| *r == wire)
        .map_or(&[""][..], |at| KEYS[at]);
    keys[random.below(keys.len())].to_owned()
}
