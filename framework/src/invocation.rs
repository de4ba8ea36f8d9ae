//! One invocation: the event, and what is true of all its records: who asked, until when, by which clock. Made by `lambda`, `testing` and whoever
//! embeds a consumer; read by `consumer`, `delivery` and `process`.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::failure::Rejection;
use crate::limits::{DEADLINE_AHEAD_MS_MAX, DEADLINE_MARGIN_PART_MAX};
use crate::record::Record;

/// Wall time. Time spans are measured with [`tokio::time::Instant`], which tests pause.
#[derive(Clone, Debug, Default)]
pub(crate) enum Clock {
    /// The system's.
    #[default]
    System,
    /// Starts at a given time and runs with tokio's: paused where that is.
    #[cfg_attr(not(feature = "testing"), expect(dead_code, reason = "made by tests"))]
    From { start: Timestamp, at: Instant },
    /// A simulated machine's: as the one above, and it jumps when told to.
    #[cfg_attr(not(feature = "testing"), expect(dead_code, reason = "made by tests"))]
    Simulated {
        start: Timestamp,
        at: Instant,
        jumped_ms: Arc<AtomicI64>,
        tokens: Arc<AtomicU64>,
    },
}

impl Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that the lint points to"
    )]
    pub(crate) fn now(&self) -> Timestamp {
        match self {
            Self::System => {
                Timestamp::try_from(std::time::SystemTime::now()).unwrap_or(Timestamp::MAX)
            }
            Self::From { start, at } => {
                start.saturating_add(at.elapsed()).unwrap_or(Timestamp::MAX)
            }
            Self::Simulated {
                start,
                at,
                jumped_ms,
                ..
            } => {
                let jumped = SignedDuration::from_millis(jumped_ms.load(Ordering::Relaxed));
                let steady = start.saturating_add(at.elapsed());
                let wall = steady.and_then(|wall| wall.saturating_add(jumped));
                wall.unwrap_or(Timestamp::MAX)
            }
        }
    }

    /// Bytes that no one else has drawn: the system's entropy. A simulated machine counts, so that a run can be repeated.
    pub(crate) fn token(&self) -> Result<u128, getrandom::Error> {
        if let Self::Simulated { tokens, .. } = self {
            return Ok(tokens.fetch_add(1, Ordering::Relaxed).into());
        }
        let mut token = [0; 16];
        getrandom::fill(&mut token)?;
        Ok(u128::from_ne_bytes(token))
    }
}

/// How a record's idempotency key is made of what it holds. Implemented by `idempotency`.
pub(crate) trait RecordKeys: fmt::Debug + Send + Sync {
    /// The key.
    ///
    /// # Errors
    ///
    /// The record holds none: it is rejected.
    fn key(&self, namespace: &str, cluster: &str, record: &Record) -> Result<Arc<str>, Rejection>;
}

/// One event, and what Lambda says beside it: what [`Consumer::invoke`](crate::Consumer::invoke) takes.
///
/// Only the event has to be given. What is left out has a consequence, which each method names.
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
    pub(crate) event: Bytes,
    pub(crate) request_id: String,
    pub(crate) function_arn: String,
    /// Outside Lambda there may be none: empty.
    pub(crate) function_name: String,
    pub(crate) until: Until,
    pub(crate) clock: Clock,
}

/// When an invocation ends, as it was said.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// Milliseconds since 1970; 0 where nothing was said.
    EpochMs(u64),
    At(Instant),
}

impl Invocation {
    /// An invocation with the bytes of an event, as Lambda sends them.
    pub fn new(event: impl Into<Bytes>) -> Self {
        Self {
            event: event.into(),
            request_id: String::new(),
            function_arn: String::new(),
            function_name: String::new(),
            until: Until::EpochMs(0),
            clock: Clock::System,
        }
    }

