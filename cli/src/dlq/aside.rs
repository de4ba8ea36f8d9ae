//! What blocks, beside the run. Called by all that reads what people or pipes write.

use tokio::sync::oneshot;

use crate::fault::Fault;

/// Runs what blocks on a thread that nothing waits for: the end of the process ends it.
pub(crate) async fn aside<T: Send + 'static>(
    what: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    let (sender, done) = oneshot::channel();
    std::thread::spawn(move || {
        // With nobody left to tell, the run has ended.
        let _ = sender.send(what());
    });
    done.await.map_err(|error| Fault::from_error(&error))
}
