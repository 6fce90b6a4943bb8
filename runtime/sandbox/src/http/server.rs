//! One listening server: connections, and what every request goes through before the service sees it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::faults::Drop as Dropped;
use super::{Call, Fault, Faults, Limiter, Refusal, Reply, Tokens};
use crate::landscape::now;
use crate::{SandboxError, Stats};

/// The largest body that is taken.
/// Source: *Execute batch operations*: a request's body is limited to 128 MB.
const BODY_BYTES_MAX: usize = 128 * 1024 * 1024;

/// A service behind a server.
pub(crate) trait Serving: Send + Sync + 'static {
    /// The path of its root.
    fn root(&self) -> &'static str;
    /// Whether a path that isn't below the root is served all the same; it is handed in whole.
    fn serves_beside(&self, _path: &str) -> bool {
        false
    }
    /// A request below its root; blocking.
    fn call(&self, call: &Call, fault: &Fault) -> Reply;
    /// A request below `/sandbox/`; blocking.
    fn admin(&self, call: &Call) -> Reply;
}

/// A service that may be replaced while it is served: each request meets the one of its moment.
pub(crate) type Served<S> = Arc<RwLock<Arc<S>>>;

/// What a server counts.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    requests: AtomicU64,
    busy_micros: AtomicU64,
}

/// A server that runs until it is told to stop.
pub(crate) struct Running {
    pub address: SocketAddr,
    counters: Arc<Counters>,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    pub(crate) fn stats(&self) -> Stats {
        Stats {
            requests: self.counters.requests.load(Ordering::Relaxed),
            busy: std::time::Duration::from_micros(
                self.counters.busy_micros.load(Ordering::Relaxed),
            ),
        }
    }

    /// Waits for the requests under way.
    pub(crate) async fn ended(self) {
        let _ = self.task.await;
    }
}

/// What all connections of a server share.
struct Shared<S> {
    service: Served<S>,
    tokens: Arc<Tokens>,
    limiter: Limiter,
    faults: Faults,
    counters: Arc<Counters>,
    origin: String,
}

/// Starts to serve on loopback.
pub(crate) async fn serve<S: Serving>(
    port: u16,
    service: Served<S>,
    tokens: Arc<Tokens>,
    limiter: Limiter,
    stop: watch::Receiver<bool>,
) -> Result<Running, SandboxError> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let listener = TcpListener::bind(address)
        .await
        .map_err(|source| SandboxError::Listen { address, source })?;
    let address = listener
        .local_addr()
        .map_err(|source| SandboxError::Listen { address, source })?;
    let counters = Arc::new(Counters::default());
    let shared = Arc::new(Shared {
        service,
        tokens,
        limiter,
        faults: Faults::default(),
        counters: Arc::clone(&counters),
        origin: format!("http://{address}"),
    });
    let task = tokio::spawn(accept(listener, shared, stop));
    Ok(Running {
        address,
        counters,
        task,
    })
}

async fn accept<S: Serving>(
    listener: TcpListener,
    shared: Arc<Shared<S>>,
    mut stop: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    let stopping = stop.clone();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&shared), stopping.clone()));
                }
                Err(error) => tracing::warn!(%error, "a connection could not be accepted"),
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            _ = stop.wait_for(|stop| *stop) => break,
        }
    }
    while connections.join_next().await.is_some() {}
}

async fn connection<S: Serving>(
    stream: TcpStream,
    shared: Arc<Shared<S>>,
    mut stop: watch::Receiver<bool>,
) {
    // Small answers must not wait for the next acknowledgement.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(Arc::clone(&shared), request));
    let mut connection = std::pin::pin!(
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service)
    );
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stop.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// The connection is to be dropped without an answer.
#[derive(Debug, thiserror::Error)]
#[error("dropped on demand")]
struct DropConnection;

