//! What asks a run to end. Used by `dev`, by `invoke`, and by all that builds a function.

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Each Ctrl-C, each Ctrl-\ (SIGQUIT), each SIGTERM, which is what a script sends, and each SIGHUP, which is a terminal that
/// was closed. None is missed from now on. The function's processes and cargo lead groups of their own, so nobody else tells them.
#[cfg(unix)]
pub(crate) fn listen() -> UnboundedReceiver<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let (sender, interrupts) = unbounded_channel();
    let mut kinds = vec![
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::quit(),
    ];
    if !is_hangup_ignored() {
        kinds.push(SignalKind::hangup());
    }
    for kind in kinds {
        // One that the system refuses keeps what it does by default.
        let Ok(mut signals) = signal(kind) else {
            continue;
        };
        let sender = sender.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                if sender.send(()).is_err() {
                    return;
                }
            }
        });
    }
    interrupts
}

/// Whether this is a run under `nohup`, which is to outlive its terminal. Only Linux tells.
#[cfg(unix)]
fn is_hangup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // SIGHUP is the first of them.
    mask.is_some_and(|mask| mask & 1 == 1)
}

/// Each Ctrl-C.
#[cfg(not(unix))]
pub(crate) fn listen() -> UnboundedReceiver<()> {
    let (sender, interrupts) = unbounded_channel();
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            if sender.send(()).is_err() {
                return;
            }
        }
    });
    interrupts
}
