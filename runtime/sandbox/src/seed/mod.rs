//! Plausible data for both systems, from one seed.
//!
//! Names are those of the stock schemas; entities and fields that a schema lacks are passed over. Each record is made
//! from the seed and its own number alone, so that any number of them needs no memory, and each file is filled in one
//! transaction: it is seeded whole or not at all.

mod customers;
mod dice;
mod record;
mod reference;
mod vendors;
mod words;

use record::Side;

use crate::dataverse::Dataverse;
use crate::finops::Finops;
use crate::http::Refusal;
use crate::model::{Model, Service};
use crate::store::{self, Store};
use crate::{Config, SandboxError};

/// Seeds both systems, unless they hold data.
pub(crate) fn seed(
    config: &Config,
    dataverse: &Dataverse,
    finops: &Finops,
) -> Result<(), SandboxError> {
    let Some(customers) = config.customers else {
        return Ok(());
    };
    fill(&finops.store, &finops.model, config.seed, customers)?;
    fill(&dataverse.store, &dataverse.model, config.seed, customers)
}

fn fill(store: &Store, model: &Model, seed: u64, customers: usize) -> Result<(), SandboxError> {
    let side = match model.service {
        Service::Finops => Side::Erp,
        Service::Dataverse => Side::Crm,
    };
    let records = reference::records()
        .into_iter()
        .chain(vendors::records(seed, customers))
        .chain((0..customers).map(|n| customers::record(seed, n)));
    let filled = store.write(|writing| {
        if store::version(&writing.tx)? > store::FIRST_VERSION {
            return Ok(());
        }
        for record in records.filter(|r| r.stands_in(side)) {
            if let Some((table, row)) = record.row(model, side) {
                writing.insert(table, &row)?;
            }
        }
        Ok::<_, Refusal>(())
    });
    filled.map_err(|refusal| SandboxError::Seed(refusal.body.message))
}
