//! Being asked to stop.

use crate::exit::Failure;

/// Waits until the process is asked to stop, by Ctrl-C or SIGTERM.
pub(crate) async fn until_stopped() -> Result<(), Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let signal = |kind| {
        signal(kind).map_err(|e| Failure::Configuration(format!("signals can't be caught: {e}")))
    };
    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