async fn answer<S: Serving>(
    shared: Arc<Shared<S>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, DropConnection> {
    let call = match read(&shared.origin, request).await {
        Ok(call) => call,
        Err(refusal) => return Ok(respond(refusal.into())),
    };
    let fault = if call.path.starts_with("/sandbox/") {
        Fault::default()
    } else {
        shared.faults.for_call(&call)
    };
    if !fault.latency.is_zero() {
        tokio::time::sleep(fault.latency).await;
    }
    if fault.drop == Some(Dropped::BeforeCommit) {
        return Err(DropConnection);
    }
    let after = fault.drop == Some(Dropped::AfterCommit);
    let worker = tokio::task::spawn_blocking(move || shared.dispatch(call, &fault));
    let reply = worker.await.unwrap_or_else(|_| {
        Refusal::new(500, "0x80040216", "An unexpected error occurred.").into()
    });
    if after {
        Err(DropConnection)
    } else {
        Ok(respond(reply))
    }
}

async fn read(origin: &str, request: Request<Incoming>) -> Result<Call, Refusal> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, BODY_BYTES_MAX)
        .collect()
        .await
        .map_err(|_| Refusal::new(413, "0x80040216", "The request body is too large."))?
        .to_bytes();
    let query =
        dwmap_odata::url::parse_query(head.uri.query().unwrap_or_default()).ok_or_else(|| {
            Refusal::new(
                400,
                "0x80048d19",
                "The query string is not validly encoded.",
            )
        })?;
    let headers = head
        .headers
        .iter()
        .map(|(n, v)| {
            (
                n.as_str().to_owned(),
                String::from_utf8_lossy(v.as_bytes()).into_owned(),
            )
        })
        .collect();
    Ok(Call {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query,
        headers,
        body,
        origin: origin.to_owned(),
    })
}

fn respond(reply: Reply) -> Response<Full<Bytes>> {
    let mut response = Response::builder()
        .status(reply.status)
        .header("OData-Version", "4.0");
    for (name, value) in reply.headers {
        // Header values may hold no line breaks; keys in an entity's URL are encoded, so none is lost.
        response = response.header(name, value.replace(['\r', '\n'], " "));
    }
    response
        .body(Full::new(reply.body.into()))
        .unwrap_or_else(|_| {
            let mut response = Response::new(Full::default());
            *response.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
            response
        })
}

impl<S: Serving> Shared<S> {
    fn dispatch(&self, mut call: Call, fault: &Fault) -> Reply {
        if call.method == "POST" && call.path.ends_with("/oauth2/v2.0/token") {
            return self.tokens.grant(&call);
        }
        if let Some(path) = call.path.strip_prefix("/sandbox/") {
            call.path = path.to_owned();
            return self.admin(&call);
        }
        let service = now(&self.service);
        let root = service.root();
        let Some(path) = call
            .path
            .strip_prefix(root)
            .or_else(|| (format!("{}/", call.path) == root).then_some(""))
            .or_else(|| service.serves_beside(&call.path).then_some(&call.path))
        else {
            return Reply::json(
                404,
                format!(
                    "{{\"error\":{{\"code\":\"0x80060891\",\"message\":\"No resource is there; the service's root is {root}\"}}}}"
                ),
            );
        };
        call.path = path.to_owned();
        self.guarded(&*service, &call, fault)
            .unwrap_or_else(Reply::from)
    }

    fn guarded(&self, service: &S, call: &Call, fault: &Fault) -> Result<Reply, Refusal> {
        let user = self.tokens.check(call)?;
        if let Some(status) = fault.status {
            return Err(planned(status, fault.retry_after));
        }
        self.limiter.enter(&user)?;
        let start = Instant::now();
        let reply = service.call(call, fault);
        let took = start.elapsed();
        self.limiter.leave(&user, took);
        self.counters.requests.fetch_add(1, Ordering::Relaxed);
        self.counters
            .busy_micros
            .fetch_add(took.as_micros() as u64, Ordering::Relaxed);
        Ok(reply)
    }

    fn admin(&self, call: &Call) -> Reply {
        match (call.method.as_str(), call.path.as_str()) {
            ("GET", "faults") => Reply::json(200, self.faults.show()),
            ("POST" | "PUT", "faults") => match self.faults.set(&call.body) {
                Ok(()) => Reply::empty(204),
                Err(problem) => Refusal::new(400, "", problem).into(),
            },
            ("POST", "expire-tokens") => {
                self.tokens.expire();
                Reply::empty(204)
            }
            ("GET", "stats") => {
                let (requests, busy) = (&self.counters.requests, &self.counters.busy_micros);
                Reply::json(
                    200,
                    format!(
                        "{{\"requests\":{},\"busy_micros\":{}}}",
                        requests.load(Ordering::Relaxed),
                        busy.load(Ordering::Relaxed)
                    ),
                )
            }
            _ => now(&self.service).admin(call),
        }
    }
}

/// An error status on demand, in the service's words.
fn planned(status: u16, retry_after: Option<u64>) -> Refusal {
    let (code, message) = match status {
        429 => (
            "0x80072322",
            "Number of requests exceeded the limit of 6000 over time window of 300 seconds.",
        ),
        503 => (
            "0x8005F103",
            "The server is busy and the request was not completed. Try again later.",
        ),
        _ => ("0x80040216", "An unexpected error occurred."),
    };
    let refusal = Refusal::new(status, code, message);
    match retry_after {
        Some(seconds) => refusal.header("Retry-After", seconds.to_string()),
        None => refusal,
    }
}
