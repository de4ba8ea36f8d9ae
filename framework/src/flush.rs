//! The hook between the last lane and the answer, where a function flushes its spans. Set by `builder`, run by `consumer`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::time::{Instant, timeout_at};
use tracing::warn;

use crate::caught::Caught;

type Flushing = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The hook, its type erased.
#[derive(Clone)]
pub(crate) struct Flush(Arc<dyn Fn() -> Flushing + Send + Sync>);

impl Flush {
    pub(crate) fn new<F, Fut>(flush: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        Self(Arc::new(move || Box::pin(flush())))
    }

    /// Runs it, until `end` at the longest: the answer does not wait for it.
    pub(crate) async fn run(&self, request_id: &str, end: Instant) {
        let started = Instant::now();
        let flushing = Caught::new(|| (self.0)());
        match timeout_at(end, flushing).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => warn!(
                request_id,
                "the flush hook panicked: see standard error for the place in the code; the answer is not affected"
            ),
            Err(_) => warn!(
                request_id,
                after_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
                cure = "check the collector, or set a longer LAMBDA_MSK_DEADLINE_MARGIN_MS",
                "the flush hook was not done in time and was dropped: telemetry of this invocation may be late or lost"
            ),
        }
    }
}

impl fmt::Debug for Flush {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flush").finish_non_exhaustive()
    }
}
