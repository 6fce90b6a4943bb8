//! The codes of what can be wrong with a record beside its values, with what `dwmap explain R0401` says of each.

/// A code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// The code.
    pub code: &'static str,
    /// A few words.
    pub title: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What to do.
    pub next_step: &'static str,
}

/// All codes, in order.
pub const CODES: &[Code] = &[
    Code {
        code: "R0401",
        title: "refused by the target",
        meaning: "The target system refused the record, in the words that stand beside. Nothing of it was written.",
        next_step: "Correct the record at its source, or what the target asks for; then it goes by itself at its next change, or with `dwmap errors retry`.",
    },
    Code {
        code: "R0402",
        title: "waits for another record",
        meaning: "A reference names a record that isn't there yet, and the line says `on missing park` (the default for keys and required references).",
        next_step: "Nothing, if the record is on its way: this one goes on by itself when it appears. Else create it, or correct the reference.",
    },
    Code {
        code: "R0403",
        title: "referenced record missing",
        meaning: "A reference names a record that isn't there, and the line says `on missing reject`.",
        next_step: "Create the record or correct the reference, then retry.",
    },
    Code {
        code: "R0404",
        title: "second claimant of a key",
        meaning: "Another record of the same side is already kept in step under this key. Two records are never merged into one.",
        next_step: "Give one of the two another key, or delete it; then retry.",
    },
    Code {
        code: "R0405",
        title: "record without a key",
        meaning: "A field that a key line reads is empty, so that the record can't be paired.",
        next_step: "Fill in the field, or narrow the map's `where` to records that have it.",
    },
    Code {
        code: "R0406",
        title: "key changed",
        meaning: "The record's key is no longer the one it was paired by. Keys are written only when a record is born.",
        next_step: "Set the key back, or change it on the other side too and retry.",
    },
    Code {
        code: "R0407",
        title: "conflict to decide",
        meaning: "Both sides changed, and the policy is `conflict manual`.",
        next_step: "Set both sides to the value that is right, then retry; or give the line `conflict prefer`.",
    },
    Code {
        code: "R0408",
        title: "never settles",
        meaning: "A system changes what it is sent each time, and its change doesn't agree with the source. After two tries it is left as it stands.",
        next_step: "Look which rule or plug-in of the system rewrites the field; make the line one-way, or give it a step that says the same.",
    },
    Code {
        code: "R0409",
        title: "held by the brake",
        meaning: "More records were to be deleted or deactivated within an hour than `delete_max` allows.",
        next_step: "Look at the list: `dwmap errors list`. `dwmap approve MAP` lets all of them go; `dwmap errors discard` keeps a record, and `dwmap resume MAP` goes on.",
    },
    Code {
        code: "R0410",
        title: "absence not confirmed",
        meaning: "The record can't be read any more, but neither can its neighbours: perhaps a right was taken away, not the record.",
        next_step: "Check the account's rights. If the records are truly deleted, `dwmap approve MAP` says so.",
    },
    Code {
        code: "R0411",
        title: "held by a person",
        meaning: "Somebody said `dwmap hold` of it: nothing is written on either side, and what changes meanwhile is kept as a change.",
        next_step: "`dwmap release` lets it go on from what both sides hold then.",
    },
    Code {
        code: "R0412",
        title: "created or not",
        meaning: "A record whose key the other system draws was sent to be created, and no answer came. Either the map has no `probe by`, or more than one record fits it. Nothing is created again, and no record that could be the one is taken for a new one.",
        next_step: "Look in the system that draws the key. If it is there, `dwmap link MAP LEFT RIGHT` pairs the two; if not, `dwmap errors retry` creates it.",
    },
    Code {
        code: "R0413",
        title: "several records fit",
        meaning: "By the map's `match by` more than one record fits on a side. Two records are never merged by a guess.",
        next_step: "`dwmap link MAP LEFT RIGHT` pairs two of them; `dwmap errors retry` takes this one for a record of its own.",
    },
    Code {
        code: "R0501",
        title: "entity gone",
        meaning: "The system no longer has an entity that a map needs, or the account lost the right to see it. The map stands still as `failed`; other maps go on.",
        next_step: "Bring the entity back, or the right to it: the map goes on by itself. Or take the map out of the project.",
    },
    Code {
        code: "R0502",
        title: "field gone",
        meaning: "The system no longer has a field that a line reads or writes, or the account lost the right to see it. The line stands still and the rest of the map goes on; where each record needs the field (a key, the filter, the company), the map stands still as `failed`.",
        next_step: "Bring the field back, or the right to it: the line is then back by itself, and its records meet by `initial`, like those of a new line. Or take it out of map and schema.",
    },
    Code {
        code: "R0503",
        title: "field of another kind",
        meaning: "The field holds another kind of value than the schema says, so that what is read or written can't be trusted. Its lines stand still.",
        next_step: "Say in the schema what the field holds now, and see that the line still fits.",
    },
    Code {
        code: "R0504",
        title: "field narrowed",
        meaning: "The field takes less than the schema says: shorter texts, fewer digits, a smaller range. What the compiler proved of the line no longer holds, so it stands still.",
        next_step: "Widen the field again, or say in the schema what it takes now, and build: the compiler checks the line against it.",
    },
    Code {
        code: "R0505",
        title: "field can't be written",
        meaning: "A line writes a field that has become read-only, or that the account may no longer write. The line stands still.",
        next_step: "Let the field be written again, or make the line one-way away from it.",
    },
    Code {
        code: "R0506",
        title: "member gone",
        meaning: "A choice no longer has a member that the schema declares and the line may send. The line stands still.",
        next_step: "Bring the member back, or take it out of the schema and of the tables that lead to it.",
    },
];

/// The code of this name.
pub fn code(code: &str) -> Option<&'static Code> {
    CODES.iter().find(|c| c.code.eq_ignore_ascii_case(code))
}
