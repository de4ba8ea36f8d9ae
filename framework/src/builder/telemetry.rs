//! What a builder says of traces, and of the hook before the answer.

use std::future::Future;

use crate::builder::Builder;
use crate::flush::Flush;
#[cfg(feature = "otel")]
use crate::traces::Traces;

impl<S: Send + Sync + 'static> Builder<S> {
    /// Sets which spans there are for OpenTelemetry (`LAMBDA_MSK_TRACES`), and how they hang together. Default: those of sampled and of failed records.
    #[cfg(feature = "otel")]
    pub fn traces(mut self, traces: Traces) -> Self {
        self.settings.traces_by_code(traces);
        self
    }

    /// Sets a hook that runs in each invocation after the last lane and before the answer: Lambda freezes the process when the answer has left, so telemetry that is not exported by then comes with the next
    /// invocation, or never.
    ///
    /// The hook has at most half of the [margin](Self::deadline_margin), and leaves a quarter of it before the deadline; then it is dropped, with one warning, and the answer leaves. A panic in it is a warning, too. A call
    /// that blocks, such as `force_flush` of OpenTelemetry's SDK, belongs in `tokio::task::spawn_blocking`: nothing can drop it on this thread. A second hook replaces the first.
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_msk::{Consumer, Record};
    ///
    /// # #[derive(Clone)]
    /// # struct Provider;
    /// # impl Provider { fn force_flush(&self) {} }
    /// async fn ship(_: Record) {}
    ///
    /// # let provider = Provider;
    /// let consumer = Consumer::builder()
    ///     .topic("orders", ship)
    ///     .flush(move || {
    ///         let provider = provider.clone();
    ///         async move { tokio::task::spawn_blocking(move || provider.force_flush()).await.unwrap_or(()) }
    ///     })
    ///     .build();
    /// # consumer.unwrap();
    /// ```
    pub fn flush<F, Fut>(mut self, flush: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.flush = Some(Flush::new(flush));
        self
    }
}
