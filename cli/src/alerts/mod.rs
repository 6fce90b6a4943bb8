//! Alerts: whoever is named in `[alerts]` is told when a person is needed.
//!
//! [`desk`] decides what is told and when, [`deliver`] sends it. Both stand beside the work: what is slow or fails there
//! never holds up a record.

mod deliver;
mod desk;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dwmap_config::Manifest;
use dwmap_sync::{Clock as _, Event, Observer, SystemClock};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;

use self::deliver::Delivery;
use self::desk::{Alert, Desk};
use crate::exit::Failure;

/// How often it is looked whether something is to be told.
const TICK: Duration = Duration::from_millis(250);
/// Alerts that wait to be sent; more are dropped, and that is said in the log.
const WAITING_MAX: usize = 200;
/// How long a process that ends waits for its last alerts.
const FAREWELL: Duration = Duration::from_secs(20);

/// What is told while a process works. Dropping it ends that at once.
pub(crate) struct Alerts {
    desk: Arc<Shared>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Alerts {
    /// Tells that the process ends by an error.
    pub(crate) fn ended(&self, error: &str) {
        self.desk.desk().ended(SystemClock.now(), error);
    }

    /// Tells the last of it, for a while.
    pub(crate) async fn finish(mut self) {
        // A task that is gone has nothing left to tell.
        let _ = self.stop.send(true);
        if tokio::time::timeout(FAREWELL, &mut self.task)
            .await
            .is_err()
        {
            tracing::warn!("the last alerts could not be sent in time");
        }
    }
}

impl Drop for Alerts {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Hands events on, and notes what of them is to be told.
struct Ear {
    next: Arc<dyn Observer>,
    desk: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    desk: Mutex<Desk>,
    heard: Notify,
}

impl Shared {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Ear {
    fn event(&self, event: &Event) {
        self.next.event(event);
        self.desk.desk().event(SystemClock.now(), event);
        self.desk.heard.notify_one();
    }
}

/// The observer that tells by a manifest's `[alerts]` as well; none where it has none.
pub(crate) fn beside(
    manifest: &Manifest,
    observer: Arc<dyn Observer>,
) -> Result<(Arc<dyn Observer>, Option<Alerts>), Failure> {
    let Some(settings) = &manifest.alerts else {
        return Ok((observer, None));
    };
    let delivery = Delivery::new(settings, &manifest.root)?;
    let desk = Desk::new(settings, &manifest.project.name);
    let desk = Arc::new(Shared {
        desk: Mutex::new(desk),
        heard: Notify::new(),
    });
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(work(Arc::clone(&desk), delivery, stopped));
    let ear = Ear {
        next: observer,
        desk: Arc::clone(&desk),
    };
    Ok((Arc::new(ear), Some(Alerts { desk, stop, task })))
}

/// Collects what is due and hands it to the one who sends, until it is stopped and all is sent.
async fn work(shared: Arc<Shared>, delivery: Delivery, mut stopped: watch::Receiver<bool>) {
    let (queue, waiting) = mpsc::channel(WAITING_MAX);
    let sender = tokio::spawn(send(delivery, waiting));
    loop {
        let quiet = shared.desk().is_quiet();
        tokio::select! {
            () = tokio::time::sleep(TICK), if !quiet => {}
            () = shared.heard.notified(), if quiet => {}
            _ = stopped.wait_for(|stop| *stop) => break,
        }
        let due = shared.desk().due(SystemClock.now());
        put(&queue, due);
    }
    let last = shared.desk().rest(SystemClock.now());
    put(&queue, last);
    drop(queue);
    // A sender that panicked has said so.
    let _ = sender.await;
}

fn put(queue: &mpsc::Sender<Alert>, alerts: Vec<Alert>) {
    for alert in alerts {
        if let Err(refused) = queue.try_send(alert) {
            let alert = refused.into_inner();
            tracing::warn!(
                "an alert is dropped, since too many wait: {}",
                alert.message
            );
        }
    }
}

async fn send(delivery: Delivery, mut waiting: mpsc::Receiver<Alert>) {
    while let Some(alert) = waiting.recv().await {
        delivery.deliver(&alert).await;
    }
}