    /// Sets the id that stands in log lines and dead letters. Without one they cannot be told from those of another invocation.
    pub fn request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = id.into();
        self
    }

    /// Sets the deadline as Lambda gives it (`Lambda-Runtime-Deadline-Ms`), in milliseconds since 1970 by the system's clock.
    ///
    /// Without a deadline no limit is kept: a handler that hangs keeps the invocation open until Lambda ends it, and a warning says so once. A deadline
    /// of 0, in the past, or more than [`DEADLINE_AHEAD_MS_MAX`] ahead counts as none, since emulators send such.
    pub fn deadline_ms(mut self, deadline_ms: u64) -> Self {
        self.until = Until::EpochMs(deadline_ms);
        self
    }

    /// Sets the deadline on tokio's clock, for callers that are not Lambda. Replaces [`deadline_ms`](Self::deadline_ms).
    ///
    /// If the deadline has passed, no record is started. A deadline more than [`DEADLINE_AHEAD_MS_MAX`] ahead counts as none.
    pub fn deadline(mut self, deadline: Instant) -> Self {
        self.until = Until::At(deadline);
        self
    }

    /// Sets the function's name: idempotency keys begin with it, if the consumer has no [`namespace`](crate::Builder::namespace).
    ///
    /// Without either, keys begin with `lambda-msk`, and two functions that share a store skip each other's records.
    pub fn function_name(mut self, name: impl Into<String>) -> Self {
        self.function_name = name.into();
        self
    }

    /// Sets the function's ARN, which dead letters bear.
    pub fn function_arn(mut self, arn: impl Into<String>) -> Self {
        self.function_arn = arn.into();
        self
    }
}

impl fmt::Debug for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invocation")
            .field("event_bytes", &self.event.len())
            .field("request_id", &self.request_id)
            .field("function_name", &self.function_name)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

/// What is true of a whole invocation. One `Arc` of it is shared by all its deliveries.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) request_id: String,
    pub(crate) function_arn: String,
    pub(crate) deadline: Deadline,
    pub(crate) clock: Clock,
    /// Of idempotency keys: two consumers never share keys.
    pub(crate) namespace: Arc<str>,
    /// Of idempotency keys: two clusters never share keys. *Empty: nobody can tell the cluster from another one.*
    pub(crate) cluster: Arc<str>,
    /// *None: a record is known by where it stands.*
    pub(crate) keys: Option<Arc<dyn RecordKeys>>,
}

impl Context {
    /// The key by what the record holds. *None: records are known by where they stand.*
    ///
    /// # Errors
    ///
    /// The record holds none.
    pub(crate) fn record_key(&self, record: &Record) -> Result<Option<Arc<str>>, Rejection> {
        let keys = self.keys.as_ref();
        keys.map(|keys| keys.key(&self.namespace, &self.cluster, record))
            .transpose()
    }
}

/// When Lambda ends the invocation. As a handler's argument: how much time is left.
///
/// A handler that still runs [half a second](crate::limits::DEADLINE_MARGIN_MS) before the deadline is dropped.
///
/// # Example
///
/// ```
/// use lambda_msk::{Deadline, Failure};
/// use std::time::Duration;
///
/// async fn render(deadline: Deadline) -> Result<(), Failure> {
///     if deadline.time_left().is_some_and(|left| left < Duration::from_secs(20)) {
///         return Err(Failure::retry("too little time for a render"));
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Option<Limits>);

#[derive(Clone, Copy, Debug)]
struct Limits {
    end: Instant,
    /// Nothing of the user's runs after this.
    work: Instant,
    /// Stores and destinations are left alone after this; the answer leaves.
    settle: Instant,
}

impl Deadline {
    /// No deadline is known: no limit.
    pub(crate) const UNKNOWN: Self = Self(None);

    /// From Lambda's header, milliseconds since 1970, as `wall` reads the time now.
    ///
    /// A deadline that is missing (0), has passed, or lies further ahead than any function runs is unknown: `cargo lambda watch` 1.9 sends
    /// 600000, ten minutes after 1970 began.
    pub(crate) fn from_epoch_ms(deadline_ms: u64, wall: Timestamp, margin: Duration) -> Self {
        let now_ms = u64::try_from(wall.as_millisecond()).unwrap_or(0);
        match deadline_ms.checked_sub(now_ms) {
            Some(left) if left > 0 && left <= DEADLINE_AHEAD_MS_MAX => {
                Self::after(Duration::from_millis(left), margin)
            }
            _ => Self::UNKNOWN,
        }
    }

    /// From a deadline on tokio's clock: that of a caller who means it, so that nothing starts once it has passed.
    ///
    /// One that lies further ahead than any function runs is unknown.
    pub(crate) fn at(end: Instant, margin: Duration) -> Self {
        let left = end.saturating_duration_since(Instant::now());
        if left > Duration::from_millis(DEADLINE_AHEAD_MS_MAX) {
            return Self::UNKNOWN;
        }
        Self::after(left, margin)
    }

