//! Both services over their files, and how they are made anew when a schema is altered.

use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use crate::alter::{Alteration, Altered, alter};
use crate::dataverse::{Dataverse, Erp};
use crate::finops::Finops;
use crate::http::{Refusal, Served};
use crate::notify::Notifier;
use crate::store::{Store, lock};
use crate::{Config, SandboxError, model, seed};

/// Whose schema is altered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Dataverse,
    Finops,
}

/// What each service needs to have its own schema altered.
#[derive(Clone, Default)]
pub(crate) struct Handle(Weak<Landscape>);

impl Handle {
    /// Replaces the alterations of a schema by those of a JSON array.
    pub(crate) fn alter(&self, which: Which, json: &[u8]) -> Result<(), Refusal> {
        let alterations: Vec<Alteration> =
            serde_json::from_slice(json).map_err(|e| Refusal::new(400, "", e.to_string()))?;
        let landscape = self.0.upgrade();
        let landscape = landscape.ok_or_else(|| Refusal::new(503, "", "The sandbox stops."))?;
        landscape.alter(which, alterations)
    }

    /// The alterations in force, as JSON.
    pub(crate) fn show(&self, which: Which) -> String {
        let landscape = self.0.upgrade();
        let shown = landscape.map(|l| serde_json::to_string(lock(&l.altered).of(which)));
        shown.and_then(Result::ok).unwrap_or_default()
    }
}

/// The alterations of both schemas.
#[derive(Debug, Clone, Default)]
struct Alterations {
    dataverse: Vec<Alteration>,
    finops: Vec<Alteration>,
}

impl Alterations {
    fn of(&self, which: Which) -> &Vec<Alteration> {
        match which {
            Which::Dataverse => &self.dataverse,
            Which::Finops => &self.finops,
        }
    }
}

/// Both services, and what stays the same when a schema is altered.
pub(crate) struct Landscape {
    config: Config,
    stores: [Arc<Store>; 2],
    notifiers: [Arc<Notifier>; 2],
    altered: Mutex<Alterations>,
    pub dataverse: Served<Dataverse>,
    pub finops: Served<Finops>,
}

/// Opens the files, seeds them if they are new, and makes the services.
pub(crate) fn open(config: Config) -> Result<Arc<Landscape>, SandboxError> {
    let models = Models::of(&config, &Alterations::default())?;
    let stores = [
        Store::open(&config.data_dir.join("dataverse.db"), &models.dataverse)?,
        Store::open(&config.data_dir.join("finops.db"), &models.finops)?,
    ]
    .map(Arc::new);
    let notifiers = [Notifier::start(), Notifier::start()].map(Arc::new);
    let landscape = Arc::new_cyclic(|this| {
        let handle = Handle(this.clone());
        let (dataverse, finops) = services(&config, models, &stores, &notifiers, &handle);
        Landscape {
            config,
            stores,
            notifiers,
            altered: Mutex::default(),
            dataverse: RwLock::new(Arc::new(dataverse)).into(),
            finops: RwLock::new(Arc::new(finops)).into(),
        }
    });
    let (dataverse, finops) = (now(&landscape.dataverse), now(&landscape.finops));
    seed::seed(&landscape.config, &dataverse, &finops)?;
    let failed = |refusal: Refusal| SandboxError::Seed(refusal.body.message);
    dataverse.prepare_hooks().map_err(failed)?;
    finops.load_subscriptions().map_err(failed)?;
    Ok(landscape)
}

impl Landscape {
    fn alter(&self, which: Which, alterations: Vec<Alteration>) -> Result<(), Refusal> {
        let mut altered = lock(&self.altered);
        let mut next = altered.clone();
        match which {
            Which::Dataverse => next.dataverse = alterations,
            Which::Finops => next.finops = alterations,
        }
        let refused = |e: SandboxError| Refusal::new(400, "", e.to_string());
        let models = Models::of(&self.config, &next).map_err(refused)?;
        for (store, model) in self.stores.iter().zip([&models.dataverse, &models.finops]) {
            store.widen(model).map_err(Refusal::from)?;
        }
        let handle = now(&self.dataverse).landscape.clone();
        let (dataverse, finops) =
            services(&self.config, models, &self.stores, &self.notifiers, &handle);
        replace(&self.dataverse, dataverse);
        replace(&self.finops, finops);
        *altered = next;
        Ok(())
    }
}

/// A service as it is now.
pub(crate) fn now<S>(served: &Served<S>) -> Arc<S> {
    Arc::clone(&served.read().unwrap_or_else(PoisonError::into_inner))
}

fn replace<S>(served: &Served<S>, service: S) {
    *served.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(service);
}

/// What both servers know of their entities.
struct Models {
    dataverse: model::Model,
    finops: Arc<model::Model>,
    shown: Arc<model::Model>,
}

impl Models {
    fn of(config: &Config, alterations: &Alterations) -> Result<Self, SandboxError> {
        let altered =
            |schema, with: &[Alteration]| alter(schema, with).map_err(SandboxError::Schema);
        let erp = altered(&config.finops, &alterations.finops)?;
        let crm = altered(
            &model::with_registration_tables(&config.dataverse),
            &alterations.dataverse,
        )?;
        let mut finops = model::build(&erp.schema, None)?;
        hide(&mut finops, &erp);
        let mut dataverse = model::build(&crm.schema, Some(&finops))?;
        hide(&mut dataverse, &crm);
        Ok(Self {
            dataverse,
            shown: Arc::new(model::all_virtual(&finops)),
            finops: Arc::new(finops),
        })
    }
}

fn hide(model: &mut model::Model, altered: &Altered) {
    for set in &altered.gone {
        model.hide(set);
    }
    for set in &altered.untracked {
        model.untrack(set);
    }
}

fn services(
    config: &Config,
    models: Models,
    [dataverse, finops]: &[Arc<Store>; 2],
    [hooks, events]: &[Arc<Notifier>; 2],
    landscape: &Handle,
) -> (Dataverse, Finops) {
    (
        Dataverse {
            model: models.dataverse,
            store: Arc::clone(dataverse),
            erp: Erp {
                model: Arc::clone(&models.finops),
                store: Arc::clone(finops),
            },
            notifier: Arc::clone(hooks),
            token_life: (config.token_life, config.virtual_token_life),
            landscape: landscape.clone(),
        },
        Finops {
            model: models.finops,
            store: Arc::clone(finops),
            shown: models.shown,
            notifier: Arc::clone(events),
            company: config.company.to_lowercase(),
            landscape: landscape.clone(),
        },
    )
}
