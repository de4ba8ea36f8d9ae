//! The deadline of an invocation, and the margin before it, in which no handler runs.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::limits::{
    DEADLINE_AHEAD_MS_MAX, DEADLINE_MARGIN_PART_MAX, FLUSH_LEAVES_PART_OF_MARGIN,
    FLUSH_PART_OF_MARGIN,
};

/// The time at which Lambda ends the invocation. As a handler's argument, it tells how much time is left.
///
/// A handler that is still running [half a second](crate::limits::DEADLINE_MARGIN_MS) before the deadline is dropped.
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

    /// The time left until Lambda ends the invocation; zero once the deadline has passed.
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

    /// A flush hook that begins now and is not done then is dropped. `margin`: where no deadline is known.
    pub(crate) fn flush_end(&self, margin: Duration) -> Instant {
        let now = Instant::now();
        let Some(limits) = self.0 else {
            return now + margin / FLUSH_PART_OF_MARGIN;
        };
        let margin = limits.end - limits.work;
        let latest = limits.end - margin / FLUSH_LEAVES_PART_OF_MARGIN;
        latest.min(now + margin / FLUSH_PART_OF_MARGIN)
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
    async fn once_it_is_over_no_time_is_left() {
        let deadline = Deadline::after(Duration::from_secs(1), MARGIN);

        advance(Duration::from_secs(2)).await;

        assert_eq!(deadline.time_left(), Some(Duration::ZERO));
    }
}
