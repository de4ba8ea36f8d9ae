//! The names of log lines, carried to where a handler's record is not known by itself. Used by handlers.

use std::future::{Future, poll_fn};

use tracing::Span;

use crate::current::Name;

/// The invocation and the record in whose name a handler logs, to be carried to another thread or task: there, lines have no coordinates of their own.
///
/// Holds the current span of `tracing`, too. Cheap to clone. Outside a handler it names nothing.
///
/// # Example
///
/// ```
/// use lambda_msk::logging::LogScope;
/// use lambda_msk::{Failure, Record};
///
/// async fn render(record: Record) -> Result<(), Failure> {
///     let scope = LogScope::current();
///     let page = tokio::task::spawn_blocking(move || {
///         scope.in_scope(|| tracing::info!(bytes = record.value().map(<[u8]>::len), "rendering"))
///     });
///     let upload = tokio::spawn(LogScope::current().around(async { tracing::info!("uploading") }));
///     page.await?;
///     upload.await?;
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct LogScope {
    name: Name,
    span: Span,
}

impl LogScope {
    /// What is around the code that calls it.
    #[must_use = "it is to be carried elsewhere"]
    pub fn current() -> Self {
        Self {
            name: Name::of_this_thread(),
            span: Span::current(),
        }
    }

    /// Runs `run` in it, on this thread.
    pub fn in_scope<T>(&self, run: impl FnOnce() -> T) -> T {
        self.name.around(|| self.span.in_scope(run))
    }

    /// A future that is polled in it, wherever that is.
    pub fn around<F>(self, future: F) -> impl Future<Output = F::Output> + Send
    where
        F: Future + Send,
    {
        let mut future = Box::pin(future);
        poll_fn(move |context| self.in_scope(|| future.as_mut().poll(context)))
    }
}
