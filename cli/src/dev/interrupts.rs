//! What asks a run of `cargo msk dev` to end.

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Each Ctrl-C, and each SIGTERM, which is what a script sends.
pub(crate) fn listen() -> UnboundedReceiver<()> {
    let (sender, interrupts) = unbounded_channel();
    tokio::spawn(async move {
        while signal().await.is_ok() {
            if sender.send(()).is_err() {
                return;
            }
        }
        // No signals on this system: keep the channel open, and silent.
        std::future::pending::<()>().await;
    });
    interrupts
}

#[cfg(unix)]
async fn signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn signal() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
