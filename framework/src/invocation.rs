//! What is true of one whole invocation: who asked, until when, by which clock. Made by `lambda` and `testing`, read by `delivery` and `process`.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::limits::{DEADLINE_AHEAD_MS_MAX, DEADLINE_MARGIN_PART_MAX};

/// Wall time. Time spans are measured with [`tokio::time::Instant`], which tests pause.
#[derive(Clone, Debug, Default)]
pub(crate) enum Clock {
    /// The system's.
    #[default]
    System,
    /// Starts at a given time and runs with tokio's: paused where that is.
    #[cfg_attr(not(feature = "testing"), expect(dead_code, reason = "made by tests"))]
    From { start: Timestamp, at: Instant },
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
        }
    }
}

/// One invocation. One `Arc` of it is shared by all its deliveries.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) request_id: String,
    pub(crate) function_arn: String,
    pub(crate) deadline: Deadline,
    pub(crate) clock: Clock,
    /// Of idempotency keys: two consumers never share keys.
    pub(crate) namespace: Arc<str>,
    /// Of idempotency keys: two clusters never share keys.
    pub(crate) cluster: Arc<str>,
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
