//! What the tests share.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a panic is a failed test")]

pub mod bed;
pub mod schema;
pub mod scripted;

use bytes::Bytes;
use dwmap_connect::{Guard, RecordKey, Write, WriteKind};
use dwmap_plan::{Address, Dialect, Query, Repr, Value};

/// An account's query: its id, name and number.
pub fn accounts() -> Query {
    Query {
        address: Address {
            set: "accounts".to_owned(),
            physical: "account".to_owned(),
            dialect: Dialect::Dataverse,
            key: vec![("accountid".to_owned(), Repr::Guid)],
        },
        columns: ["accountid", "name", "accountnumber"]
            .map(str::to_owned)
            .to_vec(),
        filter: None,
        order: Vec::new(),
        enums: Vec::new(),
    }
}

/// A customer's query.
pub fn customers() -> Query {
    Query {
        address: Address {
            set: "CustomersV3".to_owned(),
            physical: "CustCustomerV3Entity".to_owned(),
            dialect: Dialect::Finops,
            key: ["dataAreaId", "CustomerAccount"]
                .map(|n| (n.to_owned(), Repr::Text))
                .to_vec(),
        },
        columns: ["dataAreaId", "CustomerAccount", "OrganizationName"]
            .map(str::to_owned)
            .to_vec(),
        filter: None,
        order: Vec::new(),
        enums: Vec::new(),
    }
}

pub fn id(n: u8) -> RecordKey {
    let mut guid = [0; 16];
    guid[15] = n;
    vec![Value::Guid(guid)]
}

pub fn guid(n: u8) -> String {
    format!("00000000-0000-0000-0000-0000000000{n:02x}")
}

pub fn create(body: &'static str) -> Write {
    Write {
        kind: WriteKind::Create {
            body: Bytes::from_static(body.as_bytes()),
        },
        guard: Guard::Absent,
        natural_key: Vec::new(),
        wants_row: false,
    }
}

pub fn update(key: RecordKey, body: &'static str) -> Write {
    Write {
        kind: WriteKind::Update {
            key,
            body: Bytes::from_static(body.as_bytes()),
        },
        guard: Guard::Exists,
        natural_key: Vec::new(),
        wants_row: false,
    }
}
