//! From the checked model to the plan.

mod filter;
pub(crate) mod map;
mod order;
mod program;
mod project;
pub(crate) mod repr;
mod value;

use dwmap_plan::Plan;
use dwmap_plan::verify::{self, VerifyError};

use crate::check::check;
use crate::diagnostics::Diagnostics;
use crate::model::Model;
use crate::project::Project;
use crate::sources::Sources;

/// Why no plan was built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The project has mistakes.
    #[error("the project has {} errors; mend them and build again", .0.counts().0)]
    Mistakes(Diagnostics),
    /// A plan was made that the verifier refuses: a mistake of the compiler.
    #[error(
        "the compiler made a plan that can't run ({0}); please report this with the project's maps"
    )]
    Refused(#[from] VerifyError),
}

/// Builds a project's plan. The warnings that were found come with it.
pub fn build(project: &Project) -> Result<(Plan, Diagnostics), BuildError> {
    let checked = check(project);
    if checked.diagnostics.has_errors() {
        return Err(BuildError::Mistakes(checked.diagnostics));
    }
    let plan = lower(
        &project.options.name,
        &checked.model,
        &checked.diagnostics.sources,
    );
    verify::plan(&plan)?;
    Ok((plan, checked.diagnostics))
}

/// Lowers a model that was checked without errors.
fn lower(name: &str, model: &Model, sources: &Sources) -> Plan {
    let (systems, schemas) = project::systems(model);
    let mut maps: Vec<dwmap_plan::MapPlan> = model
        .maps
        .iter()
        .map(|map| map::lower(model, sources, map, &schemas))
        .collect();
    order::order(&mut maps);
    Plan {
        name: name.to_owned(),
        compiler: env!("CARGO_PKG_VERSION").to_owned(),
        systems,
        maps,
    }
}
