//! `dwmap sandbox`: the two emulated systems.

use dwmap_plan::Schema;
use dwmap_sandbox::{Config, SandboxError};

use crate::args;
use crate::exit::{Ended, Failure, Outcome};
use crate::project;

pub(crate) async fn run(args: &args::Sandbox) -> Outcome {
    let [finops, dataverse] = stock_schemas()?;
    let sandbox = dwmap_sandbox::start(Config {
        dataverse_port: args.dataverse_port,
        finops_port: args.finops_port,
        seed: args.seed,
        customers: (!args.empty).then_some(args.customers),
        open: args.open,
        ..Config::new(&args.data, dataverse, finops)
    })
    .await
    .map_err(failure)?;
    println!(
        "ready dataverse=http://{}/api/data/v9.2/ finops=http://{}/data/",
        sandbox.dataverse(),
        sandbox.finops()
    );
    crate::signals::until_stopped().await?;
    sandbox.stop().await;
    Ok(Ended::Done)
}

/// The stock schemas of the ERP and of the CRM, whole.
pub(crate) fn stock_schemas() -> Result<[Schema; 2], Failure> {
    let stock = ["std.fno", "std.dataverse"];
    let project = dwmap_compiler::Project::new(Vec::new())
        .with_library(project::library)
        .with_stock(stock);
    let checked = dwmap_compiler::check(&project);
    let schema = |name: &str| {
        let schema = checked.schema(name).cloned();
        schema.ok_or_else(|| Failure::Internal(format!("the stock schema {name} doesn't check")))
    };
    Ok([schema(stock[0])?, schema(stock[1])?])
}

/// A sandbox that can't start is a matter of ports and folders.
pub(crate) fn failure(error: SandboxError) -> Failure {
    Failure::Configuration(error.to_string())
}
