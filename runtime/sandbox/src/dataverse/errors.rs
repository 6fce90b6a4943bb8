//! The refusals of Dataverse, each with its source. Codes are those of *Web service error codes*.

use crate::filter::Refused;
use crate::http::Refusal;
use crate::model::Table;
use crate::value::Problem;

/// Source: the OData library's message for a segment that no set has.
pub(super) fn no_such_set(set: &str) -> Refusal {
    Refusal::new(
        404,
        "0x8006088a",
        format!("Resource not found for the segment '{set}'."),
    )
}

/// Source: the OData library's message for a URI that it can't parse.
pub(super) fn malformed_path(path: &str) -> Refusal {
    Refusal::new(
        400,
        "0x80060888",
        format!("Bad Request - Error in query syntax: '{path}'."),
    )
}

/// Source: *Query data using the Web API*: what can't be parsed or isn't supported is a bad request.
pub(super) fn query(refused: Refused) -> Refusal {
    Refusal::new(400, "0x80060888", refused.0)
}

/// Source: *Page results*: "`$skip` isn't supported".
pub(super) fn no_skip() -> Refusal {
    Refusal::new(400, "0x80060888", "Skip Clause is not supported in CRM")
}

/// Source: *Compose HTTP requests and handle errors*, status 405.
pub(super) fn method_not_allowed(method: &str) -> Refusal {
    Refusal::new(
        405,
        "0x8006088a",
        format!("The requested resource does not support http method '{method}'."),
    )
}

/// Source (~): *Virtual entities overview*; the sandbox writes the ERP's data by its own service only.
pub(super) fn read_only_table(table: &Table) -> Refusal {
    Refusal::new(
        405,
        "0x80040216",
        format!(
            "The sandbox serves virtual table {} for reading only; write to the ERP's /data.",
            table.logical
        ),
    )
}

/// Source: *Perform conditional operations using the Web API*, example of 404.
pub(super) fn no_such_row(table: &Table, id: &str) -> Refusal {
    Refusal::new(
        404,
        "0x80040217",
        format!("{} With Id = {id} Does Not Exist", table.logical),
    )
}

/// Source: *Web service error codes*, RecordNotFoundByEntityKey.
pub(super) fn no_such_key(table: &Table) -> Refusal {
    Refusal::new(
        404,
        "0x80060891",
        format!(
            "A record with the specified key values does not exist in {} entity",
            table.logical
        ),
    )
}

/// Source: *Use an alternate key to reference a record*: the names must be those of a key.
pub(super) fn not_a_key(table: &Table) -> Refusal {
    let resource = format!("Microsoft.Dynamics.CRM.{}", table.logical);
    Refusal::new(
        400,
        "0x80060888",
        format!(
            "The key in the request URI is not valid for resource '{resource}'. Ensure that the names and number of key properties match the declared or alternate key properties for the resource '{resource}'."
        ),
    )
}

/// Source: *Perform conditional operations*, `If-None-Match: *`; DuplicateRecord.
pub(super) fn exists() -> Refusal {
    Refusal::new(
        412,
        "0x80040237",
        "A record with matching key values already exists.",
    )
}

/// Source: *Web service error codes*, DuplicateRecordEntityKey.
pub(super) fn duplicate_key(names: &str) -> Refusal {
    Refusal::new(
        412,
        "0x80060892",
        format!(
            "A record that has the attribute values {names} already exists. The entity key requires that this set of attributes contains unique values. Select unique values and try again."
        ),
    )
}

/// Source: *Perform conditional operations*, `If-Match` with an old version; ConcurrencyVersionMismatch.
pub(super) fn version_mismatch() -> Refusal {
    Refusal::new(
        412,
        "0x80060882",
        "The version of the existing record doesn't match the RowVersion property provided.",
    )
}

/// Source (~): the OData library's message for a body that isn't JSON.
pub(super) fn malformed_body(problem: &str) -> Refusal {
    Refusal::new(
        400,
        "0x80048d19",
        format!(
            "Error identified in Payload provided by the user for Entity :'', InnerException : Microsoft.OData.ODataException: {problem}"
        ),
    )
}

/// Source: the OData library's message for a name that a type doesn't have; UndeclaredProperty.
pub(super) fn unknown_property(table: &Table, name: &str) -> Refusal {
    let kind = format!("Microsoft.Dynamics.CRM.{}", table.logical);
    Refusal::new(
        400,
        "0x80048d19",
        format!(
            "Error identified in Payload provided by the user for Entity :'{}', InnerException : Microsoft.OData.ODataException: The property '{name}' does not exist on type '{kind}'. Make sure to only use property names that are defined by the type.",
            table.set
        ),
    )
}

