//! A layer of the function's own, around both sources: one log line an event. Called by `main`.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use lambda_runtime::Diagnostic;
use tokio::time::Instant;
use tower::Service;

use crate::{Answer, Event};

/// Logs of each event which source it came from, and how long its answer took.
#[derive(Clone, Debug)]
pub struct Timed<S>(S);

impl<S> Timed<S> {
    /// That service, timed.
    pub fn new(service: S) -> Self {
        Self(service)
    }
}

impl<S> Service<Event> for Timed<S>
where
    S: Service<Event, Response = Answer, Error = Diagnostic, Future: Send + 'static>,
{
    type Response = Answer;
    type Error = Diagnostic;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Diagnostic>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Diagnostic>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, event: Event) -> Self::Future {
        let started = Instant::now();
        let answering = self.0.call(event);
        Box::pin(async move {
            let answer = answering.await;
            let source = match &answer {
                Ok(Answer::Kafka(_)) => "kafka",
                Ok(Answer::Sqs(_)) => "sqs",
                Err(_) => "unknown",
            };
            let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            tracing::info!(source, ms, "event answered");
            answer
        })
    }
}
