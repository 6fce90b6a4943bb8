//! The listener to which systems post their hooks.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{HookTarget, Hooks};
use crate::Secret;

/// Dataverse leaves out the contents of events above 256 KB; nothing longer is of use.
const BODY_LENGTH_MAX: usize = 1 << 20;
/// The header that names the entity, and is there also when the contents are left out.
const ENTITY_HEADER: &str = "x-ms-dynamics-entity-name";
/// A header for the key, for callers that don't want it in the URL.
pub(crate) const KEY_HEADER: &str = "x-dwmap-key";

/// The listener can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// The address can't be listened on.
    #[error(
        "can't listen for hooks on {address}: {source}; choose another address or free this one"
    )]
    Bind {
        /// The address wanted.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A key that everybody could guess.
    #[error("the key of the hooks has {length} characters; give it at least 16")]
    WeakKey {
        /// Its length.
        length: usize,
    },
}

/// Listens for the hooks of all systems, at `/hooks/SYSTEM?code=KEY`, until it is dropped.
///
/// ```
/// # tokio_test(async {
/// use dwmap_connectors::{HookServer, Secret};
/// let key = Secret::new("a long and random text");
/// let server = HookServer::bind("127.0.0.1:0".parse().unwrap(), key).await.unwrap();
/// let hooks = server.hooks("dv"); // for the connector's configuration
/// let target = server.target("dwmap demo", "dv", None); // for registering the hook
/// assert!(target.url.ends_with("/hooks/dv"));
/// # });
/// # fn tokio_test(f: impl Future) { tokio::runtime::Runtime::new().unwrap().block_on(f); }
/// ```
#[derive(Debug)]
pub struct HookServer {
    address: SocketAddr,
    key: Secret,
    registry: Arc<Registry>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Registry {
    /// Compared in constant time, which hashes do whatever the length.
    key: blake3::Hash,
    systems: Mutex<HashMap<String, Hooks>>,
}

impl HookServer {
    /// Begins to listen. Hooks must show `key`.
    pub async fn bind(address: SocketAddr, key: Secret) -> Result<Self, HookError> {
        let length = key.reveal().chars().count();
        if length < 16 {
            return Err(HookError::WeakKey { length });
        }
        let bind = |source| HookError::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let registry = Arc::new(Registry {
            key: blake3::hash(key.reveal().as_bytes()),
            systems: Mutex::default(),
        });
        let app = Router::new()
            .route("/hooks/{system}", post(receive))
            .layer(DefaultBodyLimit::max(BODY_LENGTH_MAX))
            .with_state(registry.clone());
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, app).await {
                tracing::error!(%error, "the listener for hooks ended; changes are still found by looking");
            }
        });
        Ok(Self {
            address,
            key,
            registry,
            task,
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What to tell a system about this listener. `url` is the address by which the system reaches it, where that
    /// isn't the address it listens on.
    pub fn target(&self, name: impl Into<String>, system: &str, url: Option<&str>) -> HookTarget {
        let own = format!("http://{}", self.address);
        let base = url.unwrap_or(&own).trim_end_matches('/');
        HookTarget {
            name: name.into(),
            url: format!("{base}/hooks/{}", dwmap_odata::url::encode(system)),
            key: self.key.clone(),
        }
    }

    /// The hooks of a system, for its connector.
    pub fn hooks(&self, system: &str) -> Hooks {
        let mut systems = self.registry.systems();
        systems.entry(system.to_owned()).or_default().clone()
    }
}

impl Drop for HookServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Registry {
    fn systems(&self) -> std::sync::MutexGuard<'_, HashMap<String, Hooks>> {
        self.systems.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Deserialize)]
struct Code {
    code: Option<String>,
}

/// The part of a `RemoteExecutionContext` that is of use.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Context {
    primary_entity_name: String,
}

async fn receive(
    State(registry): State<Arc<Registry>>,
    Path(system): Path<String>,
    Query(Code { code }): Query<Code>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let shown = code.as_deref().or_else(|| header(KEY_HEADER));
    let known = shown.is_some_and(|key| blake3::hash(key.as_bytes()) == registry.key);
    if !known {
        return StatusCode::UNAUTHORIZED;
    }
    let Some(hooks) = registry.systems().get(&system).cloned() else {
        return StatusCode::NOT_FOUND;
    };
    let entity = match header(ENTITY_HEADER) {
        Some(entity) => Some(entity.to_owned()),
        None => serde_json::from_slice::<Context>(&body)
            .ok()
            .map(|context| context.primary_entity_name),
    };
    match entity {
        Some(entity) => {
            hooks.arrived(&entity);
            StatusCode::OK
        }
        None => StatusCode::BAD_REQUEST,
    }
}