/// Source: *Associate and disassociate table rows*: look-ups are set by `@odata.bind`.
pub(super) fn direct_lookup() -> Refusal {
    Refusal::new(
        400,
        "0x80048d19",
        "CRM do not support direct update of Entity Reference properties, Use Navigation properties instead.",
    )
}

/// Source (~): *Create a table row*, "Create related rows in one operation" is beyond the sandbox.
pub(super) fn no_deep_insert(name: &str) -> Refusal {
    Refusal::new(
        501,
        "0x80060888",
        format!("The sandbox creates no related rows: set '{name}' by '{name}@odata.bind'."),
    )
}

/// Source: *Web service error codes*: what the platform says of a value that doesn't fit.
pub(super) fn value(
    table: &Table,
    name: &str,
    json: &serde_json::Value,
    problem: Problem,
) -> Refusal {
    let entity = &table.logical;
    match problem {
        Problem::Length(max) => Refusal::new(
            400,
            "0x80044331",
            format!(
                "A validation error occurred. The length of the '{name}' attribute of the '{entity}' entity exceeded the maximum allowed length of '{max}'."
            ),
        ),
        Problem::Range(range) => Refusal::new(
            400,
            "0x80044330",
            format!(
                "A validation error occurred. The value of '{name}' on record of type '{entity}' is outside the valid range ({range})."
            ),
        ),
        Problem::Member(accepted) => Refusal::new(
            400,
            "0x8004431a",
            format!(
                "A validation error occurred. The value {json} of '{name}' on record of type '{entity}' is outside the valid range. Accepted Values: {accepted}"
            ),
        ),
        Problem::Type => Refusal::new(
            400,
            "0x80048d19",
            format!(
                "Error identified in Payload provided by the user for Entity :'{}', InnerException : Microsoft.OData.ODataException: Cannot convert the value {json} of '{name}' to the type of the property.",
                table.set
            ),
        ),
    }
}

/// Source (~): *Web service error codes*, InvalidArgument.
pub(super) fn required(table: &Table, name: &str) -> Refusal {
    Refusal::new(
        400,
        "0x80040203",
        format!(
            "Attribute '{name}' of entity '{}' cannot be null.",
            table.logical
        ),
    )
}

/// Source (~): *Web service error codes*, InvalidArgument; `IsValidForUpdate` of the column.
pub(super) fn read_only(table: &Table, name: &str) -> Refusal {
    Refusal::new(
        400,
        "0x80040203",
        format!(
            "Attribute '{name}' of entity '{}' cannot be set by this request.",
            table.logical
        ),
    )
}

/// Source: *Bulk operation messages*: `@odata.type` is required on each row.
pub(super) fn no_type(table: &Table) -> Refusal {
    Refusal::new(
        400,
        "0x80048d19",
        format!(
            "Error identified in Payload provided by the user for Entity :'{}', InnerException : Microsoft.OData.ODataException: A type named '' could not be resolved by the model. '@odata.type' must be 'Microsoft.Dynamics.CRM.{}'.",
            table.set, table.logical
        ),
    )
}

/// Source: *Use change tracking to synchronize data*: these options aren't supported beside it.
pub(super) fn not_when_tracking(option: &str) -> Refusal {
    Refusal::new(
        400,
        "0x80060888",
        format!(
            "The \"{option}\" query parameter isn't supported when Change Tracking is enabled."
        ),
    )
}

/// Source (~): *Use change tracking*, "Change tracking must be enabled for the table".
pub(super) fn not_tracked(table: &Table) -> Refusal {
    Refusal::new(
        400,
        "0x80060888",
        format!(
            "Entity: {} doesn't have change tracking enabled.",
            table.logical
        ),
    )
}

/// Source: *Use change tracking*, `ExpireChangeTrackingInDays`; ExpiredVersionStamp.
pub(super) fn expired_token() -> Refusal {
    Refusal::new(
        400,
        "0x80044352",
        "Version stamp associated with the client has expired. Please perform a full sync.",
    )
}

/// Source (~): what the service says of a token that it didn't make.
pub(super) fn malformed_token() -> Refusal {
    Refusal::new(
        400,
        "0x80060888",
        "The paging cookie or delta token is malformed.",
    )
}
