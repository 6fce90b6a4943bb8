//! The refusals of Finance & Operations. Its reasons stand in `innererror.message`.

use dwmap_odata::ErrorBody;

use crate::filter::Refused;
use crate::http::{Call, Refusal};
use crate::model::Table;
use crate::value::Problem;

fn with_reason(status: u16, reason: String) -> Refusal {
    let body = ErrorBody {
        code: String::new(),
        message: "An error has occurred.".to_owned(),
        inner: Some(reason),
    };
    Refusal {
        status,
        body,
        headers: Vec::new(),
    }
}

/// Source: ASP.NET Web API's message for a route that it doesn't have.
pub(super) fn no_such_resource(call: &Call) -> Refusal {
    Refusal::new(
        404,
        "",
        format!(
            "No HTTP resource was found that matches the request URI '{}/data/{}'.",
            call.origin, call.path
        ),
    )
}

/// Source: *Open Data Protocol*: keys are complete.
pub(super) fn incomplete_key(table: &Table) -> Refusal {
    let names: Vec<&str> = table
        .key
        .iter()
        .map(|at| table.columns[*at].name.as_str())
        .collect();
    Refusal::new(
        400,
        "",
        format!(
            "The key of '{}' is not valid: it takes exactly {}.",
            table.set,
            names.join(", ")
        ),
    )
}

/// Source (~): what the service says of a row that isn't there.
pub(super) fn no_such_row(table: &Table) -> Refusal {
    with_reason(
        404,
        format!(
            "No resources were found when selecting for update in '{}'.",
            table.set
        ),
    )
}

/// Source: *Open Data Protocol*: the methods of an entity.
pub(super) fn method_not_allowed(call: &Call) -> Refusal {
    Refusal::new(
        405,
        "",
        format!(
            "The requested resource does not support http method '{}'.",
            call.method
        ),
    )
}

/// Source: *Open Data Protocol*, "Querying data": what can't be parsed or isn't supported.
pub(super) fn query(refused: Refused) -> Refusal {
    Refusal::new(
        400,
        "",
        format!("The query specified in the URI is not valid. {}", refused.0),
    )
}

/// Source: the OData library's message for a body that it can't read.
pub(super) fn malformed_body(problem: &str) -> Refusal {
    with_reason(400, format!("The request body is not valid: {problem}"))
}

/// Source: the OData library's message for a name that a type doesn't have.
pub(super) fn unknown_property(table: &Table, name: &str) -> Refusal {
    with_reason(
        400,
        format!(
            "The property '{name}' does not exist on type 'Microsoft.Dynamics.DataEntities.{}'. Make sure to only use property names that are defined by the type.",
            table.set
        ),
    )
}

/// Source: HTTP, and *Open Data Protocol*, optimistic concurrency by ETag.
pub(super) fn version_mismatch() -> Refusal {
    with_reason(412, "The ETag of the request doesn't match that of the record: it has been changed by another request.".to_owned())
}

/// Source (~): the Infolog of a failed write, as support articles show it.
pub(super) fn write_failed(table: &Table, reason: &str) -> Refusal {
    with_reason(
        400,
        format!(
            "Write failed for table row of type '{}'. Infolog: Error: {reason}",
            table.logical
        ),
    )
}

/// Source (~): the Infolog of a duplicate.
pub(super) fn duplicate(table: &Table) -> Refusal {
    write_failed(
        table,
        &format!(
            "Cannot create a record in {} ({}). The record already exists.",
            table.set, table.logical
        ),
    )
}

/// Source (~): the Infolog of a row whose mandatory field is blank.
pub(super) fn required(table: &Table, name: &str) -> Refusal {
    write_failed(
        table,
        &format!(
            "Field '{name}' must be filled in.; Error: validateWrite failed on data source '{}'.",
            table.logical
        ),
    )
}

/// Source (~): the Infolog of a value that a relation doesn't find.
pub(super) fn not_related(table: &Table, name: &str, value: &str, target: &str) -> Refusal {
    write_failed(
        table,
        &format!(
            "The value '{value}' in field '{name}' is not found in the related table '{target}'.; Error: validateWrite failed on data source '{}'.",
            table.logical
        ),
    )
}

/// Source (~): the Infolog of a value that a field can't hold.
pub(super) fn value(
    table: &Table,
    name: &str,
    json: &serde_json::Value,
    problem: Problem,
) -> Refusal {
    match problem {
        Problem::Length(max) => write_failed(
            table,
            &format!(
                "The value of field '{name}' is too long: it may have at most {max} characters."
            ),
        ),
        Problem::Range(range) => write_failed(
            table,
            &format!("The value of field '{name}' is outside of its range ({range})."),
        ),
        Problem::Member(accepted) => with_reason(
            400,
            format!("Cannot convert the literal '{json}' of '{name}': its members are {accepted}."),
        ),
        Problem::Type => with_reason(
            400,
            format!("Cannot convert the literal '{json}' to the expected type of '{name}'."),
        ),
    }
}

/// Source (~): the Infolog of a field that is not editable.
pub(super) fn read_only(table: &Table, name: &str) -> Refusal {
    write_failed(table, &format!("Field '{name}' does not allow editing."))
}
