//! Work that waits for a broker, and may do so for ever: on a thread of its own, which neither a runtime that shuts down nor
//! a process that ends waits for. `spawn_blocking` is for what is answered in bounded time.

use std::io;
use std::thread::Builder;

use tokio::sync::oneshot::{Receiver, channel};

/// Begins the work. Who receives nothing was not answered: the work goes on, or its thread is gone.
///
/// # Errors
///
/// The system has no thread for it.
pub(super) fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<Receiver<T>> {
    let (answers, answer) = channel();
    let thread = Builder::new().name("msk-broker".to_owned());
    thread.spawn(move || {
        // Nobody waits any more: then nobody is told.
        let _ = answers.send(work());
    })?;
    Ok(answer)
}
