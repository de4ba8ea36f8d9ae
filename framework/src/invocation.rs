//! The input of a consumer: an event, with its deadline and ids. Made by `lambda`, `testing` and services that embed a consumer; read by `consumer`.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::record::Batch;

/// The input of [`Consumer::invoke`](crate::Consumer::invoke): one event, with the deadline and ids that Lambda gives with it.
///
/// Only the event is required. Each method tells the consequence of leaving its value out.
///
/// # Example
///
/// ```
/// use lambda_msk::Invocation;
///
/// # let body = r#"{"eventSource":"aws:kafka","records":{}}"#;
/// # let deadline_ms = 1_767_225_600_000;
/// let invocation = Invocation::new(body)
///     .request_id("8476a536-e9f4-11e8-9739-2dfe598c3fcd")
///     .deadline_ms(deadline_ms)
///     .function_name("orders")
///     .function_arn("arn:aws:lambda:eu-west-1:123456789012:function:orders");
/// # let _ = invocation;
/// ```
#[derive(Clone)]
#[must_use = "an invocation does nothing until `consumer.invoke(invocation).await`"]
pub struct Invocation {
    pub(crate) content: Content,
    pub(crate) request_id: String,
    pub(crate) function_arn: String,
    /// Outside Lambda there may be none: empty.
    pub(crate) function_name: String,
    pub(crate) until: Until,
    pub(crate) clock: Clock,
    /// The header of X-Ray. *Empty: there is none.*
    #[cfg(feature = "otel")]
    pub(crate) xray: String,
}

/// The records, as they were given.
#[derive(Clone)]
pub(crate) enum Content {
    /// In bytes that nobody has looked at yet.
    Event(Bytes),
    Batch(Arc<Batch>),
}

impl Content {
    /// How many bytes came.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Event(event) => event.len(),
            Self::Batch(batch) => batch.arena.len(),
        }
    }
}

/// When an invocation ends, as it was said.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// Milliseconds since 1970; 0 where nothing was said.
    EpochMs(u64),
    At(Instant),
}

impl Invocation {
    /// Creates an invocation with the bytes of an event, as Lambda sends them.
    pub fn new(event: impl Into<Bytes>) -> Self {
        Self::with(Content::Event(event.into()))
    }

    /// Creates an invocation with records that did not come as an event: see [`Batch::builder`](crate::record::Batch::builder).
    pub fn of(batch: Batch) -> Self {
        Self::with(Content::Batch(Arc::new(batch)))
    }

    fn with(content: Content) -> Self {
        Self {
            content,
            request_id: String::new(),
            function_arn: String::new(),
            function_name: String::new(),
            until: Until::EpochMs(0),
            clock: Clock::System,
            #[cfg(feature = "otel")]
            xray: String::new(),
        }
    }

    /// Sets the request id for log lines and dead letters. Without one, they cannot be attributed to an invocation.
    pub fn request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = id.into();
        self
    }

    /// Sets the deadline as Lambda gives it (`Lambda-Runtime-Deadline-Ms`), in milliseconds since 1970 by the system's clock.
    ///
    /// Without a deadline there is no time limit: a handler that hangs keeps the invocation open until Lambda ends it, and one warning is logged. A deadline
    /// of 0, in the past, or more than [`DEADLINE_AHEAD_MS_MAX`](crate::limits::DEADLINE_AHEAD_MS_MAX) ahead counts as none, since emulators send such values.
    pub fn deadline_ms(mut self, deadline_ms: u64) -> Self {
        self.until = Until::EpochMs(deadline_ms);
        self
    }

    /// Sets the deadline on tokio's clock, for callers that are not Lambda. Replaces [`deadline_ms`](Self::deadline_ms).
    ///
    /// If the deadline has passed, no record is started. A deadline more than [`DEADLINE_AHEAD_MS_MAX`](crate::limits::DEADLINE_AHEAD_MS_MAX) ahead counts as none.
    pub fn deadline(mut self, deadline: Instant) -> Self {
        self.until = Until::At(deadline);
        self
    }

    /// Sets the function's name. Idempotency keys begin with it if the consumer has no [`namespace`](crate::builder::Builder::namespace).
    ///
    /// Without both, keys begin with `lambda-msk`, and two functions that share a store skip each other's records.
    pub fn function_name(mut self, name: impl Into<String>) -> Self {
        self.function_name = name.into();
        self
    }

    /// Sets the header of AWS X-Ray (`Lambda-Runtime-Trace-Id`). Its span is the parent of the invocation's, unless another one is current.
    #[cfg(feature = "otel")]
    pub fn xray_trace(mut self, header: impl Into<String>) -> Self {
        self.xray = header.into();
        self
    }

    /// Sets the function's ARN, which dead letters contain.
    pub fn function_arn(mut self, arn: impl Into<String>) -> Self {
        self.function_arn = arn.into();
        self
    }
}

impl fmt::Debug for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invocation")
            .field("event_bytes", &self.content.bytes())
            .field("request_id", &self.request_id)
            .field("function_name", &self.function_name)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}
