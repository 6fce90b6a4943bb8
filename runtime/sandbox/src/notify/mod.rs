//! Notifications after a commit: webhooks of Dataverse and data events of the ERP, both as a `RemoteExecutionContext`.
//!
//! They are hints: sent once, asynchronously, not again if the receiver fails, and dropped when too many wait.

mod context;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};

pub(crate) use context::Event;

/// How many notifications may wait; more are dropped, as the services do under load.
const WAITING_MAX: usize = 10_000;
/// How many are sent at once.
const SENDING_MAX: usize = 16;
/// How long a receiver may take: *Use webhooks*, "Timeouts".
const TIMEOUT: Duration = Duration::from_secs(60);
/// Above this size the contents are left out: *Use webhooks*, "HTTP request size".
const CONTEXT_BYTES_MAX: usize = 256 * 1024;

/// What happened to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Message {
    Create,
    Update,
    Delete,
}

impl Message {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Update => "Update",
            Self::Delete => "Delete",
        }
    }
}

/// Who wants to hear of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subscription {
    pub url: String,
    /// Header pairs that authenticate the sandbox.
    pub headers: Vec<(String, String)>,
    /// `Create`, `Update` or `Delete`; all without one.
    pub message: Option<String>,
    /// The entity's logical name; all without one.
    pub entity: Option<String>,
    /// Only updates of one of these columns, where there are any.
    pub attributes: Vec<String>,
}

impl Subscription {
    fn wants(&self, entity: &str, message: Message, changed: &[&str]) -> bool {
        self.entity
            .as_ref()
            .is_none_or(|e| e.eq_ignore_ascii_case(entity))
            && self
                .message
                .as_ref()
                .is_none_or(|m| m.eq_ignore_ascii_case(message.name()))
            && (message != Message::Update
                || self.attributes.is_empty()
                || changed
                    .iter()
                    .any(|c| self.attributes.iter().any(|a| a == c)))
    }
}

struct Delivery {
    subscription: Subscription,
    event: Arc<Event>,
}

/// Sends notifications to those who subscribed.
pub(crate) struct Notifier {
    subscriptions: RwLock<Vec<Subscription>>,
    queue: mpsc::Sender<Delivery>,
}

impl Notifier {
    /// Starts the sender, which ends with the notifier.
    pub(crate) fn start() -> Self {
        let (queue, waiting) = mpsc::channel(WAITING_MAX);
        tokio::spawn(send_all(waiting));
        Self {
            subscriptions: RwLock::default(),
            queue,
        }
    }

    /// Replaces the subscriptions.
    pub(crate) fn subscribe(&self, subscriptions: Vec<Subscription>) {
        *self
            .subscriptions
            .write()
            .unwrap_or_else(PoisonError::into_inner) = subscriptions;
    }

    /// Whether anyone wants to hear of this, so that nothing is made for nobody.
    pub(crate) fn wanted(&self, entity: &str, message: Message, changed: &[&str]) -> bool {
        self.subscriptions
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .any(|s| s.wants(entity, message, changed))
    }

    /// Sends events of a committed transaction to all who want them.
    pub(crate) fn notify(&self, events: Vec<Event>) {
        let subscriptions = self
            .subscriptions
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        for event in events.into_iter().map(Arc::new) {
            let changed: Vec<&str> = event.changed.iter().map(String::as_str).collect();
            for subscription in subscriptions
                .iter()
                .filter(|s| s.wants(&event.entity, event.message, &changed))
            {
                let delivery = Delivery {
                    subscription: subscription.clone(),
                    event: Arc::clone(&event),
                };
                if self.queue.try_send(delivery).is_err() {
                    tracing::warn!(
                        url = subscription.url,
                        "a notification was dropped: too many wait"
                    );
                }
            }
        }
    }
}

async fn send_all(mut waiting: mpsc::Receiver<Delivery>) {
    let client = match reqwest::Client::builder().timeout(TIMEOUT).build() {
        Ok(client) => client,
        Err(error) => {
            return tracing::error!(%error, "no notifications: the HTTP client could not be made");
        }
    };
    let places = Arc::new(Semaphore::new(SENDING_MAX));
    while let Some(delivery) = waiting.recv().await {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let client = client.clone();
        tokio::spawn(async move {
            send(&client, &delivery).await;
            drop(place);
        });
    }
}

async fn send(client: &reqwest::Client, delivery: &Delivery) {
    let Delivery {
        subscription,
        event,
    } = delivery;
    let mut body = event.context(context::Contents::Whole);
    let mut request = client
        .post(&subscription.url)
        .header("Content-Type", "application/json");
    if body.len() > CONTEXT_BYTES_MAX {
        body = event.context(context::Contents::LeftOut);
        request = request.header("x-ms-dynamics-msg-size-exceeded", "true");
    }
    request = request
        .header("x-ms-dynamics-organization", "sandbox")
        .header("x-ms-dynamics-entity-name", &event.entity)
        .header("x-ms-dynamics-request-name", event.message.name())
        .header("x-ms-correlation-request-id", &event.correlation);
    for (name, value) in &subscription.headers {
        request = request.header(name, value);
    }
    match request.body(body).send().await {
        Ok(answer) if answer.status().is_success() => {}
        Ok(answer) => {
            tracing::debug!(url = subscription.url, status = %answer.status(), "a notification was refused");
        }
        Err(error) => {
            tracing::debug!(url = subscription.url, %error, "a notification didn't arrive");
        }
    }
}
