use crate::{Config, SandboxError, dataverse::Dataverse, finops::Finops};
pub(crate) fn seed(_config: &Config, _d: &Dataverse, _f: &Finops) -> Result<(), SandboxError> {
    Ok(())
}
