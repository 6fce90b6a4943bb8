//! Types of the columns, and how they are stored.

use dwmap_plan::{EnumDef, LengthUnit, Member, NullForm, Storage, Type, Value};

/// A storage form without conventions.
pub fn storage(max_len: Option<u32>) -> Storage {
    Storage {
        null: NullForm::default(),
        nullable: true,
        required: false,
        trim_end: false,
        max_len,
        unit: LengthUnit::Utf16,
        min: None,
        max: None,
        one_of: vec![],
    }
}

/// A text of Finance & Operations: blanks at its end go, empty is null; a key's is never null.
pub(super) fn erp_text(max_len: u32, key: bool) -> Storage {
    let empty = (!key).then(|| Value::from(""));
    Storage {
        null: NullForm {
            read: empty.clone(),
            write: empty,
        },
        nullable: false,
        trim_end: true,
        ..storage(Some(max_len))
    }
}

/// A text of Dataverse: empty is null.
pub(super) fn crm_text(max_len: u32) -> Storage {
    Storage {
        null: NullForm {
            read: Some(Value::from("")),
            write: None,
        },
        ..storage(Some(max_len))
    }
}

pub(super) fn no_yes() -> EnumDef {
    let member = |name: &str, value| Member {
        name: name.to_owned(),
        value,
    };
    EnumDef {
        name: "NoYes".to_owned(),
        boolean: true,
        members: vec![member("No", 0), member("Yes", 1)],
    }
}

pub(super) fn no_yes_storage() -> Storage {
    Storage {
        null: NullForm {
            read: None,
            write: Some(Value::Int(0)),
        },
        nullable: false,
        ..storage(None)
    }
}

pub(super) const CODE: Type = Type::Text(Some(4));
pub(super) const GROUP: Type = Type::Text(Some(10));
pub(super) const DESCRIPTION: Type = Type::Text(Some(60));

pub(super) fn no_yes_type() -> Type {
    Type::Enum("NoYes".to_owned())
}