    /// That much time from now.
    pub(crate) fn after(given: Duration, margin: Duration) -> Self {
        let margin = margin.min(given / DEADLINE_MARGIN_PART_MAX);
        let end = Instant::now() + given;
        Self(Some(Limits {
            end,
            work: end - margin,
            settle: end - margin / 2,
        }))
    }

    /// Time left until Lambda ends the invocation; zero once it is over.
    ///
    /// *None: the deadline is unknown.*
    pub fn time_left(&self) -> Option<Duration> {
        Some(self.0?.end.saturating_duration_since(Instant::now()))
    }

    /// The deadline on tokio's clock. *None: unknown.*
    pub fn instant(&self) -> Option<Instant> {
        Some(self.0?.end)
    }

    /// A handler that runs then is dropped. *None: no limit.*
    pub(crate) fn work_end(&self) -> Option<Instant> {
        Some(self.0?.work)
    }

    /// A store or destination that has not answered then has not confirmed. *None: no limit.*
    pub(crate) fn settle_end(&self) -> Option<Instant> {
        Some(self.0?.settle)
    }

    /// Whether something that takes `run` can start after `wait` and end before handlers are dropped.
    pub(crate) fn has_room_for(&self, wait: Duration, run: Duration) -> bool {
        self.0
            .is_none_or(|limits| Instant::now() + wait + run < limits.work)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;
    use tokio::time::{Instant, advance};

    use super::Deadline;
    use crate::limits::DEADLINE_AHEAD_MS_MAX;

    const NOW_MS: u64 = 1_767_225_600_000;
    const MARGIN: Duration = Duration::from_millis(500);

    /// The time left of a deadline that Lambda's header puts there.
    fn left(deadline_ms: u64) -> Option<Duration> {
        let wall = Timestamp::from_millisecond(NOW_MS.cast_signed()).unwrap();
        Deadline::from_epoch_ms(deadline_ms, wall, MARGIN).time_left()
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_ahead_is_so_far_ahead() {
        assert_eq!(left(NOW_MS + 1), Some(Duration::from_millis(1)));
        let furthest = Duration::from_millis(DEADLINE_AHEAD_MS_MAX);
        assert_eq!(left(NOW_MS + DEADLINE_AHEAD_MS_MAX), Some(furthest));
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_that_is_missing_over_or_too_far_ahead_is_unknown() {
        let unknown = [
            0,
            600_000,
            NOW_MS,
            NOW_MS + DEADLINE_AHEAD_MS_MAX + 1,
            u64::MAX,
        ];

        for deadline_ms in unknown {
            assert_eq!(left(deadline_ms), None, "{deadline_ms}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn half_of_the_margin_is_for_stores_and_destinations() {
        let start = Instant::now();

        let deadline = Deadline::after(Duration::from_secs(10), MARGIN);

        let at = |millis| Some(start + Duration::from_millis(millis));
        assert_eq!(deadline.work_end(), at(9_500));
        assert_eq!(deadline.settle_end(), at(9_750));
        assert_eq!(deadline.instant(), at(10_000));
    }

    #[tokio::test(start_paused = true)]
    async fn a_margin_is_at_most_a_fifth_of_the_time_given() {
        let start = Instant::now();

        for margin in [Duration::from_secs(2), Duration::MAX] {
            let deadline = Deadline::after(Duration::from_secs(10), margin);
            assert_eq!(deadline.work_end(), Some(start + Duration::from_secs(8)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn there_is_room_for_what_ends_before_the_margin() {
        let deadline = Deadline::after(Duration::from_secs(10), MARGIN);
        let has_room = |wait, run| {
            deadline.has_room_for(Duration::from_millis(wait), Duration::from_millis(run))
        };

        assert!(has_room(4_000, 5_499));
        assert!(!has_room(4_000, 5_500));
        advance(Duration::from_secs(1)).await;
        assert!(!has_room(4_000, 5_499));
        assert!(Deadline::UNKNOWN.has_room_for(Duration::from_secs(9_999), Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn once_it_is_over_no_time_is_left() {
        let deadline = Deadline::after(Duration::from_secs(1), MARGIN);

        advance(Duration::from_secs(2)).await;

        assert_eq!(deadline.time_left(), Some(Duration::ZERO));
    }
}
